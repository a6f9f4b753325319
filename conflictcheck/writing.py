"""Writing files: whole or not at all, and where the user says.

A link is followed, so that the file it names changes and the link stays. What is no regular file, such as a pipe or a
device, is written into and never replaced.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from conflictcheck.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ELSEWHERE = "name another place with -o"
_OPEN = re.compile(r"/dev/(stdout|stderr|fd/[0-9]+)|/proc/[^/]+/fd/[0-9]+")
"""Names of what this process has open already."""


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: it cannot be written; what was there before still is.
    """
    write_files({path: content})


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write files, each whole or not at all, and none is put in place before all are written.

    Raises:
        OutputError: one cannot be written, named as given.
    """
    for path in contents:
        check_file(path)
    streams = [path for path in contents if _is_stream(path)]
    staged: list[tuple[Path, Path, Path]] = []
    try:
        for path, content in contents.items():
            if path not in streams:
                staged.append(_staged(path, content))
        for path in streams:
            _write_into(path, contents[path])
        while staged:
            temporary, place, path = staged[0]
            try:
                temporary.replace(place)
            except OSError as error:
                raise _unwritable(path, error) from None
            del staged[0]
    finally:
        for temporary, _, _ in staged:
            with suppress(OSError):
                temporary.unlink()


def check_file(path: Path) -> None:
    """See whether a file can be written, as far as that can be known before: for the time before long work.

    Raises:
        OutputError: it cannot.
    """
    try:
        found = _stat(path)
        if found is None or stat.S_ISREG(found.st_mode):
            check_folder_is_writable(Path(os.path.realpath(path)).parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    if found is None:
        return
    if stat.S_ISDIR(found.st_mode):
        raise OutputError("this is a folder", file=str(path), hint="name a file to write to")
    # The mode is asked besides, since the superuser may write anything and still does not want to.
    if not found.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise OutputError("this file is read-only", file=str(path), hint=f"make it writable, or {_ELSEWHERE}")


def check_is_none_of(path: Path, read: Iterable[Path], *, hint: str, name: str | None = None) -> None:
    """See that a file to be written is none of those that were read, whatever names and links lead to it.

    Args:
        path: to be written.
        read: the files that were read; one that is gone does not count.
        hint: what to do if it is one of them.
        name: what the user calls it; None for the path.

    Raises:
        OutputError: it is one of them.
    """
    found = _identity(path)
    if found is not None and found in map(_identity, read):
        raise OutputError("this file is an input of this run", file=name or str(path), hint=hint)


def check_folder_is_writable(folder: Path) -> None:
    """See whether files can be made in a folder.

    Raises:
        OSError: they cannot.
    """
    if not stat.S_ISDIR(folder.stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _identity(path: Path) -> tuple[int, int] | None:
    """What two names have in common that lead to one file; None for one that leads nowhere."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _stat(path: Path) -> os.stat_result | None:
    """What stands behind all links; None where nothing does."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is_stream(path: Path) -> bool:
    """Whether it is written into as it is: a pipe, a device, or whatever is open under a name such as /dev/stdout."""
    found = _stat(path)
    return found is not None and (
        _OPEN.fullmatch(str(path)) is not None or not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode))
    )


def _write_into(path: Path, content: bytes) -> None:
    try:
        # A file that a shell has opened (``-o /dev/stdout >> all.txt``) keeps what it holds.
        with open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(content)
    except BrokenPipeError:
        pass  # a reader that has enough is no failure
    except OSError as error:
        raise _unwritable(path, error) from None


def _staged(path: Path, content: bytes) -> tuple[Path, Path, Path]:
    """Write the content beside the file: the temporary file, the file behind all links, and the name given."""
    place = Path(os.path.realpath(path))
    temporary: Path | None = None
    try:
        found = _stat(place)
        descriptor, name = tempfile.mkstemp(prefix=f".{place.name[:40]}.", suffix=".tmp", dir=place.parent)
        temporary = Path(name)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(content)
            file.flush()
            # Else a disk that proves full later, or a machine that stops, could leave an empty file under the name.
            os.fsync(descriptor)
        # mkstemp makes the file private; a report is as readable as any other file one writes.
        temporary.chmod(0o666 & ~_umask() if found is None else found.st_mode & 0o777)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    return temporary, place, path


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"this file cannot be written ({error.strerror or error})", file=str(path), hint=_ELSEWHERE)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
