"""What the ``cache`` commands say."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from conflictcheck.cache_file import FILENAME
from conflictcheck.index.cache import Cache
from conflictcheck.index.database import MAX_SIZE
from conflictcheck.phrases import count, size_of

if TYPE_CHECKING:
    from pathlib import Path


def describe_cache(folder: Path) -> str:
    """Say where the cache is and what it holds; a cache that is not there is not made.

    Returns:
        One or several lines.
    """
    if not (folder / FILENAME).exists():
        return f"Nothing is cached in {folder} yet."
    with closing(Cache.open(folder)) as cache:
        info = cache.info()
        lines = [
            f"File: {info.path}",
            f"Size: {size_of(info.size)}; at {size_of(MAX_SIZE)} half of it is forgotten",
            f"Holds: {count(info.listings, 'page')} of indexes, the metadata of {count(info.metadata, 'release')}",
            *(f"Problem: {problem}" for problem in cache.problems),
        ]
    return "\n".join(lines)


def clear_cache(folder: Path) -> str:
    """Forget everything, and say how much that was.

    Raises:
        CacheError: it cannot be written.
    """
    if not (folder / FILENAME).exists():
        return f"Nothing was cached in {folder}."
    with closing(Cache.open(folder)) as cache:
        freed = cache.clear()
    return f"Cleared {folder / FILENAME} ({size_of(freed)} freed)."
