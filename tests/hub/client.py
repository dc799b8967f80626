"""Functions run in processes of their own: the Hub's client reads its environment at import."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

_SECONDS = 120
# The last line of the output is the result; libraries may print before it.
_CALL = """
import json, sys
try:
    told = {{"result": {name}(*json.loads(sys.argv[1]))}}
except Exception as error:
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    answers = [found.response for found in chain if hasattr(found, "response")]
    told = {{
        "kind": type(error).__name__,
        "status": answers[0].status_code if answers else None,
        "message": "; because of ".join(map(str, chain)),
    }}
print()
print(json.dumps(told))
"""


class ClientError(Exception):
    """What a client raised.

    Attributes
    ----------
    kind : str
        Name of the exception's class.
    status : int or None
        Of the answer that it, or what caused it, is about.
    """

    def __init__(self, kind: str, status: int | None, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind, self.status = kind, status


def call(function: Callable[..., Any], *arguments: Any, environment: Mapping[str, str]) -> Any:
    """Return what a function returns in a new process.

    Parameters
    ----------
    function : callable
        It imports what it needs, and uses nothing from around it.
    arguments
        What JSON can hold, as the result.
    environment : mapping of str

    Raises
    ------
    ClientError
        If it raises.
    """
    process = start(function, *arguments, environment=environment)
    try:
        output, errors = process.communicate(timeout=_SECONDS)
    finally:
        process.kill()
    if process.returncode:
        raise AssertionError(f"{function.__name__}: exit {process.returncode}\n{errors}")
    told = json.loads(output.splitlines()[-1])
    if "kind" in told:
        raise ClientError(**told)
    return told["result"]


def start(
    function: Callable[..., Any], *arguments: Any, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start a function in a new process, and return without waiting for it."""
    source = textwrap.dedent(inspect.getsource(function))
    return subprocess.Popen(
        [
            *(sys.executable, "-c", source + _CALL.format(name=function.__name__)),
            json.dumps(arguments),
        ],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
