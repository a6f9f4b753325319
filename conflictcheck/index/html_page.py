"""A page of links in HTML: of a Simple API (PEP 503, 592, 629, 658, 708), or for find-links."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from msgspec import Struct, field

from conflictcheck.index.addresses import join
from conflictcheck.index.links import Link, PageError, link_to

_TITLE = re.compile(r"links for\b(\s+(?P<name>[a-z0-9._-]+)$)?.*", re.ASCII | re.IGNORECASE | re.DOTALL)


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
