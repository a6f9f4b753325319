"""What was measured, as tables in Markdown."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools import Answer

COLUMNS = ("case", "tool", "answer", "requests", "wall s", "CPU s", "MB", "wall, to ours")


@dataclass
class Measured:
    """The runs of one tool on one row.

    Attributes:
        tool: its name.
        runs: in the order in which they were made; one alone where its time was up in that.
        limit: seconds that it had.
    """

    tool: str
    limit: float
    runs: list[Answer] = field(default_factory=list)

    @property
    def is_cut_off(self) -> bool:
        return any(not run.verdict for run in self.runs)

    def median(self, what: str) -> float:
        return statistics.median(getattr(run.usage, what) for run in self.runs)


@dataclass
class Row:
    """One row of measurements: conflictcheck and its peers on one question.

    Attributes:
        name: what `--only` knows it by.
        tools: ours first.
        lacking: requests that the state had no answer to.
        size: specs in it.
    """

    name: str
    tools: list[Measured]
    lacking: int = 0
    size: int = 1

    def lines(self) -> list[str]:
        """A line a tool."""
        return [_line([self.name if tool is self.tools[0] else "", *self._cells(tool)]) for tool in self.tools]

    def of(self, tool: str, what: str) -> float | None:
        """The median of what a tool took (``wall``, ``cpu``, ``memory``); None if it was not asked or cut off."""
        found = self._measured(tool)
        return None if found is None or found.is_cut_off else found.median(what)

    def ratio(self, tool: str, other: str) -> float | None:
        """The median, over the runs, of one tool's wall time by another's in the same run; None if one was not asked.

        Where a tool was cut off its time was longer than what is known of it.
        """
        one, two = self._measured(tool), self._measured(other)
        if one is None or two is None:
            return None
        pairs = [(a.usage.wall, b.usage.wall) for a, b in zip(one.runs, two.runs, strict=False)]
        ratios = [a / b for a, b in pairs if a and b]
        return statistics.median(ratios) if ratios else None

    def _measured(self, tool: str) -> Measured | None:
        return next((one for one in self.tools if one.tool == tool), None)

    def _cells(self, tool: Measured) -> list[str]:
        answers = list(dict.fromkeys(run.verdict for run in tool.runs if run.verdict))
        said = " / ".join(answers).replace("|", "\\|") or f"none within {tool.limit:.0f} s"
        if not tool.median("wall"):
            return [tool.tool, said, *[""] * 5]
        figures = [f"{tool.median('requests'):.0f}", _seconds(tool.median("wall")), _seconds(tool.median("cpu"))]
        return [tool.tool, said, *figures, f"{tool.median('memory'):.0f}", self._ratio(tool)]

    def _ratio(self, tool: Measured) -> str:
        ours = self.tools[0]
        ratio = None if tool is ours else self.ratio(tool.tool, ours.tool)
        return "" if ratio is None else f"{'> ' if tool.is_cut_off else ''}{ratio:.2f}"


def head() -> list[str]:
    """The head of a table of rows."""
    return [_line(COLUMNS), _line(["---", "---", "---", *["---:"] * 5])]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"
