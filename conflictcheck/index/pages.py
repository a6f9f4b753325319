"""Pages of indexes: from the cache while they are fresh, else from the server, asked whether they have changed."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import Future
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from conflictcheck.facts import Basis, Missing, Unknown
from conflictcheck.index.addresses import shown, shown_address
from conflictcheck.index.cache import StoredPage
from conflictcheck.index.compiled import CompiledError, decode_page, encode_page
from conflictcheck.index.find_links import links_of_page, look_at, read_file_index, read_place
from conflictcheck.index.links import LinkPage, PageError
from conflictcheck.index.simple_api import ACCEPT, HTML_TYPES, MAX_PAGE, Page
from conflictcheck.index.transport import FetchError, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conflictcheck.index.cache import Cache
    from conflictcheck.index.page_reader import PageReader
    from conflictcheck.index.transport import Answer, Transport
    from conflictcheck.index.workers import Workers

NOT_CACHED = "not in the cache, and --offline was given"
DEFAULT_FRESH = 600
"""Seconds for which a page counts as fresh where the index does not say."""
MAX_FRESH = 86400
_MAX_AGE = re.compile(r"\bmax-age\s*=\s*\"?(\d{1,9})")
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

PageAnswer = Page | LinkPage | Missing | Unknown


class PageRequest(NamedTuple):
    """One page.

    Attributes:
        url: its address, without credentials.
        name: the package that it lists, or empty for a find-links page.
        place: the index that it belongs to, or the find-links place.
    """

    url: str
    name: str
    place: str


class Pages:
    """Gets pages.

    Args:
        transport: for those behind HTTP.
        workers: who fetch them side by side.
        reader: who reads those of packages.
        cache: where they are kept, or None.
        offline: whether to do with what is in the cache, however old.
        refresh: whether to ask the server, however new.
    """

    def __init__(
        self,
        transport: Transport,
        workers: Workers,
        reader: PageReader,
        cache: Cache | None,
        *,
        offline: bool,
        refresh: bool,
    ) -> None:
        self._transport = transport
        self._reader = reader
        self._workers = workers
        self._key = transport.disguise.key
        self._cache = cache
        self._offline = offline
        self._refresh = refresh
        self._lock = threading.Lock()
        self._answers: dict[PageRequest, Future[PageAnswer]] = {}
        self._renewals: dict[PageRequest, Future[PageAnswer | None]] = {}
        self._unchanged: set[PageRequest] = set()
        self._taken: dict[PageRequest, str] = {}
        """The states of stored pages that are answers."""
        self._came: dict[PageRequest, str] = {}
        """Those of pages that the server sent, or said to be what is stored."""
        self._seen: dict[PageRequest, Mapping[str, str]] = {}
        """What local pages are made of (see `look_at`); nothing of one that changed while it was read."""
        self._used: dict[str, str | None] = {}
        """The state of each page that was used, by its key in the cache; None where it had none, or several."""

    @property
    def basis(self) -> Basis | None:
        """The pages that were used, as they were then; None where one is neither local nor kept in the cache."""
        found = {key: state for key, state in sorted(self._used.items()) if state is not None}
        places = {path: state for seen in self._seen.values() for path, state in seen.items()}
        is_all = len(found) == len(self._used) and all(self._seen.values())
        return Basis(found, dict(sorted(places.items()))) if is_all else None

    def note_answers(self, requests: Iterable[PageRequest]) -> None:
        """Note that answers of `start` were used, once they are there."""
        for request in requests:
            self._note_used(request, self._state_of_answer(request))

    def _state_of_answer(self, request: PageRequest) -> str | None:
        return self._taken.get(request) or self._came.get(request)

    def _look(self, request: PageRequest) -> str:
        """What tells a local page from every other version of it; empty where that is not known."""
        if request not in self._seen:
            try:
                self._seen[request] = look_at(request.place, request.name)
            except PageError:
                return ""
        return " ".join(self._seen[request].values())

    def _read_local(self, request: PageRequest) -> Page | LinkPage | Missing:
        self._look(request)
        page = read_file_index(request.place, request.name) if request.name else read_place(request.url)
        if look_at(request.place, request.name) != self._seen.get(request):
            self._seen[request] = {}
        return page

    def _note_used(self, request: PageRequest, state: str | None) -> None:
        if request in self._seen:
            return  # counts from when it was looked at
        key = self._key(request.url)
        self._used[key] = state if self._used.get(key, state) == state else None

    def start(self, requests: Sequence[PageRequest]) -> list[Future[PageAnswer]]:
        """Begin to get pages, each once in a run; those that the cache has are there at once."""
        with self._lock:
            new = [request for request in requests if request not in self._answers]
            self._answers.update((request, Future()) for request in new)
            futures = [self._answers[request] for request in requests]
        stored: Mapping[str, StoredPage] = {}
        if self._cache is not None:
            keys = {self._key(request.url): request.url for request in new if not _is_local(request)}
            stored = {keys[key]: page for key, page in self._cache.pages(list(keys)).items()}
        now = time.time()
        for request in new:
            page = stored.get(request.url)
            if page is not None and self._is_good(request, page.fresh_until, now):
                known = self._take(request, page)
                if known is not None:
                    self._answers[request].set_result(known)
                    continue
            self._workers.submit(self._get, (request, page), self._answers[request])
        return futures

    def _take(self, request: PageRequest, stored: StoredPage) -> Page | LinkPage | Missing | None:
        """What was stored, if it is what this request is about, which is the answer then."""
        page = _decoded(stored, request)
        if page is not None:
            self._taken[request] = stored.state(self._key(request.url))
        return page

    def _is_good(self, request: PageRequest, fresh_until: int, now: float) -> bool:
        """Whether a stored page will do without asking."""
        is_fresh = not self._refresh and now < fresh_until < now + MAX_FRESH
        return self._offline or is_fresh or request in self._unchanged

    def renew(self, requests: Sequence[PageRequest]) -> set[PageRequest]:
        """Begin to ask about stored pages that are no longer fresh whether they have changed, each once in a run.

        Returns:
            Those of the pages that are not stored.
        """
        stored = self._stored(requests)
        self._begin_to_renew({request: fresh_until for request, (_, fresh_until) in stored.items()})
        return set(requests).difference(stored)

    def _stored(self, requests: Iterable[PageRequest]) -> dict[PageRequest, tuple[str, int]]:
        """See `Cache.states`."""
        if self._cache is None:
            return {}
        keys = {self._key(request.url): request for request in requests if not _is_local(request)}
        return {keys[key]: state for key, state in self._cache.states(list(keys)).items()}

    def _begin_to_renew(self, stored: Mapping[PageRequest, int]) -> None:
        """See `renew`; of pages that are stored, with until when they are fresh."""
        now = time.time()
        with self._lock:
            stale = [
                request
                for request, fresh_until in stored.items()
                if not self._is_good(request, fresh_until, now)
                if request not in self._answers and request not in self._renewals
            ]
            self._renewals.update((request, Future()) for request in stale)
        for request in stale:
            self._workers.submit(self._renew, request, self._renewals[request])

    def _renew(self, request: PageRequest) -> PageAnswer | None:
        """What there is now; None if that is what is stored."""
        key = self._key(request.url)
        stored = None if self._cache is None else self._cache.pages([key]).get(key)
        answer = self._ask(request, stored)
        if answer is None:
            self._unchanged.add(request)
        return answer

    def states(self, requests: Sequence[PageRequest]) -> dict[PageRequest, str]:
        """What tells each page that is at hand from every other version of it, without reading it.

        Of a page that was an answer it is that of the answer, though another process may have stored another one by
        now. Any other that is no longer fresh is asked about first.
        """
        local = {request: seen for request in requests if _is_local(request) and (seen := self._look(request))}
        answered = {request for request in requests if request in self._answers and request not in local}
        read = {one: state for one in answered if (state := self._state_of_answer(one))}
        stored = self._stored([request for request in requests if request not in answered])
        self._begin_to_renew({request: fresh_until for request, (_, fresh_until) in stored.items()})
        renewed = [request for request in stored if request in self._renewals]
        # One that came anew, perhaps with the mark of the old one, is there once it was read.
        came = {one for one in renewed if self._renewals[one].result() is not None}
        stored |= self._stored(renewed)
        now = time.time()
        found = {
            request: state
            for request, (state, fresh_until) in stored.items()
            if self._is_good(request, fresh_until, now) and request not in came
        }
        found |= read | local
        for request, state in found.items():
            self._note_used(request, state)
        return found

    def doubt(self, url: str) -> None:
        """Have the next run ask for this page again, and for all of it: what it lists could not be had."""
        if self._cache is not None:
            for key, page in self._cache.pages([self._key(url)]).items():
                self._cache.put_page(key, replace(page, etag="", modified="", fresh_until=0))

    def _get(self, job: tuple[PageRequest, StoredPage | None]) -> PageAnswer:
        request, stored = job
        renewal = self._renewals.get(request)
        if renewal is not None and (answer := renewal.result()) is not None:
            return answer
        if renewal is not None and stored is not None and (taken := self._take(request, stored)) is not None:
            return taken
        known = None if stored is None else _decoded(stored, request)
        answer = self._ask(request, stored if known is not None else None)
        return known if answer is None and known is not None else answer or Unknown(NOT_CACHED)

    def _ask(self, request: PageRequest, stored: StoredPage | None) -> PageAnswer | None:
        """What there is now; None if that is what is stored."""
        try:
            if _is_local(request):
                return self._read_local(request)
            if self._offline:
                return Unknown(NOT_CACHED)
            return self._fetch(request, stored)
        except FetchError as error:
            return Unknown(str(error))
        except PageError as error:
            return Unknown(f"{shown_address(request.url)}: {error}")

    def _fetch(self, request: PageRequest, stored: StoredPage | None) -> PageAnswer | None:
        headers = {"accept": ACCEPT if request.name else "text/html"}
        if stored is not None:
            headers |= {"if-none-match": stored.etag} if stored.etag and stored.etag.isascii() else {}
            headers |= {"if-modified-since": stored.modified} if stored.modified and stored.modified.isascii() else {}
        label = request.name or shown_address(request.url)
        answer = self._transport.fetch(request.url, label=label, limit=MAX_PAGE, headers=headers)
        if answer.status == HTTPStatus.NOT_MODIFIED and stored is not None:
            self._store(request, answer, stored.data, stored)
            return None
        page: Page | LinkPage | Missing
        data = b""
        if answer.status in _GONE:
            page = Missing(request.name)
        elif answer.status != HTTPStatus.OK:
            return Unknown(f"{shown_address(request.url)}: {explained(answer.status, 'the index')}")
        elif request.name:
            kind = answer.headers.get("content-type", "")
            page, data = self._reader.read(
                answer.body(), kind, url=answer.url, name=request.name, index=request.place, ends=answer.ends
            )
        else:
            kind = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
            if kind not in HTML_TYPES:
                raise PageError(f"it is {shown(kind, 60)}, not a page with links")
            page = links_of_page(answer.body(), answer.url, ends=answer.ends)
        if self._transport.disguise.has_values:
            page, data = _veiled(page, self._transport.disguise.veil), b""
        if self._cache is not None:
            self._store(request, answer, data or encode_page(page), None)
        return page

    def _store(self, request: PageRequest, answer: Answer, data: bytes, before: StoredPage | None) -> None:
        control = answer.headers.get("cache-control", "").lower()
        if self._cache is None or "no-store" in control:
            return
        stated = _MAX_AGE.search(control)
        fresh = 0 if "no-cache" in control else int(stated[1]) if stated else DEFAULT_FRESH
        page = StoredPage(
            answer.headers.get("etag", before.etag if before else ""),
            answer.headers.get("last-modified", before.modified if before else ""),
            int(time.time()) + min(fresh, MAX_FRESH - 1),
            data,
        )
        key = self._key(request.url)
        self._came[request] = page.state(key)
        self._cache.put_page(key, page)


def _is_local(request: PageRequest) -> bool:
    return request.url.startswith("file:")


def _veiled(page: Page | LinkPage | Missing, veil: Callable[[str], str]) -> Page | LinkPage | Missing:
    """The page with its addresses as they may be shown: it may repeat what it was asked for with."""
    if isinstance(page, Page):
        files = tuple(msgspec.structs.replace(file, url=veil(file.url)) for file in page.files)
        return msgspec.structs.replace(page, files=files)
    if isinstance(page, LinkPage):
        links = [msgspec.structs.replace(link, url=veil(link.url)) for link in page.links]
        return LinkPage(veil(page.url), links)
    return page


def _decoded(stored: StoredPage, request: PageRequest) -> Page | LinkPage | Missing | None:
    """What was stored, if it is what this request is about."""
    try:
        page = decode_page(stored.data)
    except CompiledError:
        return None
    return page if isinstance(page, Missing) or isinstance(page, LinkPage) == (not request.name) else None
