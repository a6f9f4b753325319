"""Facts about packages, as an index states them.

Policy (targets, dates, yanked files, pre-releases) is applied elsewhere. "Unknown" is a value with a reason,
never a missing one: no files, files not known, and no dependencies are three results. The structs are encoded
as arrays, so that the cache and snapshots store them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, overload

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection


class File(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One distribution file of a release.

    Attributes:
        filename: as listed, checked to be a wheel or source distribution of the package.
        url: absolute, without credentials.
        version: normalized text of the version in the filename.
        tags: the compressed tag set of a wheel (``cp311-cp311-manylinux_2_17_x86_64``); empty for an sdist.
        build: the build tag of a wheel, else empty.
        requires_python: the specifier as listed, or None.
        yanked: None, or the reason given (may be empty).
        upload_time: RFC 3339 in UTC, or None where the index does not say.
        hashes: ``sha256:…`` and stronger ones, at most one of an algorithm from an index.
        size: bytes, or None.
        metadata: None: no metadata file (PEP 658); else its hash (as in `hashes`) or an empty string.
        index: the index or find-links place it was listed by, without credentials.
    """

    filename: str
    url: str
    version: str
    tags: str = ""
    build: str = ""
    requires_python: str | None = None
    yanked: str | None = None
    upload_time: str | None = None
    hashes: tuple[str, ...] = ()
    size: int | None = None
    metadata: str | None = None
    index: str = ""

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel, not a source distribution."""
        return bool(self.tags)


class FileColumns(msgspec.Struct, frozen=True):
    """What is known of some files, an attribute of `File` at a time, each in the order of the files."""

    filename: Sequence[str] = ()
    url: Sequence[str] = ()
    version: Sequence[str] = ()
    tags: Sequence[str] = ()
    build: Sequence[str] = ()
    requires_python: Sequence[str | None] = ()
    yanked: Sequence[str | None] = ()
    upload_time: Sequence[str | None] = ()
    hashes: Sequence[tuple[str, ...]] = ()
    size: Sequence[int | None] = ()
    metadata: Sequence[str | None] = ()
    index: Sequence[str] = ()


class Files(Sequence[File]):
    """Files as columns: a page lists thousands, of which a run looks at a few. Each is made when it is looked at.

    Args:
        columns: all of one length; the addresses without what they have in common.
        place: what each address begins with.
    """

    __slots__ = ("columns", "place")

    def __init__(self, columns: FileColumns, place: str = "") -> None:
        self.columns = columns
        self.place = place

    @classmethod
    def of(cls, files: Sequence[File]) -> Files:
        """The same files as columns."""
        if isinstance(files, Files):
            return files
        return cls(FileColumns(*zip(*map(msgspec.structs.astuple, files), strict=True)))

    def __len__(self) -> int:
        """How many files there are."""
        return len(self.columns.filename)

    @overload
    def __getitem__(self, place: int) -> File: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[File, ...]: ...
    def __getitem__(self, place: int | slice) -> File | tuple[File, ...]:
        """One file, or some."""
        if isinstance(place, slice):
            return tuple(self[i] for i in range(*place.indices(len(self))))
        columns = self.columns
        return File(
            columns.filename[place],
            self.place + columns.url[place],
            columns.version[place],
            columns.tags[place],
            columns.build[place],
            columns.requires_python[place],
            columns.yanked[place],
            columns.upload_time[place],
            columns.hashes[place],
            columns.size[place],
            columns.metadata[place],
            columns.index[place],
        )

    def __eq__(self, other: object) -> bool:
        """Whether these are the same files, as columns or not."""
        return tuple(self) == tuple(other) if isinstance(other, Files | tuple) else NotImplemented

    def __hash__(self) -> int:
        """As a tuple of the files has it."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """The files."""
        return f"Files({list(self)})"


class Listing(msgspec.Struct, frozen=True, array_like=True):
    """All files of one package.

    Attributes:
        name: the package.
        files: oldest version first (PEP 440 order), then by filename.
        also_on: further indexes that offer the same name; their files are among these, as in pip.
        invalid: filenames passed over because they name no version of this package.
        differs: whether these indexes list different files, so that the name may stand for different projects.
        related: whether they say that it is one project all the same (PEP 708).
        newer: which of them speak a version of the Simple API that is not known here: address and version.
    """

    name: str
    files: Sequence[File]
    also_on: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    differs: bool = False
    related: bool = False
    newer: tuple[tuple[str, str], ...] = ()


class Overview(msgspec.Struct, frozen=True, array_like=True):
    """What a report says of a listing, without its files.

    Attributes:
        name: the package.
        indexes: where its files are, sorted; empty if it has none.
        also_on: as in `Listing`.
        differs: as in `Listing`.
        related: as in `Listing`.
        newer: as in `Listing`.
    """

    name: str
    indexes: tuple[str, ...]
    also_on: tuple[str, ...] = ()
    differs: bool = False
    related: bool = False
    newer: tuple[tuple[str, str], ...] = ()


def overview_of(listing: Listing) -> Overview:
    """A listing without its files."""
    indexes = tuple(sorted(set(Files.of(listing.files).columns.index)))
    return Overview(listing.name, indexes, listing.also_on, listing.differs, listing.related, listing.newer)


class Missing(msgspec.Struct, frozen=True, array_like=True):
    """No index has this package: a fact, not a failure."""

    name: str


class Unknown(msgspec.Struct, frozen=True, array_like=True):
    """The facts could not be had.

    Attributes:
        reason: one clause without a full stop, fit for a report: ``the index answered 503``.
    """

    reason: str


MetadataSource = Literal["metadata-file", "wheel", "sdist", "pyproject", "inferred", "local"]


class Metadata(msgspec.Struct, frozen=True, array_like=True):
    """What one release says of itself.

    Attributes:
        name: as in the metadata, normalized.
        version: normalized text.
        requires_dist: requirement strings, as written.
        requires_python: the specifier as written, or None.
        provides_extra: normalized.
        source: where it comes from; ``inferred`` means that a build might say otherwise.
        filename: the file it was read from.
    """

    name: str
    version: str
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    provides_extra: tuple[str, ...] = ()
    source: MetadataSource = "wheel"
    filename: str = ""


class Basis(msgspec.Struct, frozen=True, array_like=True):
    """What an index's answers rest on: they would be the same wherever all of it is the same.

    Attributes:
        pages: the state of each cached page, by its key in the cache.
        places: the fingerprint of each local file and folder that was looked at, by its path.
        told: paths of local files that are read and must have the hashes that these state.
    """

    pages: Mapping[str, str] = {}
    places: Mapping[str, str] = {}
    told: Sequence[str] = ()


def may_match(wanted: Collection[str], listed: Collection[str]) -> bool:
    """Whether a file may be one that a requirement wants: not if an algorithm is in both and no hash agrees.

    Args:
        wanted: hashes as in `File.hashes`, any number of an algorithm.
        listed: those of the file; it may have others, or none.
    """
    comparable = {one.partition(":")[0] for one in wanted} & {one.partition(":")[0] for one in listed}
    return not comparable or any(one in listed for one in wanted)
