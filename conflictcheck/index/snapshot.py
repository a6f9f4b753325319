"""Snapshots: the facts that a run used, dated, in one portable file that gives the same answers later."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Self

import msgspec

from conflictcheck.errors import SnapshotError
from conflictcheck.facts import Basis, File, Files, Listing, Metadata, Missing, Unknown
from conflictcheck.index.base import NOT_IN_SNAPSHOT, ON_PACKAGE_INDEX, Index, MetadataRequest
from conflictcheck.writing import write_file

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    from packaging.utils import NormalizedName

    from conflictcheck.index.base import Expected, Guide

FORMAT = 1
MAX_PACKED = 256 << 20
MAX_UNPACKED = 2 << 30


class SnapshotFacts(msgspec.Struct):
    """Facts that were used.

    Attributes:
        listings: by name.
        missing: names that no index has.
        metadata: by name and version; several where different files of one release were read.
        direct: by URL.
        place: where the missing names were looked for, as `Index.place` says it.
        indexes: as in `Index.indexes`.
    """

    listings: dict[str, Listing] = {}
    missing: list[str] = []
    metadata: dict[str, dict[str, list[Metadata]]] = {}
    direct: dict[str, tuple[Metadata, File]] = {}
    place: str = ON_PACKAGE_INDEX
    indexes: tuple[str, ...] = ()


class _Snapshot(SnapshotFacts, kw_only=True):
    conflictcheck_snapshot: int
    created: str
    tool_version: str


class RecordingIndex(Index):
    """Passes questions on, and remembers the answers.

    Args:
        inner: who answers.

    Attributes:
        facts: all that was answered; what is unknown is no fact and stays out.
    """

    def __init__(self, inner: Index) -> None:
        self.facts = SnapshotFacts()
        self._inner = inner

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """See `Index.listings`."""
        answers = self._inner.listings(names)
        self.facts.indexes = self._inner.indexes
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, Listing):
                self.facts.listings[name] = answer
            elif isinstance(answer, Missing) and name not in self.facts.missing:
                self.facts.missing.append(name)
                self.facts.place = self._inner.place
        return answers

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """See `Index.metadata`."""
        answers = self._inner.metadata(requests)
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, Metadata):
                known = self.facts.metadata.setdefault(request.name, {}).setdefault(request.version, [])
                known += [] if answer in known else [answer]
        return answers

    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """See `Index.direct`."""
        answer = self._inner.direct(url, name)
        if not isinstance(answer, Unknown):
            self.facts.direct[url] = answer
        return answer

    def rest(self) -> None:
        """See `Index.rest`."""
        self._inner.rest()

    def follow(self, guide: Guide) -> None:
        """See `Index.follow`."""
        self._inner.follow(guide)

    def expect(self, expected: Expected) -> None:
        """See `Index.expect`."""
        self._inner.expect(expected)

    @property
    def place(self) -> str:
        """See `Index.place`."""
        return self._inner.place

    @property
    def indexes(self) -> tuple[str, ...]:
        """See `Index.indexes`."""
        return self._inner.indexes

    @property
    def problems(self) -> list[str]:
        """See `Index.problems`."""
        return self._inner.problems

    def close(self) -> None:
        """See `Index.close`."""
        self._inner.close()


class SnapshotIndex(Index):
    """Answers from a snapshot alone; what it lacks is unknown.

    Args:
        facts: what it knows.

    Attributes:
        created: when it was made, RFC 3339.
        tool_version: the version of conflictcheck that made it.
    """

    def __init__(self, facts: SnapshotFacts, *, created: str = "", tool_version: str = "") -> None:
        self.created = created
        self.tool_version = tool_version
        self._facts = facts
        self._missing = frozenset(facts.missing)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a snapshot file.

        Raises:
            SnapshotError: if it cannot be read or is none.
        """
        document = _unpacked(path)
        try:
            head = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
            version = msgspec.json.decode(head.get("conflictcheck_snapshot", b"null"), type=int)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise SnapshotError("this is not a snapshot", file=str(path), hint=_HINT) from None
        if version != FORMAT:
            raise SnapshotError(
                f"the snapshot has format {version}, and this version reads format {FORMAT}", file=str(path), hint=_HINT
            )
        try:
            found = msgspec.json.decode(document, type=_Snapshot)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SnapshotError(f"the snapshot is damaged: {error}", file=str(path), hint=_HINT) from None
        for name, listing in found.listings.items():
            found.listings[name] = msgspec.structs.replace(listing, files=Files.of(listing.files))
        return cls(found, created=found.created, tool_version=found.tool_version)

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """See `Index.listings`."""
        return [
            Missing(name) if name in self._missing else self._facts.listings.get(name) or Unknown(NOT_IN_SNAPSHOT)
            for name in names
        ]

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """See `Index.metadata`; what was read from the first of the files is preferred."""
        answers: list[Metadata | Unknown] = []
        for request in requests:
            known = self._facts.metadata.get(request.name, {}).get(request.version, [])
            ranks = {file.filename: rank for rank, file in enumerate(request.files)}
            known = sorted(known, key=lambda found: (ranks.get(found.filename, len(ranks)), found.filename))
            answers.append(known[0] if known else Unknown(NOT_IN_SNAPSHOT))
        return answers

    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """See `Index.direct`."""
        found = self._facts.direct.get(url)
        return Unknown(NOT_IN_SNAPSHOT) if found is None or found[0].name != name else found

    @property
    def place(self) -> str:
        """See `Index.place`; that of the run that was recorded."""
        return self._facts.place

    @property
    def indexes(self) -> tuple[str, ...]:
        """See `Index.indexes`; those of the run that was recorded."""
        return self._facts.indexes

    @property
    def basis(self) -> Basis:
        """See `Index.basis`; nothing but the snapshot."""
        return Basis()


def write_snapshot(
    facts: SnapshotFacts,
    path: Path,
    *,
    created: datetime,
    version: str,
    keep_files: Collection[tuple[str, str]] = (),
) -> None:
    """Write facts to a file: all of it, or none.

    Args:
        facts: what to write.
        path: where to.
        created: aware; the same facts and date give the same bytes.
        version: of the tool.
        keep_files: names and versions whose files keep their addresses and hashes, for exports; others lose them, as
            they make up most of a listing.

    Raises:
        OutputError: if the place cannot be written to.
    """
    kept = frozenset(keep_files)
    snapshot = _Snapshot(
        conflictcheck_snapshot=FORMAT,
        created=created.isoformat().replace("+00:00", "Z"),
        tool_version=version,
        listings={
            name: msgspec.structs.replace(
                listing,
                files=tuple(
                    msgspec.structs.replace(file, url=file.url.partition("?")[0])
                    if (name, file.version) in kept
                    else msgspec.structs.replace(file, url="", hashes=())
                    for file in listing.files
                ),
            )
            for name, listing in facts.listings.items()
        },
        missing=sorted(facts.missing),
        metadata={
            name: {release: sorted(known, key=lambda found: found.filename) for release, known in releases.items()}
            for name, releases in facts.metadata.items()
        },
        direct=facts.direct,
        place=facts.place,
        indexes=facts.indexes,
    )
    packed = gzip.compress(msgspec.json.encode(snapshot, order="sorted"), compresslevel=9, mtime=0)
    write_file(path, packed)


_HINT = "conflictcheck snapshot -o FILE writes one"


def _unpacked(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_PACKED:
            raise SnapshotError("the file is too large for a snapshot", file=str(path))
        packed = path.read_bytes()
    except OSError as error:
        hint = _HINT if isinstance(error, FileNotFoundError) else None
        raise SnapshotError(f"the snapshot cannot be read: {error.strerror}", file=str(path), hint=hint) from error
    unpacker = zlib.decompressobj(wbits=31)
    try:
        document = unpacker.decompress(packed, MAX_UNPACKED)
    except zlib.error:
        raise SnapshotError("this is not a snapshot", file=str(path), hint=_HINT) from None
    if unpacker.unconsumed_tail:
        raise SnapshotError("the file is too large for a snapshot", file=str(path))
    if not unpacker.eof:
        raise SnapshotError("the snapshot is cut off", file=str(path), hint=_HINT)
    return document
