"""Exact nearest neighbours of the rows of an embedding, the same on every machine."""

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.neighbours.common import common_left_out, lists_suffice
    from semasia.neighbours.compiled import use_threads
    from semasia.neighbours.duplicates import distinct_rows
    from semasia.neighbours.search import distances_to, nearest_neighbours

__all__ = [
    "common_left_out",
    "distances_to",
    "distinct_rows",
    "lists_suffice",
    "nearest_neighbours",
    "use_threads",
]

# Numba takes half a second to import.
__getattr__ = deferred(
    __name__,
    {
        "common_left_out": "common",
        "distances_to": "search",
        "distinct_rows": "duplicates",
        "lists_suffice": "common",
        "nearest_neighbours": "search",
        "use_threads": "compiled",
    },
)
