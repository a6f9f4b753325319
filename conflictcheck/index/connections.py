"""Pools of connections that ask for the address of each host once, and give up a server that sends nothing of use."""

from __future__ import annotations

import io
import re
import socket
import threading
import time
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead, parse_headers
from typing import TYPE_CHECKING, Any, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

if TYPE_CHECKING:
    import ssl

MIN_SPEED = 1024
"""Bytes a second, on average, below which a server counts as out of reach once the timeout has passed."""
RECEIVED = 64 << 10
"""Bytes that are taken from a connection at a time."""
HOSTS = 8
"""Hosts that connections are kept to: of an index there are two, and open files are few on some systems."""
MAX_ANNOUNCED = 10
"""Answers that only say that another one is to come."""
MAX_LINE = 4096
"""Bytes of the line before a chunk."""
MAX_TRAILERS = 100
"""Lines after the last chunk."""
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")


def pools(
    addresses: Addresses, *, proxy: str | None, login: str | None, connections: int, trusted: ssl.SSLContext | None
) -> urllib3.PoolManager:
    """Pools of connections to any host.

    Args:
        addresses: of hosts, which several pools may share.
        proxy: the address of a proxy that all go through, or None.
        login: what to send to the proxy as ``Proxy-Authorization``, or None.
        connections: how many may be open to a host, or to the proxy for it.
        trusted: whom to trust; None where there is no TLS.

    Raises:
        LocationValueError: if the proxy's address is none.
    """
    kept: dict[str, Any] = {"num_pools": HOSTS, "maxsize": connections, "block": True, "ssl_context": trusted}
    if proxy is None:
        manager: Any = urllib3.PoolManager(**kept)
    else:
        headers = None if login is None else {"proxy-authorization": login}
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, proxy_ssl_context=trusted, **kept)
    manager.pool_classes_by_scheme = {
        "http": partial(_HttpPool, addresses=addresses),
        "https": partial(_HttpsPool, addresses=addresses),
    }
    return cast("urllib3.PoolManager", manager)


class Addresses:
    """The addresses of hosts, each asked for once. May be used by many threads.

    Many equal questions at a time are more than some name servers answer, and a lost one costs five seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, int], threading.Lock] = {}
        self._known: dict[tuple[str, int], list[str]] = {}

    def of(self, host: str, port: int) -> list[str]:
        """The addresses of a host, at least one.

        Raises:
            OSError: if none is found.
            UnicodeError: if that is no name of a host.
        """
        with self._lock:
            lock = self._locks.setdefault((host, port), threading.Lock())
        with lock:
            known = self._known.get((host, port))
            if known is None:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                known = self._known[host, port] = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        return known


class _Watched(io.RawIOBase):
    """What a server sends in answer to one request, headers included, given up if too little has come."""

    def __init__(self, stream: io.RawIOBase, timeout: float | None) -> None:
        self._stream = stream
        self._timeout = timeout
        self._asked = time.monotonic()
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        size = self._stream.readinto(buffer)
        self._received += size or 0
        elapsed = time.monotonic() - self._asked
        if self._timeout is not None and elapsed > self._timeout and self._received < elapsed * MIN_SPEED:
            raise TimeoutError("too slow")
        return size

    def close(self) -> None:
        super().close()
        self._stream.close()


class _Lines(io.BufferedReader):
    """What a server sends; where it comes in chunks, the lines between them are as they have to be.

    That is a size and what says more of it, and trailers after the last one (RFC 9112, section 7.1). urllib3 would take
    a size below zero, one that is cut off, and trailers without end.
    """

    is_chunked = False
    _trailers = -1
    """Lines after the last chunk; below zero before it."""

    def readline(self, size: int | None = -1, /) -> bytes:
        if not self.is_chunked:
            return super().readline(size)
        line = super().readline(MAX_LINE)
        if self._trailers < 0:
            found = _CHUNK.fullmatch(line)
            if found is None:
                raise HTTPException if line else IncompleteRead(b"")
            self._trailers += not int(found[1], 16)
        else:
            self._trailers += 1
            if not line.endswith(b"\n") or self._trailers > MAX_TRAILERS:
                raise HTTPException
        return line


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = _Lines(_Watched(self.fp.detach(), sock.gettimeout()), RECEIVED)

    def begin(self) -> None:
        super().begin()
        if self.chunked and isinstance(self.fp, _Lines):
            self.fp.is_chunked = True

    def _read_status(self) -> tuple[str, int, str]:
        """The status of the answer itself: what announces it is passed over (RFC 9110, section 15.2)."""
        for _ in range(MAX_ANNOUNCED):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if found[1] >= HTTPStatus.OK or found[1] == HTTPStatus.SWITCHING_PROTOCOLS:
                return found
            parse_headers(self.fp)
        raise HTTPException


class _Connecting(HTTPConnection):
    """Connects to the first address of the host that takes the connection."""

    response_class = _Response

    def __init__(self, *args: Any, addresses: Addresses, **options: Any) -> None:
        super().__init__(*args, **options)
        self._addresses = addresses

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        try:
            for address in self._addresses.of(self._dns_host, self.port):
                try:
                    return create_connection((address, self.port), self.timeout, socket_options=self.socket_options)
                except OSError as error:
                    failure = error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, str(error)) from error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, str(failure)) from failure
        raise NewConnectionError(self, str(failure)) from failure


class _HttpsConnection(_Connecting, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Connecting


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
