"""The dependency graph as a tree of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.escaping import visible
from conflictcheck.phrases import and_list, count
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.dependencies import asked_by_packages, asked_by_specs, label, reached
from conflictcheck.reports.layout import Page, paint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflictcheck.model import Environment, Pin, Report


class TreeGraph(ReportFormat):
    """Each spec with what it asks for, and what that asks for; what was shown before is marked ``(*)``."""

    name = "text"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - nothing is shortened
        """Draw one tree an environment."""
        page = Page(width=width, color=color)
        repeated = False
        for environment in report.environments:
            page.gap()
            page.prose(
                f"{count(len(environment.packages), 'package')}, Python {environment.python_version}",
                label=f"Environment {environment.name}:",
                label_style="bold",
            )
            lines, marked = _tree(environment, color=color)
            repeated = repeated or marked
            page.lines(lines)
        if repeated:
            page.gap()
            page.prose("(*) what it asks for is shown above", style="dim")
        return page.text()


def _tree(environment: Environment, *, color: bool) -> tuple[list[str], bool]:
    """The lines of a tree, and whether one of them is marked as shown before."""
    pins: dict[str, Pin] = {pin.name: pin for pin in environment.packages}
    below = asked_by_packages(environment)
    roots = asked_by_specs(environment)
    known = reached([name for names in roots.values() for name in names], below)
    lines: list[str] = []
    shown: set[str] = set()
    marked = False
    for spec, names in roots.items():
        lines.append(paint(visible(spec), "cyan", color=color))
        marked |= _branches(names, pins, below, shown, lines)
    if rest := [name for name in pins if name not in known]:
        # Should not be; better shown than lost.
        lines.append(f"asked for by none of {and_list([visible(spec) for spec in environment.specs])}")
        marked |= _branches(rest, pins, below, shown, lines)
    return lines, marked


def _branches(
    names: list[str], pins: Mapping[str, Pin], below: Mapping[str, list[str]], shown: set[str], lines: list[str]
) -> bool:
    """Append what hangs on one root, and say whether a line was marked."""
    marked = False
    # A list of what is still to be drawn, not recursion: chains can be deeper than Python's stack.
    waiting = [(name, "", number == len(names)) for number, name in enumerate(names, start=1)][::-1]
    while waiting:
        name, trunk, last = waiting.pop()
        again = name in shown and bool(below[name])
        marked |= again
        lines.append(f"{trunk}{'└── ' if last else '├── '}{visible(label(pins[name]))}{' (*)' if again else ''}")
        if name in shown:
            continue
        shown.add(name)
        inner = trunk + ("    " if last else "│   ")
        children = below[name]
        waiting += [(child, inner, number == len(children)) for number, child in enumerate(children, start=1)][::-1]
    return marked
