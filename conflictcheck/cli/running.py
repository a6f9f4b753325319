"""What commands that resolve do alike: a run with its progress, and one report to its place."""
# ruff: noqa: PLC0415 - imports inside functions keep start-up short

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from conflictcheck.cli.options import report_width

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from conflictcheck.cli.options import Terminal
    from conflictcheck.model import Report
    from conflictcheck.progress import Progress
    from conflictcheck.reports.base import ReportFormat
    from conflictcheck.settings import Settings


def progress_on(terminal: Terminal) -> AbstractContextManager[Progress]:
    """What is told how far a run is: a bar where somebody watches."""
    if terminal.shows_progress:
        from conflictcheck.cli.progress_bar import ProgressBar

        return ProgressBar(color=terminal.colors(to_terminal=True))
    from conflictcheck.progress import Progress

    return nullcontext(Progress())


def checked_report(settings: Settings, terminal: Terminal, output: str | None = None) -> Report:
    """The report, after a look at the place that it is to be written to.

    Args:
        settings: of the run.
        terminal: where progress is shown.
        output: the value of ``-o``.

    Raises:
        ConflictCheckError: the place cannot be written to or is part of the input, or see `pipeline.check`.
    """
    from conflictcheck.cli.output import check_output, spare_input
    from conflictcheck.given import files_read, read_input
    from conflictcheck.pipeline import check_files

    check_output(output, streams=True)
    given = read_input(settings)
    spare_input(output, files_read(settings, given))
    with progress_on(terminal) as progress:
        return check_files(settings, progress, given=given).report


def report_format(name: str) -> ReportFormat:
    """The form of reports that ``--format`` knows by this name."""
    from conflictcheck.reports import FORMATS

    return FORMATS[name]


def deliver_report(chosen: ReportFormat, report: Report, terminal: Terminal, output: str | None) -> None:
    """Write a report to its place.

    Args:
        chosen: its form.
        report: the report.
        terminal: whether there are colours, and whether standard output is wanted.
        output: the value of ``-o``.

    Raises:
        OutputError: the place cannot be written to.
    """
    from conflictcheck.cli.output import STANDARD_OUTPUT, print_report, write_file

    color = terminal.colors(to_terminal=output in (None, STANDARD_OUTPUT) and sys.stdout.isatty())
    text = chosen.render(report, color=color, width=report_width(), verbose=terminal.verbose)
    if output not in (None, STANDARD_OUTPUT):
        write_file(Path(output), text)
    elif terminal.prints:
        print_report(text)


def say_why(report: Report, terminal: Terminal) -> None:
    """Write the text report to standard error, where standard output is for something that there is none of."""
    from conflictcheck.cli.output import print_on_standard_error

    color = terminal.colors(to_terminal=sys.stderr.isatty())
    text = report_format("text").render(report, color=color, width=report_width(), verbose=terminal.verbose)
    print_on_standard_error(text)
