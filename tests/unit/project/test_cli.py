"""The console command."""

from __future__ import annotations

from pathlib import Path

import pytest

from semasia.cli import main


def test_show_checks_a_shard_and_prints_its_provenance(
    demo_collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = demo_collection / "latents/mnist_5k/tf_efficientnet_lite0.in1k/test.parquet"
    assert main(["show", str(path)]) == 0
    output = capsys.readouterr().out
    assert "30 rows; id, label, model_name, embedding[1280]" in output
    assert '"run_key"' in output
    assert main(["show", "nowhere.parquet"]) == 1
    assert "ShardError: nowhere.parquet: there is no such shard." in capsys.readouterr().err


def test_check_counts_targets_and_names_mistakes(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = ["--registry", str(repository / "registry")]
    assert main(["check", str(repository / "config/semasia.yaml"), *registry]) == 0
    output = capsys.readouterr().out
    assert "celeba/train: 1,697 models × 162,770 rows" in output
    assert "28,849 shards" in output
    (tmp_path / "bad.yaml").write_text("modls: 1")
    assert main(["check", str(tmp_path / "bad.yaml"), *registry]) == 1
    assert "unknown key `modls`. Did you mean" in capsys.readouterr().err
    (tmp_path / "bad.yaml").write_text("{[")
    assert main(["check", str(tmp_path / "bad.yaml"), *registry]) == 1
    assert "bad.yaml: is not readable YAML" in capsys.readouterr().err
