"""What indexes said, kept on disk: one SQLite file that many processes share and that survives being killed."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import msgspec

from conflictcheck.errors import CacheError
from conflictcheck.facts import Metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

FILENAME = "cache.sqlite3"
SCHEMA = 1
"""Raised with every change of the tables or of what is in them; a cache of another number is emptied."""
BUSY_TIMEOUT = 5000

_TABLES = """
CREATE TABLE pages (key TEXT PRIMARY KEY, etag TEXT NOT NULL, modified TEXT NOT NULL, fresh_until INTEGER NOT NULL,
                    data BLOB NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE metadata (key TEXT PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID;
"""
_SELECT_PAGES = """SELECT key, etag, modified, fresh_until, data, checksum FROM pages
                   WHERE key IN (SELECT value FROM json_each(?))"""
_SELECT_METADATA = "SELECT key, data, checksum FROM metadata WHERE key IN (SELECT value FROM json_each(?))"
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Metadata)


@dataclass(frozen=True, slots=True)
class StoredPage:
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


@dataclass(frozen=True, slots=True)
class CacheInfo:
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

    A cache never makes a run fail: one that is damaged is emptied, one that cannot be written is read, one that cannot
    be read is done without, and `problems` says so.

    Attributes:
        path: the file.
        problems: what went wrong, one sentence each, for the report's diagnostics.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILENAME
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._writable = True
        self._connection: sqlite3.Connection | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = self._opened()
        except (OSError, sqlite3.Error) as error:
            self.problems.append(f"the cache {self.path} cannot be used: {error}")

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The cache in a folder, which is made if it is not there."""
        return cls(folder)

    def pages(self, keys: Collection[str]) -> dict[str, StoredPage]:
        """Those of the pages that are stored and whole."""
        found: dict[str, StoredPage] = {}
        for key, etag, modified, fresh_until, data, checksum in self._select(_SELECT_PAGES, keys):
            if isinstance(data, bytes) and isinstance(fresh_until, int):
                page = StoredPage(str(etag), str(modified), fresh_until, data)
                if page.checksum(key) == checksum:
                    found[key] = page
        return found

    def put_page(self, key: str, page: StoredPage) -> None:
        """Store a page."""
        row = (key, page.etag, page.modified, page.fresh_until, page.data, page.checksum(key))
        self._write("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?)", row)

    def metadata(self, keys: Collection[str]) -> dict[str, Metadata]:
        """Those of the releases' metadata that are stored and whole."""
        found: dict[str, Metadata] = {}
        for key, data, checksum in self._select(_SELECT_METADATA, keys):
            if isinstance(data, bytes) and zlib.crc32(data, zlib.crc32(key.encode())) == checksum:
                with suppress(msgspec.DecodeError):
                    found[key] = _decoder.decode(data)
        return found

    def put_metadata(self, key: str, metadata: Metadata) -> None:
        """Store the metadata of a file, which never changes."""
        data = _encoder.encode(metadata)
        row = (key, data, zlib.crc32(data, zlib.crc32(key.encode())))
        self._write("INSERT OR REPLACE INTO metadata VALUES (?, ?, ?)", row)

    def info(self) -> CacheInfo:
        """What is in it."""
        counts = [0, 0]
        if self._connection is not None:
            with self._lock, suppress(sqlite3.Error):
                counts = [
                    self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - own names
                    for table in ("pages", "metadata")
                ]
        return CacheInfo(self.path, self._size(), *counts)

    def clear(self) -> int:
        """Empty it, also for other processes that use it now.

        Returns:
            The bytes that this freed.

        Raises:
            CacheError: if it cannot be written.
        """
        before = self._size()
        if self._connection is None:
            raise CacheError(self.problems[0], file=str(self.path))
        with self._lock:
            try:
                self._connection.executescript("BEGIN IMMEDIATE; DELETE FROM pages; DELETE FROM metadata; COMMIT;")
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise CacheError(f"the cache cannot be emptied: {error}", file=str(self.path)) from error
        return max(0, before - self._size())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._paths() if path.exists())

    def _paths(self) -> list[Path]:
        return [self.path.with_name(FILENAME + suffix) for suffix in ("", "-wal", "-shm")]

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            for path in self._paths():
                path.unlink(missing_ok=True)
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        """Open the file, and lay the tables anew where they are not those of this version."""
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            if not self._is_current(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                if not self._is_current(connection):  # another process may have been faster
                    for (table,) in connection.execute(
                        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                    ).fetchall():
                        connection.execute(f'DROP TABLE "{table}"')
                    for statement in _TABLES.split(";")[:-1]:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {SCHEMA}")
                connection.execute("COMMIT")
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _is_current(connection: sqlite3.Connection) -> bool:
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
            return False
        columns = {
            table: len(connection.execute(f"PRAGMA table_info({table})").fetchall()) for table in ("pages", "metadata")
        }
        return columns == {"pages": 6, "metadata": 3}

    def _select(self, statement: str, keys: Collection[str]) -> Iterable[tuple[str, ...]]:
        if not keys:
            return []
        wanted = msgspec.json.encode(list(keys)).decode()
        with self._lock:
            if self._connection is None:
                return []
            try:
                return self._connection.execute(statement, (wanted,)).fetchall()
            except sqlite3.OperationalError:
                return []
            except sqlite3.DatabaseError as error:
                self._rebuild(error)
                return []

    def _write(self, statement: str, row: tuple[str | int | bytes, ...]) -> None:
        with self._lock:
            if self._connection is None or not self._writable:
                return
            try:
                self._connection.execute(statement, row)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):  # a busy cache is not worth a word; what was not stored is asked again
                    self._writable = False
                    self.problems.append(f"the cache {self.path} cannot be written: {error}")
            except sqlite3.DatabaseError as error:
                self._rebuild(error)

    def _rebuild(self, error: sqlite3.Error) -> None:
        """Begin with an empty file after damage was found; the lock is held."""
        self.problems.append(f"the cache {self.path} was damaged and has been emptied: {error}")
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        try:
            for path in self._paths():
                path.unlink(missing_ok=True)
            self._connection = self._connected()
        except (OSError, sqlite3.Error) as failure:
            self.problems.append(f"the cache {self.path} cannot be used: {failure}")
