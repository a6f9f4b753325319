"""HTTP: one pool of connections, bounded answers, bounded retries, and reasons fit for a report."""

from __future__ import annotations

import io
import re
import tempfile
import threading
import time
import zlib
from collections import Counter
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin
from urllib.request import getproxies

import httpx2

from conflictcheck.errors import UsageError
from conflictcheck.index.addresses import is_address, origin_of, root_of, shown_address, split_credentials
from conflictcheck.index.connections import MIN_SPEED, ResolvingOnce
from conflictcheck.index.transport import Answer, FetchError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from conflictcheck.index.addresses import Origin
    from conflictcheck.index.credentials import Credentials
    from conflictcheck.settings import IndexSettings

MAX_RETRY_AFTER = 10.0
MAX_TIMEOUTS = 3
"""Requests that got no answer in all their tries before a host is not asked again; a run has hundreds of requests."""
MAX_REDIRECTS = 10
PIECE = 1 << 20
"""Bytes that are unpacked at a time; packed data may hold a thousand times as many."""
IN_MEMORY = 8 << 20
"""Bytes of a downloaded archive that are kept in memory; a larger one goes to a temporary file."""
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
SMALL = 64 << 10
_NUMBERS = re.compile(r"^(\[[^\]]*\] )+| \(_ssl\.c:\d+\)$")
WITH_BODY = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
"""Statuses whose body somebody reads."""


class HttpClient:
    """GET requests with credentials, retries and bounds. May be used by many threads.

    Args:
        credentials: what to send where.
        settings: how long to wait, how often to try again, and whom to trust.
        connections: how many connections may be open.

    Raises:
        UsageError: if the certificates or the proxy that the environment names cannot be used.
    """

    def __init__(self, credentials: Credentials, settings: IndexSettings, *, connections: int) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._ca_bundle = settings.ca_bundle
        proxied = bool(getproxies())
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        try:
            self._client = httpx2.Client(
                verify=self._trusted() if proxied else True,
                http2=False,
                limits=limits,
                timeout=httpx2.Timeout(settings.timeout, pool=None),
                headers={"accept-encoding": "gzip"},
                transport=None if proxied else ResolvingOnce(self._trusted, limits),
            )
        except (httpx2.InvalidURL, ValueError, ImportError) as error:
            raise UsageError("the proxy that the environment names cannot be used", hint="see HTTPS_PROXY") from error
        self._credentials = credentials
        self._timeout = settings.timeout
        self._delays = [settings.backoff * 2**tried for tried in range(settings.retries)]
        self._out_of_reach: dict[Origin, str] = {}
        self._timeouts: Counter[Origin] = Counter()

    def get(self, url: str, limit: int, headers: dict[str, str], *, archive: bool) -> Answer:
        """See `Transport.fetch`."""
        try:
            return self._get(url, limit, headers, archive=archive)
        except (httpx2.InvalidURL, UnicodeError) as error:
            raise FetchError(f"{shown_address(url)} is no address that can be read") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _trusted(self) -> ssl.SSLContext:
        """Whom to trust, read once."""
        with self._lock:
            if self._context is None:
                try:
                    context = httpx2.create_ssl_context()
                    if self._ca_bundle is not None:
                        context.load_verify_locations(cafile=self._ca_bundle)
                except OSError as error:
                    named = "SSL_CERT_FILE or SSL_CERT_DIR"
                    message = f"the certificates that {named} names cannot be read: {_cause(error)}"
                    raise UsageError(message) from error
                context.set_alpn_protocols(["http/1.1"])
                self._context = context
            return self._context

    def _get(self, url: str, limit: int, headers: dict[str, str], *, archive: bool) -> Answer:
        for delay in (*self._delays, None):
            wait = delay
            try:
                answer = self._follow(url, limit, headers, archive=archive)
            except httpx2.RequestError as error:
                reason = self._failed(error, last=delay is None)
            else:
                wait = None if delay is None else _retry_after(answer.headers.get("retry-after"), delay)
                if answer.status not in TRANSIENT or wait is None or wait > MAX_RETRY_AFTER:
                    return answer
            if wait is None:
                raise FetchError(reason)
            time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _failed(self, error: httpx2.RequestError, *, last: bool) -> str:
        """The reason why there is no answer, after noting whether the host is to be asked again."""
        url = str(error.request.url)  # the last one where there were redirects
        origin = origin_of(url)
        if isinstance(error, httpx2.TimeoutException):
            reason = f"no answer within {self._timeout:g} s"
            self._timeouts[origin] += last
            lost = self._timeouts[origin] >= MAX_TIMEOUTS
        else:
            lost = last and isinstance(error, httpx2.ConnectError)
            what = "the connection failed" if isinstance(error, httpx2.ConnectError) else "the connection broke"
            what = "the answer cannot be unpacked" if isinstance(error, httpx2.DecodingError) else what
            reason = f"{what}: {_cause(error)}"
        if lost:
            return self._out_of_reach.setdefault(origin, f"{root_of(url)}: {reason}")
        return f"{shown_address(url)}: {reason}"

    def _follow(self, url: str, limit: int, headers: dict[str, str], *, archive: bool) -> Answer:
        asked_again = False
        for _ in range(MAX_REDIRECTS):
            url, login = split_credentials(url)
            if reason := self._out_of_reach.get(origin_of(url)):
                raise FetchError(reason)
            auth = httpx2.BasicAuth(*login) if login else self._credentials.for_url(url)
            answer = self._ask(url, limit, headers, auth, archive=archive)
            if answer.status == HTTPStatus.UNAUTHORIZED and not asked_again and self._credentials.ask(url):
                asked_again = True
            elif answer.status in REDIRECTS and "location" in answer.headers:
                url = redirected(url, answer.headers["location"])
            else:
                return answer
        raise FetchError(f"{shown_address(url)}: too many redirects")

    def _ask(self, url: str, limit: int, headers: dict[str, str], auth: httpx2.Auth | None, *, archive: bool) -> Answer:
        if archive:
            headers = {"accept-encoding": "identity", **headers}
        with self._client.stream("GET", url, headers=headers, auth=auth, follow_redirects=False) as response:
            if response.status_code in WITH_BODY:
                file = self._receive(response, url, limit, archive=archive)
            elif int(response.headers.get("content-length", SMALL)) < SMALL:
                file = self._receive(response, url, SMALL, archive=True)  # so that the connection can be used again
            else:
                file = io.BytesIO()
            ends = "content-length" in response.headers or "transfer-encoding" in response.headers
        return Answer(response.status_code, response.headers, url, file, ends=ends)

    def _receive(self, response: httpx2.Response, url: str, limit: int, *, archive: bool) -> IO[bytes]:
        started = time.monotonic()
        file: IO[bytes] = io.BytesIO()
        size = int(response.headers.get("content-length", "0"))
        chunks = response.iter_raw() if archive else _unpacked(response)
        try:
            while size <= limit:
                chunk = next(chunks, None)
                if chunk is None:
                    return file
                if archive and file.tell() > IN_MEMORY and isinstance(file, io.BytesIO):
                    file = _on_disk(file)
                file.write(chunk)
                size = max(size, file.tell())
                self._check_speed(response, file.tell(), time.monotonic() - started)
        except OSError as error:
            file.close()
            raise FetchError(f"{shown_address(url)}: the answer cannot be kept: {error.strerror}") from error
        except BaseException:
            file.close()
            raise
        file.close()
        raise FetchError(f"{shown_address(url)}: the answer is larger than {limit} bytes")

    def _check_speed(self, response: httpx2.Response, size: int, elapsed: float) -> None:
        """Give up a body that drips, also behind a proxy, where no own connection looks after that."""
        if elapsed > self._timeout and size < elapsed * MIN_SPEED:
            raise httpx2.ReadTimeout("too slow", request=response.request)


def _unpacked(response: httpx2.Response) -> Iterator[bytes]:
    """The body without the encoding that it has for the way, a bounded piece at a time.

    httpx unpacks whole chunks, however much is in them, and takes a stream that is cut off for a whole one.

    Raises:
        DecodingError: if it is not packed as the header says, or not to its end.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        yield from response.iter_raw()
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise httpx2.DecodingError("it is packed in a way that was not asked for", request=response.request)
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for chunk in response.iter_raw():
            left = chunk
            while left:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=31)
                yield unpacker.decompress(left, PIECE)
                left = unpacker.unconsumed_tail or unpacker.unused_data
        while piece := unpacker.decompress(b"", PIECE):
            yield piece
    except zlib.error:
        raise httpx2.DecodingError("it is not gzip, as it says", request=response.request) from None
    if not unpacker.eof:
        raise httpx2.DecodingError("it is cut off", request=response.request)


def _on_disk(sink: io.BytesIO) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever gets the answer closes it
    file.write(sink.getvalue())
    return file


def redirected(url: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        FetchError: if that is no place to follow to.
    """
    try:
        target = urljoin(url, location)
    except ValueError:
        target = ""
    if not is_address(target) or not target.isprintable() or target.startswith("file:"):
        raise FetchError(f"{shown_address(url)}: redirected to an address that cannot be read")
    if url.startswith("https:") and not target.startswith("https:"):
        raise FetchError(f"{shown_address(url)}: redirected from https to http, which is refused")
    return target


def _retry_after(value: str | None, otherwise: float) -> float:
    """Seconds to wait, from a Retry-After header in either form (RFC 9110, section 10.2.3)."""
    if value is None:
        return otherwise
    try:
        if value.isascii() and value.isdecimal():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return otherwise


def _cause(error: Exception) -> str:
    """An error's own words, which hold no address, without the numbers that the system and TLS put around them."""
    said = str(error)
    words = _NUMBERS.sub("", said).strip().rstrip(".")
    return f"{'TLS: ' if said.startswith('[SSL') else ''}{words[:1].lower()}{words[1:]}" or type(error).__name__
