"""Tables of extraction and of the shard format."""

from __future__ import annotations

import json

from benchmarks.record import RESULTS
from benchmarks.tables.text import accelerators, machine, read, table


def extraction() -> str:
    """Images per second against the baseline."""
    result = read("extraction")
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
        f"×{result['inductor_geometric_mean']} compiled. {machine(result)}"
    )
    return table(head, rows) + means


def startup() -> str:
    """From the start of a job to its first batch."""
    result = read("startup")
    rows = [(name, f"{seconds:.2f}") for name, seconds in result["seconds"].items()]
    whole = (
        f"\nTo the first batch: {result['to_first_batch_s']:.1f} s, "
        f"{100 * result['share_of_job']:.0f} % of a job of {result['rows']} rows. "
        f"{machine(result)}"
    )
    return table(("What", "seconds"), rows) + whole


def accelerator() -> str:
    """The engine against the network alone, on each accelerator that it was measured on."""
    head = ("Network", "Precision", "forward only/s", "engine/s", "share", "preprocessing", "after")
    parts = []
    for result in accelerators():
        rows = []
        for name, row in result["table"].items():
            network, precision = name.split()
            rates = f"{row['forward_only']:,.0f}", f"{row['engine']:,.0f}"
            shares = f"{row['share']:.3f}", f"{100 * row['shares']['preprocess']:.1f} %"
            after = f"{row['seconds_after_the_last_batch']:.2f} s of {row['seconds']:.1f} s"
            rows.append((network, precision, *rates, *shares, after))
        parts.append(f"{table(head, rows)}\n{result['machine']['accelerator']}. {machine(result)}")
    return "\n\n".join(parts)


def pace() -> str:
    """How fast an accelerator may be before the host holds it up."""
    result = read("pace")
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
    return table(head, rows) + f"\nThe network is a stand-in. {machine(result)}"


def encoding() -> str:
    """Size and speed of ways to store a shard."""
    result = read("encoding")
    rows = []
    for name, one in result["rectified"]["files"].items():
        other = result["signed"]["files"][name]
        times = f"{one['write_s']:.2f}", f"{one['read_s']:.3f}", f"{other['read_s']:.3f}"
        bold = f"**{name}**" if name == "semasia" else name
        rows.append(
            (bold, f"{one['of_raw']:.3f}", times[0], times[1], f"{other['of_raw']:.3f}", times[2])
        )
    head = ("Encoding", "Rectified: size", "write", "read", "Signed: size", "read")
    return table(head, rows) + f"\n{machine(result)}"


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


def digests() -> str:
    """What comparing values with their digest costs."""
    result = read("digests")
    rows = [(name, f"{seconds:.2f} s") for name, seconds in result["seconds"].items()]
    share = 100 * (result["metrics_ratio"] - 1)
    told = (
        f"\n{result['rows']:,} × {result['width']:,}: comparing adds {share:.0f} % to the "
        f"geometric metrics, the cheapest analysis of all rows. {machine(result)}"
    )
    return table(("What", "time"), rows) + told
