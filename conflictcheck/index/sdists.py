"""The metadata of a source distribution, read without unpacking it and without running its code."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from functools import partial
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from conflictcheck.index.core_metadata import parse_document
from conflictcheck.index.projects import FILE_NAMES, MAX_TEXT, is_project_file, metadata_of_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from packaging.utils import NormalizedName

    from conflictcheck.facts import Metadata, Unknown

MAX_MEMBERS = 200_000
MAX_UNPACKED = 4 << 30
"""Bytes that are unpacked (and thrown away) on the way through a tar archive before it counts as a bomb."""
MAX_LONG_NAME = 1 << 20
"""Bytes of the extra header that holds a long path."""
PIECE = 1 << 20
"""Bytes that are unpacked and thrown away at a time."""

_MAGIC: tuple[tuple[bytes, Callable[[IO[bytes]], object]], ...] = (
    (b"\x1f\x8b", lambda archive: gzip.GzipFile(fileobj=archive)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)
_WANTED = re.compile("|".join(map(re.escape, sorted(FILE_NAMES))).encode())
_PLAIN_FILE = re.compile(rb".{124}([0-7]{11})[ \0].{20}[0\0]", re.DOTALL)
"""The header of a file in a tar archive, and its size in octal digits (POSIX, ustar)."""
_PAX_PATH = re.compile(rb"(?:\A|\n)\d+ path=([^\n]*)\n")
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""What the standard library raises on archives that are none."""


class SdistError(Exception):
    """A source distribution that cannot be read; the text is the reason, one clause."""


class _Member(NamedTuple):
    path: str
    size: int
    read: Callable[[], bytes]


def metadata_of_sdist(
    archive: IO[bytes], filename: str, name: NormalizedName, version: str, *, subdirectory: str = ""
) -> Metadata | Unknown:
    """Read a source distribution.

    In this order: a static ``PKG-INFO`` (PEP 643), a static ``[project]`` table (PEP 621), then what a build once wrote
    down (``requires.txt``, an older ``PKG-INFO``), which is marked as inferred.

    Args:
        archive: the file.
        filename: of it.
        name: the package that it must be.
        version: the version that it must be; empty accepts any.
        subdirectory: where below the archive's one folder the project is, POSIX, or empty.

    Raises:
        SdistError: if it is no archive, or one that is out of bounds.
    """
    inside = "".join(f"{part}/" for part in subdirectory.split("/") if part not in {"", ".", ".."})
    found: dict[str, bytes] = {}
    try:
        for member in _members(archive):
            path = member.path.removeprefix("./").partition("/")[2]
            path = path.removeprefix(inside) if path.startswith(inside) else ""
            if path in found or not is_project_file(path):
                continue
            if member.size > MAX_TEXT:
                raise SdistError(f"its {path.rpartition('/')[2]} is too large")
            found[path] = member.read()
            if path == "PKG-INFO" and (document := parse_document(found[path])).is_static:
                return document.to_metadata(name, version, "sdist", filename)
    except _BROKEN as error:
        raise SdistError("it is not a readable archive") from error
    return metadata_of_project(found, filename, name, version)


def _members(archive: IO[bytes]) -> Iterator[_Member]:
    """The regular files of an archive, told apart by their first bytes as pip does, whatever the name says."""
    archive.seek(0)
    start = archive.read(8)
    archive.seek(0)
    if start.startswith(b"PK"):
        return _zip_members(archive)
    for magic, opener in _MAGIC:
        if start.startswith(magic):
            return _tar_members(cast("IO[bytes]", opener(archive)))
    return _tar_members(archive)


def _zip_members(archive: IO[bytes]) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():

            def read(info: zipfile.ZipInfo = info) -> bytes:
                with opened.open(info) as stream:
                    return stream.read(MAX_TEXT)

            yield _Member(info.filename, info.file_size, read)


def _tar_members(stream: IO[bytes]) -> Iterator[_Member]:
    """The members of a tar archive, header by header: `tarfile` itself would load extra headers of any size.

    Left out are plain files by other names than a project's: of thousands of headers only the size is looked at, and
    not whether the checksum is right.
    """
    after = 0
    long_path = ""
    for _ in range(MAX_MEMBERS):
        _pass_over(stream, after - stream.tell())
        block = stream.read(tarfile.BLOCKSIZE)
        if block == tarfile.NUL * tarfile.BLOCKSIZE and after > 0:  # the mark of the end
            return
        if long_path or _WANTED.search(block, 0, tarfile.LENGTH_NAME) or not (plain := _PLAIN_FILE.match(block)):
            info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
            size = info.size
        else:
            info, size = None, int(plain[1], 8)
        after += tarfile.BLOCKSIZE + -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        if after > MAX_UNPACKED or size < 0:
            raise SdistError("it unpacks to more than a source distribution should")
        if info is None:
            continue
        if info.type in {tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME}:
            if size > MAX_LONG_NAME:
                raise SdistError("it has a header that is too large")
            long_path = _long_path(info, stream.read(size)) or long_path
        elif info.type != tarfile.XGLTYPE:
            if info.isreg():
                yield _Member(long_path or info.name, size, partial(_read_all, stream, size))
            long_path = ""
    raise SdistError("it holds more files than a source distribution should")


def _pass_over(stream: IO[bytes], size: int) -> None:
    """Read on by large pieces: a seek in a packed stream goes by small ones."""
    while size > 0:
        piece = stream.read(min(size, PIECE))
        if not piece:
            raise EOFError
        size -= len(piece)


def _read_all(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _long_path(info: tarfile.TarInfo, data: bytes) -> str:
    """The path in an extra header: of GNU's kind, or one of the records of POSIX's."""
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return data.rstrip(b"\0").decode("utf-8", "replace")
    found = _PAX_PATH.search(data)
    return found[1].decode("utf-8", "replace") if found else ""
