"""Listings in the form that a warm run loads without parsing: columns, with texts that repeat kept once.

A page of some thousand files then takes a third of the time and memory that one record a file would.
"""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - msgspec reads the annotations

import msgspec

from conflictcheck.facts import FileColumns, Files, Missing
from conflictcheck.index.links import Link, LinkPage
from conflictcheck.index.simple_api import Page


class CompiledError(Exception):
    """Bytes that are not what was once encoded."""


class _Columns(msgspec.Struct, array_like=True, tag=1):
    index: str
    place: str
    filenames: Sequence[str]
    tails: Sequence[str]
    texts: list[str | None]
    versions: list[int]
    tags: list[int]
    builds: list[int]
    pythons: list[int]
    yanked: list[int]
    uploads: Sequence[str | None]
    hashes: Sequence[tuple[str, ...]]
    sizes: Sequence[int | None]
    metadata: Sequence[str | None]
    invalid: tuple[str, ...]
    newer: str
    tracks: tuple[str, ...]
    alternates: tuple[str, ...]


class _Missing(msgspec.Struct, array_like=True, tag=2):
    name: str


class _Links(msgspec.Struct, array_like=True, tag=3):
    url: str
    links: list[Link]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Columns | _Missing | _Links)


def encode_page(page: Page | Missing | LinkPage) -> bytes:
    """The bytes to store."""
    if isinstance(page, Missing):
        return _encoder.encode(_Missing(page.name))
    if isinstance(page, LinkPage):
        return _encoder.encode(_Links(page.url, page.links))
    files = Files.of(page.files)
    columns = files.columns
    numbers: dict[str | None, int] = {}

    def numbered(texts: Sequence[str | None]) -> list[int]:
        return [numbers.setdefault(text, len(numbers)) for text in texts]

    return _encoder.encode(
        _Columns(
            index=columns.index[0] if columns.index else "",
            place=files.place,
            filenames=columns.filename,
            tails=columns.url,
            versions=numbered(columns.version),
            tags=numbered(columns.tags),
            builds=numbered(columns.build),
            pythons=numbered(columns.requires_python),
            yanked=numbered(columns.yanked),
            uploads=columns.upload_time,
            hashes=columns.hashes,
            sizes=columns.size,
            metadata=columns.metadata,
            invalid=page.invalid,
            newer=page.newer,
            tracks=page.tracks,
            alternates=page.alternates,
            texts=list(numbers),
        )
    )


def decode_page(data: bytes) -> Page | Missing | LinkPage:
    """What was stored.

    Raises:
        CompiledError: if it is something else.
    """
    try:
        found = _decoder.decode(data)
        if isinstance(found, _Missing):
            return Missing(found.name)
        if isinstance(found, _Links):
            return LinkPage(found.url, found.links)
        text = found.texts.__getitem__
        columns = FileColumns(
            found.filenames,
            found.tails,
            list(map(text, found.versions)),
            list(map(text, found.tags)),
            list(map(text, found.builds)),
            list(map(text, found.pythons)),
            list(map(text, found.yanked)),
            found.uploads,
            found.hashes,
            found.sizes,
            found.metadata,
            [found.index] * len(found.filenames),
        )
        return Page(Files(columns, found.place), found.invalid, found.newer, found.tracks, found.alternates)
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, RecursionError) as error:
        raise CompiledError(str(error)) from error
