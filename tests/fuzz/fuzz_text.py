"""Fuzz targets of settings, addresses and text: what is configured, joined, covered and shown."""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import bidirectional, category

from fuzz_target import SECRET, Target, parts, place, text

from conflictcheck.errors import UsageError
from conflictcheck.escaping import visible
from conflictcheck.index.addresses import (
    file_path,
    is_address,
    is_package_name,
    join,
    origin_of,
    page_address,
    root_of,
    shown,
    shown_address,
    split_credentials,
    without_secrets,
)
from conflictcheck.index.credentials import Credentials
from conflictcheck.index.find_links import check_place
from conflictcheck.index.http_client import redirected
from conflictcheck.index.transport import FetchError
from conflictcheck.pip_configuration import read_pip_configuration
from conflictcheck.settings_sources import CommandLine, read_timestamp, resolve_settings
from conflictcheck.targets import make_target
from conflictcheck.text import collapse, printable, quote, redact, without_credentials

if TYPE_CHECKING:
    from conflictcheck.settings import Settings
    from conflictcheck.targets import Target as PythonTarget

CONFIGURATION_WORDS = (
    *(b"[global]\n", b"[install]\n", b"index-url = ", b"extra-index-url = ", b"find-links = ", b"no-index = ", b"true"),
    *(b"https://user:pw@index.example/simple", b"name=https://", b"timeout = 5", b"only-binary = :all:", b"cert = "),
    *(
        b":none:",
        b"~nobody-of-that-name/",
        b"pre = yes",
        b"trusted-host = ",
        b"http://[::1",
        b"file:///",
        b"\n  ",
        b"%(x)s",
    ),
)
ADDRESS_WORDS = (
    *(b"https://", b"http://", b"file:", b"//", b"@", b":", b"#", b"?", b"[::1]", b"%2f", b"%40", b"../", b":99999"),
    *(b"xn--", b"git+ssh://", b"\\", b";", b"user:pw@", b"localhost", b"index.example", b"\xe2\x84\x80", b"\t"),
)
VARIABLES = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_PRE", "PIP_ONLY_BINARY"),
    *(
        "PIP_NO_BINARY",
        "PIP_TIMEOUT",
        "PIP_KEYRING_PROVIDER",
        "PIP_CERT",
        "CONFLICTCHECK_CACHE_DIR",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
    ),
    *("UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_OFFLINE", "UV_EXCLUDE_NEWER", "UV_KEYRING_PROVIDER"),
    *("PIP_CERT", "SSL_CERT_FILE", "CONFLICTCHECK_CACHE_DIR"),
)


@lru_cache(maxsize=1000)
def target(version: str) -> PythonTarget:
    return make_target(version, "linux")


def pip_conf(data: bytes) -> None:
    file = place() / "pip.conf"
    file.write_bytes(data)
    environ = {"PIP_CONFIG_FILE": str(file), "HOME": str(place())}
    read_pip_configuration(environ)
    hold_settings(resolve_settings(CommandLine(), cwd=place(), environ=environ))


def environment(data: bytes) -> None:
    """A line for each variable that counts."""
    given = {name: value for name, value in zip(VARIABLES, parts(data, len(VARIABLES)), strict=True) if value}
    environ = {"PIP_CONFIG_FILE": "/dev/null", "HOME": str(place()), **given}
    hold_settings(resolve_settings(CommandLine(), cwd=place(), environ=environ))


def options(data: bytes) -> None:
    """A line for each option."""
    first, *rest = parts(data, 8)
    given = CommandLine(
        index_url=first or None,
        extra_index_url=tuple(rest[:2]),
        find_links=tuple(rest[2:3]),
        exclude_newer=rest[3] or None,
        only_binary=tuple(rest[4:5]),
        no_binary=tuple(rest[5:6]),
        python_version=tuple(rest[6].split("\n")) if rest[6] else (),
    )
    hold_settings(resolve_settings(given, cwd=place(), environ={"PIP_CONFIG_FILE": "/dev/null"}))


def hold_settings(settings: Settings) -> None:
    """What was accepted can be asked, and be shown without its credentials."""
    Credentials(settings.index.index_urls)
    for url in settings.index.index_urls:
        plain, _ = split_credentials(url)
        assert is_address(plain)
        assert shown_address(url).isprintable()
        origin_of(page_address(plain, "demo"))
    for found in settings.index.find_links:
        check_place(found)
    for version in settings.python_versions:
        target(version)


def timestamps(data: bytes) -> None:
    instant = read_timestamp(text(data), source="--exclude-newer")
    assert instant.tzinfo is UTC
    instant.isoformat()


def joined(data: bytes) -> None:
    """What a page means by a link is an address that can be asked for and shown, or none."""
    base, reference = parts(data, 2)
    base = base if is_address(base) and base.isprintable() else "https://index.example/simple/demo/"
    url = join(base, reference)
    if url is None:
        return
    assert is_address(url)
    assert url.isprintable()
    assert "#" not in url
    origin_of(url)
    for one in (root_of(url), shown_address(url), shown_address(reference)):
        assert one.isprintable()
    if url.startswith("file:"):
        try:
            file_path(url)
        except OSError:
            return


def redirects(data: bytes) -> None:
    url = redirected("https://index.example/simple/demo/", text(data))
    plain, _ = split_credentials(url)
    assert is_address(plain)
    assert plain.startswith("https://")
    origin_of(plain)


_ENDS_AN_AUTHORITY = frozenset("/?#\\")


def credentials(data: bytes) -> None:
    """The password of a URL is in no form of it that is shown or stored."""
    scheme, user, before, after, rest = parts(data, 5)
    if _ENDS_AN_AUTHORITY & {*user, *before, *after} or not rest.isprintable():
        return
    scheme = scheme if scheme in {"http", "git+https", "git+ssh", "ftp"} else "https"
    url = f"{scheme}://{user}:{before}{SECRET}{after}@{rest}"
    for form in (
        split_credentials(url)[0],
        without_secrets(url),
        shown_address(url),
        without_credentials(url),
        redact(url),
        quote(f"demo @ {url} ; python_version > '3'"),
        redact(collapse(url)),
    ):
        assert SECRET not in form, form


_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Categories and directions of what hides, breaks a line or turns the reading direction around."""


def shown_text(data: bytes) -> None:
    """Text from outside does nothing to a terminal."""
    given = data.decode("utf-8", "surrogateescape")
    for form in (visible(given), printable(given), collapse(given), quote(given), shown(given)):
        assert not _HIDDEN & {*map(category, set(form)), *map(bidirectional, set(form))}, repr(form)
        form.encode()
    assert visible(visible(given)) == visible(given)
    assert len(shown(given)) <= 200
    name = text(data)
    assert not is_package_name(name) or (name.isascii() and "/" not in name and "." not in name)


TARGETS = (
    Target("pip-conf", pip_conf, (UsageError,), CONFIGURATION_WORDS),
    Target("environment", environment, (UsageError,), CONFIGURATION_WORDS),
    Target("options", options, (UsageError,), CONFIGURATION_WORDS + ADDRESS_WORDS),
    Target(
        "timestamp", timestamps, (UsageError,), (b"T", b"Z", b"+14:00", b"-00:00", b"9999-12-31", b"0001-01-01", b".5")
    ),
    Target("joined-address", joined, (), ADDRESS_WORDS),
    Target("redirect", redirects, (FetchError,), ADDRESS_WORDS),
    Target("credentials", credentials, (), ADDRESS_WORDS),
    Target(
        "shown-text", shown_text, (), tuple(chr(number).encode() for number in (0x1B, 0x85, 0x200B, 0x202E, 0x2028))
    ),
)
