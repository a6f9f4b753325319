"""What commands that resolve do alike: a run with its progress, and one report to its place."""
# ruff: noqa: PLC0415 - imports inside functions keep start-up short

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from conflictcheck.cli.options import report_width
from conflictcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from conflictcheck.cli.options import Terminal
    from conflictcheck.given import Given
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
    from conflictcheck.cli.output import check_output
    from conflictcheck.cli.remembered import Memory, check_or_recall

    check_output(output, streams=True)
    with progress_on(terminal) as progress:
        progress.phase("reading")
        given = read_sparing(settings, output)
        return check_or_recall(Memory(settings, given), progress).report


def read_sparing(settings: Settings, *outputs: str | Path | None, more: Iterable[Path] = ()) -> Given:
    """Read the input of a run, which its reports must not replace.

    Args:
        settings: of the run.
        outputs: where reports go: files, `STANDARD_OUTPUT`, or None for nowhere.
        more: files that the command is given besides.

    Raises:
        ConflictCheckError: the input cannot be read, or an output is a file of it or the baseline to be written.
    """
    from conflictcheck.cli.output import STANDARD_OUTPUT
    from conflictcheck.given import files_read, read_input
    from conflictcheck.writing import check_is_none_of

    places = [Path(output) for output in outputs if output not in (None, STANDARD_OUTPUT)]
    for place in places:
        _keep_apart(place, settings.write_baseline)
    given = read_input(settings)
    read = [*files_read(settings, given), *more]
    for place in places:
        check_is_none_of(place, read, hint="name another one with -o")
    return given


def _keep_apart(place: Path, baseline: Path | None) -> None:
    if baseline is not None and os.path.realpath(place) == os.path.realpath(baseline):
        raise UsageError(f"-o and --write-baseline both name {place}", hint="give each a file of its own")


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
    from conflictcheck.reports import FORMATS

    color = terminal.colors(to_terminal=sys.stderr.isatty())
    text = FORMATS["text"].render(report, color=color, width=report_width(), verbose=terminal.verbose)
    print_on_standard_error(text)
