"""Clashes that say the same, told as one: the first in full, and which others there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.phrases import and_list, count
from conflictcheck.sameness import kind_of, sides_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from conflictcheck.model import Clash

_EACH = "each of "

_Row = tuple[str, ...]


def alike(clashes: Sequence[Clash]) -> list[list[Clash]]:
    """Clashes by what their lines say, in order; those that count before those that are known."""
    groups: dict[Hashable, list[Clash]] = {}
    for clash in sorted(clashes, key=lambda clash: bool(clash.known)):
        groups.setdefault((clash.known, kind_of(clash.requirements)), []).append(clash)
    return list(groups.values())


def say_alike(clashes: Sequence[Clash], *, most: int | None = None, name: Callable[[str], str] = str) -> str:
    """Which specs clash by the same words, if several do: ``3 clashes say the same: a with each of b, c and d.``.

    Args:
        clashes: one group of `alike`.
        most: how many specs are named of those that say the same, and how many combinations; None for all.
        name: what a spec is to be called.

    Returns:
        A sentence; empty where there is one clash alone.
    """
    if len(clashes) == 1:
        return ""
    order = list(sides_of(clashes[0].requirements))
    rows = [tuple(name(sides[side]) for side in order) for sides in (sides_of(clash.requirements) for clash in clashes)]
    said = [_together([_those(names, most) for names in product]) for product in _products(rows)]
    shown = said[:most]
    more = [count(len(said) - len(shown), "more such combination")] if len(shown) < len(said) else []
    if len(order) == 1:
        return f"{len(clashes)} specs say the same: {said[0].removeprefix(_EACH)}."
    return f"{len(clashes)} clashes say the same: {'; '.join([*shown, *more])}."


def _together(sides: Sequence[str]) -> str:
    first, *others = sides
    return f"{first} with {' and '.join(others)}" if others else first


def _those(names: Sequence[str], most: int | None) -> str:
    shown = names[:most]
    return names[0] if len(names) == 1 else f"{_EACH}{and_list(shown, more=len(names) - len(shown))}"


def _products(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Rows as few products of columns: ``(a, x), (a, y), (b, x), (b, y)`` are ``[(a, b), (x, y)]``."""
    if rows and len(rows[0]) == 1:
        return [[tuple(dict.fromkeys(first for (first,) in rows))]]
    after: dict[str, dict[_Row, None]] = {}
    for first, *rest in rows:
        after.setdefault(first, {})[tuple(rest)] = None
    merged: dict[tuple[_Row, ...], list[str]] = {}
    for first, rests in after.items():
        merged.setdefault(tuple(rests), []).append(first)
    return [[tuple(firsts), *product] for rests, firsts in merged.items() for product in _products(rests)]
