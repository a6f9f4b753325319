"""What the ``cache`` commands say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.phrases import count, size_of

if TYPE_CHECKING:
    from pathlib import Path


def describe_cache(folder: Path) -> str:
    """Say where the cache is and what it holds; a cache that is not there is not made."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return f"Nothing is cached in {folder} yet."
    from conflictcheck.index.cache import Cache  # noqa: PLC0415 - the index's modules are heavy

    info = Cache.open(folder).info()
    return (
        f"Folder: {folder}\n"
        f"Size: {size_of(info.size)}\n"
        f"Holds: the files of {count(info.listings, 'package')}, the metadata of {count(info.metadata, 'release')}"
    )


def clear_cache(folder: Path) -> str:
    """Forget everything, and say how much that was."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return f"Nothing was cached in {folder}."
    from conflictcheck.index.cache import Cache  # noqa: PLC0415 - the index's modules are heavy

    return f"Cleared {folder} ({size_of(Cache.open(folder).clear())} freed)."
