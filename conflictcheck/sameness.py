"""Which lines say the same, and which clashes do: a line that dozens of specs state makes one clash dozens of times."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from conflictcheck.model import Requirement, SpecId


def said(line: Requirement) -> str:
    """What a line says, however it is spaced."""
    return f"{line.kind}\t{''.join(line.text.split())}"


def meaning(line: Requirement) -> tuple[Hashable, ...]:
    """What a line comes to, whoever states it and however: of two that are equal in it, one is as good as both."""
    return line.kind, line.name, str(line.specifier), line.extras, str(line.marker or ""), line.url, line.hashes


def sides_of(lines: Iterable[Requirement]) -> dict[Hashable, SpecId]:
    """What the lines of each spec of a clash come to, with the spec."""
    sides: dict[SpecId, list[Hashable]] = defaultdict(list)
    for line in lines:
        sides[line.spec].append(meaning(line))
    return {frozenset(side): spec for spec, side in sides.items()}


def kind_of(lines: Iterable[Requirement]) -> Hashable:
    """What a clash comes to, whoever has it: clashes that are equal in it say the same."""
    return frozenset(sides_of(lines))
