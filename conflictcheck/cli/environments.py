"""What ``split`` and ``graph`` do with the environments of a report."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conflictcheck.cli.output import write_files
from conflictcheck.errors import OutputError, UsageError
from conflictcheck.exports import EXPORTS, HEAD, Export
from conflictcheck.model import Verdict
from conflictcheck.phrases import and_list
from conflictcheck.writing import check_folder_is_writable, check_is_none_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conflictcheck.model import Report


def chosen_exports(names: Sequence[str]) -> tuple[Export, ...]:
    """The exports by name, the default one where none is named.

    Raises:
        UsageError: there is none of a name.
    """
    known = {export.name: export for export in EXPORTS}
    for name in names:
        if name not in known:
            raise UsageError(f"--export: there is no format called {name!r}", hint=f"use {and_list(list(known))}")
    return tuple(known[name] for name in dict.fromkeys(names)) or EXPORTS[:1]


def checked_folder(output: str) -> Path:
    """The folder to write to, checked before the long work begins.

    Raises:
        UsageError: it has no name.
        OutputError: something else has its name, or it cannot be made or written to.
    """
    if not output:
        raise UsageError(f"-o: {output!r} names no folder", hint="name the folder to write to")
    folder = Path(output)
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError("this is a file", file=output, hint="name a folder with -o")
        there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
        check_folder_is_writable(there)
    except OSError as error:
        verb = "written to" if os.path.lexists(folder) else "made"
        raise _unusable(output, f"cannot be {verb}", error) from None
    return folder


def keep_baseline_apart(baseline: Path | None, folder: Path, exports: Sequence[Export]) -> None:
    """See that the baseline to be written is neither the folder nor called as a file that may be written into it.

    Raises:
        UsageError: it is.
    """
    if baseline is None:
        return
    place, into = Path(os.path.realpath(baseline)), Path(os.path.realpath(folder))
    if place == into or (
        place.parent == into and any(fnmatchcase(place.name.lower(), one.pattern.lower()) for one in exports)
    ):
        raise UsageError(f"-o {folder} and --write-baseline may both write {baseline}", hint="name another baseline")


def write_environments(report: Report, exports: Sequence[Export], folder: Path, read: Collection[Path]) -> list[Path]:
    """Write the split in each format; everything is rendered and looked at before the first file is written.

    Args:
        report: the answer; one that is undecided writes nothing.
        exports: the formats.
        folder: where to; made if it is not there.
        read: the files that the run is given.

    Returns:
        The files written.

    Raises:
        OutputError: a format cannot express an environment, or a file cannot be written, or would replace one that
            conflictcheck did not make.
    """
    if report.verdict is Verdict.UNDECIDED:
        return []
    texts: dict[Path, str] = {}
    for export in exports:
        for filename, text in export.render(report).items():
            _check_may_be_replaced(folder / filename, export, read)
            texts[folder / filename] = text
    if texts:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(str(folder), "cannot be made", error) from None
        write_files(texts)
    return list(texts)


def left_behind(exports: Sequence[Export], folder: Path, written: Collection[Path]) -> list[Path]:
    """What earlier runs made in the same formats and this one did not: it may say what holds no longer.

    Args:
        exports: the formats.
        folder: where they were written to.
        written: the files of this run.
    """
    return [
        place
        for export in exports
        for place in sorted(folder.glob(export.pattern))
        if place not in written and place.is_file() and export.has_made(_beginning(place))
    ]


def _check_may_be_replaced(place: Path, export: Export, read: Collection[Path]) -> None:
    """See that nobody but conflictcheck made the file in a place; what is no file is the matter of `writing`."""
    check_is_none_of(place, read, hint="name another folder with -o")
    is_file = place.is_file() or (place.is_symlink() and not place.exists())
    if is_file and not export.has_made(_beginning(place)):
        raise OutputError(
            "this file exists and was not made by conflictcheck",
            file=str(place),
            hint="name another folder with -o, or move it away",
        )


def _beginning(place: Path) -> bytes:
    """The first bytes of a file; none where it cannot be read, so that nothing tells who made it."""
    try:
        with place.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _unusable(folder: str, what: str, error: OSError) -> OutputError:
    return OutputError(f"this folder {what} ({error.strerror})", file=folder, hint="name another one with -o")


def only_environment(report: Report, name: str) -> Report:
    """The report with one of its environments.

    Raises:
        UsageError: there is none of that name.
    """
    chosen = tuple(environment for environment in report.environments if environment.name == name)
    if not chosen:
        raise UsageError(
            f"--environment: there is none called {name!r}",
            hint=f"there is {and_list([environment.name for environment in report.environments])}",
        )
    return replace(report, environments=chosen)
