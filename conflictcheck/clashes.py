"""All minimal sets of specs that cannot share an environment, each shrunk to a minimal set of lines.

The specs' sets are enumerated as MARCO does (Liffiton, Previti, Malik, Marques-Silva, "Fast, flexible MUS
enumeration", Constraints 2016): a map solver proposes the largest set of specs that nothing is known about; if
the oracle says *yes*, all its subsets are done; if *no*, it is shrunk to a minimal set, and all supersets are done.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace
from pysat.solvers import Solver

from conflictcheck.model import RequirementKind
from conflictcheck.phrases import count
from conflictcheck.sameness import meaning, said
from conflictcheck.solver.oracle import Maybe, No, Yes

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from conflictcheck.model import SpecId
    from conflictcheck.solver.oracle import Oracle, Reply

BUDGET = 2_000
"""Sets of specs that are asked about, after which the enumeration is cut off, and says so."""
MOST_LINES = 2_000_000
"""The same for the lines of all these sets together: with a thousand specs, each question is a large one."""

_MANY = 150
"""So many specs are asked about together first: each on its own, they take a call each on ever more clauses."""
_MOST_TWINS = 10_000
_MOST_PAIRS = 300
"""Pairs of lines that are tried for each clash before the solver's own core is taken."""


class Core(Struct, frozen=True):
    """A minimal clashing set.

    Attributes:
        specs: the specs, sorted; without any one of them, the others can share an environment.
        lines: positions of a minimal set of lines of theirs (and of constraints and overrides).
        absent: specs whose presence would resolve it, as they ask for pre-releases or the like; almost always empty.
        minimal: whether each spec and each line was shown to be needed.
        sure: whether each spec was.
    """

    specs: tuple[SpecId, ...]
    lines: tuple[int, ...]
    absent: tuple[SpecId, ...] = ()
    minimal: bool = True
    sure: bool = True


class Findings(Struct):
    """What is known about the specs together.

    Attributes:
        placeable: specs that can be installed alone, sorted.
        cores: all minimal clashes found, those of single specs included; smallest first.
        complete: whether no further minimal clash exists.
        doubts: specs about which too little is known, and why; in no clash and not placeable.
        unclear: why an answer about several specs is missing.
    """

    placeable: tuple[SpecId, ...] = ()
    cores: list[Core] = field(default_factory=list)
    complete: bool = True
    doubts: dict[SpecId, str] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)


class ClashFinder:
    """Asks an oracle about sets of specs.

    Args:
        oracle: answers about sets of lines.
        specs: the lines of each spec.
        shared: lines that hold for every environment: constraints and overrides of the run.
        budget: how many sets to ask about.
    """

    def __init__(
        self,
        oracle: Oracle,
        specs: Mapping[SpecId, frozenset[int]],
        shared: frozenset[int] = frozenset(),
        budget: int = BUDGET,
    ) -> None:
        self._oracle = oracle
        self._specs = dict(sorted(specs.items()))
        self._shared = shared
        self._budget = budget

    @cached_property
    def _rank(self) -> dict[int, int]:
        """Lines in order of what they say, and not of where they stand: a clash keeps its id when lines move."""
        lines = self._oracle.lines
        every = sorted(self.lines_of(self._specs), key=lambda i: (lines[i].spec, said(lines[i]), i))
        return {line: rank for rank, line in enumerate(every)}

    @cached_property
    def _said(self) -> dict[SpecId, dict[Hashable, int]]:
        """For each spec what its lines say, with the first line that says it."""
        lines = self._oracle.lines
        return {spec: {meaning(lines[i]): i for i in sorted(own, reverse=True)} for spec, own in self._specs.items()}

    def lines_of(self, specs: Iterable[SpecId]) -> frozenset[int]:
        """The lines that an environment for these specs has to satisfy."""
        return self._shared.union(*(self._specs[spec] for spec in specs))

    def find(self) -> Findings:
        """Find every minimal clash.

        Returns:
            What was found; `Findings.complete` says whether that is all there is.
        """
        findings = Findings()
        good: list[SpecId] = []
        groups = self._distinct(self._specs)
        if len(groups) > _MANY:
            self._ask_together(list(groups))
        for spec, twins in groups.items():
            reply = self._ask_alone(spec)
            if isinstance(reply, Yes):
                good.append(spec)
            elif isinstance(reply, Maybe):
                findings.doubts.update(dict.fromkeys(twins, reply.reason))
                findings.complete = False
            else:
                findings.cores.extend(self._with_twins(self._shrink_lines((spec,), reply), groups))
        findings.placeable = tuple(sorted(twin for spec in good for twin in groups[spec]))
        self._enumerate({spec: groups[spec] for spec in good}, findings)
        findings.cores.sort(key=lambda core: (len(core.specs), core.specs, core.lines))
        return findings

    def probe(self, specs: Sequence[SpecId]) -> Core | Maybe | None:
        """Ask about one set of specs: None if they can share an environment, else a minimal clash among them."""
        reply = self._oracle.ask(self.lines_of(specs))
        if isinstance(reply, Yes):
            return None
        if isinstance(reply, Maybe):
            return reply
        return self._shrink(sorted(specs), reply)

    def _ask_alone(self, spec: SpecId) -> Reply:
        """Ask about one spec; a *no* is none where a line may be of the very package that others ask for in vain."""
        reply = self._oracle.ask(self.lines_of([spec]), quick=False)
        if isinstance(reply, Yes) or (line := self._oracle.nameless(self._specs[spec])) is None:
            return reply
        place = f"{line.url} ({line.file}:{line.line})"
        return Maybe(f"{place} does not tell which package it is; it would have to be cloned to be known")

    def _ask_together(self, specs: Sequence[SpecId], *, quick: bool = False) -> None:
        """Ask about all at once, without those that clash: a *yes* is one for fewer of them, and known from now on."""
        left = list(specs)
        while len(left) > 1:
            reply = self._oracle.ask(self.lines_of(left), quick=quick)
            blamed = set(self._blamed(left, reply)) if isinstance(reply, No) else set(left)
            left = [spec for spec in left if spec not in blamed]

    # -- sets of specs -----------------------------------------------------------------------------------------

    def _distinct(self, specs: Iterable[SpecId]) -> dict[SpecId, list[SpecId]]:
        """Specs that say the same, under the first of them: they clash with the same others."""
        groups: dict[frozenset[object], list[SpecId]] = {}
        for spec in specs:
            groups.setdefault(frozenset(self._said[spec]), []).append(spec)
        return {group[0]: group for group in groups.values()}

    def _enumerate(self, groups: Mapping[SpecId, Sequence[SpecId]], findings: Findings) -> None:
        specs = list(groups)
        if len(specs) < 2:  # noqa: PLR2004 - a clash takes two
            return
        number = {spec: i + 1 for i, spec in enumerate(specs)}
        fresh = itertools.count(len(specs) + 1)
        asked = 0
        known: dict[tuple[SpecId, ...], set[Core]] = defaultdict(set)
        with Solver(name="minisat22") as chart:
            chart.set_phases(list(number.values()))  # so that it begins with as many as there may be
            while (seed := _largest_model(chart, list(number.values()))) is not None:
                if asked >= self._budget or self._oracle.asked_lines > MOST_LINES:
                    findings.complete = False
                    findings.unclear.append(f"the search for clashes was cut off after {count(asked, 'question')}")
                    return
                asked += 1
                chosen = [spec for spec in specs if number[spec] in seed]
                reply = self._oracle.ask(self.lines_of(chosen))
                outside = [number[spec] for spec in specs if number[spec] not in seed]
                if isinstance(reply, No):
                    core = self._shrink(chosen, reply)
                    helpers = [number[spec] for spec in core.absent if spec in number]
                    findings.complete &= core.sure
                    for each in self._told_by(core, specs, known):
                        if each not in known[each.specs]:
                            known[each.specs].add(each)
                            findings.cores.extend(self._with_twins(each, groups))
                        chart.add_clause([*(-number[spec] for spec in each.specs), *helpers])
                    if helpers:
                        # It does not say that of these specs, with the helpers among them, which is known as well.
                        chart.add_clause([*(-number[spec] for spec in chosen), *outside])
                    continue
                if isinstance(reply, Maybe):
                    findings.complete = False
                    findings.unclear.append(reply.reason)
                clause = [
                    *outside,
                    *(self._lose(chart, fresh, number, chosen, reply) if isinstance(reply, Yes) else ()),
                ]
                if not clause:
                    return
                chart.add_clause(clause)

    def _lose(
        self, chart: Solver, fresh: Iterator[int], number: Mapping[SpecId, int], specs: Sequence[SpecId], yes: Yes
    ) -> list[int]:
        """Say when fewer of the specs may not have a *yes*: they need a locked release, and nothing asks for it.

        Fewer specs need less otherwise, so that a *yes* for some is one for all their subsets.

        Args:
            chart: gets the clauses.
            fresh: new variables of it.
            number: its variable of each spec.
            specs: that have the *yes*.
            yes: what they have.

        Returns:
            For each such release a variable that implies that this is so.
        """
        lost = []
        for needing, asking, together in self._may_lose(specs, yes):
            lost.append(next(fresh))
            chart.add_clause([-lost[-1], *(number[spec] for spec in needing)])
            for spec in asking:
                chart.add_clause([-lost[-1], -number[spec]])
            if not asking:
                chart.add_clause([-lost[-1], *(-number[spec] for spec in together)])
        return lost

    def _may_lose(self, specs: Sequence[SpecId], yes: Yes) -> list[tuple[tuple[SpecId, ...], ...]]:
        """The locked releases of a *yes* that fewer of the specs may need without asking for them.

        Returns:
            For each the specs that need it; those that ask for it, one of which is enough; and where there are none,
            those that may ask for it together.
        """
        found = set()
        for opened in yes.opened:
            needing, asking, together = (
                self._having(specs, lines) for lines in (opened.needed_by, opened.asked_by, opened.together)
            )
            always = self._shared & opened.asked_by or set(needing) <= set(asking) or not (asking or together)
            if not always:
                found.add((needing, asking, together))
        return sorted(found)

    def _having(self, specs: Sequence[SpecId], lines: frozenset[int]) -> tuple[SpecId, ...]:
        return tuple(spec for spec in specs if not lines.isdisjoint(self._specs[spec]))

    def _shrink(self, specs: Sequence[SpecId], no: No) -> Core:
        """From a *no* to a minimal set of specs: leave out one after the other, and use what each answer blames."""
        minimal = True
        current = self._blamed(specs, no)
        reply = self._oracle.ask(self.lines_of(current))
        if not isinstance(reply, No):
            # What is absent mattered: the blamed lines alone are not the clash.
            current, reply = list(specs), no
        for spec in list(current):
            if spec not in current or len(current) == 1:
                continue
            rest = [other for other in current if other != spec]
            without = self._oracle.ask(self.lines_of(rest))
            if isinstance(without, No):
                blamed = self._blamed(rest, without)
                confirmed = self._oracle.ask(self.lines_of(blamed)) if len(blamed) < len(rest) else without
                current, reply = (blamed, confirmed) if isinstance(confirmed, No) else (rest, without)
            elif isinstance(without, Maybe):
                minimal = False
        core = self._shrink_lines(tuple(current), reply)
        helpers = self._helpers(core) if reply.leans else ()
        absent = tuple(sorted({*core.absent, *helpers}))
        return replace(core, absent=absent, minimal=core.minimal and minimal, sure=minimal)

    def _helpers(self, core: Core) -> list[SpecId]:
        """Other specs that bring a release which asks for what is locked, and so resolve a clash."""
        lines = self.lines_of(core.specs)
        alone = [spec for spec in self._specs if isinstance(self._oracle.ask(self.lines_of([spec])), Yes)]
        return [spec for spec in alone if not isinstance(self._oracle.ask(lines | self._specs[spec]), No)]

    def _blamed(self, specs: Sequence[SpecId], no: No) -> list[SpecId]:
        return [spec for spec in specs if not no.lines.isdisjoint(self._specs[spec])]

    def _told_by(self, core: Core, specs: Collection[SpecId], known: Collection[tuple[SpecId, ...]]) -> list[Core]:
        """A clash, and those that follow from it, of sets of specs that are not known to clash."""
        told = {core.specs: core}
        for each in self._alike(core, specs):
            if each.specs not in known:
                told.setdefault(each.specs, each)
        return list(told.values())

    def _alike(self, core: Core, specs: Collection[SpecId]) -> Iterator[Core]:
        """The same clash between all other specs that have its lines, where any fewer of these can be together."""
        if len(core.specs) == 1 or not core.minimal:
            return
        reply = self._oracle.ask(frozenset(core.lines))
        if not isinstance(reply, No) or reply.leans or reply.absent:
            return
        lines = self._oracle.lines
        is_direct = len({lines[i].name for i in core.lines}) == 1
        shared = [i for i in core.lines if i in self._shared]
        sides = [{meaning(lines[i]) for i in core.lines if i in self._specs[spec]} for spec in core.specs]
        having = [[spec for spec in specs if side <= self._said[spec].keys()] for side in sides]
        if len(having) > 2:  # noqa: PLR2004 - each of two can be installed
            for fewer in itertools.combinations(having, len(having) - 1):
                self._ask_together(list(dict.fromkeys(itertools.chain(*fewer))), quick=True)
        for some in itertools.islice(itertools.product(*having), _MOST_TWINS):
            if some != core.specs and len(set(some)) == len(some) and self._is_minimal_set(some):
                moved = [self._said[spec][what] for spec, side in zip(some, sides, strict=True) for what in side]
                direct = None if is_direct else self._direct_pair(some, self.lines_of(some))
                chosen = direct if direct and self._is_minimal(direct) else (*moved, *shared)
                yield Core(tuple(sorted(some)), tuple(sorted(chosen)))

    def _is_minimal_set(self, specs: Sequence[SpecId]) -> bool:
        """Whether of specs that clash, each of which can be installed, any fewer can be together."""
        return len(specs) == 2 or all(  # noqa: PLR2004 - as above
            isinstance(self._oracle.ask(self.lines_of(fewer)), Yes)
            for fewer in itertools.combinations(specs, len(specs) - 1)
        )

    def _with_twins(self, core: Core, groups: Mapping[SpecId, Sequence[SpecId]]) -> list[Core]:
        """The clash itself, and the same one for every spec that says the same as one in it."""
        lines = self._oracle.lines
        found = []
        for specs in itertools.islice(itertools.product(*(groups[spec] for spec in core.specs)), _MOST_TWINS):
            renamed = dict(zip(core.specs, specs, strict=True))
            moved = (
                self._said[renamed[lines[i].spec]][meaning(lines[i])] if lines[i].spec in renamed else i
                for i in core.lines
            )
            found.append(replace(core, specs=tuple(sorted(specs)), lines=tuple(sorted(moved))))
        return found

    # -- lines -------------------------------------------------------------------------------------------------

    def _shrink_lines(self, specs: tuple[SpecId, ...], no: No) -> Core:
        """From a minimal set of specs to a minimal set of their lines: few, direct ones, and ranges over pins."""
        core = self._shrink_around(frozenset(), specs, no)
        # Without a line that asks for a pre-release or the like, or that brings a release which does, the others fail
        # for a reason that is not this clash.
        for held in (lambda _: self._oracle.enablers() & self.lines_of(specs), self.lines_of):
            kept = {self._oracle.lines[i].spec for i in core.lines}.intersection(specs)
            if len(kept) == len(specs):
                break
            core = self._shrink_around(held(kept), specs, no)
        return core

    def _shrink_around(self, held: frozenset[int], specs: tuple[SpecId, ...], no: No) -> Core:
        """Leave out one line after the other; those that are held only where that gives a minimal set."""
        lines = self.lines_of(specs)
        oracle = self._oracle
        current = no.lines | held if isinstance(oracle.ask(no.lines | held), No) else lines
        pair = self._direct_pair(specs, lines)
        if pair is not None and not held:
            current = pair
        for line in sorted(current - held, key=self._reluctance):
            if line not in current:
                continue
            reply = oracle.ask(current - {line})
            if isinstance(reply, No):
                smaller = (reply.lines | held) & (current - {line})
                current = smaller if isinstance(oracle.ask(smaller), No) else current - {line}
        # What was needed at first need not be: a line that is left out later may have been what asked for a release.
        minimal = self._is_minimal(current)
        if held and not minimal:
            fewer = self._without_needless(current, held, specs)
            if self._is_minimal(fewer):
                current, minimal = fewer, True
        reply = oracle.ask(current)
        absent = reply.absent if isinstance(reply, No) else frozenset()
        return Core(
            specs,
            tuple(sorted(current)),
            tuple(sorted({oracle.lines[i].spec for i in absent} - set(specs))),
            minimal=minimal,
        )

    def _is_minimal(self, lines: frozenset[int]) -> bool:
        return all(isinstance(self._oracle.ask(lines - {line}), Yes) for line in lines)

    def _without_needless(
        self, lines: frozenset[int], held: frozenset[int], specs: Collection[SpecId]
    ) -> frozenset[int]:
        """Lines without those of the held ones that they clash without, one of each spec at least."""
        for line in sorted(lines & held, key=self._reluctance):
            fewer = lines - {line}
            if {self._oracle.lines[i].spec for i in fewer}.issuperset(specs) and isinstance(
                self._oracle.ask(fewer), No
            ):
                lines = fewer
        return lines

    def _direct_pair(self, specs: Sequence[SpecId], lines: Collection[int]) -> frozenset[int] | None:
        """Two lines on one package that cannot both hold, if there are: the argument that is easiest to follow."""
        every = self._oracle.lines
        named: dict[str, dict[Hashable, int]] = {}
        for i in sorted(lines, key=self._rank.__getitem__):
            line = every[i]
            if line.kind is not RequirementKind.PYTHON:
                # Of lines of a spec that say the same, one is enough.
                named.setdefault(line.name, {}).setdefault((line.spec, *meaning(line)), i)
        pairs = (
            frozenset(pair)
            for group in named.values()
            for pair in itertools.combinations(group.values(), 2)
            if {every[i].spec for i in pair}.issuperset(specs)
        )
        tried = itertools.islice(pairs, _MOST_PAIRS)
        return next((pair for pair in tried if isinstance(self._oracle.ask(pair), No)), None)

    def _reluctance(self, line: int) -> tuple[int, int]:
        """Which lines to try to leave out first: constraints, then pins, then what is last by what it says."""
        requirement = self._oracle.lines[line]
        is_pin = any(part.operator in ("==", "===") for part in requirement.specifier)
        is_plain = requirement.kind is RequirementKind.REQUIREMENT
        return (0 if not is_plain else 1 if is_pin else 2, -self._rank[line])


def _largest_model(chart: Solver, variables: Sequence[int]) -> set[int] | None:
    """A set of variables that the chart allows and that cannot be enlarged; None if it allows none."""
    chosen: dict[int, None] = {}
    left = list(variables)
    while chart.solve(assumptions=list(chosen)):
        # With one more of them, the solver may have taken in others as well.
        true = set(chart.get_model())
        chosen.update((variable, None) for variable in left if variable in true)
        left = [variable for variable in left if variable not in chosen]
        while left and not chart.solve(assumptions=[*chosen, left[0]]):
            del left[0]
        if not left:
            return set(chosen)
        chosen[left[0]] = None
    return None
