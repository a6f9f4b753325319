"""What an address on a page means."""

from __future__ import annotations

from urllib.parse import urljoin

from hypothesis import given, settings
from hypothesis import strategies as st

from conflictcheck.index.addresses import join, join_all, split_credentials

BASES = [
    "https://index.example/simple/a/",
    "https://index.example:8080",
    "http://127.0.0.1/s/a/?b=1/2",
    "file:///a/b/c/",
]
STARTS = [
    "https://files.example/packages/", "https://files.example/", "https://files.example", "https://files.example:x/",
    "https://files.example/a#/", "https://files.example/?a=b/", "http://user:word@files.example/", "file:///lib/",
    "../../files/", "../../../../x/", ".././x/", "/files/", "//files.example/", "a/../b/", "a//b/",
    "?a/", "#/", "~a b/", "",
]  # fmt: skip
ENDS = ["", "", "", "#egg", "?x", "/../x", "//", "%2F", "/./", " ", "@x", "/a-2.0.zip"]
PIECES = ["../", "./", "/", "a", "b.c", ".", "..", "x-1.0.whl", "%20", "+", "~", "_", "-", "!"]


@settings(max_examples=500)
@given(st.sampled_from(BASES), st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_a_reference_means_what_the_standard_library_says(base: str, reference: str) -> None:
    assert join(base, reference) in (urljoin(base, reference), None)


def test_thousands_of_files_below_one_page_need_no_look_at_each_address() -> None:
    for reference in ("/files/ab/a-1.0.whl", "../../files/ab/a-1.0.whl"):
        assert join("https://index.example/simple/a/", reference) == "https://index.example/files/ab/a-1.0.whl"


@settings(max_examples=500)
@given(st.data(), st.sampled_from(BASES), st.sampled_from(STARTS), st.booleans())
def test_many_references_mean_what_each_means(data: st.DataObject, base: str, start: str, may_be_local: bool) -> None:
    starts = st.sampled_from([start] * 8 + STARTS)
    references = [f"{data.draw(starts)}a-{n}.0.zip{data.draw(st.sampled_from(ENDS))}" for n in range(3)]
    place, tails = join_all(base, references, may_be_local=may_be_local)
    assert [None if tail is None else place + tail for tail in tails] == [
        None if address is None or (address.startswith("file:") and not may_be_local) else split_credentials(address)[0]
        for address in (join(base, reference) for reference in references)
    ]
