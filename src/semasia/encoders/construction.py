"""Build networks without drawing initial values that a checkpoint overwrites at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_RANDOM = frozenset(
    {
        torch.Tensor.normal_,
        torch.Tensor.uniform_,
        torch.Tensor.erfinv_,
        torch.Tensor.bernoulli_,
        torch.Tensor.random_,
        torch.nn.init.trunc_normal_,
        torch.nn.init.kaiming_uniform_,
        torch.nn.init.kaiming_normal_,
        torch.nn.init.xavier_uniform_,
        torch.nn.init.xavier_normal_,
        torch.nn.init.orthogonal_,
        torch.nn.init.normal_,
        torch.nn.init.uniform_,
    }
)


class _NoRandomValues(TorchFunctionMode):
    """Writes NaN where random values would be drawn."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in _RANDOM:
            tensor = args[0] if args else kwargs["tensor"]
            with torch.no_grad():
                return tensor.fill_(torch.nan if tensor.is_floating_point() else 0)
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def without_initial_values() -> Iterator[None]:
    """Leave NaN for every random initial value while networks are built inside the block.

    Drawing them takes longer than loading a checkpoint over them. What constructors compute
    (positions, masks) is computed as ever. :func:`never_loaded` finds what no checkpoint filled.
    """
    with _NoRandomValues():
        yield


def never_loaded(network: torch.nn.Module) -> list[str]:
    """Return the parameters and buffers that hold NaN: those that no checkpoint filled."""
    return [
        name
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point() and torch.isnan(tensor.sum()) and tensor.isnan().any()
    ]
