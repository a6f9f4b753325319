"""The indexes and find-links places of a run, behind HTTP or in folders, with the cache before them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name

from conflictcheck.errors import UsageError
from conflictcheck.facts import Basis, File, Listing, Metadata, Missing, Unknown
from conflictcheck.index.addresses import (
    is_address,
    is_package_name,
    page_address,
    shown,
    shown_address,
    split_credentials,
    without_secrets,
)
from conflictcheck.index.ahead import Ahead
from conflictcheck.index.base import Index
from conflictcheck.index.cache import Cache
from conflictcheck.index.filenames import in_order, parse_filename
from conflictcheck.index.files import FileReader
from conflictcheck.index.find_links import check_place, place_url
from conflictcheck.index.links import Link, LinkPage
from conflictcheck.index.page_reader import PageReader
from conflictcheck.index.pages import PageAnswer, PageRequest, Pages
from conflictcheck.index.releases import Releases, release_key
from conflictcheck.index.simple_api import Page, to_page
from conflictcheck.index.transport import Transport
from conflictcheck.index.workers import Workers
from conflictcheck.phrases import count, or_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.disguise import Disguise
    from conflictcheck.index.base import Expected, Guide, MetadataRequest
    from conflictcheck.index.direct import DirectReader
    from conflictcheck.index.releases import Found, ReleaseKey
    from conflictcheck.progress import Progress
    from conflictcheck.settings import IndexSettings

CONCURRENCY = 24
"""Requests under way at a time; more gain nothing on a home connection and annoy small servers."""
MAX_TROUBLES = 5
"""Facts that could not be had that are told one by one; an index that is down fails hundreds of times."""


class RemoteIndex(Index):
    """All indexes of a run together, and the find-links places beside them.

    Args:
        settings: where facts come from; the snapshot is not of concern here.
        progress: told of each request, from many threads.
        disguise: how addresses may be shown.
        beside: whether pages may be read in a process beside this one.

    Raises:
        UsageError: if an address is none, or a local place cannot be read.
    """

    def __init__(
        self, settings: IndexSettings, progress: Progress, disguise: Disguise, *, beside: bool = False
    ) -> None:
        _check(settings)
        cover = disguise.cover
        self._indexes = tuple(map(cover, _plain(url.rstrip("/") for url in settings.index_urls)))
        self._places = tuple(map(cover, _plain(place_url(place) for place in settings.find_links)))
        self._disguise = disguise
        self._offline = settings.offline
        self._cache = None if settings.cache_dir is None else Cache.open(settings.cache_dir)
        self._page_reader = PageReader(beside=beside)
        self._workers = Workers(CONCURRENCY)
        self._transport = Transport(settings, disguise, connections=CONCURRENCY, progress=progress)
        self._pages = Pages(
            self._transport,
            self._workers,
            self._page_reader,
            self._cache,
            offline=settings.offline,
            refresh=settings.refresh,
        )
        self._reader = FileReader(self._transport)
        self._releases = Releases(
            self._reader, self._workers, self._cache, disguise, self._places, offline=settings.offline
        )
        self._ahead = Ahead(self._pages, self._releases, self._workers, self._page_requests, combine)
        self._links: _FoundLinks | None = None
        self._listings: dict[NormalizedName, Listing | Missing | Unknown] = {}
        self._read: set[ReleaseKey] = set()
        self._troubles: list[str] = []
        self._is_lasting = True
        self._direct: dict[tuple[str, NormalizedName], tuple[Metadata, File] | Unknown] = {}
        self._direct_reader: DirectReader | None = None

    @property
    def place(self) -> str:
        """See `Index.place`."""
        if not self._indexes:
            return "in the --find-links places" + ("" if self._places else ", of which there are none")
        return f"on {or_list([shown_address(url) for url in self._indexes])}"

    @property
    def indexes(self) -> tuple[str, ...]:
        """See `Index.indexes`."""
        return self._indexes

    @property
    def problems(self) -> list[str]:
        """See `Index.problems`; they are about the cache, find-links pages, and facts that could not be had."""
        if self._cache is not None:
            self._cache.flush()
        troubles = sorted(set(self._troubles))
        more = len(troubles) - MAX_TROUBLES
        absent, empty = ([], []) if self._links is None else (self._links.absent, self._links.empty)
        return [
            *([] if self._cache is None else self._cache.problems),
            *(f"the --find-links page {shown_address(place)} does not exist" for place in absent),
            *(f"the --find-links page {shown_address(place)} lists no files" for place in empty),
            *troubles[:MAX_TROUBLES],
            *([f"{count(more, 'fact')} could not be had besides those that are named"] if more > 0 else []),
        ]

    @property
    def basis(self) -> Basis | None:
        """See `Index.basis`; not where something was not to be had, or may be another file next time."""
        if self._cache is None or self._direct or self.problems or not self._is_lasting:
            return None
        basis = self._pages.basis
        return basis and msgspec.structs.replace(basis, told=sorted(self._reader.told.copy()))  # others still add to it

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """See `Index.listings`."""
        new = [name for name in names if name not in self._listings and is_package_name(name)]
        requests = {name: self._page_requests(name) for name in new}
        self._ahead.asked(new)
        self._pages.start(self._place_requests)
        flat = [request for some in requests.values() for request in some]
        futures = dict(zip(flat, self._pages.start(flat), strict=True))
        for name, some in requests.items():
            self._ahead.go_on(name, {request.place: futures[request] for request in some})
        answers = {request: future.result() for request, future in futures.items()}
        self._pages.note_answers(answers)
        links = self._linked()
        for name, some in requests.items():
            own = {request.place: answers[request] for request in some}
            answer = self._listings[name] = links.added_to(combine(name, own), name)
            if isinstance(answer, Unknown) and not self._offline:
                self._troubles.append(f"the releases of {name} are not known: {answer.reason}")
        return [self._listings.get(name) or Missing(name) for name in names]

    def stamps(self, names: Sequence[NormalizedName]) -> dict[NormalizedName, str]:
        """See `Index.stamps`."""
        wanted = {name: self._page_requests(name) for name in names if is_package_name(name)}
        self._pages.start(self._place_requests)
        states = self._pages.states([request for requests in wanted.values() for request in requests])
        links = self._linked()
        return {
            name: " ".join((*self._indexes, *(states[request] for request in requests), links.stamp(name)))
            for name, requests in wanted.items()
            if requests and links.are_known and all(request in states for request in requests)
        }

    def recall(self, keys: Sequence[str]) -> dict[str, bytes]:
        """See `Index.recall`."""
        return {} if self._cache is None else self._cache.answers(keys)

    def keep(self, key: str, data: bytes) -> None:
        """See `Index.keep`."""
        if self._cache is not None:
            self._cache.put_answer(key, data)

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """See `Index.metadata`."""
        keys = [release_key(request) for request in requests]
        self._ahead.asked(keys)
        futures = self._releases.start(requests)
        self._ahead.go_on_from(futures)
        answers = []
        for key, future in zip(keys, futures, strict=True):
            found = future.result()
            if key not in self._read:
                self._read.add(key)
                self._note(found)
            answers.append(found.answer)
        return answers

    def follow(self, guide: Guide) -> None:
        """See `Index.follow`."""
        if not self._offline:
            self._ahead.follow(guide)

    def expect(self, expected: Expected) -> None:
        """See `Index.expect`."""
        if not self._offline:
            self._ahead.expect(expected)

    def rest(self) -> None:
        """See `Index.rest`."""
        self._workers.rest()
        self._page_reader.close()

    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """See `Index.direct`."""
        if (url, name) not in self._direct:
            if self._offline and url.startswith(("http://", "https://")):
                self._direct[url, name] = Unknown("a direct reference that was not fetched, as --offline was given")
            else:
                if self._direct_reader is None:
                    from conflictcheck.index.direct import DirectReader  # noqa: PLC0415 - costly, rarely needed

                    self._direct_reader = DirectReader(self._transport, self._reader)
                reader = self._direct_reader
                real = self._disguise.reveal(url)
                [found] = self._workers.map(lambda real: reader.read(real, name), [real])
                self._direct[url, name] = found if real == url else self._covered(found, url)
        return self._direct[url, name]

    def _covered(self, found: tuple[Metadata, File] | Unknown, url: str) -> tuple[Metadata, File] | Unknown:
        """What stands behind an address, without what must not be shown of that."""
        veil = self._disguise.veil
        if isinstance(found, Unknown):
            return Unknown(veil(found.reason))
        metadata, file = found
        return (
            msgspec.structs.replace(metadata, filename=veil(metadata.filename)),
            msgspec.structs.replace(file, filename=veil(file.filename), url=url.partition("#")[0]),
        )

    def close(self) -> None:
        """See `Index.close`."""
        self._workers.close(self._transport.close)
        self._page_reader.close()
        if self._cache is not None:
            self._cache.close()

    def _linked(self) -> _FoundLinks:
        """The links of all find-links places, which are read once."""
        if self._links is None:
            requests = self._place_requests
            answers = [future.result() for future in self._pages.start(requests)]
            self._pages.note_answers(requests)
            self._links = _FoundLinks(dict(zip(self._places, answers, strict=True)))
        return self._links

    @property
    def _place_requests(self) -> list[PageRequest]:
        return [PageRequest(place, "", place) for place in self._places]

    def _page_requests(self, name: str) -> list[PageRequest]:
        return [PageRequest(page_address(index, name), name, index) for index in self._indexes]

    def _note(self, found: Found) -> None:
        """Remember what is to be said of a fact that was asked for; of others, nothing is."""
        self._is_lasting &= found.is_lasting
        if found.trouble:
            self._troubles.append(found.trouble)
        for page in found.doubted:
            self._pages.doubt(page)


class _FoundLinks:
    """Links of the find-links places, by what their filenames begin with.

    Args:
        answers: by place. If one is not known, no listing is.

    Attributes:
        absent: the places that are not there.
        empty: those that have no files.
    """

    def __init__(self, answers: dict[str, PageAnswer]) -> None:
        self.absent = [place for place, answer in answers.items() if isinstance(answer, Missing)]
        self.empty = [place for place, page in answers.items() if isinstance(page, LinkPage) and not page.links]
        self._failed = next((answer for answer in answers.values() if isinstance(answer, Unknown)), None)
        self._links = [
            (canonicalize_name(link.filename), place, page.url, link)
            for place, page in answers.items()
            if isinstance(page, LinkPage)
            for link in page.links
        ]

    @property
    def are_known(self) -> bool:
        """Whether every place could be read."""
        return self._failed is None

    def stamp(self, name: str) -> str:
        """What tells the links to files of a package from any other; empty where there are none."""
        return " ".join(f"{place} {url} {link}" for place, url, link in self._of(name))

    def added_to(self, answer: Listing | Missing | Unknown, name: str) -> Listing | Missing | Unknown:
        """What an index says, with the files of this package that are linked to; they go first, as in pip."""
        if self._failed is not None:
            return self._failed
        if isinstance(answer, Unknown):
            return answer
        files: dict[str, File] = {}
        for place, url, link in self._of(name):
            found = self._page_of(link, url, name, place).files
            files = {file.filename: file for file in found} | files
        if not files:
            return answer
        if isinstance(answer, Missing):
            return Listing(name, in_order(files.values()))
        files = {file.filename: file for file in answer.files} | files
        return msgspec.structs.replace(answer, files=in_order(files.values()))

    def _of(self, name: str) -> Iterator[tuple[str, str, Link]]:
        for start, place, url, link in self._links:
            if start.startswith(f"{name}-") and parse_filename(link.filename, name):
                yield place, url, link

    @staticmethod
    def _page_of(link: Link, url: str, name: str, place: str) -> Page:
        return to_page([link], url=url, name=name, index=place)


def _check(settings: IndexSettings) -> None:
    for url in settings.index_urls:
        if not is_address(url):
            raise UsageError(f"{shown(without_secrets(url))} is no address of a package index")
        if "?" in url:
            raise UsageError(
                f"{shown_address(url)}: the address of an index has no query", hint="leave out what follows ?"
            )
    for place in settings.find_links:
        check_place(place)


def combine(name: str, answers: dict[str, PageAnswer]) -> Listing | Missing | Unknown:
    """What several indexes say together: the files of all, and of equal filenames those of the first, as in pip.

    An index that could not be asked may have any files of the package, so nothing is known without it.
    """
    failed = next((answer for answer in answers.values() if isinstance(answer, Unknown)), None)
    if failed is not None:
        return failed
    pages = {index: answer for index, answer in answers.items() if isinstance(answer, Page)}
    if not pages:
        return Missing(name)
    newer = tuple((index, page.newer) for index, page in pages.items() if page.newer)
    first, *further = pages.values()
    if not further:
        return Listing(name, first.files, (), first.invalid, newer=newer)
    files = {file.filename: file for page in reversed(pages.values()) for file in page.files}
    invalid = sorted({filename for page in pages.values() for filename in page.invalid})
    differs = any(not _are_alike(one, other) for one, other in combinations(pages.values(), 2))
    related = differs and _are_related({page_address(index, name): page for index, page in pages.items()})
    return Listing(name, in_order(files.values()), tuple(pages)[1:], tuple(invalid), differs, related, newer)


def _are_related(pages: dict[str, Page]) -> bool:
    """Whether the pages of several indexes say that they are about one project (PEP 708).

    Either all but one say that they track that one, or all name the same places, their own included.

    Args:
        pages: by address.
    """
    tracked = {address: set(map(_plain_address, page.tracks)) for address, page in pages.items()}
    named = {frozenset(map(_plain_address, (address, *page.alternates))) for address, page in pages.items()}
    return any(
        all(_plain_address(owner) in tracks for address, tracks in tracked.items() if address != owner)
        for owner in pages
    ) or (len(named) == 1 and named.pop().issuperset(map(_plain_address, pages)))


def _plain_address(url: str) -> str:
    return split_credentials(url)[0].rstrip("/")


def _are_alike(one: Page, other: Page) -> bool:
    """Whether one of two pages has nothing that the other has not, as that of a mirror."""
    fewer, more = sorted((one.files, other.files), key=len)
    known = {file.filename: file.hashes for file in more}
    return all(file.filename in known and _may_be_same(file.hashes, known[file.filename]) for file in fewer)


def _may_be_same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether hashes may be those of one file: none of an algorithm that is in both differs."""
    known = dict(value.split(":", 1) for value in other)
    return all(known.get(name, digest) == digest for name, digest in (value.split(":", 1) for value in one))


def _plain(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(split_credentials(url)[0] for url in urls))
