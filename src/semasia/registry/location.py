"""Where the repository keeps its registry: model sets, benchmark cards and the vocabularies."""

from __future__ import annotations

from pathlib import Path

from semasia.errors import CardError


def registry_folder(root: Path | None = None) -> Path:
    """Return the folder ``registry/`` of the repository that this package is installed from.

    Parameters
    ----------
    root : Path, optional
        Folder to look in; the repository by default.

    Raises
    ------
    CardError
        If it is not there: the package was installed without its repository.
    """
    folder = (root or Path(__file__).resolve().parents[3]) / "registry"
    if not folder.is_dir():
        raise CardError(
            f"{folder}: there is no registry here. Install the package editable from a clone of "
            "the repository (`pip install -e .`), or pass the folder of the vocabularies."
        )
    return folder
