"""A package index on the loopback interface that gives stored answers, quickly, and counts what it is asked.

    python benchmarks/index_server.py STATE [--port N] [--delay MS] [--max-age S] [--record]

STATE is a folder. Each NAME.sqlite in it (`IndexStore`) is an index with the address http://127.0.0.1:PORT/NAME/simple.
The first line printed is http://127.0.0.1:PORT. With --record, what is not stored is asked of the default package
index, and stored. The server ends when its standard input does.

Of itself it tells, uncounted: /-/count (requests, bytes, and lacking: requests for what nobody knows), /-/delay/MS and
/-/record/on or off change it.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from index_store import DOCUMENT, PAGE, IndexStore, Stored

if TYPE_CHECKING:
    from index_recorder import Upstream

LARGE = 1 << 20
"""Bytes of a body that is not copied to be one packet with its head."""
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*", re.ASCII)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class State:
    """What the connections share.

    Args:
        folder: with the stores.
        delay: seconds before each answer.
        max_age: seconds for which pages are said to be fresh.
        record: whether to ask the default package index for what is not stored.
    """

    def __init__(self, folder: Path, *, delay: float, max_age: int, record: bool) -> None:
        self.delay = delay
        self.max_age = max_age
        self.record = record
        self.requests = self.bytes = self.lacking = 0
        self._folder = folder
        self._stores: dict[str, IndexStore] = {}
        self._upstream: Upstream | None = None
        self._pending: dict[tuple[str, str], asyncio.Future[Stored | None]] = {}

    def store(self, index: str) -> IndexStore | None:
        """The store of an index; a new one only to record into."""
        if index not in self._stores:
            file = self._folder / f"{index}.sqlite"
            if not _NAME.fullmatch(index) or not (self.record or file.exists()):
                return None
            self._stores[index] = IndexStore(file)
        return self._stores[index]

    async def fetch(self, index: str, path: str) -> Stored | None:
        """Record the answer to a path, once however many ask; None if it cannot be had."""
        key = index, path
        if key not in self._pending:
            self._pending[key] = asyncio.ensure_future(self._fetch(index, path))
        try:
            return await self._pending[key]
        finally:
            self._pending.pop(key, None)

    async def _fetch(self, index: str, path: str) -> Stored | None:
        from index_recorder import Upstream  # noqa: PLC0415 - costly, and only to record

        self._upstream = self._upstream or Upstream()
        store = self.store(index)
        assert store is not None
        kind, _, rest = path.partition("/")
        name, _, filename = rest.partition("/")
        if kind == "simple" and not filename:
            found = await asyncio.to_thread(self._upstream.page, name)
            if found is None:
                return store.put(path, PAGE, None)
            with store:
                store.put_origins(found[1])
                return store.put(path, PAGE, found[0])
        file = path.removesuffix(".metadata")
        origin = store.origin(file)
        if origin is None:
            return None
        url, has_metadata = origin
        if file != path:
            body = await asyncio.to_thread(self._upstream.metadata, name, url, has_metadata=has_metadata)
        else:
            body = await asyncio.to_thread(self._upstream.file, url)
        return store.put(path, DOCUMENT, body)

    def control(self, path: str) -> bytes:
        """Do what a path below /-/ says; what was counted."""
        what, _, value = path.partition("/")
        if what == "delay":
            self.delay = float(value) / 1000
        elif what == "record":
            self.record = value == "on"
        return json.dumps({"requests": self.requests, "bytes": self.bytes, "lacking": self.lacking}).encode()


class Connection(asyncio.Protocol):
    """One client: requests come one after another, as no client of an index sends the next before it has the answer."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) != -1:
            head, self._buffer = self._buffer[:end].decode("latin-1"), self._buffer[end + 4 :]
            first, *lines = head.split("\r\n")
            method, target, _ = first.split(" ", 2)
            headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
            self._handle(method, target.partition("?")[0].lstrip("/"), headers)

    def _handle(self, method: str, target: str, headers: dict[str, str]) -> None:
        state = self._state
        if target.startswith("-/"):
            body = state.control(target[2:])
            self._send(_head(HTTPStatus.OK, len(body), "application/json"), body)
            return
        state.requests += 1
        index, _, path = target.partition("/")
        if path.startswith("simple/") and not path.endswith("/"):
            path += "/"
        store = state.store(index)
        stored = store and store.get(path)
        if stored is None and state.record and store is not None and path.startswith(("simple/", "files/")):
            task = asyncio.create_task(self._record(method, index, path, headers))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        state.lacking += stored is None
        self._answer(method, path, headers, stored)

    async def _record(self, method: str, index: str, path: str, headers: dict[str, str]) -> None:
        try:
            stored = await self._state.fetch(index, path)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told, and nothing is stored
            sys.stderr.write(f"{path}: {error!r}\n")
            self._send(_head(HTTPStatus.BAD_GATEWAY, 0, DOCUMENT), b"")
            return
        self._state.lacking += stored is None
        self._answer(method, path, headers, stored)

    def _answer(self, method: str, path: str, headers: dict[str, str], stored: Stored | None) -> None:
        if stored is None or stored.body is None:
            head, body = _head(HTTPStatus.NOT_FOUND, 0, "text/plain"), b""
        else:
            head, body = _answer(path, headers, stored, self._state.max_age)
        body = b"" if method == "HEAD" else body
        self._state.bytes += len(body)
        if self._state.delay:
            asyncio.get_running_loop().call_later(self._state.delay, self._send, head, body)
        else:
            self._send(head, body)

    def _send(self, head: bytes, body: bytes) -> None:
        if self._transport is None:
            return
        if len(body) > LARGE:
            self._transport.write(head)
            self._transport.write(body)
        else:
            self._transport.write(head + body)


def _answer(path: str, headers: dict[str, str], stored: Stored, max_age: int) -> tuple[bytes, bytes]:
    """Head and body of what is there."""
    assert stored.body is not None
    seconds = max_age if path.startswith("simple/") else 365_000_000
    more = f"etag: {stored.etag}\r\ncache-control: max-age={seconds}, public\r\naccept-ranges: bytes\r\n"
    if headers.get("if-none-match") == stored.etag:
        return f"HTTP/1.1 304 Not Modified\r\n{more}\r\n".encode(), b""
    body = stored.body
    if stored.packed:
        more += "vary: Accept-Encoding\r\n"
        if "gzip" in headers.get("accept-encoding", ""):
            return _head(HTTPStatus.OK, len(body), stored.kind, f"{more}content-encoding: gzip\r\n"), body
        body = gzip.decompress(body)
    wanted = _RANGE.fullmatch(headers.get("range", ""))
    if wanted is None or not (wanted[1] or wanted[2]):
        return _head(HTTPStatus.OK, len(body), stored.kind, more), body
    total = len(body)
    start = int(wanted[1]) if wanted[1] else max(0, total - int(wanted[2]))
    end = min(total, int(wanted[2]) + 1) if wanted[1] and wanted[2] else total
    more += f"content-range: bytes {start}-{end - 1}/{total}\r\n"
    return _head(HTTPStatus.PARTIAL_CONTENT, end - start, stored.kind, more), body[start:end]


def _head(status: HTTPStatus, length: int, kind: str, more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n{more}\r\n"
    ).encode()


async def serve(state: State, port: int) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(state), "127.0.0.1", port, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0, help="milliseconds before each answer")
    parser.add_argument("--max-age", type=int, default=600, help="seconds for which pages are said to be fresh")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    state = State(given.state, delay=given.delay / 1000, max_age=given.max_age, record=given.record)
    asyncio.run(serve(state, given.port))


if __name__ == "__main__":
    main()
