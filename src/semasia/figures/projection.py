"""A latent space in two dimensions, coloured by class (Semasia, Figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from sklearn.manifold import TSNE

from semasia.decomposition import svd
from semasia.figures.style import (
    UNLABELLED,
    UNTRAINED,
    display_name,
    figure,
    legend_below,
    literal,
    note,
    rows_text,
)
from semasia.latents import Shard
from semasia.rows import Opened, sound

# t-SNE of more points takes minutes and shows no more.
_POINTS = 5000
_SEED = 0
# With fewer points than this there are no neighbours to keep near.
_FEWEST = 4
# More classes than this are coloured, but not listed.
_LISTED = 20
# The label of a row that has none.
_ABSENT = -1


def draw_projection(shards: Sequence[Opened], label: str | None, path: str | Path) -> None:
    """Draw t-SNE of each shard's latents, one panel a model, the same rows in each.

    Latents are reduced to 50 principal components first; perplexity 30, initialised by principal
    components, seed 0. Distances between far clusters mean nothing in such a picture. Rows without
    a label (-1) are grey. Where all points coincide, are too few, or a shard cannot be used, the
    panel says so.

    Parameters
    ----------
    shards : sequence of Shard or SemasiaError
        Of one split, or why one cannot be used.
    label : str or None
        Label column that colours the points.
    path : path
        SVG file to write.

    References
    ----------
    van der Maaten & Hinton (2008).
    """
    held = [sound(shard) for shard in shards]
    classes = _classes([shard for shard in held if isinstance(shard, Shard)], label)
    with figure(path, 5.2 * max(len(held), 1), 5.0) as drawn:
        axes = drawn.subplots(1, max(len(held), 1), squeeze=False)[0]
        if not held:
            note(axes[0], "no latents to project")
        for axis, shard in zip(axes, held, strict=False):
            if isinstance(shard, Shard):
                _panel(axis, shard, label, classes)
            else:
                note(axis, literal(str(shard)))
        if len(classes) - (_ABSENT in classes) <= _LISTED:
            handles = [
                Line2D([], [], marker="o", markersize=5, linestyle="", color=colour, label=text)
                for colour, text in classes.values()
            ]
            legend_below(drawn, handles, columnspacing=1.0, handletextpad=0.2)


def project(latents: np.ndarray) -> np.ndarray | str:
    """Return points in two dimensions, or why there are none.

    Parameters
    ----------
    latents : (n, d) float array
        Finite, of any scale.

    Returns
    -------
    (n, 2) float32 array, or str
        The reason, where t-SNE is not defined.
    """
    if len(latents) < _FEWEST:
        return "too few points to project"
    if (latents == latents[0]).all():
        return "all points coincide"
    # In units of their own spread: squares of very small or very large float32 values are lost,
    # and scikit-learn's t-SNE crashes on points that coincide by underflow.
    centred = latents.astype(np.float64)
    centred -= centred.mean(axis=0)
    scaled = (centred / centred.std()).astype(np.float32)
    if scaled.shape[1] == 1:
        scaled = np.pad(scaled, ((0, 0), (0, 1)))
    left, lengths, _ = svd(scaled - scaled.mean(axis=0))
    reduced = (left * lengths)[:, : min(50, *scaled.shape)]
    perplexity = min(30.0, (len(reduced) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(reduced)


def _step(shard: Shard) -> int:
    return max(1, -(-shard.rows // _POINTS))


def _classes(shards: Sequence[Shard], label: str | None) -> dict[int, tuple[Any, str]]:
    """Return colour and text of every class that is drawn, by label; absent labels last."""
    if label is None or not shards:
        return {}
    labelled = [s for s in shards if label in s.labels]
    found = {int(v) for s in labelled for v in np.unique(s.labels[label][:: _step(s)])}
    present = sorted(found - {_ABSENT})
    names = next((s.label_names[label] for s in labelled), None) or []
    few = len(present) <= 10
    colours = mpl.colormaps["tab10" if few else "turbo"]
    classes: dict[int, tuple[Any, str]] = {}
    for index, value in enumerate(present):
        text = names[value] if 0 <= value < len(names) else str(value)
        classes[value] = (colours(index if few else index / (len(present) - 1)), literal(text))
    if _ABSENT in found:
        classes[_ABSENT] = (UNLABELLED, "no label")
    return classes


def _panel(
    axis: Axes, shard: Shard, label: str | None, classes: dict[int, tuple[Any, str]]
) -> None:
    step = _step(shard)
    latents = shard.embeddings()[::step]
    points = project(latents)
    untrained = shard.provenance["encoder"]["untrained"]
    known = shard.provenance["benchmark"]
    shown = rows_text(len(latents), known["source_rows"])
    axis.set_title(
        f"{literal(display_name(shard.model_name, untrained))}\n"
        f"{literal(known['name'] + '/' + known['split'])}, {shown}",
        loc="left",
        color=UNTRAINED if untrained else "black",
    )
    axis.set_xticks([])
    axis.set_yticks([])
    if isinstance(points, str):
        note(axis, points)
        return
    if label not in shard.labels:
        axis.scatter(points[:, 0], points[:, 1], s=5, linewidths=0)
        return
    values = shard.labels[label][::step]
    for value, (colour, _) in classes.items():
        mask = values == value
        axis.scatter(
            points[mask, 0],
            points[mask, 1],
            s=9,
            linewidths=0,
            color=colour,
            zorder=1 if value == _ABSENT else 2,
        )
