"""The facts of a run, asked for once and shared by the kernels of all targets."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from conflictcheck.facts import Listing, Metadata, Missing, Unknown, overview_of
from conflictcheck.policy import Candidates, select_releases
from conflictcheck.selection import decode_selection, encode_selection, selection_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.facts import File, Overview
    from conflictcheck.index.base import Expected, Guide, Index, MetadataRequest
    from conflictcheck.settings import Policy
    from conflictcheck.targets import Target

    _Direct = tuple[Metadata, File]


class FactStore:
    """Remembers what an index answered, so that each fact is asked for once in a run."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._listings: dict[NormalizedName, Listing | Missing | Unknown] = {}
        self._overviews: dict[NormalizedName, Overview | Missing | Unknown] = {}
        self._candidates: dict[tuple[Target, Policy], dict[NormalizedName, Candidates | Missing | Unknown]] = {}
        self._selecting = threading.Lock()
        self._selected: dict[tuple[Target, Policy, str], tuple[Sequence[File], Candidates]] = {}
        self._metadata: dict[tuple[str, str, str], Metadata | Unknown] = {}
        self._versions: dict[str, set[str]] = defaultdict(set)
        self._direct: dict[tuple[str, str], tuple[Metadata, File] | Unknown] = {}

    def rest(self) -> None:
        """See `Index.rest`."""
        self._index.rest()

    def follow(self, guide: Guide) -> None:
        """See `Index.follow`."""
        self._index.follow(guide)

    def expect(self, expected: Expected) -> None:
        """See `Index.expect`."""
        self._index.expect(expected)

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """The listing of each package, in the same order."""
        new = sorted({name for name in names if name not in self._listings})
        if new:
            self._listings.update(zip(new, self._index.listings(new), strict=True))
            for name in new:
                found = self._listings[name]
                self._overviews[name] = overview_of(found) if isinstance(found, Listing) else found
        return [self._listings[name] for name in names]

    def candidates(
        self, names: Sequence[NormalizedName], target: Target, policy: Policy
    ) -> list[Candidates | Missing | Unknown]:
        """What policy leaves of each package's listing on a target, in the same order; see `select_releases`.

        What was selected from a listing that has not changed since is taken as it was kept, and the listing not read.
        """
        known = self._candidates.setdefault((target, policy), {})
        new = sorted({name for name in names if name not in known})
        if new:
            key = selection_key(target, policy)
            stamps = self._index.stamps(new)
            self._recall(known, {f"{key} {name}": name for name in stamps}, stamps)
            left = [name for name in new if name not in known]
            for name, listing in zip(left, self.listings(left), strict=True):
                known[name] = self.select(listing, target, policy) if isinstance(listing, Listing) else listing
            # Asked for again, as a listing may have come from the index just now.
            for name, stamp in self._index.stamps(left).items():
                found, overview = known[name], self._overviews[name]
                if isinstance(found, Candidates) and not isinstance(overview, Missing | Unknown):
                    self._index.keep(f"{key} {name}", encode_selection(found, overview, stamp))
        return [known[name] for name in names]

    def select(self, listing: Listing, target: Target, policy: Policy) -> Candidates:
        """See `select_releases`; each listing is selected from once, whoever asks first, from whatever thread."""
        with self._selecting:  # one at a time: it is all Python
            files, selected = self._selected.get((target, policy, listing.name), (None, None))
            if selected is None or files is not listing.files:
                selected = select_releases(listing, target, policy)
                self._selected[target, policy, listing.name] = listing.files, selected
        return selected

    def _recall(
        self,
        known: dict[NormalizedName, Candidates | Missing | Unknown],
        keys: dict[str, NormalizedName],
        stamps: Mapping[NormalizedName, str],
    ) -> None:
        for key, data in self._index.recall(list(keys)).items():
            name = keys[key]
            found = decode_selection(data, name, stamps[name])
            if found is not None:
                known[name], self._overviews[name] = found

    def known_candidates(
        self, name: NormalizedName, target: Target, policy: Policy
    ) -> Candidates | Missing | Unknown | None:
        """What `candidates` gives of a package that was asked for; None of another one."""
        return None if name not in self._overviews else self.candidates([name], target, policy)[0]

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """The metadata of each release, in the same order."""
        keys = [(request.name, request.version, request.files[0].filename) for request in requests]
        new = {key: request for key, request in zip(keys, requests, strict=True) if key not in self._metadata}
        if new:
            self._metadata.update(zip(new, self._index.metadata(list(new.values())), strict=True))
            for name, version, _ in new:
                self._versions[name].add(version)
        return [self._metadata[key] for key in keys]

    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """The metadata of a direct reference."""
        key = (url, name)
        if key not in self._direct:
            self._direct[key] = self._index.direct(url, name)
        return self._direct[key]

    def overview(self, name: NormalizedName) -> Overview | Missing | Unknown | None:
        """The listing without its files if the package was asked for; None otherwise."""
        return self._overviews.get(name)

    def known_metadata(self, request: MetadataRequest) -> Metadata | Unknown | None:
        """What a release says if that was asked for; None otherwise."""
        return self._metadata.get((request.name, request.version, request.files[0].filename))

    def known_versions(self, name: NormalizedName) -> set[str]:
        """The versions of a package of which it was asked what they need."""
        return self._versions[name]

    def known_direct(self, name: NormalizedName) -> list[tuple[str, tuple[Metadata, File] | Unknown]]:
        """The direct references of a package that were asked for, by URL, and what is known of them."""
        return sorted((url, known) for (url, package), known in self._direct.items() if package == name)

    def known(self) -> tuple[dict[NormalizedName, Listing | Missing | Unknown], list[Metadata], dict[str, _Direct]]:
        """All that was answered: the listings by name, what releases say, and direct references by URL."""
        self.listings(list(self._overviews))
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

    def asked(self) -> dict[NormalizedName, Overview | Missing | Unknown]:
        """What was said of the packages that were to be on an index; those of direct references need not be."""
        direct = {name for _, name in self._direct}
        return {name: answer for name, answer in self._overviews.items() if name not in direct}

    def counts(self) -> dict[str, int]:
        """How many facts the run used, for `Report.stats`."""
        return {"packages": len(self._overviews), "releases": len(self._metadata)}
