"""What lines and loaded releases need, by the numbers of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.model import RequirementKind

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from conflictcheck.facts import Metadata, Unknown

RESTRICTING = (RequirementKind.CONSTRAINT, RequirementKind.OVERRIDE)
"""Lines that ask for nothing themselves. An override also empties what all others say of its package."""


class Edge(Struct, frozen=True):
    """What a release, or a line, needs of one package on the target.

    Attributes:
        name: the package.
        mask: its releases that will do, as bits.
        extras: its extras that are asked for as well.
        text: the requirement, without its marker.
        opens: locked releases that it asks for, as bits.
    """

    name: NormalizedName
    mask: int
    extras: tuple[NormalizedName, ...]
    text: str
    opens: int = 0


Node = tuple["NormalizedName", str]
"""A package, or with a non-empty second part one of its extras."""

EdgeKey = tuple["NormalizedName", int, tuple["NormalizedName", ...], int]
"""What makes two edges the same: the package, its releases, its extras, and the locked ones that are asked for."""


class LoadedRelease(Struct):
    """A release whose metadata was asked for.

    Attributes:
        edges: what it needs, for the empty extra and for each extra that was asked for.
        metadata: what it says, or why that is not known.
        unusable: why it turned out not to be installable on the target, or None.
    """

    edges: dict[str, tuple[Edge, ...]]
    metadata: Metadata | Unknown
    unusable: str | None = None
