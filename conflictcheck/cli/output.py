"""Writes to standard output and to files."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from conflictcheck.cli.streams import silence
from conflictcheck.errors import OutputError
from conflictcheck.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-", "…": "..."})


def print_report(text: str) -> None:
    """Write to standard output; drawn lines become plain ones where the output cannot show them.

    A reader that has enough (``| head``) changes nothing about the verdict, so that is no error.
    """
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(_PLAIN)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def print_message(text: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(visible(text) + "\n")
    sys.stderr.flush()


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: it cannot be written; what was there before still is.
    """
    write_files({path: text})


def write_files(texts: Mapping[Path, str]) -> None:
    """Write files, each whole or not at all, and none is put in place before all are written.

    Raises:
        OutputError: one cannot be written, named as given.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for path, text in texts.items():
            written.append((_written_beside(path, text), path))
        while written:
            temporary, path = written[0]
            try:
                temporary.replace(path)
            except OSError as error:
                raise _unwritable(path, error) from None
            del written[0]
    finally:
        for temporary, _ in written:
            with suppress(OSError):
                temporary.unlink()


def _written_beside(path: Path, text: str) -> Path:
    if path.is_dir():
        raise OutputError("this is a folder", file=str(path), hint="name a file to write to")
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(text)
        # mkstemp makes the file private; a report is as readable as any other file one writes.
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    return temporary


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"this file cannot be written ({error.strerror or error})", file=str(path), hint="name another place with -o"
    )


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
