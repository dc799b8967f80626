"""Tables of the published dataset."""

from __future__ import annotations

from benchmarks.tables.text import read, table

_NAMES = {
    "ours": "each file named, features in the files (ours)",
    "dataset_info in the card": "the same, and each model's `dataset_info`, as of `push_to_hub`",
    "data_dir": "`data_dir` of each model",
}


def cards() -> str:
    """What `load_dataset` costs by what a card says, and a push."""
    result = read("cards")
    ratios = {"ours": 1.0, **result["ratios"]}
    rows = [
        (
            _NAMES[name],
            f"{row['card_bytes'] / 1e6:.2f} MB",
            f"{row['seconds']:.1f} s",
            f"×{ratios[name]:.0f}",
            f"{row['requests']:,}",
        )
        for name, row in result["load"].items()
    ]
    first, again = (result["push"][turn] for turn in ("first", "again"))
    head = ("Card", "its size", "`load_dataset` of one split", "ratio", "requests")
    machine, versions = result["machine"], result["versions"]
    return (
        f"{table(head, rows)}\n{result['models']:,} models, {result['files']:,} files, "
        f"{result['class_names']} class names, caches empty. The push of all files: "
        f"{first['seconds']:.0f} s and {first['requests']:,} requests; again, with nothing to "
        f"send, {again['seconds']:.1f} s and {again['requests']}. Measured on "
        f"{machine['cores']} cores ({machine['processor']}), datasets {versions['datasets']}.\n"
    )
