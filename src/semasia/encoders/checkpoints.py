"""Read checkpoint files, never running code that they hold: tensors, and inert stand-ins."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from semasia.errors import WeightsError, first_line


class _Inert:
    """Stands for an object of a class that is not needed: takes anything, keeps nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


# What trainers keep beside the tensors: arguments, paths, metrics, times. Nothing of these classes
# is imported or called; each becomes an :class:`_Inert`.
_STAND_INS = (
    "argparse.Namespace",
    "collections.defaultdict",
    "datetime.date",
    "datetime.datetime",
    "datetime.timedelta",
    "numpy.dtype",
    "types.SimpleNamespace",
    "typing.Any",
    "uuid.UUID",
    *(
        f"{module}.{name}"
        for module in ("pathlib", "pathlib._local")
        for name in ("Path", "PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath")
    ),
    *(
        f"numpy.{core}.multiarray.{name}"
        for core in ("core", "_core")
        for name in ("scalar", "_reconstruct")
    ),
    "numpy.ndarray",
    *(f"builtins.{name}" for name in ("dict", "list", "tuple", "int", "float", "str", "bool")),
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    *(
        f"omegaconf.nodes.{kind}Node"
        for kind in ("Any", "Boolean", "Float", "Integer", "Path", "String")
    ),
    "yacs.config.CfgNode",
    "easydict.EasyDict",
)


def read_checkpoint(path: Path) -> Any:
    """Return what a checkpoint file holds: tensors in containers, everything else left out.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, or holds an object of a class that is not known to be
        inert; the message names the class.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file of weights.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return _unpickled(path)
    except Exception as error:
        found = re.search(r"(?:GLOBAL|global|class|function) ([\w.]+\.[\w.]+)", str(error))
        holds = f" It holds a {found[1]}." if found and type(error).__name__ != "OSError" else ""
        raise WeightsError(
            f"{path}: cannot be read as weights ({type(error).__name__}: {first_line(error)})."
            f"{holds} The file is damaged, or holds more than tensors and plain values; fetch it "
            "again, or save its state dict alone, as safetensors."
        ) from error


def _unpickled(path: Path) -> Any:
    """Load a pickle of tensors, its values mapped from the file where its format allows."""
    mapped = zipfile.is_zipfile(path)
    stand_ins: list[Any] = [(_Inert, name) for name in _STAND_INS]
    with torch.serialization.safe_globals(stand_ins):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
