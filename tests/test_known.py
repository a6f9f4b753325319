"""Which clashes count, and whether a run passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from report_builders import clash, environment, line, report, spec

from conflictcheck.known import Before, Known, judge
from conflictcheck.model import DeclaredConflict, GoneClash, Severity, SpecId, Verdict

if TYPE_CHECKING:
    from conflictcheck.model import Report

AB = clash("ab0000000000", "a and b.", line("a.txt:1", "x<2"), line("b.txt:1", "x>=2"))
AC = clash("ac0000000000", "a and c.", line("a.txt:1", "x<2"), line("c.txt:1", "x>=2"))
C = clash("c00000000000", "c alone.", line("c.txt:1", "x>9"))
EXTRAS = clash(
    "ee0000000000",
    "Two extras.",
    line("p.toml:1", "x<2", spec="p.toml#extra:cpu"),
    line("p.toml:2", "x>2", spec="p.toml#extra:gpu"),
)


def found(*clashes: object, environments: int = 2, verdict: str = "split", **more: object) -> Report:
    placed = tuple(environment(f"env-{n}", f"{n}.txt") for n in range(environments))
    specs = (spec("a.txt"), spec("b.txt"), spec("c.txt"))
    return report(verdict, specs=specs, environments=placed, clashes=clashes, **more)  # type: ignore[arg-type]


def codes(judged: Report) -> list[str]:
    return [diagnostic.code for diagnostic in judged.diagnostics]


@pytest.mark.parametrize(
    ("clashes", "environments", "known", "allowed", "passed"),
    [
        ((AB,), 2, {}, 1, False),
        ((AB,), 2, {}, 2, True),
        ((AB,), 2, {AB.id: ""}, 1, True),
        ((AB, AC), 2, {AB.id: ""}, 1, False),
        ((AB, AC), 2, {AB.id: ""}, 2, True),
        ((AB, AC), 3, {AB.id: ""}, 2, False),
        ((AB, AC), 3, {AB.id: "", AC.id: ""}, 1, True),
    ],
    ids=["new", "new but allowed", "known", "one of two", "all allowed", "too many for it", "all known"],
)
def test_a_run_passes_with_few_enough_environments_or_without_a_new_clash(
    clashes: tuple[object, ...], environments: int, known: dict[str, str], allowed: int, *, passed: bool
) -> None:
    judged = judge(found(*clashes, environments=environments), Known(baseline=known), allowed)
    assert judged.passed is passed
    assert [one.known for one in judged.clashes] == [
        "in the baseline" if one.id in known else "" for one in judged.clashes
    ]


@pytest.mark.parametrize(("known", "passed"), [({}, False), ({C.id: ""}, True)])
def test_a_spec_that_cannot_be_installed_passes_only_if_that_is_known(known: dict[str, str], *, passed: bool) -> None:
    judged = judge(found(C, environments=1, verdict="unsatisfiable"), Known(baseline=known), 5)
    assert (judged.verdict, judged.passed) == (Verdict.UNSATISFIABLE, passed)


def test_what_is_known_hides_nothing_that_is_undecided() -> None:
    judged = judge(found(AB, verdict="undecided"), Known(baseline={AB.id: "", AC.id: ""}), 5)
    assert (judged.verdict, judged.passed, judged.gone) == (Verdict.UNDECIDED, False, ())


def test_where_not_every_clash_could_be_found_nothing_passes_for_being_known_and_nothing_is_told_as_gone() -> None:
    judged = judge(found(AB, clashes_complete=False), Known(baseline={AB.id: "", AC.id: ""}), 1)
    assert (judged.passed, judged.gone) == (False, ())
    assert judge(found(AB, clashes_complete=False), Known(baseline={AB.id: ""}), 2).passed


def test_gone_clashes_of_a_baseline_are_named_with_what_to_do() -> None:
    judged = judge(found(AB), Known("known.toml", {AC.id: "a and c.", AB.id: ""}), 1)
    assert judged.gone == (GoneClash(AC.id, "a and c.", "in the baseline"),)
    [note] = judged.diagnostics
    assert (note.severity, note.code, note.file) == (Severity.NOTE, "baseline-outdated", "known.toml")
    assert note.message.startswith("1 clash of the baseline is gone; write it anew with --write-baseline")


@pytest.mark.parametrize(
    ("given", "known", "message"),
    [
        (AB.id, ["ignored", ""], None),
        (AB.id[:6], ["ignored", ""], None),
        ("dddddd", ["", ""], "--ignore dddddd names no clash here"),
    ],
)
def test_a_clash_is_ignored_by_its_id_or_the_beginning_of_it(given: str, known: list[str], message: str | None) -> None:
    judged = judge(found(AB, AC), Known(ignored=(given,)), 1)
    assert [one.known for one in judged.clashes] == known
    assert [note.message for note in judged.diagnostics] == ([] if message is None else [message])


def test_the_beginning_of_two_ids_ignores_neither() -> None:
    twin = replace(AC, id="ab0000000001")
    judged = judge(found(AB, twin), Known(ignored=("ab0000",)), 1)
    assert [one.known for one in judged.clashes] == ["", ""]
    assert [note.message for note in judged.diagnostics] == [
        "--ignore ab0000 names 2 clashes: ab0000000000 and ab0000000001"
    ]


@pytest.mark.parametrize(
    ("declared", "is_known"),
    [
        (("p.toml#extra:cpu", "p.toml#extra:gpu", "p.toml#group:dev"), True),
        (("p.toml#extra:cpu", "p.toml#group:dev"), False),
        (("q.toml#extra:cpu", "q.toml#extra:gpu"), False),
    ],
)
def test_a_clash_among_sections_that_a_declared_conflict_names_is_expected(
    declared: tuple[str, ...], *, is_known: bool
) -> None:
    conflict = DeclaredConflict("p.toml", tuple(map(SpecId, declared)))
    judged = judge(found(EXTRAS), Known(conflicts=(conflict,)), 1)
    assert judged.clashes[0].known == ("declared in [tool.uv] conflicts of p.toml" if is_known else "")
    assert judged.passed is is_known


def test_a_declared_conflict_says_nothing_of_one_of_its_sections_alone() -> None:
    alone = replace(EXTRAS, specs=(SpecId("p.toml#extra:cpu"),))
    conflict = DeclaredConflict("p.toml", EXTRAS.specs)
    assert not judge(found(alone), Known(conflicts=(conflict,)), 5).passed


def test_compared_with_an_earlier_state_only_what_was_not_there_counts() -> None:
    before = Before("main", "at main", (AB, C))
    judged = judge(found(AB, AC), Known(), 1, before)
    assert [one.known for one in judged.clashes] == ["at main already", ""]
    assert judged.gone == (GoneClash(C.id, "c alone.", "at main"),)
    assert (judged.passed, judged.compared_with) == (False, "main")
    assert judge(found(AB), Known(), 1, before).passed


def test_what_could_not_be_found_out_about_the_earlier_state_is_told_and_what_may_have_been_there_counts() -> None:
    judged = judge(found(AB), Known(), 1, Before("main", "at main", (), ("b.txt: the index answered 503",)))
    assert not judged.passed
    [warning] = judged.diagnostics
    assert (warning.severity, warning.code) == (Severity.WARNING, "comparison-incomplete")
    assert warning.message.endswith("may have been there: b.txt: the index answered 503")
