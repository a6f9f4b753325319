"""Runs ahead of the solver: guesses from what is known so far what it will ask the index for.

A package's files are expected as soon as something names it; the newest release that all who named it admit is
expected as soon as its files are known; and what that release needs names further packages. Guesses are cheap and may
be wrong, which costs a request. Nothing is concluded from them: the solver asks for every fact itself.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from conflictcheck.index.base import Expected, Guide, MetadataRequest
from conflictcheck.model import RequirementKind
from conflictcheck.solver.effective import EffectiveRequirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from conflictcheck.facts import Listing, Metadata
    from conflictcheck.model import Requirement
    from conflictcheck.policy import Release
    from conflictcheck.settings import Policy
    from conflictcheck.solver.store import FactStore
    from conflictcheck.targets import Target


class Scout(Guide):
    """What lines will probably need on one target.

    Args:
        target: the Python and platform.
        lines: every requirement line of the run.
        policy: which releases may be chosen.
        store: selects them.
    """

    def __init__(self, target: Target, lines: Sequence[Requirement], policy: Policy, store: FactStore) -> None:
        self._target = target
        self._policy = policy
        self._store = store
        self._effective = EffectiveRequirements(target, lines)
        self._lock = threading.Lock()
        self._packages: dict[str, _Known] = defaultdict(_Known)
        self._expected: set[tuple[str, str]] = set()
        self._named_by_lines: list[NormalizedName] = []
        for line in lines:
            if line.kind is not RequirementKind.PYTHON and self._effective.applies(line):
                effective = self._effective.line(line)
                known = self._packages[line.name]
                if line.kind is RequirementKind.REQUIREMENT and line.url is None and not known.is_named:
                    known.is_named = True
                    self._named_by_lines.append(line.name)
                known.specifiers[str(effective.specifier)] = effective.specifier
                known.extras.update(effective.extras)

    def at_first(self) -> Expected:
        """What the lines name."""
        return Expected(self._named_by_lines)

    def after_listing(self, listing: Listing) -> Expected:
        """See `Guide.after_listing`."""
        releases = self._store.select(listing, self._target, self._policy).releases
        with self._lock:
            known = self._packages[listing.name]
            if known.releases is not None:
                return Expected()
            known.releases = [release for release in reversed(releases) if self._is_usable(release)]
            return Expected((), self._guess(listing.name))

    def after_metadata(self, metadata: Metadata) -> Expected:
        """See `Guide.after_metadata`."""
        with self._lock:
            known = self._packages[metadata.name]
            known.metadata = metadata
            return Expected(*self._follow(metadata, ["", *known.extras]))

    def _follow(self, metadata: Metadata, extras: Iterable[str]) -> tuple[list[NormalizedName], list[MetadataRequest]]:
        """The packages that a release names for the first time, and releases that it makes likely."""
        names: list[NormalizedName] = []
        guesses: list[MetadataRequest] = []
        needed, _ = self._effective.dependencies(metadata, extras)
        for dependency in (dependency for group in needed.values() for dependency in group if dependency.url is None):
            known = self._packages[dependency.name]
            if not known.is_named:
                known.is_named = True
                names.append(dependency.name)
            if dependency.specifier_text not in known.specifiers:
                known.specifiers[dependency.specifier_text] = dependency.specifier
                guesses += self._guess(dependency.name)
            more = set(dependency.extras) - known.extras
            known.extras |= more
            if more and known.metadata is not None:
                further = self._follow(known.metadata, sorted(more))
                names += further[0]
                guesses += further[1]
        return names, guesses

    def _guess(self, name: str) -> list[MetadataRequest]:
        """The newest release that suits all who named a package, or at least the last of them."""
        known = self._packages[name]
        if known.releases is None:
            return []
        specifiers = list(known.specifiers.values())
        release = _newest(known.releases, specifiers)
        if release is None and specifiers:
            release = _newest(known.releases, specifiers[-1:])
        if release is None or (name, str(release.version)) in self._expected:
            return []
        self._expected.add((name, str(release.version)))
        return [MetadataRequest(release.name, str(release.version), release.sources)]

    def _is_usable(self, release: Release) -> bool:
        return release.yanked is None and (self._policy.prerelease == "allow" or not release.is_prerelease)


class _Known:
    """What the scout knows of one package."""

    def __init__(self) -> None:
        self.is_named = False
        self.specifiers: dict[str, SpecifierSet] = {}
        self.extras: set[str] = set()
        self.releases: Sequence[Release] | None = None
        self.metadata: Metadata | None = None


def _newest(releases: Iterable[Release], specifiers: Sequence[SpecifierSet]) -> Release | None:
    """The first release that is in all of some ranges."""
    for release in releases:
        if all(specifier.contains(release.version, prereleases=True) for specifier in specifiers):
            return release
    return None
