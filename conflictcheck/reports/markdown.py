"""The report for a comment on a pull request, in the Markdown that GitHub, GitLab and Bitbucket share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conflictcheck.escaping import visible
from conflictcheck.model import Severity
from conflictcheck.phrases import and_list, count, place
from conflictcheck.reports.alike import alike, say_alike
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.text import (
    BETTER_SPLIT,
    better_split,
    describe_gone,
    describe_outcome,
    summarize_with_counts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Clash, Diagnostic, Environment, Fix, Report

MARK = "<!-- conflictcheck -->"
"""The first line, by which a script finds the comment that it wrote before."""
_MOST = 65_536
"""Characters of a comment on GitHub. Bytes are counted here, which are never fewer."""
_LAST = 400
"""Bytes kept free for the words that say what is left out."""
_NAMES = 20
_DIAGNOSTICS = 20
_ACTS = re.compile(
    r"[\\`*_{}\[\]<>|~$&]"  # Markdown, HTML or a formula
    r"|(?:^[-+]|(?:(?<=^\d)|(?<=^\d\d))[.)])(?=\s|$)"  # a list, at the start of a line
    r"|^#+(?=\s|$)"  # a heading
    r"|:(?=//)|(?<=www)\.|@(?=\w)"  # an address, or somebody to be told
    r"|[#!%](?=\w)"  # an issue, a merge request, a milestone
)
"""What would be more than words in the Markdown of a host."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", ":": "&#58;"}
_REFERENCES = frozenset("@#!%")


class MarkdownReport(ReportFormat):
    """The headline, each clash with the argument folded away, the fixes, and the environments."""

    name = "markdown"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - no lines to wrap
        """Word the report, cut where a comment takes no more; ``-v`` adds notes."""
        head = [MARK, f"**conflictcheck: {prose(summarize_with_counts(report))}**"]
        tail = [*_diagnostics(report, Severity.ERROR), *_gone(report), *_fix_for_all(report)]
        tail += [f"**Fewer:** {prose(sentence)}" for sentence in better_split(report)]
        tail += _environments(report)
        for severity in (Severity.WARNING, Severity.NOTE) if verbose else (Severity.WARNING,):
            tail += _diagnostics(report, severity)
        if report.clashes and not report.clashes_complete:
            tail.insert(0, "There may be further clashes: not every set of specs could be tried.")
        groups = alike(report.clashes)
        clashes = [
            _clash(group, f"Clash {number} of {len(groups)}" if len(groups) > 1 else "Clash")
            for number, group in enumerate(groups, start=1)
        ]
        return _fitting(head, clashes, tail) + "\n"


def prose(text: str) -> str:
    """A sentence in which nothing is Markdown, HTML, a link or a reference to something on the host."""
    return _ACTS.sub(_harmless, visible(text).strip())


def _harmless(match: re.Match[str]) -> str:
    letter = match[0][0]
    if letter in _ENTITIES:
        return _ENTITIES[letter]
    if letter in _REFERENCES and match.end() < len(match.string) and not match.string[match.end()].isspace():
        # Hosts look for references in what is shown, where a backslash is gone; not across an element.
        return f"{letter}<span></span>"
    return f"\\{match[0]}"


def code(text: str) -> str:
    """Words as they are, in a code span."""
    text = visible(text) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _fitting(head: Sequence[str], clashes: Sequence[str], tail: Sequence[str]) -> str:
    """As many blocks as there is room for: the first clashes before the rest, and the rest before further clashes."""
    room = _MOST - _LAST
    kept: list[list[str]] = []
    for blocks in (head, clashes[:1], tail, clashes[1:]):
        kept.append([])
        for block in blocks:
            size = len(f"{block}\n\n".encode())
            if size > room:
                break
            room -= size
            kept[-1].append(block)
    top, first, end, more = kept
    missing = len(clashes) - len(first) - len(more)
    if missing:
        more.append(f"And {count(missing, 'more clash', 'more clashes')}, which the full report lists.")
    if len(end) < len(tail):
        end.append("The rest is in the full report.")
    return "\n\n".join([*top, *first, *more, *end])


def _clash(group: Sequence[Clash], label: str) -> str:
    clash = group[0]
    known = f" (known: {prose(clash.known)})" if clash.known else ""
    blocks = [f"**{label}{known}:** {prose(clash.summary)}"]
    blocks.append("\n".join(f"- {code(place(line))}: {code(line.text)}" for line in clash.requirements))
    if clash.steps:
        steps = "\n".join(f"{number}. {prose(step)}" for number, step in enumerate(clash.steps, start=1))
        blocks.append(_folded("Why", steps))
    if not clash.minimal:
        blocks.append("Not each of these lines was shown to be needed.")
    blocks += [f"**{'Or' if number else 'To fix'}:** {_fix(fix)}" for number, fix in enumerate(clash.fixes)]
    if clash.no_fix:
        blocks.append(f"No edit of requirement lines resolves this: {prose(clash.no_fix)}.")
    blocks += [prose(remark) for remark in clash.remarks]
    if said := say_alike(group, most=_NAMES, name=code):
        blocks.append(said)
    return "\n\n".join(blocks)


def _fix(fix: Fix) -> str:
    edits = [f"{code(place(edit))} from {code(edit.old)} to {code(edit.new)}" for edit in fix.edits]
    return f"change {and_list(edits)} (tried: {prose(describe_outcome(fix))})."


def _gone(report: Report) -> list[str]:
    if not report.gone:
        return []
    return ["\n".join(f"- Gone: {prose(describe_gone(one))}" for one in report.gone)]


def _fix_for_all(report: Report) -> list[str]:
    if len(report.clashes) < 2 or not report.fixes:  # noqa: PLR2004 - the menu of an only clash says the same
        return []
    fix = report.fixes[0]
    return [f"**To need {count(fix.environments_after, 'environment')}:** {_fix(fix)}"]


def _environments(report: Report) -> list[str]:
    if not report.environments:
        return []
    lines = "\n".join(_environment(environment) for environment in report.environments)
    why = f"{prose(report.minimum.why)}\n\n" if report.minimum.why else ""
    return [_folded(count(len(report.environments), "environment"), why + lines)]


def _environment(environment: Environment) -> str:
    shown = [code(spec) for spec in environment.specs[:_NAMES]]
    return (
        f"- **{prose(environment.name)}**: {count(len(environment.packages), 'package')}, Python "
        f"{prose(environment.python_version)}: {and_list(shown, more=len(environment.specs) - len(shown))}"
    )


def _diagnostics(report: Report, severity: Severity) -> list[str]:
    found = [one for one in report.diagnostics if one.severity is severity and one.code != BETTER_SPLIT]
    if not found:
        return []
    lines = [f"- {_located(one)}{prose(one.message)} ({code(one.code)})" for one in found[:_DIAGNOSTICS]]
    if rest := len(found) - _DIAGNOSTICS:
        lines += [f"- and {rest} more"] if rest > 0 else []
    listed = "\n".join(lines)
    return [listed] if severity is Severity.ERROR else [_folded(count(len(found), severity.value), listed)]


def _located(diagnostic: Diagnostic) -> str:
    if diagnostic.file is None:
        return ""
    line = "" if diagnostic.line is None else f":{diagnostic.line}"
    return f"{code(diagnostic.file + line)}: "


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"
