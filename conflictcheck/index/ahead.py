"""Facts that nobody asked for yet, begun on a guess."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from conflictcheck.facts import Listing, Metadata
from conflictcheck.index.addresses import is_package_name
from conflictcheck.index.base import Expected
from conflictcheck.index.releases import release_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conflictcheck.facts import Missing, Unknown
    from conflictcheck.index.base import Guide
    from conflictcheck.index.pages import PageAnswer, PageRequest, Pages
    from conflictcheck.index.releases import Found, ReleaseKey, Releases
    from conflictcheck.index.workers import Workers

MOST_AHEAD = 1000
"""Facts that were begun and that nobody asked for yet. A large spec takes some 300 packages, each with its page and a
release or two; what an index makes up to keep a run busy ends here."""


class Ahead:
    """Begins to get what guides expect, in the threads of the index.

    Args:
        pages: of the indexes.
        releases: what they need.
        workers: who get both.
        requests_for: the pages of a package.
        combine: what several pages say together, by the index they are from.
    """

    def __init__(
        self,
        pages: Pages,
        releases: Releases,
        workers: Workers,
        requests_for: Callable[[str], list[PageRequest]],
        combine: Callable[[str, dict[str, PageAnswer]], Listing | Missing | Unknown],
    ) -> None:
        self._pages = pages
        self._releases = releases
        self._workers = workers
        self._requests_for = requests_for
        self._combine = combine
        self._guides: list[Guide] = []
        self._lock = threading.Lock()
        self._asked: set[str | ReleaseKey] = set()
        self._unasked: set[str | ReleaseKey] = set()

    def follow(self, guide: Guide) -> None:
        """See `Index.follow`."""
        self._guides.append(guide)

    def expect(self, expected: Expected) -> None:
        """See `Index.expect`."""
        with self._lock:
            names = [name for name in expected.names if is_package_name(name) and self._has_room_for(name)]
            requests = [request for request in expected.requests if self._has_room_for(release_key(request))]
        if names or requests:
            self._workers.submit(self._begin, Expected(names, requests), Future())

    def asked(self, keys: Iterable[str | ReleaseKey]) -> None:
        """Note what was asked for: names of packages, and releases."""
        with self._lock:
            self._asked.update(keys)
            self._unasked -= self._asked

    def go_on(self, name: str, pages: Mapping[str, Future[PageAnswer]]) -> None:
        """Ask the guides once the pages of a package are there, by index; not if they are, as then nothing is slow."""
        if self._guides and not all(page.done() for page in pages.values()):
            self._when_listed(name, pages)

    def go_on_from(self, releases: Iterable[Future[Found]]) -> None:
        """The same of releases."""
        for release in releases:
            if self._guides and not release.done():
                release.add_done_callback(self._when_read)

    def _has_room_for(self, key: str | ReleaseKey) -> bool:
        if key not in self._asked and key not in self._unasked:
            if len(self._unasked) >= MOST_AHEAD:
                return False
            self._unasked.add(key)
        return True

    def _begin(self, expected: Expected) -> None:
        """Runs in a worker, so that one fact at hand that leads to the next does not pile up calls."""
        wanted = {name: self._requests_for(name) for name in expected.names}
        absent = self._pages.renew([request for some in wanted.values() for request in some])
        for name, some in wanted.items():
            # What is stored leads on to what is most likely stored as well.
            if not absent.isdisjoint(some):
                pages = self._pages.start(some)
                self._when_listed(name, {request.place: page for request, page in zip(some, pages, strict=True)})
        for release in self._releases.start(expected.requests):
            release.add_done_callback(self._when_read)

    def _when_listed(self, name: str, pages: Mapping[str, Future[PageAnswer]]) -> None:
        def ask(_: object) -> None:
            with suppress(Exception):
                if all(page.done() for page in pages.values()):
                    listing = self._combine(name, {index: page.result() for index, page in pages.items()})
                    if isinstance(listing, Listing):
                        for guide in self._guides:
                            self.expect(guide.after_listing(listing))

        for page in pages.values():
            page.add_done_callback(ask)

    def _when_read(self, release: Future[Found]) -> None:
        with suppress(Exception):
            metadata = release.result().answer
            if isinstance(metadata, Metadata):
                for guide in self._guides:
                    self.expect(guide.after_metadata(metadata))
