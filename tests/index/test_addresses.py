"""What an address on a page means."""

from __future__ import annotations

from urllib.parse import urljoin

from hypothesis import given, settings
from hypothesis import strategies as st

from conflictcheck.index.addresses import join

BASES = [
    "https://index.example/simple/a/",
    "https://index.example:8080",
    "http://127.0.0.1/s/a/?b=1/2",
    "file:///a/b/c/",
]
PIECES = ["../", "./", "/", "a", "b.c", ".", "..", "x-1.0.whl", "%20", "+", "~", "_", "-", "!"]


@settings(max_examples=500)
@given(st.sampled_from(BASES), st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_a_reference_means_what_the_standard_library_says(base: str, reference: str) -> None:
    assert join(base, reference) in (urljoin(base, reference), None)


def test_thousands_of_files_below_one_page_need_no_look_at_each_address() -> None:
    for reference in ("/files/ab/a-1.0.whl", "../../files/ab/a-1.0.whl"):
        assert join("https://index.example/simple/a/", reference) == "https://index.example/files/ab/a-1.0.whl"
