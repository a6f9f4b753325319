"""Writes to the standard streams and to files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conflictcheck import writing
from conflictcheck.cli.streams import silence
from conflictcheck.errors import OutputError, UsageError
from conflictcheck.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STANDARD_OUTPUT = "-"
"""What ``-o`` calls standard output."""
_PLAIN = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-", "…": "..."})


def print_report(text: str) -> None:
    """Write to standard output; drawn lines become plain ones where the output cannot show them.

    A reader that has enough (``| head``) changes nothing about the verdict, so that is no error.

    Raises:
        OutputError: standard output takes no more, as on a full disk.
    """
    if not text:
        return
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(_PLAIN)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
    except OSError as error:
        silence()
        raise OutputError(f"standard output cannot be written ({error.strerror or error})") from None


def print_message(text: str) -> None:
    """Write one line to standard error."""
    print_on_standard_error(visible(text) + "\n")


def print_on_standard_error(text: str) -> None:
    """Write to standard error. Where that fails there is nobody left to tell, and the exit code says enough."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        silence()


def check_output(output: str | None, *, streams: bool) -> None:
    """Look at the value of ``-o`` before the long work begins.

    Args:
        output: a file's name, `STANDARD_OUTPUT`, or None.
        streams: whether standard output will do.

    Raises:
        UsageError: it is no name of a file.
        OutputError: the file cannot be written.
    """
    from pathlib import Path  # noqa: PLC0415 - not needed where there is no file

    if output is None or (streams and output == STANDARD_OUTPUT):
        return
    if not output or output == STANDARD_OUTPUT:
        raise UsageError(f"-o: {output!r} names no file", hint="name the file to write")
    writing.check_file(Path(output))


def write_file(path: Path, text: str) -> None:
    """Write a text to a file; see `writing.write_file`."""
    write_files({path: text})


def write_files(texts: Mapping[Path, str]) -> None:
    """Write texts to files; see `writing.write_files`."""
    writing.write_files({path: text.encode(errors="backslashreplace") for path, text in texts.items()})
