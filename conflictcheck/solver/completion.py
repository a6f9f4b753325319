"""Is a *no* that rests on locked releases staying locked final? Something that nobody looked into might ask for them.

The kernel is optimistic about releases that are not loaded, except that they ask for nothing that is locked; and it
lets a release that nobody needs ask for it. Here both are mended, for one question: every installed package must be
needed by a line or by another installed release (Clark's completion, with loop formulas where releases only need each
other: Lin and Zhao, "ASSAT: computing answer sets of a logic program by SAT solvers", 2004), and a lock that nothing
loaded opens takes a release that is installed and not loaded. Either there is no model, or it names the releases to
load before asking again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.model import RequirementKind
from conflictcheck.solver.encoding import bits
from conflictcheck.solver.needs import collect_needs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.solver.edges import Node
    from conflictcheck.solver.kernel import Kernel

MOST_RELEASES = 100
"""How many releases are loaded for such questions, in all."""
_MOST_AT_ONCE = 30
"""How many at once: a question about many lines would take all, and what it comes down to is one about few."""
_NEIGHBOURS = 8


class Completion:
    """The question whether some lines can be satisfied, locks and needs taken exactly.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        base: literals that hold: the lines' selectors, and what else the question assumes.

    Attributes:
        leans: after a *no*: whether more lines may change it, by needing what these do not.
        lifted_by: after such a *no*: the lines that may.
        solution: after a *yes*: the release of each package.
    """

    def __init__(self, kernel: Kernel, lines: Sequence[int], base: Sequence[int]) -> None:
        self._kernel = kernel
        self._lines = lines
        self._edges = [(i, edge) for i in lines if (edge := kernel.line_edges[i]) is not None]
        self._base = base
        self._loops: list[int] = []
        self.leans = False
        self.lifted_by: frozenset[int] = frozenset()
        self.solution: Mapping[NormalizedName, int] = {}

    def core(self) -> list[int] | None:
        """The literals of the base that are impossible together, or None if the kernel knows a solution now.

        Raises:
            TooMany: if too many releases would have to be loaded to tell.
        """
        kernel = self._kernel
        while self._is_possible():
            chosen, extras = kernel.model()
            reached = collect_needs(kernel, self._lines, chosen).nodes
            new = {
                (name, chosen[name])
                for name, _ in reached
                if chosen[name] not in kernel.loaded[name] and kernel.packages[name].unknown is None
            }
            if new:
                self._load(sorted(new))
                self._loops.clear()
                continue
            unfounded = frozenset({*((name, "") for name in chosen), *extras} - reached)
            if not unfounded:
                self.solution = chosen
                return None
            self._loops.append(self._demand_from_outside(unfounded))
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
        if not kernel.solve(self._base, locked=False):
            return False
        if kernel.loaded_to_be_sure >= MOST_RELEASES:
            raise TooMany
        cone = self._cone()
        asked = frozenset(self._lines)
        assumed = [
            *kernel.known.demands(cone),
            *kernel.known.only_strangers_ask(kernel.keys),
            *(-package.steps.installed for name, package in kernel.packages.items() if (name, "") not in cone),
            *(-selector for i, selector in enumerate(kernel.selectors) if i not in asked),
        ]
        return kernel.solve([*self._base, *assumed, *self._loops], locked=False)

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

    def _demand_from_outside(self, loop: frozenset[Node]) -> int:
        """A literal that, assumed, lets packages that only need each other be installed only where others need one."""
        known = self._kernel.known
        demand = self._kernel.new_variable()
        # In an order that does not change from run to run, as the solver's model depends on it.
        nodes = sorted(loop)
        outside = [reason for node in nodes for reason in known.reasons(node, besides=loop)]
        self._kernel.add([-demand, -known.variable(node), *outside] for node in nodes)
        return demand


class TooMany(Exception):  # noqa: N818 - a signal, not an error
    """More releases might ask for what is locked than are loaded to be sure."""


def _nodes(name: NormalizedName, extras: Iterable[str]) -> list[Node]:
    return [(name, ""), *((name, extra) for extra in extras)]
