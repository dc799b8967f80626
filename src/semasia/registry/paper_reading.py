"""What the paper's authors read from the names of its models, beside what is read here.

The reading was made by running the authors' published parser (SPAICOM/semasia-datasets at
60fe565, MIT) over the 1,697 names. The ``paper`` variants of the contrasts follow it, so that their
pairs are the paper's; everything else follows the registry's own columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from semasia.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

_READ = ("family", "macro_family", "size", "pretrain_dataset", "pretrain_ft", "pretrain_aug")
# Null in all of them: the authors did not read this name.
PAPER_COLUMNS: dict[str, type] = {f"paper_{name}": str for name in _READ}

DIFFERENCE_COLUMNS: dict[str, type] = {
    "model_name": str,
    "column": str,
    "ours": str,
    "paper": str,
    "reason": str,
}


def paper_reading(folder: Path) -> dict[str, dict[str, str | None]]:
    """Return the columns of :data:`PAPER_COLUMNS` of every name that the authors read.

    Parameters
    ----------
    folder : Path
        The registry's folder, with ``paper_reading.csv``.

    Raises
    ------
    ConfigError
        If the file cannot be read.
    """
    import polars as pl

    path = folder / "paper_reading.csv"
    try:
        table = pl.read_csv(path, infer_schema=False, null_values=[""])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}).") from error
    renamed = table.rename({name: f"paper_{name}" for name in _READ})
    return {row.pop("model_name"): row for row in renamed.iter_rows(named=True)}


def paper_differences(registry: pl.DataFrame, folder: Path) -> list[dict[str, Any]]:
    """Return where the authors read a name otherwise than this registry, and why.

    Parameters
    ----------
    registry : DataFrame
        A registry table.
    folder : Path
        The registry's folder, with ``paper_reasons.yaml``.

    Returns
    -------
    list of dict
        The keys of :data:`DIFFERENCE_COLUMNS`, in the registry's order.

    Raises
    ------
    ConfigError
        If a difference has no reason.
    """
    path = folder / "paper_reasons.yaml"
    reasons = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = []
    for row in registry.iter_rows(named=True):
        if row["paper_family"] is None:
            continue
        for column in PAPER_COLUMNS:
            ours, theirs = row[column.removeprefix("paper_")], row[column]
            if ours == theirs:
                continue
            known = {"column": column, "ours": ours, "paper": theirs, "family": row["family"]}
            reason = next((r["reason"] for r in reasons if fits(r, known)), None)
            if reason is None:
                raise ConfigError(
                    f"{path}: no reason why {column} of {row['model_name']} is {theirs!r} and not "
                    f"{ours!r}."
                )
            said = {k: v for k, v in known.items() if k != "family"}
            found.append({"model_name": row["model_name"], **said, "reason": reason})
    return found


def fits(entry: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Return whether an entry of the reasons speaks of a difference."""
    return all(known[key] == value for key, value in entry.items() if key != "reason")
