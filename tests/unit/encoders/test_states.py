"""Of several states of a checkpoint, timm's own choice is loaded, and said."""

from __future__ import annotations

import argparse
import datetime
import pathlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semasia.compat import import_timm
from semasia.encoders.weights import build_network
from semasia.errors import WeightsError
from semasia.registry import EncoderCard

timm = import_timm()
NETWORK = timm.create_model("test_resnet")
RAW = NETWORK.state_dict()
EMA = {k: v + 1 if v.is_floating_point() else v for k, v in RAW.items()}


def built(content: Any, folder: Path, **more: Any) -> tuple[str, dict[str, Any]]:
    """Return which of the two is loaded from a file of this content, and what is noted."""
    torch.save(content, path := folder / "checkpoint.pth.tar")
    weights = {"source": "file", "path": str(path), **more}
    card = EncoderCard.model_validate(
        {"name": "m", "architecture": "test_resnet", "weights": weights}
    )
    network, origin = build_network(card)
    key = "conv1.0.weight" if "conv1.0.weight" in RAW else next(iter(RAW))
    loaded = network.state_dict()[key]
    which = "raw" if torch.equal(loaded, RAW[key]) else "ema"
    assert torch.equal(loaded, (RAW if which == "raw" else EMA)[key])
    return which, {k: origin[k] for k in ("state", "prefix") if k in origin}


def under(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {prefix + k: v for k, v in state.items()}


TIMMS: dict[str, Any] = {
    "plain": RAW,
    "both": {"state_dict": RAW, "state_dict_ema": EMA},
    "none averaged": {"state_dict": RAW, "state_dict_ema": None},
    "torchvision": {"model": RAW, "model_ema": EMA},
    "parallel": {"state_dict": under("module.", RAW)},
    "compiled": under("_orig_mod.module.", RAW),
    "arguments": {
        "state_dict": RAW,
        "state_dict_ema": EMA,
        "args": argparse.Namespace(lr=0.1, model="x"),
    },
}


@pytest.mark.parametrize("content", TIMMS.values(), ids=TIMMS)
def test_what_timm_loads_is_loaded(content: Any, tmp_path: Path) -> None:
    which, _ = built(content, tmp_path)
    theirs = timm.models.load_state_dict(str(tmp_path / "checkpoint.pth.tar"))
    assert all(torch.equal(v, (RAW if which == "raw" else EMA)[k]) for k, v in theirs.items())


@pytest.mark.parametrize(
    ("content", "noted"),
    [
        (RAW, {}),
        ({"state_dict": RAW, "epoch": 3}, {}),
        ({"state_dict": RAW, "state_dict_ema": EMA}, {"state": "state_dict_ema"}),
        ({"state_dict": under("module.", RAW)}, {"prefix": "module."}),
        ({"state_dict": under("model.", RAW), "hyper_parameters": {}}, {"prefix": "model."}),
        ({"state_dict": {**under("backbone.", RAW), "head.x": RAW["fc.bias"]}},
         {"prefix": "backbone."}),
        ({"model": RAW, "model_ema": {"n_averaged": torch.tensor(3), **under("module.", EMA)}},
         {"state": "model_ema", "prefix": "module."}),
        ({"student": under("module.backbone.", RAW)}, {"prefix": "module.backbone."}),
    ],
)  # fmt: skip
def test_a_choice_is_noted_and_a_plain_state_notes_nothing(
    content: Any, noted: dict[str, str], tmp_path: Path
) -> None:
    assert built(content, tmp_path)[1] == noted


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": RAW, "state_dict_ema": EMA},
        {"model": RAW, "model_ema": {"n_averaged": torch.tensor(3), **under("module.", EMA)}},
        {"state_dict": under("model.", RAW), "ema_state_dict": under("model.", EMA)},
        {"teacher": EMA, "student": RAW},
        {"state_dict": {**under("module.encoder_q.", RAW), **under("module.encoder_k.", EMA)}},
        {"state_dict": {**under("model.", RAW), **under("model_ema.module.", EMA)}},
    ],
)
def test_the_card_says_which(content: Any, tmp_path: Path) -> None:
    assert built(content, tmp_path, state="raw")[0] == "raw"
    assert built(content, tmp_path, state="ema")[0] == "ema"


@pytest.mark.parametrize(
    ("content", "state", "message"),
    [
        ({"teacher": EMA, "student": RAW}, None, "several states: teacher, student. Say which"),
        ({**under("a.", RAW), **under("b.", EMA)}, None, r"several .* fit, under a\., b\."),
        (RAW, "ema", "asks for `weights.state: ema`, but the file holds only raw"),
        ({"state_dict": RAW}, "ema", "asks for `weights.state: ema`"),
        ({"state_dict_ema": EMA}, "raw", "asks for `weights.state: raw`, .* only averaged"),
        ({"model": NETWORK.state_dict(), "state_dict": {"a": 1}}, None, "no tensors: a"),
        ({}, None, "is empty"),
        ({"state_dict": {k: v for k, v in RAW.items() if k != "fc.bias"}}, None,
         "1 missing: fc.bias"),
        ({**RAW, "fc.bias": torch.zeros(7)}, None,
         r"1 of another shape: fc.bias \(7,\) instead of .*num_classes"),
        (under("x_y.", {k: v for k, v in RAW.items() if k[:2] != "fc"}), None,
         r"missing: .* …; \d+ unexpected: x_y\."),
    ],
)  # fmt: skip
def test_what_is_not_decided_or_does_not_fit_is_told(
    content: Any, state: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=message):
        built(content, tmp_path, state=state)


class Unknown:
    pass


def test_inert_values_are_left_out_and_other_classes_named(tmp_path: Path) -> None:
    beside = {
        "dir": pathlib.PurePosixPath("a/b"),
        "windows": pathlib.PureWindowsPath("a/b"),
        "best": np.float64(0.7),
        "curve": np.arange(3.0),
        "at": datetime.datetime(2024, 1, 1),
    }
    assert built({"state_dict": RAW, **beside}, tmp_path) == ("raw", {})
    with pytest.raises(WeightsError, match=r"It holds a [\w.]*test_states.Unknown"):
        built({"state_dict": RAW, "args": Unknown()}, tmp_path)
