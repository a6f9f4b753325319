"""What indexes said, kept on disk: one SQLite file that many processes share and that survives being killed."""

from __future__ import annotations

import os
import sqlite3
import threading
import zlib
from contextlib import closing, contextmanager, suppress
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
from conflictcheck.errors import CacheError
from conflictcheck.facts import Metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

LOCK = "cache.lock"
"""Held by whoever replaces the file, so that no two do at once; empty, and only there once that has happened."""
BUSY_TIMEOUT = 5000
MAX_SIZE = 1_000_000_000
"""Bytes that the file may take; when they are used up, half of what it holds is forgotten."""
_SLACK = 100_000
"""Bytes that a row takes besides its own, by far."""
_TOGETHER = 64
"""Rows that are written in one go: a run that fills the cache writes hundreds, from many threads, and would wait for
each. A run that is killed has that many to ask for again."""

# A row is found by a number made of its key: finding one by a text would read the data of each row that it is compared
# with, or take an index beside the table, whose damage no checksum shows. Data comes last, so that the rest is read
# without it.
_PAGES = (
    "CREATE TABLE pages (id INTEGER PRIMARY KEY, key TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, "
    "fresh_until INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL)"
)
_ROW = "(id INTEGER PRIMARY KEY, key TEXT NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL)"
_METADATA = f"CREATE TABLE metadata {_ROW}"
_ANSWERS = f"CREATE TABLE answers {_ROW}"
_FORGET_HALF = """
BEGIN IMMEDIATE;
DELETE FROM answers;
DELETE FROM pages WHERE fresh_until <= (SELECT avg(fresh_until) FROM pages);
DELETE FROM metadata WHERE random() & 1;
COMMIT;
"""
"""The pages that were asked for longest ago; nobody notes when metadata was last wanted, so any half of that."""
_SELECT_PAGES = """SELECT key, etag, modified, fresh_until, checksum, data FROM pages
                   WHERE id IN (SELECT value FROM json_each(?))"""
_SELECT_METADATA = "SELECT key, checksum, data FROM metadata WHERE id IN (SELECT value FROM json_each(?))"
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CIRCUMSTANCES = _BUSY | {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""Results for which the content of the file is not to blame; all others are."""
_Row = tuple[str | int | bytes, ...]
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

    A cache never makes a run fail: one that is damaged is emptied, one that cannot be written is read, one that cannot
    be read is done without, and `problems` says so. Each row has a checksum: what is damaged is not believed.

    Attributes:
        path: the file.
        problems: what went wrong, one sentence each, for the report's diagnostics.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILENAME
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], _Row] = {}
        self._writable = True
        self._is_read_only = False
        self._is_inspected = False
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._open()
        except (OSError, sqlite3.Error) as error:
            self._open_read_only(error)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The cache in a folder, which is made if it is not there."""
        return cls(folder)

    def pages(self, keys: Collection[str]) -> dict[str, StoredPage]:
        """Those of the pages that are stored and whole."""
        found: dict[str, StoredPage] = {}
        for key, etag, modified, fresh_until, checksum, data in self._select(_SELECT_PAGES, keys):
            if isinstance(data, bytes) and isinstance(fresh_until, int):
                page = StoredPage(str(etag), str(modified), fresh_until, data)
                if page.checksum(key) == checksum:
                    found[key] = page
                    continue
            self._inspect()
        return found

    def put_page(self, key: str, page: StoredPage) -> None:
        """Store a page."""
        row = (row_number(key), key, page.etag, page.modified, page.fresh_until, page.checksum(key), page.data)
        self._write("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def metadata(self, keys: Collection[str]) -> dict[str, Metadata]:
        """Those of the releases' metadata that are stored and whole."""
        found: dict[str, Metadata] = {}
        for key, checksum, data in self._select(_SELECT_METADATA, keys):
            if isinstance(data, bytes) and row_checksum(key, data) == checksum:
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    found[key] = _decoder.decode(data)
            else:
                self._inspect()
        return found

    def put_metadata(self, key: str, metadata: Metadata) -> None:
        """Store the metadata of a file, which never changes."""
        data = _encoder.encode(metadata)
        row = (row_number(key), key, row_checksum(key, data), data)
        self._write("INSERT OR REPLACE INTO metadata VALUES (?, ?, ?, ?)", row)

    def states(self, keys: Collection[str]) -> dict[str, tuple[str, int]]:
        """For each page that is stored, what changes when it does, and until when it is fresh; the page is not read."""
        return {
            key: (page_state(etag, modified, int(size), int(crc)), int(fresh_until))
            for key, etag, modified, size, crc, fresh_until in self._select(SELECT_STATES, keys)
            if key in keys
        }

    def answer(self, key: str) -> bytes | None:
        """What `put_answer` stored; None if nothing, or if it is not whole."""
        return self.answers([key]).get(key)

    def answers(self, keys: Collection[str]) -> dict[str, bytes]:
        """Those of the answers that are stored and whole."""
        found: dict[str, bytes] = {}
        for key, checksum, data in self._select(SELECT_ANSWERS, keys):
            if isinstance(data, bytes) and row_checksum(key, data) == checksum:
                found[key] = data
            else:
                self._inspect()
        return found

    def put_answer(self, key: str, data: bytes) -> None:
        """Store what a run had to say, or what it made of a page."""
        row = (row_number(key), key, row_checksum(key, data), data)
        self._write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)

    def info(self) -> CacheInfo:
        """What is in it."""
        counts = [0, 0]
        if self._connection is not None:
            with self._lock, suppress(sqlite3.Error):
                self._write_waiting()
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
        with self._lock:
            self._waiting.clear()
            try:
                if self._connection is None or not self._is_emptied(self._connection):
                    with self._alone():
                        self._disconnect()
                        self._remove()
            except (OSError, sqlite3.Error) as error:
                raise CacheError(f"the cache cannot be emptied: {error}", file=str(self.path)) from error
        return max(0, before - self._size())

    def flush(self) -> None:
        """Write what waits, which may add to `problems`."""
        with self._lock:
            self._write_waiting()

    def close(self) -> None:
        """Write what waits, and close the file."""
        with self._lock:
            self._write_waiting()
            self._disconnect()

    @staticmethod
    def _is_emptied(connection: sqlite3.Connection) -> bool:
        """Empty it in place; False where there is no room to note what is deleted, or it is too damaged for that.

        Raises:
            sqlite3.Error: others use it without end.
        """
        try:
            with connection:
                connection.executescript(
                    "BEGIN IMMEDIATE; DELETE FROM pages; DELETE FROM metadata; DELETE FROM answers;"
                )
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            if _code(error) in _BUSY:
                raise
            return False
        return True

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._paths() if path.exists())

    def _paths(self) -> list[Path]:
        return [self.path.with_name(FILENAME + suffix) for suffix in ("", "-wal", "-shm")]

    def _open(self) -> None:
        """Open the file; a new one in its place where it is damaged or of another version."""
        try:
            self._connect(str(self.path))
        except _OtherVersionError:
            self._replace()
        except sqlite3.Error as error:
            if not self._is_damage(error):
                raise
            self._replace()
            self._say_emptied(error)

    def _open_read_only(self, reason: Exception) -> None:
        """Open the file where neither it nor files beside it can be written: what it holds is as good as ever."""
        self._disconnect()
        is_busy = isinstance(reason, sqlite3.Error) and _code(reason) in _BUSY
        if self.path.is_file() and not is_busy:  # a pipe would be waited for
            self._is_read_only = True
            try:
                self._connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1")
            except sqlite3.Error as error:
                reason = error if self._is_damage(error) else reason
            else:
                return
        self._give_up(reason)

    def _connect(self, place: str) -> None:
        """Open the file, and lay the tables where there are none.

        Raises:
            _OtherVersionError: its tables are not those of this version.
            sqlite3.Error: it cannot be used.
        """
        connection = sqlite3.connect(
            place, timeout=BUSY_TIMEOUT / 1000, isolation_level=None, check_same_thread=False, uri=self._is_read_only
        )
        self._connection = connection
        self._inode = _inode(self.path)
        # A text that is damaged fails its row's checksum, and should not keep other rows from being read.
        connection.text_factory = lambda data: str(data, "utf-8", "replace")
        if not _tables(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if not _tables(connection):  # another process may have been faster
                    connection.execute(_PAGES)
                    connection.execute(_METADATA)
                    connection.execute(_ANSWERS)
                    connection.execute(f"PRAGMA user_version = {SCHEMA}")
        if _tables(connection) != {_PAGES, _METADATA, _ANSWERS} or _number(connection, "user_version") != SCHEMA:
            raise _OtherVersionError("it is of another version")
        connection.execute(f"PRAGMA max_page_count = {MAX_SIZE // _number(connection, 'page_size')}")
        connection.execute("PRAGMA synchronous = NORMAL")

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _select(self, statement: str, keys: Collection[str]) -> Iterable[tuple[str, ...]]:
        if not keys:
            return []
        wanted = msgspec.json.encode(list(map(row_number, keys))).decode()
        with self._lock:
            if any(key in keys for _, key in self._waiting):
                self._write_waiting()
            if self._connection is None:
                return []
            try:
                return self._connection.execute(statement, (wanted,)).fetchall()
            except sqlite3.Error as error:
                if self._is_damage(error):
                    self._rebuild(error)
                else:
                    self.problems.append(f"the cache {self.path} cannot be read: {error}")
                return []

    def _write(self, statement: str, row: _Row) -> None:
        """Have a row written with the next ones, at the latest as the cache is closed."""
        with self._lock:
            self._waiting[statement, str(row[1])] = row
            if len(self._waiting) >= _TOGETHER:
                self._write_waiting()

    def _write_waiting(self) -> None:
        """Write the rows that wait, all in one transaction, or one by one where that is not possible."""
        rows, self._waiting = self._waiting, {}
        if self._connection is None or not self._writable or not rows:
            return
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for (statement, _), row in rows.items():
                    self._connection.execute(statement, row)
        except sqlite3.Error as error:
            if _code(error) not in _BUSY:  # what a busy cache did not store is asked for again, and all is well
                for (statement, _), row in rows.items():
                    self._write_one(statement, row)

    def _write_one(self, statement: str, row: _Row) -> None:
        if self._connection is None or not self._writable:
            return
        try:
            try:
                self._connection.execute(statement, row)
            except sqlite3.OperationalError as error:
                if not self._is_at_its_bound(error, row):
                    raise
                with self._connection:
                    self._connection.executescript(_FORGET_HALF)
                self._connection.execute(statement, row)
        except sqlite3.Error as error:
            if self._is_damage(error):
                self._rebuild(error)
            elif _code(error) not in _BUSY:
                self._writable = False
                self.problems.append(f"the cache {self.path} cannot be written: {error}")

    def _is_at_its_bound(self, error: sqlite3.Error, row: _Row) -> bool:
        """Whether there is no room for this row because of `MAX_SIZE`, and not because the disk is full."""
        if _code(error) != sqlite3.SQLITE_FULL or self._connection is None:
            return False
        wanted = sum(len(part) for part in row if not isinstance(part, int)) + _SLACK
        return _number(self._connection, "page_count") * _number(self._connection, "page_size") + wanted > MAX_SIZE

    def _is_damage(self, error: sqlite3.Error) -> bool:
        """Whether the content of the file is to blame."""
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY and not self._is_read_only:
            return os.access(self.path, os.W_OK)  # then its own header says so, which no program ever wrote
        return _code(error) not in _CIRCUMSTANCES

    def _inspect(self) -> None:
        """After a row was found damaged, see once whether more is; takes a second for the largest cache."""
        with self._lock:
            if self._connection is None or self._is_read_only or self._is_inspected:
                return
            self._is_inspected = True
            with suppress(sqlite3.OperationalError):  # then whoever reads or writes next is told
                found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    self._rebuild(sqlite3.DatabaseError(found))

    def _rebuild(self, error: sqlite3.Error) -> None:
        """Begin with an empty file after damage was found; the lock is held."""
        try:
            self._replace()
        except (OSError, sqlite3.Error) as failure:
            self._give_up(failure)
        else:
            self._say_emptied(error)

    def _replace(self) -> None:
        """Begin with an empty file, unless another process has meanwhile done so.

        Raises:
            OSError: the file cannot be removed.
            sqlite3.Error: no other can be made.
        """
        with self._alone():
            if self._inode == _inode(self.path):  # while it is open, no other file can get its number
                self._disconnect()
                self._remove()
            self._disconnect()
            self._is_read_only = False
            self._connect(str(self.path))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only process that removes files; the system lets go of the lock of one that is killed."""
        beside = sqlite3.connect(self.path.with_name(LOCK), timeout=BUSY_TIMEOUT / 1000, isolation_level=None)
        with closing(beside) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                # A full disk has no room for a lock, and nothing that others could be busy making.
                if _code(error) not in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
                    raise
            yield

    def _remove(self) -> None:
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _say_emptied(self, error: sqlite3.Error) -> None:
        self.problems.append(f"the cache {self.path} was damaged and has been emptied: {error}")

    def _give_up(self, reason: Exception) -> None:
        self._disconnect()
        self.problems.append(f"the cache {self.path} cannot be used: {reason}")


class _OtherVersionError(sqlite3.DatabaseError):
    """Not the tables that this version makes."""


def _code(error: sqlite3.Error) -> int | None:
    """The primary result code; None for what the library did not say."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    found: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return found


def _tables(connection: sqlite3.Connection) -> set[str]:
    """The statements that made the tables."""
    return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")}


def _inode(path: Path) -> tuple[int, int] | None:
    """Tells a file from one that has taken its place."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
