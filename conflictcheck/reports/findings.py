"""What there is to say beside a line of a file, for services that show it there."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.escaping import visible
from conflictcheck.model import Severity
from conflictcheck.phrases import place
from conflictcheck.reports.alike import alike
from conflictcheck.reports.text import describe_fix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.model import Clash, Diagnostic, Report

_WORST_FIRST = tuple(Severity)


class Place(Struct, frozen=True):
    """A line of a file.

    Attributes:
        file: as a spec's path, and not made visible: services look it up.
        line: counted from 1, or None for the file as a whole.
        text: what the line says, made visible; empty where that is not known.
    """

    file: str
    line: int | None
    text: str = ""


class Finding(Struct, frozen=True):
    """A clash or a diagnostic; every text is one visible line.

    Attributes:
        id: of the clash; for a diagnostic one that stays when its line moves. No two findings share one.
        rule: ``clash-`` and the kind of clash, or the code of the diagnostic.
        severity: error for a clash that makes the check fail, note for one that is known or allowed for.
        title: a few words.
        summary: one sentence.
        details: the lines of a clash, why they clash, and what resolves it.
        fix: what resolves it, in a sentence; empty where nothing is known to.
        lines: where it stands, the line to change first where one is known; places without a file are left out.
        known: why a clash does not count; empty where it does.
    """

    id: str
    rule: str
    severity: Severity
    title: str
    summary: str
    details: tuple[str, ...] = ()
    fix: str = ""
    lines: tuple[Place, ...] = ()
    known: str = ""

    @property
    def text(self) -> str:
        """Summary and details, one a line."""
        return "\n".join([self.summary, *self.details])


def list_findings(report: Report, *, verbose: int) -> tuple[Finding, ...]:
    """Everything worth showing beside a line.

    Args:
        report: the answer.
        verbose: how many ``-v`` were given; notes count with one.

    Returns:
        Worst first; clashes before diagnostics, each in the report's order. Clashes that say the same as an earlier one
        come after the others, as services show a few.
    """
    groups = alike(report.clashes)
    clashes = [*(first for first, *_ in groups), *(clash for _, *others in groups for clash in others)]
    shown = [one for one in report.diagnostics if verbose or one.severity is not Severity.NOTE]
    found = [*(_of_clash(clash, report) for clash in clashes), *_of_diagnostics(shown)]
    return tuple(sorted(found, key=lambda finding: _WORST_FIRST.index(finding.severity)))


def explain_in_lines(clash: Clash) -> list[str]:
    """The lines of a clash, why they clash, and what resolves it, as paragraphs of plain text."""
    lines = [f"{place(line)}: {line.text}" for line in clash.requirements]
    lines += [f"{number}. {step}" for number, step in enumerate(clash.steps, start=1)]
    lines += [f"{'Or' if number else 'To fix'}: {describe_fix(fix)}." for number, fix in enumerate(clash.fixes)]
    if clash.no_fix:
        lines.append(f"No edit of requirement lines resolves this: {clash.no_fix}.")
    if clash.known:
        lines.append(f"This clash is known: {clash.known}.")
    return [visible(line) for line in [*lines, *clash.remarks]]


def _of_clash(clash: Clash, report: Report) -> Finding:
    counts = not (clash.known or report.passed)
    return Finding(
        id=visible(clash.id),
        rule=f"clash-{clash.kind.value}",
        severity=Severity.ERROR if counts else Severity.NOTE,
        title=visible(f"{'Known clash' if clash.known else 'Clash'} {clash.id}"),
        summary=visible(clash.summary),
        details=tuple(explain_in_lines(clash)),
        fix=visible(f"To fix: {describe_fix(clash.fixes[0])}.") if clash.fixes else "",
        lines=tuple(_places(clash)),
        known=visible(clash.known),
    )


def _places(clash: Clash) -> list[Place]:
    """The lines that have a file, those that the best fix changes first."""
    changed = {(edit.file, edit.line) for fix in clash.fixes[:1] for edit in fix.edits}
    located = [Place(one.file, one.line, visible(one.text)) for one in clash.requirements if one.file is not None]
    return sorted(dict.fromkeys(located), key=lambda one: (one.file, one.line) not in changed)


def _of_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[Finding]:
    seen: Counter[str] = Counter()
    found = []
    for one in diagnostics:
        words = f"{one.code}\0{one.file}\0{one.message}"
        seen[words] += 1
        digest = sha256(f"{words}\0{seen[words]}".encode(errors="surrogatepass")).hexdigest()
        lines = () if one.file is None else (Place(one.file, one.line),)
        found.append(
            Finding(digest[:12], visible(one.code), one.severity, visible(one.code), visible(one.message), lines=lines)
        )
    return found
