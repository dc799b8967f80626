"""Two threads over pieces of rows, where a thread of BLAS and a second that waits were before."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")


def two_at_a_time(calls: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Yield what calls return, in their order, the first that raises raising here.

    Two run at a time, each on one core where BLAS has two; where it has more they are of more use
    within a product, and where it has one, as in a job of one core, one runs at a time. Calls are
    taken as they are begun, so that memory is that of two.

    Parameters
    ----------
    calls : iterable of callable
        A call may run until the next but one begins.
    """
    threads = max((library["num_threads"] for library in _blas().info()), default=2)
    limit = _blas().limit(limits=1) if threads == 2 else nullcontext()
    running: deque[Future[T]] = deque()
    with limit, ThreadPoolExecutor(min(threads, 2)) as pool:
        for call in calls:
            if len(running) == 2:
                yield running.popleft().result()
            running.append(pool.submit(call))
        while running:
            yield running.popleft().result()


@functools.cache
def _blas() -> ThreadpoolController:
    """Return what limits the threads of the BLAS libraries that NumPy and SciPy have loaded."""
    import scipy.linalg  # noqa: F401 - loads the library
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
