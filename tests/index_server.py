"""A package index on the loopback interface, made of a dict, with the faults that real ones have."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self

import artifacts
from packaging.utils import canonicalize_name

from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"

Ranges = Literal["yes", "ignored", "no-suffix", "refused", "short", "bare", "shifted"]


@dataclass(slots=True)
class Fault:
    """What goes wrong with a request.

    Attributes:
        status: to answer with instead.
        headers: to add or, with None, to leave out.
        body: to answer with instead.
        content_type: to claim.
        delay: seconds before the answer.
        cut: bytes of the body after which the connection ends.
        times: how often, from now on; then all is well again. None: for ever.
        edit: what becomes of the body.
        raw: bytes to send instead of any answer, whereupon the connection ends.
        stall: seconds between the bytes before the cut and the end.
        drip: seconds between any two bytes of the body, or of the bytes instead of any answer.
        reset: whether the connection ends as if the server had crashed.
    """

    status: int | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str | None = None
    delay: float = 0.0
    cut: int | None = None
    times: int | None = None
    edit: Callable[[bytes], bytes] | None = None
    raw: bytes | None = None
    stall: float = 0.0
    drip: float = 0.0
    reset: bool = False


@dataclass(frozen=True, slots=True)
class _Stored:
    data: bytes
    name: str
    rel: Rel
    metadata: bytes | None


class IndexServer:
    """Serves packages over HTTP while it is entered: ``with IndexServer({"a": {"1.0": ["b>=1"]}}) as index: …``.

    Args:
        packages: as for `MemoryIndex`: for each name its releases, each a list of requirements or a `Rel`.
        form: of its pages, unless the client accepts only the other one.
        metadata_files: whether wheels have metadata files beside them (PEP 658).
        ranges: how it answers requests for parts of files.
        login: user name and password that it asks for, or None.
        max_age: seconds that pages are said to be fresh, or None to say nothing.
        padding: bytes of payload in each wheel.

    Attributes:
        faults: by pattern of the path (``/simple/a/``, ``/files/*``), may be changed while it serves.
        files: what is behind ``/files/``, by filename; may be changed or added to.
        requests: how often each path was asked for.
        headers: those of the last request for each path, names in lower case.
        left: set once it serves no more.
        prefix: what every path begins with (``/token``); requests without it are refused.
        targets: path and query of every request, as they were asked for.
        connections: how many were opened to it.
    """

    def __init__(
        self,
        packages: Mapping[str, Mapping[str, Rel | Sequence[str]]],
        *,
        form: Literal["json", "html"] = "json",
        metadata_files: bool = False,
        ranges: Ranges = "yes",
        login: tuple[str, str] | None = None,
        max_age: int | None = None,
        padding: int = 0,
    ) -> None:
        self.form = form
        self.metadata_files = metadata_files
        self.ranges = ranges
        self.login = login
        self.max_age = max_age
        self.faults: dict[str, Fault] = {}
        self.files: dict[str, _Stored] = {}
        self.names = {canonicalize_name(name) for name in packages}
        self.requests: Counter[str] = Counter()
        self.headers: dict[str, dict[str, str]] = {}
        self.left = threading.Event()
        self.prefix = ""
        self.targets: list[str] = []
        self.connections = 0
        self._lock = threading.Lock()
        for name, releases in packages.items():
            for version, given in releases.items():
                self.add(name, version, given if isinstance(given, Rel) else Rel(requires=given), padding=padding)

    def add(self, name: str, version: str, rel: Rel, *, padding: int = 0) -> None:
        """Add a release."""
        self.names.add(canonicalize_name(name))
        said: dict[str, Any] = {"requires": rel.requires, "requires_python": rel.requires_python, "extras": rel.extras}
        for tags in rel.tags:
            data = artifacts.wheel(name, version, **said, padding=padding)
            self.store(
                artifacts.wheel_filename(name, version, tags),
                data,
                name=name,
                rel=rel,
                metadata=artifacts.core_metadata(name, version, **said),
            )
        if rel.sdist:
            data = artifacts.sdist(name, version, form="pkg-info" if rel.inferred else "static", **said)
            self.store(artifacts.sdist_filename(name, version), data, name=name, rel=rel)

    def store(
        self, filename: str, data: bytes, *, name: str, rel: Rel | None = None, metadata: bytes | None = None
    ) -> None:
        """Put a file behind ``/files/`` and on the page of a package."""
        self.names.add(canonicalize_name(name))
        self.files[filename] = _Stored(data, canonicalize_name(name), rel or Rel(), metadata)

    @property
    def root(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The root of the Simple API."""
        return f"{self.root}{self.prefix}/simple"

    @property
    def url_with_login(self) -> str:
        """The same with user name and password."""
        user, password = self.login or ("user", "secret")
        return self.url.replace("http://", f"http://{user}:{password}@")

    @property
    def links_url(self) -> str:
        """A page that links to all files, for find-links."""
        return f"{self.root}{self.prefix}/links/"

    def __enter__(self) -> Self:
        """Serve until left."""
        handler = type("Handler", (_Handler,), {"index": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; whatever waits ends as well."""
        self.left.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fault_for(self, path: str) -> Fault | None:
        """The fault that this request meets, which uses it up."""
        with self._lock:
            for pattern, fault in self.faults.items():
                if fnmatchcase(path, pattern) and fault.times != 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def note_connection(self) -> None:
        """Count a connection."""
        with self._lock:
            self.connections += 1

    def note(self, path: str, headers: Mapping[str, str]) -> None:
        """Count a request."""
        with self._lock:
            self.requests[path] += 1
            sent = self.headers[path] = {}
            for key, value in headers.items():  # one that is sent twice counts twice
                sent[key.lower()] = f"{sent[key.lower()]}, {value}" if key.lower() in sent else value

    def links(self, name: str | None) -> list[dict[str, Any]]:
        """The files of a package, or all, as the JSON form has them."""
        found = []
        for filename, stored in sorted(self.files.items()):
            if name not in {None, stored.name}:
                continue
            link: dict[str, Any] = {
                "filename": filename,
                "url": f"../../files/{filename}",
                "hashes": {"sha256": hashlib.sha256(stored.data).hexdigest()},
                "requires-python": stored.rel.requires_python,
                "size": len(stored.data),
                "yanked": False if stored.rel.yanked is None else stored.rel.yanked or True,
            }
            if stored.rel.upload_time:
                link["upload-time"] = stored.rel.upload_time
            if self.metadata_files and stored.metadata is not None:
                link["core-metadata"] = {"sha256": hashlib.sha256(stored.metadata).hexdigest()}
            found.append(link)
        return found


def html_page(title: str, links: Sequence[Mapping[str, Any]]) -> bytes:
    """Links in the HTML form."""
    anchors = []
    for link in links:
        attributes = ""
        if link["requires-python"] is not None:
            attributes += f' data-requires-python="{escape(link["requires-python"])}"'
        if link["yanked"] is not False:
            attributes += f' data-yanked="{escape("" if link["yanked"] is True else link["yanked"])}"'
        if "core-metadata" in link:
            attributes += f' data-core-metadata="sha256={link["core-metadata"]["sha256"]}"'
        url = f"{link['url']}#sha256={link['hashes']['sha256']}"
        anchors.append(f'<a href="{escape(url)}"{attributes}>{escape(link["filename"])}</a><br>')
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{''.join(anchors)}</body></html>".encode()


class _Handler(BaseHTTPRequestHandler):
    index: IndexServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.index.note_connection()

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        index = self.index
        index.targets.append(self.path)
        if not self.path.startswith(index.prefix):
            self._answer(403, b"", HTML)
            return
        path = self.path.removeprefix(index.prefix).partition("?")[0]
        index.note(path, self.headers)
        fault = index.fault_for(path) or Fault()
        index.left.wait(fault.delay)
        if fault.raw is not None:
            self._send(fault.raw, fault.drip)
            self._end(fault)
        elif fault.status is not None or fault.body is not None:
            self._answer(fault.status or 200, fault.body or b"", fault.content_type or HTML, fault)
        elif index.login and self.headers.get("Authorization") != _basic(index.login):
            self._answer(401, b"", HTML, Fault(), {"WWW-Authenticate": 'Basic realm="index"'})
        elif path.startswith("/simple/"):
            self._page(path.removeprefix("/simple/").strip("/"), fault)
        elif path == "/links/":
            links = [link | {"url": link["url"].removeprefix("../")} for link in index.links(None)]
            self._answer(200, html_page("files", links), HTML, fault)
        elif path.startswith("/files/"):
            self._file(path.removeprefix("/files/"), fault)
        else:
            self._answer(404, b"not found", HTML)

    def _page(self, name: str, fault: Fault) -> None:
        index = self.index
        if name not in index.names:
            self._answer(404, b"not found", HTML)
            return
        links = index.links(name)
        if index.form == "json" and "json" in self.headers.get("Accept", ""):
            detail = {"meta": {"api-version": "1.1"}, "name": name, "files": links}
            body, kind = json.dumps(detail).encode(), JSON
        else:
            body, kind = html_page(f"Links for {name}", links), HTML
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"ETag": etag}
        if index.max_age is not None:
            headers["Cache-Control"] = f"max-age={index.max_age}"
        if self.headers.get("If-None-Match") == etag:
            self._answer(304, b"", kind, Fault(headers=fault.headers), headers)
        else:
            self._answer(200, body, fault.content_type or kind, fault, headers)

    def _file(self, filename: str, fault: Fault) -> None:
        stored = self.index.files.get(filename.removesuffix(".metadata"))
        if stored is None:
            self._answer(404, b"not found", HTML)
        elif filename.endswith(".metadata"):
            if self.index.metadata_files and stored.metadata is not None:
                self._answer(200, stored.metadata, "application/octet-stream", fault)
            else:
                self._answer(404, b"not found", HTML)
        elif self.index.ranges == "ignored" or "Range" not in self.headers:
            self._answer(200, stored.data, "application/octet-stream", fault)
        else:
            self._part(stored.data, self.headers["Range"].removeprefix("bytes="), fault)

    def _part(self, data: bytes, asked: str, fault: Fault) -> None:
        first, _, last = asked.partition("-")
        if self.index.ranges == "refused" or (self.index.ranges == "no-suffix" and not first):
            self._answer(416, b"", HTML)
            return
        start = int(first) if first else max(0, len(data) - int(last))
        stop = min(len(data), int(last) + 1) if first and last else len(data)
        if self.index.ranges == "short":
            stop = (start + stop) // 2
        shift = 7 if self.index.ranges == "shifted" else 0
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}
        if self.index.ranges == "bare":
            del headers["Content-Range"]
        part = data[max(0, start - shift) : stop - shift]
        self._answer(206, part, "application/octet-stream", fault, headers)

    def _answer(
        self, status: int, body: bytes, kind: str, fault: Fault | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        fault = fault or Fault()
        body = body if fault.edit is None else fault.edit(body)
        usual = {"Content-Type": kind, "Content-Length": str(len(body))}
        said = {**usual, **(headers or {}), **fault.headers}
        self.send_response(status)
        for key, value in said.items():
            if value is not None:
                self.send_header(key, value)
        self.end_headers()
        self._send(body[: fault.cut], fault.drip)
        if fault.cut is not None or said["Content-Length"] != str(len(body)):
            self._end(fault)

    def _send(self, data: bytes, drip: float) -> None:
        step = 1 if drip else max(1, len(data))
        try:
            for at in range(0, len(data), step):
                self.wfile.write(data[at : at + step])
                if self.index.left.wait(drip):
                    break
        except OSError:
            self.close_connection = True

    def _end(self, fault: Fault) -> None:
        self.index.left.wait(fault.stall)
        self.close_connection = True
        if fault.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()
