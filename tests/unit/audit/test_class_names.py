"""Class numbers that mean one thing in one split and another in the next are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semasia.inputs import PreparedSplit

from unit.audit.making import ROWS, WIDTHS, Verify, described, write_shard

DIGITS = [str(i) for i in range(10)]


def write(
    results: Path, prepared: PreparedSplit, model: str, split: str, names: list | None
) -> None:
    facts = replace(prepared.facts, split=split, label_names={"label": names})
    other = PreparedSplit(facts, prepared.ids, prepared.labels, None)
    width = WIDTHS[model]
    latents = np.random.default_rng(width).standard_normal((ROWS, width)).astype(np.float32)
    path = results / "latents" / "mnist_5k" / model / f"{split}.parquet"
    write_shard(path, other, described(model, width), latents)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([*DIGITS[::-1]], "in another order: 0 stands for '9' here and for '0' there"),
        ([*DIGITS[:9], "nine"], "others: 9 stands for 'nine' here and for '9' there"),
        ([*DIGITS, "10"], "others: 10 stands for '10' here and for None there"),
    ],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_other_class_names_are_named(
    names: list[str],
    told: str,
    split: str,
    tmp_path: Path,
    prepared: PreparedSplit,
    verify: Verify,
) -> None:
    for model in WIDTHS:
        write(tmp_path, prepared, model, "test", DIGITS)
    assert verify(tmp_path)[0] == 0
    write(tmp_path, prepared, "b.y", split, names)
    status, output = verify(tmp_path)
    assert status == 1
    assert f"mnist_5k/b.y/{split}.parquet" in output
    assert "class names of 'label' are not those of a.x, split test, but " in output
    assert told in output


def test_of_equally_many_both_are_named_and_none_without_names(
    tmp_path: Path, prepared: PreparedSplit, verify: Verify
) -> None:
    write(tmp_path, prepared, "a.x", "train", DIGITS)
    write(tmp_path, prepared, "b.y", "train", None)
    assert verify(tmp_path)[0] == 0
    write(tmp_path, prepared, "a.x", "test", DIGITS[::-1])
    status, output = verify(tmp_path)
    assert status == 1
    assert output.count("class names of 'label'") == 2
