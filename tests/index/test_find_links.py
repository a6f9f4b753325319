from __future__ import annotations

import errno
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from artifacts import core_metadata, sdist, wheel
from index_server import Fault, IndexServer
from packaging.utils import canonicalize_name

from conflictcheck.errors import UsageError
from conflictcheck.facts import Listing, Metadata, Missing, Unknown
from conflictcheck.fingerprints import fingerprint
from conflictcheck.index import open_index, pages
from conflictcheck.index.base import MetadataRequest
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    import os

    from conflictcheck.index.links import LinkPage

A, B = canonicalize_name("a"), canonicalize_name("b")
WHEEL = "a-1.0-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my wheels"
    folder.mkdir()
    (folder / WHEEL).write_bytes(wheel("a", "1.0", requires=["b"]))
    (folder / "a-0.9.tar.gz").write_bytes(sdist("a", "0.9", requires=["c"]))
    (folder / "a_b-7-py3-none-any.whl").write_bytes(wheel("a_b", "7"))
    (folder / "README.txt").write_text("no distribution")
    return folder


def opened(*urls: str, **options: Any) -> Any:
    return open_index(IndexSettings(urls, **options), Progress())


def test_a_folder_of_files_is_read_where_it_is(folder: Path) -> None:
    index = opened(find_links=(str(folder),))
    a, b = index.listings([A, B])
    assert [(file.filename, file.url) for file in a.files] == [
        ("a-0.9.tar.gz", (folder / "a-0.9.tar.gz").as_uri()),
        (WHEEL, (folder / WHEEL).as_uri()),
    ]
    assert b == Missing("b")
    requests = [MetadataRequest(A, file.version, (file,)) for file in a.files]
    assert index.metadata(requests) == [
        Metadata("a", "0.9", ("c",), None, (), "sdist", "a-0.9.tar.gz"),
        Metadata("a", "1.0", ("b",), None, (), "wheel", WHEEL),
    ]


def test_linked_files_are_added_to_those_of_the_index_and_go_first(folder: Path) -> None:
    with IndexServer({"a": {"1.0": [], "2.0": []}}) as server:
        [a] = opened(server.url, find_links=(folder.as_uri(),)).listings([A])
    assert [file.url.partition(":")[0] for file in a.files] == ["file", "file", "http"]
    assert [file.index for file in a.files] == [folder.as_uri(), folder.as_uri(), server.url]


def test_a_page_behind_http_is_read_and_cached(tmp_path: Path) -> None:
    with IndexServer({"a": {"1": []}, "b": {"2": []}}) as server:
        with closing(opened(find_links=(server.links_url,), cache_dir=tmp_path)) as index:
            first = index.listings([A, B])
        assert [listing.files[0].url for listing in first] == [
            f"{server.root}/files/a-1-py3-none-any.whl",
            f"{server.root}/files/b-2-py3-none-any.whl",
        ]
        assert server.requests == {"/links/": 1}
        assert opened(find_links=(server.links_url,), cache_dir=tmp_path, offline=True).listings([A, B]) == first


def test_a_page_that_cannot_be_had_leaves_all_unknown() -> None:
    with IndexServer({"a": {"1": []}}) as server:
        server.faults["/links/"] = Fault(status=403)
        [a] = opened(server.url, find_links=(server.links_url,)).listings([A])
        assert a == Unknown(f"{server.links_url}: the index refused access (403)")


def test_a_local_page_or_a_single_file_will_do(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "links.html"
    page.write_text(f'<base href="{folder.as_uri()}/"><a href="{WHEEL}#sha256={"0" * 64}" data-yanked="why">x</a>')
    [a] = opened(find_links=(str(page),)).listings([A])
    assert [(f.url, f.hashes, f.yanked) for f in a.files] == [
        ((folder / WHEEL).as_uri(), (f"sha256:{'0' * 64}",), "why")
    ]
    assert len(opened(find_links=(str(folder / WHEEL),)).listings([A])[0].files) == 1


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("{tmp}/absent", "--find-links: {tmp}/absent cannot be read: No such file or directory"),
        ("file://{tmp}/absent", "--find-links: file://{tmp}/absent cannot be read: No such file or directory"),
        ("file:///a%00b", "--find-links: file:///a%00b cannot be read: Invalid argument"),
        ("http://[x", "--find-links: http://[x is no address that can be read"),
        ("http://me:secret@[x", "--find-links: http://[x is no address that can be read"),
    ],
)
def test_a_place_that_cannot_be_had_is_an_error_before_anything_is_asked(
    tmp_path: Path, place: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        opened(find_links=(place.format(tmp=tmp_path),))
    assert caught.value.message == message.format(tmp=tmp_path)


def test_a_page_that_is_not_there_has_nothing_and_is_named_also_from_the_cache(tmp_path: Path) -> None:
    with IndexServer({"a": {"1": []}}) as server:
        server.faults["/links/"] = Fault(status=404)
        for _ in range(2):
            index = opened(find_links=(server.links_url,), cache_dir=tmp_path)
            assert index.listings([A]) == [Missing("a")]
            assert index.problems == [f"the --find-links page {server.links_url} does not exist"]
        assert server.requests == {"/links/": 1}


def test_an_index_may_be_a_folder(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "simple"
    (root / "a").mkdir(parents=True)
    (root / "a" / WHEEL).write_bytes((folder / WHEEL).read_bytes())
    (root / "a" / f"{WHEEL}.metadata").write_bytes(core_metadata("a", "1.0"))
    (root / "a-b").mkdir()
    (root / "a-b" / "index.html").write_text('<a href="../../my%20wheels/a_b-7-py3-none-any.whl">x</a>')
    a, ab, b = opened(root.as_uri()).listings([A, canonicalize_name("a-b"), B])
    assert isinstance(a, Listing)
    assert (a.files[0].url, a.files[0].index) == ((root / "a" / WHEEL).as_uri(), root.as_uri())
    assert ab.files[0].url == (folder / "a_b-7-py3-none-any.whl").as_uri()
    assert b == Missing("b")


@pytest.mark.parametrize(("stated", "again"), [("right", "known"), ("wrong", "unknown"), ("", "unknown")])
def test_a_local_file_is_read_once_if_its_hash_is_stated(folder: Path, tmp_path: Path, stated: str, again: str) -> None:
    def read() -> Metadata | Unknown:
        with closing(opened(find_links=(str(tmp_path / "links.html"),), cache_dir=tmp_path / "cache")) as index:
            [a] = index.listings([A])
            [found] = index.metadata([MetadataRequest(A, "1.0", a.files)])
            return found

    digest = {"right": sha256((folder / WHEEL).read_bytes()).hexdigest(), "wrong": "0" * 64}.get(stated)
    link = (folder / WHEEL).as_uri() + (f"#sha256={digest}" if digest else "")
    (tmp_path / "links.html").write_text(f'<a href="{link}">x</a>')
    first = read()
    (folder / WHEEL).unlink()
    assert isinstance(first, Unknown) == (stated == "wrong")
    assert isinstance(read(), Unknown) == (again == "unknown")


@pytest.mark.parametrize("root", ["not-mounted/simple", "a-file"])
def test_a_folder_that_is_not_there_may_have_any_package(tmp_path: Path, root: str) -> None:
    (tmp_path / "a-file").touch()
    absent = (tmp_path / root).as_uri()
    with IndexServer({"a": {"1": []}}) as server:
        index = opened(absent, server.url)
        reason = "the folder of the index is not there"
        assert index.listings([A, B]) == [Unknown(f"{absent}/{name}/: {reason}") for name in "ab"]
        assert len(index.problems) == 2


@pytest.mark.parametrize("folder", ["simple", "simple/a"])
def test_a_folder_that_nobody_may_look_into_may_have_any_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    refused, stat = str(tmp_path / folder), Path.stat

    def refuse(path: Path, **options: Any) -> os.stat_result:
        if str(path) == refused:
            raise PermissionError(errno.EACCES, "Permission denied")
        return stat(path, **options)

    (tmp_path / "simple" / "a").mkdir(parents=True)
    monkeypatch.setattr(Path, "stat", refuse)
    root = (tmp_path / "simple").as_uri()
    assert opened(root).listings([A]) == [Unknown(f"{root}/a/: it cannot be read: Permission denied")]


def test_a_server_cannot_send_anyone_to_local_files() -> None:
    with IndexServer({"a": {"1": []}}) as server:
        body = b'<title>Links for a</title><a href="file:///etc/a-1.0.tar.gz">a</a>'
        server.faults["/simple/a/"] = Fault(body=body)
        [a] = opened(server.url).listings([A])
        assert (a.files, a.invalid) == ((), ("a-1.0.tar.gz",))


def test_the_stamp_of_a_package_changes_with_the_links_to_its_files_alone(folder: Path, tmp_path: Path) -> None:
    def stamps() -> dict[str, str]:
        options = {"cache_dir": tmp_path / "cache", "find_links": (str(folder),)}
        with closing(opened(server.url, (tmp_path / "simple").as_uri(), **options)) as index:
            index.listings([A, B])
            assert index.stamps([A, B]) == index.stamps([A, B])
            return index.stamps([A, B])

    (tmp_path / "simple").mkdir()
    with IndexServer({"a": {"1": []}, "b": {"2": []}}) as server:
        first = stamps()
        (folder / "a-1.1-py3-none-any.whl").write_bytes(wheel("a", "1.1"))
        second = stamps()
        (tmp_path / "simple" / "b").mkdir()
        third = stamps()
    assert (first["a"] != second["a"], first["b"] == second["b"]) == (True, True)
    assert (second["a"] == third["a"], second["b"] != third["b"]) == (True, True)


def test_an_answer_rests_on_nothing_certain_where_a_folder_changed_while_it_was_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_place = pages.read_place

    def read(url: str) -> LinkPage:
        found = read_place(url)
        (folder / "b-1.0-py3-none-any.whl").write_bytes(wheel("b", "1.0"))
        return found

    with IndexServer({"a": {"1": []}}) as server:
        options = {"cache_dir": tmp_path / "cache", "find_links": (str(folder),)}
        with closing(opened(server.url, **options)) as index:
            index.listings([A])
            assert index.basis is not None
        monkeypatch.setattr(pages, "read_place", read)
        with closing(opened(server.url, **options)) as index:
            index.listings([A])
            assert index.basis is None


@pytest.mark.parametrize("stated", ["", "=sha256:{digest}", "=sha256:" + "0" * 64])
def test_the_metadata_file_beside_a_local_wheel_is_believed_by_its_hash(
    folder: Path, tmp_path: Path, stated: str
) -> None:
    beside = folder / f"{WHEEL}.metadata"
    beside.write_bytes(core_metadata("a", "1.0", requires=["other"]))
    digest = sha256(beside.read_bytes()).hexdigest()
    attribute = "data-core-metadata" + stated.format(digest=digest).replace("sha256:", "sha256=")
    (tmp_path / "links.html").write_text(f'<a href="{(folder / WHEEL).as_uri()}" {attribute}>x</a>')
    with closing(opened(find_links=(str(tmp_path / "links.html"),))) as index:
        [a] = index.listings([A])
        [found] = index.metadata([MetadataRequest(A, "1.0", a.files)])
    if "0000" in stated:
        assert isinstance(found, Unknown)
    else:
        assert found.requires_dist == (("other",) if stated else ("b",))


def test_a_link_to_a_file_that_is_not_there_yet_is_no_file_of_the_package(folder: Path, tmp_path: Path) -> None:
    def stamp() -> str:
        with closing(opened(server.url, find_links=(str(folder),), cache_dir=tmp_path / "cache")) as index:
            index.listings([A])
            return str(index.stamps([A])["a"])

    (folder / "a-1.2-py3-none-any.whl").symlink_to(tmp_path / "built.whl")
    with IndexServer({"a": {"1": []}}) as server:
        before, looked = stamp(), fingerprint(str(folder))
        (tmp_path / "built.whl").write_bytes(wheel("a", "1.2"))
        assert stamp() != before
        assert fingerprint(str(folder)) != looked


def test_where_a_place_cannot_be_read_no_package_has_a_stamp(tmp_path: Path) -> None:
    with IndexServer({"a": {"1": []}}) as server:
        server.faults["/links/"] = Fault(status=403)
        with closing(opened(server.url, find_links=(server.links_url,), cache_dir=tmp_path)) as index:
            index.listings([A])
            assert index.stamps([A]) == {}
        with closing(opened(server.url, (tmp_path / "absent").as_uri(), cache_dir=tmp_path)) as index:
            index.listings([A])
            assert index.stamps([A]) == {}
