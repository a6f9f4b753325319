"""What conflictcheck must reach, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from questions import HARD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tables import Row

COLUMNS = ("case", "must be", "measured", "reached")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing to be reached.

    Attributes:
        case: in words.
        rows: tells by its name whether a row is about it.
        measure: the value of a row, or None where it has none.
        bound: that the value must reach.
        unit: behind the value.
        least: whether it must be at least the bound, not at most.
    """

    case: str
    rows: Callable[[str], bool]
    measure: Callable[[Row], float | None]
    bound: float
    unit: str
    least: bool = False

    def line(self, rows: Iterable[Row]) -> tuple[str, ...] | None:
        """The cells of its line in the table; None where nothing was measured. The worst row counts."""
        values = {row.name: value for row in rows if self.rows(row.name) and (value := self.measure(row)) is not None}
        if not values:
            return None
        name = (min if self.least else max)(values, key=values.__getitem__)
        reached = values[name] >= self.bound if self.least else values[name] <= self.bound
        wanted = f"at {'least' if self.least else 'most'} {self.bound:g}{self.unit}"
        return self.case, wanted, f"{values[name]:.2f}{self.unit} ({name})", "yes" if reached else "no"


def _to(peer: str) -> Callable[[Row], float | None]:
    return lambda row: row.ratio("conflictcheck", peer)


def _by(peer: str) -> Callable[[Row], float | None]:
    return lambda row: row.ratio(peer, "conflictcheck")


def _ours(what: str) -> Callable[[Row], float | None]:
    return lambda row: row.of("conflictcheck", what)


def _one(state: str, *, hard: bool) -> Callable[[str], bool]:
    return lambda name: name.startswith("one/") and name.endswith(f"/{state}") and (name.split("/")[1] in HARD) == hard


FIGURES = (
    Figure("one hard spec, warm, to uv", _one("warm", hard=True), _to("uv"), 1, " times"),
    Figure("one easy spec, warm, to uv", _one("warm", hard=False), _to("uv"), 1.5, " times"),
    Figure("one hard spec, cold, 20 ms a request, to uv", _one("cold-20ms", hard=True), _to("uv"), 1.2, " times"),
    Figure("one easy spec, cold, 20 ms a request, to uv", _one("cold-20ms", hard=False), _to("uv"), 1.2, " times"),
    Figure(
        "20 specs, warm, faster than uv's first fit", "family/20/warm".__eq__, _by("uv, first fit"), 10, " times", True
    ),
    Figure(
        "40 specs, warm, faster than uv's first fit", "family/40/warm".__eq__, _by("uv, first fit"), 15, " times", True
    ),
    Figure("40 specs, warm", "family/40/warm".__eq__, _ours("wall"), 6, " s"),
    Figure("1,000 made-up specs", "synthetic/1000/warm".__eq__, _ours("wall"), 60, " s"),
    Figure("1,000 made-up specs", "synthetic/1000/warm".__eq__, _ours("memory"), 1500, " MB"),
    Figure("unchanged", lambda name: name.endswith("/unchanged"), _ours("wall"), 0.2, " s"),
    Figure("`--version`", "version".__eq__, _ours("wall"), 0.1, " s"),
)
GROWTH = ("from 250 to 1,000 made-up specs", 6.0)


def table(rows: Sequence[Row]) -> list[str]:
    """The cells of the table, as Markdown; empty where nothing of it was measured."""
    lines = [line for figure in FIGURES if (line := figure.line(rows))]
    walls = {row.size: row.of("conflictcheck", "wall") for row in rows if row.name.startswith("synthetic/")}
    fewer, more = walls.get(250), walls.get(1000)
    if fewer and more:
        growth = more / fewer
        reached = "yes" if growth <= GROWTH[1] else "no"
        lines.append((GROWTH[0], f"at most {GROWTH[1]:g} times", f"{growth:.2f} times", reached))
    if not lines:
        return []
    return [f"| {' | '.join(cells)} |" for cells in (COLUMNS, ("---",) * len(COLUMNS), *lines)]
