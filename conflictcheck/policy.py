"""Which releases of a package may be chosen: the one place where policy meets the facts of an index.

Each exclusion keeps its reason, so that a report never has to say just "no versions".
Standards: PEP 440 (versions), PEP 592 (yanked), PEP 425 and 600 (wheel tags), PEP 700 (upload dates).
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import compress, groupby
from operator import and_, itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from conflictcheck.facts import Files
from conflictcheck.lazy import LazySequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conflictcheck.facts import File, Listing
    from conflictcheck.settings import Policy
    from conflictcheck.targets import Target


class Why(StrEnum):
    """Why a release that exists may not be chosen."""

    TOO_NEW = "uploaded after the --exclude-newer date"
    NO_DATE = "without an upload date, which --exclude-newer needs"
    PYTHON = "for another Python version"
    WHEELS = "with wheels for other Python versions alone, and without a source distribution"
    PLATFORM = "without a wheel for the platform or a source distribution"
    ONLY_BINARY = "without a wheel for the platform, and source distributions are not allowed"
    NO_BINARY = "without a source distribution, and wheels are not allowed"
    PRERELEASE = "a pre-release, and these are not allowed"


class Release(Struct, frozen=True):
    """One version of a package that may be chosen for a target.

    Attributes:
        name: the package.
        version: its version.
        files: the files that can be installed, best first.
        sources: the files to read metadata from, best first; may include wheels of other platforms.
        yanked: why it was yanked (may be empty), or None.
        url: where it is a direct reference, that URL; its version may be unknown.
        any_version: a direct reference whose version is only known to its build; it satisfies every specifier.
        predates_python: it would have to be built from source, and is older than the first release of this compiled
            package that has a wheel for the target's Python.
    """

    name: NormalizedName
    version: Version
    files: tuple[File, ...]
    sources: tuple[File, ...]
    yanked: str | None = None
    url: str | None = None
    any_version: bool = False
    predates_python: bool = False

    @property
    def is_prerelease(self) -> bool:
        """Whether its version is a pre-release or development release."""
        return self.version.is_prerelease and self.url is None


class Excluded(Struct, frozen=True):
    """A release that exists and may not be chosen.

    Attributes:
        version: its version, as normalized text.
        why: the reason; of several the one that is left when the others are lifted, dates first.
        detail: what the reason is about: the ``Requires-Python`` value, or the interpreters that it has wheels for on
            the target's platform (``cp38 cp39``); may be empty.
    """

    version: str
    why: Why
    detail: str = ""


class Releases(LazySequence[Release]):
    """Releases that are made when they are looked at, and whose versions are known without that.

    Args:
        versions: theirs.
        make: the release at a place.
    """

    __slots__ = ("versions",)

    def __init__(self, versions: Sequence[Version], make: Callable[[int], Release]) -> None:
        super().__init__(len(versions), make)
        self.versions = versions


class Candidates(Struct, frozen=True):
    """What a listing comes to for one target.

    Attributes:
        name: the package.
        releases: those that may be chosen, oldest first.
        excluded: those that may not, oldest first.
        prereleases: which of the releases are pre-releases, as bits; see `Release.is_prerelease`.
        yanked: which are yanked.
        early: which predate the target's Python; see `Release.predates_python`.
        direct: which are direct references.
        unversioned: which of these have a version that only their build tells; see `Release.any_version`.
    """

    name: NormalizedName
    releases: Sequence[Release]
    excluded: Sequence[Excluded]
    prereleases: int = 0
    yanked: int = 0
    early: int = 0
    direct: int = 0
    unversioned: int = 0

    @property
    def versions(self) -> Sequence[Version]:
        """The versions of the releases."""
        known = self.releases
        return known.versions if isinstance(known, Releases) else tuple(release.version for release in known)


def candidates_of(name: NormalizedName, releases: Sequence[Release], excluded: Sequence[Excluded]) -> Candidates:
    """Candidates from releases in order, oldest first."""
    prereleases = yanked = early = direct = unversioned = 0
    for i, release in enumerate(releases):
        prereleases |= release.is_prerelease << i
        yanked |= (release.yanked is not None) << i
        early |= release.predates_python << i
        direct |= (release.url is not None) << i
        unversioned |= release.any_version << i
    return Candidates(name, tuple(releases), excluded, prereleases, yanked, early, direct, unversioned)


def select_releases(listing: Listing, target: Target, policy: Policy) -> Candidates:
    """Apply the policy to a listing.

    Pre-releases and yanked releases stay in: whether they may be chosen depends on who asks, which the kernel
    knows. Under ``--prerelease disallow`` pre-releases are excluded here.

    Args:
        listing: all files of a package, oldest version first.
        target: the Python and platform.
        policy: dates and binary options.

    Returns:
        The releases left, and the others with their reasons.
    """
    name = NormalizedName(listing.name)
    selector = _Selector(
        name,
        target,
        cutoff=None if policy.exclude_newer is None else _Cutoff(policy.exclude_newer),
        prereleases=policy.prerelease != "disallow",
        wheels=not _covers(policy.no_binary, policy.only_binary, name),
        sdists=not _covers(policy.only_binary, policy.no_binary, name),
    )
    releases: list[Release] = []
    excluded: list[Excluded] = []
    for found in selector.select(Files.of(listing.files)):
        if isinstance(found, Release):
            releases.append(found)
        else:
            excluded.append(found)
    return candidates_of(name, _mark_predating(releases, target), tuple(excluded))


def _mark_predating(releases: list[Release], target: Target) -> list[Release]:
    """Tell apart the releases of a compiled package that were made before its support for the target's Python.

    Their source distributions often say nothing of an upper bound, and do not build: numba 0.51 on Python 3.12. They
    stay possible where somebody asks for nothing newer.
    """
    for first, release in enumerate(releases):
        suiting = [
            file for file in (*release.files, *release.sources) if file.is_wheel and target.suits_python(file.tags)
        ]
        if suiting:
            if any(file.tags.endswith("-any") for file in suiting):
                return releases
            return [
                replace(older, predates_python=True) if not older.files[0].is_wheel else older
                for older in releases[:first]
            ] + releases[first:]
    return releases


@lru_cache(maxsize=200_000)
def parse_version(text: str) -> Version | None:
    """The version, or None for a text that is none (PEP 440); remembered, as listings repeat them."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _covers(names: frozenset[str], others: frozenset[str], name: str) -> bool:
    """Whether an option such as ``--no-binary`` covers a package; a name wins over the other option's ``:all:``."""
    return name in names or (":all:" in names and name not in others)


def _runs(versions: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each version, and how many files in a row are of it; 1.0 and 1.0.0 are one (PEP 440)."""
    run: tuple[str, int] | None = None
    for text, group in groupby(versions):
        count = len([*group])
        if run is not None and _are_same(run[0], text):
            run = run[0], run[1] + count
            continue
        if run is not None:
            yield run
        run = text, count
    if run is not None:
        yield run


def _are_same(one: str, other: str) -> bool:
    """Whether two versions are equal, though written in different ways; few are worth parsing to tell."""
    return one.replace(".0", "") == other.replace(".0", "") and parse_version(one) == parse_version(other)


class _Selector(Struct, frozen=True):
    """What decides about the files of each version of one package."""

    name: NormalizedName
    target: Target
    cutoff: _Cutoff | None
    prereleases: bool
    wheels: bool
    sdists: bool

    def select(self, files: Files) -> Iterator[Release | Excluded]:
        """What there is of each version, oldest first; a version that is none is passed over.

        A page has thousands of files: what they are good for is found out a column at a time.
        """
        columns = files.columns
        kinds = list(zip(columns.tags, columns.requires_python, strict=True))
        known = {kind: self._suits(*kind) for kind in set(kinds)}  # of thousands of files a few kinds
        suits = [known[kind] for kind in kinds]
        admits = [True] * len(files) if self.cutoff is None else list(map(self.cutoff.admits, columns.upload_time))
        fits = list(map(and_, suits, admits))
        stands = [bool(tags) and yanked is None for tags, yanked in zip(columns.tags, columns.yanked, strict=True)]
        end = 0
        for version, count in _runs(columns.version):
            start, end = end, end + count
            if True in fits[start:end]:
                wheels = any(map(and_, fits[start:end], stands[start:end]))
                chosen = fits if wheels else admits  # besides wheels, what does not fit may tell what the release needs
                found = self._select(
                    version, [files[place] for place in compress(range(start, end), chosen[start:end])]
                )
            else:
                # The date is the reason only where nothing else is: a later one would not help without a wheel.
                is_late = self.prereleases and True in suits[start:end]
                found = None if is_late else self._select(version, files[start:end])
                if is_late or isinstance(found, Release):
                    has_date = any(stamp is not None for stamp in columns.upload_time[start:end])
                    found = Excluded(version, Why.TOO_NEW if has_date else Why.NO_DATE)
            if found is not None:
                yield found

    def _suits(self, tags: str, requires_python: str | None) -> bool:
        """Whether a file can be installed, whatever its date and version."""
        if requires_python is not None and not self.target.admits_python(requires_python):
            return False
        return self.sdists if not tags else self.wheels and self.target.rank(tags) is not None

    def _select(self, version: str, files: Sequence[File]) -> Release | Excluded | None:
        """What there is of these files, whatever their dates."""
        target = self.target
        here = [file for file in files if file.requires_python is None or target.admits_python(file.requires_python)]
        if not here:
            return Excluded(version, Why.PYTHON, files[-1].requires_python or "")
        parsed = parse_version(version)
        if parsed is None:
            return None
        if parsed.is_prerelease and not self.prereleases:
            return Excluded(version, Why.PRERELEASE)
        return self._release(version, parsed, here)

    def _release(self, text: str, version: Version, files: Sequence[File]) -> Release | Excluded:
        wheels: list[tuple[int, str, File]] = []
        sdists: list[File] = []
        foreign: list[File] = []
        for file in files:
            if not file.tags:
                sdists.append(file)
            elif (rank := self.target.rank(file.tags)) is None:
                foreign.append(file)
            else:
                wheels.append((rank, file.filename, file))
        wheels.sort(key=itemgetter(0, 1))
        usable = [file for _, _, file in wheels] if self.wheels else []
        if self.sdists:
            usable += sdists
        if not usable:
            return Excluded(text, *self._why_none(wheels, sdists, foreign))
        # A release is yanked when every file that could be installed is; otherwise the yanked files are left out.
        standing = [file for file in usable if file.yanked is None]
        yanked = None if standing else (usable[0].yanked or "")
        usable = standing or usable
        # The best wheel is what pip and uv install or fail on: no other file speaks for it. Wheels of one release agree
        # on their metadata in practice, and uv relies on it too: one for another platform spares reading a source
        # distribution. Those for Python 2 do not agree with the others: markers were rare then.
        sources = usable[:1]
        if not usable[0].tags:
            nearest = sorted(foreign, key=lambda file: self.target.distance(file.tags))[:1]
            sources = [*nearest, *usable]
        return Release(self.name, version, tuple(usable), tuple(sources[:4]), yanked)

    def _why_none(self, wheels: Sequence[object], sdists: Sequence[File], foreign: Sequence[File]) -> tuple[Why, str]:
        if wheels:
            return Why.NO_BINARY, ""
        if sdists:
            return Why.ONLY_BINARY, ""
        here = [file.tags for file in foreign if self.target.suits_platform(file.tags)]
        pythons = sorted({python for tags in here for python in tags.partition("-")[0].split(".")})
        elsewhere = not here or any(self.target.suits_python(file.tags) for file in foreign)
        return Why.PLATFORM if elsewhere else Why.WHEELS, " ".join(pythons)


class _Cutoff:
    """The ``--exclude-newer`` instant: RFC 3339 times in UTC are compared as text, as there are very many."""

    def __init__(self, instant: datetime) -> None:
        # Without the zone: a time of whole seconds has no fraction here, and comes before all of the same second.
        self._text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()

    def admits(self, stamp: str | None) -> bool:
        """Whether a file with this upload time was there before; one without is not known to be."""
        return stamp is not None and stamp.removesuffix("Z") < self._text
