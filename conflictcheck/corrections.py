"""The fewest requirement lines whose relaxing lets specs share fewer environments.

Which lines to relax is a minimum hitting set of the clashes, which are found only as needed (implicit hitting sets:
Moreno-Centeno and Karp, "The implicit hitting set approach to solve combinatorial optimization problems", Operations
Research 2013). A MaxSAT solver proposes lines, and for several environments also who goes where; the oracle is asked
about the specs with these lines relaxed; a *no* is a further clash that the next proposal has to hit.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet
from pysat.formula import WCNF

from conflictcheck.model import RequirementKind
from conflictcheck.poetry import specifier as poetry_specifier
from conflictcheck.solver.oracle import No, Yes
from conflictcheck.specifier_text import poetry_entry, specifier_span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from conflictcheck.clashes import Core
    from conflictcheck.model import Requirement, SpecId
    from conflictcheck.solver.oracle import Oracle, Reply

_EDIT = 1_000_000
"""What an edit costs: more than the rest of all edits together, which tells as many edits apart."""
_FILE = 10
"""What one more spec to touch costs."""
_UNWELCOME = {RequirementKind.CONSTRAINT: 200, RequirementKind.PYTHON: 300}
"""What it costs more to edit a line that others rely on."""
_WITHOUT_FILE = 100

_MOST_STEPS = 500_000
"""Propagations of the MaxSAT solver for one proposal, which may take half a second; most take some thousand."""

Changes = dict[int, int | None]
"""For each line that is changed, the position of the one in its place, or None for none."""


class Site(Struct, frozen=True):
    """A line of a file, which may belong to several specs: included with ``-r``, or shared by extras and groups.

    Attributes:
        number: its place in the order of sites.
        line: the requirement, of the first spec that has it.
        positions: where the oracle has it, for each spec.
        specifier: the clauses as written, or empty.
        obstacle: why it cannot be edited, as a clause; empty if it can.
    """

    number: int
    line: Requirement
    positions: tuple[int, ...]
    specifier: str = ""
    obstacle: str = ""

    @property
    def can_be_relaxed(self) -> bool:
        """Whether a wider specifier may be written there."""
        return bool(self.specifier) and not self.obstacle


def find_sites(lines: Sequence[Requirement], compiled: Mapping[str, str]) -> list[Site]:
    """The places of all lines.

    Args:
        lines: of the run.
        compiled: files made from others, with the file to edit instead.
    """
    places: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, line in enumerate(lines):
        key = (line.file, line.line, line.text, line.kind, line.name) if line.file is not None else (line.spec, i)
        places[key].append(i)
    return [
        Site(number, lines[found[0]], tuple(found), *_what_can_be_edited(lines[found[0]], compiled))
        for number, found in enumerate(places.values())
    ]


def _what_can_be_edited(line: Requirement, compiled: Mapping[str, str]) -> tuple[str, str]:
    """The clauses as written, and what prevents an edit."""
    if line.url is not None:
        return "", "a URL or path stands for it, not versions"
    if not str(line.specifier):
        return "", ""
    span = specifier_span(line.text)
    written = line.text[slice(*span)].rstrip(", ") if span else ""
    if poetry_entry(line.text):
        # An edit is in the language of requirements, which Poetry's contains.
        written = poetry_specifier(written)
    obstacle = ""
    if line.kind is RequirementKind.OVERRIDE:
        obstacle = "an override is meant to hold whatever others say"
    elif not span or SpecifierSet(written) != line.specifier:
        obstacle = "it is written in a form that is not edited here"
    elif line.hashes:
        obstacle = "its hashes belong to these versions"
    elif source := compiled.get(line.file or ""):
        obstacle = f"the file is compiled from {source}; edit that and compile it again"
    return written or str(line.specifier), obstacle


class Obstacle(Struct, frozen=True):
    """Specs that cannot share an environment unless one of some lines is relaxed.

    Attributes:
        specs: the specs.
        sites: numbers of the lines; empty if no edit helps.
        lines: positions of all lines of the clash, relaxed ones as they were asked about.
        helpers: lines as the user wrote them that would help and were not asked: they name a pre-release or a yanked
            release, say. Numbers of their sites.
    """

    specs: frozenset[SpecId]
    sites: frozenset[int]
    lines: frozenset[int]
    helpers: frozenset[int] = frozenset()


class Correction(Struct, frozen=True):
    """Lines to relax, and who shares an environment then; shown to be a solution."""

    sites: tuple[Site, ...]
    parts: tuple[tuple[SpecId, ...], ...]


class Limits(Struct, frozen=True):
    """How much may be spent: steps of the solver and releases to read, never seconds.

    Attributes:
        calls: further solver calls.
        releases: further releases.
        read: says how many releases were read so far.
    """

    calls: int
    releases: int
    read: Callable[[], int]


class BudgetSpent(Exception):  # noqa: N818 - a signal, not an error
    """Enough was asked; what was found until then stays."""


class TooManyEdits(Exception):  # noqa: N818 - a signal, not an error
    """Every correction takes more edits than are wanted."""


class Corrector:
    """Finds smallest corrections.

    Args:
        oracle: answers about lines; relaxed ones are added to it.
        specs: the lines of each spec.
        shared: lines that hold in every environment.
        sites: the places of all lines.
        limits: what may be spent.

    Attributes:
        spent: whether a search was cut off; what was found may not be all then.
    """

    def __init__(
        self,
        oracle: Oracle,
        specs: Mapping[SpecId, frozenset[int]],
        shared: frozenset[int],
        sites: Sequence[Site],
        limits: Limits,
    ) -> None:
        self.oracle = oracle
        self.specs = specs
        self.shared = shared
        self.sites = sites
        self._most_calls = oracle.calls + limits.calls
        self._most_read = limits.read() + limits.releases
        self._read = limits.read
        self.spent = False
        self._site_of = {i: site.number for site in sites for i in site.positions}
        self._origin: dict[int, int] = {}
        self._added: dict[tuple[int, str], int] = {}

    # -- lines -------------------------------------------------------------------------------------------------

    def relaxed(self, sites: Iterable[Site]) -> Changes:
        """The lines without a specifier; ``requires-python`` not at all."""
        return {i: self.changed_line(i, None) for site in sites for i in site.positions}

    def rewritten(self, site: Site, specifier: str) -> Changes:
        """The lines of a site with another specifier; an empty one admits every release."""
        return {i: self.changed_line(i, specifier) for i in site.positions}

    def changed_line(self, i: int, specifier: str | None) -> int | None:
        """The position of a line with another specifier; None asks for what admits most."""
        line = self.oracle.lines[i]
        if specifier is None:
            if line.kind is RequirementKind.PYTHON:
                return None
            # Pre-releases are to stay possible where the line asks for them.
            specifier = ">=0.dev0" if line.specifier.prereleases else ""
        if (i, specifier) not in self._added:
            new = replace(line, specifier=SpecifierSet(specifier))
            self._added[i, specifier] = self.oracle.add_line(new)
            self._origin[self._added[i, specifier]] = i
        return self._added[i, specifier]

    def lines_of(self, specs: Iterable[SpecId], changes: Changes) -> frozenset[int]:
        """The lines of specs, and the shared ones, with changes."""
        return apply(self.shared.union(*(self.specs[spec] for spec in specs)), changes)

    def ask(self, lines: frozenset[int]) -> Reply:
        """As `Oracle.ask`, within the budget.

        Raises:
            BudgetSpent: it is.
        """
        if self.oracle.calls > self._most_calls or self._read() > self._most_read:
            self.spent = True
            raise BudgetSpent
        return self.oracle.ask(lines)

    # -- corrections -------------------------------------------------------------------------------------------

    def obstacles_of(
        self, cores: Iterable[Core], specs: Iterable[SpecId], meant: Collection[Core] = ()
    ) -> list[Obstacle]:
        """What is known about some specs from clashes found earlier; no edit is to resolve those that are meant."""
        known = frozenset(specs)
        return [
            Obstacle(
                frozenset(core.specs),
                frozenset() if core in meant else self._soft(core.lines),
                frozenset(core.lines),
            )
            for core in cores
            if known.issuperset(core.specs) and (core in meant or not (core.absent or self.leans(core)))
        ]

    def leans(self, core: Core) -> bool:
        """Whether more lines may allow what a clash rules out, as they bring releases that ask for locked ones."""
        reply = self.oracle.ask(frozenset(core.lines))
        return not isinstance(reply, No) or _may_be_lifted(reply)

    def corrections(
        self,
        specs: Sequence[SpecId],
        obstacles: list[Obstacle],
        *,
        parts: int = 1,
        most: int,
        most_edits: int | None = None,
    ) -> list[Correction]:
        """Smallest sets of lines after whose relaxing the specs fit into so many environments.

        Args:
            specs: sorted.
            obstacles: what is known; what is found on the way is added.
            parts: how many environments.
            most: how many corrections to find; all of them are smallest ones.
            most_edits: how many lines a correction may relax; None for any number.

        Raises:
            BudgetSpent: before the first was found.
            TooManyEdits: there are corrections at most with more edits.
        """
        found: list[Correction] = []
        ruled_out: list[frozenset[int]] = []
        tried: set[object] = set()
        try:
            while len(found) < most:
                wanted = len(found[0].sites) if found else most_edits
                proposal = self._propose(specs, obstacles, ruled_out, parts, wanted)
                if proposal is None:
                    break
                numbers, groups = proposal
                sites = tuple(self.sites[number] for number in sorted(numbers))
                new, unclear = self._check(groups, self.relaxed(sites))
                obstacles += new
                if new and proposal not in tried:
                    tried.add(proposal)
                    continue
                ruled_out.append(numbers)
                if not new and not unclear:
                    found.append(Correction(sites, groups))
                if not numbers:
                    break
        except (BudgetSpent, TooManyEdits):
            if not found:
                raise
        if not found and parts == 1:
            found += self._least_of_all(specs)
        return found

    def _least_of_all(self, specs: Sequence[SpecId]) -> list[Correction]:
        """Relax everything, and take back what is not needed.

        That finds what hitting sets miss, for which more lines never allow more: releases may ask for yanked ones.
        """
        own = self.shared.union(*(self.specs[spec] for spec in specs))
        kept = [site for site in self.sites if site.can_be_relaxed and not own.isdisjoint(site.positions)]
        if not kept or not self._holds(specs, kept):
            return []
        for site in list(kept):
            rest = [other for other in kept if other is not site]
            if self._holds(specs, rest):
                kept = rest
        return [Correction(tuple(kept), (tuple(specs),))]

    def _holds(self, specs: Sequence[SpecId], sites: Sequence[Site]) -> bool:
        return isinstance(self.ask(self.lines_of(specs, self.relaxed(sites))), Yes)

    def _check(self, groups: Iterable[tuple[SpecId, ...]], changes: Changes) -> tuple[list[Obstacle], bool]:
        new: list[Obstacle] = []
        unclear = False
        for group in groups:
            lines = self.lines_of(group, changes)
            reply = self.ask(lines)
            if isinstance(reply, No) and not _may_be_lifted(reply):
                new.append(self._shrink(lines, reply))
            elif not isinstance(reply, Yes):
                # A *no* that other lines might lift says nothing about other corrections.
                unclear = True
        return new, unclear

    def _shrink(self, lines: frozenset[int], no: No) -> Obstacle:
        """From a *no* to few lines, with as few as possible among them that could be relaxed."""
        current = no.lines if isinstance(self.ask(no.lines), No) else lines
        for line in sorted(current, key=lambda i: (not self._soft([i]), -i)):
            if line not in current:
                continue
            reply = self.ask(current - {line})
            if isinstance(reply, No):
                smaller = reply.lines & (current - {line})
                current = smaller if isinstance(self.ask(smaller), No) else current - {line}
        asking = {self.oracle.lines[i].spec for i in current}
        last = self.ask(current)
        absent = last.absent if isinstance(last, No) else frozenset()
        return Obstacle(frozenset(asking & self.specs.keys()), self._soft(current), current, self._soft(absent))

    def _soft(self, lines: Iterable[int]) -> frozenset[int]:
        """The sites of the lines that are as the user wrote them and could be relaxed."""
        numbers = {self._site_of[i] for i in lines if i in self._site_of}
        return frozenset(number for number in numbers if self.sites[number].can_be_relaxed)

    def _propose(
        self,
        specs: Sequence[SpecId],
        obstacles: Sequence[Obstacle],
        ruled_out: Iterable[frozenset[int]],
        parts: int,
        most_edits: int | None,
    ) -> tuple[frozenset[int], tuple[tuple[SpecId, ...], ...]] | None:
        """Cheapest lines to relax, and who goes where, such that no known obstacle is in the way.

        Raises:
            BudgetSpent: that is too hard to tell.
            TooManyEdits: it takes more lines than are wanted, or whether it does is too hard to tell.
        """
        from conflictcheck.cheapest import first_choices  # noqa: PLC0415 - for clashes alone

        numbers = sorted(set().union(*(obstacle.sites for obstacle in obstacles)))
        relax = {number: i + 1 for i, number in enumerate(numbers)}
        last = len(relax)
        formula = WCNF()
        # Among equals the first lines win, whatever order the solver goes in.
        scale = len(numbers) ** 2 + 1
        for rank, number in enumerate(numbers):
            formula.append([-relax[number]], weight=self._cost(self.sites[number]) * scale + rank)
        touching: dict[str, list[int]] = defaultdict(list)
        for number in numbers:
            touching[self.sites[number].line.file or self.sites[number].line.spec].append(relax[number])
        for variables in touching.values():
            last += 1
            formula.extend([[-variable, last] for variable in variables])
            formula.append([-last], weight=_FILE * scale)
        # Specs that nothing is in the way of go into the first environment.
        known = {spec for obstacle in obstacles for spec in obstacle.specs}
        known |= {self.sites[number].line.spec for obstacle in obstacles for number in obstacle.helpers}
        bound = [spec for spec in specs if spec in known]
        inside = {(spec, part): last + i * parts + part + 1 for i, spec in enumerate(bound) for part in range(parts)}
        for i, spec in enumerate(bound):
            # Parts are numbered by their first spec: the others are the same split under other numbers.
            formula.append([inside[spec, part] for part in range(min(parts, i + 1))])
        for obstacle in obstacles:
            edited = [relax[number] for number in sorted(obstacle.sites)]
            edited += [-relax[number] for number in sorted(obstacle.helpers) if number in relax]
            helping = sorted({self.sites[number].line.spec for number in obstacle.helpers}.intersection(bound))
            for part in range(parts):
                joined = [inside[spec, part] for spec in helping] if parts > 1 else []
                formula.append([*(-inside[spec, part] for spec in sorted(obstacle.specs)), *edited, *joined])
        for tried in ruled_out:
            formula.append([-relax[number] for number in sorted(tried)])
        true = self._cheapest(formula, None if most_edits is None else (most_edits + 1) * _EDIT * scale)
        if true is None:
            return None
        chosen = frozenset(number for number in numbers if relax[number] in true)
        # Of all ways to go with these lines, each spec joins the first ones that it can.
        settled = [relax[number] if number in chosen else -relax[number] for number in numbers]
        ways = [[inside[spec, part] for part in range(parts)] for spec in bound]
        joined = first_choices(formula.hard, settled, ways, true, _MOST_STEPS)
        place = dict.fromkeys(specs, 0)
        place |= {spec: way.index(one) for spec, way, one in zip(bound, ways, joined, strict=True)}
        groups = [tuple(spec for spec in specs if place[spec] == part) for part in range(parts)]
        return chosen, tuple(group for group in groups if group)

    def _cheapest(self, formula: WCNF, below: int | None) -> frozenset[int] | None:
        from conflictcheck.cheapest import TooDear, TooHard, cheapest_model  # noqa: PLC0415 - as above

        try:
            return cheapest_model(formula, below=below, steps=_MOST_STEPS)
        except TooDear:
            raise TooManyEdits from None
        except TooHard:
            self.spent = True
            # With more environments it may be easier to tell.
            raise (BudgetSpent if below is None else TooManyEdits) from None

    @staticmethod
    def _cost(site: Site) -> int:
        return _EDIT + _UNWELCOME.get(site.line.kind, 0) + (_WITHOUT_FILE if site.line.file is None else 0)


def apply(lines: frozenset[int], changes: Changes) -> frozenset[int]:
    """Lines with changes made."""
    new = {changes[i] for i in lines if i in changes}
    return lines.difference(changes).union(i for i in new if i is not None)


def _may_be_lifted(no: No) -> bool:
    """Whether more lines may make it possible, as far as that was looked into.

    Where reading was given up (`No.assumed`) and no line is known to, it counts as final, as the report says. On
    several Pythons what was given up on one may hide what lifts another: that costs edits, and never makes a wrong one.
    """
    return no.leans and (bool(no.lifted_by) or not no.assumed)
