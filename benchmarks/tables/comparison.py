"""Tables of the comparison of latent spaces."""

from __future__ import annotations

from benchmarks.tables.text import accelerators, machine, read, table
from semasia.comparison.similarity import MEASURES


def measures() -> str:
    """Every similarity measure, from its declaration."""
    rows = [
        (
            f"`{name}`",
            known.definition.replace("|", "\\|"),
            known.source,
            f"{known.bounds[0]:g} to {known.bounds[1]:g}",
            ", ".join(sorted(i.replace("_", " ") for i in known.invariances)),
        )
        for name, known in MEASURES.items()
    ]
    return table(("Measure", "Definition", "Source", "Range", "Invariant under"), rows).rstrip("\n")


def similarity() -> str:
    """Linear CKA of one pair against the textbook, and of all pairs against their products."""
    result = read("similarity")
    seconds, every = result["seconds"], result["seconds_all_pairs"]
    widths = " against ".join(f"{w:,}" for w in result["widths"])
    return (
        f"Linear CKA of widths {widths}: {result['gram_rows']:,} rows {seconds['ours_few']} s, by "
        f"two n × n Gram matrices in float64 {seconds['textbook_few']} s, "
        f"×{result['ratio_equal_rows']}; "
        f"{result['rows']:,} rows {seconds['ours']} s, where the matrices no longer fit, "
        f"×{result['ratio_scaled']} with their time scaled by n². All pairs of {result['models']} "
        f"models, {result['model_rows']:,} rows of widths {result['model_widths'][0]} to "
        f"{result['model_widths'][1]}: {every['all_pairs']} s; `A.T @ B` of each pair alone "
        f"{every['products']} s, ×{result['ratio_products']}. {machine(result)}"
    )


def on_accelerators() -> str:
    """CKA of a pair and the neighbours of a space, there and on the processor of that machine."""
    parts = []
    for result in accelerators():
        known = result["comparison"]
        here, there = known["seconds_processor"], known["seconds_accelerator"]
        parts.append(
            f"{result['machine']['accelerator']}, {result['rows']:,} rows: the 50 nearest "
            f"neighbours of width 768 {there['neighbours']} s there, {here['neighbours']} s on the "
            f"processor, {'the same ones' if known['neighbours_are_equal'] else 'NOT the same'}; "
            f"linear CKA of widths 768 and 1,024 {there['linear_cka']} s, on the processor "
            f"{here['linear_cka']} s, {known['difference_of_linear_cka']:.0e} apart. "
            f"{machine(result)}"
        )
    return "\n\n".join(parts)
