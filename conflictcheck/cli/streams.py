"""What to do with a standard stream that is closed, or whose reader has gone."""

from __future__ import annotations

import os
import sys


def replace_closed() -> None:
    """Give every standard stream that was closed (``>&-``) a place to write to, or to read nothing from.

    No file that is opened later gets the stream's number then, and nobody has to ask whether there is a stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open to the end


def silence() -> None:
    """Let nothing more be written to a stream that nobody reads, not even by the interpreter's last flush."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
