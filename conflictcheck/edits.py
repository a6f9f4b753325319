"""Edits of files: planned on what was read, shown as a diff, written all or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.errors import InputErrors, OutputError, SpecError
from conflictcheck.readers.editing import edit_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conflictcheck.errors import ConflictCheckError
    from conflictcheck.model import Edit, Source

_CHANGED = "has changed since it was read; nothing was written"


class EditedFile(Struct, frozen=True):
    """What a file is to become.

    Attributes:
        name: as the user names it.
        path: absolute.
        before: its content when it was read.
        after: its content with the edits.
    """

    name: str
    path: Path
    before: bytes
    after: bytes


def plan_edits(edits: Iterable[Edit], sources: Mapping[str, Source]) -> list[EditedFile]:
    """What the files become, sorted by name.

    Args:
        edits: of a fix.
        sources: the files as they were read, by name.

    Raises:
        InputErrors: with every edit that cannot be made, and why.
    """
    by_file: dict[str, list[Edit]] = {}
    problems: list[ConflictCheckError] = []
    for edit in edits:
        if edit.file is None or edit.file not in sources:
            hint = f"give `{edit.new}` there instead"
            problems.append(SpecError(f"`{edit.old}` of {edit.spec} stands in no file", hint=hint))
        else:
            by_file.setdefault(edit.file, []).append(edit)
    planned = []
    for name, found in sorted(by_file.items()):
        source = sources[name]
        try:
            after = edit_content(name, source.content, found)
        except SpecError as error:
            problems.append(error)
        else:
            planned.append(EditedFile(name, Path(source.path), source.content, after))
    if problems:
        raise InputErrors(problems)
    return planned


def render_diff(files: Iterable[EditedFile]) -> str:
    """A unified diff that ``patch -p1`` and ``git apply`` take."""
    return "".join(_diff_of(file) for file in files)


def _diff_of(file: EditedFile) -> str:
    lines = unified_diff(
        _lines(file.before), _lines(file.after), f"a/{file.name}", f"b/{file.name}", n=2, lineterm="\n"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    pieces = text.split("\n")
    return [f"{piece}\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def write_edits(files: Sequence[EditedFile]) -> None:
    """Write all files, or none.

    New contents are written beside the files first, with their permissions; then the files are compared with what was
    read, and replaced. Where a name is a symbolic link, the file that it leads to is replaced.

    Raises:
        InputErrors: a file cannot be written or has changed; all of them are as they were.
    """
    problems: list[ConflictCheckError] = []
    staged: list[tuple[Path, Path, EditedFile]] = []
    try:
        for file in files:
            try:
                staged.append(_stage(file))
            except (OSError, OutputError) as error:
                problems.append(_unwritable(file, error))
        problems += [OutputError(_CHANGED, file=file.name) for file in files if _has_changed(file)]
        if problems:
            raise InputErrors(list({str(problem): problem for problem in problems}.values()))
        _replace_all(staged)
    finally:
        for temporary, _, _ in staged:
            with suppress(OSError):
                temporary.unlink()


def _stage(file: EditedFile) -> tuple[Path, Path, EditedFile]:
    """Write the new content beside the file."""
    place = Path(os.path.realpath(file.path))
    mode = place.stat().st_mode & 0o777
    if not mode & 0o222 or not os.access(place, os.W_OK):
        raise OutputError("is read-only; nothing was written", file=file.name, hint="make it writable, and run again")
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name[:40]}.", suffix=".tmp", dir=place.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
            stream.write(file.after)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return temporary, place, file


def _replace_all(staged: Sequence[tuple[Path, Path, EditedFile]]) -> None:
    """Put every file in place; if one cannot be, put back those before it."""
    done: list[tuple[Path, EditedFile]] = []
    try:
        for temporary, place, file in staged:
            try:
                temporary.replace(place)
            except OSError as error:
                raise InputErrors([_unwritable(file, error)]) from None
            done.append((place, file))
    except BaseException:
        for place, file in done:
            with suppress(OSError):
                place.write_bytes(file.before)
        raise


def _has_changed(file: EditedFile) -> bool:
    try:
        return file.path.read_bytes() != file.before
    except OSError:
        return True


def _unwritable(file: EditedFile, error: OSError | OutputError) -> ConflictCheckError:
    if isinstance(error, OutputError):
        return error
    reason = error.strerror or str(error)
    return OutputError(f"cannot be written ({reason}); nothing was written", file=file.name)
