"""Which user name and password go with which address; they never leave this module but in a request."""

from __future__ import annotations

import netrc
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conflictcheck.index.addresses import origin_of, split_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.index.addresses import Login, Origin


class Credentials:
    """Credentials of the indexes of a run: from their URLs, else netrc, else the keyring once a server asks for some.

    They are sent to the origin of the index that they are for and nowhere else: an index may list files on any host.

    Args:
        urls: indexes and find-links pages, as the user wrote them.
        use_keyring: whether the keyring may be asked.
    """

    def __init__(self, urls: Iterable[str], *, use_keyring: bool = False) -> None:
        self._use_keyring = use_keyring
        self._lock = threading.Lock()
        self._logins: list[tuple[str, Login]] = []
        self._origins: dict[Origin, str] = {}
        self._asked: dict[Origin, bool] = {}
        self._users: dict[Origin, str] = {}
        entries = _read_netrc()
        for written in urls:
            url, login = split_credentials(written)
            if not url.startswith(("http://", "https://")):
                continue
            origin = origin_of(url)
            self._origins.setdefault(origin, url)
            if login is not None and not login[1] and use_keyring:
                self._users[origin] = login[0]
            elif login is not None:
                self._logins.append((url, login))
            elif entries is not None and (found := entries.authenticators(urlsplit(url).hostname or "")):
                self._logins.append((url, (found[0], found[2] or "")))
        self._logins.sort(key=lambda entry: -len(entry[0]))

    def for_url(self, url: str) -> Login | None:
        """What to send along to an address: of the index that it is below, else of one with the same origin."""
        same = [entry for entry in self._logins if origin_of(entry[0]) == origin_of(url)]
        for place, login in same:
            if url.startswith(place.rstrip("/") + "/"):
                return login
        return same[0][1] if same else None

    def ask(self, url: str) -> bool:
        """Look for credentials in the keyring, after a server asked for some; whether there are new ones to try."""
        origin = origin_of(url)
        if not self._use_keyring or origin not in self._origins:
            return False
        with self._lock:
            if origin not in self._asked:
                login = _from_keyring(self._origins[origin], self._users.get(origin))
                self._asked[origin] = login is not None
                if login is not None:
                    self._logins.insert(0, (self._origins[origin], login))
            return self._asked[origin]


def _read_netrc() -> netrc.netrc | None:
    """The file that NETRC names, else the one in the home folder; one that cannot be read counts as none, as in pip."""
    named = os.environ.get("NETRC")
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    for path in [Path(named)] if named else [home / ".netrc", home / "_netrc"]:
        try:
            return netrc.netrc(path)
        except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
            continue
    return None


def _from_keyring(url: str, user: str | None) -> Login | None:
    try:
        import keyring  # noqa: PLC0415 - an optional dependency
    except ImportError:
        return None
    for service in (url, urlsplit(url).netloc):
        try:
            found = keyring.get_credential(service, user)
        except Exception:  # noqa: BLE001 - a keyring's backends raise what they like
            return None
        if found is not None:
            return found.username, found.password
    return None
