"""The metadata of a release, from its files: metadata file, ranged read of the wheel, whole wheel, sdist."""

from __future__ import annotations

import hashlib
import re
import threading
from http import HTTPStatus
from typing import IO, TYPE_CHECKING

from conflictcheck.facts import File, Metadata, Unknown
from conflictcheck.index.addresses import Origin, file_path, origin_of
from conflictcheck.index.core_metadata import MAX_DOCUMENT, parse_document
from conflictcheck.index.transport import Answer, FetchError, explained
from conflictcheck.index.wheels import WheelError, metadata_in_file, metadata_in_tail

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from conflictcheck.index.transport import Transport

TAIL = 32 << 10
"""Bytes that are asked for first: a wheel's directory and metadata are at its end, and most fit."""
MAX_WHEEL = 4 << 30
MAX_SDIST = 1 << 30
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_OUT_OF_ORDER = frozenset({429, 500, 502, 503, 504})
"""Statuses that say nothing about ranges; other refusals (400, 405, 416, 501) may be about them."""


class UnreadableError(Exception):
    """A file that holds no usable metadata; the text is the reason, one clause."""


class MislistedError(UnreadableError):
    """A file that is not what is listed, or is gone: the page that lists it is not to be relied on."""


class _NoRangesError(Exception):
    """The server does not serve parts of files as it should."""


class FileReader:
    """Reads the metadata of single distribution files. May be used by many threads.

    Args:
        transport: for files behind HTTP.

    Attributes:
        told: paths of local files that are read and must have the hashes that are stated for them.
    """

    def __init__(self, transport: Transport) -> None:
        self.told: set[str] = set()
        self._transport = transport
        self._lock = threading.Lock()
        self._without_ranges: set[Origin] = set()

    def read(self, file: File, name: NormalizedName, version: str, *, whole: bool = False) -> Metadata:
        """Read one file of a release.

        Args:
            file: what to read.
            name: the package that the metadata must be about.
            version: the version that it must be about; empty accepts any.
            whole: whether a wheel is to be read as a whole, for the sake of its hash.

        Raises:
            FetchError: the file could not be had, which may pass.
            UnreadableError: the file is of no use.
            MislistedError: because it is not what is listed.
        """
        if not file.is_wheel:
            with self._whole(file, MAX_SDIST) as archive:
                return self._read_sdist(archive, file, name, version)
        if file.metadata is not None and (document := self._metadata_file(file)) is not None:
            found = parse_document(document).to_metadata(name, version, "metadata-file", file.filename)
        else:
            found = parse_document(self._from_wheel(file, name, whole=whole)).to_metadata(
                name, version, "wheel", file.filename
            )
        return _known(found)

    def _metadata_file(self, file: File) -> bytes | None:
        """The metadata file beside a wheel (PEP 658).

        None if it is not there although it was announced, or if nothing tells whether it is whole: of a local one, if
        its hash is not stated.
        """
        if file.url.startswith("file:"):
            path = file_path(file.url + ".metadata")
            if not (file.metadata and path.is_file()):
                return None
            document = path.read_bytes()
        else:
            answer = self._transport.fetch(file.url + ".metadata", label=file.filename, limit=MAX_DOCUMENT)
            if answer.status != HTTPStatus.OK or not (answer.ends or file.metadata):
                return None
            document = answer.body()
        algorithm = (file.metadata or "").partition(":")[0]
        if file.metadata and file.metadata != f"{algorithm}:{hashlib.new(algorithm, document).hexdigest()}":
            raise MislistedError(f"the metadata file of {file.filename} does not have the hash that the index lists")
        return document

    def _from_wheel(self, file: File, name: str, *, whole: bool) -> bytes:
        try:
            if whole or file.url.startswith("file:") or origin_of(file.url) in self._without_ranges:
                return self._from_whole(file, name)
            try:
                return self._from_parts(file, name)
            except _NoRangesError:
                with self._lock:
                    self._without_ranges.add(origin_of(file.url))
                return self._from_whole(file, name)
        except WheelError as error:
            raise UnreadableError(f"{file.filename}: {error}") from error

    def _from_whole(self, file: File, name: str) -> bytes:
        with self._whole(file, MAX_WHEEL) as archive:
            return metadata_in_file(archive, name)

    def _from_parts(self, file: File, name: str) -> bytes:
        """Read the end of a wheel, and as much more as its directory asks for."""
        total, tail, answer = self._tail(file)
        if answer is not None:
            with verified(answer.file, file) as archive:
                return metadata_in_file(archive, name)

        def read(start: int, stop: int) -> bytes:
            return self._part(file, f"bytes={start}-{stop - 1}", (start, stop, total))[1] if stop > start else b""

        return metadata_in_tail(tail, total, name, read)

    def _tail(self, file: File) -> tuple[int, bytes, Answer | None]:
        """The size and the end of a file; or all of it, where a server answers with that at once."""
        if file.size:
            wanted = (max(0, file.size - TAIL), file.size, file.size)
            asked = f"bytes={wanted[0]}-{wanted[1] - 1}"
        else:
            wanted, asked = None, f"bytes=-{TAIL}"
        total, body, answer = self._part(file, asked, wanted, may_be_whole=True)
        return total, body, answer

    def _part(
        self, file: File, asked: str, wanted: tuple[int, int, int] | None, *, may_be_whole: bool = False
    ) -> tuple[int, bytes, Answer | None]:
        """Ask for a range of bytes (RFC 9110, section 14), and believe only an answer that fits.

        Raises:
            _NoRangesError: the answer is something else than what was asked for.
        """
        limit = MAX_WHEEL if may_be_whole else MAX_DOCUMENT * 8
        answer = self._transport.fetch(
            file.url, label=file.filename, limit=limit, headers={"range": asked}, archive=True
        )
        if answer.status in _REFUSALS or answer.status in _OUT_OF_ORDER:
            raise _gone(file, answer)
        if answer.status == HTTPStatus.OK and may_be_whole:
            with self._lock:
                self._without_ranges.add(origin_of(file.url))
            return 0, b"", answer
        stated = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if answer.status != HTTPStatus.PARTIAL_CONTENT or stated is None:
            raise _NoRangesError
        first, last, total = (int(number) for number in stated.groups())
        body = answer.body()
        fits = last + 1 == total if wanted is None else (first, last + 1, total) == wanted
        if not fits or len(body) != last + 1 - first:
            raise _NoRangesError
        return total, body, None

    def _whole(self, file: File, limit: int) -> IO[bytes]:
        """The whole file, its hash verified."""
        if file.url.startswith("file:"):
            try:
                path = file_path(file.url)
                if file.hashes:
                    self.told.add(str(path))
                return verified(path.open("rb"), file)
            except OSError as error:
                raise UnreadableError(f"{file.filename} cannot be read: {error.strerror}") from error
        answer = self._transport.fetch(file.url, label=file.filename, limit=limit, archive=True)
        if answer.status != HTTPStatus.OK:
            raise _gone(file, answer)
        return verified(answer.file, file)

    def _read_sdist(self, archive: IO[bytes], file: File, name: NormalizedName, version: str) -> Metadata:
        from conflictcheck.index.sdists import SdistError, metadata_of_sdist  # noqa: PLC0415 - costly, often not needed

        try:
            return _known(metadata_of_sdist(archive, file.filename, name, version))
        except SdistError as error:
            raise UnreadableError(f"{file.filename}: {error}") from error


def _known(found: Metadata | Unknown) -> Metadata:
    if isinstance(found, Unknown):
        raise UnreadableError(found.reason)
    return found


def _gone(file: File, answer: Answer) -> FetchError | MislistedError:
    kind = MislistedError if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} else FetchError
    return kind(f"{file.filename}: {explained(answer.status, 'the server')}")


def verified(archive: IO[bytes], file: File) -> IO[bytes]:
    """A file as a whole, if it has the hashes that are stated for it."""
    for algorithm in dict.fromkeys(value.partition(":")[0] for value in file.hashes):
        if hash_of(archive, algorithm) not in file.hashes:
            archive.close()
            raise MislistedError(f"{file.filename} does not have the hash that is stated for it")
    archive.seek(0)
    return archive


def hash_of(archive: IO[bytes], algorithm: str = "sha256") -> str:
    """The hash of a whole file, as `File.hashes` has it."""
    archive.seek(0)
    digest = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := archive.read(1 << 20):
        digest.update(chunk)
    return f"{algorithm}:{digest.hexdigest()}"
