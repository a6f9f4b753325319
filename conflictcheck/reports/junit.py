"""The report as JUnit's XML, which every service for continuous integration shows as tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from conflictcheck.escaping import visible
from conflictcheck.model import Severity, Verdict
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.findings import explain_in_lines
from conflictcheck.reports.text import summarize_with_counts

if TYPE_CHECKING:
    from conflictcheck.model import Clash, Report, Spec

_NO_XML = re.compile("[\ufffe\uffff]")
"""Visible by our count, and still no characters of XML 1.0 (section 2.2)."""


class JunitReport(ReportFormat):
    """One test for the whole, and one a spec, so that each has a history of its own.

    A spec fails that is part of a clash which counts, and is in error where it could not be decided.
    """

    name = "junit"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - one form for all
        """Encode the report; `color`, `width` and `verbose` change nothing."""
        suite = ET.Element("testsuite", name="conflictcheck")
        _whole(suite, report)
        placed = {spec for environment in report.environments for spec in environment.specs}
        for spec in report.specs:
            mine = [clash for clash in report.clashes if spec.id in clash.specs]
            _spec(suite, spec, mine, report, undecided=report.verdict is Verdict.UNDECIDED and spec.id not in placed)
        for name, element in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(name, str(len(list(suite.iter(element)))))
        suite.set("skipped", "0")
        root = ET.Element("testsuites")
        root.append(suite)
        ET.indent(root)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _whole(suite: ET.Element, report: Report) -> None:
    """The verdict, so that a run that fails is never all green."""
    case = ET.SubElement(suite, "testcase", classname="conflictcheck", name="all specs")
    headline = summarize_with_counts(report)
    if report.verdict is Verdict.UNDECIDED:
        causes = [visible(one.message) for one in report.diagnostics if one.severity is Severity.ERROR]
        _say(case, "error", "undecided", headline, causes)
    elif not report.passed:
        _say(case, "failure", report.verdict.value, headline, [visible(report.minimum.why)])
    else:
        ET.SubElement(case, "system-out").text = _xml(headline)


def _spec(suite: ET.Element, spec: Spec, clashes: list[Clash], report: Report, *, undecided: bool) -> None:
    case = ET.SubElement(suite, "testcase", classname="conflictcheck.specs", name=_xml(visible(spec.id)))
    if spec.path:
        case.set("file", _xml(visible(spec.path)))
    counting = [] if report.passed else [clash for clash in clashes if not clash.known]
    # One failure a test: some readers take no more.
    if counting:
        summary = visible(counting[0].summary)
        words = [line for clash in counting for line in ("", visible(clash.summary), *explain_in_lines(clash))]
        _say(case, "failure", f"clash-{counting[0].kind.value}", summary, words[1:])
    elif undecided:
        errors = [one for one in report.diagnostics if one.severity is Severity.ERROR]
        causes = [visible(one.message) for one in errors if one.file in (spec.path, None)]
        _say(case, "error", "undecided", "This spec could not be decided.", causes)
    elif clashes:
        words = [line for clash in clashes for line in (visible(clash.summary), *explain_in_lines(clash))]
        ET.SubElement(case, "system-out").text = _xml("\n".join(words))


def _say(case: ET.Element, element: str, kind: str, message: str, words: list[str]) -> None:
    child = ET.SubElement(case, element, type=kind, message=_xml(message))
    child.text = _xml("\n".join(words)) or None


def _xml(text: str) -> str:
    return _NO_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
