"""What indexes said, kept on disk: pages, the metadata of releases, and what runs made of them."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec import Struct

from conflictcheck.cache_file import (
    FILENAME,
    SCHEMA,
    SELECT_ANSWERS,
    SELECT_STATES,
    page_state,
    row_checksum,
    row_number,
)
from conflictcheck.facts import Metadata
from conflictcheck.index.database import Database, Tables

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

# A row is found by a number made of its key: finding one by a text would read the data of each row that it is compared
# with, or take an index beside the table, whose damage no checksum shows. Data comes last, so that the rest is read
# without it.
_PAGES = (
    "CREATE TABLE pages (id INTEGER PRIMARY KEY, key TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, "
    "fresh_until INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL)"
)
_ROW = "(id INTEGER PRIMARY KEY, key TEXT NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL)"
_FORGET_HALF = """
DELETE FROM answers;
DELETE FROM pages WHERE fresh_until <= (SELECT avg(fresh_until) FROM pages);
DELETE FROM metadata WHERE random() & 1;
"""
"""The pages that were asked for longest ago; nobody notes when metadata was last wanted, so any half of that."""
_TABLES = Tables(
    version=SCHEMA,
    made=(_PAGES, f"CREATE TABLE metadata {_ROW}", f"CREATE TABLE answers {_ROW}"),
    halved=_FORGET_HALF,
    emptied="DELETE FROM pages; DELETE FROM metadata; DELETE FROM answers;",
)
_SELECT_PAGES = """SELECT key, etag, modified, fresh_until, checksum, data FROM pages
                   WHERE id IN (SELECT value FROM json_each(?))"""
_SELECT_METADATA = "SELECT key, checksum, data FROM metadata WHERE id IN (SELECT value FROM json_each(?))"
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Metadata)


class StoredPage(Struct, frozen=True):
    """What an index answered for one address.

    Attributes:
        etag: to ask whether it has changed, or empty.
        modified: the same, as a date, or empty.
        fresh_until: seconds since the epoch; later it is to be asked for again.
        data: as `encode_page` made it.
    """

    etag: str
    modified: str
    fresh_until: int
    data: bytes

    def checksum(self, key: str) -> int:
        """Of everything, so that a flipped bit anywhere shows."""
        return zlib.crc32(f"{key}\n{self.etag}\n{self.modified}\n{self.fresh_until}".encode(), zlib.crc32(self.data))

    def state(self, key: str) -> str:
        """What changes when the page does; see `Cache.states`."""
        return page_state(self.etag, self.modified, len(self.data), self.checksum(key))


class CacheInfo(Struct, frozen=True):
    """What is in a cache.

    Attributes:
        path: the file.
        size: bytes on disk.
        listings: how many pages of indexes it holds.
        metadata: how many releases' metadata it holds.
    """

    path: Path
    size: int
    listings: int
    metadata: int


class Cache:
    """The cache of one folder; may be used by many threads.

    A cache never makes a run fail; see `Database`. Each row has a checksum: what is damaged is not believed.

    Attributes:
        path: the file.
        problems: what went wrong, one sentence each, for the report's diagnostics.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILENAME
        self._database = Database(self.path, _TABLES)
        self.problems = self._database.problems

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The cache in a folder, which is made if it is not there."""
        return cls(folder)

    def pages(self, keys: Collection[str]) -> dict[str, StoredPage]:
        """Those of the pages that are stored and whole."""
        found: dict[str, StoredPage] = {}
        for key, etag, modified, fresh_until, checksum, data in self._database.select(_SELECT_PAGES, keys):
            if isinstance(data, bytes) and isinstance(fresh_until, int):
                page = StoredPage(str(etag), str(modified), fresh_until, data)
                if page.checksum(key) == checksum:
                    found[key] = page
                    continue
            self._database.inspect()
        return found

    def put_page(self, key: str, page: StoredPage) -> None:
        """Store a page."""
        row = (row_number(key), key, page.etag, page.modified, page.fresh_until, page.checksum(key), page.data)
        self._database.write("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def metadata(self, keys: Collection[str]) -> dict[str, Metadata]:
        """Those of the releases' metadata that are stored and whole."""
        found: dict[str, Metadata] = {}
        for key, checksum, data in self._database.select(_SELECT_METADATA, keys):
            if isinstance(data, bytes) and row_checksum(key, data) == checksum:
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    found[key] = _decoder.decode(data)
            else:
                self._database.inspect()
        return found

    def put_metadata(self, key: str, metadata: Metadata) -> None:
        """Store the metadata of a file, which never changes."""
        data = _encoder.encode(metadata)
        row = (row_number(key), key, row_checksum(key, data), data)
        self._database.write("INSERT OR REPLACE INTO metadata VALUES (?, ?, ?, ?)", row)

    def states(self, keys: Collection[str]) -> dict[str, tuple[str, int]]:
        """For each page that is stored, what changes when it does, and until when it is fresh; the page is not read."""
        return {
            key: (page_state(etag, modified, int(size), int(crc)), int(fresh_until))
            for key, etag, modified, size, crc, fresh_until in self._database.select(SELECT_STATES, keys)
            if key in keys
        }

    def answer(self, key: str) -> bytes | None:
        """What `put_answer` stored; None if nothing, or if it is not whole."""
        return self.answers([key]).get(key)

    def answers(self, keys: Collection[str]) -> dict[str, bytes]:
        """Those of the answers that are stored and whole."""
        found: dict[str, bytes] = {}
        for key, checksum, data in self._database.select(SELECT_ANSWERS, keys):
            if isinstance(data, bytes) and row_checksum(key, data) == checksum:
                found[key] = data
            else:
                self._database.inspect()
        return found

    def put_answer(self, key: str, data: bytes) -> None:
        """Store what a run had to say, or what it made of a page."""
        row = (row_number(key), key, row_checksum(key, data), data)
        self._database.write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)

    def info(self) -> CacheInfo:
        """What is in it."""
        counts = self._database.counts("pages", "metadata")
        return CacheInfo(self.path, self._database.size(), *counts)

    def clear(self) -> int:
        """Empty it, also for other processes that use it now.

        Returns:
            The bytes that this freed.

        Raises:
            CacheError: if it cannot be written.
        """
        return self._database.clear()

    def flush(self) -> None:
        """Write what waits, which may add to `problems`."""
        self._database.flush()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._database.close()
