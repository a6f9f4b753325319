"""One SQLite file that many processes share and that survives being killed: repaired, replaced or done without."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from conflictcheck.cache_file import row_number
from conflictcheck.errors import CacheError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

Row = tuple[str | int | bytes, ...]
"""The number of a key, the key, and what is stored under it."""
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


class Tables(Struct, frozen=True):
    """What a database consists of, as statements.

    Attributes:
        version: a file of another one is replaced.
        made: what makes the tables.
        halved: what forgets half of all rows.
        emptied: what forgets all of them.
    """

    version: int
    made: tuple[str, ...]
    halved: str
    emptied: str


class Database:
    """The database of a cache; may be used by many threads.

    It never makes a run fail: one that is damaged is emptied, one that cannot be written is read, one that cannot be
    read is done without, and `problems` says so.

    Args:
        path: the file, which is made if it is not there, with its folder.
        tables: what it consists of.

    Attributes:
        problems: what went wrong, one sentence each.
    """

    def __init__(self, path: Path, tables: Tables) -> None:
        self.problems: list[str] = []
        self._path = path
        self._tables = tables
        self._lock = threading.Lock()
        """Held by whoever uses the connection."""
        self._waiting_lock = threading.Lock()
        self._waiting: dict[tuple[str, str], Row] = {}
        self._writable = True
        self._is_read_only = False
        self._is_inspected = False
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except (OSError, sqlite3.Error) as error:
            self._open_read_only(error)

    # -- rows --------------------------------------------------------------------------------------------------

    def select(self, statement: str, keys: Collection[str]) -> Iterable[tuple[str, ...]]:
        """What is stored under keys, with what waits; nothing where it cannot be read.

        Args:
            statement: selects rows whose numbers are in a list in JSON.
            keys: of the rows; another may come that has the number of one of them.
        """
        if not keys:
            return []
        wanted = msgspec.json.encode(list(map(row_number, keys))).decode()
        with self._lock:
            with self._waiting_lock:
                is_waiting = any(key in keys for _, key in self._waiting)
            if is_waiting:
                self._write_waiting()
            if self._connection is None:
                return []
            try:
                return self._connection.execute(statement, (wanted,)).fetchall()
            except sqlite3.Error as error:
                if self._is_damage(error):
                    self._rebuild(error)
                else:
                    self.problems.append(f"the cache {self._path} cannot be read: {error}")
                return []

    def write(self, statement: str, row: Row) -> None:
        """Have a row written with the next ones, at the latest as the cache is closed; who comes meanwhile goes on."""
        with self._waiting_lock:
            self._waiting[statement, str(row[1])] = row
            are_many = len(self._waiting) >= _TOGETHER
        if are_many and self._lock.acquire(blocking=False):
            try:
                self._write_waiting()
            finally:
                self._lock.release()

    def flush(self) -> None:
        """Write what waits, which may add to `problems`."""
        with self._lock:
            self._write_waiting()

    def inspect(self) -> None:
        """After a row was found damaged, see once whether more is; takes a second for the largest cache."""
        with self._lock:
            if self._connection is None or self._is_read_only or self._is_inspected:
                return
            self._is_inspected = True
            with suppress(sqlite3.OperationalError):  # then whoever reads or writes next is told
                found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    self._rebuild(sqlite3.DatabaseError(found))

    def counts(self, *tables: str) -> list[int]:
        """How many rows there are in tables."""
        found = [0] * len(tables)
        if self._connection is not None:
            with self._lock, suppress(sqlite3.Error):
                self._write_waiting()
                found = [
                    self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - own names
                    for table in tables
                ]
        return found

    def _write_waiting(self) -> None:
        """Write the rows that wait, all in one transaction, or one by one where that is not possible."""
        with self._waiting_lock:
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

    def _write_one(self, statement: str, row: Row) -> None:
        if self._connection is None or not self._writable:
            return
        try:
            try:
                self._connection.execute(statement, row)
            except sqlite3.OperationalError as error:
                if not self._is_at_its_bound(error, row):
                    raise
                with self._connection:
                    self._connection.executescript(f"BEGIN IMMEDIATE; {self._tables.halved} COMMIT;")
                self._connection.execute(statement, row)
        except sqlite3.Error as error:
            if self._is_damage(error):
                self._rebuild(error)
            elif _code(error) not in _BUSY:
                self._writable = False
                self.problems.append(f"the cache {self._path} cannot be written: {error}")

    def _is_at_its_bound(self, error: sqlite3.Error, row: Row) -> bool:
        """Whether there is no room for this row because of `MAX_SIZE`, and not because the disk is full."""
        if _code(error) != sqlite3.SQLITE_FULL or self._connection is None:
            return False
        wanted = sum(len(part) for part in row if not isinstance(part, int)) + _SLACK
        return _number(self._connection, "page_count") * _number(self._connection, "page_size") + wanted > MAX_SIZE

    # -- the file ----------------------------------------------------------------------------------------------

    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self._paths() if path.exists())

    def clear(self) -> int:
        """Empty it, also for other processes that use it now.

        Returns:
            The bytes that this freed.

        Raises:
            CacheError: if it cannot be written.
        """
        before = self.size()
        with self._lock:
            with self._waiting_lock:
                self._waiting.clear()
            try:
                if self._connection is None or not self._is_emptied(self._connection):
                    with self._alone():
                        self._disconnect()
                        self._remove()
            except (OSError, sqlite3.Error) as error:
                raise CacheError(f"the cache cannot be emptied: {error}", file=str(self._path)) from error
        return max(0, before - self.size())

    def close(self) -> None:
        """Write what waits, and close the file."""
        with self._lock:
            self._write_waiting()
            self._disconnect()

    def _is_emptied(self, connection: sqlite3.Connection) -> bool:
        """Empty it in place; False where there is no room to note what is deleted, or it is too damaged for that.

        Raises:
            sqlite3.Error: others use it without end.
        """
        try:
            with connection:
                connection.executescript(f"BEGIN IMMEDIATE; {self._tables.emptied}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            if _code(error) in _BUSY:
                raise
            return False
        return True

    def _paths(self) -> list[Path]:
        return [self._path.with_name(self._path.name + suffix) for suffix in ("", "-wal", "-shm")]

    def _open(self) -> None:
        """Open the file; a new one in its place where it is damaged or of another version."""
        try:
            self._connect(str(self._path))
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
        if self._path.is_file() and not is_busy:  # a pipe would be waited for
            self._is_read_only = True
            try:
                self._connect(f"{self._path.absolute().as_uri()}?mode=ro&immutable=1")
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
        self._inode = _inode(self._path)
        # A text that is damaged fails its row's checksum, and should not keep other rows from being read.
        connection.text_factory = lambda data: str(data, "utf-8", "replace")
        # Nobody waits for the disk: what a power cut leaves behind is found by the checksums, and asked for again.
        connection.execute("PRAGMA synchronous = OFF")
        if not _statements(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if not _statements(connection):  # another process may have been faster
                    for statement in self._tables.made:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {self._tables.version}")
        is_made = _statements(connection) == set(self._tables.made)
        if not is_made or _number(connection, "user_version") != self._tables.version:
            raise _OtherVersionError("it is of another version")
        connection.execute(f"PRAGMA max_page_count = {MAX_SIZE // _number(connection, 'page_size')}")

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_damage(self, error: sqlite3.Error) -> bool:
        """Whether the content of the file is to blame."""
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY and not self._is_read_only:
            return os.access(self._path, os.W_OK)  # then its own header says so, which no program ever wrote
        return _code(error) not in _CIRCUMSTANCES

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
            if self._inode == _inode(self._path):  # while it is open, no other file can get its number
                self._disconnect()
                self._remove()
            self._disconnect()
            self._is_read_only = False
            self._connect(str(self._path))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only process that removes files; the system lets go of the lock of one that is killed."""
        beside = sqlite3.connect(self._path.with_name(LOCK), timeout=BUSY_TIMEOUT / 1000, isolation_level=None)
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
        self.problems.append(f"the cache {self._path} was damaged and has been emptied: {error}")

    def _give_up(self, reason: Exception) -> None:
        self._disconnect()
        self.problems.append(f"the cache {self._path} cannot be used: {reason}")


class _OtherVersionError(sqlite3.DatabaseError):
    """Not the tables that this version makes."""


def _code(error: sqlite3.Error) -> int | None:
    """The primary result code; None for what the library did not say."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    found: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return found


def _statements(connection: sqlite3.Connection) -> set[str]:
    """The statements that made the tables."""
    return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")}


def _inode(path: Path) -> tuple[int, int] | None:
    """Tells a file from one that has taken its place."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
