"""What decides a shard: the content of its files and the keys of its cards, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from semasia.compat import import_timm

from conftest import planned_jobs

Run = Callable[..., subprocess.CompletedProcess[str]]


def draw(folder: Path, seed: int) -> None:
    """Write four images of equal sizes in bytes, whatever the seed."""
    rng = np.random.default_rng(seed)
    for i in range(4):
        path = folder / "ab"[i % 2] / f"{i}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)).save(path)


def train(path: Path, seed: int) -> None:
    """Write weights of a small network."""
    torch.manual_seed(seed)
    save_file(import_timm().create_model("test_resnet").state_dict(), path)


def with_times_of(path: Path, write: Callable[[Path], None]) -> None:
    """Replace what lies at a path, and put the times of its files back."""
    files = [p for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()]
    states = {p: p.stat() for p in files}
    write(path)
    for file, was in states.items():
        assert file.stat().st_size == was.st_size
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.fixture
def config(tmp_path: Path) -> dict:
    train(tmp_path / "mine.safetensors", 1)
    folder = tmp_path / "folder"
    folder.mkdir()
    train(folder / "model.safetensors", 2)
    draw(tmp_path / "images/train", 1)
    draw(tmp_path / "images/test", 2)
    card = {
        "name": "mine",
        "title": "Mine",
        "source": {"kind": "folder", "path": str(tmp_path / "images")},
        "splits": {"train": {"rows": 4}, "test": {"rows": 4}},
        "labels": {"label": {}},
        "licence": "none",
        "citation": "none",
    }
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card))
    sources = {
        "of_file": {"source": "file", "path": str(tmp_path / "mine.safetensors")},
        "of_folder": {"source": "folder", "path": str(folder)},
    }
    models = [
        {
            "name": name,
            "architecture": "test_resnet",
            "weights": weights,
            "data_config": {"input_size": [3, 64, 64]},
        }
        for name, weights in sources.items()
    ]
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"description": "two", "models": models}))
    return {
        "benchmarks": [{"name": "mine", "card": str(tmp_path / "card.yaml")}],
        "models": {"file": str(tmp_path / "models.yaml")},
    }


def test_content_and_cards_decide_what_is_redone(
    tmp_path: Path,
    repository: Path,
    run_workflow: Run,
    config: dict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def planned() -> dict[str, int]:
        run = run_workflow(tmp_path, config, "--dry-run", "--", "shards")
        assert run.returncode == 0, run.stderr
        jobs = planned_jobs(run.stdout)
        return {name: n for name, n in jobs.items() if name not in ("shards", "total")}

    made = run_workflow(tmp_path, config, "--", "shards")
    assert made.returncode == 0, made.stderr
    assert planned() == {}

    # A version that knows one key more of every card.
    later = tmp_path / "later"
    shutil.copytree(repository / "src" / "semasia", later / "semasia")
    for file, before in (
        ("registry/cards.py", "    weights: Weights = Field(default_factory=HubWeights)\n"),
        ("inputs/cards.py", '    image: str = Field(default="image"'),
        ("inputs/origins.py", "    split_folders: bool = Field(default=True"),
    ):
        path = later / "semasia" / file
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, f"    one_key_more: str | None = None\n{before}"))
    with monkeypatch.context() as environment:
        environment.setenv("PYTHONPATH", str(later))
        assert planned() == {}

    with_times_of(tmp_path / "mine.safetensors", lambda path: train(path, 3))
    assert planned() == {"extract": 2}
    with_times_of(tmp_path / "mine.safetensors", lambda path: train(path, 1))
    assert planned() == {}
    with_times_of(tmp_path / "folder", lambda path: train(path / "model.safetensors", 4))
    assert planned() == {"extract": 2}
    with_times_of(tmp_path / "folder", lambda path: train(path / "model.safetensors", 2))

    with_times_of(tmp_path / "images" / "test", lambda path: draw(path, 3))
    assert planned() == {"prepare_split": 1, "extract": 2}
    again = run_workflow(tmp_path, config, "--", "shards")
    assert again.returncode == 0, again.stderr
    assert planned() == {}

    # What was made of files that are gone is as good as before.
    shutil.rmtree(tmp_path / "images")
    (tmp_path / "mine.safetensors").unlink()
    assert planned() == {}
