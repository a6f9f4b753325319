"""The wire shapes of the Simple API: JSON (PEP 691, 700, 708, 714) and HTML (PEP 503, 592, 658), turned into facts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import canonicalize_name

from conflictcheck.facts import File
from conflictcheck.index.addresses import join, shown, split_credentials
from conflictcheck.index.filenames import ARCHIVE_SUFFIXES, in_order, is_archive, parse_filename
from conflictcheck.index.links import Link, PageError

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
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
"""The hashes that are kept, each with the length of its values; weaker ones prove nothing."""


KNOWN_MINOR = 4
"""Of version 1 of the Simple API; a newer one is read all the same, with a warning (PEP 629)."""
_MAX_PLACES = 100


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
        ends: whether all was received; if that is not known, a page in HTML must have an end tag.

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
        from conflictcheck.index.html_page import parse_html  # noqa: PLC0415 - most indexes answer with JSON

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
