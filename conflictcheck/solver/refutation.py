"""Can some lines share a target, as an engine of its own sees it: nogoods over sets of releases.

A package is a variable whose values are "absent" (bit 0) and its releases; an extra is one with the values "absent" and
"wanted". What is asked for, and what each known release needs, are nogoods: "p in these releases, and q in none that
will do". They are written down once a package turns out to be needed, so that only what the lines reach is looked at.

A release whose metadata nobody asked for needs nothing: that makes the problem easier, so that a *no* is final. One
that may be chosen only where something asks for it (a pre-release, say) is left open at first as well; when nothing
else is left of a package, a nogood says who may ask. As a release that nobody needs might ask, each answer is walked,
and if it is no environment, its releases together become a nogood.
"""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING

from conflictcheck.errors import InternalError
from conflictcheck.facts import Metadata
from conflictcheck.model import RequirementKind
from conflictcheck.solver.nogoods import NogoodSearch
from conflictcheck.solver.walk import NoEnvironmentError, walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from conflictcheck.model import Requirement
    from conflictcheck.policy import Release
    from conflictcheck.solver.encoding import LockKind
    from conflictcheck.solver.reading import Reading, Want
    from conflictcheck.solver.walk import Walked

BUDGET = 3_000_000
"""How many times the engine looks at a nogood for one question."""

_ABSENT = 1
_WANTED = 2

_Variable = tuple["NormalizedName", str]
"""A package, or with a non-empty second part one of its extras."""


def find_environment(
    reading: Reading, lines: Collection[Requirement], budget: int = BUDGET
) -> dict[NormalizedName, Release] | None:
    """Look for releases that satisfy the lines on one target.

    Args:
        reading: of the target.
        lines: of all kinds; nothing else holds.
        budget: steps of the search.

    Returns:
        A choice that may be an environment: it is one as far as is known. None if there is certainly none.

    Raises:
        BudgetSpentError: neither was found.
    """
    return _Question(reading, lines, budget).answer()


class _Question:
    def __init__(self, reading: Reading, lines: Collection[Requirement], budget: int) -> None:
        self._reading = reading
        self._lines = lines
        self._search: NogoodSearch[_Variable] = NogoodSearch(budget)
        self._masks: dict[tuple[NormalizedName, str, str | None, frozenset[str]], int] = {}
        self._all: dict[_Variable, int] = {}
        self._undecided: dict[_Variable, int] = {}
        self._written: set[_Variable] = set()
        self._locks: set[tuple[NormalizedName, LockKind]] = set()
        self._loops: set[frozenset[tuple[_Variable, int]]] = set()
        self._texts: dict[NormalizedName, dict[str, int]] = {}

    def answer(self) -> dict[NormalizedName, Release] | None:
        """See `find_environment`."""
        reading, search = self._reading, self._search
        for line in self._lines:
            if line.kind is RequirementKind.PYTHON and not reading.admits_python(str(line.specifier)):
                return None
        self._write_lines()
        while search.propagate():
            needed = [variable for variable, values in search.values.items() if not values & _ABSENT]
            new = [variable for variable in needed if variable not in self._written]
            if new:
                # What is bound most says most about the others.
                self._write_needs(*min(new, key=lambda variable: search.values[variable].bit_count()))
                continue
            if self._write_locks(name for name, extra in needed if not extra):
                continue
            open_names = [variable for variable in needed if search.values[variable].bit_count() > 1]
            if open_names:
                self._decide(open_names)
                continue
            chosen = self._chosen()
            if chosen is not None:
                return chosen
        return None

    # -- nogoods -----------------------------------------------------------------------------------------------

    def _package(self, name: NormalizedName) -> _Variable:
        variable = (name, "")
        if variable not in self._search.values:
            self._all[variable] = (2 << len(self._reading.offer(name).releases)) - 1
            self._search.add_variable(variable, self._all[variable])
        return variable

    def _extra(self, name: NormalizedName, extra: str) -> _Variable:
        variable = (name, extra)
        if variable not in self._search.values:
            self._search.add_variable(variable, _ABSENT | _WANTED)
            self._search.add((variable, _WANTED), (self._package(name), _ABSENT))
        return variable

    def _admitted(self, want: Want) -> int:
        """The values of a package that satisfy a requirement, among those that are not gone for good."""
        key = (want.name, str(want.specifier), want.url, want.hashes)
        if key not in self._masks:
            self._masks[key] = self._reading.admitted(want, self._left(self._package(want.name)) >> 1) << 1
        return self._masks[key]

    def _left(self, variable: _Variable) -> int:
        """The values that are not gone for good."""
        values = self._search.values
        return (
            values[variable] if not self._search.decisions else self._undecided.get(variable, -1) & self._all[variable]
        )

    def _require(self, want: Want, *conditions: tuple[_Variable, int]) -> None:
        """Where the conditions hold, a package is there in a release that will do, with its extras."""
        self._search.add(*conditions, (self._package(want.name), ~self._admitted(want)))
        for extra in want.extras:
            self._search.add(*conditions, (self._extra(want.name, extra), _ABSENT))

    def _write_lines(self) -> None:
        for want in self._reading.wants_of(self._lines, RequirementKind.REQUIREMENT):
            self._require(want)
        for want in self._reading.wants_of(self._lines, RequirementKind.OVERRIDE):
            self._require(want, (self._package(want.name), ~_ABSENT))
        for want in self._reading.wants_of(self._lines, RequirementKind.CONSTRAINT):
            self._search.add((self._package(want.name), ~_ABSENT & ~self._admitted(want)))

    def _write_needs(self, name: NormalizedName, extra: str) -> None:
        self._written.add((name, extra))
        package = self._package(name)
        left = self._left(package)
        if not extra:
            releases = self._reading.offer(name).releases
            self._search.add((package, _values(i for i in _places(left) if not self._reading.is_usable(releases[i]))))
        wanted = (((name, extra), _WANTED),) if extra else ()
        for text, values in self._said_by(name).items():
            want = self._reading.need(text, name, extra) if values & left else None
            if want is not None:
                self._require(want, *wanted, (package, values))

    def _said_by(self, name: NormalizedName) -> dict[str, int]:
        """Each ``Requires-Dist`` of a package's usable releases as far as known, with the releases that have it."""
        if name not in self._texts:
            found: dict[str, int] = defaultdict(int)
            for i, release in sorted(self._reading.known_releases(name), key=itemgetter(0)):
                metadata = self._reading.metadata(release)
                if isinstance(metadata, Metadata) and self._reading.is_usable(release):
                    for text in metadata.requires_dist:
                        found[text] |= 2 << i
            self._texts[name] = found
        return self._texts[name]

    # -- releases that something must ask for ------------------------------------------------------------------

    def _write_locks(self, names: Iterable[NormalizedName]) -> bool:
        """Where only locked releases of a package are left, say who may ask for them."""
        written = False
        for name in names:
            offer = self._reading.offer(name)
            values = self._search.values[name, ""]
            if values & (offer.usual << 1 | _ABSENT):
                continue
            for lock in frozenset().union(*(offer.locks(i) for i in _places(values))):
                written |= self._write_lock(name, lock)
        return written

    def _write_lock(self, name: NormalizedName, lock: LockKind) -> bool:
        if (name, lock) in self._locks:
            return False
        self._locks.add((name, lock))
        offer = self._reading.offer(name)
        locked = [i for i in range(len(offer.releases)) if lock in offer.locks(i)]
        asking: dict[int, list[tuple[_Variable, int]]] = {i: [] for i in locked}
        for want, package, values in self._asking(name):
            for i in locked:
                if offer.is_asked_for(i, lock, want):
                    asking[i].append((package, ~values))
        for i, terms in asking.items():
            self._search.add(((name, ""), 2 << i), *terms)
        return True

    def _asking(self, name: NormalizedName) -> Iterator[tuple[Want, _Variable, int]]:
        """All requirements on a package that there may be, each with a variable and the values that bring it."""
        for kind in (RequirementKind.REQUIREMENT, RequirementKind.OVERRIDE, RequirementKind.CONSTRAINT):
            for want in self._reading.wants_of(self._lines, kind):
                if want.name == name:
                    yield want, self._package(name), ~_ABSENT
        for asking, extra in self._reachable():
            package = self._package(asking)
            for text, values in self._said_by(asking).items():
                need = self._reading.need(text, asking, extra)
                if need is not None and need.name == name:
                    yield need, package, values

    def _reachable(self) -> list[_Variable]:
        """All packages and extras that the lines may come to need."""
        found: dict[_Variable, None] = {}
        waiting = [
            want
            for kind in (RequirementKind.REQUIREMENT, RequirementKind.OVERRIDE)
            for want in self._reading.wants_of(self._lines, kind)
        ]
        while waiting:
            want = waiting.pop()
            for extra in ("", *want.extras):
                if (want.name, extra) not in found:
                    found[want.name, extra] = None
                    said = (self._reading.need(text, want.name, extra) for text in self._said_by(want.name))
                    waiting += [further for further in said if further is not None]
        return list(found)

    # -- answers -----------------------------------------------------------------------------------------------

    def _decide(self, open_variables: Collection[_Variable]) -> None:
        """The package with the fewest releases for the conflicts it had a part in, at its newest usual release."""
        values, weights = self._search.values, self._search.weights
        variable = min(open_variables, key=lambda one: (values[one].bit_count() / weights[one], one))
        offer = self._reading.offer(variable[0])
        places = _places(values[variable])
        usual = [i for i in places if not offer.locks(i)]
        self._try(variable, 2 << max(usual or places))

    def _try(self, variable: _Variable, some: int) -> None:
        if not self._search.decisions:
            self._undecided = dict(self._search.values)
        self._search.decide(variable, some)

    def _chosen(self) -> dict[NormalizedName, Release] | None:
        """The releases that are decided; None, and a nogood more, if they are no environment."""
        values = self._search.values
        chosen = {
            name: self._reading.offer(name).releases[_places(left)[0]]
            for (name, extra), left in values.items()
            if not extra and not left & _ABSENT
        }
        try:
            walked = walk(self._reading, self._lines, chosen, known=False)
        except NoEnvironmentError as error:
            raise InternalError(f"the search over nogoods breaks one of them: {error}") from error
        if walked.unasked is None:
            return {name: chosen[name] for name in walked.reached}
        name, _, lock = walked.unasked
        if not self._write_lock(name, lock) and not self._write_loop(walked):
            self._search.add(*(((reached, ""), values[reached, ""]) for reached in sorted(walked.reached)))
        return None

    def _write_loop(self, walked: Walked) -> bool:
        """Say that releases do not go together that only ask for each other, or that nothing else needs.

        Whatever else is chosen, the release of another package has to ask for one of them, or to need one where nothing
        has to ask for it (a loop formula: Lin, Zhao, "ASSAT", 2004). Lines do neither.

        Returns:
            Whether that breaks what is decided, or does once it is decided that packages are absent which may ask.
        """
        values = self._search.values
        loop = {
            name: None
            for (name, extra), left in values.items()
            if not extra and not left & _ABSENT and name not in walked.reached
        } | dict(walked.unfounded)
        terms = {(name, ""): values[name, ""] for name in sorted(loop)}
        for name, lock in sorted(loop.items()):
            offer, place = self._reading.offer(name), _places(values[name, ""])[0]
            for want, package, asking in self._asking(name):
                outside = not want.is_line and package[0] not in loop
                if outside and (lock is None or offer.is_asked_for(place, lock, want)):
                    terms[package] = terms.get(package, -1) & ~asking
        if any(not values[variable] & some for variable, some in terms.items()):
            return False
        said = frozenset(terms.items())
        if said not in self._loops:
            self._loops.add(said)
            self._search.add(*terms.items())
        open_variables = [variable for variable, some in terms.items() if values[variable] & ~some]
        if open_variables:
            self._try(open_variables[0], _ABSENT)
        return True


def _values(places: Iterable[int]) -> int:
    return sum(2 << i for i in places)


def _places(values: int) -> list[int]:
    """The places of releases in a set of values."""
    values >>= 1
    return [i for i in range(values.bit_length()) if values >> i & 1]


def environment_of(chosen: Mapping[NormalizedName, Release]) -> str:
    """A choice in words, for a message."""
    return ", ".join(f"{name} {release.url or release.version}" for name, release in sorted(chosen.items()))
