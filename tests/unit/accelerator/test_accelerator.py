"""What a device of torch multiplies equals what the processor does; neighbours exactly.

Run on torch's own processor device everywhere, and on an accelerator where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from semasia.accelerator import device_in_use, multiply, use_device
from semasia.comparison.similarity import compare, summarise
from semasia.errors import SemasiaError
from semasia.neighbours import nearest_neighbours

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    use_device(None)


SPACES = {
    "random": lambda rng: rng.standard_normal((700, 40), dtype=np.float32),
    "far from the origin": lambda rng: rng.standard_normal((300, 20)).astype(np.float32) + 1000,
    "copies": lambda rng: rng.integers(0, 3, (400, 4)).astype(np.float32),
    "fewer rows than candidates": lambda rng: rng.standard_normal((20, 5)),
    "float64": lambda rng: rng.standard_normal((500, 30)) * 2.0**-300,
}


@pytest.mark.parametrize("space", SPACES)
def test_neighbours_are_those_of_the_processor(
    space: str, device: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    Z = SPACES[space](rng)
    known = nearest_neighbours(Z, 10)
    use_device(device)
    assert np.array_equal(nearest_neighbours(Z, 10), known)
    # In many tiles as in one.
    monkeypatch.setattr("semasia.accelerator._TILE_BYTES", 1)
    assert np.array_equal(nearest_neighbours(Z, 10), known)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_products_are_in_the_type_of_their_factors(
    kind: type, device: str, rng: np.random.Generator
) -> None:
    a, b = (rng.standard_normal((2000, d)).astype(kind) for d in (30, 20))
    use_device(device)
    assert device_in_use() == device
    found = multiply(a.T, b)
    assert found.dtype == kind
    exact = a.T.astype(np.float64) @ b.astype(np.float64)
    # A TF32 product would be off by 1e-3 of the norms.
    assert np.abs(found - exact).max() < 200 * np.finfo(kind).eps * np.sqrt(2000)


def test_every_measure_is_that_of_the_processor(device: str, rng: np.random.Generator) -> None:
    A = rng.standard_normal((300, 24)).astype(np.float32)
    B = (A @ rng.standard_normal((24, 16)) + rng.standard_normal((300, 16))).astype(np.float32)
    known = compare(summarise(A), summarise(B), intervals=True)
    use_device(device)
    found = compare(summarise(A), summarise(B), intervals=True)
    for s, other in zip(found, known, strict=True):
        assert s[:2] == other[:2]
        assert s[2:5] == pytest.approx(other[2:5], abs=1e-6), s.measure


def test_a_device_that_is_not_there_is_one_error() -> None:
    with pytest.raises(SemasiaError, match="torch cannot compute in float64 on 'nowhere'"):
        use_device("nowhere")
    assert device_in_use() is None
