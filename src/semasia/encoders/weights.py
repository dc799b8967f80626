"""Load weights from wherever a model card says, never by unpickling code."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from semasia.compat import import_timm
from semasia.encoders.checkpoints import read_checkpoint
from semasia.encoders.construction import never_loaded, without_initial_values
from semasia.encoders.conversion import CONVERSIONS
from semasia.encoders.memory import is_out_of_memory
from semasia.encoders.states import check_wanted, chosen_state, fitted, misfits
from semasia.errors import UnreachableError, WeightsError, did_you_mean, first_line
from semasia.files import sha256_of_file
from semasia.registry import (
    EncoderCard,
    FileWeights,
    FolderWeights,
    HubWeights,
    PackageWeights,
    RandomWeights,
)
from semasia.registry.folder import folder_config
from semasia.registry.weight_files import weight_files, weights_in

# What timm raises for arguments that it cannot use; fetching raises none of them.
_OF_ARGUMENTS = (TypeError, AssertionError, LookupError, AttributeError)


def build_network(card: EncoderCard) -> tuple[nn.Module, dict[str, Any]]:
    """Build a card's network and load its weights.

    Returns
    -------
    network : nn.Module
        In inference mode, on the processor, float32.
    origin : dict
        Where the weights came from, for provenance; holds ``sha256``, the digest of the parameters
        and buffers as loaded (:func:`digest_of`).

    Raises
    ------
    WeightsError
        If the architecture is unknown, or the weights are missing, corrupt, of another digest,
        or do not fit strictly.
    """
    timm = import_timm()
    weights = card.weights
    origin: dict[str, Any] = {"source": weights.source}
    if isinstance(weights, HubWeights):
        network = _from_hub(timm, card, origin)
    elif isinstance(weights, RandomWeights):
        origin["seed"] = weights.seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(weights.seed)
            network = _create(timm, card)
    else:
        stated = folder_config(card)
        arguments: dict[str, Any] = {}
        if stated is not None:
            # In the place of the architecture's own, as timm does: what it leaves out is timm's
            # default, never a value of another checkpoint.
            of_folder = {"source": "local-dir", **stated.pretrained_cfg}
            arguments = {**stated.model_args, "pretrained_cfg": of_folder}
        with without_initial_values():
            network = _create(timm, card, **arguments)
        _load(network, card, _state_dict(card, origin, network))
    if empty := never_loaded(network):
        raise WeightsError(
            f"{card.name}: {len(empty)} parameters of {card.architecture!r} have no value in the "
            f"checkpoint, or NaN: {', '.join(empty[:5])}. Its vectors would be noise; exclude it."
        )
    network.eval().requires_grad_(False)
    origin["sha256"] = digest_of(network)
    return network, origin


def digest_of(network: nn.Module) -> str:
    """Return the SHA-256 over every parameter and buffer: name, dtype, shape, bytes, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name}\0{values.dtype}\0{tuple(values.shape)}\0".encode())
        digest.update(memoryview(values.reshape(-1).view(torch.uint8).numpy()))
    return digest.hexdigest()


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Read the state dict of a checkpoint file, the one that timm takes; raises WeightsError."""
    return chosen_state(read_checkpoint(path), path)[0]


def _create(timm: Any, card: EncoderCard, **extra: Any) -> nn.Module:
    try:
        return timm.create_model(card.architecture, **{**extra, **card.architecture_args})
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise _unbuilt(timm, card, error) from error


def _unbuilt(timm: Any, card: EncoderCard, error: Exception) -> WeightsError:
    """Return the error of an architecture that timm does not know, or not with its arguments."""
    if isinstance(error, RuntimeError) and "Unknown model" in str(error):
        near = did_you_mean(card.architecture.split(".")[0], timm.list_models())
        return WeightsError(
            f"{card.name}: timm {timm.__version__} has no architecture {card.architecture!r}.{near}"
        )
    return WeightsError(
        f"{card.name}: {card.architecture!r} cannot be built with `architecture_args` "
        f"{card.architecture_args}; timm says: {type(error).__name__}: {first_line(error)}"
    )


def _from_hub(timm: Any, card: EncoderCard, origin: dict[str, Any]) -> nn.Module:
    try:
        with without_initial_values():
            network = timm.create_model(
                card.architecture, pretrained=True, **card.architecture_args
            )
    except Exception as error:
        if is_out_of_memory(error):
            raise
        unknown = isinstance(error, RuntimeError) and "Unknown model" in str(error)
        if unknown or (card.architecture_args and isinstance(error, _OF_ARGUMENTS)):
            raise _unbuilt(timm, card, error) from error
        kind = UnreachableError if _may_pass(error) else WeightsError
        raise kind(
            f"{card.name}: the checkpoint that timm names for {card.architecture!r} cannot be "
            f"loaded ({type(error).__name__}: {first_line(error)}). Check the network and, for a "
            "gated model, the login (`hf auth login` or HF_TOKEN); or name a local copy in a model "
            "card under registry/models/."
        ) from error
    config = network.pretrained_cfg
    origin["hub_id"] = config.get("hf_hub_id")
    origin["url"] = config.get("url") or None
    return network


def _may_pass(error: Exception) -> bool:
    """Whether a failure to fetch is the network's or the server's, and not an answer."""
    import httpx2
    from huggingface_hub import constants, errors

    if constants.HF_HUB_OFFLINE:
        return False
    if (response := getattr(error, "response", None)) is not None:
        return response.status_code == 429 or response.status_code >= 500
    unfound = isinstance(error, errors.EntryNotFoundError)
    if unfound and not isinstance(error, errors.LocalEntryNotFoundError):
        return False
    return isinstance(error, (OSError, httpx2.HTTPError))


def _state_dict(
    card: EncoderCard, origin: dict[str, Any], network: nn.Module
) -> dict[str, torch.Tensor]:
    weights = card.weights
    expected: str | None = None
    conversion = None
    wanted = None
    in_folder = isinstance(weights, FolderWeights)
    path = weights_in(Path(weights.path)) if in_folder else weight_files(card)[0]
    if isinstance(weights, PackageWeights):
        expected, conversion = weights.sha256, weights.converter
        origin["distribution"] = weights.distribution
    elif isinstance(weights, FileWeights):
        expected, wanted = weights.sha256, weights.state
    elif isinstance(weights, FolderWeights):
        wanted = weights.state
    state, noted = chosen_state(read_checkpoint(path), path, wanted)
    found = sha256_of_file(path)
    if expected and found != expected:
        raise WeightsError(
            f"{card.name}: {path} has SHA-256 {found}, but the model card says {expected}."
        )
    origin["file"] = path.name
    origin["file_sha256"] = found
    if conversion:
        if conversion not in CONVERSIONS:
            raise WeightsError(
                f"{card.name}: unknown conversion {conversion!r}."
                f"{did_you_mean(conversion, CONVERSIONS)} Known: {', '.join(CONVERSIONS)}."
            )
        origin["conversion"] = conversion
        state = CONVERSIONS[conversion](state, network.state_dict())
    else:
        state, prefix = fitted(state, network.state_dict(), path, wanted)
        noted |= prefix
    check_wanted(noted, path, wanted)
    origin.update(noted)
    return state


def _load(network: nn.Module, card: EncoderCard, state: dict[str, torch.Tensor]) -> None:
    if found := misfits(state, network.state_dict()):
        raise WeightsError(
            f"{card.name}: the weights do not fit {card.architecture!r}: {found}. A checkpoint "
            "of another number of classes needs `architecture_args: {num_classes: …}`."
        )
    network.load_state_dict(state, strict=True)
