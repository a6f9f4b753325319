"""Getting bytes by HTTP, as the rest sees it: answers, failures, and a client that is made once it is needed."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import IO, TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflictcheck.disguise import Disguise
    from conflictcheck.index.http_client import HttpClient
    from conflictcheck.progress import Progress
    from conflictcheck.settings import IndexSettings


class FetchError(Exception):
    """An answer could not be had; the text is the reason, one clause without credentials."""


class Answer(Struct, frozen=True):
    """What a server said.

    Attributes:
        status: an HTTP status, no redirect; one that was worth another try has been tried again.
        headers: by names, in any case.
        url: where it came from after redirects, without credentials.
        file: the body, to be read from its beginning.
        ends: whether the server said where the body ends; if not, what was received may be a part of it.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    file: IO[bytes]
    ends: bool

    @property
    def size(self) -> int:
        """Bytes of the body, which is at its end when it was just received."""
        return self.file.tell()

    def body(self) -> bytes:
        """The whole body."""
        self.file.seek(0)
        return self.file.read()


def explained(status: int, who: str) -> str:
    """Why an answer with this status is of no use, as one clause."""
    if status == HTTPStatus.UNAUTHORIZED:
        return f"{who} asks for other credentials (401)"
    if status == HTTPStatus.FORBIDDEN:
        return f"{who} refused access (403)"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return f"{who} asks to be asked less often (429)"
    return f"{who} answered {status}"


class Transport:
    """GET requests with credentials, retries and bounds. May be used by many threads.

    A run that finds all in its cache never gets as far as loading an HTTP client, which takes as long as the cache.

    Args:
        settings: addresses with the credentials in them, how long to wait, and whom to trust.
        disguise: how addresses may be shown.
        connections: how many connections may be open to a host.
        progress: told of each request.

    Attributes:
        disguise: how addresses may be shown.
    """

    def __init__(self, settings: IndexSettings, disguise: Disguise, *, connections: int, progress: Progress) -> None:
        self._settings = settings
        self.disguise = disguise
        self._connections = connections
        self._progress = progress
        self._lock = threading.Lock()
        self._client: HttpClient | None = None

    def fetch(
        self,
        url: str,
        *,
        label: str,
        limit: int,
        headers: Mapping[str, str] | None = None,
        archive: bool = False,
    ) -> Answer:
        """GET a URL.

        Args:
            url: absolute, http or https; as it may be shown.
            label: what to call the request in the progress.
            limit: bytes that the body may have.
            headers: to send besides the usual ones.
            archive: whether the body is to be taken as it is on the wire, and may go to a temporary file.

        Raises:
            FetchError: there is no answer.
        """
        client, disguise = self._opened(), self.disguise
        self._progress.fetching(label)
        size = 0
        try:
            answer = client.get(disguise.reveal(url), limit, dict(headers or {}), archive=archive)
            size = answer.size
            return replace(answer, url=disguise.shown_after(url, answer.url))
        except FetchError as error:
            raise FetchError(disguise.veil(str(error))) from None
        finally:
            self._progress.fetched(label, size=size)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _opened(self) -> HttpClient:
        with self._lock:
            if self._client is None:
                from conflictcheck.index.credentials import Credentials  # noqa: PLC0415 - see above
                from conflictcheck.index.http_client import HttpClient  # noqa: PLC0415 - see above

                settings = self._settings
                urls = (*settings.index_urls, *settings.find_links)
                credentials = Credentials(urls, use_keyring=settings.keyring)
                self._client = HttpClient(credentials, settings, connections=self._connections)
            return self._client
