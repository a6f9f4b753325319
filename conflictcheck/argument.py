"""An argument why lines cannot be satisfied together: what it is made of. `conflictcheck.explanation` finds it."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName


class Asked(Struct, frozen=True):
    """A line asks for releases of a package.

    Attributes:
        line: its position.
        name: the package.
        mask: the releases it admits.
        extras: the extras it asks for.
    """

    line: int
    name: NormalizedName
    mask: int
    extras: tuple[str, ...] = ()
    parents: tuple[Node, ...] = ()


class Needed(Struct, frozen=True):
    """Every release that is left of one package needs another.

    Attributes:
        asker: the package that needs.
        extra: the extra of it that needs, or empty.
        releases: what is left of the asker, as bits.
        name: the package that is needed.
        mask: the releases that some release of the asker admits.
        texts: the requirements, with the asker's releases that state each.
        parents: what narrowed the asker to `releases`.
    """

    asker: NormalizedName
    extra: str
    releases: int
    name: NormalizedName
    mask: int
    texts: tuple[tuple[str, int], ...]
    extras: tuple[str, ...] = ()
    parents: tuple[Node, ...] = ()


class RuledOut(Struct, frozen=True):
    """Some releases of a package need what is impossible.

    Attributes:
        name: the package.
        out: its releases that are ruled out.
        mask: all others.
        needs: the package that they need, at a release that cannot be.
        texts: the requirements, with the releases that state each.
        parents: what makes them impossible.
    """

    name: NormalizedName
    out: int
    mask: int
    needs: NormalizedName
    texts: tuple[tuple[str, int], ...]
    parents: tuple[Node, ...] = ()


Node = Asked | Needed | RuledOut


class Argument(Struct, frozen=True):
    """Why lines cannot be satisfied together on one target.

    Attributes:
        name: the package that has no release left; None if a line alone is impossible on the target's Python.
        ends: what excludes one another about it, sides in order.
        steps: everything the ends rest on, each after what it rests on; the ends included.
        cases: where it takes a case distinction: for each group of releases of `split_on`, its own argument.
        split_on: the package whose releases are told apart.
        python_lines: lines about the Python version that the target does not meet.
    """

    name: NormalizedName | None
    ends: tuple[Node, ...]
    steps: tuple[Node, ...]
    split_on: NormalizedName | None = None
    cases: tuple[tuple[int, Argument], ...] = ()
    python_lines: tuple[int, ...] = ()

    def admitted_besides(self, node: Node) -> int:
        """The releases that every other end admits, as bits; all there could be where there is none."""
        return reduce(and_, (other.mask for other in self.ends if other is not node), -1)

    def about(self, lines: Mapping[int, int]) -> Argument:
        """The same argument with other lines that say the same.

        Args:
            lines: the position of the other line, for each of these.
        """
        if all(line == other for line, other in lines.items()):
            return self
        return _moved(self, lines, {})


def _moved(argument: Argument, lines: Mapping[int, int], known: dict[int, Node]) -> Argument:
    def move(node: Node) -> Node:
        if id(node) not in known:
            parents = tuple(map(move, node.parents))
            here = {"line": lines[node.line]} if isinstance(node, Asked) else {}
            known[id(node)] = replace(node, parents=parents, **here)
        return known[id(node)]

    return replace(
        argument,
        ends=tuple(map(move, argument.ends)),
        steps=tuple(map(move, argument.steps)),
        cases=tuple((mask, _moved(case, lines, known)) for mask, case in argument.cases),
        python_lines=tuple(lines[i] for i in argument.python_lines),
    )
