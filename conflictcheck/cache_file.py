"""The cache's file as far as a reader needs to know it that must start in no time: nothing costly is imported here."""

from __future__ import annotations

import zlib
from hashlib import sha256

CACHE_DIR_VARIABLE = "CONFLICTCHECK_CACHE_DIR"
FILENAME = "cache.sqlite3"
SCHEMA = 5
"""Raised with every change of the tables or of what is in them; a cache of another number is replaced."""
SELECT_ANSWERS = "SELECT key, checksum, data FROM answers WHERE id IN (SELECT value FROM json_each(?))"
SELECT_STATES = """SELECT key, etag, modified, length(data), checksum, fresh_until FROM pages
                   WHERE id IN (SELECT value FROM json_each(?))"""


def row_number(key: str) -> int:
    """The number of a key's row; two keys may have one, and take turns then."""
    return int.from_bytes(sha256(key.encode()).digest()[:8], "big") >> 1


def row_checksum(key: str, data: bytes) -> int:
    """Of a row of metadata or answers."""
    return zlib.crc32(data, zlib.crc32(key.encode()))


def page_state(etag: str, modified: str, size: int, crc: int) -> str:
    """What of a page changes when it does."""
    return f"{etag} {modified} {size}" if etag or modified else str(crc)
