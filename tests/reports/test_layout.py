from __future__ import annotations

import sys
import unicodedata

import pytest

from conflictcheck.escaping import visible
from conflictcheck.phrases import and_list, count, size_of
from conflictcheck.reports.layout import Page, columns, wrap


def test_whatever_acts_on_a_terminal_or_hides_is_shown_by_number() -> None:
    assert visible("a\x1b[2Jb\r\nc\u202ed\udce9") == r"a\x1b[2Jb\r\nc\u202ed\udce9"
    assert visible("naïve 依存 😀 é") == "naïve 依存 😀 é"


def test_no_letter_of_unicode_that_is_a_control_passes() -> None:
    acting = {"Cc", "Cs", "Zl", "Zp"}
    every = "".join(map(chr, range(sys.maxunicode + 1)))

    left = visible(every)

    assert {letter for letter in left if unicodedata.category(letter) in acting} == set()
    assert {
        letter for letter in left if unicodedata.bidirectional(letter) in {"RLO", "LRO", "RLE", "LRE", "RLI"}
    } == set()
    left.encode()


def test_prose_breaks_between_words_and_never_inside_places_and_specifiers() -> None:
    assert wrap("vision/requirements.txt:17 asks for numpy >=1.22, <2 and no more", 30) == [
        "vision/requirements.txt:17",
        "asks for numpy >=1.22, <2 and",
        "no more",
    ]


@pytest.mark.parametrize("text", ["", "x" * 200])
def test_a_text_without_spaces_is_one_line(text: str) -> None:
    assert wrap(text, 30) == [text]


def test_wide_letters_take_two_columns_and_combining_ones_none() -> None:
    assert columns("依存") == 4
    assert columns("e\u0301") == 1
    assert wrap("依存 " * 10, 24)[0] == "依存 依存 依存 依存 依存"


def test_places_stand_in_one_column_and_long_ones_on_a_line_of_their_own() -> None:
    page = Page(width=40, color=False)

    page.pairs([("a.txt:1", "numpy"), ("a/very/long/way/to/b.txt:12", "torch"), ("cc.txt:10", "x y " * 9)], indent=2)

    assert page.text() == (
        "  a.txt:1    numpy\n"
        "  a/very/long/way/to/b.txt:12\n"
        "      torch\n"
        "  cc.txt:10  x y x y x y x y x y x y x y\n"
        "             x y x y\n"
    )


def test_gaps_do_not_add_up() -> None:
    page = Page(width=40, color=False)
    page.gap()
    page.prose("one")
    page.gap()
    page.gap()
    page.prose("two")
    page.gap()

    assert page.text() == "one\n\ntwo\n"


def test_small_phrases() -> None:
    assert [count(number, "clash", "clashes") for number in (0, 1, 2)] == ["0 clashes", "1 clash", "2 clashes"]
    assert [and_list(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert and_list(["a", "b"], more=3) == "a, b and 3 more"
    assert [size_of(number) for number in (0, 999, 1000, 3_400_000, 2_000_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "3.4 MB",
        "2.0 GB",
    ]
