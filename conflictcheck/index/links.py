"""Links to files in the shape that JSON pages give them (PEP 691); those of HTML and of folders are brought into it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

_HASH = re.compile(r"(sha256|sha384|sha512)[=:]([0-9a-fA-F]+)")


class PageError(Exception):
    """A page that does not follow the Simple API; the text is the reason, one clause."""


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
