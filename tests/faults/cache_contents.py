"""Rows for a cache, so that each process of a test knows what must come out of it; quick to import."""

from __future__ import annotations

from conflictcheck.facts import Metadata
from conflictcheck.index.cache import Cache, StoredPage

PAGES = {f"https://index.example/simple/{n}/": StoredPage(f'"{n}"', "", n, bytes([n]) * 3000) for n in range(40)}
METADATA = {f"https://files.example/{n}.whl": Metadata("a", str(n), ("b>=1",)) for n in range(40)}


def fill(cache: Cache) -> None:
    """Store all rows."""
    for key, page in PAGES.items():
        cache.put_page(key, page)
    for key, metadata in METADATA.items():
        cache.put_metadata(key, metadata)
    cache.flush()


def is_filled(cache: Cache) -> bool:
    """Whether all rows are there, as they were stored."""
    return cache.pages(PAGES) == PAGES and cache.metadata(METADATA) == METADATA
