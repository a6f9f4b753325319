"""An index that lies: each way that one fails, what is said then, and that the cache is none the worse for it.

Two specs clash in the releases that the index has, which takes metadata to know: `one.txt` asks for app, whose only
release needs lib>=2, and `two.txt` for tool, which needs lib<2. Whatever is lost on the way, release or requirement,
would change the verdict.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import artifacts
import pytest
from faulty_runs import TIMEOUT, doubt, run, shown
from index_server import HTML, JSON, Fault, IndexServer

from conflictcheck.index.memory import Rel
from conflictcheck.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conflictcheck.model import Report


PACKAGES = {
    "app": {"1.0": Rel(requires=["lib>=2"])},
    "lib": {"1.0": Rel(), "2.0": Rel()},
    "tool": {"1.0": Rel(requires=["lib<2"])},
}
WHEEL = "app-1.0-py3-none-any.whl"
PAGE, FILE, DOCUMENT = "/simple/app/", f"/files/{WHEEL}", f"/files/{WHEEL}.metadata"
OTHER_DOCUMENT = artifacts.core_metadata("app", "1.0")
OTHER_WHEEL = artifacts.wheel("app", "1.0")


@dataclass(frozen=True)
class Lie:
    """A way to fail.

    Attributes:
        title: of the row.
        setup: what goes wrong, from now on.
        reason: why one.txt is undecided; empty where the answer is the right one nevertheless.
        before: how the index was all the time.
        known: whether the cache holds what the index said before, no longer fresh.
    """

    title: str
    setup: Callable[[IndexServer], None]
    reason: str = ""
    before: Callable[[IndexServer], None] = lambda _: None
    known: bool = False


def fails(path: str, **fault: Any) -> Callable[[IndexServer], None]:
    def setup(index: IndexServer) -> None:
        index.faults[path] = Fault(**fault)

    return setup


def has(**attributes: Any) -> Callable[[IndexServer], None]:
    def setup(index: IndexServer) -> None:
        for name, value in attributes.items():
            setattr(index, name, value)

    return setup


def both(*setups: Callable[[IndexServer], None]) -> Callable[[IndexServer], None]:
    def setup(index: IndexServer) -> None:
        for each in setups:
            each(index)

    return setup


def edits(change: Callable[[dict[str, Any]], object], path: str = PAGE) -> Callable[[IndexServer], None]:
    """Change a JSON page."""

    def edit(body: bytes) -> bytes:
        page = json.loads(body)
        change(page)
        return json.dumps(page).encode()

    return fails(path, edit=edit)


def stores(filename: str, data: bytes) -> Callable[[IndexServer], None]:
    """Serve something else than what is listed."""
    return fails(f"/files/{filename}", edit=lambda _: data)


def date(year: int) -> str:
    return format_datetime(datetime(year, 1, 1, tzinfo=UTC), usegmt=True)


def packs(encode: Callable[[bytes], bytes] = gzip.compress, encoding: str = "gzip") -> Callable[[IndexServer], None]:
    return fails(PAGE, edit=encode, headers={"Content-Encoding": encoding})


def sdist_only(index: IndexServer) -> None:
    del index.files[WHEEL]
    index.add("app", "1.0", Rel(requires=["lib>=2"], tags=(), sdist=True))


def without(*keys: str) -> Callable[[IndexServer], None]:
    """An index that lists less about its files."""
    return edits(lambda page: [file.pop(key, None) for file in page["files"] for key in keys])


def twice(page: dict[str, Any]) -> None:
    page["files"].append(page["files"][0] | {"hashes": {"sha256": "0" * 64}})


def flipped(data: bytes) -> bytes:
    at = data.index(b"METADATA") + 20
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


NEVER = "no answer within 0.3 s"
UNENDED = {"Content-Length": None}
"""The body ends where the connection does, as in HTTP/1.0: whoever reads it cannot tell the end from a break."""
PLAIN = has(metadata_files=False)
HTML_PAGES = has(form="html")
BROKE = "{page}: the connection broke: "
NO_HTTP = f"{BROKE}the answer is no HTTP"
CUT = f"{BROKE}the answer is cut off"
NO_LIST = "{page}: the index answered with a page that lists no files"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.pypi.simple.v1+json\r\n"
BOMB = gzip.compress(b" " * (17 << 20), 1)

ON_THE_WAY = [
    Lie("a slow page", fails(PAGE, delay=TIMEOUT / 3)),
    Lie("a page that never comes", fails(PAGE, delay=60), f"{{page}}: {NEVER}"),
    Lie("a page that comes at the second time", fails(PAGE, delay=60, times=1)),
    Lie("a page that stalls", fails(PAGE, cut=20, stall=60), f"{{page}}: {NEVER}"),
    Lie("a page that stalls once", fails(PAGE, cut=20, stall=60, times=1)),
    Lie("a page that drips", fails(PAGE, drip=0.02), f"{{page}}: {NEVER}"),
    Lie("headers that drip", fails(PAGE, raw=RESPONSE + b"X: " + b"x" * 999, drip=0.02), f"{{page}}: {NEVER}"),
    Lie("a page that breaks off", fails(PAGE, cut=20), CUT),
    Lie("a page that breaks off once", fails(PAGE, cut=20, times=1)),
    Lie("a reset amid a page", fails(PAGE, cut=20, reset=True), f"{BROKE}connection reset by peer"),
    Lie("a reset instead of a page", fails(PAGE, raw=b"", reset=True), f"{BROKE}connection reset by peer"),
    Lie("a reset once", fails(PAGE, raw=b"", reset=True, times=1)),
    Lie("no answer at all", fails(PAGE, raw=b""), f"{BROKE}the server closed it without an answer"),
    Lie("no HTTP", fails(PAGE, raw=b"SSH-2.0-Server\r\n\r\n"), NO_HTTP),
    Lie("answers to come, without end", fails(PAGE, raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 5000), NO_HTTP),
    Lie("endless headers", fails(PAGE, raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20)), NO_HTTP),
    Lie("an impossible length", fails(PAGE, headers={"Content-Length": "-3"}), NO_HTTP),
    Lie("two lengths", fails(PAGE, headers={"Content-Length": "3, 4"}), f"{BROKE}the answer has two lengths"),
    Lie(
        "too short a length",
        fails(PAGE, headers={"Content-Length": "50"}),
        "{page}: the index answered with unusable JSON: Input data was truncated",
    ),
    Lie(
        "too great a length",
        fails(PAGE, headers={"Content-Length": "999"}),
        CUT,
    ),
    Lie("no length", fails(PAGE, headers=UNENDED)),
    Lie(
        "no length, and a break",
        fails(PAGE, headers=UNENDED, cut=300),
        "{page}: the index answered with unusable JSON: Input data was truncated",
    ),
    Lie("no length, HTML", fails(PAGE, headers=UNENDED), before=HTML_PAGES),
    Lie(
        "no length, and a break, HTML",
        fails(PAGE, headers=UNENDED, cut=-14),
        "{page}: the page is cut off",
        before=HTML_PAGES,
    ),
    Lie(
        "too short a length, HTML",
        fails(PAGE, headers={"Content-Length": "150"}),
        "{page}: the page is cut off",
        before=HTML_PAGES,
    ),
    Lie(
        "broken chunks",
        fails(PAGE, raw=RESPONSE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        NO_HTTP,
    ),
    *(
        Lie(title, fails(PAGE, raw=RESPONSE + b"Transfer-Encoding: chunked\r\n\r\n" + chunks), reason)
        for title, chunks, reason in (
            ("a chunk of less than nothing", b"-1\r\n{}\r\n0\r\n\r\n", NO_HTTP),
            ("a chunk of five less than nothing", b"-5\r\n{}\r\n0\r\n\r\n", NO_HTTP),
            ("a chunk whose size is cut off", b"2\r\n{}\r\n0000", NO_HTTP),
            ("chunks that break off", b"2\r\n{}\r\n", CUT),
            ("trailers without end", b"0\r\n" + b"a: b\r\n" * 5000, NO_HTTP),
        )
    ),
    Lie("a coding that there is not", fails(PAGE, headers={"Transfer-Encoding": "bogus"}), NO_HTTP),
    Lie(
        "too few chunks",
        fails(PAGE, raw=RESPONSE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        CUT,
    ),
    Lie("one gzip", packs()),
    Lie("a gzip of two parts", packs(lambda body: gzip.compress(body[:99]) + gzip.compress(body[99:]))),
    Lie("no gzip", packs(lambda body: body), "{page}: the answer cannot be unpacked: it is not gzip, as it says"),
    Lie(
        "half a gzip",
        packs(lambda body: gzip.compress(body)[:-9]),
        "{page}: the answer cannot be unpacked: it is cut off",
    ),
    Lie(
        "half a gzip, HTML",
        packs(lambda body: gzip.compress(body)[:-9]),
        "{page}: the answer cannot be unpacked: it is cut off",
        before=HTML_PAGES,
    ),
    Lie(
        "an encoding nobody asked for",
        packs(encoding="br"),
        "{page}: the answer cannot be unpacked: it is packed in a way that was not asked for",
    ),
]

BY_STATUS = [
    Lie("500 at first", fails(PAGE, status=500, times=1)),
    Lie("500", fails(PAGE, status=500), "{page}: the index answered 500"),
    Lie(
        "500 and broken gzip",
        fails(PAGE, status=500, body=b"x", headers={"Content-Encoding": "gzip"}),
        "{page}: the index answered 500",
    ),
    Lie(
        "400 that breaks off",
        fails(PAGE, status=400, body=b"x" * 99, cut=9),
        CUT,
    ),
    *(
        Lie(
            f"429 and Retry-After: {after[:30]}",
            fails(PAGE, status=429, headers={"Retry-After": after}),
            "{page}: the index asks to be asked less often (429)",
        )
        for after in (
            "0",
            "86400",
            "9" * 400,
            "soon",
            "-1",
            "\xb2",
            "\u0663".encode().decode("latin-1"),
            date(2999),
            date(1999),
            "Fri, 31 Dec 99999 23:59:59 GMT",
            "",
        )
    ),
    Lie("429 at first, Retry-After: 0", fails(PAGE, status=429, headers={"Retry-After": "0"}, times=1)),
    Lie("503 at first, Retry-After: a date", fails(PAGE, status=503, headers={"Retry-After": date(1999)}, times=1)),
    Lie("401", fails(PAGE, status=401), "{page}: the index asks for other credentials (401)"),
    Lie("403", fails(PAGE, status=403), "{page}: the index refused access (403)"),
    Lie(
        "403 with a page of files",
        fails(PAGE, status=403, body=b'{"meta": {"api-version": "1.0"}, "files": []}', content_type=JSON),
        "{page}: the index refused access (403)",
    ),
    *(
        Lie(str(status), fails(PAGE, status=status), f"{{page}}: the index answered {status}")
        for status in (202, 204, 206, 302, 304, 418, 451, 501, 999)
    ),
    Lie("a redirect to itself", fails(PAGE, status=302, headers={"Location": PAGE}), "{page}: too many redirects"),
    Lie(
        "a redirect to nowhere",
        fails(PAGE, status=301, headers={"Location": "http://127.0.0.1:1/"}),
        "http://127.0.0.1:1: the connection failed: connection refused",
    ),
    Lie(
        "a redirect to a file",
        fails(PAGE, status=301, headers={"Location": "file:///etc/passwd"}),
        "{page}: redirected to an address that cannot be read",
    ),
    Lie(
        "a redirect to another protocol",
        fails(PAGE, status=301, headers={"Location": "ftp://host.example/"}),
        "{page}: redirected to an address that cannot be read",
    ),
    Lie(
        "a redirect to control characters",
        fails(PAGE, status=301, headers={"Location": "/\x01\x1b[31m"}),
        "{page}: redirected to an address that cannot be read",
    ),
    Lie(
        "a redirect in a circle",
        both(
            fails(PAGE, status=307, headers={"Location": "/elsewhere/"}),
            fails("/elsewhere/", status=308, headers={"Location": PAGE}),
        ),
        "too many redirects",
    ),
]

SAID = [
    Lie("a login page", fails(PAGE, body=b"<html><form>User <input></form><a href='/help'>Help</a></html>"), NO_LIST),
    Lie(
        "a login page that is called JSON",
        fails(PAGE, body=b"<html></html>", content_type=JSON),
        "{page}: the index answered with unusable JSON: JSON is malformed: invalid character (byte 0)",
    ),
    Lie("nothing", fails(PAGE, body=b""), NO_LIST),
    Lie(
        "nothing that is called JSON",
        fails(PAGE, body=b"", content_type=JSON),
        "{page}: the index answered with unusable JSON: Input data was truncated",
    ),
    Lie("JSON that is called HTML", fails(PAGE, content_type=HTML), NO_LIST),
    Lie(
        "JSON of no type",
        fails(PAGE, headers={"Content-Type": None}),
        "{page}: the index answered with content of no type, not with a list of files",
    ),
    Lie(
        "JSON as bytes",
        fails(PAGE, content_type="application/octet-stream"),
        "{page}: the index answered with application/octet-stream, not with a list of files",
    ),
    Lie(
        "JSON that is not UTF-8",
        fails(PAGE, edit=lambda body: body.replace(b"app-", b"\xffpp-")),
        "{page}: the index answered with unusable JSON: ",
    ),
    Lie(
        "HTML that is not UTF-8",
        fails(PAGE, edit=lambda body: body.replace(b"app-", b"\xffpp-")),
        "{page}: the index answered with HTML that is not UTF-8",
        before=HTML_PAGES,
    ),
    Lie(
        "JSON that is nested without end",
        fails(PAGE, body=b'{"meta": ' + b'{"a":' * 200_000, content_type=JSON),
        "{page}: the index answered with unusable JSON: ",
    ),
    Lie(
        "another version of the protocol",
        edits(lambda page: page["meta"].update({"api-version": "2.0"})),
        "{page}: the index speaks version 2.0 of the Simple API, not 1",
    ),
    Lie(
        "the page of another package",
        edits(lambda page: page.update(name="other")),
        "{page}: the index answered with the page of other",
    ),
    Lie(
        "the page of another package, whole",
        fails(PAGE, status=302, headers={"Location": "/simple/tool/"}),
        "{page}: the index answered with the page of tool",
    ),
    Lie(
        "the page of another package, HTML",
        fails(PAGE, status=302, headers={"Location": "/simple/tool/"}),
        "{page}: the index answered with the page of tool",
        before=HTML_PAGES,
    ),
    Lie(
        "a file listed twice, with other contents",
        edits(twice),
        f"{{page}}: the index lists {WHEEL} twice, and not alike",
    ),
    Lie("a file listed twice, alike", edits(lambda page: page.update(files=page["files"] * 2))),
    Lie(
        "no list of files",
        edits(lambda page: page.pop("files")),
        "{page}: the index answered with unusable JSON: Object missing required field `files`",
    ),
    Lie(
        "a file without an address",
        edits(lambda page: page["files"][0].pop("url")),
        "{page}: the index answered with unusable JSON: Object missing required field `url` - at `$.files[0]`",
    ),
    Lie("304 for what is known", fails(PAGE, status=304), known=True),
    Lie("a tag that never fits", fails(PAGE, headers={"ETag": '"new"'}), known=True),
    Lie("a tag that cannot be", fails(PAGE, headers={"ETag": '"\xe9'}), known=True),
    Lie("a known page that never comes", fails(PAGE, delay=60), f"{{page}}: {NEVER}", known=True),
    Lie("a known page that is a login page now", fails(PAGE, body=b"<html>"), NO_LIST, known=True),
    Lie("everything known and nothing served", fails("*", status=500), "{page}: the index answered 500", known=True),
]

DOCUMENTS = [
    Lie(
        "other metadata",
        fails(DOCUMENT, body=OTHER_DOCUMENT),
        f"the metadata file of {WHEEL} does not have the hash that the index lists",
    ),
    Lie(
        "other metadata since the page was read",
        fails(DOCUMENT, edit=lambda body: body.replace(b"lib>=2", b"lib>=1")),
        f"the metadata file of {WHEEL} does not have the hash that the index lists",
    ),
    Lie(
        "another hash of metadata in the page",
        edits(lambda page: page["files"][0].update({"core-metadata": {"sha256": "0" * 64}})),
        f"the metadata file of {WHEEL} does not have the hash that the index lists",
    ),
    Lie(
        "a login page for metadata",
        fails(DOCUMENT, body=b"<html>log in</html>"),
        f"the metadata file of {WHEEL} does not have the hash that the index lists",
    ),
    Lie(
        "a login page for metadata without hash",
        both(
            edits(lambda page: page["files"][0].update({"core-metadata": True})),
            fails(DOCUMENT, body=b"<html>log in</html>"),
        ),
        "its metadata is about no package",
    ),
    Lie(
        "metadata of another package",
        both(
            edits(lambda page: page["files"][0].update({"core-metadata": True})),
            fails(DOCUMENT, body=artifacts.core_metadata("tool", "1.0")),
        ),
        "its metadata is about tool",
    ),
    Lie(
        "metadata of another version",
        both(
            edits(lambda page: page["files"][0].update({"core-metadata": True})),
            fails(DOCUMENT, body=artifacts.core_metadata("app", "2.0")),
        ),
        "its metadata is about version 2.0",
    ),
    Lie(
        "metadata without hash that may be cut off",
        both(
            edits(lambda page: page["files"][0].update({"core-metadata": True})),
            fails(DOCUMENT, headers=UNENDED, cut=45),
        ),
    ),
    Lie("metadata that breaks off", fails(DOCUMENT, cut=20), "the answer is cut off"),
    Lie("metadata that never comes", fails(DOCUMENT, delay=60), NEVER),
    Lie(
        "metadata that is 17 MB",
        fails(DOCUMENT, edit=lambda body: body + b" " * (17 << 20)),
        "the answer is larger than 16777216 bytes",
    ),
    Lie(
        "metadata that unpacks to 17 MB",
        fails(DOCUMENT, edit=lambda _: BOMB, headers={"Content-Encoding": "gzip"}),
        "the answer is larger than 16777216 bytes",
    ),
    *(
        Lie(f"metadata that is announced and answers {status}", fails(DOCUMENT, status=status))
        for status in (404, 410, 403, 500)
    ),
]

WHEELS = [
    *(
        Lie(f"ranges: {ranges}", has(ranges=ranges), before=PLAIN)
        for ranges in ("ignored", "no-suffix", "refused", "short", "bare", "shifted")
    ),
    *(
        Lie(f"ranges: {ranges}, sizes unknown", both(has(ranges=ranges), without("size")), before=PLAIN)
        for ranges in ("yes", "no-suffix", "refused", "short", "bare", "shifted")
    ),
    Lie("another range than it says", fails(FILE, headers={"Content-Range": "bytes 0-9/10"}), before=PLAIN),
    Lie("a range of endless size", fails(FILE, headers={"Content-Range": f"bytes 0-9/{'9' * 5000}"}), before=PLAIN),
    Lie("a range of no size", fails(FILE, headers={"Content-Range": "bytes 0-9/*"}), before=PLAIN),
    Lie("a range that is no range", fails(FILE, headers={"Content-Range": "bytes */99"}), before=PLAIN),
    Lie(
        "several ranges",
        fails(
            FILE,
            status=206,
            body=b"--x\r\nContent-Range: bytes 0-1/9\r\n\r\nPK\r\n--x--",
            content_type="multipart/byteranges; boundary=x",
        ),
        f"{WHEEL}: the server answered 206",
        before=PLAIN,
    ),
    *(
        Lie(f"a wheel that answers {status}", fails(FILE, status=status), f"{WHEEL}: {words}", before=PLAIN)
        for status, words in (
            (404, "the server answered 404"),
            (410, "the server answered 410"),
            (403, "the server refused access (403)"),
            (401, "the server asks for other credentials (401)"),
            (500, "the server answered 500"),
        )
    ),
    Lie(
        "another wheel",
        stores(WHEEL, OTHER_WHEEL),
        f"{WHEEL} does not have the hash that is stated for it",
        before=PLAIN,
    ),
    Lie(
        "another wheel, whole",
        stores(WHEEL, OTHER_WHEEL),
        f"{WHEEL} does not have the hash that is stated for it",
        before=both(PLAIN, has(ranges="ignored")),
    ),
    Lie(
        "another hash of a wheel in the page",
        both(has(ranges="ignored"), edits(lambda page: page["files"][0].update(hashes={"sha256": "0" * 64}))),
        f"{WHEEL} does not have the hash that is stated for it",
        before=PLAIN,
    ),
    Lie(
        "a login page for a wheel",
        fails(FILE, body=b"<html>"),
        f"{WHEEL} does not have the hash that is stated for it",
        before=PLAIN,
    ),
    Lie(
        "a login page for a wheel without hash",
        both(without("hashes", "size"), fails(FILE, body=b"<html>")),
        f"{WHEEL}: the wheel is not a zip archive",
        before=PLAIN,
    ),
    Lie("a wheel that breaks off", fails(FILE, cut=99), "the answer is cut off", before=PLAIN),
    Lie(
        "half a wheel without hash",
        both(without("hashes", "size"), fails(FILE, headers=UNENDED, cut=300), has(ranges="ignored")),
        f"{WHEEL}: the wheel is not a zip archive",
        before=PLAIN,
    ),
    Lie("a wheel that never comes", fails(FILE, delay=60), NEVER, before=PLAIN),
    Lie(
        "a wheel with a flipped bit, without hash",
        both(without("hashes"), fails(FILE, edit=flipped)),
        f"{WHEEL}: the wheel is a broken zip archive",
        before=PLAIN,
    ),
    Lie(
        "a wheel of another package, without hash",
        both(without("hashes", "size"), stores(WHEEL, artifacts.wheel("tool", "1.0"))),
        f"{WHEEL}: the wheel has no metadata of this package",
        before=PLAIN,
    ),
    Lie(
        "a wheel of another version, without hash",
        both(without("hashes", "size"), stores(WHEEL, artifacts.wheel("app", "2.0"))),
        "its metadata is about version 2.0",
        before=PLAIN,
    ),
    Lie(
        "a redirect to a wheel",
        both(fails(FILE, status=302, headers={"Location": "/elsewhere"}), fails("/elsewhere", status=404)),
        f"{WHEEL}: the server answered 404",
        before=PLAIN,
    ),
]

SDIST = artifacts.sdist_filename("app", "1.0")
SDISTS = [
    Lie(
        "another sdist",
        stores(SDIST, artifacts.sdist("app", "1.0")),
        f"{SDIST} does not have the hash that is stated for it",
        before=sdist_only,
    ),
    Lie(
        "a sdist that is gone",
        fails(f"/files/{SDIST}", status=410),
        f"{SDIST}: the server answered 410",
        before=sdist_only,
    ),
    Lie("a sdist that breaks off", fails(f"/files/{SDIST}", cut=99), "the answer is cut off", before=sdist_only),
    Lie("a sdist that never comes", fails(f"/files/{SDIST}", delay=60), NEVER, before=sdist_only),
    Lie(
        "half a sdist",
        fails(f"/files/{SDIST}", headers=UNENDED, cut=99),
        f"{SDIST} does not have the hash that is stated for it",
        before=sdist_only,
    ),
    Lie(
        "half a sdist without hash",
        both(without("hashes"), fails(f"/files/{SDIST}", headers=UNENDED, cut=99)),
        f"{SDIST}: it is not a readable archive",
        before=sdist_only,
    ),
    Lie(
        "half a sdist without hash, not packed",
        both(
            without("hashes"), fails(f"/files/{SDIST}", headers=UNENDED, edit=lambda data: gzip.decompress(data)[:700])
        ),
        f"{SDIST}: it is not a readable archive",
        before=sdist_only,
    ),
    Lie(
        "a login page for a sdist without hash",
        both(without("hashes"), fails(f"/files/{SDIST}", body=b"<html>")),
        f"{SDIST}: it is not a readable archive",
        before=sdist_only,
    ),
]

LIES = [*ON_THE_WAY, *BY_STATUS, *SAID, *DOCUMENTS, *WHEELS, *SDISTS]


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer(PACKAGES, metadata_files=True) as server:
        yield server


def checked(index: IndexServer, folder: Path, *, cache: bool = True) -> Report:
    return run(folder, (index.url_with_login,), {"one.txt": "app", "two.txt": "tool"}, cache=cache)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.title)
def test_after_each_lie_the_answer_is_right_or_undecided_and_the_cache_whole(
    index: IndexServer, lie: Lie, tmp_path: Path
) -> None:
    lie.before(index)
    right = checked(index, tmp_path, cache=False)
    assert (right.verdict, len(right.clashes)) == (Verdict.SPLIT, 1)
    if lie.known:
        index.max_age = 0
        assert shown(checked(index, tmp_path)) == shown(right)
    healthy = dict(vars(index))
    lie.setup(index)
    report = checked(index, tmp_path)
    if lie.reason:
        reason = lie.reason.format(root=index.root, page=f"{index.url}/app/")
        assert (report.verdict, report.clashes) == (Verdict.UNDECIDED, ())
        assert f": {reason}" in doubt(report)
    else:
        assert shown(report) == shown(right)
    assert not any("cache" in note.message for note in report.diagnostics)
    vars(index).update(healthy)
    index.faults.clear()
    assert shown(checked(index, tmp_path)) == shown(right)
