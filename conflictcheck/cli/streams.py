"""What to do with a standard stream whose reader has gone."""

from __future__ import annotations

import os
import sys


def silence() -> None:
    """Let nothing more be written to a stream that nobody reads, not even by the interpreter's last flush."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
