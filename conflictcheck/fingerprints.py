"""What is at a place of the file system, as a text that changes when it does: nothing costly is imported here."""
# ruff: noqa: PTH112, PTH116, PTH118, PTH120, PTH123 - pathlib takes longer to import than all the rest

from __future__ import annotations

import os
import stat
from hashlib import file_digest, sha256

NOTHING = "nothing"
NOTHING_THERE = "nothing there"
"""The same in a folder that is there: an index in a folder that is not may have any package."""
UNREADABLE = "unreadable"
"""There is something, or may be, and what it is cannot be known."""
_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")
"""What makes a folder one that is not searched."""


def fingerprint(path: str) -> str:
    """What is at a place: a file by its content, a folder by what it lists, and where a link leads.

    Returns:
        A text without spaces at its ends that is one of the above where there is no more to tell.
    """
    try:
        found = os.stat(path)
        leads = os.path.realpath(path)
        if stat.S_ISDIR(found.st_mode):
            return f"{leads} {sha256(repr(_listing(path)).encode('utf-8', 'surrogateescape')).hexdigest()}"
        if not stat.S_ISREG(found.st_mode):
            return "something else"
        with open(path, "rb") as file:
            return f"{leads} {file_digest(file, 'sha256').hexdigest()}"
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING_THERE if os.path.isdir(os.path.dirname(path)) else NOTHING
    except OSError:
        return UNREADABLE


def _listing(folder: str) -> list[object]:
    found: list[object] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            within = entry.is_dir() and [
                name for name in _ENVIRONMENTS if os.path.lexists(os.path.join(entry.path, name))
            ]
            found.append((entry.name, within, entry.is_file(), entry.is_symlink()))
    return sorted(found, key=repr)
