from __future__ import annotations

from packaging.utils import canonicalize_name

from conflictcheck.facts import Metadata, Missing, Unknown
from conflictcheck.index.base import MetadataRequest
from conflictcheck.index.memory import MemoryIndex, Rel

A = canonicalize_name("a")


def test_releases_are_listed_oldest_first_in_the_order_of_pep_440() -> None:
    [listing] = MemoryIndex({"A": {"1.10": [], "1.9": [], "2.0rc1": [], "2": []}}).listings([A])
    assert [file.version for file in listing.files] == ["1.9", "1.10", "2.0rc1", "2"]


def test_a_release_has_the_files_it_is_given() -> None:
    rel = Rel(tags=("cp311-cp311-win_amd64", "py3-none-any"), sdist=True, yanked="", requires_python=">=3.9")
    [listing] = MemoryIndex({"a-b": {"1.0": rel}}).listings([canonicalize_name("a-b")])
    assert [(f.filename, f.tags, f.yanked, f.requires_python) for f in listing.files] == [
        ("a_b-1.0-cp311-cp311-win_amd64.whl", "cp311-cp311-win_amd64", "", ">=3.9"),
        ("a_b-1.0-py3-none-any.whl", "py3-none-any", "", ">=3.9"),
        ("a_b-1.0.tar.gz", "", "", ">=3.9"),
    ]


def test_metadata_says_what_the_release_needs_and_from_which_file() -> None:
    index = MemoryIndex({"a": {"1": Rel(requires=["b>=1"], tags=(), sdist=True, extras=("X_y",), inferred=True)}})
    [listing] = index.listings([A])
    assert index.metadata([MetadataRequest(A, "1", listing.files)]) == [
        Metadata("a", "1", ("b>=1",), None, ("x-y",), "inferred", "a-1.tar.gz")
    ]


def test_what_is_not_there_is_missing_and_what_is_not_known_says_why() -> None:
    index = MemoryIndex({"a": {"1": Unknown("the wheel is broken")}, "b": Unknown("the index answered 503")})
    a, b, c = index.listings([A, canonicalize_name("b"), canonicalize_name("c")])
    assert (b, c) == (Unknown("the index answered 503"), Missing("c"))
    assert index.metadata([MetadataRequest(A, "1", a.files)]) == [Unknown("the wheel is broken")]


def test_questions_are_counted() -> None:
    index = MemoryIndex({"a": {"1": []}})
    [listing] = index.listings([A])
    index.metadata([MetadataRequest(A, "1", listing.files)])
    assert index.listings_asked == {A: 1}
    assert index.metadata_asked == {(A, "1"): 1}
