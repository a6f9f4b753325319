"""The metadata inside a wheel, read without unpacking it and, where a server allows, without loading it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from packaging.utils import canonicalize_name

from conflictcheck.index.core_metadata import MAX_DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_DIRECTORY = 64 << 20
"""Bytes of a central directory; a wheel of twenty thousand files has some three million."""

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ZIP64 = 0xFFFFFFFF
_ENCRYPTED = 1
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
)
"""What `zipfile` raises on archives that are none."""


class WheelError(Exception):
    """A wheel whose metadata cannot be read; the text is the reason, one clause."""


class _Member(NamedTuple):
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


def metadata_in_tail(tail: bytes, total: int, name: str, read: Callable[[int, int], bytes]) -> bytes:
    """The METADATA document of a wheel of which the end is at hand.

    Args:
        tail: the last bytes of the file.
        total: how many the file has.
        name: the package, normalized.
        read: fetches more: the bytes from an offset up to, not including, another.

    Raises:
        WheelError: if it is no zip archive, or has no metadata of this package.
    """

    def part(start: int, stop: int) -> bytes:
        begin = total - len(tail)
        if not 0 <= start <= stop <= total:
            raise WheelError("the wheel is a broken zip archive")
        return tail[start - begin : stop - begin] if start >= begin else read(start, stop)

    at = tail.rfind(b"PK\x05\x06")
    if at == -1 or len(tail) - at < _END.size:
        raise WheelError("the wheel is not a zip archive")
    size, offset = _END.unpack_from(tail, at)[5:7]
    if _ZIP64 in {size, offset}:
        return metadata_in_file(_Seekable(total, part), name)
    if size > MAX_DIRECTORY:
        raise WheelError("the wheel lists too many files")
    member = _choose(list(_members(part(offset, offset + size))), name)
    # The local header repeats the name and may have extra fields of another length: read a little more at once.
    stop = min(total, member.offset + _LOCAL.size + len(member.name.encode()) + 64 + member.packed)
    local = part(member.offset, stop)
    if len(local) < _LOCAL.size or not local.startswith(b"PK\x03\x04"):
        raise WheelError("the wheel is a broken zip archive")
    fields = _LOCAL.unpack_from(local)
    start = _LOCAL.size + fields[9] + fields[10]
    packed = local[start : start + member.packed]
    if len(packed) < member.packed:
        packed = part(member.offset + start, member.offset + start + member.packed)
    return _unpacked(packed, member)


def metadata_in_file(file: IO[bytes] | io.RawIOBase, name: str) -> bytes:
    """The METADATA document of a wheel that is at hand as a whole.

    Raises:
        WheelError: if it is no zip archive, or has no metadata of this package.
    """
    try:
        with zipfile.ZipFile(cast("IO[bytes]", file)) as archive:
            return _from_zipfile(archive, name)
    except _ZIP_ERRORS as error:
        raise WheelError("the wheel is not a zip archive") from error


def _from_zipfile(archive: zipfile.ZipFile, name: str) -> bytes:
    chosen = _choose(
        [
            _Member(
                info.filename, info.flag_bits, info.compress_type, info.CRC, info.compress_size, info.file_size, number
            )
            for number, info in enumerate(archive.infolist())
        ],
        name,
    )
    with archive.open(archive.infolist()[chosen.offset]) as stream:
        return _bounded(stream.read(MAX_DOCUMENT + 1))


def _members(directory: bytes) -> Iterator[_Member]:
    """The entries of a central directory that may be metadata (APPNOTE.TXT, section 4.3.12)."""
    at = 0
    while at + _ENTRY.size <= len(directory):
        fields = _ENTRY.unpack_from(directory, at)
        if fields[0] != b"PK\x01\x02":
            raise WheelError("the wheel is a broken zip archive")
        start = at + _ENTRY.size
        filename = directory[start : start + fields[10]]
        if filename.endswith(b".dist-info/METADATA"):
            flags, method, crc, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
            yield _Member(filename.decode("utf-8", "replace"), flags, method, crc, packed, size, fields[16])
        at = start + fields[10] + fields[11] + fields[12]


def _choose(members: list[_Member], name: str) -> _Member:
    for member in members:
        folder, slash, rest = member.name.partition("/")
        if slash and rest == "METADATA" and folder.endswith(".dist-info"):
            project = folder.removesuffix(".dist-info").rpartition("-")[0]
            if canonicalize_name(project) == name:
                return _checked(member)
    raise WheelError("the wheel has no metadata of this package")


def _checked(member: _Member) -> _Member:
    if member.size > MAX_DOCUMENT or member.packed > MAX_DOCUMENT:
        raise WheelError("the wheel's metadata is too large")
    if member.flags & _ENCRYPTED:
        raise WheelError("the wheel is encrypted")
    if member.method not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise WheelError("the wheel is packed in a way that wheels are not")
    return member


def _unpacked(packed: bytes, member: _Member) -> bytes:
    try:
        stored = member.method == zipfile.ZIP_STORED
        document = _bounded(packed if stored else zlib.decompressobj(-15).decompress(packed, MAX_DOCUMENT + 1))
    except zlib.error as error:
        raise WheelError("the wheel is a broken zip archive") from error
    if zlib.crc32(document) != member.crc:
        raise WheelError("the wheel is a broken zip archive")
    return document


def _bounded(document: bytes) -> bytes:
    if len(document) > MAX_DOCUMENT:
        raise WheelError("the wheel's metadata is too large")
    return document


class _Seekable(io.RawIOBase):
    """A file that is loaded where it is read, for the rare archive that needs all of `zipfile`."""

    def __init__(self, total: int, part: Callable[[int, int], bytes]) -> None:
        self._total = total
        self._part = part
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._total}[whence]
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._part(self._at, min(self._total, self._at + len(buffer)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
