"""Searching folders for specs.

What version control leaves out is left out here: hidden folders, and whatever ``.gitignore`` files name.
Source for their meaning: gitignore(5); the last pattern that matches decides, deeper files first.
"""
# ruff: noqa: PTH110, PTH112, PTH113 - os.path's questions answer no where pathlib's fail: in a folder that may not be read

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.errors import SpecError
from conflictcheck.model import Severity
from conflictcheck.readers.base import Unnamed
from conflictcheck.readers.not_taken import may_be_requirements, reason_not_taken
from conflictcheck.text import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pathspec import GitIgnoreSpec

    from conflictcheck.readers.base import Reader, Workspace

_SILENT = frozenset({".git", ".hg", ".svn", "__pycache__"})
"""Folders that nobody would expect a spec in; passing over them is not worth a note."""

_TEMPLATE_MARKS = ("{{", "{%")
"""What is in the names of folders that Cookiecutter, Copier and their kin fill in, as they do the files in them."""


class _Ignored(Struct, frozen=True):
    """The patterns of one ignore file, and the folder that they are relative to."""

    folder: Path
    patterns: GitIgnoreSpec

    def decides(self, path: Path, *, is_folder: bool) -> bool | None:
        """Whether `path` is left out; None where these patterns do not say."""
        relative = path.relative_to(self.folder).as_posix()
        return self.patterns.check_file(f"{relative}/" if is_folder else relative).include


def find_files(folder: Path, readers: Sequence[Reader], workspace: Workspace) -> Iterator[tuple[Path, Reader]]:
    """The files in a folder that a reader takes, in order of their paths; what is passed over is noted.

    Links to folders are not followed, so that no file is found twice and no loop is entered.

    Raises:
        SpecError: the folder cannot be listed; without its name.
    """
    ignored = _above(folder, workspace)
    if _is_ignored(folder, ignored, is_folder=True):
        ignored = ()  # it was named on purpose
    yield from _walk(folder, readers, workspace, ignored)


def _walk(
    start: Path, readers: Sequence[Reader], workspace: Workspace, above: tuple[_Ignored, ...]
) -> Iterator[tuple[Path, Reader]]:
    pending = [(start, above)]
    while pending:
        folder, ignored = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            refusal = f"the folder cannot be read: {error.strerror}"
            if folder == start:
                raise SpecError(refusal) from None
            workspace.note("passed-over", refusal, file=workspace.name(folder), severity=Severity.WARNING)
            continue
        ignored = (*ignored, *_read_ignore_file(folder / ".gitignore", folder, workspace))
        below = []
        for entry in entries:
            path = folder / entry.name
            if os.path.isdir(path):
                if (reason := _folder_reason(path, ignored)) is None:
                    below.append((path, ignored))
                elif entry.name not in _SILENT:
                    workspace.note("passed-over", reason, file=workspace.name(path))
            else:
                reader = _reader_for(path, readers, workspace, ignored)
                if reader is not None:
                    yield path, reader
        pending += reversed(below)


def _reader_for(
    path: Path, readers: Sequence[Reader], workspace: Workspace, ignored: tuple[_Ignored, ...]
) -> Reader | None:
    for reader in readers:
        reason = reader.passes_over(path)
        if reason is None and not reader.finds(path, workspace):
            continue
        if _is_ignored(path, ignored, is_folder=False):
            reason = "left out by .gitignore"
        if reason is None:
            return reader
        workspace.note("passed-over", reason, file=workspace.name(path))
        return None
    reason, is_like = reason_not_taken(path.name), may_be_requirements(path.name)
    if (reason or is_like) and _is_ignored(path, ignored, is_folder=False):
        reason = "left out by .gitignore"
    if reason is not None:
        workspace.note("passed-over", reason, file=workspace.name(path))
    elif is_like:
        advice = "name it as a SPEC if it is to count"
        workspace.unnamed[path] = Unnamed("a requirements file by another name", advice, states_project=False)
    return None


def _folder_reason(path: Path, ignored: tuple[_Ignored, ...]) -> str | None:
    """Why a folder is not searched, or None."""
    if os.path.isfile(path / "pyvenv.cfg") or os.path.isdir(path / "conda-meta"):
        return "a virtual environment"
    if (reason := _reason_by_name(path.name)) is not None:
        return reason
    if _is_ignored(path, ignored, is_folder=True):
        return "left out by .gitignore"
    if path.is_symlink():
        return "a link to a folder"
    return None


def _reason_by_name(name: str) -> str | None:
    if name.startswith(".") or name == "__pycache__":
        return "a hidden folder"
    if name in ("node_modules", "site-packages"):
        return "a folder of installed packages"
    return "a template of a folder" if any(mark in name for mark in _TEMPLATE_MARKS) else None


def _is_ignored(path: Path, ignored: tuple[_Ignored, ...], *, is_folder: bool) -> bool:
    for patterns in reversed(ignored):
        if (decision := patterns.decides(path, is_folder=is_folder)) is not None:
            return decision
    return False


def _above(folder: Path, workspace: Workspace) -> tuple[_Ignored, ...]:
    """The patterns that hold in `folder` from the repository around it, outermost first."""
    chain = [folder, *folder.parents]
    root = next((place for place in chain if os.path.exists(place / ".git")), None)
    if root is None:
        return ()
    found = [*_read_ignore_file(root / ".git" / "info" / "exclude", root, workspace)]
    for place in reversed(chain[1 : chain.index(root) + 1]):
        found += _read_ignore_file(place / ".gitignore", place, workspace)
    return tuple(found)


def _read_ignore_file(file: Path, folder: Path, workspace: Workspace) -> list[_Ignored]:
    if not os.path.isfile(file):
        return []
    try:
        from conflictcheck.readers.ignore_patterns import parse_patterns  # noqa: PLC0415 - costly, and not always there

        return [_Ignored(folder, parse_patterns(decode(workspace.load(file)).splitlines()))]
    except (SpecError, ValueError) as error:
        reason = error.message if isinstance(error, SpecError) else str(error)
        workspace.problem(SpecError(f"not a usable ignore file: {reason}"), file=workspace.name(file))
        return []
