from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from conflictcheck.errors import OutputError, SnapshotError
from conflictcheck.facts import File, Listing, Metadata, Missing, Unknown
from conflictcheck.index import open_index
from conflictcheck.index.base import MetadataRequest
from conflictcheck.index.memory import MemoryIndex, Rel
from conflictcheck.index.snapshot import RecordingIndex, SnapshotFacts, SnapshotIndex, write_snapshot
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    from pathlib import Path

A, B, C, NO = (canonicalize_name(name) for name in ("a", "b", "c", "no-such"))
URL = "https://files.example/c-1.0.tar.gz"
NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
ABSENT = Unknown("not in the snapshot")


def recorded() -> RecordingIndex:
    index = RecordingIndex(
        MemoryIndex(
            {
                "a": {"1": ["b"], "2": Rel(requires=["c"], sdist=True, hashes=("sha256:0",), upload_time="2024")},
                "b": Unknown("the index answered 503"),
                "c": {"1": Unknown("broken")},
            },
            direct={URL: Metadata("c", "1.0")},
        )
    )
    a, _, c, _ = index.listings([A, B, C, NO])
    assert isinstance(a, Listing)
    assert isinstance(c, Listing)
    requests = [MetadataRequest(A, "2", (a.files[1],)), MetadataRequest(A, "2", (a.files[2],))]
    index.metadata([*requests, MetadataRequest(C, "1", c.files)])
    index.direct(URL, C)
    return index


def test_a_snapshot_answers_as_the_index_did_and_knows_no_more(tmp_path: Path) -> None:
    index, path = recorded(), tmp_path / "facts.json.gz"
    write_snapshot(index.facts, path, created=NOW, version="1.2", keep_files=[("a", "2"), ("c", "1")])
    found = SnapshotIndex.read(path)
    assert (found.created, found.tool_version) == ("2024-05-06T07:08:09Z", "1.2")
    a, b, c, no = found.listings([A, B, C, NO])
    assert isinstance(a, Listing)
    assert (b, c, no) == (ABSENT, index.facts.listings["c"], Missing("no-such"))
    assert found.metadata(
        [
            MetadataRequest(A, "2", (a.files[2], a.files[1])),
            MetadataRequest(A, "2", (a.files[1],)),
            MetadataRequest(A, "1", a.files[:1]),
            MetadataRequest(C, "1", a.files[:1]),
        ]
    ) == [
        Metadata("a", "2", ("c",), source="sdist", filename="a-2.tar.gz"),
        Metadata("a", "2", ("c",), source="wheel", filename="a-2-py3-none-any.whl"),
        ABSENT,
        ABSENT,
    ]
    assert found.direct(URL, C) == (Metadata("c", "1.0"), File("c-1.0.tar.gz", URL, "1.0"))
    assert found.direct("https://files.example/other.zip", C) == ABSENT


def test_only_files_that_exports_need_keep_address_and_hashes(tmp_path: Path) -> None:
    path = tmp_path / "s"
    write_snapshot(recorded().facts, path, created=NOW, version="1", keep_files=[("a", "2")])
    [a] = SnapshotIndex.read(path).listings([A])
    assert isinstance(a, Listing)
    assert [(bool(f.url), f.hashes, f.upload_time) for f in a.files] == [
        (False, (), None),
        (True, ("sha256:0",), "2024"),
        (True, ("sha256:0",), "2024"),
    ]


def test_the_same_facts_and_date_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    facts = recorded().facts
    turned = SnapshotFacts(
        dict(reversed(facts.listings.items())),
        facts.missing[::-1],
        {"a": {"2": facts.metadata["a"]["2"][::-1]}},
        facts.direct,
    )
    for name, value in (("one", facts), ("other", turned)):
        write_snapshot(value, tmp_path / name, created=NOW, version="1")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert gzip.decompress((tmp_path / "one").read_bytes()).startswith(b'{"conflictcheck_snapshot":1,"created":')


def test_the_settings_may_name_a_snapshot(tmp_path: Path) -> None:
    write_snapshot(recorded().facts, tmp_path / "s", created=NOW, version="1")
    index = open_index(IndexSettings(("https://index.example/simple",), snapshot=tmp_path / "s"), Progress())
    assert index.listings([NO]) == [Missing("no-such")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the snapshot cannot be read: No such file or directory"),
        (b"", "the snapshot is cut off"),
        (b"hello", "this is not a snapshot"),
        (gzip.compress(b"hello", mtime=0), "this is not a snapshot"),
        (gzip.compress(b"[]", mtime=0), "this is not a snapshot"),
        (gzip.compress(b"{}", mtime=0), "this is not a snapshot"),
        (
            gzip.compress(b'{"conflictcheck_snapshot": 2}', mtime=0),
            "the snapshot has format 2, and this version reads format 1",
        ),
        (gzip.compress(b'{"conflictcheck_snapshot": 1}', mtime=0), "the snapshot is damaged: "),
        (gzip.compress(b"[" * 100_000, mtime=0), "this is not a snapshot"),
    ],
)
def test_a_file_that_is_no_snapshot_says_so(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "s"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SnapshotError) as caught:
        SnapshotIndex.read(path)
    assert caught.value.message.startswith(message)
    assert caught.value.file == str(path)


def test_a_cut_snapshot_says_so(tmp_path: Path) -> None:
    path = tmp_path / "s"
    write_snapshot(recorded().facts, path, created=NOW, version="1")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SnapshotError, match="the snapshot is cut off"):
        SnapshotIndex.read(path)


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(OutputError, match="this is a folder"):
        write_snapshot(SnapshotFacts(), tmp_path / "s", created=NOW, version="1")
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_snapshot_says_where_the_missing_packages_were_looked_for(tmp_path: Path) -> None:
    class Elsewhere(MemoryIndex):
        place = "on https://index.example/simple"
        indexes = ("https://index.example/simple",)

    for index, place in ((MemoryIndex({}), "on the package index"), (Elsewhere({}), Elsewhere.place)):
        recording = RecordingIndex(index)
        recording.listings([NO])
        write_snapshot(recording.facts, tmp_path / "s", created=NOW, version="1")
        read = SnapshotIndex.read(tmp_path / "s")
        assert (recording.place, read.place) == (place, place)
        assert recording.indexes == read.indexes == index.indexes
