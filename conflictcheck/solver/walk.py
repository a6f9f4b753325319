"""Is this an environment? A walk from the lines along every requirement, which looks at each release on the way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.facts import Metadata
from conflictcheck.model import RequirementKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from packaging.utils import NormalizedName

    from conflictcheck.model import Requirement
    from conflictcheck.policy import Release
    from conflictcheck.solver.encoding import LockKind
    from conflictcheck.solver.reading import Reading, Want


class NoEnvironmentError(Exception):
    """A choice of releases that is no environment for the lines; the text says where it breaks."""


class Walked(Struct, frozen=True):
    """What the lines reach through a choice of releases, all of whose requirements are met.

    Attributes:
        reached: the packages.
        unasked: a release that may be chosen only where something asks for it, and nothing does: the package, the place
            of the release in its offer, and why; None if there is none.
    """

    reached: frozenset[NormalizedName]
    unasked: tuple[NormalizedName, int, LockKind] | None


def walk(
    reading: Reading, lines: Collection[Requirement], chosen: Mapping[NormalizedName, Release], *, known: bool = True
) -> Walked:
    """Follow every requirement of the lines and of each release that is met.

    Args:
        reading: of the target.
        lines: of all kinds.
        chosen: a release of each package; more than is reached does no harm.
        known: whether what the releases need has to be known; otherwise, what is not known is nothing.

    Raises:
        NoEnvironmentError: a requirement is not met, or a release cannot be installed on the target.
    """
    for line in lines:
        if line.kind is RequirementKind.PYTHON and not reading.admits_python(str(line.specifier)):
            raise NoEnvironmentError(f"{line.spec} needs Python {line.specifier}")
    overrides: dict[NormalizedName, list[Want]] = defaultdict(list)
    for want in reading.wants_of(lines, RequirementKind.OVERRIDE):
        overrides[want.name].append(want)
    met: dict[NormalizedName, list[Want]] = {}
    extras: set[tuple[NormalizedName, str]] = set()
    waiting = list(reading.wants_of(lines, RequirementKind.REQUIREMENT))
    while waiting:
        want = waiting.pop()
        release = chosen.get(want.name)
        if want.name not in met:
            _check_release(reading, want, release, known=known)
            met[want.name] = []
            waiting += overrides[want.name]
        _check_want(want, release)
        met[want.name].append(want)
        for extra in ("", *want.extras):
            if release is not None and (want.name, extra) not in extras:
                extras.add((want.name, extra))
                waiting += reading.needs(release, extra)
    for want in reading.wants_of(lines, RequirementKind.CONSTRAINT):
        if want.name in met:
            _check_want(want, chosen[want.name])
            met[want.name].append(want)
    return Walked(frozenset(met), _unasked(reading, met, chosen))


def _check_release(reading: Reading, want: Want, release: Release | None, *, known: bool) -> None:
    if release is None:
        raise NoEnvironmentError(f"{want.asked_by} needs {want.name}, which is not there")
    what = f"{release.name} {release.url or release.version}"
    offer = reading.offer(release.name)
    place = offer.position(release)
    if place is None or offer.releases[place] != release or not reading.suits_target(release):
        raise NoEnvironmentError(f"{what} may not be chosen here")
    if not reading.is_usable(release):
        raise NoEnvironmentError(f"{what} is for another Python, or what it needs cannot be read")
    if known and not isinstance(reading.metadata(release), Metadata):
        raise NoEnvironmentError(f"what {what} needs is not known")


def _check_want(want: Want, release: Release | None) -> None:
    if release is None or not want.admits(release):
        shown = None if release is None else release.url or release.version
        raise NoEnvironmentError(f"{want.asked_by} needs {want.name}{want.url or want.specifier}, and it is {shown}")


def _unasked(
    reading: Reading, met: Mapping[NormalizedName, Collection[Want]], chosen: Mapping[NormalizedName, Release]
) -> tuple[NormalizedName, int, LockKind] | None:
    for name, wants in met.items():
        offer = reading.offer(name)
        place = offer.position(chosen[name])
        if place is None:
            continue
        for lock in offer.locks(place):
            alone = any(offer.is_asked_for(place, lock, want) for want in wants)
            if not alone and not offer.is_asked_for_jointly(lock, wants):
                return name, place, lock
    return None
