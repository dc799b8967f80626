"""Tables of what the paper's authors do otherwise."""

from __future__ import annotations

from benchmarks.tables.text import table


def reading() -> str:
    """How many names are read otherwise, by column."""
    import polars as pl

    from semasia.registry.location import registry_folder
    from semasia.registry.paper_reading import PAPER_COLUMNS
    from semasia.registry.selection import read_registry

    folder = registry_folder()
    differences = pl.read_csv(folder / "paper_differences.csv")
    models = len(read_registry(folder).drop_nulls("paper_family"))
    rows = []
    for column in PAPER_COLUMNS:
        here = differences.filter(pl.col("column") == column)
        reasons = here.group_by("reason").len().sort("len", "reason", descending=[True, False])
        most = "; ".join(f"{reason} ({count})" for reason, count in reasons.head(2).rows())
        rows.append((f"`{column}`", f"{len(here)} of {models:,}", most))
    return table(("Column", "read otherwise", "mostly because"), rows)
