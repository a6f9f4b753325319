from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from index_server import Fault, IndexServer
from packaging.utils import canonicalize_name

from conflictcheck.errors import CacheError
from conflictcheck.facts import File, Listing, Metadata, Missing, Unknown
from conflictcheck.index import open_index
from conflictcheck.index.base import MetadataRequest
from conflictcheck.index.cache import Cache, StoredPage
from conflictcheck.index.compiled import CompiledError, decode_page, encode_page
from conflictcheck.index.links import Link, LinkPage
from conflictcheck.index.memory import Rel
from conflictcheck.index.simple_api import Page
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conflictcheck.index.base import Index

A, NO = canonicalize_name("a"), canonicalize_name("no-such")
NOT_CACHED = Unknown("not in the cache, and --offline was given")


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer({"a": {"1": ["b"], "2": Rel(sdist=True, yanked="why")}}) as server:
        yield server


def run(server: IndexServer, folder: Path, **options: Any) -> tuple[Any, Any, Any]:
    """What one run gets: two listings, and the metadata of the first release."""
    index = open_index(IndexSettings((server.url,), cache_dir=folder, **options), Progress())
    a, no = index.listings([A, NO])
    found: Any = None
    if isinstance(a, Listing):
        [found] = index.metadata([MetadataRequest(A, "1", a.files[:1])])
    index.close()
    return a, no, found


def test_a_second_run_asks_for_nothing_and_gets_the_same(server: IndexServer, tmp_path: Path) -> None:
    first = run(server, tmp_path)
    asked = server.requests.copy()
    assert run(server, tmp_path) == run(server, tmp_path, offline=True) == first
    assert first[1] == Missing("no-such")
    assert server.requests == asked
    assert sum(asked.values()) == 3


def test_a_page_that_is_not_fresh_is_asked_for_again_and_not_sent_again(server: IndexServer, tmp_path: Path) -> None:
    server.max_age = 0
    first = run(server, tmp_path)
    assert run(server, tmp_path) == first
    assert server.requests["/simple/a/"] == 2
    assert server.headers["/simple/a/"]["if-none-match"].startswith('"')
    server.add("a", "3", Rel())
    a, _, _ = run(server, tmp_path)
    assert [file.version for file in a.files] == ["1", "2", "2", "3"]


def test_a_page_that_was_read_is_known_by_what_was_read_whoever_stores_another_meanwhile(
    server: IndexServer, tmp_path: Path
) -> None:
    def stamped(index: Index) -> object:
        index.listings([A])
        return index.stamps([A])

    def opened(**options: Any) -> Index:
        return open_index(IndexSettings((server.url,), cache_dir=tmp_path, **options), Progress())

    server.max_age = 3600
    with closing(opened()) as sent:
        first = stamped(sent)
        with closing(opened(offline=True)) as taken:
            sent.problems  # noqa: B018 - writes what waits
            assert stamped(taken) == first
            server.add("a", "3", Rel())
            with closing(opened(refresh=True)) as other:
                assert stamped(other) != first
            assert stamped(sent) == stamped(taken) == first


def test_refresh_asks_again_however_fresh_a_page_is(server: IndexServer, tmp_path: Path) -> None:
    server.max_age = 3600
    run(server, tmp_path)
    server.add("a", "3", Rel())
    assert len(run(server, tmp_path)[0].files) == 3
    assert len(run(server, tmp_path, refresh=True)[0].files) == 4


def test_offline_takes_what_is_old_and_knows_nothing_of_the_rest(server: IndexServer, tmp_path: Path) -> None:
    server.max_age = 0
    first = run(server, tmp_path)
    assert run(server, tmp_path, offline=True) == first
    assert run(server, tmp_path / "other", offline=True) == (NOT_CACHED, NOT_CACHED, None)
    index = open_index(IndexSettings((server.url,), cache_dir=tmp_path, offline=True), Progress())
    assert index.metadata([MetadataRequest(A, "2", first[0].files[1:])]) == [NOT_CACHED]


def test_what_is_unknown_is_not_kept(server: IndexServer, tmp_path: Path) -> None:
    server.faults["/simple/a/"] = Fault(status=403, times=1)
    assert isinstance(run(server, tmp_path)[0], Unknown)
    assert isinstance(run(server, tmp_path)[0], Listing)


def test_a_page_that_must_not_be_stored_is_not(server: IndexServer, tmp_path: Path) -> None:
    server.faults["/simple/*"] = Fault(headers={"Cache-Control": "no-store"})
    run(server, tmp_path)
    assert run(server, tmp_path, offline=True)[0] == NOT_CACHED


def test_credentials_do_not_get_into_the_cache(server: IndexServer, tmp_path: Path) -> None:
    server.login = ("user", "secret")
    index = open_index(IndexSettings((server.url_with_login,), cache_dir=tmp_path), Progress())
    assert isinstance(index.listings([A])[0], Listing)
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["garbage", "empty", "zeros", "cut", "other version", "other tables"])
def test_a_damaged_cache_is_emptied_and_gives_no_wrong_answers(
    server: IndexServer, tmp_path: Path, damage: str
) -> None:
    first = run(server, tmp_path)
    path = tmp_path / "cache.sqlite3"
    data = path.read_bytes()
    if damage.startswith("other"):
        with sqlite3.connect(path) as connection:
            if damage == "other version":
                connection.execute("PRAGMA user_version = 999")
            else:
                connection.execute("DROP TABLE metadata")
        connection.close()
    else:
        path.write_bytes({"garbage": b"x" * 9999, "empty": b"", "zeros": bytes(len(data)), "cut": data[:4096]}[damage])
    asked = sum(server.requests.values())
    assert run(server, tmp_path) == first
    assert sum(server.requests.values()) == asked + 3
    assert run(server, tmp_path, offline=True) == first


@pytest.mark.parametrize("table", ["pages", "metadata"])
@pytest.mark.parametrize("column", ["data", "checksum", "key"])
def test_a_row_that_has_changed_is_as_if_it_were_not_there(
    server: IndexServer, tmp_path: Path, table: str, column: str
) -> None:
    first = run(server, tmp_path)
    with sqlite3.connect(tmp_path / "cache.sqlite3") as connection:
        for key, data in connection.execute(f"SELECT key, data FROM {table}").fetchall():
            value = data[:-1] + bytes([data[-1] ^ 1]) if column == "data" else 5 if column == "checksum" else key + "x"
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE key = ?", (value, key))
    connection.close()
    a, _, found = run(server, tmp_path, offline=True)
    assert (a if table == "pages" else found) == NOT_CACHED
    assert run(server, tmp_path) == first


def test_every_flipped_bit_of_a_file_leaves_the_answers_right(server: IndexServer, tmp_path: Path) -> None:
    first = run(server, tmp_path)
    path = tmp_path / "cache.sqlite3"
    whole = path.read_bytes()
    for at in range(16, len(whole), len(whole) // 60):
        broken = bytearray(whole)
        broken[at] ^= 0x41
        path.write_bytes(broken)
        assert run(server, tmp_path) == first


def test_a_folder_that_cannot_be_used_is_done_without(server: IndexServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    index = open_index(IndexSettings((server.url,), cache_dir=tmp_path / "file"), Progress())
    assert isinstance(index.listings([A])[0], Listing)
    [problem] = index.problems
    assert problem.startswith(f"the cache {tmp_path / 'file' / 'cache.sqlite3'} cannot be used: ")
    with pytest.raises(CacheError, match="cannot be emptied"):
        Cache.open(tmp_path / "file").clear()


def test_a_full_disk_is_noticed_and_what_is_there_is_still_read(tmp_path: Path) -> None:
    cache = Cache.open(tmp_path)
    cache.put_page("a", StoredPage("", "", 0, b"x"))
    cache.flush()
    assert cache._database._connection is not None  # noqa: SLF001 - there is no other way to fill a disk
    cache._database._connection.execute("PRAGMA max_page_count = 1")  # noqa: SLF001
    cache.put_page("b", StoredPage("", "", 0, bytes(100_000)))
    cache.flush()
    assert cache.problems == [f"the cache {tmp_path / 'cache.sqlite3'} cannot be written: database or disk is full"]
    assert cache.pages(["a", "b"]) == {"a": StoredPage("", "", 0, b"x")}


def test_a_cache_says_what_is_in_it_and_can_be_emptied(server: IndexServer, tmp_path: Path) -> None:
    run(server, tmp_path)
    cache = Cache.open(tmp_path)
    info = cache.info()
    assert (info.path, info.listings, info.metadata) == (tmp_path / "cache.sqlite3", 2, 1)
    cache.put_page("big", StoredPage("", "", 0, os.urandom(500_000)))
    cache.flush()
    assert cache.clear() > 400_000
    assert (cache.info().listings, cache.info().metadata) == (0, 0)
    cache.close()
    assert run(server, tmp_path, offline=True) == (NOT_CACHED, NOT_CACHED, None)


def test_a_process_that_is_killed_while_it_writes_leaves_the_cache_whole(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from conflictcheck.index.cache import *\n"
        "cache = Cache.open(Path(sys.argv[1]))\n"
        "for n in range(10**6):\n"
        "    cache.put_page(f'k{n}', StoredPage('', '', 0, b'x' * 5000))\n"
        "    if n == 200: print('ready', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
    cache = Cache.open(tmp_path)
    assert cache.pages(["k0", "k50"]) == dict.fromkeys(["k0", "k50"], StoredPage("", "", 0, b"x" * 5000))
    assert cache.problems == []


def test_processes_share_a_cache(tmp_path: Path) -> None:
    one, other = Cache.open(tmp_path), Cache.open(tmp_path)
    for number in range(20):
        (one if number % 2 else other).put_metadata(f"k{number}", Metadata("a", str(number)))
    one.flush()
    other.flush()
    keys = [f"k{number}" for number in range(20)]
    assert one.metadata(keys) == other.metadata(keys) == {k: Metadata("a", str(n)) for n, k in enumerate(keys)}


def test_what_waits_to_be_written_is_read_all_the_same_and_is_there_for_others_once_the_cache_is_closed(
    tmp_path: Path,
) -> None:
    cache, other = Cache.open(tmp_path), Cache.open(tmp_path)
    cache.put_metadata("k", Metadata("a", "1"))
    assert other.metadata(["k"]) == {}
    assert cache.metadata(["k"]) == {"k": Metadata("a", "1")}
    cache.put_metadata("l", Metadata("a", "2"))
    cache.close()
    assert other.metadata(["k", "l"]) == {"k": Metadata("a", "1"), "l": Metadata("a", "2")}


FILES = (
    File("a-1.whl", "https://x.example/1/a-1.whl", "1", "py3-none-any", index="i"),
    File("a-2.whl", "https://x.example/2/a-2.whl", "2", "t", "1", ">=3", "", "2024", ("h",), 7, "m", "i"),
)


@pytest.mark.parametrize(
    "page",
    [
        Page(FILES, ("x",)),
        Page(FILES[:1]),
        Page(()),
        Missing("a"),
        LinkPage("u", [Link("a-1.whl", "u/a-1.whl", size=3)]),
    ],
)
def test_what_is_compiled_comes_back_as_it_was(page: Any) -> None:
    assert decode_page(encode_page(page)) == page


def test_bytes_that_were_never_compiled_are_refused() -> None:
    for data in (b"", b"\xc1", encode_page(Page(FILES))[:-3], b"\x93\x01\x02\x03"):
        with pytest.raises(CompiledError):
            decode_page(data)
