from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from index_server import IndexServer
from packaging.utils import canonicalize_name

from conflictcheck.facts import Listing, Metadata, Missing, Unknown
from conflictcheck.index import open_index
from conflictcheck.index.base import Index, MetadataRequest
from conflictcheck.index.memory import Rel
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

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
