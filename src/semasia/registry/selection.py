"""Choose models by a query over the built registry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from semasia.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    import polars as pl


def read_registry(folder: Path) -> pl.DataFrame:
    """Return the built table, ``registry.parquet`` in the registry's folder.

    Raises
    ------
    ConfigError
        If it is not there or cannot be read.
    """
    import polars as pl

    path = folder / "registry.parquet"
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}). Build it with `make registry`."
        ) from error


def select_models(
    registry: pl.DataFrame,
    where: str,
    names: Iterable[str] | None = None,
    origin: str = "models.where",
) -> list[str]:
    """Return the names of the models that a condition holds for, in the table's order.

    Parameters
    ----------
    registry : DataFrame
        The built table.
    where : str
        What stands after WHERE in polars' SQL, over the registry's columns.
    names : iterable of str, optional
        Choose among these alone; all must be in the table.
    origin : str
        Where the condition was given, for messages.

    Raises
    ------
    ConfigError
        If the condition is no SQL, or names a column that does not exist; the message has the near
        ones. Or if a name is not in the table.
    """
    import polars as pl

    frame = registry
    if names is not None:
        wanted = list(names)
        absent = sorted(set(wanted) - set(registry["model_name"]))
        if absent:
            raise ConfigError(
                f"{origin}: {absent[0]!r} is not in the built registry ({len(absent)} such "
                "models); list it in a set under registry/models/ and run `make registry`."
            )
        frame = registry.filter(pl.col("model_name").is_in(wanted))
    try:
        chosen = pl.SQLContext(registry=frame).execute(
            f"SELECT model_name FROM registry WHERE {where}", eager=True
        )
    except pl.exceptions.ColumnNotFoundError as error:
        found = re.search(r'"?(\w+)"?', str(error).replace("unable to find column", ""))
        column = found[1] if found else str(error)
        raise ConfigError(
            f"{origin}: there is no column {column!r}.{did_you_mean(column, registry.columns)} "
            f"Columns: {', '.join(registry.columns)}."
        ) from None
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"{origin}: {where!r} is no condition in polars' SQL: {str(error).splitlines()[0]}"
        ) from None
    return chosen["model_name"].to_list()
