"""Addresses: without credentials, joined, and compared by origin."""

from __future__ import annotations

import errno
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from conflictcheck.url_paths import path_in_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import SplitResult

SCHEMES = frozenset({"http", "https", "file"})
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_SHOWN = 200

_WEB = ("https://", "http://")
_AFTER_SCHEME = len("https://")
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~%+!/-"
_PLAIN_START = re.compile(r"https?://[^/#]+/[^#]*")
"""A web address whose host is told apart from its path, and that has no fragment."""
_PLAIN_PATH = re.compile(r"((?:\.\./)*|/)([\w~%+!-][\w.~%+!/-]*)", re.ASCII)
"""A path, from the root or from the page upwards, of which nothing but that beginning has to be looked at."""

Origin = tuple[str, str, int | None]
Login = tuple[str, str]


def split_credentials(url: str) -> tuple[str, Login | None]:
    """Take user name and password out of a URL, so that it may be shown and stored."""
    if "@" not in url:
        return url, None
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all, but it may be shown
        return without_secrets(url), None
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        # Where a password has a slash or the like in it, what stands before that is no host and port.
        return (without_secrets(url) if _is_broken(parts) else url), None
    user, _, password = userinfo.partition(":")
    login = (unquote(user), unquote(password)) if userinfo else None
    return urlunsplit(parts._replace(netloc=host)), login


def _is_broken(parts: SplitResult) -> bool:
    try:
        _ = parts.port
    except ValueError:
        return True
    return False


def without_secrets(url: str) -> str:
    """What is no address, fit to be shown: without all that stands before an ``@`` and so may be a password."""
    scheme = re.match(r"[a-z]+:(//)?", url, re.IGNORECASE)
    return f"{scheme[0] if scheme else ''}{url.rpartition('@')[2]}" if "@" in url else url


def plain_place(place: str) -> str:
    """An address or path that a user gave, fit to be shown whatever it is."""
    if "://" in place:
        return split_credentials(place)[0].partition("?")[0]
    return re.sub(r"^[^\s/\\@:]+:[^\s/\\@]+@", "****@", place)


def origin_of(url: str) -> Origin:
    """Scheme, host and port: what credentials may be sent to (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)


def root_of(url: str) -> str:
    """Scheme, host and port of an address as a message may name them."""
    parts = urlsplit(split_credentials(url)[0])
    return shown(f"{parts.scheme}://{parts.netloc}")


def is_address(url: str) -> bool:
    """Whether it is a URL of a kind that can be read, with a host where one is needed."""
    try:
        parts = urlsplit(url)
        _ = parts.port, urlsplit(f"//{parts.netloc.rpartition('@')[2]}")  # brackets may stand around the @
        (parts.hostname or "").encode("idna")  # labels that are empty or too long
    except ValueError:
        return False
    return parts.scheme in SCHEMES and (parts.scheme == "file" or bool(parts.hostname))


def join(base: str, reference: str) -> str | None:
    """The address that a page at `base` means by `reference`, without fragment; None for one that cannot be read."""
    if reference.startswith(_WEB):
        return _readable(reference)
    plain = _PLAIN_PATH.fullmatch(reference)
    if plain is not None:
        upwards, path = plain.groups()
        if "/." not in path and "//" not in path:
            place = _place_of(base, upwards)
            return None if place is None else place + path
    try:
        return _readable(urljoin(base, reference.strip()))
    except ValueError:
        return None


def join_all(base: str, references: Sequence[str], *, may_be_local: bool) -> tuple[str, list[str | None]]:
    """The addresses that a page means by many references, without fragments and credentials.

    Those of a page mostly differ in their last parts alone. If these are plain, one join shows what all come to.

    Args:
        base: the address of the page.
        references: to files.
        may_be_local: whether they may lead to ``file:`` URLs.

    Returns:
        What all addresses begin with, and how each goes on; None for one that cannot be read.
    """
    ends = [min(references, default=""), max(references, default="")]
    common = os.path.commonprefix(ends)  # noqa: RUF071 - characters are what is compared
    start = common[: common.rfind("/") + 1]
    tails = [reference[len(start) :] for reference in references]
    one = f"{start}x"  # stands for all of them
    if _are_plain(tails) and (_PLAIN_START.fullmatch(one) or _PLAIN_PATH.fullmatch(one)):
        place = join(base, one)
        if place is not None and "@" not in place and (may_be_local or not place.startswith("file:")):
            return place[:-1], [*tails]
    return "", [_joined(base, reference, may_be_local=may_be_local) for reference in references]


def _are_plain(tails: Sequence[str]) -> bool:
    """Whether these add nothing to what an address stands for but more of its path."""
    together = "/".join(("", *tails))
    return "//" not in together and "/." not in together and consists_of(together, _PLAIN)


def consists_of(text: str, characters: bytes) -> bool:
    """Whether a text has none but these ASCII characters; faster than an expression where it is a long one."""
    return text.isascii() and not text.encode().translate(None, characters)


def _joined(base: str, reference: str, *, may_be_local: bool) -> str | None:
    address = join(base, reference)
    if address is None or (address.startswith("file:") and not may_be_local):
        return None
    return split_credentials(address)[0]


def _readable(url: str) -> str | None:
    if "#" in url:
        url = url[: url.index("#")]
    end = url.find("/", _AFTER_SCHEME)
    return url if _is_root(url if end == -1 else url[:end]) and url.isprintable() else None


@lru_cache(maxsize=1024)
def _place_of(base: str, upwards: str) -> str | None:
    """Where a path begins that is relative to a page: a place that ends in a slash; None where it cannot be read."""
    try:
        return _readable(urljoin(base, upwards or "./"))
    except ValueError:
        return None


_is_root = lru_cache(maxsize=1024)(is_address)
"""Pages list thousands of files, on one host or two."""


@lru_cache(maxsize=4096)
def shown(text: str, limit: int = MAX_SHOWN) -> str:
    """Text from elsewhere, made fit for a message: printable and bounded."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: limit + 1])
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}…"


def shown_address(url: str) -> str:
    """An address as a message may name it: no credentials, no query; also what is none.

    The default index is "the package index", and a page of it "the package index, page numpy".
    """
    plain, _ = split_credentials(url)
    default = default_index_url().rstrip("/")
    if plain.rstrip("/") == default:
        return "the package index"
    if plain.startswith(f"{default}/"):
        return shown(f"the package index, page {plain.removeprefix(default).strip('/')}")
    try:
        parts = urlsplit(plain)
    except ValueError:
        return shown(plain)
    return shown(urlunsplit(parts._replace(query="", fragment="")))


def file_path(url: str) -> Path:
    """The path behind a ``file:`` URL; one with a foreign host is a network share, as in pip.

    Raises:
        OSError: if it can be no path.
    """
    parts = urlsplit(url)
    host = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    path = path_in_url(host + parts.path)
    try:
        if b"\0" not in os.fsencode(path):
            return Path(path)
    except UnicodeEncodeError:
        pass
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def file_url(path: Path) -> str:
    """The ``file:`` URL of a path."""
    return path.absolute().as_uri()


@lru_cache(maxsize=1)
def default_index_url() -> str:
    """The address of the default package index, as pip has it."""
    from pip._internal.models.index import PyPI  # noqa: PLC0415 - costly; pip has no public constant for it

    return str(PyPI.simple_url)


def page_address(index: str, name: str) -> str:
    """Where an index lists the files of a package (PEP 503)."""
    return f"{index.rstrip('/')}/{quote(name)}/"


def is_package_name(name: str) -> bool:
    """Whether it is a normalized name as PEP 503 has them; others never reach a path or an address."""
    return re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) is not None
