"""The default index is named by what it is, not by its host."""

from __future__ import annotations

from conflictcheck.index.addresses import default_index_url, page_address, shown_address


def test_the_default_index_and_its_pages_are_named_without_an_address() -> None:
    root = default_index_url()

    assert shown_address(root) == "the package index"
    assert shown_address(f"{root.rstrip('/')}/") == "the package index"
    assert shown_address(page_address(root, "numpy")) == "the package index, page numpy"


def test_any_other_index_is_named_by_its_address_without_credentials() -> None:
    assert shown_address("https://user:secret@index.example/simple/a/?b#c") == "https://index.example/simple/a/"
    assert shown_address(f"{default_index_url().rstrip('/')}x/") != "the package index, page x"
