"""Importing costs little and does nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stderr
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import semasia", {"torch", "timm", "polars", "pyarrow", "numpy", "datasets"}),
        ("import semasia.config", {"torch", "timm", "polars", "datasets", "matplotlib"}),
        ("import semasia.registry", {"torch", "timm", "polars", "datasets", "matplotlib"}),
        ("from semasia.extraction import begin_run", {"torch", "timm", "datasets", "matplotlib"}),
        ("from semasia.extraction import extract", {"polars", "datasets", "matplotlib"}),
        ("import semasia.latents", {"torch", "timm", "polars", "datasets", "matplotlib"}),
        ("import semasia.geometry", {"torch", "timm", "polars", "datasets", "matplotlib"}),
        ("import semasia.comparison", {"timm", "polars", "datasets", "matplotlib"}),
        ("from semasia.statistics import CONDITIONS", {"torch", "timm", "polars", "statsmodels"}),
        ("import semasia.cli", {"torch", "timm", "polars", "datasets", "matplotlib"}),
    ],
)
def test_imports_stay_light(statement: str, heavy: set[str]) -> None:
    assert not loaded_by(statement) & heavy


def test_timm_imports_beside_a_torchvision_without_its_extension() -> None:
    code = (
        "from semasia.compat import import_timm; timm = import_timm(); timm = import_timm();"
        "import torch, torchvision; print(timm.__version__);"
        "from torchvision.transforms import v2; v2.Resize(4)(torch.zeros(3, 8, 8))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
