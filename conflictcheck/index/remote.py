"""Indexes behind HTTP or in folders, and find-links places beside them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from conflictcheck.facts import File, Listing, Metadata, Missing, Unknown
from conflictcheck.index.addresses import (
    is_package_name,
    page_address,
    shown_address,
    split_credentials,
)
from conflictcheck.index.base import Index, MetadataRequest
from conflictcheck.index.credentials import Credentials
from conflictcheck.index.files import FileReader, UnreadableError
from conflictcheck.index.simple_api import ACCEPT, MAX_PAGE, Page, PageError, parse_page
from conflictcheck.index.transport import FetchError, Transport
from conflictcheck.index.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.progress import Progress
    from conflictcheck.settings import IndexSettings

CONCURRENCY = 24
"""Requests under way at a time; more gain nothing on a home connection and annoy small servers."""
MAX_FILES_TRIED = 4
"""Files of one release that are tried before its metadata counts as unknown."""

PageAnswer = Page | Missing | Unknown


class RemoteIndex(Index):
    """All indexes of a run, first match first."""

    def __init__(self, settings: IndexSettings, progress: Progress) -> None:
        self._indexes = tuple(dict.fromkeys(split_credentials(url)[0].rstrip("/") for url in settings.index_urls))
        self._workers = Workers(CONCURRENCY)
        credentials = Credentials((*settings.index_urls, *settings.find_links), use_keyring=settings.keyring)
        self._transport = Transport(
            credentials,
            timeout=settings.timeout,
            ca_bundle=settings.ca_bundle,
            connections=CONCURRENCY,
            progress=progress,
        )
        self._reader = FileReader(self._transport)
        self._listings: dict[NormalizedName, Listing | Missing | Unknown] = {}
        self._metadata: dict[tuple[NormalizedName, str, str], Metadata | Unknown] = {}

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """See `Index.listings`."""
        new = [name for name in names if name not in self._listings and is_package_name(name)]
        places = [(index, name) for name in new for index in self._indexes]
        answers = dict(zip(places, self._workers.map(self._page, places), strict=True))
        for name in new:
            self._listings[name] = combine(name, {index: answers[index, name] for index in self._indexes})
        return [self._listings.get(name) or Missing(name) for name in names]

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """See `Index.metadata`."""
        keys = [(request.name, request.version, request.files[0].url) for request in requests]
        new = {key: request for key, request in zip(keys, requests, strict=True) if key not in self._metadata}
        found = self._workers.map(self._read, new.values())
        self._metadata.update(zip(new, found, strict=True))
        return [self._metadata[key] for key in keys]

    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """See `Index.direct`."""
        return Unknown(f"direct references are not read yet: {shown_address(url)} ({name})")

    def close(self) -> None:
        """See `Index.close`."""
        self._workers.close()
        self._transport.close()

    def _page(self, place: tuple[str, NormalizedName]) -> PageAnswer:
        index, name = place
        url = page_address(index, name)
        try:
            answer = self._transport.fetch(url, label=name, limit=MAX_PAGE, headers={"accept": ACCEPT})
            if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                return Missing(name)
            if answer.status != HTTPStatus.OK:
                return Unknown(f"{shown_address(url)}: the index answered {answer.status}")
            kind = answer.headers.get("content-type", "")
            return parse_page(answer.body(), kind, url=answer.url, name=name, index=index)
        except FetchError as error:
            return Unknown(str(error))
        except PageError as error:
            return Unknown(f"{shown_address(url)}: {error}")

    def _read(self, request: MetadataRequest) -> Metadata | Unknown:
        reasons: list[str] = []
        for file in request.files[:MAX_FILES_TRIED]:
            try:
                return self._reader.read(file, request.name, request.version)
            except (FetchError, UnreadableError) as error:
                reasons.append(str(error))
        return Unknown(reasons[0])


def combine(name: NormalizedName, answers: dict[str, PageAnswer]) -> Listing | Missing | Unknown:
    """What several indexes say together: the first that has the package decides.

    An index that could not be asked hides whether it is the first, so what follows it is unknown as well.
    """
    found: tuple[str, Page] | None = None
    also: list[str] = []
    for index, answer in answers.items():
        if isinstance(answer, Unknown) and found is None:
            return answer
        if isinstance(answer, Page):
            if found is None:
                found = index, answer
            else:
                also.append(index)
    if found is None:
        return Missing(name)
    return Listing(name, found[1].files, tuple(also), found[1].invalid)
