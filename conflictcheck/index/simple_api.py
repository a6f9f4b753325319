"""The wire shapes of the Simple API: JSON (PEP 691, 700, 708, 714) and HTML (PEP 503, 592, 658), turned into facts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct, field
from packaging.utils import canonicalize_name

from conflictcheck.facts import File
from conflictcheck.index.addresses import join, shown, split_credentials
from conflictcheck.index.filenames import ARCHIVE_SUFFIXES, in_order, is_archive, parse_filename

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1, application/json;q=0.05"
)
HTML_TYPES = frozenset({"application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml"})
MAX_PAGE = 256 << 20
"""Bytes of a page; the largest ones of today have some 50 million."""
MAX_INVALID = 100
MAX_REASON = 500
_INSTANT = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII)
"""The usual form, on a day that every month has."""
_TITLE = re.compile(r"links for\b(\s+(?P<name>[a-z0-9._-]+)$)?.*", re.ASCII | re.IGNORECASE | re.DOTALL)
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
"""The hashes that are kept, each with the length of its values; weaker ones prove nothing."""
_HASH = re.compile(r"(sha256|sha384|sha512)[=:]([0-9a-fA-F]+)")


KNOWN_MINOR = 4
"""Of version 1 of the Simple API; a newer one is read all the same, with a warning (PEP 629)."""
_MAX_PLACES = 100


class PageError(Exception):
    """A page that does not follow the Simple API; the text is the reason, one clause."""


class Page(msgspec.Struct, frozen=True, array_like=True):
    """What one place lists for one package.

    Attributes:
        files: in order.
        invalid: filenames that name no version of it.
        newer: the version of the Simple API, if it is one that is not known here.
        tracks: addresses of the same project elsewhere, which this place extends (PEP 708).
        alternates: addresses that the project names as further places of its own (PEP 708).
    """

    files: tuple[File, ...]
    invalid: tuple[str, ...] = ()
    newer: str = ""
    tracks: tuple[str, ...] = ()
    alternates: tuple[str, ...] = ()


class Link(msgspec.Struct, rename="kebab", omit_defaults=True):
    """One file as JSON has it; HTML links are brought into the same shape."""

    filename: str
    url: str
    hashes: dict[str, Any] | None = None
    requires_python: str | None = None
    yanked: bool | str | None = None
    upload_time: str | None = None
    size: int | None = None
    core_metadata: bool | dict[str, Any] | None = None
    data_dist_info_metadata: bool | dict[str, Any] | None = None
    dist_info_metadata: bool | dict[str, Any] | None = None


class LinkPage(msgspec.Struct, frozen=True):
    """A page of links to files of any packages, and what relative ones refer to."""

    url: str
    links: list[Link]


class _Meta(msgspec.Struct, rename="kebab", frozen=True):
    api_version: str = "1.0"
    tracks: list[str] = []


class _Detail(msgspec.Struct, rename="kebab"):
    files: list[Link]
    meta: _Meta = _Meta()
    name: str = ""
    alternate_locations: list[str] = []


_decoder = msgspec.json.Decoder(_Detail)


def parse_page(body: bytes, content_type: str, *, url: str, name: str, index: str, ends: bool = True) -> Page:
    """Read the page of one package.

    Args:
        body: as received.
        content_type: the header; it decides between JSON and HTML, whatever was asked for.
        url: where the page came from, which relative links refer to.
        name: the package, normalized.
        index: what to record as `File.index`.
        ends: as in `parse_html`.

    Raises:
        PageError: if it is not such a page.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in {"application/vnd.pypi.simple.v1+json", "application/json"}:
        detail = _json_detail(body)
        links, about, version = detail.files, detail.name, detail.meta.api_version
        tracks, alternates = detail.meta.tracks, detail.alternate_locations
    elif kind in HTML_TYPES:
        if not _is_utf8(body):
            raise PageError("the index answered with HTML that is not UTF-8")
        page = parse_html(body, ends=ends)
        if not page.is_simple and not any(is_archive(link.filename) for link in page.links):
            raise PageError("the index answered with a page that lists no files")
        links, about, version, url = page.links, page.about, page.version, page.base_for(url)
        tracks, alternates = page.tracks, page.alternates
    else:
        raise PageError(f"the index answered with {shown(kind, 60) or 'content of no type'}, not with a list of files")
    if about and canonicalize_name(about) != name:
        raise PageError(f"the index answered with the page of {shown(about, 60)}")
    return msgspec.structs.replace(
        to_page(links, url=url, name=name, index=index),
        newer=_newer(version),
        tracks=tuple(map(shown, tracks[:_MAX_PLACES])),
        alternates=tuple(map(shown, alternates[:_MAX_PLACES])),
    )


def _newer(version: str) -> str:
    """The version of the Simple API (PEP 629), if it is newer than what is known here, else nothing.

    Raises:
        PageError: if it is one that cannot be read.
    """
    major, _, minor = version.partition(".")
    if major != "1":
        raise PageError(f"the index speaks version {shown(version, 20)} of the Simple API, not 1")
    return shown(version, 20) if minor.isdecimal() and (len(minor) > 1 or int(minor) > KNOWN_MINOR) else ""


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _json_detail(body: bytes) -> _Detail:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PageError(f"the index answered with unusable JSON: {shown(str(error))}") from error


def to_page(links: Iterable[Link], *, url: str, name: str, index: str, may_be_local: bool | None = None) -> Page:
    """Turn links into facts about one package.

    Args:
        links: of the page, in any order.
        url: what relative links refer to.
        name: the package, normalized.
        index: what to record as `File.index`.
        may_be_local: whether links may be ``file:`` URLs; by default if the page is one.

    Raises:
        PageError: if it contradicts itself.
    """
    local = url.startswith("file:") if may_be_local is None else may_be_local
    files: dict[str, File] = {}
    invalid: set[str] = set()
    for link in links:
        filename = link.filename
        if not filename.endswith(ARCHIVE_SUFFIXES):
            continue
        parsed = parse_filename(filename, name)
        address = join(url, link.url) if parsed else None
        if parsed is None or address is None or (not local and address.startswith("file:")):
            if len(invalid) < MAX_INVALID:
                invalid.add(shown(link.filename))
            continue
        if "@" in address:
            address, _ = split_credentials(address)
        metadata = link.core_metadata
        if metadata is None:
            metadata = link.data_dist_info_metadata if link.dist_info_metadata is None else link.dist_info_metadata
        file = File(
            link.filename,
            address,
            parsed.version,
            parsed.tags,
            parsed.build,
            _specifier(link.requires_python),
            _yanked(link.yanked),
            _instant(link.upload_time),
            _hashes(link.hashes),
            link.size,
            _metadata_hash(metadata),
            index,
        )
        listed = files.setdefault(link.filename, file)
        if listed is not file and not _are_alike(listed, file):
            raise PageError(f"the index lists {shown(link.filename)} twice, and not alike")
    return Page(in_order(files.values()), tuple(sorted(invalid)))


def _are_alike(one: File, other: File) -> bool:
    """Whether it makes no difference which of two files of the same name is taken."""
    return (one.hashes == other.hashes or not one.hashes or not other.hashes) and (
        (one.requires_python, one.yanked is None) == (other.requires_python, other.yanked is None)
    )


def _specifier(value: str | None) -> str | None:
    return shown(value.strip()) if value and value.strip() else None


def _yanked(value: bool | str | None) -> str | None:
    """The reason; an empty text says that it is not (PEP 691: "truthy")."""
    return (shown(value, MAX_REASON) if isinstance(value, str) else "") if value else None


def _instant(value: str | None) -> str | None:
    """An upload time in one form (RFC 3339 in UTC, as PEP 700 has it), so that texts compare as times do."""
    if value is None or _INSTANT.fullmatch(value):
        return value
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _hashes(values: dict[str, Any] | None) -> tuple[str, ...]:
    if not values:
        return ()
    if len(values) == 1:
        [name] = values  # nearly always; pages have thousands of files
        return _hash(name, values[name])
    return tuple(known for name in _DIGITS if name in values for known in _hash(name, values[name]))


def _hash(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and len(value) == _DIGITS.get(name) and value.isalnum():
        return (f"{name}:{value.lower()}",)
    return ()


def _metadata_hash(value: bool | dict[str, Any] | None) -> str | None:
    if not value:
        return None
    return next(iter(_hashes(value)), "") if isinstance(value, dict) else ""


class HtmlPage(Struct):
    """What was found in an HTML page.

    Attributes:
        links: of all anchors.
        base: the ``href`` of its ``<base>``, or empty.
        is_simple: whether the page says of itself that it is one of the Simple API.
        about: the package that its title names, or empty.
        is_whole: whether it has an end.
        version: of the Simple API.
        tracks: as in `Page`.
        alternates: as in `Page`.
    """

    links: list[Link]
    base: str = ""
    is_simple: bool = False
    about: str = ""
    is_whole: bool = False
    version: str = "1.0"
    tracks: list[str] = field(default_factory=list)
    alternates: list[str] = field(default_factory=list)

    def base_for(self, url: str) -> str:
        """What relative links refer to."""
        return (join(url, self.base) or url) if self.base else url


def parse_html(body: bytes, *, ends: bool = True) -> HtmlPage:
    """Read a page of links, of a Simple API or for find-links.

    Args:
        body: as received.
        ends: whether all was received; if that is not known, the page must have an end tag.

    Raises:
        PageError: if it is too broken, or cut off.
    """
    page = HtmlPage([])
    parser = _Parser(page)
    try:
        parser.feed(body.decode("utf-8", "replace"))
        if parser.is_inside or not (ends or page.is_whole):
            raise PageError("the page is cut off")
        parser.close()
    except AssertionError as error:  # what html.parser says of a broken declaration: "<![["
        raise PageError("the index answered with unusable HTML") from error
    return page


class _Parser(HTMLParser):
    def __init__(self, page: HtmlPage) -> None:
        super().__init__()
        self._page = page
        self._in_title = False

    @property
    def is_inside(self) -> bool:
        """Whether the text so far ends within a tag."""
        return "<" in self.rawdata

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            values = {key: value or "" for key, value in reversed(attrs)}
            if "href" in values:
                self._page.links.append(link_to(values.pop("href"), values))
        elif tag == "base" and not self._page.base:
            self._page.base = dict(attrs).get("href") or ""
        elif tag == "meta":
            values = {key: value or "" for key, value in attrs}
            self._note(values.get("name", ""), values.get("content", ""))
        self._in_title = tag in {"title", "h1"}

    def _note(self, name: str, content: str) -> None:
        match name:
            case "pypi:repository-version":
                self._page.is_simple = True
                self._page.version = content.strip() or self._page.version
            case "pypi:tracks":
                self._page.tracks.append(content)
            case "pypi:alternate-locations":
                self._page.alternates.append(content)

    def handle_endtag(self, tag: str) -> None:
        self._page.is_whole = self._page.is_whole or tag == "html"

    def handle_data(self, data: str) -> None:
        if self._in_title and (title := _TITLE.fullmatch(data.strip())):
            self._page.is_simple = True
            self._page.about = title["name"] or ""


def link_to(href: str, attributes: dict[str, str] | None = None) -> Link:
    """A link of an HTML page, or to a local file, in the shape of the JSON form."""
    values = attributes or {}
    address, _, fragment = href.strip().partition("#")
    digest = _HASH.search(fragment)
    metadata = values.get("data-core-metadata", values.get("data-dist-info-metadata"))
    known = _HASH.fullmatch(metadata or "")
    return Link(
        filename=unquote(address.partition("?")[0].rpartition("/")[2]),
        url=address,
        hashes={digest[1]: digest[2]} if digest else None,
        requires_python=values.get("data-requires-python"),
        yanked=values.get("data-yanked") or "data-yanked" in values,
        core_metadata={known[1]: known[2]} if known else metadata is not None and metadata != "false",
    )
