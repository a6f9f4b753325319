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

    from conflictcheck.checked import Checked
    from conflictcheck.edits import EditedFile
    from conflictcheck.model import Fix, Report

_MOST_CHANGES = 8


def plan_fix(checked: Checked, wanted: int | None, say: Callable[[str], None], *, to_write: bool) -> list[EditedFile]:
    """Choose the best fix, and say what it does and what else there is.

    Args:
        checked: the report, and the files that it is about.
        wanted: how many environments are wanted; None for as few as a handful of edits can reach.
        say: takes messages.
        to_write: whether edits that cannot be made are an error, and not only to be told.

    Returns:
        What the files become; nothing where there is nothing to edit.

    Raises:
        InputErrors: every fix has edits that cannot be made in a file, and why.
    """
    report = checked.report
    target = wanted or 1
    if report.verdict is not Verdict.UNSATISFIABLE and len(report.environments) <= target:
        say(f"Nothing to fix: the specs fit in {count(len(report.environments), 'environment')}.")
        return []
    if not report.fixes:
        _say_there_is_none(report, say)
        return []
    chosen, planned, problems = _first_that_can_be_made(report.fixes, checked)
    if problems is not None and to_write:
        raise problems
    say(f"Best fix: {describe_fix(chosen)}.")
    if not _say_what_takes_more(report, say) and chosen.environments_after > target:
        say(f"No edits were found after which {count(target, 'environment')} would be enough.")
    if chosen.changes:
        shown = list(dict.fromkeys(f"{one.name} {one.before} to {one.after}" for one in chosen.changes))
        say(f"Versions that change: {and_list(shown[:_MOST_CHANGES], more=len(shown) - _MOST_CHANGES)}.")
    for fix in report.fixes:
        if fix is not chosen:
            say(f"Or: {describe_fix(fix)}.")
    _say_what_stays(report, say)
    for problem in problems.errors if problems is not None else ():
        say(str(problem))
    return planned


def _first_that_can_be_made(fixes: Sequence[Fix], checked: Checked) -> tuple[Fix, list[EditedFile], InputErrors | None]:
    """The best fix whose edits can be made; if there is none, the best one and what is in the way."""
    problems: InputErrors | None = None
    for fix in fixes:
        try:
            return fix, plan_edits(fix.edits, checked.sources), None
        except InputErrors as error:
            problems = problems or error
    return fixes[0], [], problems


def _say_there_is_none(report: Report, say: Callable[[str], None]) -> None:
    if not _say_what_takes_more(report, say):
        say("No edits of requirement lines were found after which fewer environments are enough.")
    _say_what_stays(report, say)


def _say_what_takes_more(report: Report, say: Callable[[str], None]) -> bool:
    """Whether fewer environments take more edits than were looked for, which is said then."""
    many = next((one for one in report.diagnostics if one.code == "many-edits"), None)
    if many is not None:
        say(f"{many.message[0].upper()}{many.message[1:]}.")
    return many is not None


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
