"""What lines need on a target, and what the releases chosen for them need in turn."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct, field

from conflictcheck.solver.edges import RESTRICTING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from conflictcheck.solver.edges import Edge, Node
    from conflictcheck.solver.kernel import Kernel


class Needs(Struct):
    """What is needed, in breadth-first order from the lines.

    Attributes:
        domains: the releases of each package that all who ask for it admit, as bits.
        extras: the extras of each that are asked for, the empty one included.
        opened: locked releases that some requirement asks for, as bits.
        asked: the releases of each package that all lines on it admit, as bits.
        restrictions: what constraints and overrides among the lines say.
        waiting: what was not looked into yet.
    """

    domains: dict[NormalizedName, int] = field(default_factory=dict)
    extras: dict[NormalizedName, set[str]] = field(default_factory=dict)
    opened: dict[NormalizedName, int] = field(default_factory=dict)
    asked: dict[NormalizedName, int] = field(default_factory=dict)
    restrictions: list[Edge] = field(default_factory=list)
    waiting: deque[Node] = field(default_factory=deque)

    @property
    def nodes(self) -> set[Node]:
        """The packages and extras that are needed."""
        return {(name, extra) for name, extras in self.extras.items() for extra in extras}

    def add(self, edges: Iterable[Edge]) -> None:
        """Take in more requirements."""
        domains, extras, waiting = self.domains, self.extras, self.waiting
        for edge in edges:
            name = edge.name
            known = extras.get(name)
            if known is None:
                domains[name] = edge.mask
                extras[name] = known = {""}
                waiting.append((name, ""))
            else:
                domains[name] &= edge.mask
            if edge.opens:
                self.opened[name] = self.opened.get(name, 0) | edge.opens
            for extra in edge.extras:
                if extra not in known:
                    known.add(extra)
                    waiting.append((name, extra))

    def follow(self, kernel: Kernel, chosen: Mapping[NormalizedName, int]) -> None:
        """Walk breadth-first from what waits through the chosen releases, as far as these are loaded."""
        waiting, loaded = self.waiting, kernel.loaded
        while waiting:
            while waiting:
                name, extra = waiting.popleft()
                release = chosen.get(name)
                if release in loaded[name]:
                    self.add(kernel.edge(name, release, extra))
            # An override may ask for extras, and these for more.
            self.add(edge for edge in self.restrictions if edge.name in self.domains)

    def choose(self, kernel: Kernel, chosen: Mapping[NormalizedName, int], names: Iterable[NormalizedName]) -> None:
        """Walk on after a release was chosen of some packages that had none yet."""
        self.waiting.extend((name, extra) for name in names for extra in sorted(self.extras.get(name, ())))
        self.follow(kernel, chosen)


def collect_needs(kernel: Kernel, lines: Iterable[int], chosen: Mapping[NormalizedName, int]) -> Needs:
    """What lines need, with the chosen releases.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        chosen: the release of each package that has one yet.
    """
    needs = Needs()
    for i in lines:
        edge = kernel.line_edges[i]
        if edge is None:
            continue
        needs.asked[edge.name] = needs.asked.get(edge.name, edge.mask) & edge.mask
        if kernel.lines[i].kind in RESTRICTING:
            needs.restrictions.append(edge)
        else:
            needs.add((edge,))
    needs.follow(kernel, chosen)
    return needs


def offered(kernel: Kernel, needs: Needs, name: NormalizedName) -> int:
    """The releases that all who ask for a package admit, without those that are locked, as bits."""
    package = kernel.packages[name]
    asked = needs.asked.get(name)
    opened = needs.opened.get(name, 0) | (0 if asked is None else package.opened_jointly(asked))
    return needs.domains[name] & (package.unlocked | opened)
