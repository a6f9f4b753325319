"""Is this an environment? A walk from the lines along every requirement, which looks at each release on the way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct, field

from conflictcheck.facts import Metadata
from conflictcheck.model import RequirementKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

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
        unasked: a release that may be chosen only where something asks for it, and nothing does that the lines reach
            without it: the package, the place of the release in its offer, and why; None if there is none.
        unfounded: the packages of all such releases and those reached only through these; each with why something has
            to ask for its release, None if nothing has to, or a line does.
    """

    reached: frozenset[NormalizedName]
    unasked: tuple[NormalizedName, int, LockKind] | None = None
    unfounded: Mapping[NormalizedName, LockKind | None] = field(default_factory=dict)


def walk(
    reading: Reading, lines: Collection[Requirement], chosen: Mapping[NormalizedName, Release], *, known: bool = True
) -> Walked:
    """Follow every requirement of the lines and of each release that is met.

    A release that something has to ask for is walked through once something does that was met before.

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
    way = _Way(reading, lines, chosen, known=known)
    way.go_on()
    founded = frozenset(way.passed)
    unasked = next((way.unasked(name) for name in way.met if name not in founded), None)
    # What is asked of the rest is to be met all the same.
    while stopped := [name for name in way.met if name not in way.passed]:
        way.go_through(stopped)
    return Walked(frozenset(way.met), unasked, {name: way.why(name) for name in way.met if name not in founded})


class _Way:
    """A walk from the lines, which stops before releases that nothing met so far asks for.

    Args:
        reading: of the target.
        lines: of all kinds.
        chosen: a release of each package.
        known: whether what the releases need has to be known.

    Attributes:
        met: the packages, each with what is said of it.
        passed: those of them whose requirements were followed.
    """

    def __init__(
        self,
        reading: Reading,
        lines: Collection[Requirement],
        chosen: Mapping[NormalizedName, Release],
        *,
        known: bool,
    ) -> None:
        self._reading = reading
        self._chosen = chosen
        self._known = known
        self._constraints: dict[NormalizedName, list[Want]] = defaultdict(list)
        self._overrides: dict[NormalizedName, list[Want]] = defaultdict(list)
        for kind, found in (
            (RequirementKind.CONSTRAINT, self._constraints),
            (RequirementKind.OVERRIDE, self._overrides),
        ):
            for want in reading.wants_of(lines, kind):
                found[want.name].append(want)
        self.met: dict[NormalizedName, list[Want]] = {}
        self.passed: set[NormalizedName] = set()
        self._extras: dict[NormalizedName, list[str]] = {}
        self._follow(reading.wants_of(lines, RequirementKind.REQUIREMENT))

    def go_on(self) -> None:
        """Go through the releases that something asks for by now, as long as there are any."""
        while asked := [name for name in self.met if name not in self.passed and self.unasked(name) is None]:
            self.go_through(asked)

    def go_through(self, names: Collection[NormalizedName]) -> None:
        """Follow what the releases of some packages need."""
        self.passed.update(names)
        for name in names:
            for extra in tuple(self._extras[name]):
                self._follow(self._reading.needs(self._chosen[name], extra))

    def unasked(self, name: NormalizedName) -> tuple[NormalizedName, int, LockKind] | None:
        """The release of a package, and why something has to ask for it, where nothing met so far does."""
        return self._unasked(name, self.met[name])

    def why(self, name: NormalizedName) -> LockKind | None:
        """Why something other than a line has to ask for the release of a package, if that is so."""
        found = self._unasked(name, [want for want in self.met[name] if want.is_line])
        return None if found is None else found[2]

    def _unasked(self, name: NormalizedName, wants: Collection[Want]) -> tuple[NormalizedName, int, LockKind] | None:
        offer = self._reading.offer(name)
        place = offer.position(self._chosen[name])
        if place is None:
            return None
        for lock in offer.locks(place):
            alone = any(offer.is_asked_for(place, lock, want) for want in wants)
            if not alone and not offer.is_asked_for_jointly(lock, wants):
                return name, place, lock
        return None

    def _follow(self, wants: Iterable[Want]) -> None:
        waiting = list(wants)
        while waiting:
            want = waiting.pop()
            name, release = want.name, self._chosen.get(want.name)
            if name not in self.met:
                _check_release(self._reading, want, release, known=self._known)
                for constraint in self._constraints[name]:
                    _check_want(constraint, release)
                self.met[name] = [*self._constraints[name]]
                self._extras[name] = []
                waiting += self._overrides[name]
                if self.unasked(name) is None:
                    self.passed.add(name)
            _check_want(want, release)
            self.met[name].append(want)
            for extra in ("", *want.extras):
                if release is not None and extra not in self._extras[name]:
                    self._extras[name].append(extra)
                    if name in self.passed:
                        waiting += self._reading.needs(release, extra)


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
