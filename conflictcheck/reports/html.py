"""The report as one page that stands alone: no script, and nothing that is loaded."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from conflictcheck import __version__
from conflictcheck.escaping import visible
from conflictcheck.model import Severity
from conflictcheck.phrases import count, place
from conflictcheck.reports.alike import alike, say_alike
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.text import (
    BETTER_SPLIT,
    better_split,
    describe_fix,
    describe_gone,
    summarize_with_counts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflictcheck.model import Clash, Environment, Report

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
h1 { font-size: 1.3rem } h2 { font-size: 1.1rem; margin-top: 2rem }
code { background: #f0f0f0; padding: 0 .2em; overflow-wrap: anywhere }
.bad { border-left: .4rem solid #b3261e; padding-left: .8rem }
.good { border-left: .4rem solid #2e7d32; padding-left: .8rem }
"""


class HtmlReport(ReportFormat):
    """Everything that the text says, with the packages of each environment folded away."""

    name = "html"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - the page wraps
        """Word the report; ``-v`` adds notes."""
        headline = _words(summarize_with_counts(report))
        groups = alike(report.clashes)
        parts = [
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
            f"<title>conflictcheck: {headline}</title>",
            f"<style>{_STYLE}</style>",
            f'<h1 class="{"good" if report.passed else "bad"}">{headline}</h1>',
            *_diagnostics(report, Severity.ERROR),
        ]
        for number, group in enumerate(groups, start=1):
            parts += _clash(group, f"Clash {number} of {len(groups)}" if len(groups) > 1 else "Clash")
        if report.clashes and not report.clashes_complete:
            parts.append("<p>There may be further clashes: not every set of specs could be tried.</p>")
        if len(report.clashes) > 1 and report.fixes:
            fix = report.fixes[0]
            parts.append(f"<h2>To need {count(fix.environments_after, 'environment')}</h2>")
            parts.append(f"<p>{_words(describe_fix(fix))}.</p>")
        if report.gone:
            parts += ["<h2>Gone</h2>", *_list(_words(describe_gone(one)) for one in report.gone)]
        for environment in report.environments:
            parts += _environment(environment)
        if report.minimum.why:
            parts.append(f"<p>{_words(report.minimum.why)}</p>")
        parts += [f"<p><strong>Fewer:</strong> {_words(sentence)}</p>" for sentence in better_split(report)]
        for severity in (Severity.WARNING, Severity.NOTE) if verbose else (Severity.WARNING,):
            parts += _diagnostics(report, severity)
        parts += [f"<footer><p>conflictcheck {_words(__version__)}</p></footer>", "</html>"]
        return "\n".join(parts) + "\n"


def _words(text: str) -> str:
    return escape(visible(text))


def _code(text: str) -> str:
    return f"<code>{_words(text)}</code>"


def _list(items: Iterable[str], kind: str = "ul") -> list[str]:
    return [f"<{kind}>", *(f"<li>{item}</li>" for item in items), f"</{kind}>"]


def _clash(group: Sequence[Clash], label: str) -> list[str]:
    clash = group[0]
    known = f" (known: {_words(clash.known)})" if clash.known else ""
    parts = [f'<h2 id="{_words(clash.id)}">{label}{known}</h2>', f"<p>{_words(clash.summary)}</p>"]
    parts += _list(f"{_code(place(line))}: {_code(line.text)}" for line in clash.requirements)
    parts += _list(map(_words, clash.steps), "ol") if clash.steps else []
    if not clash.minimal:
        parts.append("<p>Not each of these lines was shown to be needed.</p>")
    parts += [
        f"<p><strong>{'Or' if number else 'To fix'}:</strong> {_words(describe_fix(fix))}.</p>"
        for number, fix in enumerate(clash.fixes)
    ]
    if clash.no_fix:
        parts.append(f"<p>No edit of requirement lines resolves this: {_words(clash.no_fix)}.</p>")
    parts += [f"<p>{_words(remark)}</p>" for remark in clash.remarks]
    if said := say_alike(group, name=_code):
        parts.append(f"<p>{said}</p>")
    return parts


def _environment(environment: Environment) -> list[str]:
    about = f"Environment {environment.name}: Python {environment.python_version}"
    pins = [_code(f"{pin.name}=={pin.version}") for pin in environment.packages]
    return [
        f"<h2>{_words(about)}</h2>",
        *_list(map(_code, environment.specs)),
        f"<details><summary>{count(len(pins), 'package')}</summary>",
        *(_list(pins) if pins else []),
        "</details>",
    ]


def _diagnostics(report: Report, severity: Severity) -> list[str]:
    found = [one for one in report.diagnostics if one.severity is severity and one.code != BETTER_SPLIT]
    if not found:
        return []
    lines = []
    for one in found:
        line = "" if one.line is None else f":{one.line}"
        where = "" if one.file is None else f"{_code(one.file + line)}: "
        lines.append(f"{where}{_words(one.message)} ({_code(one.code)})")
    return [f"<h2>{count(len(found), severity.value).capitalize()}</h2>", *_list(lines)]
