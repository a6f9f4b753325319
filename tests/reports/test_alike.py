"""Clashes that say the same are told as one, with every set of specs that clashes so, and no other."""

from __future__ import annotations

import itertools

import pytest
from builders import line
from msgspec.structs import replace
from situations import SITUATIONS

from conflictcheck.model import SpecId
from conflictcheck.reports.alike import alike, say_alike
from conflictcheck.reports.explanation import ExplanationText
from conflictcheck.reports.html import HtmlReport
from conflictcheck.reports.markdown import MarkdownReport
from conflictcheck.reports.text import TextReport

FIRST = SITUATIONS["one_clash"].clashes[0]


def clash(**said: str) -> object:
    """A clash of specs by what each says."""
    requirements = tuple(line(spec, text) for spec, text in said.items())
    return replace(FIRST, id=" ".join(said), specs=tuple(map(SpecId, said)), requirements=requirements, fixes=())


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("ax", ""),
        ("ax ay", "2 clashes say the same: a with each of x and y."),
        ("ax ay bx by", "4 clashes say the same: each of a and b with each of x and y."),
        ("ax ay bx", "3 clashes say the same: a with each of x and y; b with x."),
        ("ax by", "2 clashes say the same: a with x; b with y."),
        ("aw ax ay az", "4 clashes say the same: a with each of w, x, y and z."),
    ],
)
def test_the_sets_that_clash_are_named_as_few_products(pairs: str, expected: str) -> None:
    [group] = alike([clash(**{pair[0]: "numpy<2", pair[1]: "numpy>=2"}) for pair in pairs.split()])
    assert say_alike(group) == expected


def test_of_three_sides_and_many_specs_some_are_named_and_the_rest_counted() -> None:
    rows = itertools.product("abcde", "p", "xyz")
    [group] = alike([clash(**dict(zip(row, ("u", "v", "w"), strict=True))) for row in rows])
    assert (
        say_alike(group, most=2)
        == "15 clashes say the same: each of a, b and 3 more with p and each of x, y and 1 more."
    )
    some = [clash(a="u", x="w"), clash(b="u", y="w"), clash(c="u", z="w")]
    assert say_alike(some, most=2) == "3 clashes say the same: a with x; b with y; 1 more such combination."


def test_of_specs_that_cannot_be_installed_for_the_same_reason_the_sentence_is_about_specs() -> None:
    [group] = alike([clash(a="numpy==0"), clash(b="numpy==0"), clash(c="numpy==0")])
    assert say_alike(group, most=2) == "3 specs say the same: a, b and 1 more."


def test_what_differs_in_a_line_in_who_says_it_or_in_being_known_is_another_clash() -> None:
    both = clash(a="u", x="v")
    apart = [both, clash(a="u", x="w"), replace(both, known="in the baseline")]
    one_says_all = replace(both, requirements=(line("a", "u"), line("a", "v")))
    assert [len(group) for group in alike([*apart, one_says_all, clash(b="u", x="v")])] == [2, 1, 1, 1]
    assert alike(apart)[-1] == [apart[-1]]


@pytest.mark.parametrize("form", [TextReport, ExplanationText, HtmlReport, MarkdownReport])
def test_a_report_tells_each_kind_once(form: type[TextReport]) -> None:
    clashes = tuple(clash(**{f"s{i}": "numpy<2", "z": "numpy>=2"}) for i in range(30))
    report = replace(SITUATIONS["one_clash"], clashes=(*clashes, clash(a="scipy<1", z="scipy>=1")))
    text = " ".join(form().render(report, color=False, width=80, verbose=0).replace("<code>", "").split())
    assert text.count("30 clashes say the same: ") == 1
    assert "Clash 2 of 2" in text
    assert ("s29" in text) == (form in {ExplanationText, HtmlReport})


def test_known_clashes_that_say_the_same_are_counted() -> None:
    known = [replace(clash(**{f"s{i}": "numpy<2", "z": "numpy>=2"}), known="in the baseline") for i in range(5)]
    others = [
        replace(clash(**{spec: f"scipy<{i}", "z": "scipy>=50"}), known="in the baseline")
        for i in range(1, 14)
        for spec in ("a", "b")
    ]
    report = replace(SITUATIONS["one_clash"], clashes=(*known, *others))
    text = " ".join(TextReport().render(report, color=False, width=80, verbose=0).split())
    assert text.count("(in the baseline). 4 more say the same.") == 1
    assert text.count("(in the baseline). 1 more says the same.") == 11
    assert "- and 4 more" in text
