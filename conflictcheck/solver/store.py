"""The facts of a run, asked for once and shared by the kernels of all targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.facts import Metadata, Missing, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.facts import File, Listing
    from conflictcheck.index.base import Index, MetadataRequest

    _Direct = tuple[Metadata, File]


class FactStore:
    """Remembers what an index answered, so that each fact is asked for once in a run."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._listings: dict[NormalizedName, Listing | Missing | Unknown] = {}
        self._metadata: dict[tuple[str, str, str], Metadata | Unknown] = {}
        self._direct: dict[tuple[str, str], tuple[Metadata, File] | Unknown] = {}

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """The listing of each package, in the same order."""
        new = sorted({name for name in names if name not in self._listings})
        if new:
            self._listings.update(zip(new, self._index.listings(new), strict=True))
        return [self._listings[name] for name in names]

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """The metadata of each release, in the same order."""
        keys = [(request.name, request.version, request.files[0].filename) for request in requests]
        new = {key: request for key, request in zip(keys, requests, strict=True) if key not in self._metadata}
        if new:
            self._metadata.update(zip(new, self._index.metadata(list(new.values())), strict=True))
        return [self._metadata[key] for key in keys]

    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """The metadata of a direct reference."""
        key = (url, name)
        if key not in self._direct:
            self._direct[key] = self._index.direct(url, name)
        return self._direct[key]

    def listing(self, name: NormalizedName) -> Listing | Missing | Unknown | None:
        """The listing if it was asked for; None otherwise."""
        return self._listings.get(name)

    def known_metadata(self, request: MetadataRequest) -> Metadata | Unknown | None:
        """What a release says if that was asked for; None otherwise."""
        return self._metadata.get((request.name, request.version, request.files[0].filename))

    def known_direct(self, name: NormalizedName) -> list[tuple[str, tuple[Metadata, File] | Unknown]]:
        """The direct references of a package that were asked for, by URL, and what is known of them."""
        return sorted((url, known) for (url, package), known in self._direct.items() if package == name)

    def known(self) -> tuple[dict[NormalizedName, Listing | Missing | Unknown], list[Metadata], dict[str, _Direct]]:
        """All that was answered: the listings by name, what releases say, and direct references by URL."""
        said = [metadata for metadata in self._metadata.values() if isinstance(metadata, Metadata)]
        direct = {url: known for (url, _), known in self._direct.items() if not isinstance(known, Unknown)}
        return dict(self._listings), said, direct

    @property
    def place(self) -> str:
        """Where packages are looked for; see `Index.place`."""
        return self._index.place

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes that packages are looked for on; see `Index.indexes`."""
        return self._index.indexes

    def asked(self) -> dict[NormalizedName, Listing | Missing | Unknown]:
        """The listings of the packages that were to be on an index; those of direct references need not be."""
        direct = {name for _, name in self._direct}
        return {name: answer for name, answer in self._listings.items() if name not in direct}

    def counts(self) -> dict[str, int]:
        """How many facts the run used, for `Report.stats`."""
        return {"packages": len(self._listings), "releases": len(self._metadata)}
