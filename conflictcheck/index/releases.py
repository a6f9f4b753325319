"""What releases need: from the cache, else from their files, each asked for once in a run."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.facts import File, Metadata, Unknown
from conflictcheck.index.addresses import page_address
from conflictcheck.index.files import MislistedError, UnreadableError
from conflictcheck.index.pages import NOT_CACHED
from conflictcheck.index.transport import FetchError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.disguise import Disguise
    from conflictcheck.index.base import MetadataRequest
    from conflictcheck.index.cache import Cache
    from conflictcheck.index.files import FileReader
    from conflictcheck.index.workers import Workers

MAX_FILES_TRIED = 4
"""Files of one release that are tried before its metadata counts as unknown."""

ReleaseKey = tuple["NormalizedName", str, tuple[str, ...]]


class Found(Struct, frozen=True):
    """What became of one request.

    Attributes:
        answer: the metadata, or why it is not known.
        trouble: why the index is to blame for what is not known, not the release; empty if it is not.
        is_lasting: whether the same files will say the same next time.
        doubted: addresses of pages that list what could not be had.
    """

    answer: Metadata | Unknown
    trouble: str = ""
    is_lasting: bool = True
    doubted: tuple[str, ...] = ()


class Releases:
    """Reads metadata.

    Args:
        reader: of files.
        workers: who read side by side.
        cache: where it is kept, or None.
        disguise: how addresses may be shown and stored.
        places: the find-links places, each a page of its own.
        offline: whether to do with what is in the cache.
    """

    def __init__(
        self,
        reader: FileReader,
        workers: Workers,
        cache: Cache | None,
        disguise: Disguise,
        places: Collection[str],
        *,
        offline: bool,
    ) -> None:
        self._reader = reader
        self._workers = workers
        self._cache = cache
        self._disguise = disguise
        self._places = places
        self._offline = offline
        self._lock = threading.Lock()
        self._found: dict[ReleaseKey, Future[Found]] = {}

    def start(self, requests: Sequence[MetadataRequest]) -> list[Future[Found]]:
        """Begin to read what releases need; what the cache has is there at once."""
        keys = [release_key(request) for request in requests]
        with self._lock:
            new = {key: request for key, request in zip(keys, requests, strict=True) if key not in self._found}
            self._found.update((key, Future()) for key in new)
            futures = [self._found[key] for key in keys]
        stored: dict[str, Metadata] = {}
        if self._cache is not None:
            files = [file for request in new.values() for file in _tried(request) if self._is_kept(file)]
            stored = self._cache.metadata([self._key(file) for file in files])
        for key, request in new.items():
            if (known := stored.get(self._key(request.files[0]))) and _is_about(known, request):
                self._found[key].set_result(Found(known))
            else:
                self._workers.submit(self._read, (request, stored), self._found[key])
        return futures

    def _key(self, file: File) -> str:
        """What the cache knows a file by."""
        return "#".join((self._disguise.key(file.url), *file.hashes))

    def _is_kept(self, file: File) -> bool:
        """Whether what the cache knows of a file may be about the same file still.

        An address may come to mean another file, an address and a hash cannot.
        """
        return self._offline or bool(file.hashes)

    def _read(self, job: tuple[MetadataRequest, dict[str, Metadata]]) -> Found:
        request, stored = job
        reasons: list[str] = []
        doubted: list[str] = []
        lasting = True
        for file in _tried(request):
            key = self._key(file)
            lasting &= bool(file.hashes)
            if (known := stored.get(key)) and _is_about(known, request):
                return Found(known, "", lasting, tuple(doubted))
            if self._offline and not file.url.startswith("file:"):
                lasting = False
                reasons.append(NOT_CACHED)
                continue
            try:
                known = self._reader.read(file, request.name, request.version)
            except FetchError as error:  # it may pass, and another file may say something else
                return _troubled(request, str(error), lasting, doubted)
            except MislistedError as error:
                doubted.append(file.index if file.index in self._places else page_address(file.index, request.name))
                reasons.append(str(error))
            except UnreadableError as error:
                reasons.append(str(error))
            else:
                if self._cache is not None and (file.hashes or not file.url.startswith("file:")):
                    self._cache.put_metadata(key, known)
                return Found(known, "", lasting, tuple(doubted))
        if doubted:
            return _troubled(request, reasons[0], lasting, doubted)
        return Found(Unknown(reasons[0]), "", lasting)


def release_key(request: MetadataRequest) -> ReleaseKey:
    """What tells a request from others."""
    return request.name, request.version, tuple(file.url for file in request.files)


def _troubled(request: MetadataRequest, reason: str, lasting: bool, doubted: Sequence[str]) -> Found:
    trouble = f"what {request.name} {request.version} needs is not known: {reason}"
    return Found(Unknown(reason), trouble, lasting, tuple(doubted))


def _tried(request: MetadataRequest) -> tuple[File, ...]:
    return request.files[:MAX_FILES_TRIED]


def _is_about(found: Metadata, request: MetadataRequest) -> bool:
    return (found.name, found.version) == (request.name, request.version)
