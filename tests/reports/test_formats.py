from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

import jsonschema
import pytest
from report_builders import environment, pin, report, spec
from situations import SITUATIONS

from conflictcheck.reports import EXPLANATIONS, FORMATS, GRAPHS
from conflictcheck.reports.json import JsonReport, read_schema
from conflictcheck.reports.text import TextReport, summarize
from conflictcheck.reports.tree import TreeGraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflictcheck.reports.base import ReportFormat

ALL = [*(("report", one) for one in FORMATS.values()), *(("graph", one) for one in GRAPHS.values())]


def plain(chosen: ReportFormat, name: str, *, verbose: int = 0, width: int = 80) -> str:
    return chosen.render(SITUATIONS[name], color=False, width=width, verbose=verbose)


@pytest.mark.parametrize("chosen", [one for _, one in ALL], ids=[f"{kind}-{one.name}" for kind, one in ALL])
@pytest.mark.parametrize("name", SITUATIONS)
def test_every_format_ends_in_a_line_break_and_holds_nothing_that_acts_on_a_terminal(
    chosen: ReportFormat, name: str
) -> None:
    text = plain(chosen, name, verbose=2)

    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [letter for letter in text if unicodedata.category(letter) in {"Cc", "Cf", "Cs"} and letter != "\n"] == []
    assert text == plain(chosen, name, verbose=2)


def test_formats_have_the_names_they_are_registered_by_and_text_is_the_first_of_each_list() -> None:
    for registered in (FORMATS, EXPLANATIONS, GRAPHS):
        assert [one.name for one in registered.values()] == list(registered)
        assert next(iter(registered)) == "text"


@pytest.mark.parametrize("name", SITUATIONS)
def test_text_at_80_columns_without_colour(name: str, golden: Callable[[str, str], None]) -> None:
    text = plain(TextReport(), name)

    golden(f"text-{name}.txt", text)
    too_long = [line for line in text.splitlines() if len(line) > 80]
    assert all(" " not in line.strip() for line in too_long)


@pytest.mark.parametrize("name", ["compatible", "many_clashes"])
def test_verbose_text_leaves_nothing_out(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"text-{name}-verbose.txt", plain(TextReport(), name, verbose=1))


def test_a_narrow_terminal_still_shows_places_and_requirements_whole() -> None:
    text = plain(TextReport(), "one_clash", width=40)

    assert "  vision/requirements.txt:1\n      torch==2.1.0\n" in text
    assert "numpy <2, >=1.22" in " ".join(text.split())


def test_colour_changes_nothing_but_colour() -> None:
    for name in SITUATIONS:
        colored = TextReport().render(SITUATIONS[name], color=True, width=80, verbose=1)
        assert colored != plain(TextReport(), name, verbose=1)
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain(TextReport(), name, verbose=1)


def test_the_summary_is_the_first_sentence_on_one_line() -> None:
    assert summarize(SITUATIONS["one_clash"]) == (
        "2 environments needed: 3 specs cannot share one (proven: no split into fewer exists)."
    )


@pytest.mark.parametrize(
    ("specs", "verdict", "sentence"),
    [
        (1, "compatible", "The spec fits in one environment (0 packages, Python 3.11.7 on linux)."),
        (2, "compatible", "Both specs fit in one environment (0 packages, Python 3.11.7 on linux)."),
        (1, "unsatisfiable", "s0.txt cannot be installed."),
        (3, "unsatisfiable", "None of the 3 specs can be installed, even on its own."),
    ],
)
def test_the_first_sentence_suits_the_number_of_specs(specs: int, verdict: str, sentence: str) -> None:
    read = tuple(spec(f"s{number}.txt") for number in range(specs))
    placed = (environment("env-1", *(one.id for one in read)),) if verdict == "compatible" else ()

    assert summarize(report(verdict, specs=read, environments=placed)) == sentence


def test_undecided_without_an_error_says_that_the_search_ended() -> None:
    text = TextReport().render(report("undecided", specs=(spec("a.txt"),)), color=False, width=80, verbose=0)

    assert "The search ended before it found an answer." in text


@pytest.mark.parametrize("name", SITUATIONS)
def test_json_follows_the_schema(name: str) -> None:
    document = json.loads(plain(JsonReport(), name))

    jsonschema.Draft202012Validator(read_schema()).validate(document)
    assert document["verdict"] == SITUATIONS[name].verdict
    assert [one["id"] for one in document["clashes"]] == [one.id for one in SITUATIONS[name].clashes]


def test_json_in_full(golden: Callable[[str, str], None]) -> None:
    golden("report-compatible.json", plain(JsonReport(), "compatible"))
    golden("report-one_clash.json", plain(JsonReport(), "one_clash"))


def test_json_lists_what_a_spec_asks_for_and_not_its_python() -> None:
    from report_builders import line  # noqa: PLC0415

    asking = spec("pyproject.toml", "numpy")
    python = line("pyproject.toml:2", 'requires-python = ">=3.9"', kind="python")
    bound = line("c.txt:1", "numpy<2", kind="constraint")
    asking = type(asking)(asking.id, asking.path, (*asking.requirements, python, bound), requires_python=">=3.9")

    found = json.loads(JsonReport().render(report("compatible", specs=(asking,)), color=False, width=80, verbose=0))

    assert [one["requirement"] for one in found["specs"][0]["requirements"]] == ["numpy", "numpy<2"]
    assert found["specs"][0]["requires_python"] == ">=3.9"


@pytest.mark.parametrize(
    "chosen", [one for one in FORMATS.values() if one.name in {"mermaid", "dot"}], ids=lambda one: one.name
)
@pytest.mark.parametrize("name", ["one_clash", "hostile"])
def test_diagrams_of_clashes(chosen: ReportFormat, name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"clashes-{name}.{chosen.name}", plain(chosen, name))


@pytest.mark.parametrize("chosen", GRAPHS.values(), ids=lambda one: one.name)
@pytest.mark.parametrize("name", ["compatible", "hostile"])
def test_dependency_graphs(chosen: ReportFormat, name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"graph-{name}.{chosen.name}", plain(chosen, name))


def test_a_tree_marks_what_was_shown_before_and_survives_cycles() -> None:
    pins = (
        pin("a", "1.0", "s.txt", "b", requires=("b", "leaf")),
        pin("b", "2.0", "a", requires=("a",)),
        pin("leaf", "3.0", "a", "t.txt"),
        pin("lost", "4.0"),
    )
    specs = (spec("s.txt"), spec("t.txt"))
    drawn = report("compatible", specs=specs, environments=(environment("env-1", "s.txt", "t.txt", pins=pins),))

    assert TreeGraph().render(drawn, color=False, width=80, verbose=0) == (
        "Environment env-1: 4 packages, Python 3.11.7\n"
        "s.txt\n"
        "└── a 1.0\n"
        "    ├── b 2.0\n"
        "    │   └── a 1.0 (*)\n"
        "    └── leaf 3.0\n"
        "t.txt\n"
        "└── leaf 3.0\n"
        "asked for by none of s.txt and t.txt\n"
        "└── lost 4.0\n"
        "\n"
        "(*) what it asks for is shown above\n"
    )


def test_a_tree_deeper_than_pythons_stack_is_drawn() -> None:
    pins = tuple(pin(f"p{number:05}", "1", requires=(f"p{number + 1:05}",)) for number in range(3000))
    pins = (pin("p00000", "1", "s.txt", requires=("p00001",)), *pins[1:])
    drawn = report("compatible", specs=(spec("s.txt"),), environments=(environment("env-1", "s.txt", pins=pins),))

    assert len(TreeGraph().render(drawn, color=False, width=80, verbose=0).splitlines()) == 3002
