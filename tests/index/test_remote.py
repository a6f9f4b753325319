from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from index_server import JSON, Fault, IndexServer
from packaging.utils import canonicalize_name

from conflictcheck.errors import UsageError
from conflictcheck.facts import Listing, Metadata, Missing, Unknown
from conflictcheck.index import default_index_url, open_index
from conflictcheck.index.base import Index, MetadataRequest
from conflictcheck.index.http_client import redirected
from conflictcheck.index.memory import Rel
from conflictcheck.index.simple_api import ACCEPT
from conflictcheck.index.transport import FetchError
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from index_server import Ranges

A, B, NO = canonicalize_name("a"), canonicalize_name("b"), canonicalize_name("no-such")
REL = Rel(requires=["b>=1", "c; extra == 'x'"], requires_python=">=3.9", extras=("X",))


def opened(*urls: str, **options: Any) -> Index:
    return open_index(IndexSettings(urls, **options), Progress())


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer({"a": {"1.0": [], "1.10": REL, "1.9": []}, "b": {"1": []}}) as server:
        yield server


def metadata_of(index: Index, name: Any = A, version: str = "1.10") -> Metadata | Unknown:
    [listing] = index.listings([name])
    assert isinstance(listing, Listing)
    files = tuple(file for file in listing.files if file.version == version)
    return index.metadata([MetadataRequest(name, version, files)])[0]


@pytest.mark.parametrize("form", ["json", "html"])
def test_the_files_of_a_package_are_listed_oldest_first_whatever_form_the_index_speaks(
    index: IndexServer, form: Any
) -> None:
    index.form = form
    a, no = opened(index.url).listings([A, NO])
    assert isinstance(a, Listing)
    assert [(f.version, f.tags, f.requires_python) for f in a.files] == [
        ("1.0", "py3-none-any", None),
        ("1.9", "py3-none-any", None),
        ("1.10", "py3-none-any", ">=3.9"),
    ]
    assert a.files[0].url == f"{index.root}/files/a-1.0-py3-none-any.whl"
    assert no == Missing("no-such")


@pytest.mark.parametrize(
    ("ranges", "requests"),
    [("yes", 1), ("ignored", 1), ("no-suffix", 1), ("refused", 2), ("short", 2), ("bare", 2), ("shifted", 2)],
)
def test_metadata_is_read_from_the_wheel_however_the_server_treats_ranges(
    index: IndexServer, ranges: Ranges, requests: int
) -> None:
    index.ranges = ranges
    assert metadata_of(opened(index.url)) == Metadata(
        "a", "1.10", ("b>=1", "c; extra == 'x'"), ">=3.9", ("x",), "wheel", "a-1.10-py3-none-any.whl"
    )
    assert index.requests["/files/a-1.10-py3-none-any.whl"] == requests


def test_a_metadata_file_is_taken_where_the_index_has_one(index: IndexServer) -> None:
    index.metadata_files = True
    found = metadata_of(opened(index.url))
    assert isinstance(found, Metadata)
    assert (found.source, found.requires_dist) == ("metadata-file", ("b>=1", "c; extra == 'x'"))
    assert index.requests["/files/a-1.10-py3-none-any.whl"] == 0


def test_a_metadata_file_that_is_announced_and_absent_gives_way_to_the_wheel(index: IndexServer) -> None:
    index.metadata_files = True
    index.faults["*.metadata"] = Fault(status=404)
    found = metadata_of(opened(index.url))
    assert isinstance(found, Metadata)
    assert found.source == "wheel"


def test_a_metadata_file_with_another_hash_is_not_believed(index: IndexServer) -> None:
    index.metadata_files = True
    index.faults["*.metadata"] = Fault(body=b"Name: a\nVersion: 1.10\n\n")
    assert metadata_of(opened(index.url)) == Unknown(
        "the metadata file of a-1.10-py3-none-any.whl does not have the hash that the index lists"
    )


def test_a_server_that_ignores_ranges_is_asked_for_whole_files_from_then_on(index: IndexServer) -> None:
    index.ranges = "ignored"
    client = opened(index.url)
    metadata_of(client)
    metadata_of(client, version="1.9")
    assert "range" in index.headers["/files/a-1.10-py3-none-any.whl"]
    assert "range" not in index.headers["/files/a-1.9-py3-none-any.whl"]


def test_a_whole_wheel_must_have_the_hash_that_is_listed(index: IndexServer) -> None:
    index.ranges = "refused"
    index.faults["/files/*"] = Fault(body=b"something else", times=None)
    assert metadata_of(opened(index.url)) == Unknown(
        "a-1.10-py3-none-any.whl does not have the hash that is stated for it"
    )


def test_a_wheel_that_is_not_a_zip_archive_is_unknown(index: IndexServer) -> None:
    index.store("a-3-py3-none-any.whl", b"<html>" * 50, name="a")
    for ranges in ("yes", "ignored"):
        index.ranges = ranges
        assert metadata_of(opened(index.url), version="3") == Unknown(
            "a-3-py3-none-any.whl: the wheel is not a zip archive"
        )


def test_where_one_file_cannot_be_read_the_next_is_tried() -> None:
    with IndexServer({"a": {"1": Rel(requires=["b"], sdist=True)}}) as server:
        server.faults["/files/*.whl"] = Fault(status=404)
        found = metadata_of(opened(server.url), version="1")
        assert found == Metadata("a", "1", ("b",), None, (), "sdist", "a-1.tar.gz")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=403), "{page}: the index refused access (403)"),
        (Fault(status=401), "{page}: the index asks for other credentials (401)"),
        (Fault(status=503, headers={"Retry-After": "0"}), "{page}: the index answered 503"),
        (Fault(status=503, headers={"Retry-After": "86400"}), "{page}: the index answered 503"),
        (Fault(status=400), "{page}: the index answered 400"),
        (Fault(cut=10), "{page}: the connection broke: the answer is cut off"),
        (
            Fault(body=b"<html><a href='/login'>log in</a>"),
            "{page}: the index answered with a page that lists no files",
        ),
        (
            Fault(body=b"hello", content_type="text/plain"),
            "{page}: the index answered with text/plain, not with a list of files",
        ),
        (
            Fault(body=b'{"meta": {"api-version": "2.0"}, "files": []}', content_type="application/json"),
            "{page}: the index speaks version 2.0 of the Simple API, not 1",
        ),
        (
            Fault(body=b"{", content_type="application/vnd.pypi.simple.v1+json"),
            "{page}: the index answered with unusable JSON: Input data was truncated",
        ),
        (
            Fault(body=b'{"meta": {"api-version": "1.0"}, "files": [{"filename": 3}]}', content_type=JSON),
            "{page}: the index answered with unusable JSON: Expected `str`, got `int` - at `$.files[0].filename`",
        ),
        (
            Fault(status=302, headers={"Location": "file:///etc/passwd"}),
            "{page}: redirected to an address that cannot be read",
        ),
        (Fault(status=302, headers={"Location": "http://[x"}), "{page}: redirected to an address that cannot be read"),
        (
            Fault(status=302, headers={"Location": f"http://{'x' * 64}.example/"}),
            "{page}: redirected to an address that cannot be read",
        ),
        (Fault(status=302, headers={"Location": "/simple/a/"}), "{page}: too many redirects"),
    ],
)
def test_what_an_index_gets_wrong_becomes_a_reason(index: IndexServer, fault: Fault, reason: str) -> None:
    index.faults["/simple/a/"] = fault
    a, b = opened(index.url_with_login).listings([A, B])
    assert isinstance(a, Unknown)
    assert a.reason == reason.format(page=f"{index.url}/a/")
    assert isinstance(b, Listing)


def test_a_short_trouble_passes_unnoticed(index: IndexServer) -> None:
    index.faults["/simple/a/"] = Fault(status=503, headers={"Retry-After": "0"}, times=2)
    [a] = opened(index.url).listings([A])
    assert isinstance(a, Listing)
    assert index.requests["/simple/a/"] == 3


def test_a_slow_index_is_not_waited_for(index: IndexServer) -> None:
    index.faults["/simple/a/"] = Fault(delay=1)
    [a] = opened(index.url, timeout=0.1).listings([A])
    assert a == Unknown(f"{index.url}/a/: no answer within 0.1 s")


def test_an_index_that_never_answers_is_given_up_after_a_few_names() -> None:
    names = [canonicalize_name(f"a{number}") for number in range(60)]
    with IndexServer({name: {"1": []} for name in names}) as server:
        server.faults["*"] = Fault(delay=30)
        found = opened(server.url, timeout=0.05).listings(names)
        assert set(found) >= {Unknown(f"{server.root}: no answer within 0.05 s")}
        assert not any(isinstance(answer, Listing) for answer in found)
        assert server.requests[f"/simple/{names[-1]}/"] == 0


def test_an_index_that_is_down_is_given_up_once_for_all_names() -> None:
    with IndexServer({}) as server:
        url = server.url
    a, b = opened(url).listings([A, B])
    assert isinstance(a, Unknown)
    assert a == b
    assert a.reason == f"{url.removesuffix('/simple')}: the connection failed: connection refused"


def test_trouble_with_encryption_is_told_in_words_alone(index: IndexServer) -> None:
    [a] = opened(index.url.replace("http:", "https:")).listings([A])
    assert isinstance(a, Unknown)
    assert ": the connection failed: TLS: " in a.reason
    assert not {"[", "(", "_"} & set(a.reason)


def test_a_redirect_is_followed_and_links_refer_to_where_it_leads(index: IndexServer) -> None:
    [a] = opened(f"{index.root}/old").listings([A])
    assert a == Missing("a")
    index.faults["/old/a/"] = Fault(status=301, headers={"Location": "/simple/a/"})
    [a] = opened(f"{index.root}/old").listings([A])
    assert isinstance(a, Listing)
    assert a.files[0].url == f"{index.root}/files/a-1.0-py3-none-any.whl"


def test_files_of_other_projects_and_versions_that_are_none_are_listed_as_invalid(index: IndexServer) -> None:
    for filename in ("a-2004d.tar.gz", "b-1.0.tar.gz", "a-1.0.exe", "a-1.0-py3.11.egg"):
        index.store(filename, b"", name="a")
    [a] = opened(index.url).listings([A])
    assert isinstance(a, Listing)
    assert a.invalid == ("a-2004d.tar.gz", "b-1.0.tar.gz")


def test_the_files_of_all_indexes_are_merged_and_of_equal_ones_those_of_the_first_are_taken() -> None:
    first = IndexServer({"a": {"1": [], "3": []}})
    second = IndexServer({"a": {"1": [], "2+cpu": []}, "b": {"3": []}})
    with first, second:
        a, b, no = opened(first.url, second.url).listings([A, B, NO])
        assert isinstance(a, Listing)
        assert isinstance(b, Listing)
        assert [(f.version, f.index) for f in a.files] == [("1", first.url), ("2+cpu", second.url), ("3", first.url)]
        assert (a.also_on, a.differs) == ((second.url,), True)
        assert ([f.version for f in b.files], b.also_on, b.differs) == (["3"], (), False)
        assert no == Missing("no-such")


@pytest.mark.parametrize("turned", [False, True])
def test_an_index_with_fewer_of_the_same_files_does_not_differ(*, turned: bool) -> None:
    first, second = IndexServer({"a": {"1": [], "2": []}}), IndexServer({"a": {"1": []}})
    with first, second:
        urls = (second.url, first.url) if turned else (first.url, second.url)
        [a] = opened(*urls).listings([A])
        assert isinstance(a, Listing)
        assert ([f.version for f in a.files], a.also_on, a.differs) == (["1", "2"], urls[1:], False)


def test_indexes_differ_where_one_filename_has_different_contents() -> None:
    first, second = IndexServer({"a": {"1": ["b"]}}), IndexServer({"a": {"1": ["c"]}})
    with first, second:
        [a] = opened(first.url, second.url).listings([A])
        assert isinstance(a, Listing)
        assert ([f.index for f in a.files], a.differs) == ([first.url], True)


def test_an_index_that_cannot_be_asked_leaves_the_package_unknown() -> None:
    first, second = IndexServer({"a": {"1": []}}), IndexServer({"a": {"2": []}})
    with first, second:
        first.faults["/simple/a/"] = Fault(status=403)
        [a] = opened(first.url, second.url).listings([A])
        assert a == Unknown(f"{first.url}/a/: the index refused access (403)")
        [a] = opened(second.url, first.url).listings([A])
        assert a == Unknown(f"{first.url}/a/: the index refused access (403)")


def test_asking_twice_asks_the_server_once(index: IndexServer) -> None:
    client = opened(index.url)
    assert metadata_of(client) == metadata_of(client)
    assert index.requests == {"/simple/a/": 1, "/files/a-1.10-py3-none-any.whl": 1}


def test_a_name_that_is_none_reaches_no_address(index: IndexServer) -> None:
    assert opened(index.url).listings(["../files"]) == [Missing("../files")]  # type: ignore[list-item]
    assert not index.requests


def test_what_is_listed_of_a_file_is_kept(index: IndexServer) -> None:
    index.add("x", "1", Rel(yanked="broken\x1b[31m", upload_time="2024-01-01T02:00:00+02:00"))
    index.add("x", "2", Rel(yanked=""))
    [x] = opened(index.url).listings([canonicalize_name("x")])
    assert isinstance(x, Listing)
    assert [(f.yanked, f.upload_time) for f in x.files] == [
        ("broken\N{REPLACEMENT CHARACTER}[31m", "2024-01-01T00:00:00.000000Z"),
        ("", None),
    ]


def test_progress_is_told_of_each_request(index: IndexServer) -> None:
    told: list[str] = []

    class Told(Progress):
        def fetching(self, label: str) -> None:
            told.append(f"fetching {label}")

        def fetched(self, label: str, *, size: int) -> None:
            told.append(f"fetched {label} {size > 0}")

    client = open_index(IndexSettings((index.url,)), Told())
    metadata_of(client)
    client.close()
    file = "a-1.10-py3-none-any.whl"
    assert told == ["fetching a", "fetched a True", f"fetching {file}", f"fetched {file} True"]


def test_a_redirect_may_not_give_up_encryption() -> None:
    assert redirected("https://a.example/x/", "../y") == "https://a.example/y"
    assert redirected("http://a.example/x", "https://b.example/") == "https://b.example/"
    with pytest.raises(FetchError, match=r"^https://a.example/x: redirected from https to http, which is refused$"):
        redirected("https://a.example/x", "http://a.example/x")


def test_an_interrupt_ends_a_run_that_waits_for_a_server(index: IndexServer) -> None:
    index.faults["/simple/a/"] = Fault(delay=60)
    code = (
        "import signal, sys; from conflictcheck.index import open_index\n"
        # Who starts the tests in the background has their children ignore interrupts.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from conflictcheck.progress import Progress; from conflictcheck.settings import IndexSettings\n"
        "class Told(Progress):\n"
        "    def fetching(self, label): print(label, flush=True)\n"
        "open_index(IndexSettings((sys.argv[1],)), Told()).listings(['a'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, index.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"a\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert errors.endswith(b"KeyboardInterrupt\n")


@pytest.mark.parametrize(
    "url",
    [
        "http://[x",
        "http://user:secret@[x/simple",
        "https://user:secret/with/slash@index.example/simple",
        "http://index.example:port/simple",
        "http:///simple",
        f"http://{'x' * 64}.example/simple",
        "http://a..example/simple",
        "gopher://index.example",
    ],
)
def test_what_is_no_address_of_an_index_is_an_error_that_tells_no_secret(url: str) -> None:
    with pytest.raises(UsageError, match=r"is no address of a package index$") as caught:
        opened(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("urls", "places", "words"),
    [
        ((default_index_url(),), (), "on the package index"),
        (("https://me:secret@index.example/simple/",), (), "on https://index.example/simple"),
        (
            ("https://index.example/simple", default_index_url()),
            (),
            "on https://index.example/simple or the package index",
        ),
        ((), ("https://links.example/",), "in the --find-links places"),
        ((), (), "in the --find-links places, of which there are none"),
    ],
)
def test_where_packages_are_looked_for_is_told_in_words(
    urls: tuple[str, ...], places: tuple[str, ...], words: str
) -> None:
    assert opened(*urls, find_links=places).place == words


def test_certificates_that_cannot_be_used_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: IndexServer
) -> None:
    absent, empty = tmp_path / "absent.pem", tmp_path / "empty.pem"
    empty.write_text("no certificate")
    secure = index.url.replace("http:", "https:")
    for path, message in (
        (absent, "the certificates cannot be read: No such file or directory"),
        (empty, "this file holds no certificates"),
    ):
        with pytest.raises(UsageError) as caught:
            opened(secure, ca_bundle=path).listings([A])
        assert (caught.value.file, caught.value.message) == (str(path), message)
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))
    with pytest.raises(
        UsageError, match=r"^the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: no"
    ):
        opened(secure).listings([A])


def test_certificates_are_not_read_where_nobody_is_asked_by_tls(tmp_path: Path, index: IndexServer) -> None:
    assert isinstance(opened(index.url, ca_bundle=tmp_path / "absent.pem").listings([A])[0], Listing)


@pytest.mark.parametrize("proxy", ["gopher://proxy.example", "http://proxy.example:port"])
def test_a_proxy_that_cannot_be_used_is_an_error(
    proxy: str, monkeypatch: pytest.MonkeyPatch, index: IndexServer
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(UsageError, match=r"^the proxy that the environment names cannot be used; see HTTPS_PROXY$"):
        opened(index.url).listings([A])


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
def test_an_index_is_asked_through_the_proxy_that_the_environment_names(
    name: str, monkeypatch: pytest.MonkeyPatch, index: IndexServer
) -> None:
    monkeypatch.setenv(name, index.root.replace("://", "://me:secret@"))
    index.prefix = "http://index.example"
    [a] = opened("http://index.example/simple").listings([A])
    assert isinstance(a, Listing)
    assert index.targets == ["http://index.example/simple/a/"]
    assert index.headers["/simple/a/"]["proxy-authorization"] == "Basic bWU6c2VjcmV0"
    assert index.headers["/simple/a/"]["accept"] == ACCEPT


def test_a_proxy_that_says_nothing_is_late_and_not_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("https_proxy", f"https://127.0.0.1:{silent.getsockname()[1]}")
        [a] = opened("https://index.example/simple", timeout=0.2, retries=0).listings([A])
    assert a == Unknown("https://index.example/simple/a/: no answer within 0.2 s")


@pytest.mark.parametrize("exception", ["127.0.0.1", "localhost, 127.0.0.1", "*"])
def test_a_proxy_is_not_asked_for_hosts_that_the_environment_excepts(
    exception: str, monkeypatch: pytest.MonkeyPatch, index: IndexServer
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    [a] = opened(index.url, backoff=0.0).listings([A])
    assert a == Unknown(f"{index.root}: the connection to the proxy failed: connection refused")
    monkeypatch.setenv("no_proxy", exception)
    [a] = opened(index.url).listings([A])
    assert isinstance(a, Listing)


PAGE = b'{"meta": {"api-version": "1.0"}, "files": [{"filename": "a-1.tar.gz", "url": "a-1.tar.gz", "hashes": {}}]}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.pypi.simple.v1+json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(PAGE)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH + b"\r\n" + PAGE,
        OK + LENGTH + LENGTH + b"\r\n" + PAGE,
        OK + b"Transfer-Encoding: chunked\r\n\r\n%X;a=b\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n" % (len(PAGE), PAGE),
    ],
    ids=["announced", "two equal lengths", "chunks with extensions and trailers"],
)
def test_what_http_allows_is_understood(raw: bytes, index: IndexServer) -> None:
    index.faults["/simple/a/"] = Fault(raw=raw)
    [a] = opened(index.url, timeout=5.0).listings([A])
    assert isinstance(a, Listing)
    assert [file.filename for file in a.files] == ["a-1.tar.gz"]


def test_a_redirect_in_utf_8_is_followed_as_it_is_meant(index: IndexServer) -> None:
    index.faults["/simple/a/"] = Fault(status=301, headers={"Location": "/sïmple/".encode().decode("latin-1")})
    opened(index.url).listings([A])
    assert index.targets[-1] == "/s%C3%AFmple/"


def test_one_connection_serves_answers_of_any_kind(index: IndexServer, tmp_path: Path) -> None:
    index.faults["/simple/broken/"] = Fault(status=403, body=b"no")
    asked = opened(index.url, cache_dir=tmp_path)
    for name in (A, NO, canonicalize_name("broken"), B):
        asked.listings([name])
    assert len(index.requests) == 4
    assert index.connections == 1


def test_a_cached_page_with_an_odd_tag_is_asked_for_again(index: IndexServer, tmp_path: Path) -> None:
    index.faults["/simple/a/"] = Fault(headers={"ETag": '"\N{LATIN SMALL LETTER E WITH ACUTE}"'})
    for _ in range(2):
        [a] = opened(index.url, cache_dir=tmp_path, refresh=True).listings([A])
        assert isinstance(a, Listing)
