"""The wire shapes of the Simple API: JSON (PEP 691, 700, 714) and HTML (PEP 503, 592, 658), turned into facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from conflictcheck.facts import File
from conflictcheck.index.addresses import join, shown, split_credentials
from conflictcheck.index.filenames import in_order, is_archive, parse_filename

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1, application/json;q=0.05"
)
MAX_PAGE = 256 << 20
"""Bytes of a page; the largest ones of today have some 50 million."""
MAX_INVALID = 100
MAX_REASON = 500
_HASH = re.compile(r"sha256[=:]([0-9a-fA-F]{64})")


class PageError(Exception):
    """A page that does not follow the Simple API; the text is the reason, one clause."""


class Page(msgspec.Struct, frozen=True, array_like=True):
    """What one place lists for one package: files in order, and filenames that name no version of it."""

    files: tuple[File, ...]
    invalid: tuple[str, ...] = ()


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


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str


class _Detail(msgspec.Struct):
    meta: _Meta
    files: list[Link]


_decoder = msgspec.json.Decoder(_Detail)


def parse_page(body: bytes, content_type: str, *, url: str, name: str, index: str) -> Page:
    """Read the page of one package.

    Args:
        body: as received.
        content_type: the header; it decides between JSON and HTML, whatever was asked for.
        url: where the page came from, which relative links refer to.
        name: the package, normalized.
        index: what to record as `File.index`.

    Raises:
        PageError: if it is not such a page.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in {"application/vnd.pypi.simple.v1+json", "application/json"}:
        links = _json_links(body)
    elif kind in {"application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml"}:
        page = parse_html(body)
        if not page.is_simple and not any(is_archive(link.filename) for link in page.links):
            raise PageError("the index answered with a page that lists no files")
        links, url = page.links, page.base_for(url)
    else:
        raise PageError(f"the index answered with {shown(kind, 60) or 'content of no type'}, not with a list of files")
    return to_page(links, url=url, name=name, index=index)


def _json_links(body: bytes) -> list[Link]:
    try:
        detail = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PageError(f"the index answered with unusable JSON: {shown(str(error))}") from error
    if detail.meta.api_version.partition(".")[0] != "1":
        raise PageError(f"the index speaks version {shown(detail.meta.api_version, 20)} of the Simple API, not 1")
    return detail.files


def to_page(links: Iterable[Link], *, url: str, name: str, index: str, may_be_local: bool | None = None) -> Page:
    """Turn links into facts about one package.

    Args:
        links: of the page, in any order.
        url: what relative links refer to.
        name: the package, normalized.
        index: what to record as `File.index`.
        may_be_local: whether links may be ``file:`` URLs; by default if the page is one.
    """
    local = url.startswith("file:") if may_be_local is None else may_be_local
    files: dict[str, File] = {}
    invalid: set[str] = set()
    for link in links:
        if not is_archive(link.filename):
            continue
        parsed = parse_filename(link.filename, name)
        address = join(url, link.url) if parsed else None
        if parsed is None or address is None or (address.startswith("file:") and not local):
            if len(invalid) < MAX_INVALID:
                invalid.add(shown(link.filename))
            continue
        if "@" in address:
            address, _ = split_credentials(address)
        metadata = link.core_metadata
        if metadata is None:
            metadata = link.data_dist_info_metadata if link.dist_info_metadata is None else link.dist_info_metadata
        files[link.filename] = File(
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
    return Page(in_order(files.values()), tuple(sorted(invalid)))


def _specifier(value: str | None) -> str | None:
    return shown(value.strip()) if value and value.strip() else None


def _yanked(value: bool | str | None) -> str | None:
    if isinstance(value, str):
        return shown(value, MAX_REASON)
    return "" if value else None


def _instant(value: str | None) -> str | None:
    """An upload time in one form (RFC 3339 in UTC, as PEP 700 has it), so that texts compare as times do."""
    if value is None or (value.endswith("Z") and value.isascii() and len(value) == len("2024-01-01T00:00:00.000000Z")):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _hashes(values: dict[str, Any] | None) -> tuple[str, ...]:
    value = values.get("sha256") if values else None
    if not isinstance(value, str) or len(value) != 64 or not value.isalnum():  # noqa: PLR2004 - hex digits of SHA-256
        return ()
    return (f"sha256:{value.lower()}",)


def _metadata_hash(value: bool | dict[str, Any] | None) -> str | None:
    if isinstance(value, dict):
        return "".join(_hashes(value))
    return "" if value else None


@dataclass(slots=True)
class HtmlPage:
    """What was found in an HTML page.

    Attributes:
        links: of all anchors.
        base: the ``href`` of its ``<base>``, or empty.
        is_simple: whether the page says of itself that it is one of the Simple API.
    """

    links: list[Link]
    base: str = ""
    is_simple: bool = False

    def base_for(self, url: str) -> str:
        """What relative links refer to."""
        return (join(url, self.base) or url) if self.base else url


def parse_html(body: bytes) -> HtmlPage:
    """Read a page of links, of a Simple API or for find-links."""
    page = HtmlPage([])
    parser = _Parser(page)
    parser.feed(body.decode("utf-8", "replace"))
    parser.close()
    return page


class _Parser(HTMLParser):
    def __init__(self, page: HtmlPage) -> None:
        super().__init__()
        self._page = page
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            values = {key: value or "" for key, value in reversed(attrs)}
            if "href" in values:
                self._page.links.append(link_to(values.pop("href"), values))
        elif tag == "base" and not self._page.base:
            self._page.base = dict(attrs).get("href") or ""
        elif tag == "meta" and dict(attrs).get("name") == "pypi:repository-version":
            self._page.is_simple = True
        self._in_title = tag in {"title", "h1"}

    def handle_data(self, data: str) -> None:
        if self._in_title and data.strip().lower().startswith("links for"):
            self._page.is_simple = True


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
        hashes={"sha256": digest[1]} if digest else None,
        requires_python=values.get("data-requires-python"),
        yanked=values.get("data-yanked"),
        core_metadata={"sha256": known[1]} if known else metadata is not None and metadata != "false",
    )
