"""What ``conflictcheck fix`` says and does with the fixes of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.cli.output import print_message, print_report
from conflictcheck.edits import plan_edits, render_diff, write_edits
from conflictcheck.errors import InputErrors
from conflictcheck.escaping import visible
from conflictcheck.model import Verdict
from conflictcheck.phrases import and_list, count
from conflictcheck.reports.text import describe_fix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflictcheck.edits import EditedFile
    from conflictcheck.model import Fix, Report
    from conflictcheck.pipeline import Checked

_MOST_CHANGES = 8


def plan_fix(checked: Checked, target: int, say: Callable[[str], None]) -> list[EditedFile]:
    """Choose the best fix, and say what it does and what else there is.

    Args:
        checked: the report, and the files that it is about.
        target: how many environments are wanted.
        say: takes messages.

    Returns:
        What the files become; nothing where there is nothing to edit.

    Raises:
        InputErrors: the edits of every fix are on lines that cannot be edited, and why.
    """
    report = checked.report
    if report.verdict is not Verdict.UNSATISFIABLE and len(report.environments) <= target:
        say(f"Nothing to fix: the specs fit in {count(len(report.environments), 'environment')}.")
        return []
    if not report.fixes:
        _say_there_is_none(report, say)
        return []
    chosen, planned = _first_that_can_be_made(report.fixes, checked)
    say(f"Best fix: {describe_fix(chosen)}.")
    if chosen.environments_after > target:
        say(f"No edits were found after which {count(target, 'environment')} would be enough.")
    if chosen.changes:
        shown = list(dict.fromkeys(f"{one.name} {one.before} to {one.after}" for one in chosen.changes))
        say(f"Versions that change: {and_list(shown[:_MOST_CHANGES], more=len(shown) - _MOST_CHANGES)}.")
    for fix in report.fixes:
        if fix is not chosen:
            say(f"Or: {describe_fix(fix)}.")
    _say_what_stays(report, say)
    return planned


def _first_that_can_be_made(fixes: Sequence[Fix], checked: Checked) -> tuple[Fix, list[EditedFile]]:
    problems: InputErrors | None = None
    for fix in fixes:
        try:
            return fix, plan_edits(fix.edits, checked.sources)
        except InputErrors as error:
            problems = problems or error
    if problems is None:
        raise AssertionError("there is at least one fix")
    raise problems


def _say_there_is_none(report: Report, say: Callable[[str], None]) -> None:
    say("No edits of requirement lines were found after which fewer environments are enough.")
    _say_what_stays(report, say)


def _say_what_stays(report: Report, say: Callable[[str], None]) -> None:
    for clash in report.clashes:
        if clash.no_fix:
            say(f"No edit resolves the clash of {and_list(clash.specs)}: {clash.no_fix}.")


def show_diff(files: Sequence[EditedFile], *, color: bool, to_terminal: bool) -> None:
    """Write the diff to standard output; a terminal gets no control characters of the files."""
    diff = render_diff(files)
    if to_terminal:
        diff = "".join(_painted(visible(line), color=color) + "\n" for line in diff.split("\n")[:-1])
    print_report(diff)


def _painted(line: str, *, color: bool) -> str:
    code = {"+": "32", "-": "31", "@": "36"}.get(line[:1])
    return f"\x1b[{code}m{line}\x1b[0m" if color and code else line


def write_files(files: Sequence[EditedFile], say: Callable[[str], None]) -> None:
    """Write the files, and say so.

    Raises:
        InputErrors: one cannot be written, or has changed meanwhile; then none is written.
    """
    write_edits(files)
    for file in files:
        say(f"Wrote {file.name}")


def teller(*, quiet: bool) -> Callable[[str], None]:
    """Takes messages for standard error; none when quiet."""
    return (lambda _: None) if quiet else print_message
