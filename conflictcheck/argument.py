"""An argument why lines cannot be satisfied together: what it is made of. `conflictcheck.explanation` finds it."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
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
