"""Who asks for the locked releases of a solution, and whether that begins at a line.

A locked release is founded where a line asks for it, or what the lines reach without it: the locked releases of a
solution have an order in which each is asked for by lines, or by releases that these reach through what is not locked
or comes earlier. Two that only ask for each other have none. (Well-founded support: the least model of a logic
program without negation; van Emden, Kowalski, "The semantics of predicate logic as a programming language", 1976.)
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from conflictcheck.solver.answers import Opened
from conflictcheck.solver.edges import RESTRICTING
from conflictcheck.solver.encoding import JOINTLY_OPENED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from conflictcheck.solver.edges import Edge, Node
    from conflictcheck.solver.encoding import Assignment, Lock
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.solver.needs import Needs


class Founded(Struct, frozen=True):
    """The locked releases of a solution.

    Attributes:
        opened: those that are founded.
        unfounded: the packages of the others, each with a lock that nothing founded opens.
    """

    opened: tuple[Opened, ...] = ()
    unfounded: Mapping[NormalizedName, Lock] = field(default_factory=dict)


def asks(asker: int | Node, edge: Edge, lock: Lock) -> bool:
    """Whether a line, given by its position, or a release asks for what is locked of a package that it needs."""
    return bool(edge.opens & lock.mask) or (isinstance(asker, int) and asker in lock.lines)


def asked_in(kernel: Kernel, lines: Iterable[int], chosen: Mapping[NormalizedName, int], needs: Needs) -> Founded:
    """Look at the locked releases of a solution.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        chosen: the release of each package.
        needs: what the lines need with these.
    """
    locked = _locked(kernel, {name: chosen[name] for name in needs.domains})
    if not locked:
        return Founded()
    below = _Below(needs.asked)
    for i in lines:
        edge = kernel.line_edges[i]
        if edge is not None:
            below.add(i, edge, wants=kernel.lines[i].kind not in RESTRICTING)
    for name, extra in needs.nodes:
        if chosen[name] in kernel.loaded[name]:
            for edge in kernel.edge(name, chosen[name], extra):
                below.add((name, extra), edge)
    return _in_order(locked, below)


def opened_in(
    kernel: Kernel, lines: Iterable[int], true: Assignment, locked: Collection[NormalizedName]
) -> tuple[Opened, ...] | None:
    """As `asked_in`, of an assignment whose solution nobody has looked at: upwards from the locked releases.

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        true: what holds; only loaded releases are installed.
        locked: packages of which a locked release is installed; what nobody needs of them is left out.

    Returns:
        None where that does not tell: some are not founded, or lines ask for them only together.
    """
    if not locked:
        return ()
    above = _Above(kernel, lines, true)
    needed = (name for name in locked if above.lines_behind([(name, "")]))
    found = _in_order(_locked(kernel, {name: kernel.release_in(true, name) for name in needed}), above)
    return None if found.unfounded else found.opened


def _locked(kernel: Kernel, chosen: Mapping[NormalizedName, int]) -> dict[NormalizedName, list[Lock]]:
    """The packages of which a locked release is chosen, each with its locks."""
    packages = kernel.packages
    return {
        name: [lock for lock in packages[name].locks if lock.mask >> i & 1]
        for name, i in chosen.items()
        if packages[name].locks and not packages[name].unlocked >> i & 1
    }


class _Who(Protocol):
    """Who asks for what in a solution."""

    def askers(self, name: NormalizedName, lock: Lock) -> Iterable[int | Node]:
        """Lines and what of the solution asks for a package's locked release."""

    def together(self, name: NormalizedName, lock: Lock) -> frozenset[int]:
        """The lines that ask for it together; none where they do not."""

    def lines_behind(self, askers: Iterable[int | Node], barred: Collection[NormalizedName] = ()) -> frozenset[int]:
        """The lines that these are there for; what they reach through the barred packages does not count."""


def _in_order(locked: Mapping[NormalizedName, list[Lock]], who: _Who) -> Founded:
    """Let in one package after the other that is asked for by what the lines reach without those that are left."""
    left = dict(locked)
    opened: dict[Opened, None] = {}
    alone = True
    while left:
        before = len(left)
        for name, locks in locked.items():
            if name not in left:
                continue
            by = [who.lines_behind(who.askers(name, lock), left) for lock in locks]
            together = [
                who.together(name, lock) if not lines and not alone else frozenset[int]()
                for lock, lines in zip(locks, by, strict=True)
            ]
            if all(map(frozenset.union, by, together)):
                needed_by = who.lines_behind([(name, "")])
                opened.update((Opened(needed_by, *pair), None) for pair in zip(by, together, strict=True))
                del left[name]
        if len(left) == before:
            if not alone:
                break
            alone = False
    unfounded = {
        name: next(
            lock
            for lock in locks
            if not who.lines_behind(who.askers(name, lock), left) and not who.together(name, lock)
        )
        for name, locks in left.items()
    }
    return Founded(tuple(opened), unfounded)


class _Below:
    """Who needs what in a solution, of which all is known.

    Args:
        asked: the releases of each package that all lines on it admit, as bits.
    """

    def __init__(self, asked: Mapping[NormalizedName, int]) -> None:
        self._asked = asked
        self._needed_by: dict[Node, list[int | Node]] = defaultdict(list)
        self._on: dict[NormalizedName, list[tuple[int | Node, Edge]]] = defaultdict(list)

    def add(self, asker: int | Node, edge: Edge, *, wants: bool = True) -> None:
        """Take in a requirement; one that does not want its package restricts it where others do."""
        self._on[edge.name].append((asker, edge))
        if wants:
            self._needed_by[edge.name, ""].append(asker)
        for extra in edge.extras:
            # What an override adds to a package is there for whoever needs the package.
            self._needed_by[edge.name, extra].append(asker if wants else (edge.name, ""))

    def askers(self, name: NormalizedName, lock: Lock) -> list[int | Node]:
        """See `_Who`."""
        return [asker for asker, edge in self._on[name] if asks(asker, edge, lock)]

    def together(self, name: NormalizedName, lock: Lock) -> frozenset[int]:
        """See `_Who`."""
        if lock.kind not in JOINTLY_OPENED or self._asked.get(name, -1) & lock.others:
            return frozenset()
        return frozenset(asker for asker, _ in self._on[name] if isinstance(asker, int))

    def lines_behind(self, askers: Iterable[int | Node], barred: Collection[NormalizedName] = ()) -> frozenset[int]:
        """See `_Who`."""
        return _lines_behind(askers, self._needed_by.__getitem__, barred)


def _lines_behind(
    askers: Iterable[int | Node],
    needing: Callable[[Node], Iterable[int | Node]],
    barred: Collection[NormalizedName],
) -> frozenset[int]:
    """The lines that all these are there for, by who needs each package or extra."""
    found = set(waiting := list(askers))
    while waiting:
        asker = waiting.pop()
        if not isinstance(asker, int) and asker[0] not in barred:
            new = [one for one in needing(asker) if one not in found]
            found.update(new)
            waiting += new
    return frozenset(one for one in found if isinstance(one, int))


class _Above:
    """Who needs what in an assignment, as far as somebody asks.

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

    def askers(self, name: NormalizedName, lock: Lock) -> list[int | Node]:
        """See `_Who`."""
        found: list[int | Node] = [i for i, edge in self._on.get(name, ()) if asks(i, edge, lock)]
        return found + [source for source, edge in self._sources((name, "")) if asks(source, edge, lock)]

    def together(self, name: NormalizedName, lock: Lock) -> frozenset[int]:  # noqa: ARG002 - see `_Who`
        """None: that takes knowing what all lines admit."""
        return frozenset()

    def lines_behind(self, askers: Iterable[int | Node], barred: Collection[NormalizedName] = ()) -> frozenset[int]:
        """See `_Who`."""
        return _lines_behind(askers, self._needing, barred)

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
