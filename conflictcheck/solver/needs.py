"""What lines need on a target, and what the releases chosen for them need in turn."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from msgspec import Struct, field

from conflictcheck.solver.answers import Opened
from conflictcheck.solver.edges import RESTRICTING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.solver.edges import Edge, Node
    from conflictcheck.solver.encoding import Assignment
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


def opened_releases(
    kernel: Kernel, lines: Collection[int], chosen: Mapping[NormalizedName, int], needs: Needs
) -> tuple[Opened, ...]:
    """The locked releases of a solution, each with the lines that need it and those that ask for it.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        chosen: the release of each package.
        needs: what the lines need with these.
    """
    locked = [name for name in needs.domains if not kernel.packages[name].unlocked >> chosen[name] & 1]
    if not locked:
        return ()
    askers = _Askers(chosen)
    on: dict[NormalizedName, set[int]] = defaultdict(set)
    for i in lines:
        edge = kernel.line_edges[i]
        if edge is not None:
            on[edge.name].add(i)
            askers.add(i, edge, wants=kernel.lines[i].kind not in RESTRICTING)
    for name, extra in needs.nodes:
        for edge in kernel.edge(name, chosen[name], extra):
            askers.add((name, extra), edge)
    found = []
    for name in locked:
        asked_by = askers.lines_behind(askers.asked_by[name])
        together = frozenset() if asked_by else frozenset(on[name])
        found.append(Opened(askers.lines_behind([(name, "")]), asked_by, together))
    return tuple(found)


class _Askers(Struct, frozen=True):
    """Who needs what in a solution: a line by its position, or a package or extra.

    Attributes:
        chosen: the release of each package.
        needed_by: who needs each package or extra.
        asked_by: who asks for the release of a package, if it is a locked one.
    """

    chosen: Mapping[NormalizedName, int]
    needed_by: dict[Node, list[int | Node]] = field(default_factory=lambda: defaultdict(list))
    asked_by: dict[NormalizedName, list[int | Node]] = field(default_factory=lambda: defaultdict(list))

    def add(self, asker: int | Node, edge: Edge, *, wants: bool = True) -> None:
        """Take in a requirement; one that does not want its package restricts it where others do."""
        if edge.opens >> self.chosen.get(edge.name, 0) & 1:
            self.asked_by[edge.name].append(asker)
        if wants:
            self.needed_by[edge.name, ""].append(asker)
        for extra in edge.extras:
            # What an override adds to a package is there for whoever needs the package.
            self.needed_by[edge.name, extra].append(asker if wants else (edge.name, ""))

    def lines_behind(self, askers: Iterable[int | Node]) -> frozenset[int]:
        """See `_lines_behind`."""
        return _lines_behind(askers, self.needed_by.__getitem__)


def _lines_behind(askers: Iterable[int | Node], needing: Callable[[Node], Iterable[int | Node]]) -> frozenset[int]:
    """The lines that all these are there for, by who needs each package or extra."""
    found = set(waiting := list(askers))
    while waiting:
        asker = waiting.pop()
        new = [] if isinstance(asker, int) else [one for one in needing(asker) if one not in found]
        found.update(new)
        waiting += new
    return frozenset(one for one in found if isinstance(one, int))


def opened_in(
    kernel: Kernel, lines: Iterable[int], true: Assignment, locked: Sequence[NormalizedName]
) -> tuple[Opened, ...] | None:
    """As `opened_releases`, of an assignment whose solution nobody has looked at: upwards from the locked releases.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        true: what holds; only loaded releases are installed.
        locked: packages of which a locked release is installed; what nobody needs of them is left out.

    Returns:
        None where that does not tell: none of those who need it asks for a locked release on its own.
    """
    if not locked:
        return ()
    above = _Above(kernel, lines, true)
    found = []
    for name in locked:
        needed_by = above.lines_behind([(name, "")])
        asked_by = above.lines_behind(above.askers(name))
        if needed_by and not asked_by:
            return None
        if needed_by:
            found.append(Opened(needed_by, asked_by))
    return tuple(found)


class _Above:
    """Who needs what in an assignment.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        true: what holds.
    """

    def __init__(self, kernel: Kernel, lines: Iterable[int], true: Assignment) -> None:
        self._kernel = kernel
        self._true = true
        self._on: dict[NormalizedName, list[tuple[int, Edge]]] = defaultdict(list)
        for i in lines:
            edge = kernel.line_edges[i]
            if edge is not None:
                self._on[edge.name].append((i, edge))

    def askers(self, name: NormalizedName) -> list[int | Node]:
        """Who asks for the release of a package, if it is a locked one."""
        release = self._kernel.release_in(self._true, name)
        found: list[int | Node] = [i for i, edge in self._on.get(name, ()) if edge.opens >> release & 1]
        return found + [source for source, edge in self._sources((name, "")) if edge.opens >> release & 1]

    def lines_behind(self, askers: Iterable[int | Node]) -> frozenset[int]:
        """See `_lines_behind`."""
        return _lines_behind(askers, self._needing)

    def _needing(self, node: Node) -> set[int | Node]:
        name, extra = node
        found: set[int | Node] = set()
        for i, edge in self._on.get(name, ()):
            if not extra or extra in edge.extras:
                if self._kernel.lines[i].kind not in RESTRICTING:
                    found.add(i)
                elif extra:
                    # What an override adds to a package is there for whoever needs the package.
                    found.add((name, ""))
        found.update(source for source, edge in self._sources(node) if not extra or extra in edge.extras)
        return found

    def _sources(self, node: Node) -> Iterator[tuple[Node, Edge]]:
        """What of the installed may need a package or an extra, with its requirement on the package."""
        kernel, true = self._kernel, self._true
        for source in kernel.known.sources(node):
            if kernel.known.variable(source) not in true:
                continue
            if kernel.packages[source[0]].steps.installed in true:
                for edge in kernel.edge(source[0], kernel.release_in(true, source[0]), source[1]):
                    if edge.name == node[0]:
                        yield source, edge
