"""Which of the states in a checkpoint is a network's: what timm takes, else the only one that fits.

timm's order and prefixes are those of ``timm.models.load_state_dict``, timm 1.0.31.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from semasia.errors import WeightsError

Wanted = Literal["raw", "ema"] | None
StateDict = dict[str, torch.Tensor]

_TIMMS_AVERAGED, _TIMMS_RAW = ("state_dict_ema", "model_ema"), ("state_dict", "model")
_AVERAGED = (*_TIMMS_AVERAGED, "ema_state_dict", "ema", "teacher")
_RAW = (*_TIMMS_RAW, "model_state_dict", "model_state", "net", "network", "student")
# Parts of prefixes that say whether a network is the average of another.
_AVERAGED_PARTS = {"ema", "model_ema", "ema_model", "teacher", "encoder_k", "momentum_encoder"}
# Wrappers of torch.compile and of data parallelism, in either order.
_WRAPPERS = ("_orig_mod.", "module.", "_orig_mod.")

_logger = logging.getLogger(__name__)


def chosen_state(
    content: Any, path: Path, wanted: Wanted = None
) -> tuple[StateDict, dict[str, Any]]:
    """Return the state dict of a checkpoint, and what to note: ``state`` if there was a choice.

    Averaged weights come before raw ones unless ``wanted`` says otherwise.

    Raises
    ------
    WeightsError
        If there is none, not the wanted one, or several that none of timm's keys decides.
    """
    found = content if isinstance(content, Mapping) else {}
    # A key that holds None, or settings instead of tensors, is no state.
    there = [k for k in (*_AVERAGED, *_RAW) if isinstance(found.get(k), Mapping) and found[k]]
    if not there:
        return _tensors(content, path, "the file"), {}
    key = _key(there, path, wanted)
    noted = {"state": key} if len(there) > 1 or wanted else {}
    if noted:
        _logger.info("%s: holds %s; %s is loaded", path, ", ".join(there), key)
    return _tensors(found[key], path, repr(key)), noted


def _key(there: list[str], path: Path, wanted: Wanted) -> str:
    if wanted:
        for key in _AVERAGED if wanted == "ema" else _RAW:
            if key in there:
                return key
    for key in (*_TIMMS_AVERAGED, *_TIMMS_RAW):
        if key in there:
            return key
    if len(there) > 1:
        raise WeightsError(
            f"{path}: holds several states: {', '.join(there)}. Say which with `weights.state: "
            "raw` or `ema` in the model card."
        )
    return there[0]


def check_wanted(noted: dict[str, Any], path: Path, wanted: Wanted) -> None:
    """Raise WeightsError if what was taken is known not to be what the card asks for."""
    averaged = noted.get("state") in _AVERAGED or bool(
        _AVERAGED_PARTS & set(noted.get("prefix", "").split("."))
    )
    if wanted and averaged != (wanted == "ema"):
        raise WeightsError(
            f"{path}: the card asks for `weights.state: {wanted}`, but the file holds only "
            f"{'averaged' if averaged else 'raw'} weights that fit."
        )


def _tensors(state: Any, path: Path, what: str) -> StateDict:
    if not isinstance(state, Mapping) or not all(torch.is_tensor(v) for v in state.values()):
        others = (
            [str(k) for k, v in state.items() if not torch.is_tensor(v)][:10]
            if isinstance(state, Mapping)
            else []
        )
        shown = f"; no tensors: {', '.join(others)}" if others else ""
        raise WeightsError(
            f"{path}: holds no state dict (found {type(state).__name__} in {what}{shown})."
        )
    if not state:
        raise WeightsError(f"{path}: holds no state dict: {what} is empty.")
    return dict(state)


def fitted(
    state: StateDict, target: Iterable[str], path: Path, wanted: Wanted = None
) -> tuple[StateDict, dict[str, Any]]:
    """Return a state under the network's own names, and what to note: the ``prefix`` removed.

    Wrappers that timm removes are removed; then, where names are missing, the one prefix under
    which every name is there, and what lies outside it is left out.

    Raises
    ------
    WeightsError
        If two names become one, or several prefixes would fit.
    """
    names = set(target)
    if names <= state.keys():
        return state, {}
    state, removed = _unwrapped(state, path)
    if removed and "n_averaged" in state and "n_averaged" not in names:
        # The counter of torch.optim.swa_utils.AveragedModel.
        del state["n_averaged"]
    if names <= state.keys() or not names:
        return state, _prefix(removed)
    first = min(names)
    prefixes = [k.removesuffix(first) for k in state if k.endswith("." + first)]
    prefixes = sorted(p for p in prefixes if all(p + n in state for n in names))
    if len(prefixes) > 1 and wanted:
        averaged = [p for p in prefixes if _AVERAGED_PARTS & set(p.split("."))]
        prefixes = averaged if wanted == "ema" else [p for p in prefixes if p not in averaged]
    if len(prefixes) > 1:
        raise WeightsError(
            f"{path}: several of its networks fit, under {', '.join(prefixes)}. Say which with "
            "`weights.state: raw` or `ema` in the model card, or save one alone."
        )
    if not prefixes:
        return state, _prefix(removed)
    inside = {k.removeprefix(p): v for k, v in state.items() for p in prefixes if k.startswith(p)}
    if outside := len(state) - len(inside):
        _logger.warning("%s: %d tensors outside %s are left out", path, outside, prefixes[0])
    return inside, _prefix(removed + prefixes[0])


def _unwrapped(state: StateDict, path: Path) -> tuple[StateDict, str]:
    result: StateDict = {}
    removed = ""
    for name, tensor in state.items():
        new = name
        for wrapper in _WRAPPERS:
            new = new.removeprefix(wrapper)
        if new in result:
            raise WeightsError(f"{path}: two parameters become {new!r} without their wrappers.")
        result[new] = tensor
        removed = removed or name.removesuffix(new)
    return result, removed


def _prefix(removed: str) -> dict[str, Any]:
    return {"prefix": removed} if removed else {}


def misfits(state: StateDict, target: StateDict) -> str:
    """Return what keeps a state from fitting exactly, counts and first whole names; else ''."""
    missing = [k for k in target if k not in state]
    unexpected = [k for k in state if k not in target]
    shapes = [
        f"{k} {tuple(state[k].shape)} instead of {tuple(target[k].shape)}"
        for k in target
        if k in state and state[k].shape != target[k].shape
    ]
    parts = [
        f"{len(found):,} {what}: {', '.join(found[:5])}{' …' if len(found) > 5 else ''}"
        for what, found in (
            ("missing", missing), ("unexpected", unexpected), ("of another shape", shapes)
        )
        if found
    ]  # fmt: skip
    return "; ".join(parts)
