"""A latent space in two dimensions, coloured by class (Semasia, Figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from semasia.figures.style import UNTRAINED, display_name, figure, rows_text
from semasia.latents import Shard

# t-SNE of more points takes minutes and shows no more.
_POINTS = 5000
_SEED = 0


def draw_projection(shards: Sequence[Shard], label: str | None, path: str | Path) -> None:
    """Draw t-SNE of each shard's latents, one panel a model, the same rows in each.

    Latents are reduced to 50 principal components first; perplexity 30, initialised by principal
    components, seed 0. Distances between far clusters mean nothing in such a picture.

    Parameters
    ----------
    shards : sequence of Shard
        Of one split.
    label : str or None
        Label column that colours the points.
    path : path
        SVG file to write.

    References
    ----------
    van der Maaten & Hinton (2008).
    """
    with figure(path, 5.2 * len(shards), 5.4) as drawn:
        axes = drawn.subplots(1, len(shards), squeeze=False)[0]
        for axis, shard in zip(axes, shards, strict=True):
            _panel(axis, shard, label)
        handles, names = axes[0].get_legend_handles_labels()
        if handles:
            drawn.legend(
                handles,
                names,
                loc="outside lower center",
                ncols=min(len(names), 10),
                markerscale=2,
                columnspacing=1.0,
                handletextpad=0.2,
            )


def _panel(axis: Axes, shard: Shard, label: str | None) -> None:
    step = -(-shard.rows // _POINTS)
    latents = shard.embeddings()[::step]
    components = min(50, *latents.shape)
    reduced = PCA(components, svd_solver="full", random_state=_SEED).fit_transform(latents)
    perplexity = min(30.0, max(1.0, (len(reduced) - 1) / 3))
    points = TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(reduced)
    untrained = shard.provenance["encoder"]["untrained"]
    known = shard.provenance["benchmark"]
    shown = rows_text(len(points), known["source_rows"])
    axis.set_title(
        f"{display_name(shard.model_name, untrained)}\n{known['name']}/{known['split']}, {shown}",
        loc="left",
        color=UNTRAINED if untrained else "black",
    )
    axis.set_xticks([])
    axis.set_yticks([])
    if label is None:
        axis.scatter(points[:, 0], points[:, 1], s=5, linewidths=0)
        return
    values = shard.labels[label][::step]
    names = shard.label_names[label]
    classes = np.unique(values)
    colours = mpl.colormaps["tab10" if len(classes) <= 10 else "turbo"]
    for index, value in enumerate(classes):
        mask = values == value
        fraction = index if len(classes) <= 10 else index / (len(classes) - 1)
        axis.scatter(
            points[mask, 0],
            points[mask, 1],
            s=9,
            linewidths=0,
            color=colours(fraction),
            label=(names[value] if names else str(value)) if len(classes) <= 20 else None,
        )
