"""Each clash in full, as ``conflictcheck explain`` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from situations import SITUATIONS

from conflictcheck.model import SpecId
from conflictcheck.reports.explanation import ExplanationText
from conflictcheck.reports.text import TextReport

if TYPE_CHECKING:
    from collections.abc import Callable

SIDES = (
    (
        "vision/requirements.txt:3 asks for tensorflow==2.10.0",
        "tensorflow 2.10.0 needs protobuf<3.20",
        "protobuf 3.9.2 to 3.19.5",
    ),
    ("nlp/requirements.txt:1 asks for protobuf>=4", "protobuf 4.21.1 to 4.25.9"),
)


def explained(name: str, *, width: int = 80) -> str:
    return ExplanationText().render(SITUATIONS[name], color=False, width=width, verbose=0)


def test_a_clash_has_a_tree_for_each_side(golden: Callable[[str, str], None]) -> None:
    report = SITUATIONS["one_clash"]
    clash = replace(report.clashes[0], sides=SIDES)

    text = ExplanationText().render(replace(report, clashes=(clash,)), color=False, width=80, verbose=0)

    golden("explanation-one_clash.txt", text)
    assert "  └─ tensorflow 2.10.0 needs protobuf<3.20\n     └─ protobuf 3.9.2 to 3.19.5\n" in text


def test_twelve_clashes_are_all_told_in_full(golden: Callable[[str, str], None]) -> None:
    text = explained("many_clashes")

    golden("explanation-many_clashes.txt", text)
    assert "Clash 12 of 12:" in text
    assert "in short" not in text


def test_a_line_that_is_in_two_clashes_points_to_the_other_one() -> None:
    report = SITUATIONS["one_clash"]
    clash = report.clashes[0]
    other = replace(clash, id="another", requirements=clash.requirements[:1])

    text = ExplanationText().render(replace(report, clashes=(clash, other)), color=False, width=80, verbose=0)

    assert "Lines of it are in clash 2, too." in text
    assert "Lines of it are in clash 1, too." in text


def test_a_clash_of_the_same_lines_for_another_section_is_named_beside_the_first() -> None:
    report = SITUATIONS["one_clash"]
    clash = report.clashes[0]
    nlp, vision = clash.requirements
    section = SpecId("vision/pyproject.toml#extra:gpu")
    other = replace(clash, id="another", specs=(nlp.spec, section), requirements=(nlp, replace(vision, spec=section)))
    twice = replace(report, clashes=(clash, other))

    for chosen in (ExplanationText(), TextReport()):
        text = " ".join(chosen.render(twice, color=False, width=80, verbose=0).split())

        assert "Clash 2 of 2" not in text
        assert f"2 clashes say the same: {nlp.spec} with each of {vision.spec} and {section}." in text


def test_specs_that_can_be_together_are_said_to_be() -> None:
    assert explained("compatible").startswith("All ")
    assert explained("compatible") == TextReport().render(SITUATIONS["compatible"], color=False, width=80, verbose=0)


def test_nothing_is_explained_while_undecided() -> None:
    assert explained("undecided").startswith("Undecided: ")


def test_what_is_not_minimal_or_not_complete_is_said() -> None:
    report = SITUATIONS["one_clash"]
    text = ExplanationText().render(replace(report, clashes_complete=False), color=False, width=80, verbose=0)

    assert "There may be further clashes" in text


def test_hostile_names_do_nothing_to_a_terminal() -> None:
    assert "\x1b" not in explained("hostile")
