"""The one way to import timm: with a torchvision whose extension may not match torch.

torchvision's wheel carries a compiled extension for one build of torch. Beside another build (the
CPU wheel, say) that extension does not load, the detection operators are never registered, and
``import torchvision`` stops with ``operator torchvision::nms does not exist``, which takes
``import timm`` with it. Nothing here uses detection. Declaring the operators' schemas, without any
kernel, lets the import pass; calling one still raises torch's own error.
"""

from __future__ import annotations

import importlib
from types import ModuleType

# The operators that torchvision registers fake kernels for while it is imported.
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_library: object | None = None


def guard_torchvision() -> None:
    """Make ``import torchvision`` safe. Does nothing where its own extension loads."""
    global _library
    if _library is not None:
        return
    import torch

    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return
    import sys

    for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    _library = library  # the registration lives as long as this object
    importlib.import_module("torchvision")


def import_timm() -> ModuleType:
    """Import timm behind :func:`guard_torchvision` and return it."""
    guard_torchvision()
    return importlib.import_module("timm")
