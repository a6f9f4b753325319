"""From clashes to edits of requirement lines, each solved again before it is shown.

For each clash a short menu: the smallest sets of lines whose relaxing makes room for its specs, each with the
specifier that widens the line least. For the run as a whole: the smallest edits after which the specs need fewest
environments. Where no edit helps, that is said with the reason.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct, field
from packaging.specifiers import InvalidSpecifier
from packaging.version import Version

from conflictcheck.blockers import name_blockers, name_upstream
from conflictcheck.clashes import ClashFinder
from conflictcheck.corrections import (
    BudgetSpent,
    Correction,
    Corrector,
    Limits,
    TooManyEdits,
    apply,
    find_sites,
)
from conflictcheck.model import Change, Edit, Fix, RequirementKind
from conflictcheck.phrases import and_list, place
from conflictcheck.sameness import kind_of
from conflictcheck.solver.encoding import LockKind, bits
from conflictcheck.solver.oracle import No, Yes
from conflictcheck.specifier_text import with_specifier
from conflictcheck.splitting import split_specs
from conflictcheck.widening import Written, widen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

    from conflictcheck.clashes import Core
    from conflictcheck.corrections import Changes, Obstacle, Site
    from conflictcheck.model import DeclaredConflict, Environment, Requirement, SpecId
    from conflictcheck.solver.oracle import Oracle

MOST_FIXES = 10
_MENU = 4
MOST_CLASHES = 12
"""So many clashes get a menu of their own."""
_LEAST_STEPS = 3000
"""Solver calls that may be spent at least; otherwise twice as many as it took to find the clashes."""
_LEAST_READ = 500
"""Releases that may be read at least; otherwise twice as many as it took to find the clashes."""
_SPLIT_BUDGET = 50
MOST_EDITS = 6
"""Edits at once that anybody wants to read about, where no number of environments was asked for."""


class Fixes(Struct):
    """What was found.

    Attributes:
        run: edits after which fewer environments are needed, best first.
        menus: for each clash, by its place, the edits that resolve it.
        hopeless: for each clash that no edit resolves, by its place, why.
        stuck: for each clash, by its place, the specs of it whose own lines cannot resolve it, and why.
        upstream: for each clash, by its place, the dependencies that block, and releases of them that would not.
        chosen: the places of the clashes that edits are looked for, `MOST_CLASHES` at most.
        complete: whether the budget was enough for the run, and for these.
        beyond: the most environments that no `MOST_EDITS` edits were found to come down to; 0 for none.
        sought: whether edits were looked for at all.
    """

    run: list[Fix] = field(default_factory=list)
    menus: dict[int, list[Fix]] = field(default_factory=dict)
    hopeless: dict[int, str] = field(default_factory=dict)
    stuck: dict[int, list[tuple[SpecId, str]]] = field(default_factory=dict)
    upstream: dict[int, list[str]] = field(default_factory=dict)
    chosen: list[int] = field(default_factory=list)
    complete: bool = True
    beyond: int = 0
    sought: bool = True


class _Solved(Struct, frozen=True):
    """A correction with its specifiers: what it makes of the lines, and how far it goes."""

    edits: tuple[Edit, ...]
    changes: Changes
    parts: tuple[tuple[SpecId, ...], ...]
    numbers: tuple[int, ...]
    downwards: int


class Fixer:
    """Finds fixes.

    Args:
        oracle: has answered about the clashes.
        specs: the lines of each spec.
        shared: lines that hold in every environment.
        cores: the clashes.
        placed: specs that can be installed alone.
        environment_count: how many environments the smallest split has.
        environments: gives them, where somebody waits for their packages.
        compiled: files made from others, with the file to edit instead.
        conflicts: specs that are meant to be apart: no edit for the run brings them together.
        read: says how many releases were read so far.
    """

    def __init__(
        self,
        oracle: Oracle,
        specs: Mapping[SpecId, frozenset[int]],
        shared: frozenset[int],
        *,
        cores: Sequence[Core],
        placed: Sequence[SpecId],
        environment_count: int,
        environments: Callable[[], Sequence[Environment]],
        compiled: Mapping[str, str],
        conflicts: Sequence[DeclaredConflict] = (),
        read: Callable[[], int] = lambda: 0,
    ) -> None:
        self._oracle = oracle
        self._specs = specs
        self._shared = shared
        self._cores = cores
        self._meant = frozenset(core for core in cores if any(each.names(core.specs) for each in conflicts))
        self._placed = placed
        self._environment_count = environment_count
        self._environments = environments
        self._sites = find_sites(oracle.lines, compiled)
        limits = Limits(max(_LEAST_STEPS, 2 * oracle.calls), max(_LEAST_READ, 2 * read()), read)
        self._corrector = Corrector(oracle, specs, shared, self._sites, limits)

    def find(self, target: int | None = None) -> Fixes:
        """Find edits, and a menu for each clash.

        Args:
            target: how many environments to come down to, or as few as edits can reach; None for as few as a handful
                of edits can.
        """
        fixes = Fixes(chosen=self._chosen())
        if not self._cores:
            return fixes
        solved: dict[tuple[SpecId, ...], list[_Solved]] = {}
        with suppress(BudgetSpent):
            for place in fixes.chosen:
                core = self._cores[place]
                if core.specs not in solved:
                    solved[core.specs] = self._for_clash(place, core, fixes)
                fixes.menus[place] = self._tried(solved[core.specs])
                if fixes.menus[place]:
                    fixes.stuck[place] = self._stuck_specs(core, fixes.menus[place])
            fixes.run = self._tried(self._for_run(target, solved, fixes), detailed=True)
        fixes.complete = not self._corrector.spent
        fixes.run = self._best(fixes)
        # Last, as it makes facts known that no answer needs.
        for place in fixes.menus:
            fixes.upstream[place] = name_upstream(self._oracle, frozenset(self._cores[place].lines))
        return fixes

    def _chosen(self) -> list[int]:
        """The places of the clashes that get edits: of those that say the same, the first goes before all others."""
        lines = self._oracle.lines
        firsts: dict[Hashable, int] = {}
        for number, core in enumerate(self._cores):
            firsts.setdefault(kind_of(lines[i] for i in core.lines), number)
        return list(dict.fromkeys((*firsts.values(), *range(len(self._cores)))))[:MOST_CLASHES]

    def _best(self, fixes: Fixes) -> list[Fix]:
        """Fixes for the run first, then those of single clashes that save an environment on their own."""
        known = {fix.edits for fix in fixes.run}
        alone = any(len(core.specs) == 1 for core in self._cores)
        menus = sorted(
            (fix for place, menu in fixes.menus.items() if self._cores[place] not in self._meant for fix in menu),
            key=lambda fix: (fix.environments_after, len(fix.edits)),
        )
        for fix in menus:
            if fix.edits not in known and (alone or fix.environments_after < self._environment_count):
                known.add(fix.edits)
                fixes.run.append(fix)
        return fixes.run[:MOST_FIXES]

    # -- which lines -------------------------------------------------------------------------------------------

    def _for_clash(self, place: int, core: Core, fixes: Fixes) -> list[_Solved]:
        obstacles = self._corrector.obstacles_of(self._cores, core.specs)
        found = self._corrector.corrections(core.specs, obstacles, most=_MENU)
        if not found:
            fixes.hopeless[place] = self._why_hopeless(core, obstacles)
        return self._solve_all(found)

    def _for_run(
        self, target: int | None, known: Mapping[tuple[SpecId, ...], list[_Solved]], fixes: Fixes
    ) -> list[_Solved]:
        """The smallest edits that bring all specs into as few environments as possible."""
        unplaced = {core.specs[0] for core in self._cores if len(core.specs) == 1}
        mendable = {spec for spec in unplaced if known.get((spec,))}
        everyone = sorted({*self._placed, *mendable})
        now = self._environment_count + (1 if mendable else 0)
        if solved := known.get(tuple(everyone)):
            return solved
        obstacles = self._corrector.obstacles_of(self._cores, everyone, self._meant)
        most_edits = MOST_EDITS if target is None else None
        apart = split_specs(everyone, self._meant, lambda _: None)
        for parts in range(max(target or 1, len(apart.parts)), now):
            try:
                found = self._corrector.corrections(everyone, obstacles, parts=parts, most=_MENU, most_edits=most_edits)
            except TooManyEdits:
                fixes.beyond = parts
                continue
            if found:
                return self._solve_all(correction for correction in found if correction.sites)
        return []

    # -- which specifiers --------------------------------------------------------------------------------------

    def _solve_all(self, corrections: Iterable[Correction]) -> list[_Solved]:
        solved: list[_Solved] = []
        for correction in corrections:
            try:
                one = self._solve(correction)
            except BudgetSpent:
                if not solved:
                    raise
                break
            if one is not None:
                solved.append(one)
        return sorted(solved, key=lambda one: (len(one.edits), one.downwards, one.numbers))

    def _solve(self, correction: Correction) -> _Solved | None:
        """The specifiers, line by line, while the lines that are still to come are relaxed."""
        changes = self._corrector.relaxed(correction.sites)
        edits = []
        downwards = 0
        for site in correction.sites:

            def admits(specifier: str, site: Site = site, changes: Changes = changes) -> bool:
                if not specifier and site.line.kind is RequirementKind.PYTHON:
                    return False
                try:
                    tried = changes | self._corrector.rewritten(site, specifier)
                except InvalidSpecifier:
                    return False
                return self._holds(correction.parts, tried)

            is_python = site.line.kind is RequirementKind.PYTHON
            written = Written(site.specifier, by_minor=is_python)
            versions, locked = self._versions(site.line, correction, changes)
            specifier = widen(written, versions, admits, locked)
            if specifier is None:
                return None
            changes |= self._corrector.rewritten(site, specifier)
            edits.append(_edit(site, specifier, {self._oracle.lines[i].spec for i in site.positions}))
            downwards += written.goes_down(specifier)
        numbers = tuple(site.number for site in correction.sites)
        return _Solved(tuple(edits), changes, correction.parts, numbers, downwards)

    def _holds(self, parts: Iterable[Sequence[SpecId]], changes: Changes) -> bool:
        return all(isinstance(self._corrector.ask(self._corrector.lines_of(part, changes)), Yes) for part in parts)

    def _versions(
        self, line: Requirement, correction: Correction, changes: Changes
    ) -> tuple[set[Version], set[Version]]:
        """The releases that may be written into the line, and those that others have to ask for."""
        if line.kind is RequirementKind.PYTHON:
            return {Version(version) for version in self._oracle.targets}, set()
        pythons = {
            reply.python_version
            for part in correction.parts
            if isinstance(reply := self._corrector.ask(self._corrector.lines_of(part, changes)), Yes)
        }
        versions: set[Version] = set()
        locked: set[Version] = set()
        for target in (target for python in pythons for target in self._oracle.targets[python]):
            package = self._oracle.kernel(target).packages.get(line.name)
            if package is not None:
                # A bound may be a release that another line asks for; one that names a pre-release asks itself.
                kinds = () if line.specifier.prereleases else (LockKind.PRERELEASE,)
                mask = sum(lock.mask for lock in package.locks if lock.kind in kinds)
                for i in bits(package.everything & ~package.candidates.direct):
                    (locked if mask >> i & 1 else versions).add(package.releases[i].version)
        return versions, locked

    # -- what it comes to --------------------------------------------------------------------------------------

    def _tried(self, solved: Iterable[_Solved], *, detailed: bool = False) -> list[Fix]:
        return [fix for one in solved if (fix := self._fix(one, detailed=detailed)) is not None]

    def _fix(self, solved: _Solved, *, detailed: bool) -> Fix | None:
        """The split with the edits made; None if it cannot be decided."""
        members = {spec for part in solved.parts for spec in part}
        placed = sorted({*self._placed, *members, *self._mended(solved.changes)})
        specs = {spec: apply(self._specs[spec], solved.changes) for spec in placed}
        finder = ClashFinder(self._oracle, specs, apply(self._shared, solved.changes))
        # A pin may ask for a yanked release or a pre-release, which a wider specifier does not.
        edited = [spec for spec in placed if finder.lines_of([spec]) != self._corrector.lines_of([spec], {})]
        if not all(isinstance(self._oracle.ask(finder.lines_of([spec])), Yes) for spec in edited):
            return None
        changed = solved.changes.keys()
        kept = [core for core in self._cores if not changed & set(core.lines) and not self._corrector.leans(core)]
        parts: Sequence[Sequence[SpecId]] = solved.parts
        if len(members) < len(placed) or len(parts) > 1:
            split = split_specs(placed, kept, finder.probe, _SPLIT_BUDGET)
            if not split.proven:
                return None
            parts = split.parts
        versions = self._changes(parts, finder) if detailed else ()
        return Fix(solved.edits, len(parts), versions, tuple(sorted(self._specs.keys() - set(placed))))

    def _mended(self, changes: Changes) -> list[SpecId]:
        """Specs that cannot be installed alone, and can with the edits: a line may belong to several."""
        return [
            spec
            for spec in self._specs
            if spec not in self._placed and isinstance(self._oracle.ask(self._corrector.lines_of([spec], changes)), Yes)
        ]

    def _changes(self, parts: Iterable[Sequence[SpecId]], finder: ClashFinder) -> tuple[Change, ...]:
        """Packages that the specs get in another version than in their environment of the split."""
        found: set[Change] = set()
        environments = self._environments()
        before = {environment.specs for environment in environments}
        for part in parts:
            lines = finder.lines_of(part)
            if tuple(part) in before and lines == self._corrector.lines_of(part, {}):
                continue
            reply = self._oracle.resolve(lines)
            if not isinstance(reply, Yes):
                continue
            after = self._pinned(reply)
            for environment in environments:
                if set(environment.specs).isdisjoint(part):
                    continue
                for pin in environment.packages:
                    version = after.get(pin.name)
                    if version is not None and version != pin.version and pin.url is None:
                        found.add(Change(pin.name, environment.name, pin.version, version))
        return tuple(sorted(found))

    def _pinned(self, reply: Yes) -> dict[str, str]:
        pinned: dict[str, str] = {}
        for target in self._oracle.targets[reply.python_version]:
            packages = self._oracle.kernel(target).packages
            for name, i in reply.solutions[target.platform].releases.items():
                pinned.setdefault(name, str(packages[name].releases[i].version))
        return pinned

    # -- what cannot be fixed ----------------------------------------------------------------------------------

    def _why_hopeless(self, core: Core, obstacles: Sequence[Obstacle]) -> str:
        """One clause: which lines could have helped and cannot be edited, or what holds whatever they say."""
        if why := self._not_edited(core.lines):
            return why
        for obstacle in reversed(obstacles):
            if not obstacle.sites and (facts := name_blockers(self._oracle, obstacle.lines)):
                return and_list(facts)
        return "wider specifiers were tried on all of its lines, and no releases were found that fit together"

    def _stuck_specs(self, core: Core, menu: Sequence[Fix]) -> list[tuple[SpecId, str]]:
        """The specs of a clash that no alternative leaves to themselves, where a fact about releases says why."""
        found = []
        for spec in core.specs if len(core.specs) > 1 else ():
            if any(all(edit.spec == spec or spec in edit.also for edit in fix.edits) for fix in menu):
                continue
            own = [site for site in self._sites if site.can_be_relaxed and self._specs[spec] & set(site.positions)]
            lines = self._corrector.lines_of(core.specs, self._corrector.relaxed(own))
            reply = self._corrector.ask(lines)
            if not isinstance(reply, No):
                continue
            # What other lines leave no room for is no reason where a line of its own stands in the way as well.
            if why := self._not_edited(reply.lines & self._specs[spec]):
                found.append((spec, why))
            elif facts := name_blockers(self._oracle, reply.lines):
                found.append((spec, and_list(facts)))
        return found

    def _not_edited(self, lines: Collection[int]) -> str:
        """One clause for each of the lines that has something to relax and cannot be edited."""
        rigid = [site for site in self._sites if site.obstacle and not set(lines).isdisjoint(site.positions)]
        return "; ".join(f"{place(site.line)} {site.line.text} is not edited: {site.obstacle}" for site in rigid)


def _edit(site: Site, specifier: str, specs: set[SpecId]) -> Edit:
    line = site.line
    new = with_specifier(line.text, specifier)
    return Edit(line.spec, line.file, line.line, line.text, new, also=tuple(sorted(specs - {line.spec})))
