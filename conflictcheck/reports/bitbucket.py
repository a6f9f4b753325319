"""The report for Bitbucket's Code Insights: what to send, in pieces that are small enough to be taken.

The document's ``report`` is the body of ``PUT …/commit/{commit}/reports/{id}``, and each list in ``annotations`` the
body of one ``POST …/annotations``, which takes 100 of them; a report takes 1,000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflictcheck.escaping import visible
from conflictcheck.model import Severity
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.encoding import to_json
from conflictcheck.reports.findings import list_findings
from conflictcheck.reports.text import summarize_with_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Report
    from conflictcheck.reports.findings import Finding

_MOST = 1_000
_AT_ONCE = 100
_SUMMARY = 450
"""Characters of a summary, at most; one character at least."""
_DETAILS = 2_000
_SEVERITIES = {Severity.ERROR: "HIGH", Severity.WARNING: "MEDIUM", Severity.NOTE: "LOW"}


class BitbucketReport(ReportFormat):
    """The report's own body, and its annotations in batches, worst first."""

    name = "bitbucket"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - no lines to wrap
        """Encode the report; ``-v`` adds notes."""
        findings = list_findings(report, verbose=verbose)
        annotations = [_annotation(finding) for finding in findings[:_MOST]]
        return to_json(
            {
                "report": _report(report, findings),
                "annotations": [annotations[at : at + _AT_ONCE] for at in range(0, len(annotations), _AT_ONCE)],
            }
        )


def _report(report: Report, findings: Sequence[Finding]) -> dict[str, Any]:
    details = summarize_with_counts(report)
    if (rest := len(findings) - _MOST) > 0:
        details += f" {rest} more findings are left out."
    return {
        "title": "conflictcheck",
        "details": _cut(details, _DETAILS),
        "report_type": "TEST",
        "reporter": "conflictcheck",
        "result": "PASSED" if report.passed else "FAILED",
        "data": [
            {"title": "Specs", "type": "NUMBER", "value": len(report.specs)},
            {"title": "Clashes", "type": "NUMBER", "value": len(report.clashes)},
            {"title": "Environments", "type": "NUMBER", "value": report.minimum.environments},
            {"title": "Fewest, proven", "type": "BOOLEAN", "value": report.minimum.proven},
        ],
    }


def _annotation(finding: Finding) -> dict[str, Any]:
    annotation: dict[str, Any] = {
        "external_id": f"conflictcheck-{finding.id}",
        "title": finding.title,
        "annotation_type": "BUG" if finding.rule.startswith("clash-") else "CODE_SMELL",
        "summary": _cut(finding.summary or finding.title, _SUMMARY),
        "severity": _SEVERITIES[finding.severity],
    }
    if finding.details:
        annotation["details"] = _cut("\n".join(finding.details), _DETAILS)
    if finding.severity is Severity.ERROR:
        annotation["result"] = "FAILED"
    elif finding.known:
        annotation["result"] = "IGNORED"
    if finding.lines:
        first = finding.lines[0]
        annotation["path"] = visible(first.file)
        if first.line is not None:
            annotation["line"] = first.line
    return annotation


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
