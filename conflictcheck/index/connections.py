"""Connections that ask for the address of each host once, and give up a server that sends next to nothing."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import httpcore2
import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MIN_SPEED = 1024
"""Bytes a second, on average, below which a server counts as out of reach once the timeout has passed."""


class ResolvingOnce(httpx2.HTTPTransport):
    """Asks for the address of each host once, however many connections are opened to it.

    Many equal questions at a time are more than some name servers answer, and a lost one costs five seconds.

    Args:
        context: gives what to trust, once there is TLS: reading certificates takes as long as a small run.
        limits: how many connections there may be.
    """

    def __init__(self, context: Callable[[], ssl.SSLContext], limits: httpx2.Limits) -> None:
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # takes no certificate for good; is never used
        super().__init__(verify=nobody, limits=limits)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=nobody,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(context),
        )


class _Backend(httpcore2.SyncBackend):
    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, int], threading.Lock] = {}
        self._addresses: dict[tuple[str, int], list[str]] = {}

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of the host that takes the connection."""
        failure: Exception = httpcore2.ConnectError(f"no address is known for {host}")
        for address in self._resolve(host, port):
            try:
                stream = super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Watched(stream, self._context)
        raise failure

    def _resolve(self, host: str, port: int) -> list[str]:
        with self._lock:
            lock = self._locks.setdefault((host, port), threading.Lock())
        with lock:
            known = self._addresses.get((host, port))
            if known is None:
                try:
                    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                except (OSError, UnicodeError) as error:
                    raise httpcore2.ConnectError(str(error)) from error
                known = self._addresses[host, port] = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        return known


class _Watched(httpcore2.NetworkStream):
    """A stream that is given up if, since something was asked for, too little has come: headers count as well."""

    def __init__(self, stream: httpcore2.NetworkStream, context: Callable[[], ssl.SSLContext]) -> None:
        self._stream = stream
        self._context = context
        self._asked = time.monotonic()
        self._received = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, timeout)
        self._received += len(data)
        elapsed = time.monotonic() - self._asked
        if timeout is not None and elapsed > timeout and self._received < elapsed * MIN_SPEED:
            raise httpcore2.ReadTimeout("too slow")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)
        self._asked, self._received = time.monotonic(), 0

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,  # noqa: ARG002 - the pool's own, which trusts nobody
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _Watched(self._stream.start_tls(self._context(), server_hostname, timeout), self._context)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
