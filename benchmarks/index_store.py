"""The answers of a package index in one file, so that every program is given the same ones again."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PAGE = "application/vnd.pypi.simple.v1+json"
DOCUMENT = "application/octet-stream"
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    path TEXT PRIMARY KEY, kind TEXT NOT NULL, etag TEXT NOT NULL, packed INTEGER NOT NULL, body BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origins (path TEXT PRIMARY KEY, url TEXT NOT NULL, has_metadata INTEGER NOT NULL)
WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the index answers to one path.

    Attributes:
        kind: the content type.
        etag: a digest of the content.
        packed: whether the body is compressed by gzip.
        body: None where the index has nothing: 404.
    """

    kind: str
    etag: str
    packed: bool
    body: bytes | None


class IndexStore:
    """One index: ``simple/NAME/`` is a page, ``files/NAME/FILENAME`` a file, with ``.metadata`` its metadata file.

    Args:
        file: made if it is not there.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def __enter__(self) -> Self:
        """All that is put in until it is left goes in at once."""
        self._connection.execute("BEGIN")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Keep what was put in, or nothing of it after an error."""
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")

    def get(self, path: str) -> Stored | None:
        """What is stored for a path; None if nobody knows."""
        row = self._connection.execute(
            "SELECT kind, etag, packed, body FROM answers WHERE path = ?", (path,)
        ).fetchone()
        return None if row is None else Stored(row[0], row[1], bool(row[2]), row[3])

    def put(self, path: str, kind: str, body: bytes | None) -> Stored:
        """Store an answer; pages and metadata files are compressed, archives already are."""
        packed = body is not None and not path.endswith((".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz"))
        etag = "" if body is None else f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        kept = gzip.compress(body, 6, mtime=0) if packed and body is not None else body
        stored = Stored(kind, etag, packed, kept)
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", (path, kind, etag, packed, kept)
        )
        return stored

    def origin(self, path: str) -> tuple[str, bool] | None:
        """Where the file at a path came from, and whether there is a metadata file beside it."""
        row = self._connection.execute("SELECT url, has_metadata FROM origins WHERE path = ?", (path,)).fetchone()
        return None if row is None else (row[0], bool(row[1]))

    def put_origins(self, origins: Iterable[tuple[str, str, bool]]) -> None:
        """Remember where files come from: path, address, and whether there is a metadata file."""
        self._connection.executemany("INSERT OR REPLACE INTO origins VALUES (?, ?, ?)", origins)

    def put_page(self, name: str, files: Iterable[Mapping[str, Any]], **more: Any) -> Stored:
        """Store the page of a package in the JSON form (PEP 691, 700)."""
        page = {"meta": {"api-version": "1.1"}, "name": name, **more, "files": list(files)}
        return self.put(f"simple/{name}/", PAGE, json.dumps(page, separators=(",", ":")).encode())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
