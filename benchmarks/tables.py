"""Writes the committed results into the documentation: ``python -m benchmarks.tables``.

A table stands between ``<!-- NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.record import RESULTS

DOCS = RESULTS.parents[1] / "docs"
Cells = Iterable[object]


def extraction() -> str:
    """Images per second against the baseline."""
    result = _read("extraction")
    rows = []
    for images, shown in (("digits", "digits, 28×28 grey"), ("32x32x3", "noise, 32×32 RGB")):
        for model, row in result[images].items():
            rates = row["images_per_second"]
            baseline = max(rates["baseline0"], rates["baseline2"])
            eager, compiled = rates["eager"], rates["inductor"]
            repays = row["compiling_repays_from_rows"]
            rows.append(
                (
                    model,
                    shown,
                    f"{baseline:.0f}",
                    f"{eager:.0f}, ×{row['eager_ratio']:.2f}",
                    f"{compiled:.0f}, ×{row['inductor_ratio']:.2f}",
                    f"{row['compile_s']:.0f} s, {row['compile_again_s']:.0f} s",
                    f"{repays:,}" if repays else "never",
                )
            )
    head = (
        "Network",
        "Images",
        "baseline/s",
        "eager/s",
        "compiled/s",
        "compiling, again",
        "repays from",
    )
    means = (
        f"\nGeometric mean on digits: ×{result['eager_geometric_mean']} eagerly, "
        f"×{result['inductor_geometric_mean']} compiled. {_machine(result)}"
    )
    return _table(head, rows) + means


def startup() -> str:
    """From the start of a job to its first batch."""
    result = _read("startup")
    rows = [(name, f"{seconds:.2f}") for name, seconds in result["seconds"].items()]
    whole = (
        f"\nTo the first batch: {result['to_first_batch_s']:.1f} s, "
        f"{100 * result['share_of_job']:.0f} % of a job of {result['rows']} rows. "
        f"{_machine(result)}"
    )
    return _table(("What", "seconds"), rows) + whole


def pace() -> str:
    """How fast an accelerator may be before the host holds it up."""
    result = _read("pace")
    paces = list(next(iter(result["table"].values()))["shares"])
    rows = [
        (
            f"{row['width']:,} (as {name})",
            *(f"{row['shares'][p]:.2f}" for p in paces),
            f"{row['images_per_second_at_most']:,}",
        )
        for name, row in result["table"].items()
    ]
    head = ("Width of vectors", *(f"at {p}/s" for p in paces), "images/s at most")
    return _table(head, rows) + f"\nThe network is a stand-in. {_machine(result)}"


def jobs() -> str:
    """What a job costs beside its images."""
    result = _read("jobs")
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
    text = _table(head, rows)
    shares = [
        (
            f"{float(pace) / 1e12:.0f}",
            f"{100 * both['apart']:.1f} %",
            f"{100 * both['together']:.1f} %",
        )
        for pace, both in result["shares_of_plan"].items()
    ]
    head = ("TFLOP/s sustained", "fixed share, apart", "fixed share, together")
    return f"{text}\n{_table(head, shares)}\n{_machine(result)}"


def encoding() -> str:
    """Size and speed of ways to store a shard."""
    result = _read("encoding")
    rows = []
    for name, one in result["rectified"]["files"].items():
        other = result["signed"]["files"][name]
        times = f"{one['write_s']:.2f}", f"{one['read_s']:.3f}", f"{other['read_s']:.3f}"
        bold = f"**{name}**" if name == "semasia" else name
        rows.append(
            (bold, f"{one['of_raw']:.3f}", times[0], times[1], f"{other['of_raw']:.3f}", times[2])
        )
    head = ("Encoding", "Rectified: size", "write", "read", "Signed: size", "read")
    return _table(head, rows) + f"\n{_machine(result)}"


def graphs() -> str:
    """Seconds of the graph and of each signature, against the baseline."""
    result = _read("graphs")
    few, many = result["10000"], result["50000"]
    rows = []
    for part, seconds in few["ours_s"].items():
        baseline = few["baseline_s"][part]
        more = f"{many['ours_s'][part]:.2f}"
        rows.append((part, f"{baseline:.2f}", f"{seconds:.3f}", f"×{baseline / seconds:.0f}", more))
    totals = f"**{few['baseline_total_s']}**", f"**{few['ours_total_s']}**"
    rows.append(("**all**", *totals, f"**×{few['ratio']:.0f}**", f"**{many['ours_total_s']}**"))
    head = ("What", "baseline, 10,000 points: s", "ours: s", "ratio", "ours, 50,000 points: s")
    told = (
        f"\nWithout the neighbours the ratio is ×{few['signatures_ratio']:.0f}. The first call of "
        f"a process takes {result['first_call_cached_s']} s, and {result['first_call_s']} s where "
        "kernels are compiled for the first time; neither is counted. The baseline's searches ran "
        f"from {few['baseline_sources']} nodes and are scaled to all. {_machine(result)} Others "
        f"used the machine meanwhile: the load was {result['load_before']:.1f} before."
    )
    return _table(head, rows) + told


def soak() -> str:
    """What hundreds of kills did."""
    path = RESULTS / "soak.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    return (
        f"`make soak`: {result['kills']} kills at random moments over {result['shards']} shards of "
        f"{result['rows_each']} rows; {result['byte_identical']} of {result['shards']} byte for "
        f"byte the uninterrupted one; {result['rows_computed_again_per_kill']} rows computed again "
        f"per kill, with {result['rows_per_part']} rows to a part."
    )


def graph() -> str:
    """Time and memory of Snakemake's plan."""
    result = _read("graph")
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
    return _table(head, rows) + f"\n{_snakemake(result)}"


def scheduling() -> str:
    """Trivial jobs per second by scheduler."""
    result = _read("scheduling")
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
    return _table(head, rows) + f"\n{_snakemake(result)}"


def contrasts() -> str:
    """Pairs of every condition beside the paper's."""
    from semasia.registry.location import registry_folder
    from semasia.statistics.conditions import LABELS
    from semasia.statistics.pairing import contrasts_of_set, counts

    rows = [
        (LABELS[row[0]], *(f"{value:,}" for value in row[1:]))
        for row in counts(contrasts_of_set(registry_folder())).rows()
    ]
    head = ("Condition", "strict", "paper", "of these also strict", "Table 2 / 4", "Table 2")
    return _table(head, rows)


def simulation() -> str:
    """Bias and coverage of the planted effects."""
    from semasia.statistics.conditions import LABELS

    result = _read("simulation")
    rows = [
        (
            f"{LABELS[r['condition']]}, {r['variant']}",
            r["scenario"],
            f"{r['models']:,} / {r['networks']:,}",
            f"{r['bias']:+.3f} ± {r['bias_monte_carlo_se']:.3f}",
            *(
                f"{100 * r[f'coverage_{kind}']:.1f}"
                for kind in ("hc3", "by_model_cv1", "by_model", "by_network")
            ),
        )
        for r in result["coverage"]
    ]
    head = (
        "Condition",
        "Scenario",
        "models / networks",
        "bias ± Monte Carlo error",
        "HC3",
        "by model, CV1",
        "by model",
        "by network",
    )
    count = result["replications"]
    told = (
        f"\n{count:,} replications ({count // 2:,} of model scale), seed {result['seed']}; "
        "coverage in %, of intervals of 95 %."
    )
    return _table(head, rows) + told


def false_discoveries() -> str:
    """False-discovery rates at level 0.05."""
    result = _read("simulation")
    kinds = ("hc3_bh", "by_model_bh", "by_network_bh", "both_bh", "by_model_by", "by_network_by")
    rows = [
        (
            f"{r['variant']}, {r['scenario']}",
            "half" if r["true_share"] else "none",
            *(f"{100 * r[kind]:.1f}" for kind in kinds),
        )
        for r in result["false_discovery_rate"]
    ]
    head = (
        "Rules, scenario",
        "true effects",
        "HC3, BH",
        "by model, BH",
        "by network, BH",
        "both, BH",
        "by model, BY",
        "by network, BY",
    )
    count = result["fdr_replications"]
    return (
        _table(head, rows)
        + f"\nFourteen metrics × five conditions, {count} replications; rates in %."
    )


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "extraction": ("extraction.md", extraction),
    "startup": ("extraction.md", startup),
    "pace": ("extraction.md", pace),
    "soak": ("extraction.md", soak),
    "jobs": ("scale.md", jobs),
    "encoding": ("data-format.md", encoding),
    "graph": ("scale.md", graph),
    "scheduling": ("scale.md", scheduling),
    "graphs": ("methods-graphs.md", graphs),
    "contrasts": ("methods-statistics.md", contrasts),
    "simulation": ("methods-statistics.md", simulation),
    "false_discoveries": ("methods-statistics.md", false_discoveries),
}


def rewritten(file: str) -> str:
    """Return a document with its tables made anew."""
    text = (DOCS / file).read_text(encoding="utf-8")
    for name, (where, table) in TABLES.items():
        if where == file:
            pattern = rf"(<!-- {name} -->\n).*?(\n<!-- end -->)"
            text, found = re.subn(
                pattern, lambda m, t=table: m[1] + t() + m[2], text, count=1, flags=re.DOTALL
            )
            assert found, f"{file} has no place for {name}"
    return text


def _read(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _machine(result: dict[str, Any]) -> str:
    machine, versions = result["machine"], result["versions"]
    return (
        f"Measured on {machine['cores']} cores ({machine['processor']}), torch {versions['torch']}."
    )


def _snakemake(result: dict[str, Any]) -> str:
    machine, versions = result["machine"], result["versions"]
    return (
        f"Measured on {machine['cores']} cores ({machine['processor']}), "
        f"Snakemake {versions['snakemake']}."
    )


if __name__ == "__main__":
    for document in sorted({where for where, _ in TABLES.values()}):
        (DOCS / document).write_text(rewritten(document), encoding="utf-8")
