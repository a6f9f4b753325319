"""What ``init`` writes."""

from __future__ import annotations

import os
from pathlib import Path

from conflictcheck.cli.output import STANDARD_OUTPUT, print_message, print_report, write_file
from conflictcheck.errors import InputErrors, OutputError, UsageError
from conflictcheck.phrases import count
from conflictcheck.readers import read_specs
from conflictcheck.settings_file import FILE, read_settings_file
from conflictcheck.settings_template import make_template


def write_first_settings(output: str) -> None:
    """Write a settings file for the working directory, which changes nothing yet.

    Args:
        output: the file, or `STANDARD_OUTPUT`.

    Raises:
        UsageError: there are settings already.
        OutputError: the file exists, or cannot be written.
    """
    cwd = Path.cwd()
    if output != STANDARD_OUTPUT:
        _check_is_new(cwd, output)
    try:
        specs = read_specs([], cwd=cwd).specs
        problems = 0
    except InputErrors as error:
        # A file that is no spec may be what the settings are to leave out.
        specs, problems = (), len(error.errors)
    text = make_template(specs)
    if output == STANDARD_OUTPUT:
        print_report(text)
    else:
        write_file(Path(output), text)
        print_message(f"Wrote {output}: {count(len(specs), 'spec')} found; nothing changes until you edit it")
    if problems:
        print_message(f"Nothing here could be taken for an example; conflictcheck check says why ({problems})")


def _check_is_new(cwd: Path, output: str) -> None:
    if not output:
        raise UsageError("-o: '' names no file", hint="name the file to write, or - for standard output")
    if os.path.lexists(output):
        raise OutputError("this file exists", file=output, hint="edit it, or name another one with -o")
    there = read_settings_file(cwd).project
    if output == FILE and there is not None and there.folder == cwd:
        raise UsageError(
            f"there are settings already, which {FILE} would hide", file=there.file, hint="edit them, or give -o -"
        )
