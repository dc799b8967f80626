"""Labels that classifiers are carried over with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semasia.geometry.labelled import check_label
from semasia.latents import Shard


def compared_labels(shard: Shard, together: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return the label columns of a shard by name; attributes of one probe are one entry.

    Parameters
    ----------
    shard : Shard
    together : sequence of str
        Columns that the benchmark's probe predicts; where there are several, (n, c) labels of
        which scores are the mean take their place.
    """
    labels = {column: shard.labels[column] for column in shard.label_columns}
    if len(together) < 2:
        return labels
    for column in together:
        check_label(shard, column)
    stacked = np.stack([labels[column] for column in together], axis=1)
    rest = {column: values for column, values in labels.items() if column not in together}
    return {f"mean of {len(together)} attributes": stacked, **rest}
