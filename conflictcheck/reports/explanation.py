"""Each clash in full, for ``conflictcheck explain``: the argument, a tree for each side, and what else it touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.model import Severity, Verdict
from conflictcheck.phrases import and_list, count
from conflictcheck.reports.alike import alike
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.layout import Page
from conflictcheck.reports.text import TextReport, summarize, write_alike, write_clash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Clash, Report


class ExplanationText(ReportFormat):
    """One clash after the other, nothing left out."""

    name = "text"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:
        """Word every clash; where there is none, say that the specs can be together."""
        if not report.clashes or report.verdict is Verdict.UNDECIDED:
            return TextReport().render(report, color=color, width=width, verbose=verbose)
        page = Page(width=width, color=color)
        page.prose(summarize(report), style="bad")
        groups = alike(report.clashes)
        for number, group in enumerate(groups, start=1):
            clash = group[0]
            known = f" ({clash.known})" if clash.known else ""
            write_clash(page, clash, f"Clash {number} of {len(groups)}{known}:", verbose=1)
            _sides(page, clash)
            write_alike(page, group)
            _elsewhere(page, clash, groups)
        if not report.clashes_complete:
            page.gap()
            page.prose("There may be further clashes: not every set of specs could be tried.", style="yellow")
        warnings = sum(diagnostic.severity is not Severity.NOTE for diagnostic in report.diagnostics)
        if warnings:
            page.gap()
            page.prose(f"{count(warnings, 'warning')}: conflictcheck check says what about.", style="dim")
        return page.text()


def _sides(page: Page, clash: Clash) -> None:
    """A small tree for each side, from the line to the range."""
    for side in clash.sides:
        page.gap()
        for depth, text in enumerate(side):
            page.prose(text, first="  " if not depth else f"  {'   ' * (depth - 1)}\u2514\u2500 ")


def _elsewhere(page: Page, clash: Clash, groups: Sequence[Sequence[Clash]]) -> None:
    """Where else some of the same lines matter."""
    mine = {(line.file, line.line, line.text) for line in clash.requirements}
    others = [
        str(number)
        for number, (other, *_) in enumerate(groups, start=1)
        if other.id != clash.id
        and not mine.isdisjoint((line.file, line.line, line.text) for line in other.requirements)
    ]
    if others:
        page.gap()
        word = "clash" if len(others) == 1 else "clashes"
        page.prose(f"Lines of it are in {word} {and_list(others)}, too.", first="  ")
