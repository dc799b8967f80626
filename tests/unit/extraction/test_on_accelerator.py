"""The engine on a real accelerator: the processor's rows, resumption, and memory that runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from semasia.encoders import TimmEncoder
from semasia.errors import EncoderError
from semasia.extraction import Wishes, extract
from semasia.extraction.parity import compared
from semasia.inputs import PreparedSplit
from semasia.latents import Shard
from semasia.registry import load_model_set

from unit.extraction.conftest import interrupted, large, seeded

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no accelerator here"
)

Digits = Callable[[int], PreparedSplit]
# Of the least cosine of a row with float32 on the processor.
NEARNESS = {"float32": 0.99999, "tf32": 0.999, "float16": 0.999, "bfloat16": 0.98}


@pytest.fixture
def memory() -> Iterator[Callable[[float], None]]:
    """Limit the device's memory that this process may take, in GiB."""
    whole = torch.cuda.mem_get_info()[1] / 2**30

    def limit(gib: float) -> None:
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(min(gib / whole, 1.0))

    yield limit
    limit(whole)


@pytest.mark.parametrize("precision", NEARNESS)
@pytest.mark.parametrize("name", ["tf_efficientnet_lite0.in1k", "mobilenetv2_100.tonylins_in1k"])
def test_rows_are_those_of_the_processor(
    tmp_path: Path, digits: Digits, repository: Path, name: str, precision: str
) -> None:
    card = load_model_set("demo", repository / "registry" / "models")[name]
    prepared = digits(150)
    there = TimmEncoder(card, "cuda", preprocess="device", precision=precision)
    timings = extract(there, prepared, tmp_path / "there.parquet", Wishes(batch_size=64))
    here = TimmEncoder(card, "cpu", preprocess="reference")
    extract(here, prepared, tmp_path / "here.parquet", Wishes(batch_size=50, threads=8))
    found, expected = (Shard(tmp_path / f"{w}here.parquet", prepared) for w in ("t", ""))
    cosines = compared(found.embeddings(), expected.embeddings())
    print(name, precision, cosines)
    assert cosines.cosine_min >= NEARNESS[precision]
    numerics = found.provenance["numerics"]
    assert (numerics["device"], numerics["compute"]) == ("cuda", precision)
    assert numerics["computed_on"] == [torch.cuda.get_device_name()]
    assert timings.forward > 0
    if precision != "float32":
        assert timings.parity is not None
        assert timings.parity.cosine_min >= NEARNESS[precision]


def test_a_resumed_shard_is_an_uninterrupted_ones_bytes(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(500), tmp_path / "part" / "test.parquet"
    wishes = Wishes(batch_size=32, batches_per_part=2)

    def encoder() -> TimmEncoder:
        return TimmEncoder(seeded(), "cuda", preprocess="device")

    extract(encoder(), prepared, tmp_path / "whole" / "test.parquet", wishes)

    interrupted(encoder(), prepared, path, wishes, 256)
    timings = extract(encoder(), prepared, path, wishes)
    assert timings.rows_resumed >= 192
    assert path.read_bytes() == (tmp_path / "whole" / "test.parquet").read_bytes()


def test_a_batch_grows_as_far_as_memory_goes_and_is_halved_when_less_is_left(
    tmp_path: Path, digits: Digits, memory: Callable[[float], None]
) -> None:
    prepared, path = digits(600), tmp_path / "test.parquet"
    extract(large("cuda"), prepared, tmp_path / "whole" / "test.parquet")
    memory(1.0)
    lowered = False

    def lower(*_: object) -> None:
        nonlocal lowered
        if not lowered:
            memory(0.3)
            lowered = True

    timings = extract(large("cuda"), prepared, path, progress=lower)
    assert 8 <= timings.batch_size < 256
    found = Shard(path, prepared)
    assert found.provenance["numerics"]["smallest_batch"] < timings.batch_size
    exact = Shard(tmp_path / "whole" / "test.parquet", prepared)
    assert exact.provenance["numerics"]["batch_size"] == 256
    assert compared(found.embeddings(), exact.embeddings()).cosine_min > 0.999999


def test_not_one_image_fits(
    tmp_path: Path, digits: Digits, memory: Callable[[float], None]
) -> None:
    encoder, path = large("cuda"), tmp_path / "test.parquet"
    memory(0.01)
    with pytest.raises(EncoderError, match="not even one image fits into the memory of cuda"):
        extract(encoder, digits(10), path)
    assert not path.exists()
    with pytest.raises(EncoderError, match="weights do not fit into the memory of cuda"):
        large("cuda")


def test_a_value_that_is_not_finite_is_found_there_too(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(100), tmp_path / "test.parquet"
    encoder = TimmEncoder(seeded(), "cuda", preprocess="device")
    forward = encoder.forward
    seen = 0

    def spoilt(inputs: torch.Tensor) -> torch.Tensor:
        nonlocal seen
        latents = forward(inputs).clone()
        # The trials of batch sizes come first: 8 and 16 images.
        seen += len(inputs)
        if seen == 8 + 16 + 3 * 16:
            latents[5, 2] = np.nan
        return latents

    encoder.forward = spoilt  # type: ignore[method-assign]
    with pytest.raises(EncoderError, match=rf"vector of id {prepared.ids[37]} is not finite"):
        extract(encoder, prepared, path, Wishes(batch_size=16, batches_per_part=1))
    assert not path.exists()
