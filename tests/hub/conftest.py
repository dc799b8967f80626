"""A Hub of its own for every test that asks for one, and clients of it."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .client import call
from .place import Place, copied
from .running import RunningHub, running_hub
from .server import STORAGE_ADDRESS


def why_not() -> str | None:
    """Return why no server can be started here, or None where one can."""
    with socket.socket() as tried:
        try:
            tried.bind((STORAGE_ADDRESS, 0))
        except OSError:
            return f"{STORAGE_ADDRESS} is no address of this machine, as it is of every Linux"
    return None


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A fresh server: nothing is in it but accounts."""
    if reason := why_not():
        pytest.skip(reason)
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running
        assert not running.errors(), "\n".join(running.errors())


@pytest.fixture
def client(hub: RunningHub) -> Callable[..., Any]:
    """Call a function in a new process in which the Hub is this one; see ``client.call``."""
    return functools.partial(call, environment=hub.environment)


@pytest.fixture
def place(hub: RunningHub, demo_collection: Path, tmp_path: Path) -> Place:
    """The built collection, configured to be published on the Hub."""
    return copied(demo_collection, tmp_path, hub)
