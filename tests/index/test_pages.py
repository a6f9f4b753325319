"""Pages of thousands of files, of which most look alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conflictcheck.index.links import Link
from conflictcheck.index.simple_api import Page, to_page

PAGE = "https://index.example/simple/lib/"
DIGEST = "0123456789abcdef" * 4
USUAL_TAGS, USUAL_URL = "py3-none-any", "../../files/lib/"
# The usual comes first, and often: pages are read by a glance at what all their files have in common.
TAGS = st.sampled_from([USUAL_TAGS] * 6 + ["1-py3-none-any", "x-py3-none-any", "cp311-none", "py3-none-\nany"])
URLS = st.sampled_from(
    [USUAL_URL] * 8
    + [
        "https://files.example/lib/", "https://files.example/", "http://user:word@files.example/", "file:///lib/",
        "/lib/", "", "./", "../.././x/", "//files.example/", "../a b/", "https://files.example/?a=b/", "http:/lib/",
    ]
)  # fmt: skip
ENDS = st.sampled_from([""] * 12 + ["#egg", "?x", "/../x", "//", "%2F", "/./", " "])
STAMPS = st.sampled_from(
    ["2024-01-30T10:00:00.000001Z"] * 6
    + [
        "2024-01-30T10:00:00Z",
        None,
        "2024-02-29T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "2024-01-30T10:00:00+01:00",
        "",
        "x",
    ]
)
HASHES = st.sampled_from(
    [{"sha256": DIGEST}] * 6
    + [
        None,
        {},
        {"sha256": DIGEST.upper()},
        {"sha256": "0"},
        {"sha256": "g" * 64},
        {"sha256": "\u00e9" * 64},
        {"sha256": 1},
        {"sha256": DIGEST, "sha512": DIGEST * 2},
    ]
)


@st.composite
def pages_of_links(draw: st.DrawFn) -> list[Link]:
    """Links to different files."""
    return [
        Link(
            filename=(filename := f"lib-{n}.0-{draw(TAGS)}.whl" if draw(st.booleans()) else f"Lib-{n}.tar.gz"),
            url=f"{draw(URLS)}{filename}{draw(ENDS)}",
            hashes=draw(HASHES),
            upload_time=draw(STAMPS),
            requires_python=draw(st.sampled_from([">=3.8", None, " ", ">=3.9"])),
            yanked=draw(st.sampled_from([None, False, True, "why"])),
            core_metadata=draw(st.sampled_from([None, True, False, {"sha256": DIGEST}, {"md5": "0"}])),
        )
        for n in range(draw(st.integers(0, 5)))
    ]


def page_of(*links: Link) -> Page:
    return to_page(links, url=PAGE, name="lib", index="https://index.example/simple")


@given(pages_of_links())
def test_a_page_says_of_each_file_what_it_would_say_of_that_alone(links: list[Link]) -> None:
    page, alone = page_of(*links), [page_of(link) for link in links]
    assert sorted(page.files, key=repr) == sorted((file for one in alone for file in one.files), key=repr)
    assert sorted(page.invalid) == sorted({name for one in alone for name in one.invalid})


def test_addresses_are_those_that_a_browser_would_follow() -> None:
    links = [Link(filename=f"lib-{n}.tar.gz", url=f"../../files/lib-{n}.tar.gz") for n in (1, 2)]
    assert [file.url for file in page_of(*links).files] == [
        "https://index.example/files/lib-1.tar.gz",
        "https://index.example/files/lib-2.tar.gz",
    ]


def test_versions_that_are_equal_are_in_the_order_of_their_files() -> None:
    links = [Link(filename=f"{written}.tar.gz", url="x") for written in ("lib-1.0.0", "Lib-1", "lib-1.0", "lib-0.9")]
    assert [file.version for file in page_of(*links).files] == ["0.9", "1", "1.0.0", "1.0"]


def test_a_file_of_no_use_that_is_listed_twice_is_named_once() -> None:
    link = Link(filename="other-1.0.tar.gz", url="x")
    assert page_of(link, link).invalid == ("other-1.0.tar.gz",)


def test_what_is_no_hash_counts_for_nothing() -> None:
    stated = [{"sha256": digest} for digest in ("g" * 64, "\u00e9" * 64, DIGEST[1:])]
    links = [Link(filename=f"lib-{n}.tar.gz", url="x", hashes=one) for n, one in enumerate(stated)]
    assert [file.hashes for file in page_of(*links).files] == [(), (), ()]
