"""Tables of the simulations of intervals and of p-values."""

from __future__ import annotations

from benchmarks.tables.text import read, table


def neighbours() -> str:
    """Coverage of the neighbour measures."""
    groups: dict[tuple, dict[tuple, str]] = {}
    for row in read("coverage")["neighbours"]:
        key = (row["measure"], row["parameter"])
        cell = f"{row['covered']:.1f} %, ×{row['width']:.2f}"
        groups.setdefault(key, {})[row["rows"], row["classes"]] = cell
    columns = sorted(next(iter(groups.values())))
    named = [f"{n:,} rows{', ten classes' if classes else ''}" for n, classes in columns]
    rows = [
        (f"`{measure}`, {parameter}", *(cells[c] for c in columns))
        for (measure, parameter), cells in groups.items()
    ]
    told = (
        "\n95 % intervals hold the mean so often, and are so many times as wide as 3.92 standard "
    )
    return table(("Measure", *named), rows) + told + "deviations of the value.\n"


def sampling() -> str:
    """Coverage under both samplings."""
    rows = [
        (
            {"rows": "drawn at random", "classes": "numbers a class fixed"}[row["sampling"]],
            row["order"],
            f"{row['covered']:.1f} %",
            f"×{row['width']:.2f}",
        )
        for row in read("coverage")["sampling"]
    ]
    return table(("Rows are meant as", "stand", "linear CKA is covered", "width"), rows)


def accuracies() -> str:
    """Coverage of accuracies and gaps."""
    rows = [
        (row["kind"], f"{row['rows']:,}", f"{row['truth']:.4g}", f"{row['covered']:.1f} %")
        for row in read("coverage")["accuracies"]
    ]
    return table(("What", "rows", "truth", "covered"), rows)


def canonical() -> str:
    """SVCCA and PWCCA against very many rows."""
    rows = [
        (
            f"`{row['measure']}`",
            f"{row['rows']:,}",
            *(f"{row[key]:.3f}" for key in ("mean", "many_rows", "less_bias", "chance")),
            f"{row['covered']:.1f} %",
            f"{row['covers_many_rows']:.1f} %",
        )
        for row in read("coverage")["canonical"]
    ]
    head = (
        *("Measure", "rows", "mean", "at 60,000 rows", "less `bias`", "`chance`"),
        *("mean is covered", "value at 60,000 is"),
    )
    return table(head, rows)


def likelihood_ratios() -> str:
    """How often nothing is significant."""
    rows = [
        (
            f"{row['models']:,}",
            f"{row['tests']:,}",
            f"{row['separated']} of {row['repeats']}",
            f"{row['not_converged']}",
            *(f"{row[key]:.1f} %" for key in ("p_0.05", "p_0.01", "chi2_0.05", "chi2_0.01")),
        )
        for row in read("coverage")["likelihood_ratios"]
    ]
    head = (
        *("Models", "tests", "tables separated", "not converged"),
        *("p ≤ 0.05", "p ≤ 0.01", "by χ²: ≤ 0.05", "≤ 0.01"),
    )
    return table(head, rows)
