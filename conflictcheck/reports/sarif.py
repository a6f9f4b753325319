"""The report as SARIF 2.1.0 (OASIS), for code scanning and editors.

Code scanning shows 5,000 results of a run, and refuses more than 25,000 and texts that are empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conflictcheck import __version__
from conflictcheck.model import Severity, Verdict
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.encoding import to_json
from conflictcheck.reports.findings import list_findings
from conflictcheck.reports.rules import rule_help, rule_meaning
from conflictcheck.reports.text import summarize_with_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Report
    from conflictcheck.reports.findings import Finding, Place

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_MOST_RESULTS = 5_000
_MOST_RELATED = 99
"""Code scanning shows 100 locations of a result."""


class SarifReport(ReportFormat):
    """Findings in files are results; what has no file is a notification of the run."""

    name = "sarif"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - no lines to wrap
        """Encode the report; ``-v`` adds notes."""
        findings = list_findings(report, verbose=verbose)
        located = [finding for finding in findings if finding.lines]
        results = located[:_MOST_RESULTS]
        rules = sorted({finding.rule for finding in results})
        run = {
            "tool": {
                "driver": {
                    "name": "conflictcheck",
                    "version": __version__,
                    "semanticVersion": __version__,
                    "rules": [_rule(rule) for rule in rules],
                }
            },
            "invocations": [
                {
                    "executionSuccessful": report.verdict is not Verdict.UNDECIDED,
                    "toolExecutionNotifications": [
                        _notification(summarize_with_counts(report), "note" if report.passed else "error"),
                        *(
                            _notification(finding.text, _LEVELS[finding.severity], finding.rule)
                            for finding in findings
                            if not finding.lines
                        ),
                        *_left_out(len(located) - len(results)),
                    ],
                }
            ],
            "columnKind": "unicodeCodePoints",
            "results": [_result(finding, rules) for finding in results],
        }
        return to_json({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def _left_out(number: int) -> list[dict[str, Any]]:
    return [_notification(f"{number} more findings are left out.", "warning")] if number else []


def _notification(text: str, level: str, rule: str = "") -> dict[str, Any]:
    about = {"descriptor": {"id": rule}} if rule else {}
    return {"level": level, "message": _message(text), **about}


def _rule(rule: str) -> dict[str, Any]:
    help_text = rule_help(rule)
    return {
        "id": rule,
        "name": rule.title().replace("-", ""),
        "shortDescription": {"text": rule_meaning(rule)},
        "fullDescription": {"text": help_text},
        "help": {"text": help_text, "markdown": help_text},
        "properties": {"tags": ["dependencies"]},
    }


def _result(finding: Finding, rules: Sequence[str]) -> dict[str, Any]:
    first, *others = finding.lines
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": _message(finding.text),
        "locations": [{"physicalLocation": _physical(first)}],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.id}:1"},
    }
    if others:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(other), "message": _message(other.text or other.file)}
            for number, other in enumerate(others[:_MOST_RELATED], start=1)
        ]
    if finding.known:
        result["suppressions"] = [{"kind": "external", "justification": finding.known}]
    return result


def _physical(line: Place) -> dict[str, Any]:
    # A file name may be bytes that are no UTF-8, kept as surrogates; ``%`` keeps them without a claim.
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(line.file, errors="surrogatepass")}}
    if line.line is not None:
        location["region"] = {"startLine": line.line, "startColumn": 1, "endLine": line.line}
    return location


def _message(text: str) -> dict[str, str]:
    # ``[words](3)`` would be a link to a location (SARIF, section 3.11.6).
    return {"text": text.replace("](", "] (") or "(no message)"}
