"""How the lines of a run are numbered: those of the specs, in order of id, then the shared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflictcheck.model import Requirement, Spec, SpecId


def in_report_order(
    specs: Iterable[Spec], shared: Iterable[Requirement]
) -> tuple[tuple[Spec, ...], tuple[Requirement, ...]]:
    """The specs as a report lists them, and all lines, each at its number."""
    ordered = tuple(sorted(specs, key=lambda spec: spec.id))
    return ordered, (*(line for spec in ordered for line in spec.requirements), *shared)


def positions_of(
    specs: Sequence[Spec], shared: Sequence[Requirement]
) -> tuple[dict[SpecId, frozenset[int]], frozenset[int]]:
    """The numbers of each spec's lines, and of the shared ones, in the order specs then shared."""
    found: dict[SpecId, frozenset[int]] = {}
    start = 0
    for spec in specs:
        found[spec.id] = frozenset(range(start, start + len(spec.requirements)))
        start += len(spec.requirements)
    return found, frozenset(range(start, start + len(shared)))
