"""The report for GitLab's Code Quality: an array of findings (``artifacts:reports:codequality``).

GitLab wants a path and a line for each, and shows the first finding of a fingerprint alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflictcheck.escaping import visible
from conflictcheck.model import Severity
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.encoding import to_json
from conflictcheck.reports.findings import Place, list_findings

if TYPE_CHECKING:
    from conflictcheck.model import Report
    from conflictcheck.reports.findings import Finding

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


class GitlabReport(ReportFormat):
    """One entry a finding; what stands in no file is shown at the first spec that has one."""

    name = "gitlab"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - no lines to wrap
        """Encode the report; ``-v`` adds notes."""
        elsewhere = Place(next((spec.path for spec in report.specs if spec.path), "."), 1)
        return to_json([_entry(finding, elsewhere) for finding in list_findings(report, verbose=verbose)])


def _entry(finding: Finding, elsewhere: Place) -> dict[str, Any]:
    first = finding.lines[0] if finding.lines else elsewhere
    return {
        "description": " ".join(filter(None, [finding.summary, finding.fix, finding.known and f"({finding.known})"])),
        "check_name": finding.rule,
        "fingerprint": finding.id,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": visible(first.file).removeprefix("./"), "lines": {"begin": first.line or 1}},
    }
