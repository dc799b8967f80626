"""Audit: shards held to what they say of themselves, to their inputs, and to one another.

Names are imported on first use: only a recomputation needs torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.audit.finding import Audit, Finding, Recomputation, ShardRecord
    from semasia.audit.reporting import as_json, as_table
    from semasia.audit.verification import verify

__all__ = [
    "Audit",
    "Finding",
    "Recomputation",
    "ShardRecord",
    "as_json",
    "as_table",
    "verify",
]

__getattr__ = deferred(
    __name__,
    {
        "Audit": "finding",
        "Finding": "finding",
        "Recomputation": "finding",
        "ShardRecord": "finding",
        "as_json": "reporting",
        "as_table": "reporting",
        "verify": "verification",
    },
)
