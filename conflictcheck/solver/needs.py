"""What lines need on a target, and what the releases chosen for them need in turn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conflictcheck.solver.edges import RESTRICTING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from conflictcheck.solver.edges import Edge, Node
    from conflictcheck.solver.kernel import Kernel


@dataclass(slots=True)
class Needs:
    """What is needed, in breadth-first order from the lines.

    Attributes:
        domains: the releases of each package that all who ask for it admit, as bits.
        extras: the extras of each that are asked for, the empty one included.
        opened: locked releases that some requirement asks for, as bits.
        asked: the releases of each package that all lines on it admit, as bits.
        waiting: what was not looked into yet.
    """

    domains: dict[NormalizedName, int] = field(default_factory=dict)
    extras: dict[NormalizedName, set[str]] = field(default_factory=dict)
    opened: dict[NormalizedName, int] = field(default_factory=dict)
    asked: dict[NormalizedName, int] = field(default_factory=dict)
    waiting: deque[Node] = field(default_factory=deque)

    @property
    def nodes(self) -> set[Node]:
        """The packages and extras that are needed."""
        return {(name, extra) for name, extras in self.extras.items() for extra in extras}

    def add(self, edge: Edge) -> None:
        """Take in one more requirement."""
        self.domains[edge.name] = self.domains.get(edge.name, edge.mask) & edge.mask
        if edge.opens:
            self.opened[edge.name] = self.opened.get(edge.name, 0) | edge.opens
        known = self.extras.setdefault(edge.name, set())
        for extra in ("", *edge.extras):
            if extra not in known:
                known.add(extra)
                self.waiting.append((edge.name, extra))


def collect_needs(kernel: Kernel, lines: Iterable[int], chosen: Mapping[NormalizedName, int]) -> Needs:
    """Walk breadth-first from lines through the chosen releases, as far as these are loaded.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        chosen: the release of each package that has one yet.
    """
    needs = Needs()
    restrictions = []
    for i in lines:
        edge = kernel.line_edges[i]
        if edge is None:
            continue
        needs.asked[edge.name] = needs.asked.get(edge.name, edge.mask) & edge.mask
        if kernel.lines[i].kind in RESTRICTING:
            restrictions.append(edge)
        else:
            needs.add(edge)
    while needs.waiting:
        while needs.waiting:
            name, extra = needs.waiting.popleft()
            release = chosen.get(name)
            if release in kernel.loaded[name]:
                for edge in kernel.edge(name, release, extra):
                    needs.add(edge)
        # An override may ask for extras, and these for more.
        for edge in restrictions:
            if edge.name in needs.domains:
                needs.add(edge)
    return needs
