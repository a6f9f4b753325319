"""The report for the log of a GitHub Actions job: the text, and annotations beside the lines.

The runner turns ``::error file=…,line=…,title=…::message`` into an annotation (actions/toolkit, "command.ts").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.escaping import visible
from conflictcheck.model import Severity
from conflictcheck.phrases import count
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.findings import list_findings
from conflictcheck.reports.text import TextReport

if TYPE_CHECKING:
    from conflictcheck.model import Report
    from conflictcheck.reports.findings import Finding

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_MOST = 10
"""The runner shows as many errors, warnings and notices of a step, and drops the rest unseen."""
_LONGEST = 4000
"""The runner cuts a message at 4,096 characters."""


class GithubReport(ReportFormat):
    """The text report, then one annotation a clash or diagnostic, worst first, as many as the runner shows."""

    name = "github"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:
        """Word the report, and annotate the lines."""
        text = TextReport().render(report, color=color, width=width, verbose=verbose)
        findings = list_findings(report, verbose=verbose)
        alike = [[one for one in findings if one.severity is severity] for severity in Severity]
        shown = [finding for some in alike for finding in some[:_MOST]]
        if not shown:
            return text
        lines = [text, *(_command(finding) for finding in shown)]
        if rest := len(findings) - len(shown):
            lines.append(
                f"{count(rest, 'more finding has', 'more findings have')} no annotation: {_MOST} of a kind are shown."
            )
        return "\n".join(lines) + "\n"


def _command(finding: Finding) -> str:
    properties = {"title": finding.title}
    if finding.lines:
        first = finding.lines[0]
        line = {} if first.line is None else {"line": str(first.line)}
        properties = {"file": first.file, **line, **properties}
    words = finding.text if len(finding.text) <= _LONGEST else finding.text[: _LONGEST - 1] + "…"
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {given}::{_data(words)}"


def _data(text: str) -> str:
    """A message: what would end the command is written by number."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The value of a property: what would end it, too."""
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
