"""Addresses that hold secrets: how they may be shown, and what is really asked for.

Everything above the transport knows an address only as it may be shown: no user and password, the values of
``${VARIABLES}`` by their names, and a query (``?token=…``) covered. So no report, message, cache, snapshot or export
can give away what it was never told. The transport alone turns it back, for a request to the server that it belongs to.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

COVER = "****"
_SHORTEST = 4
"""Characters of a value that can be a secret; shorter ones would be found in words that have nothing to do with it."""
_LONGEST_PORT = 5
_COMMON = frozenset({"", "simple", "links", "files"})
"""Parts of paths that everybody's addresses have."""


class Disguise:
    """The addresses of a run that may not be shown as they are.

    Args:
        variables: the values of the variables that were expanded in addresses.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        pairs = [pair for name, value in (variables or {}).items() for pair in _secrets(name, value)]
        # The longest first: one may hold another.
        self._values = sorted(
            (pair for pair in pairs if _can_be_secret(pair[0])), key=lambda pair: (-len(pair[0]), pair)
        )
        self._real: dict[str, str] = {}
        self._servers: set[tuple[str, str]] = set()

    @property
    def has_values(self) -> bool:
        """Whether there is anything to veil."""
        return bool(self._values)

    def cover(self, url: str) -> str:
        """An address of the run as it may be shown; two that differ are shown differently."""
        address, hash_sign, fragment = url.partition("#")
        plain, question, _ = address.partition("?")
        shown = self.veil(plain) + (f"?{COVER}" if question else "")
        if shown != address:
            while self._real.setdefault(shown, address) != address:
                shown += "*"
            self._servers.add(_server(address))
        return shown + hash_sign + self.veil(fragment)

    def veil(self, text: str) -> str:
        """A text without the values of variables."""
        for value, name in self._values:
            text = text.replace(value, name)
        return text

    def reveal(self, shown: str) -> str:
        """What a covered address stands for, or one that was made from one; any other is returned as it is."""
        address, hash_sign, fragment = shown.partition("#")
        if address in self._real:
            return self._real[address] + hash_sign + fragment
        if "${" not in shown:
            return shown
        real = shown
        for value, name in self._values:
            real = real.replace(name, value)
        # A page may list any address, and so try to have a secret sent elsewhere.
        return real if _server(real) in self._servers else shown

    def shown_after(self, asked: str, real: str) -> str:
        """Where an answer came from, as it may be shown: what was `asked` for, or where that was redirected to."""
        if real == self.reveal(asked):
            return asked
        plain, question, _ = self.veil(real).partition("?")
        return f"{plain}?{COVER}" if question else plain

    def key(self, shown: str) -> str:
        """The address for the cache: with other values of the variables it is another one."""
        real = self.reveal(shown)
        return (
            shown if real == shown else f"{shown} {blake2b(real.encode(errors='replace'), digest_size=8).hexdigest()}"
        )


def _secrets(name: str, value: str) -> list[tuple[str, str]]:
    """What of a variable's value may be a secret, each with what to show in its place.

    Of a value that is an address it is each part of the path; user, password and query are never shown anyway, and the
    host is needed to read it as an address.
    """
    if "://" not in value:
        return [(value, f"${{{name}}}")]
    path = value.partition("://")[2].partition("?")[0].partition("#")[0].rpartition("@")[2].partition("/")[2]
    parts = [part for part in path.split("/") if part not in _COMMON]
    return [(part, f"${{{name}}}" if len(parts) == 1 else f"${{{name}/{n}}}") for n, part in enumerate(parts, start=1)]


def _can_be_secret(part: str) -> bool:
    return len(part) >= _SHORTEST and not (part.isdigit() and len(part) <= _LONGEST_PORT)


def _server(url: str) -> tuple[str, str]:
    """Scheme and host of an address, as far as it is one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()
