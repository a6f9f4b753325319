"""Is a *no* that rests on locked releases staying locked final? Something that nobody looked into might ask for them.

The kernel is optimistic about releases that are not loaded, except that they ask for nothing that is locked; and it
lets a release that nobody needs ask for it. Here both are mended, for one question: every installed package must be
needed by a line or by another installed release (Clark's completion, with loop formulas where releases only need each
other: Lin and Zhao, "ASSAT: computing answer sets of a logic program by SAT solvers", 2004), locked releases that only
ask for each other are ruled out in the same way, and a lock that nothing loaded opens takes a release that is installed
and not loaded. Either there is no model, or it names the releases to load before asking again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.facts import Unknown
from conflictcheck.model import RequirementKind
from conflictcheck.solver.askers import asked_in, asks
from conflictcheck.solver.at_once import solution_of
from conflictcheck.solver.encoding import bits, runs
from conflictcheck.solver.needs import collect_needs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.solver.answers import Solution
    from conflictcheck.solver.edges import Node
    from conflictcheck.solver.encoding import Lock
    from conflictcheck.solver.kernel import Kernel

MOST_RELEASES = 100
"""How many releases are loaded for such questions, in all."""
_MOST_AT_ONCE = 30
"""How many at once: a question about many lines would take all, and what it comes down to is one about few."""
_NEIGHBOURS = 8
_MOST_LOOPS = 500


class Completion:
    """The question whether some lines can be satisfied, locks and needs taken exactly.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        base: literals that hold: the lines' selectors, and what else the question assumes.
        closed: whether what is not loaded is taken to need nothing and to ask for nothing: then nothing is loaded.

    Attributes:
        leans: after a *no*: whether more lines may change it, by needing what these do not.
        lifted_by: after such a *no*: the lines that may.
        solution: after a *yes*: what it is.
    """

    def __init__(self, kernel: Kernel, lines: Sequence[int], base: Sequence[int], *, closed: bool = False) -> None:
        self._kernel = kernel
        self._lines = lines
        self._edges = [(i, edge) for i in lines if (edge := kernel.line_edges[i]) is not None]
        self._base = base
        self._closed = closed
        self._loops: list[int] = []
        self.leans = False
        self.lifted_by: frozenset[int] = frozenset()
        self.solution: Solution | None = None

    def core(self) -> list[int] | None:
        """The literals of the base that are impossible together, or None if the kernel knows a solution now.

        Where it is `closed`, None may also say that this does not tell.

        Raises:
            TooMany: if too many releases would have to be loaded to tell, or there are too many loops.
        """
        kernel = self._kernel
        while self._is_possible():
            if len(self._loops) == _MOST_LOOPS:
                if self._closed:
                    return None
                raise TooMany
            chosen, extras = kernel.model()
            needs = collect_needs(kernel, self._lines, chosen)
            reached = needs.nodes
            new = {
                (name, chosen[name])
                for name, _ in reached
                if chosen[name] not in kernel.loaded[name] and kernel.packages[name].unknown is None
            }
            if new and not self._closed:
                self._load(sorted(new))
                self._loops.clear()
                continue
            unfounded = frozenset({*((name, "") for name in chosen), *extras} - reached)
            if unfounded:
                self._loops.append(self._demand_from_outside(unfounded))
                continue
            asked = asked_in(kernel, self._lines, chosen, needs)
            if not asked.unfounded or self._may_ask_for_anything(needs.domains, chosen):
                self.solution = solution_of(chosen, needs, asked.opened)
                return None
            self._loops.append(self._demand_asking_from_outside(asked.unfounded, chosen, reached))
        own = frozenset(self._base)
        core = kernel.core()
        # Without more lines, no more is needed: what is impossible for this reason may become possible with them.
        further = [literal for literal in core if literal not in own]
        self.leans = bool(further)
        self.lifted_by = self._lines_against(further)
        return [literal for literal in core if literal in own]

    def _load(self, new: Sequence[tuple[NormalizedName, int]]) -> None:
        """Load what is locked first, with its neighbours: most often it cannot be installed, whoever asks for it."""
        kernel = self._kernel
        locked = [
            (name, k)
            for name, i in new
            if (mask := kernel.packages[name].everything & ~kernel.packages[name].unlocked) >> i & 1
            for k in bits(mask & ((1 << i + 1) - 1))[:_NEIGHBOURS]
            if k not in kernel.loaded[name]
        ]
        wanted = locked or new
        if len(wanted) > _MOST_AT_ONCE:
            raise TooMany
        kernel.loaded_to_be_sure += len(wanted)
        kernel.load(wanted)

    def _is_possible(self) -> bool:
        """Ask, and where that is possible ask again with nothing installed that nothing needs."""
        kernel = self._kernel
        if not kernel.solve(self._base, locked=self._closed):
            return False
        if kernel.loaded_to_be_sure >= MOST_RELEASES and not self._closed:
            raise TooMany
        cone = self._cone()
        asked = frozenset(self._lines)
        assumed = [
            *kernel.known.demands(cone),
            *(() if self._closed else kernel.known.only_strangers_ask(kernel.keys)),
            *(-package.steps.installed for name, package in kernel.packages.items() if (name, "") not in cone),
            *(-selector for i, selector in enumerate(kernel.selectors) if i not in asked),
        ]
        return kernel.solve([*self._base, *assumed, *self._loops], locked=self._closed)

    def _cone(self) -> dict[Node, None]:
        """All packages and extras that the lines may come to need, through whatever releases are loaded."""
        kernel = self._kernel
        waiting = [
            node
            for i, edge in self._edges
            if kernel.lines[i].kind is not RequirementKind.CONSTRAINT
            for node in _nodes(edge.name, edge.extras)
        ]
        found: dict[Node, None] = dict.fromkeys(waiting)
        while waiting:
            new = [node for node in kernel.known.needs(waiting.pop()) if node not in found]
            found.update(dict.fromkeys(new))
            waiting += new
        return found

    def _lines_against(self, literals: Iterable[int]) -> frozenset[int]:
        """The lines with which some of the literals of `_is_possible` might not be assumed.

        They are about a line that is not asked for, or about a package that no line comes to need. What the others say
        of who needs what holds for all lines.
        """
        kernel = self._kernel
        absent = {-literal for literal in literals}
        found = {line for literal in absent if (line := kernel.line_of(literal)) is not None}
        waiting = [(name, "") for name, package in kernel.packages.items() if package.steps.installed in absent]
        known = set(waiting)
        while waiting:
            node = waiting.pop()
            found.update(line for each in kernel.known.selectors(node) if (line := kernel.line_of(each)) is not None)
            new = [source for source in kernel.known.sources(node) if source not in known]
            known.update(new)
            waiting += new
        return frozenset(found.difference(self._lines))

    def _may_ask_for_anything(self, names: Iterable[NormalizedName], chosen: Mapping[NormalizedName, int]) -> bool:
        """Whether of one of the packages, or of its chosen release, it cannot be known what it needs."""
        packages, loaded = self._kernel.packages, self._kernel.loaded
        return not self._closed and any(
            packages[name].unknown is not None or isinstance(loaded[name][chosen[name]].metadata, Unknown)
            for name in names
        )

    def _demand_from_outside(self, loop: frozenset[Node]) -> int:
        """A literal that, assumed, lets packages that only need each other be installed only where others need one."""
        known = self._kernel.known
        demand = self._kernel.new_variable()
        # In an order that does not change from run to run, as the solver's model depends on it.
        nodes = sorted(loop)
        outside = [reason for node in nodes for reason in known.reasons(node, besides=loop)]
        self._kernel.add([-demand, -known.variable(node), *outside] for node in nodes)
        return demand

    def _demand_asking_from_outside(
        self, unfounded: Mapping[NormalizedName, Lock], chosen: Mapping[NormalizedName, int], reached: Collection[Node]
    ) -> int:
        """A literal that, assumed, lets no locked releases be installed that only what they bring asks for.

        Args:
            unfounded: the packages of these, each with the lock that nothing else opens.
            chosen: the release of each package.
            reached: the packages and extras that the lines need with these.
        """
        kernel, known = self._kernel, self._kernel.known
        others = {name: i for name, i in chosen.items() if name not in unfounded}
        founded = {node for node in collect_needs(kernel, self._lines, others).nodes if node[0] not in unfounded}
        loop = frozenset(reached) - founded
        every_line = [(i, edge) for i, edge in enumerate(kernel.line_edges) if edge is not None]
        outside = [] if self._closed else [known.stranger]
        for name, extra in sorted(loop):
            if name not in unfounded:
                outside += known.reasons((name, extra), besides=loop)
        for name, lock in sorted(unfounded.items()):
            outside += [
                *(kernel.selectors[i] for i, edge in every_line if edge.name == name and asks(i, edge, lock)),
                *lock.together,
                *known.asking(name, lock.mask, besides=loop),
                *(known.installed_run((name, ""), *run) for run in runs(kernel.packages[name].everything & ~lock.mask)),
            ]
        demand = kernel.new_variable()
        kernel.add(
            [-demand, *kernel.packages[name].unless_run(*run), *outside]
            for name, lock in sorted(unfounded.items())
            for run in runs(lock.mask)
        )
        return demand


class TooMany(Exception):  # noqa: N818 - a signal, not an error
    """More releases might ask for what is locked than are loaded to be sure."""


def _nodes(name: NormalizedName, extras: Iterable[str]) -> list[Node]:
    return [(name, ""), *((name, extra) for extra in extras)]
