"""HTTP: connections that are kept, bounded answers, bounded retries, and reasons fit for a report."""

from __future__ import annotations

import base64
import io
import os
import re
import ssl
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import exceptions

from conflictcheck import __version__
from conflictcheck.errors import UsageError
from conflictcheck.index.addresses import is_address, origin_of, root_of, shown_address, split_credentials
from conflictcheck.index.connections import Addresses, pools
from conflictcheck.index.transport import Answer, FetchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse, PoolManager

    from conflictcheck.index.addresses import Login, Origin
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
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""Names of certificates in a folder that OpenSSL finds."""
_NUMBERS = re.compile(r"^(\[[^\]]*\] )+| \(_ssl\.c:\d+\)$")
_BROKEN: tuple[tuple[type[Exception], str], ...] = (
    (RemoteDisconnected, "the server closed it without an answer"),
    (BadStatusLine, "the answer is no HTTP"),
    (IncompleteRead, "the answer is cut off"),
    (exceptions.InvalidHeader, "the answer has two lengths"),
    (HTTPException, "the answer is no HTTP"),
)
"""What breaks a connection, in words that hold nothing of the answer."""
WITH_BODY = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
"""Statuses whose body somebody reads."""


class _PackedError(exceptions.HTTPError):
    """An answer that is not packed as it says."""


_TROUBLE: tuple[tuple[type[Exception], str, bool], ...] = (
    (exceptions.ProxyError, "the connection to the proxy failed", True),
    (exceptions.NewConnectionError, "the connection failed", True),
    (exceptions.SSLError, "the connection failed", True),
    (_PackedError, "the answer cannot be unpacked", False),
    (exceptions.HTTPError, "the connection broke", False),
)
"""What may go wrong, from the special to the general, and whether the host was not reached at all."""


class _NoAnswerError(Exception):
    def __init__(self, url: str, error: exceptions.HTTPError) -> None:
        super().__init__(url)
        self.url = url
        self.error = error


class HttpClient:
    """GET requests with credentials, retries and bounds. May be used by many threads.

    Args:
        credentials: what to send where.
        settings: how long to wait, how often to try again, and whom to trust.
        connections: how many connections may be open to a host.

    Raises:
        UsageError: if the certificates or the proxy that the environment names cannot be used.
    """

    def __init__(self, credentials: Credentials, settings: IndexSettings, *, connections: int) -> None:
        self._lock = threading.Lock()
        self._addresses = Addresses()
        self._pools: dict[tuple[str, str | None], PoolManager] = {}
        self._connections = connections
        self._ca_bundle = settings.ca_bundle
        stated = getproxies()
        spoken = [scheme for scheme in stated if scheme in {"http", "https", "all"}]
        self._proxies = {scheme: _usable_proxy(stated[scheme]) for scheme in spoken}
        self._credentials = credentials
        self._timeout = settings.timeout
        self._delays = [settings.backoff * 2**tried for tried in range(settings.retries)]
        self._out_of_reach: dict[Origin, str] = {}
        self._timeouts: Counter[Origin] = Counter()

    def get(self, url: str, limit: int, headers: dict[str, str], *, archive: bool) -> Answer:
        """See `Transport.fetch`."""
        for delay in (*self._delays, None):
            wait = delay
            try:
                answer = self._follow(url, limit, headers, archive=archive)
            except _NoAnswerError as error:
                reason = self._failed(error, last=delay is None)
            else:
                wait = None if delay is None else _retry_after(answer.headers.get("retry-after"), delay)
                if answer.status not in TRANSIENT or wait is None or wait > MAX_RETRY_AFTER:
                    return answer
            if wait is None:
                raise FetchError(reason)
            time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()

    def _pool(self, url: str) -> PoolManager:
        """The connections that an address is asked for over: through the proxy that the environment names, if any."""
        parts = urlsplit(url)
        proxy = self._proxies.get(parts.scheme, self._proxies.get("all"))
        if proxy is not None and proxy_bypass(parts.netloc):
            proxy = None
        with self._lock:
            if (parts.scheme, proxy) not in self._pools:
                place, login = (None, None) if proxy is None else split_credentials(proxy)
                secure = "https" in {parts.scheme, (place or "").partition(":")[0]}
                self._pools[parts.scheme, proxy] = pools(
                    self._addresses,
                    proxy=place,
                    login=None if login is None else _basic(login),
                    connections=self._connections,
                    trusted=self._trusted() if secure else None,
                )
            return self._pools[parts.scheme, proxy]

    def _trusted(self) -> ssl.SSLContext:
        """Whom to trust: reading certificates takes as long as a small run, and is left until there is TLS."""
        file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if file or folder:
                context.load_verify_locations(file or None, None if file else folder)
            elif (places := _system_certificates()) is not None:
                context.load_verify_locations(*places)
            else:
                import truststore  # noqa: PLC0415 - few runs get here

                context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        except OSError as error:
            variables = "SSL_CERT_FILE or SSL_CERT_DIR"
            raise UsageError(f"the certificates that {variables} names cannot be read: {_cause(error)}") from error
        if self._ca_bundle is not None:
            try:
                context.load_verify_locations(cafile=self._ca_bundle)
            except ssl.SSLError as error:
                raise UsageError("this file holds no certificates", file=str(self._ca_bundle)) from error
            except OSError as error:
                message = f"the certificates cannot be read: {error.strerror}"
                raise UsageError(message, file=str(self._ca_bundle)) from error
        return context

    def _failed(self, failure: _NoAnswerError, *, last: bool) -> str:
        """The reason why there is no answer, after noting whether the host is to be asked again."""
        url, error = failure.url, failure.error
        origin = origin_of(url)
        if _is_late(error) or (isinstance(error, exceptions.ProxyError) and _is_late(error.original_error)):
            reason = f"no answer within {self._timeout:g} s"
            self._timeouts[origin] += last
            lost = self._timeouts[origin] >= MAX_TIMEOUTS
        else:
            what, unreached = next((what, unreached) for kind, what, unreached in _TROUBLE if isinstance(error, kind))
            reason = f"{what}: {_cause(error)}"
            lost = last and unreached
        if lost:
            return self._out_of_reach.setdefault(origin, f"{root_of(url)}: {reason}")
        return f"{shown_address(url)}: {reason}"

    def _follow(self, url: str, limit: int, headers: dict[str, str], *, archive: bool) -> Answer:
        asked_again = False
        for _ in range(MAX_REDIRECTS):
            url, login = split_credentials(url)
            if reason := self._out_of_reach.get(origin_of(url)):
                raise FetchError(reason)
            login = login or self._credentials.for_url(url)
            own = {**headers, "authorization": _basic(login)} if login else headers
            answer = self._ask(url, limit, own, archive=archive)
            if answer.status == HTTPStatus.UNAUTHORIZED and not asked_again and self._credentials.ask(url):
                asked_again = True
            elif answer.status in REDIRECTS and "location" in answer.headers:
                url = redirected(url, _as_sent(answer.headers["location"]))
            else:
                return answer
        raise FetchError(f"{shown_address(url)}: too many redirects")

    def _ask(self, url: str, limit: int, headers: dict[str, str], *, archive: bool) -> Answer:
        usual = {"accept-encoding": "identity" if archive else "gzip", "user-agent": f"conflictcheck/{__version__}"}
        try:
            with self._asked(_in_ascii(url), usual | headers) as response:
                lengths = response.headers.getlist("content-length")
                coding = response.headers.get("transfer-encoding", "chunked").lower()
                if response.status < HTTPStatus.OK or coding != "chunked" or not all(map(str.isdecimal, lengths)):
                    raise exceptions.ProtocolError("the answer is no HTTP")
                ends = response.length_remaining is not None or "transfer-encoding" in response.headers
                if response.status in WITH_BODY:
                    file = self._receive(response, url, limit, archive=archive)
                elif response.length_remaining is not None and response.length_remaining < SMALL:
                    file = self._receive(response, url, SMALL, archive=True)  # so that the connection is of use again
                else:
                    file = io.BytesIO()
                return Answer(response.status, response.headers, url, file, ends=ends)
        except (exceptions.LocationValueError, UnicodeError) as error:
            raise FetchError(f"{shown_address(url)} is no address that can be read") from error
        except exceptions.HTTPError as error:
            raise _NoAnswerError(url, error) from error

    @contextmanager
    def _asked(self, url: str, headers: dict[str, str]) -> Iterator[BaseHTTPResponse]:
        response = self._pool(url).request(
            "GET",
            url,
            headers={name.title(): value for name, value in headers.items()},  # or a proxy gets a second Accept
            timeout=self._timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            yield response
        except exceptions.SSLError as error:
            raise exceptions.ProtocolError from error
        finally:
            response.close()  # which ends the connection, unless all of the answer was read
            response.release_conn()

    def _receive(self, response: BaseHTTPResponse, url: str, limit: int, *, archive: bool) -> IO[bytes]:
        file: IO[bytes] = io.BytesIO()
        size = response.length_remaining or 0
        chunks = response.stream(PIECE, decode_content=False) if archive else _unpacked(response)
        try:
            while size <= limit:
                chunk = next(chunks, None)
                if chunk is None:
                    return file
                if archive and file.tell() > IN_MEMORY and isinstance(file, io.BytesIO):
                    file = _on_disk(file)
                file.write(chunk)
                size = max(size, file.tell())
        except OSError as error:
            file.close()
            raise FetchError(f"{shown_address(url)}: the answer cannot be kept: {error.strerror}") from error
        except BaseException:
            file.close()
            raise
        file.close()
        raise FetchError(f"{shown_address(url)}: the answer is larger than {limit} bytes")


def _unpacked(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The body without the encoding that it has for the way, a bounded piece at a time.

    urllib3 takes a stream that is cut off for a whole one.

    Raises:
        _PackedError: if it is not packed as the header says, or not to its end.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        yield from response.stream(PIECE, decode_content=False)
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise _PackedError("it is packed in a way that was not asked for")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for chunk in response.stream(PIECE, decode_content=False):
            left = chunk
            while left:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=31)
                yield unpacker.decompress(left, PIECE)
                left = unpacker.unconsumed_tail or unpacker.unused_data
        while piece := unpacker.decompress(b"", PIECE):
            yield piece
    except zlib.error:
        raise _PackedError("it is not gzip, as it says") from None
    if not unpacker.eof:
        raise _PackedError("it is cut off")


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


def _as_sent(header: str) -> str:
    """A header that is UTF-8 and was read as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


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


def _system_certificates() -> tuple[str | None, str | None] | None:
    """The file and the folder of certificates that OpenSSL was made to look for; None if there is nothing in them."""
    if sys.platform in {"win32", "darwin"}:
        return None
    paths = ssl.get_default_verify_paths()
    file, folder = Path(paths.openssl_cafile), Path(paths.openssl_capath)
    has_folder = folder.is_dir() and any(_HASHED.fullmatch(path.name) for path in folder.iterdir())
    found = str(file) if file.is_file() else None, str(folder) if has_folder else None
    return found if any(found) else None


def _in_ascii(url: str) -> str:
    """An address with its host as name servers know it (RFC 3490).

    Raises:
        UnicodeError: if that is no name of a host.
    """
    if url.isascii():
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.encode("idna").decode()))


def _usable_proxy(proxy: str) -> str:
    """The address of a proxy, as the environment names it.

    Raises:
        UsageError: if it is none, or of a kind that is not spoken to.
    """
    address = proxy if "://" in proxy else f"http://{proxy}"
    with suppress(ValueError):
        address = urlsplit(address).geturl()  # the scheme in small letters
    if not is_address(address) or not address.startswith(("http://", "https://")):
        raise UsageError("the proxy that the environment names cannot be used", hint="see HTTPS_PROXY")
    return address


def _basic(login: Login) -> str:
    """User name and password as a header has them (RFC 7617), in UTF-8, which urllib3 does not write."""
    return f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"


def _is_late(error: Exception) -> bool:
    """Whether no answer came in time; to urllib3 a connection that was not taken is late as well."""
    late = isinstance(error, exceptions.TimeoutError | TimeoutError)
    return late and not isinstance(error, exceptions.NewConnectionError)


def _cause(error: BaseException) -> str:
    """What is behind an error, without the numbers that the system and TLS put around their words."""
    for kind, words in _BROKEN:
        if isinstance(error, kind):
            return words
    behind = [inner for inner in (error.__cause__, *reversed(error.args)) if isinstance(inner, BaseException)]
    if behind:
        return _cause(behind[0])
    said = str(error)
    words = _NUMBERS.sub("", said).strip().rstrip(".")
    return f"{'TLS: ' if said.startswith('[SSL') else ''}{words[:1].lower()}{words[1:]}" or type(error).__name__
