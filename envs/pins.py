"""Generate the conda files from the pins in pyproject.toml: ``python envs/pins.py``."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent

# Which pinned packages a software stack leaves out.
STACKS = {
    "torch": set(),
    "analysis": {"torch", "torchvision", "timm"},
}

HEADER = """\
# Generated from the pins in pyproject.toml by `make pins`; do not edit.
# Not solved by any test: the tested installation is `make run`'s, with pip.
"""


def environment(name: str) -> str:
    """Return the text of one conda file."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    kept = [p for p in pins if re.split(r"[\[=<>~]", p)[0] not in STACKS[name]]
    lines = "".join(f"      - {pin}\n" for pin in kept)
    return (
        f"{HEADER}name: semasia-{name}\nchannels:\n  - conda-forge\n  - nodefaults\ndependencies:\n"
        f"  - python =3.11\n  - pip\n  - pip:\n{lines}"
    )


def main() -> None:
    for name in STACKS:
        (HERE / f"{name}.yaml").write_text(environment(name), encoding="utf-8")
        print(f"envs/{name}.yaml", file=sys.stderr)


if __name__ == "__main__":
    main()
