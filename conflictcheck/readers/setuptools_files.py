"""A project that ``setup.cfg`` or ``setup.py`` alone states: whether there is one, and where it says what it needs.

What that is will be told by who reads the folder as a requirement, as for ``-e .``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.readers.base import Workspace

FILES = ("setup.cfg", "setup.py")

_PROJECT = re.compile(rb"^\s*\[\s*(?:metadata|options)\b", re.MULTILINE)
_NEEDS = re.compile(rb"^[^#\n]*\binstall_requires\b", re.MULTILINE)
_EXTRAS = re.compile(rb"^[^#\n]*\bextras_require\b", re.MULTILINE)


class SetupFile(Struct, frozen=True):
    """Where a project of setuptools is stated.

    Attributes:
        file: as the user would name it; of two files the one that says what the project needs.
        line: where it says so, or the first.
        extras: the file and the line that state extras, or None.
    """

    file: str
    line: int
    extras: tuple[str, int] | None


def find_setup_file(folder: Path, workspace: Workspace) -> SetupFile | None:
    """The project that the files of setuptools in a folder state.

    Args:
        folder: absolute.
        workspace: for reading and names.

    Returns:
        None where there is none: a ``setup.cfg`` without metadata and options holds the settings of other tools.

    Raises:
        SpecError: a file cannot be read.
    """
    found: dict[str, bytes] = {}
    for path in (folder / name for name in FILES):
        if os.path.isfile(path):  # noqa: PTH113 - pathlib's fails where it may not look
            file = workspace.name(path)
            try:
                content = workspace.load(path)
            except SpecError as error:
                raise SpecError(error.message, file=file, hint=error.hint) from None
            if path.suffix == ".py" or _PROJECT.search(content):
                found[file] = content
    if not found:
        return None
    file, line = _place(_NEEDS, found) or (next(iter(found)), 1)
    return SetupFile(file, line, _place(_EXTRAS, found))


def _place(what: re.Pattern[bytes], files: dict[str, bytes]) -> tuple[str, int] | None:
    """The first file that has something, and the line."""
    for file, content in files.items():
        if found := what.search(content):
            return file, content.count(b"\n", 0, found.end()) + 1
    return None
