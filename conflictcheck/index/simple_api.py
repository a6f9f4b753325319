"""The wire shapes of the Simple API: JSON (PEP 691, 700, 708, 714) and HTML (PEP 503, 592, 658), turned into facts."""

from __future__ import annotations

import re
from collections.abc import Sequence  # noqa: TC003 - msgspec reads the annotations
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from packaging.utils import canonicalize_name

from conflictcheck.facts import File, FileColumns, Files
from conflictcheck.index.addresses import consists_of, join_all, shown
from conflictcheck.index.filenames import is_archive, parse_filenames, version_ranks
from conflictcheck.index.links import Link, PageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conflictcheck.index.filenames import Parsed

_In = TypeVar("_In")
_Out = TypeVar("_Out")

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1, application/json;q=0.05"
)
HTML_TYPES = frozenset({"application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml"})
MAX_PAGE = 256 << 20
"""Bytes of a page; the largest ones of today have some 50 million."""
MAX_INVALID = 100
MAX_REASON = 500
_DAY = (
    "[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)|"
    "20(?:[02468][048]|[13579][26])-02-29"
)
_INSTANTS = re.compile(f"(?:(?:{_DAY})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{{6}})?Z\n)*+")
"""Lines with a time in one of the two usual forms."""
_WHOLE_SECONDS = len("2024-01-01T00:00:00Z")
_USUAL = {_WHOLE_SECONDS, _WHOLE_SECONDS + len(".000000")}
_HEX = b"0123456789abcdef"
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

    files: Sequence[File]
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
    archives = [link for link in links if is_archive(link.filename)]
    place, tails = join_all(url, [link.url for link in archives], may_be_local=local)
    filenames = [link.filename for link in archives]
    listed: dict[str, tuple[Link, str, Parsed]] = {}
    invalid: dict[str, None] = {}
    for filename, link, tail, parsed in zip(filenames, archives, tails, parse_filenames(filenames, name), strict=True):
        if parsed is None or tail is None:
            invalid[filename] = None
        elif filename not in listed:
            listed[filename] = link, tail, parsed
        elif not _are_alike(listed[filename][0], link):
            raise PageError(f"the index lists {shown(filename)} twice, and not alike")
    rows = [listed[filename] for filename in sorted(listed)]
    ranks = version_ranks(parsed.version for _, _, parsed in rows)
    rows.sort(key=lambda row: ranks[row[2].version])
    columns = FileColumns(
        filename=[link.filename for link, _, _ in rows],
        url=[tail for _, tail, _ in rows],
        version=[parsed.version for _, _, parsed in rows],
        tags=_each(str, [parsed.tags for _, _, parsed in rows]),  # of equal ones one text, looked up faster ever after
        build=[parsed.build for _, _, parsed in rows],
        requires_python=_each(_specifier, [link.requires_python for link, _, _ in rows]),
        yanked=_each(_yanked, [link.yanked for link, _, _ in rows]),
        upload_time=_instants([link.upload_time for link, _, _ in rows]),
        hashes=_all_hashes([link.hashes for link, _, _ in rows]),
        size=[link.size for link, _, _ in rows],
        metadata=[_metadata_hash(link) for link, _, _ in rows],
        index=[index] * len(rows),
    )
    return Page(Files(columns, place), tuple(sorted({*map(shown, islice(invalid, MAX_INVALID))})))


def _are_alike(one: Link, other: Link) -> bool:
    """Whether it makes no difference which of two files of the same name is taken."""
    hashes = [_hashes(link.hashes) for link in (one, other)]
    ours, theirs = ((_specifier(link.requires_python), _yanked(link.yanked) is None) for link in (one, other))
    return (hashes[0] == hashes[1] or not all(hashes)) and ours == theirs


def _each(function: Callable[[_In], _Out], values: Sequence[_In]) -> list[_Out]:
    """The function of each value, worked out once for all that are equal: pages repeat few of them very often."""
    known = {value: function(value) for value in set(values)}
    return [known[value] for value in values]


def _specifier(value: str | None) -> str | None:
    return shown(value.strip()) if value and value.strip() else None


def _yanked(value: bool | str | None) -> str | None:
    """The reason; an empty text says that it is not (PEP 691: "truthy")."""
    return (shown(value, MAX_REASON) if isinstance(value, str) else "") if value else None


def _instants(values: Sequence[str | None]) -> Sequence[str | None]:
    """Upload times in one form (RFC 3339 in UTC, as PEP 700 has it), so that texts compare as times do."""
    stated = [value for value in values if value is not None]
    if {*map(len, stated)} <= _USUAL and _INSTANTS.fullmatch("\n".join((*stated, ""))):
        return [f"{value[:-1]}.000000Z" if value and len(value) == _WHOLE_SECONDS else value for value in values]
    return [None if value is None else _instant(value) for value in values]


def _instant(value: str) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _all_hashes(stated: Sequence[dict[str, Any] | None]) -> list[tuple[str, ...]]:
    """The hashes of each file; nearly always all have a SHA-256 and no other, which shows at a glance."""
    digests: list[Any] = [values.get("sha256") for values in stated if values is not None and len(values) == 1]
    are_texts = len(digests) == len(stated) and {*map(type, digests)} <= {str}
    if are_texts and {*map(len, digests)} <= {_DIGITS["sha256"]} and consists_of("".join(digests), _HEX):
        return [(f"sha256:{digest}",) for digest in digests]
    return [_hashes(values) for values in stated]


def _hashes(values: dict[str, Any] | None) -> tuple[str, ...]:
    if not values:
        return ()
    return tuple(f"{name}:{values[name].lower()}" for name in _DIGITS if _is_hash(name, values.get(name)))


def _is_hash(name: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) == _DIGITS[name] and consists_of(value.lower(), _HEX)


def _metadata_hash(link: Link) -> str | None:
    value = link.core_metadata
    if value is None:
        value = link.data_dist_info_metadata if link.dist_info_metadata is None else link.dist_info_metadata
    if not value:
        return None
    return next(iter(_hashes(value)), "") if isinstance(value, dict) else ""
