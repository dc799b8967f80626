"""What can go wrong while rows are computed, each for real, and what then stands on the disk."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from semasia.encoders import TimmEncoder
from semasia.errors import EncoderError, ImageError, StoppedError
from semasia.extraction import Wishes, extract
from semasia.extraction.parity import compared
from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split
from semasia.latents import Shard, only_writer

from unit.extraction.conftest import interrupted, large, seeded

Digits = Callable[[int], PreparedSplit]
WISHES = Wishes(batch_size=8, batches_per_part=2)


def encoder(**options: Any) -> TimmEncoder:
    return TimmEncoder(seeded(), "cpu", **{"preprocess": "device", **options})


def numerics(path: Path) -> dict[str, Any]:
    return Shard(path).provenance["numerics"]


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.name != "test.parquet" and p.is_file())


def test_a_shard_holds_what_the_network_gives(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(50), tmp_path / "test.parquet"
    timings = extract(encoder(), prepared, path, WISHES)
    reference = encoder(preprocess="reference")
    images = torch.stack([reference.preprocess(prepared.image(i)) for i in range(50)])
    expected = reference.encode(images)
    found = Shard(path, prepared).embeddings()
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1)
    assert (cosines / np.linalg.norm(expected, axis=1)).min() >= 0.99999
    assert (timings.rows, timings.rows_resumed, timings.batch_size) == (50, 0, 8)
    assert timings.forward > 0
    assert 0.9 < sum(timings.share(k) for k in ("load", "preprocess", "forward", "write")) <= 1
    threads = {"threads": 1}
    capability = f"cpu {torch.backends.cpu.get_cpu_capability()}"
    assert numerics(path).items() >= {
        "engine": "eager", "batch_size": 8, "computed_on": [capability], **threads
    }.items()  # fmt: skip
    assert leftovers(tmp_path) == []


def test_both_ways_to_preprocess_give_the_same_bytes(tmp_path: Path, digits: Digits) -> None:
    prepared = digits(20)
    for way in ("device", "reference"):
        extract(encoder(preprocess=way), prepared, tmp_path / way / "test.parquet", WISHES)
    a, b = (Shard(tmp_path / w / "test.parquet").embeddings() for w in ("device", "reference"))
    assert np.array_equal(a, b)


def test_a_row_does_not_depend_on_how_many_follow(tmp_path: Path, digits: Digits) -> None:
    prepared = digits(27)
    extract(encoder(), prepared, tmp_path / "a" / "test.parquet", Wishes(batch_size=8))
    whole = Shard(tmp_path / "a" / "test.parquet").embeddings()
    images = torch.from_numpy(prepared.pixels(range(24, 27)))
    alone = encoder()
    alone.encode(images)
    padded = torch.cat([images, images[-1:].expand(5, *images.shape[1:])])
    assert np.array_equal(whole[24:], alone.encode(padded)[:3])


def test_a_resumed_shard_keeps_its_plan(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(60), tmp_path / "part" / "test.parquet"
    extract(encoder(), prepared, tmp_path / "whole" / "test.parquet", WISHES)

    interrupted(encoder(), prepared, path, WISHES, 32)
    assert len(list(path.parent.rglob("rows-*.arrow"))) == 2
    timings = extract(encoder(), prepared, path, Wishes(batch_size=5, threads=2))
    assert (timings.rows_resumed, timings.batch_size) == (32, 8)
    assert path.read_bytes() == (tmp_path / "whole" / "test.parquet").read_bytes()


def test_sigterm_saves_what_is_computed(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(60), tmp_path / "test.parquet"
    extract(encoder(), prepared, tmp_path / "whole" / "test.parquet", WISHES)

    def term(done: int, *_: object) -> None:
        if done == 40:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(StoppedError, match=r"asked to end by signal 15; the rows computed are"):
        extract(encoder(), prepared, path, WISHES, progress=term)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    names = sorted(p.name[:24] for p in tmp_path.rglob("rows-*.arrow"))
    assert names == [f"rows-{a:09d}-{b:09d}" for a, b in ((0, 16), (16, 32), (32, 40))]
    assert not path.exists()
    timings = extract(encoder(), prepared, path, WISHES)
    assert timings.rows_resumed == 40
    assert path.read_bytes() == (tmp_path / "whole" / "test.parquet").read_bytes()


def test_a_job_ends_with_143_and_no_failure_on_sigterm(tmp_path: Path) -> None:
    program = (
        "import os, signal, time\n"
        "from semasia.jobs import job\n"
        "from semasia.extraction.stopping import stop_on_sigterm\n"
        f"with job({str(tmp_path / 'log')!r}, failure={str(tmp_path / 'failure.json')!r}):\n"
        "    with stop_on_sigterm() as stop:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(0.01)\n"
        "        stop.check()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 143
    assert "asked to end by signal 15" in done.stderr
    assert not (tmp_path / "failure.json").exists()


def test_two_jobs_on_one_shard_do_the_work_once(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(40), tmp_path / "test.parquet"
    results: list[Any] = []

    def work(own: TimmEncoder) -> None:
        results.append(extract(own, prepared, path, WISHES))

    # Built one after another: seeding is the process's.
    threads = [threading.Thread(target=work, args=(encoder(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(t.rows_resumed for t in results) == [0, 40, 40]
    assert len(Shard(path, prepared).embeddings()) == 40
    assert leftovers(tmp_path) == []


def test_waiting_for_another_process_can_be_ended(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(10), tmp_path / "test.parquet"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nfrom pathlib import Path\nfrom semasia.latents import only_writer\n"
            "with only_writer(Path(sys.argv[1])):\n    print(1, flush=True)\n    time.sleep(60)",
            str(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "1\n"
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    with pytest.raises(StoppedError):
        extract(encoder(), prepared, path, WISHES)
    # A killed holder holds nothing any more.
    holder.kill()
    holder.wait()
    began = time.monotonic()
    with only_writer(path):
        assert time.monotonic() - began < 30
    assert not path.with_name(".test.lock").exists()


def test_temporary_files_of_killed_jobs_are_swept(tmp_path: Path, digits: Digits) -> None:
    path = tmp_path / "test.parquet"
    (tmp_path / ".test.parquet.0123456789ab.tmp").write_text("half")
    (tmp_path / ".test.parts" / "x").mkdir(parents=True)
    (tmp_path / ".test.parts" / "x" / ".rows-1.arrow.0123456789ab.tmp").write_text("half")
    (tmp_path / ".train.parquet.0123456789ab.tmp").write_text("another shard's")
    extract(encoder(), digits(10), path, WISHES)
    assert leftovers(tmp_path) == [".train.parquet.0123456789ab.tmp"]


def limited(most: int) -> TimmEncoder:
    """Return an encoder whose device has memory for so many images at a time."""
    found = encoder()
    forward = found.forward

    def refuse(inputs: torch.Tensor) -> torch.Tensor:
        if len(inputs) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return forward(inputs)

    found.forward = refuse  # type: ignore[method-assign]
    return found


def test_out_of_memory_halves_the_batch_and_loses_no_row(tmp_path: Path, digits: Digits) -> None:
    prepared, path = digits(45), tmp_path / "test.parquet"
    timings = extract(limited(3), prepared, path, Wishes(batch_size=16, batches_per_part=1))
    extract(encoder(), prepared, tmp_path / "whole" / "test.parquet", Wishes(batch_size=16))
    found = Shard(path, prepared).embeddings()
    exact = Shard(tmp_path / "whole" / "test.parquet").embeddings()
    assert compared(found, exact).cosine_min > 0.999999
    assert timings.batch_size == 16
    assert numerics(path)["smallest_batch"] == 2
    assert "smallest_batch" not in numerics(tmp_path / "whole" / "test.parquet")


def test_not_one_image_fits(tmp_path: Path, digits: Digits) -> None:
    path = tmp_path / "test.parquet"
    with pytest.raises(EncoderError, match=r"lcnet_050.seed0: not even one image fits into"):
        extract(limited(0), digits(10), path, WISHES)
    assert not path.exists()


def test_a_real_shortage_of_host_memory_halves_the_batch(tmp_path: Path, digits: Digits) -> None:
    """The address space of a child process is limited while its network runs."""
    prepared, path = digits(128), tmp_path / "test.parquet"
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        found = large("cpu")
        found.encode(torch.from_numpy(prepared.pixels(range(1))))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20), -1))
        extract(found, prepared, path, Wishes(batch_size=128))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(Shard(path, prepared).embeddings()) == 128
    assert numerics(path)["smallest_batch"] < 128


@pytest.mark.parametrize("wrong", ["nan", "tuple", "width"])
def test_a_network_that_gives_no_vector(tmp_path: Path, digits: Digits, wrong: str) -> None:
    prepared, path = digits(40), tmp_path / "test.parquet"
    found = encoder()
    head = found._network.network.forward_head
    seen = 0

    def forward_head(features: torch.Tensor, pre_logits: bool) -> Any:
        nonlocal seen
        latents = head(features, pre_logits=pre_logits)
        seen += len(latents)
        if seen <= 16:
            return latents
        if wrong == "nan":
            latents[3, 5] = torch.nan
            return latents
        return (latents, latents) if wrong == "tuple" else latents[:, :7]

    found._network.network.forward_head = forward_head
    message = {
        "nan": rf"the latent vector of id {prepared.ids[19]} is not finite",
        "tuple": "the network gave tuple for 8 images",
        "width": r"the network gave \(8, 7\) for 8 images; one vector of",
    }[wrong]
    with pytest.raises(EncoderError, match=message):
        extract(found, prepared, path, WISHES)
    assert not path.exists()
    assert [p.name[:24] for p in tmp_path.rglob("rows-*")] == [f"rows-{0:09d}-{16:09d}"]


def test_a_corrupt_image_keeps_the_rows_before_it(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "one"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (30, 400, 300, 3), np.uint8)
    for i, pixels in enumerate(noise):
        Image.fromarray(pixels).save(folder / f"{i:02d}.jpg")
    card = BenchmarkCard.model_validate(
        {
            "name": "photos",
            "title": "photos",
            "source": {"kind": "folder", "path": str(folder.parent), "split_folders": False},
            "splits": {"test": {"rows": 30}},
            "labels": {"label": {}},
            "licence": "none",
            "citation": "none",
        }
    )
    files = tmp_path / "test.arrow", tmp_path / "test.json"
    prepare_split(card, "test", cap=None, revision=None, data=files[0], facts=files[1])
    # The prepared file is damaged afterwards: a bad disk.
    raw = bytearray(files[0].read_bytes())
    at = [i for i in range(len(raw) - 3) if raw[i : i + 4] == b"\xff\xd8\xff\xe0"][21]
    raw[at : at + 600] = bytes(600)
    files[0].write_bytes(raw)
    prepared, path = PreparedSplit.open(*files), tmp_path / "out" / "test.parquet"
    with pytest.raises(ImageError, match=r"photos/test: image with id 21 cannot be .*test\.arrow"):
        extract(encoder(), prepared, path, Wishes(batch_size=4, batches_per_part=100))
    assert not path.exists()
    assert [p.name[:24] for p in path.parent.rglob("rows-*")] == [f"rows-{0:09d}-{20:09d}"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "this machine's memory does not suffice"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory\n at"),
            "RuntimeError: DefaultCPU",
        ),
        (OverflowError("too large"), "OverflowError: too large"),
        (ValueError("height and width must be > 0"), "height and width must be > 0"),
    ],
)
def test_whatever_work_on_an_image_raises_is_told_with_its_id(
    error: Exception, message: str, tmp_path: Path, digits: Digits
) -> None:
    prepared = digits(20)
    found = encoder(preprocess="reference")
    usual = found.preprocessing.load
    seen = []

    def load(image: Image.Image) -> torch.Tensor:
        seen.append(image)
        if len(seen) == 12:
            raise error
        return usual(image)

    found.preprocessing.load = load
    expected = rf"image with id \d+ \(L, 28×28\) cannot be preprocessed for .*: {message}"
    with pytest.raises(ImageError, match=expected):
        extract(found, prepared, tmp_path / "test.parquet", Wishes(batch_size=4, threads=1))


def test_precision_is_recorded_with_its_distance_from_float32(
    tmp_path: Path, digits: Digits
) -> None:
    prepared, path = digits(40), tmp_path / "test.parquet"
    timings = extract(encoder(precision="bfloat16"), prepared, path, WISHES)
    assert numerics(path)["compute"] == "bfloat16"
    parity = timings.parity
    assert parity is not None
    assert parity.rows == 40
    assert 0.9 < parity.cosine_min <= parity.cosine_median < 1
    assert 0 < parity.error_median <= parity.error_max < 0.5
    assert extract(encoder(), prepared, tmp_path / "b" / "test.parquet", WISHES).parity is None
    exact = Shard(tmp_path / "b" / "test.parquet").embeddings()
    again = compared(Shard(path).embeddings(), exact)
    assert again.cosine_min == pytest.approx(parity.cosine_min, abs=1e-3)
    with pytest.raises(EncoderError, match=r"tf32` is a mode of NVIDIA devices"):
        encoder(precision="tf32")


def test_a_compiled_network_gives_the_same_vectors(tmp_path: Path, digits: Digits) -> None:
    prepared = digits(20)
    extract(encoder(), prepared, tmp_path / "a" / "test.parquet", WISHES)
    timings = extract(
        encoder(), prepared, tmp_path / "b" / "test.parquet", Wishes(batch_size=8, compile_from=20)
    )
    assert timings.engine == numerics(tmp_path / "b" / "test.parquet")["engine"] == "inductor"
    assert timings.plan > 0
    pair = [Shard(tmp_path / x / "test.parquet").embeddings() for x in "ab"]
    assert compared(*pair).cosine_min > 0.999999
    transformer = TimmEncoder(seeded("vit_tiny_patch16_224", "vit"), "cpu")
    assert encoder().repays_compiling()
    assert not transformer.repays_compiling()
    small = Wishes(batch_size=8, compile_from=21)
    assert extract(encoder(), prepared, tmp_path / "c/test.parquet", small).engine == "eager"


def test_parts_of_a_compiled_network_survive_a_missing_compiler(
    tmp_path: Path, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, path = digits(30), tmp_path / "test.parquet"
    wishes = Wishes(batch_size=8, batches_per_part=1, compile_from=1)

    def term(done: int, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(StoppedError):
        extract(encoder(), prepared, path, wishes, progress=term)
    parts = sorted(p.name for p in tmp_path.rglob("rows-*.arrow"))
    assert parts
    with monkeypatch.context() as patch:
        patch.setattr("semasia.extraction.planning.can_compile", lambda: False)
        with pytest.raises(
            EncoderError, match=r"cannot be compiled now \(there is no C\+\+ compil"
        ):
            extract(encoder(), prepared, path, wishes)
    assert sorted(p.name for p in tmp_path.rglob("rows-*.arrow")) == parts
    timings = extract(encoder(), prepared, path, wishes)
    assert (timings.engine, timings.rows_resumed) == ("inductor", 8)


def test_without_a_compiler_it_runs_eagerly(
    tmp_path: Path, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semasia.extraction.planning.can_compile", lambda: False)
    path = tmp_path / "test.parquet"
    timings = extract(encoder(), digits(10), path, Wishes(compile_from=1))
    assert timings.engine == numerics(path)["engine"] == "eager"


def test_a_batch_grows_as_memory_lasts(digits: Digits) -> None:
    from semasia.extraction.planning import _grown

    prepared = digits(100)

    def sample(rows: int) -> torch.Tensor:
        return torch.from_numpy(prepared.pixels(range(rows)))

    assert _grown(limited(20), 64, sample) == 16
    assert _grown(limited(1000), 100, sample) == 100
    assert _grown(limited(5), 64, sample) == 1


PROGRAM = """
import json, resource, sys
from pathlib import Path
import torch
from semasia.encoders import TimmEncoder, keep_freed_memory
from semasia.extraction import Wishes, extract
from semasia.inputs import PreparedSplit
from semasia.registry import EncoderCard
torch.set_num_threads(1)
keep_freed_memory()
folder = Path(sys.argv[1])
card = EncoderCard.model_validate(json.loads(sys.argv[2]))
prepared = PreparedSplit.open(folder / "test.arrow", folder / "test.json")
encoder = TimmEncoder(card, "cpu", preprocess="device")
extract(encoder, prepared, folder / "out" / "test.parquet", Wishes(batches_per_part=4))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_split(tmp_path: Path) -> None:
    """Four times the rows are 184 MiB more of vectors; a row group of 32 MiB is held at a time."""
    peaks = []
    for rows in (12_000, 48_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        pixels = np.random.default_rng(0).integers(0, 256, (rows, 8, 8)).astype(np.uint8)
        header = np.array([0x803, rows, 8, 8], ">u4").tobytes()
        (folder / "images").write_bytes(header + pixels.tobytes())
        labels = np.array([0x801, rows], ">u4").tobytes() + bytes(rows)
        (folder / "labels").write_bytes(labels)
        card = BenchmarkCard.model_validate(
            {
                "name": "noise",
                "title": "noise",
                "source": {
                    "kind": "idx",
                    "path": str(folder),
                    "images": {"test": "images"},
                    "label_files": {"test": "labels"},
                },
                "splits": {"test": {"rows": rows}},
                "labels": {"label": {"classes": 10}},
                "licence": "none",
                "citation": "none",
            }
        )
        files = folder / "test.arrow", folder / "test.json"
        prepare_split(card, "test", cap=None, revision=None, data=files[0], facts=files[1])
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder), seeded().model_dump_json()],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 64, peaks


def test_the_run_key_covers_the_plan(tmp_path: Path, digits: Digits) -> None:
    prepared = digits(16)
    keys = []
    for size in (8, 16):
        path = tmp_path / str(size) / "test.parquet"
        extract(encoder(), prepared, path, Wishes(batch_size=size))
        metadata = pq.read_metadata(path).metadata
        assert metadata is not None
        keys.append(json.loads(metadata[b"semasia"])["run_key"])
        assert isinstance(pq.read_table(path), pa.Table)
    assert keys[0] != keys[1]
