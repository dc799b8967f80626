"""Errors that a user can act on.

Every message names the item, what was found and the file to open. Anything else that escapes the
package is a defect in it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable


class SemasiaError(Exception):
    """Base of every error raised on purpose by this package.

    Attributes
    ----------
    may_pass : bool
        Whether the same try may succeed later though nobody mends anything.
    """

    may_pass = False


class ConfigError(SemasiaError):
    """The configuration asks for something that does not exist or contradicts itself."""


class CardError(SemasiaError):
    """A benchmark card or a model card under ``registry/`` is malformed or unknown."""


class SourceError(SemasiaError):
    """A benchmark's source cannot be read, or differs from its card."""


class RowCountError(SourceError):
    """A split has another number of rows than its card says."""


class ImageError(SourceError):
    """An image cannot be decoded."""


class WeightsError(SemasiaError):
    """Weights are missing, corrupt, unsafe to load, or do not fit the architecture."""


class UnreachableError(WeightsError):
    """Weights could not be fetched: a network or a server failed."""

    may_pass = True


class EncoderError(SemasiaError):
    """A network gave something else than one finite vector of the expected width per input."""


class ShardError(SemasiaError):
    """A latents shard is not what its benchmark and its provenance say."""


class RowMismatchError(ShardError):
    """The rows of a shard are not the rows of its benchmark."""


class StorageError(SemasiaError):
    """A file could not be written."""

    may_pass = True


class LogError(StorageError, OSError):
    """The log of a job cannot be begun."""


class DamagedFileError(SemasiaError):
    """A table or a record that a rule wrote is not there, is damaged, or lacks something."""


class DegenerateEmbeddingError(SemasiaError):
    """A metric is undefined: all points coincide, or there are too few of them."""


class EigenvalueError(SemasiaError):
    """An eigenvalue was not found to the residual that is asked for."""


class StatisticsError(SemasiaError):
    """A table that a statistical analysis reads lacks a column, has rows twice, or is none."""


class ProbeError(SemasiaError):
    """A probe cannot be fitted: too few rows or classes, or its solver did not converge."""


class DecompositionError(SemasiaError):
    """A matrix has no decomposition that LAPACK finds, though all of its values are finite."""


class ComparisonError(SemasiaError):
    """Two latent spaces cannot be compared: rows that do not correspond, or an undefined value."""


class HubError(SemasiaError):
    """The Hugging Face Hub refused something, or holds something else than was sent."""


class HubUnreachableError(HubError):
    """The Hub did not answer, or answered that it cannot now, as often as was tried."""

    may_pass = True


class StoppedError(SemasiaError):
    """The process was asked to end by a signal, has saved its work, and ends."""

    may_pass = True

    def __init__(self, signal: int) -> None:
        super().__init__(
            f"asked to end by signal {signal}; the rows computed are kept, run again to go on."
        )
        self.signal = signal


def first_line(error: BaseException, most: int = 300) -> str:
    """Return the first line of what an error says, cut; ``no message`` if it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0][:most] if text else "no message"


def printable(path: str | os.PathLike[str]) -> str:
    """Return a path as text for any console and file: bytes that are no UTF-8 as ``\\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean …?"`` with the nearest known names, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" Did you mean {', '.join(near)}?" if near else ""
