"""Which releases of a package may be chosen: the one place where policy meets the facts of an index.

Each exclusion keeps its reason, so that a report never has to say just "no versions".
Standards: PEP 440 (versions), PEP 592 (yanked), PEP 425 and 600 (wheel tags), PEP 700 (upload dates).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflictcheck.facts import File, Listing
    from conflictcheck.settings import Policy
    from conflictcheck.targets import Target


class Why(StrEnum):
    """Why a release that exists may not be chosen."""

    TOO_NEW = "uploaded after the --exclude-newer date"
    NO_DATE = "without an upload date, which --exclude-newer needs"
    PYTHON = "for another Python version"
    PLATFORM = "without a wheel for the platform or a source distribution"
    ONLY_BINARY = "without a wheel for the platform, and source distributions are not allowed"
    NO_BINARY = "without a source distribution, and wheels are not allowed"
    PRERELEASE = "a pre-release, and these are not allowed"


@dataclass(frozen=True, slots=True)
class Release:
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


@dataclass(frozen=True, slots=True)
class Excluded:
    """A release that exists and may not be chosen.

    Attributes:
        version: its version.
        why: the reason.
        detail: what the reason is about, such as the ``Requires-Python`` value; may be empty.
    """

    version: Version
    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a listing comes to for one target.

    Attributes:
        name: the package.
        releases: those that may be chosen, oldest first.
        excluded: those that may not, oldest first.
    """

    name: NormalizedName
    releases: tuple[Release, ...]
    excluded: tuple[Excluded, ...]


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
    releases: list[Release] = []
    excluded: list[Excluded] = []
    wheels_allowed = not _covers(policy.no_binary, policy.only_binary, name)
    sdists_allowed = not _covers(policy.only_binary, policy.no_binary, name)
    cutoff = None if policy.exclude_newer is None else _Cutoff(policy.exclude_newer)
    for text, group in groupby(listing.files, key=attrgetter("version")):
        version = parse_version(text)
        if version is None:
            continue
        files = list(group)
        if policy.prerelease == "disallow" and version.is_prerelease:
            excluded.append(Excluded(version, Why.PRERELEASE))
            continue
        release, why = _select_files(
            name, version, files, target, cutoff, wheels_allowed=wheels_allowed, sdists_allowed=sdists_allowed
        )
        if release is not None:
            releases.append(release)
        elif why is not None:
            excluded.append(why)
    releases.sort(key=lambda release: release.version)
    return Candidates(name, tuple(_mark_predating(releases, target)), tuple(excluded))


def _mark_predating(releases: list[Release], target: Target) -> list[Release]:
    """Tell apart the releases of a compiled package that were made before its support for the target's Python.

    Their source distributions often say nothing of an upper bound, and do not build: numba 0.51 on Python 3.12. They
    stay possible where somebody asks for nothing newer.
    """
    for first, release in enumerate(releases):
        suiting = [file for file in release.sources if file.is_wheel and target.suits_python(file.tags)]
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


def _select_files(  # noqa: C901 - one condition after the other, each with its reason
    name: NormalizedName,
    version: Version,
    files: Sequence[File],
    target: Target,
    cutoff: _Cutoff | None,
    *,
    wheels_allowed: bool,
    sdists_allowed: bool,
) -> tuple[Release | None, Excluded | None]:
    if cutoff is not None:
        kept = [file for file in files if cutoff.admits(file.upload_time)]
        if not kept:
            has_date = any(file.upload_time is not None for file in files)
            return None, Excluded(version, Why.TOO_NEW if has_date else Why.NO_DATE)
        files = kept
    here = [file for file in files if file.requires_python is None or target.admits_python(file.requires_python)]
    if not here:
        return None, Excluded(version, Why.PYTHON, files[-1].requires_python or "")
    wheels: list[tuple[int, File]] = []
    sdists: list[File] = []
    foreign: list[File] = []
    for file in here:
        if not file.is_wheel:
            sdists.append(file)
        elif (rank := target.rank(file.tags)) is None:
            foreign.append(file)
        else:
            wheels.append((rank, file))
    wheels.sort(key=lambda item: (item[0], item[1].filename))
    usable = [file for _, file in wheels] if wheels_allowed else []
    if sdists_allowed:
        usable += sdists
    if not usable:
        if wheels:
            return None, Excluded(version, Why.NO_BINARY)
        if sdists:
            return None, Excluded(version, Why.ONLY_BINARY)
        return None, Excluded(version, *_foreign_reason(foreign, target))
    # A release is yanked when every file that could be installed is; otherwise the yanked files alone are left out.
    standing = [file for file in usable if file.yanked is None]
    yanked = None if standing else (usable[0].yanked or "")
    usable = standing or usable
    # Wheels of one release agree on their metadata in practice, and uv relies on it too: one for another platform
    # spares reading a source distribution.
    sources = usable if usable[0].is_wheel else [*foreign[:1], *usable]
    return Release(name, version, tuple(usable), tuple(sources[:4]), yanked), None


def _foreign_reason(foreign: Iterable[File], target: Target) -> tuple[Why, str]:
    """Why no wheel suits: its Python tag, or the platform."""
    pythons = sorted({file.tags.split("-")[0] for file in foreign})
    short = target.environment["python_version"].replace(".", "")
    ours = {f"cp{short}", "py3", f"py{short}"}
    if not any(ours & set(python.split(".")) or "abi3" in file.tags for file in foreign for python in pythons):
        return Why.PYTHON, f"wheels for {', '.join(pythons[:4])} alone"
    return Why.PLATFORM, ""


class _Cutoff:
    """The ``--exclude-newer`` instant: RFC 3339 times in UTC are compared as text, as there are very many."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant.astimezone(UTC)
        self._text = self._instant.strftime("%Y-%m-%dT%H:%M:%S")

    def admits(self, stamp: str | None) -> bool:
        """Whether a file with this upload time was there before; one without is not known to be."""
        if stamp is None:
            return False
        if self._instant.microsecond and stamp.startswith(self._text):
            return datetime.fromisoformat(stamp) < self._instant
        return stamp < self._text
