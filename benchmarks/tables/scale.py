"""Tables of the workflow at scale."""

from __future__ import annotations

from benchmarks.tables.text import machine, read, snakemake, table


def jobs() -> str:
    """What a job costs beside its images."""
    result = read("jobs")
    rows = [
        (
            f"{kind}: {row['architecture']}, {row['parameters'] / 1e6:.1f} M parameters",
            *(
                f"{row[f'{key}_s']:.1f}"
                for key in ("apart", "first_together", "taken", "snakemake")
            ),
        )
        for kind, row in result["table"].items()
    ]
    head = ("Network", "every job apart", "first of a model", "each further", "Snakemake, a job")
    text = table(head, rows)
    shares = [
        (
            f"{float(pace) / 1e12:.0f}",
            f"{100 * both['apart']:.1f} %",
            f"{100 * both['together']:.1f} %",
        )
        for pace, both in result["shares_of_plan"].items()
    ]
    head = ("TFLOP/s sustained", "fixed share, apart", "fixed share, together")
    targets = [
        (
            f"{kind} target: {row['images']:,} images, {row['work_s']:.2f} s of forward passes",
            f"{100 * row['apart']:.0f} %",
            f"{100 * row['together']:.0f} %",
        )
        for kind, row in result["shares_of_targets"].items()
    ]
    pace = next(iter(result["shares_of_targets"].values()))["pace"]
    of_targets = table((f"at {pace / 1e12:.0f} TFLOP/s", *head[1:]), targets)
    return f"{text}\n{table(head, shares)}\n{of_targets}\n{machine(result)}"


def graph() -> str:
    """Time and memory of Snakemake's plan."""
    result = read("graph")
    rows = [
        (
            row["part"],
            row["case"],
            f"{row['jobs']:,}",
            f"{row['seconds']:.0f} s",
            f"{row['processor_s']:.0f} s",
            f"{row['peak_mb']:,} MB",
        )
        for row in result["rows"]
    ]
    head = ("Models", "What", "jobs", "time", "of processor", "memory")
    return table(head, rows) + f"\n{snakemake(result)}"


def scheduling() -> str:
    """Trivial jobs per second by scheduler."""
    result = read("scheduling")
    rows = [
        (
            name,
            f"`{result['settings'][name]}`" if result["settings"][name] else "",
            f"{row['jobs']:,}",
            f"{row['jobs_per_second']:.1f}",
            f"×{row['ratio']}",
        )
        for name, row in result["rows"].items()
    ]
    head = ("Setting", "Options", f"jobs in {result['window_s']:.0f} s", "per second", "ratio")
    return table(head, rows) + f"\n{snakemake(result)}"
