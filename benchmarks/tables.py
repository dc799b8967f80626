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


def geometry() -> str:
    """The ten metrics: time against two baselines, error of each metric, memory."""
    result = _read("geometry")
    seconds = result["seconds"]
    first = (
        f"On {result['rows']:,} × {result['width']:,}: {seconds['semasia']} s; one shared SVD "
        f"(float64, values only) takes {seconds['shared_svd']} s, ×{result['ratio_shared_svd']}; "
        f"covariance, PCA and SVD by NumPy and scikit-learn {seconds['textbook']} s, "
        f"×{result['ratio_textbook']}. "
        f"Peak memory beside the rows {result['peak_bytes'] / 2**20:.1f} MiB; two d² matrices "
        f"are {result['two_d2_bytes'] / 2**20:.1f} MiB. {_machine(result)}\n\n"
        "Relative error against the SVD in float64:\n\n"
    )
    errors = result["relative_errors"]
    metrics = next(iter(errors.values()))
    rows = [(f"`{m}`", *(f"{each[m]:.0e}" for each in errors.values())) for m in metrics]
    return first + _table(("Metric", *errors), rows).rstrip("\n")


def probes() -> str:
    """The strong probe against scikit-learn's."""
    result = _read("probes")
    seconds, accuracy = result["seconds"], result["accuracy"]
    return (
        f"On {result['rows']:,} × {result['width']}, {result['classes']} classes, "
        f"{len(result['grid'])} values of C × {result['folds']} folds, float32, spectrum λⱼ ∝ "
        f"j⁻¹·¹ e^(−j/200): {seconds['semasia']} s, accuracy {accuracy['semasia']:.4f}; "
        f"scikit-learn's LogisticRegressionCV (tolerance {result['baseline_tolerance']:g}) "
        f"{seconds['scikit_learn']} s, "
        f"{accuracy['scikit_learn']:.4f}: ×{result['ratio']}. {_machine(result)}"
    )


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "extraction": ("extraction.md", extraction),
    "startup": ("extraction.md", startup),
    "soak": ("extraction.md", soak),
    "encoding": ("data-format.md", encoding),
    "geometry": ("methods.md", geometry),
    "probes": ("methods.md", probes),
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


if __name__ == "__main__":
    for document in sorted({where for where, _ in TABLES.values()}):
        (DOCS / document).write_text(rewritten(document), encoding="utf-8")
