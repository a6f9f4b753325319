"""From a part of the split to an environment with pins, each checked by resolvelib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.facts import Overview, Unknown
from conflictcheck.index.addresses import default_index_url, shown_address
from conflictcheck.lazy import LazyMapping
from conflictcheck.model import Diagnostic, Environment, Pin, Severity
from conflictcheck.phrases import and_list
from conflictcheck.solver.resolution import resolve_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.model import Requirement, SpecId
    from conflictcheck.policy import Release
    from conflictcheck.solver.answers import Solution
    from conflictcheck.solver.oracle import Oracle, Yes
    from conflictcheck.solver.resolution import Resolved
    from conflictcheck.solver.store import FactStore
    from conflictcheck.targets import Target


def build_environment(
    oracle: Oracle, name: str, specs: Sequence[SpecId], lines: frozenset[int], answer: Yes
) -> Environment:
    """Turn the answer for a part into pins.

    Args:
        oracle: that answered.
        name: of the environment.
        specs: of the part, sorted.
        lines: positions of all its lines, constraints and overrides included.
        answer: what the oracle's newest-first search gave.

    Raises:
        Disagreement: if resolvelib disagrees with the search.
    """
    by_platform: dict[str, dict[NormalizedName, Resolved]] = {}
    for target in oracle.targets[answer.python_version]:
        releases = chosen_releases(oracle, target, answer.solutions[target.platform])
        asked = [oracle.lines[i] for i in sorted(lines)]
        by_platform[target.platform] = resolve_environment(oracle.reading(target), asked, releases)
    editable = {oracle.lines[i].url for i in lines if oracle.lines[i].editable}
    groups: dict[tuple[NormalizedName, str, str | None], dict[str, Resolved]] = {}
    for platform, packages in by_platform.items():
        for package, resolved in packages.items():
            key = (package, str(resolved.release.version), resolved.release.url)
            groups.setdefault(key, {})[platform] = resolved
    pins = [
        _pin(package, version, url, found, len(by_platform), editable=url is not None and url in editable)
        for (package, version, url), found in sorted(groups.items(), key=lambda item: (item[0][:2], item[0][2] or ""))
    ]
    return Environment(name, tuple(specs), answer.python_version, tuple(pins))


def chosen_releases(oracle: Oracle, target: Target, solution: Solution) -> Mapping[NormalizedName, Release]:
    """The releases of a solution on a target."""
    packages = oracle.kernel(target).packages
    chosen = {name: i for name, i in solution.releases.items() if i < len(packages[name].releases)}
    return LazyMapping(chosen, lambda name: packages[name].releases[chosen[name]])


def _pin(
    name: NormalizedName,
    version: str,
    url: str | None,
    found: Mapping[str, Resolved],
    platforms: int,
    *,
    editable: bool,
) -> Pin:
    everywhere = list(found.values())
    return Pin(
        name=name,
        version=version,
        extras=_merged(resolved.extras for resolved in everywhere),
        platforms=() if len(found) == platforms else tuple(sorted(found)),
        requested_by=_merged(resolved.requested_by for resolved in everywhere),
        url=url,
        files=tuple(dict.fromkeys(file for resolved in everywhere for file in resolved.release.files)),
        requires_python=everywhere[0].metadata.requires_python,
        requires=_merged(resolved.requires for resolved in everywhere),
        editable=editable,
    )


def _merged(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({item for group in groups for item in group}))


def notice_oddities(
    oracle: Oracle, store: FactStore, environments: Sequence[Environment], lines: Sequence[Requirement]
) -> list[Diagnostic]:
    """What a reader of the environments should know: inferred metadata, yanked releases, several indexes, extras."""
    found: list[Diagnostic] = []
    inferred: set[str] = set()
    for environment in environments:
        for target in oracle.targets[environment.python_version]:
            kernel = oracle.kernel(target)
            for pin in environment.packages:
                found += _about_pin(pin)
                for i, loaded in kernel.loaded.get(pin.name, {}).items():
                    release = kernel.packages[pin.name].releases[i]
                    if str(release.version) != pin.version or release.url != pin.url:
                        continue
                    metadata = loaded.metadata
                    if getattr(metadata, "source", None) == "inferred":
                        inferred.add(f"{pin.name} {pin.version}")
                    found += _unknown_extras(pin, getattr(metadata, "provides_extra", ()), environment, lines)
    if inferred:
        names = sorted(inferred)
        found.append(
            Diagnostic(
                Severity.WARNING,
                "inferred-metadata",
                f"the dependencies of {and_list(names[:8], more=len(names) - 8)} are read from what a build left in "
                "the source distribution; a new build might give others",
            )
        )
    found += _about_empty_indexes(store)
    pinned = {pin.name for environment in environments for pin in environment.packages if pin.url is None}
    listings = [store.overview(name) for name in pinned.union(line.name for line in lines)]
    found += _about_listings([listing for listing in listings if isinstance(listing, Overview)])
    return list(dict.fromkeys(found))


def _about_empty_indexes(store: FactStore) -> list[Diagnostic]:
    """Addresses that know no package at all, whatever others know; the default index is what it is."""
    asked = list(store.asked().values())
    known = [listing for listing in asked if isinstance(listing, Overview)]
    # What is unknown may be on any of them, and a page without files does not say whose it is.
    if not asked or any(isinstance(answer, Unknown) for answer in asked) or not all(each.indexes for each in known):
        return []
    having = {index for listing in known for index in (*listing.indexes, *listing.also_on)}
    none = "the only package asked for does not exist"
    none = none if len(asked) == 1 else f"none of the {len(asked)} packages asked for exists"
    return [
        Diagnostic(
            Severity.WARNING,
            "index-empty",
            f"{none} on {shown_address(index)}; the address may not be that of a package index",
        )
        for index in store.indexes
        if index not in having and index != default_index_url().rstrip("/")
    ]


def _about_listings(listings: Sequence[Overview]) -> list[Diagnostic]:
    """What is odd about the indexes that packages were looked up on."""
    shared = [listing for listing in listings if listing.also_on]
    unrelated = [listing for listing in shared if listing.differs and not listing.related]
    related = [listing for listing in shared if listing.related]
    alike = [listing for listing in shared if not listing.differs]
    return [
        *_about_indexes(unrelated, "which list different files", Severity.WARNING),
        *_about_indexes(related, "which say that it is one project"),
        *_about_indexes(alike, "which list the same files"),
        *_about_newer_indexes({newer for listing in listings for newer in listing.newer}),
    ]


def _about_newer_indexes(newer: set[tuple[str, str]]) -> list[Diagnostic]:
    """Indexes that speak a newer version of the Simple API than is known here (PEP 629 asks for a warning)."""
    return [
        Diagnostic(
            Severity.WARNING,
            "newer-index",
            f"{shown_address(index)} speaks version {version} of the Simple API; what is new in it is not looked at",
        )
        for index, version in sorted(newer)
    ]


def _about_indexes(listings: Sequence[Overview], files: str, severity: Severity = Severity.NOTE) -> list[Diagnostic]:
    """Names that several indexes offer; where these list different files, they may mean different projects."""
    if not listings:
        return []
    names = sorted({listing.name for listing in listings})
    indexes = sorted(
        {shown_address(index) for listing in listings for index in (*listing.indexes, *listing.also_on) if index}
    )
    is_on = f"{and_list(names[:8], more=len(names) - 8)} {'is' if len(names) == 1 else 'are'} on {and_list(indexes)}"
    message = f"{is_on}, {files}; releases of all of them are considered, as in pip"
    return [Diagnostic(severity, "several-indexes", message)]


def _about_pin(pin: Pin) -> list[Diagnostic]:
    found = []
    if pin.files and pin.url is None and all(file.yanked is not None for file in pin.files):
        reason = f": {pin.files[0].yanked}" if pin.files[0].yanked else ""
        found.append(
            Diagnostic(
                Severity.WARNING, "yanked-release", f"{pin.name} {pin.version} was yanked by its authors{reason}"
            )
        )
    return found


def _unknown_extras(
    pin: Pin, provided: Iterable[str], environment: Environment, lines: Sequence[Requirement]
) -> list[Diagnostic]:
    missing = frozenset(pin.extras).difference(provided)
    if not missing:
        return []
    return [
        Diagnostic(
            Severity.WARNING,
            "unknown-extra",
            f"{pin.name} {pin.version} has no extra {extra!r}, so [{extra}] in {line.text} adds nothing",
            line.file,
            line.line,
        )
        for line in lines
        if line.spec in environment.specs and line.name == pin.name
        for extra in line.extras
        if extra in missing
    ]
