"""Where the reports of a run go: several forms at once, each to its place."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from conflictcheck.cli.options import ORDER
from conflictcheck.cli.output import STANDARD_OUTPUT, check_output, print_message, print_report, write_files
from conflictcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conflictcheck.cli.options import Terminal

_SUMMARY_SIZE = 1024 * 1024
"""Bytes of a step's summary; GitHub refuses a larger one whole."""


class Output(Struct, frozen=True):
    """One report.

    Attributes:
        form: its form, by the name that ``--format`` knows.
        file: where it goes; None is standard output.
        appended: whether it is added to what is in the file, as a step's summary is.
    """

    form: str
    file: Path | None = None
    appended: bool = False

    def color(self, terminal: Terminal) -> bool:
        """Whether it is to be in colour."""
        return terminal.colors(to_terminal=self.file is None and sys.stdout.isatty())


def given_outputs(formats: Sequence[str], files: Sequence[str], default: str) -> list[Output]:
    """Pair each ``-o`` with the ``--format`` before it.

    Args:
        formats: the values of ``--format``, as given to the command that runs, an `InOrder`.
        files: those of ``-o``.
        default: the form where there is no ``--format``, on standard output; a file gets text.

    Returns:
        One an output, checked to be writable.

    Raises:
        UsageError: they cannot be paired, or two go to one place.
        OutputError: a file cannot be written.
    """
    if len(formats) <= 1 and len(files) <= 1:
        file = files[0] if files else STANDARD_OUTPUT
        pairs = [(formats[0] if formats else default if file == STANDARD_OUTPUT else "text", file)]
    else:
        pairs = _paired(formats, files, click.get_current_context().meta[ORDER])
    places = [file if file == STANDARD_OUTPUT else os.path.realpath(file) for _, file in pairs]
    for (form, file), place in zip(pairs, places, strict=True):
        if places.count(place) > 1:
            what = "standard output" if file == STANDARD_OUTPUT else file
            raise UsageError(f"--format {form}: two reports would go to {what}", hint="give each -o FILE of its own")
    for _, file in pairs:
        check_output(file, streams=True)
    return [Output(form, None if file == STANDARD_OUTPUT else Path(file)) for form, file in pairs]


def _paired(formats: Sequence[str], files: Sequence[str], order: Sequence[str]) -> list[tuple[str, str]]:
    left, right = iter(formats), iter(files)
    pairs: list[tuple[str, str]] = []
    waiting: str | None = None
    for name in order:
        if name == "formats":
            if waiting is not None:
                pairs.append((waiting, STANDARD_OUTPUT))
            waiting = next(left)
        elif name == "outputs":
            file = next(right)
            if waiting is None:
                raise UsageError(f"-o {file}: there is no --format before it", hint="give --format FORM -o FILE pairs")
            pairs.append((waiting, file))
            waiting = None
    return pairs if waiting is None else [*pairs, (waiting, STANDARD_OUTPUT)]


def with_step_summary(outputs: Sequence[Output], environ: Mapping[str, str]) -> list[Output]:
    """Add the summary of a step of GitHub Actions where its log gets the form for it, and no report goes there anyway.

    Args:
        outputs: of the run.
        environ: environment variables; GITHUB_STEP_SUMMARY names the file.
    """
    summary = environ.get("GITHUB_STEP_SUMMARY")
    taken = [os.path.realpath(output.file) for output in outputs if output.file is not None]
    if summary and Output("github") in outputs and os.path.realpath(summary) not in taken:
        return [*outputs, Output("markdown", Path(summary), appended=True)]
    return list(outputs)


def deliver(outputs: Sequence[Output], texts: Sequence[str], *, printed: bool) -> None:
    """Write each report to its place: all files or none, then standard output.

    Args:
        outputs: the places.
        texts: the reports, in the same order.
        printed: whether standard output is wanted.

    Raises:
        OutputError: a place cannot be written to.
    """
    given = list(zip(outputs, texts, strict=True))
    write_files({output.file: text for output, text in given if output.file and not output.appended})
    for output, text in given:
        if output.file is None:
            if printed:
                print_report(text)
        elif output.appended:
            _append(output.file, text)


def _append(summary: Path, text: str) -> None:
    """Add to a step's summary. It repeats what the log says, so a failure to is told and is none of the check."""
    content = text.encode(errors="backslashreplace")
    try:
        if summary.exists() and summary.stat().st_size + len(content) > _SUMMARY_SIZE:
            print_message("warning: the step's summary is full; the report is in the log alone")
            return
        with summary.open("ab") as file:
            file.write(content)
    except OSError as error:
        print_message(f"warning: the step's summary cannot be written ({error.strerror or error})")
