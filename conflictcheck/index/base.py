"""What an index can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.facts import Basis, File, Listing, Metadata, Missing, Unknown


ON_PACKAGE_INDEX = "on the package index"
"""`Index.place` where nobody asked for another than the default one."""

NOT_IN_SNAPSHOT = "not in the snapshot"
"""Why a fact is unknown where a snapshot was made of other specs, or for another target; reasons end with it."""


class MetadataRequest(msgspec.Struct, frozen=True):
    """The files of one release from which its metadata may be read, best first.

    Attributes:
        name: the package.
        version: normalized text.
        files: the file to read first, then others to try where that one has none; at least one.
    """

    name: NormalizedName
    version: str
    files: tuple[File, ...]


class Expected(NamedTuple):
    """What will probably be asked for.

    Attributes:
        names: packages whose files to list.
        requests: releases whose metadata to read.
    """

    names: Sequence[NormalizedName] = ()
    requests: Sequence[MetadataRequest] = ()


class Guide(ABC):
    """Guesses from facts as they come what will be asked for next; called from many threads."""

    @abstractmethod
    def after_listing(self, listing: Listing) -> Expected:
        """What to expect now that the files of a package are known."""

    @abstractmethod
    def after_metadata(self, metadata: Metadata) -> Expected:
        """What to expect now that the needs of a release are known."""


class Index(ABC):
    """A source of facts. Asking twice gives the same answer within a run."""

    @abstractmethod
    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """The files of each package, asked for concurrently.

        Args:
            names: normalized names, without repeats.

        Returns:
            One answer a name, in the same order. Network trouble is an `Unknown`, not an exception.
        """

    @abstractmethod
    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """The metadata of each release, asked for concurrently.

        Returns:
            One answer a request, in the same order. No code of a package is run to get it.
        """

    @abstractmethod
    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """The metadata of a direct reference: an archive's URL, or a ``file:`` URL of an archive or project folder.

        Args:
            url: as in `Requirement.url`.
            name: the package it is expected to be.

        Returns:
            The metadata (its version may be ``0`` where the project's is dynamic) and a file entry for exports,
            or why they cannot be known without running code (a VCS URL, say).
        """

    def stamps(self, names: Sequence[NormalizedName]) -> dict[NormalizedName, str]:  # noqa: ARG002 - most have none
        """For each package whose listing is at hand, what tells it from every other one; the listing is not read.

        What is made of a listing may be kept by it; see `keep`.
        """
        return {}

    def recall(self, keys: Sequence[str]) -> dict[str, bytes]:  # noqa: ARG002 - as above
        """Those of the keys under which something is kept, with that."""
        return {}

    def keep(self, key: str, data: bytes) -> None:  # noqa: B027 - most places keep nothing
        """Keep what was made of facts for further runs, where there is room; it may be lost at any time."""

    def follow(self, guide: Guide) -> None:  # noqa: B027 - most sources have all at hand
        """Begin to get what a guide expects, from the first fact on that has to be fetched.

        Nothing that is asked for depends on it: what is not asked for is forgotten, trouble included.
        """

    def expect(self, expected: Expected) -> None:  # noqa: B027
        """Begin to get facts as those of a guide."""

    def rest(self) -> None:  # noqa: B027 - most sources have no threads
        """Let idle threads end, which are begun again as work comes: a process cannot be split off beside them."""

    @property
    def place(self) -> str:
        """Where packages are looked for, to follow "no such package exists"; other indexes than the default by name."""
        return ON_PACKAGE_INDEX

    @property
    def indexes(self) -> tuple[str, ...]:
        """The addresses of the indexes that are asked, as `File.index` has them, if these are known."""
        return ()

    @property
    def problems(self) -> list[str]:
        """What went wrong beside the answers (a cache that cannot be written, say), one sentence each."""
        return []

    @property
    def basis(self) -> Basis | None:
        """What the answers rest on; None where there is more to it.

        A run that would find the same, and the same snapshot if there is one, would give the same report.
        """
        return None

    def close(self) -> None:  # noqa: B027 - some sources hold nothing
        """Release connections and files; the index is not asked again."""
