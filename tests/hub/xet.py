"""The Xet store: chunks of files in xorbs, and shards that say how files are made of them.

Hashes of Xet are taken as the client gives them. What is checked is the file itself: it is put
together from the xorbs as soon as a shard describes it, and must have the SHA-256 of the shard.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from . import lz4
from .exchange import RefusedError
from .storage import Objects

LARGEST_XORB = 64 * 2**20
# Version, stored size (3 bytes), compression, size (3 bytes).
_CHUNK_HEADER = 8
# A xorb may end with an index of itself, which begins with this and is not needed.
_XORB_INDEX = b"XETBLOB"
_NONE, _LZ4, _GROUPED_LZ4 = 0, 1, 2
# All structures of a shard have 48 bytes: a hash, and 16 of numbers.
_ENTRY = 48
_SHARD_TAG = b"HFRepoMetaData"
_BOOKEND = b"\xff" * 32
_WITH_VERIFICATION, _WITH_METADATA = 1 << 31, 1 << 30


class Chunk(NamedTuple):
    """Where a chunk and its header stand in a xorb, and its size when unpacked, in bytes."""

    start: int
    stop: int
    size: int


@dataclass(frozen=True)
class Xorb:
    path: Path
    chunks: tuple[Chunk, ...]

    def unpacked(self, first: int, stop: int) -> Iterator[bytes]:
        """Yield the contents of the chunks first to stop - 1."""
        with self.path.open("rb") as file:
            for chunk in self.chunks[first:stop]:
                file.seek(chunk.start)
                yield unpacked(file.read(chunk.stop - chunk.start))


class Term(NamedTuple):
    """A run of chunks of one xorb: part of a file; size in bytes."""

    xorb: str
    size: int
    first: int
    stop: int


@dataclass(frozen=True)
class XetFile:
    sha256: str
    size: int
    terms: tuple[Term, ...]


class Xet:
    """All xorbs, and all files that shards described."""

    def __init__(self, folder: Path, objects: Objects) -> None:
        self._folder = folder
        self._objects = objects
        self._xorbs: dict[str, Xorb] = {}
        self._files: dict[str, XetFile] = {}
        self._hash_of: dict[str, str] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True)

    def hash_of(self, sha256: str) -> str | None:
        """Return the Xet hash of a file; None: it did not come this way."""
        return self._hash_of.get(sha256)

    def xorb(self, hash: str) -> Xorb:
        if hash not in self._xorbs:
            raise RefusedError(404, f"There is no xorb {hash}")
        return self._xorbs[hash]

    def add_xorb(self, hash: str, content: bytes) -> bool:
        """Store a xorb; returns whether it was not there before."""
        if len(content) > LARGEST_XORB:
            raise RefusedError(400, f"A xorb of {len(content)} bytes is too large")
        chunks = read_chunks(content)
        with self._lock:
            if hash in self._xorbs:
                return False
            path = self._folder / hash
            path.write_bytes(content)
            self._xorbs[hash] = Xorb(path, chunks)
            return True

    def add_shard(self, content: bytes) -> bool:
        """Put together the files that a shard describes; returns whether one was new.

        Raises
        ------
        RefusedError
            400, if a xorb is missing or a file has another SHA-256 than the shard says.
        """
        found = False
        for hash, terms, sha256 in _files_of(content):
            if hash in self._files:
                continue
            for term in terms:
                if term.xorb not in self._xorbs:
                    raise RefusedError(400, f"The xorb {term.xorb} was not uploaded")
            pieces = (
                piece
                for term in terms
                for piece in self._xorbs[term.xorb].unpacked(term.first, term.stop)
            )
            sha256 = self._objects.put(pieces, sha256)
            with self._lock:
                self._files[hash] = XetFile(sha256, sum(t.size for t in terms), terms)
                self._hash_of[sha256] = hash
            found = True
        return found

    def reconstruction(
        self,
        hash: str,
        wanted: Callable[[int], tuple[int, int] | None],
        url: Callable[[str], str],
    ) -> dict[str, Any]:
        """Return how a file, or a range of it, is made of xorbs.

        Parameters
        ----------
        hash : str
            Of the file.
        wanted : callable
            Given the size, returns first and last byte; None: everything.
        url : callable
            Address of a xorb.
        """
        if hash not in self._files:
            raise RefusedError(404, f"There is no file {hash}")
        file = self._files[hash]
        first, last = wanted(file.size) or (0, file.size - 1)
        terms, skipped = self._within(file.terms, first, last)
        fetched: dict[str, list[dict[str, Any]]] = {}
        for name in dict.fromkeys(term.xorb for term in terms):
            chunks = self._xorbs[name].chunks
            fetched[name] = [
                {
                    "range": {"start": start, "end": stop},
                    "url": url(name),
                    "url_range": {"start": chunks[start].start, "end": chunks[stop - 1].stop - 1},
                }
                for start, stop in _merged([(t.first, t.stop) for t in terms if t.xorb == name])
            ]
        return {
            "offset_into_first_range": skipped,
            "terms": [
                {
                    "hash": term.xorb,
                    "unpacked_length": term.size,
                    "range": {"start": term.first, "end": term.stop},
                }
                for term in terms
            ],
            "fetch_info": fetched,
        }

    def _within(self, terms: tuple[Term, ...], first: int, last: int) -> tuple[list[Term], int]:
        # Whole chunks only; the client skips what comes before the first byte.
        kept, skipped, at = [], 0, 0
        for term in terms:
            chosen: list[int] = []
            for number in range(term.first, term.stop):
                size = self._xorbs[term.xorb].chunks[number].size
                if at + size > first and at <= last:
                    if not kept and not chosen:
                        skipped = first - at
                    chosen.append(number)
                at += size
            if chosen:
                chunks = self._xorbs[term.xorb].chunks[chosen[0] : chosen[-1] + 1]
                size = sum(chunk.size for chunk in chunks)
                kept.append(Term(term.xorb, size, chosen[0], chosen[-1] + 1))
        return kept, skipped


def read_chunks(xorb: bytes) -> tuple[Chunk, ...]:
    """Return where the chunks of a xorb, or of a run of whole chunks, stand."""
    chunks, at = [], 0
    while at < len(xorb) and not xorb.startswith(_XORB_INDEX, at):
        header = xorb[at : at + _CHUNK_HEADER]
        stop = at + _CHUNK_HEADER + int.from_bytes(header[1:4], "little")
        if len(header) < _CHUNK_HEADER or header[0] or stop > len(xorb):
            raise RefusedError(400, f"The xorb is broken at byte {at}")
        chunks.append(Chunk(at, stop, int.from_bytes(header[5:8], "little")))
        at = stop
    return tuple(chunks)


def unpacked(chunk: bytes) -> bytes:
    """Return the content of a chunk that is given with its header."""
    scheme, size = chunk[4], int.from_bytes(chunk[5:8], "little")
    content = chunk[_CHUNK_HEADER:]
    if scheme in {_LZ4, _GROUPED_LZ4}:
        content = lz4.decompress(content)
    elif scheme != _NONE:
        raise RefusedError(400, f"A chunk has the unknown compression {scheme}")
    if len(content) != size:
        raise RefusedError(400, f"A chunk has {len(content)} bytes, and not {size}")
    return _ungrouped(content) if scheme == _GROUPED_LZ4 else content


def _ungrouped(content: bytes) -> bytes:
    # All first bytes of four, then all second ones, and so on.
    whole, at = bytearray(len(content)), 0
    for place in range(4):
        size = len(range(place, len(content), 4))
        whole[place::4] = content[at : at + size]
        at += size
    return bytes(whole)


def _files_of(shard: bytes) -> Iterator[tuple[str, tuple[Term, ...], str | None]]:
    """Yield hash, terms and SHA-256 of the files of a shard."""
    if not shard.startswith(_SHARD_TAG):
        raise RefusedError(400, "Not a shard")
    at = _ENTRY
    while shard[at : at + 32] != _BOOKEND:
        name = _hexadecimal(shard, at)
        flags, count = struct.unpack_from("<II", shard, at + 32)
        at += _ENTRY
        terms = []
        for _ in range(count):
            _, size, first, stop = struct.unpack_from("<IIII", shard, at + 32)
            terms.append(Term(_hexadecimal(shard, at), size, first, stop))
            at += _ENTRY
        if flags & _WITH_VERIFICATION:
            at += count * _ENTRY
        sha256 = None
        if flags & _WITH_METADATA:
            sha256 = _hexadecimal(shard, at)
            at += _ENTRY
        yield name, tuple(terms), sha256


def _hexadecimal(shard: bytes, at: int) -> str:
    # A hash is written as four numbers, each with its least byte first.
    return "".join(f"{number:016x}" for number in struct.unpack_from("<4Q", shard, at))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
