"""Minimal clashes: all of them, each as small as it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from builders import World, constraints, line, specs, universe
from msgspec.structs import replace
from packaging.utils import NormalizedName

from conflictcheck.clashes import ClashFinder, Core
from conflictcheck.facts import Unknown
from conflictcheck.index.memory import Rel
from conflictcheck.model import SpecId
from conflictcheck.phrases import count
from conflictcheck.solver.oracle import Maybe, No, Yes

if TYPE_CHECKING:
    from conflictcheck.solver.oracle import Oracle, Reply
from conflictcheck.verification import SecondOpinion


def ids(*names: str) -> list[SpecId]:
    return [SpecId(name) for name in names]


def three() -> dict[str, list[str]]:
    return {"1.0": [], "2.0": [], "3.0": []}


def test_clash_of_three_whose_pairs_are_fine() -> None:
    world = World(universe({"x": three()}), specs(a=["x!=1.0"], b=["x!=2.0"], c=["x!=3.0"], d=["x"]))
    assert world.clashes() == [("a", "b", "c")]
    assert world.findings.placeable == ("a", "b", "c", "d")


def test_every_minimal_clash_is_found_smallest_first() -> None:
    index = universe({"x": three(), "y": three()})
    world = World(index, specs(a=["x<2", "y!=1.0"], b=["x>=2"], c=["y!=2.0"], d=["y!=3.0"], e=["x>=3"]))
    assert world.clashes() == [("a", "b"), ("a", "e"), ("a", "c", "d")]
    assert world.findings.complete


def test_a_clash_of_two_comes_before_one_of_three_whichever_is_found_first() -> None:
    pair, three_specs = {"p": ["x<2"], "q": ["x>=2"]}, {"r": ["y!=1.0"], "s": ["y!=2.0"], "t": ["y!=3.0"]}
    index = universe({"x": three(), "y": three()})
    assert World(index, specs(**pair, **three_specs)).clashes() == [("p", "q"), ("r", "s", "t")]
    swapped = dict(zip("pqrst", [*three_specs.values(), *pair.values()], strict=True))
    assert World(index, specs(**swapped)).clashes() == [("s", "t"), ("p", "q", "r")]


def test_neither_the_order_of_specs_given_nor_of_those_asked_about_matters() -> None:
    world = World(universe({"x": three()}), specs(a=["x<2"], b=["x==2.0"], c=["x>=3"], d=["x!=2.0"]))
    finder = ClashFinder(world.oracle, dict(reversed(world.positions.items())))
    assert finder.find() == world.findings
    asked = list(world.positions)
    assert finder.probe(asked[::-1]) == finder.probe(asked)


def test_a_set_of_specs_about_which_too_little_is_known_is_neither_good_nor_a_clash() -> None:
    index = universe({"x": three(), "y": {"1.0": Unknown("the index answered 503")}})
    finder = World(index, specs(a=["x"], b=["y"])).finder
    assert finder.probe(ids("a", "b")) == Maybe("what y 1.0 needs is not known: the index answered 503")


@pytest.mark.parametrize(("marker", "is_asked_for"), [("", True), (" ; os_name == 'nt'", False)])
def test_a_spec_with_a_url_that_may_be_any_package_is_no_clash(marker: str, *, is_asked_for: bool) -> None:
    url = "git+https://git.example/r"
    nameless = replace(line("a", f"r @ {url}{marker}"), name=NormalizedName(url))
    findings = World(universe({"x": three()}), specs(a=[nameless, "nowhere"], b=["x>=2"], c=["x<2"])).findings
    reason = f"{url} (a:1) does not tell which package it is; it would have to be cloned to be known"
    assert findings.doubts == ({SpecId("a"): reason} if is_asked_for else {})
    assert [core.specs for core in findings.cores] == [*([] if is_asked_for else [("a",)]), ("b", "c")]


def test_where_it_is_not_known_whether_fewer_specs_clash_that_is_said() -> None:
    index = universe({"x": {"1.0": [], "2.0": Unknown("the index answered 503"), "3.0": []}})
    findings = World(index, specs(a=["x>=2"], b=["x<=2"], c=["x!=2.0"])).findings
    assert [(core.specs, core.minimal, core.sure) for core in findings.cores] == [(("a", "b", "c"), False, False)]
    assert not findings.complete
    assert findings.unclear == ["what x 2.0 needs is not known: the index answered 503"]


def test_spec_that_cannot_be_installed_alone_is_in_no_clash_with_others() -> None:
    world = World(universe({"x": three()}), specs(a=["x>=9", "x<2"], b=["x>=2"], c=["x<2"]))
    assert world.clashes() == [("a",), ("b", "c")]
    assert world.findings.placeable == ("b", "c")
    assert world.texts(world.findings.cores[0]) == ["a: x>=9"]


def test_specs_that_say_the_same_have_the_same_clashes_each_with_its_own_lines() -> None:
    world = World(universe({"x": three()}), specs(a=["x<2"], b=["x>=2"], c=["x < 2"]))
    assert world.clashes() == [("a", "b"), ("b", "c")]
    assert [world.texts(core) for core in world.findings.cores] == [["a: x<2", "b: x>=2"], ["b: x>=2", "c: x < 2"]]
    assert world.findings.placeable == ("a", "b", "c")


def test_specs_that_say_the_same_are_asked_about_once() -> None:
    many = {f"s{i:02}": ["x<2", "y"] for i in range(30)}
    world = World(universe({"x": three(), "y": three()}), specs(**many, z=["x>=2"]))
    assert len(world.clashes()) == 30
    assert world.oracle.asked <= 6


def test_only_the_lines_that_matter_are_named() -> None:
    index = universe({"x": three(), "y": three(), "lib": {"1.0": ["x<2"]}})
    world = World(index, specs(a=["y", "x>=2", "y<3"], b=["y", "lib", "y>=1"]))
    [core] = world.findings.cores
    assert world.texts(core) == ["a: x>=2", "b: lib"]
    assert core.minimal


def test_two_lines_on_one_package_are_preferred_to_a_longer_story() -> None:
    index = universe({"x": three(), "lib": {"1.0": ["x<2"]}})
    [core] = World(index, specs(a=["lib", "x<2"], b=["x>=2"])).findings.cores
    assert core.lines == (1, 2)


def test_constraint_file_is_named_where_it_matters_and_only_there() -> None:
    world = World(universe({"x": three()}), specs(a=["x>=2"], b=["x>=3"], c=["x"]), constraints("x<3", "y<1"))
    assert world.clashes() == [("b",)]
    assert world.texts(world.findings.cores[0]) == ["b: x>=3", "constraints.txt: x<3"]


ONE_AND_TWO = {"one": {"1.0": ["x!=1.0"]}, "two": {"1.0": ["x!=2.0"]}}
"""Releases leave what has to be asked for; lines that do so would ask for it."""


def test_clash_that_another_spec_would_resolve_says_so() -> None:
    index = universe({"x": {"1.0": [], "2.0": [], "3.0rc1": []}, **ONE_AND_TWO})
    world = World(index, specs(a=["one"], b=["two"], c=["x>=1.0rc1"]))
    [core] = world.findings.cores
    assert (core.specs, core.absent) == (("a", "b"), ("c",))
    assert world.split.parts == (("a", "b", "c"),)
    assert world.split.proven


def test_clash_that_either_of_two_specs_that_say_the_same_would_resolve() -> None:
    index = universe({"x": {"1.0": [], "2.0": [], "3.0rc1": []}, **ONE_AND_TWO})
    [core] = World(index, specs(a=["one"], b=["two"], c=["x>=1.0rc1"], d=["x>=1.0rc1"])).findings.cores
    assert (core.specs, core.absent) == (("a", "b"), ("c", "d"))


def test_clash_that_is_met_again_beside_the_spec_that_would_resolve_it_is_told_once() -> None:
    index = universe({"x": {"1.0": [], "2.0": [], "3.0rc1": []}, **ONE_AND_TWO})
    world = World(index, specs(a=["one"], b=["two"], c=["x>=1.0rc1"], e=["x<=2"], f=["x<2.5"]))
    assert [(core.specs, core.absent) for core in world.findings.cores] == [(("a", "b"), ("c",))]
    assert world.findings.complete
    assert (len(world.split.parts), world.split.proven) == (2, True)


def test_clash_that_a_release_of_another_spec_would_resolve_says_so() -> None:
    index = universe(
        {"x": {"1.0": [], "2.0": [], "3.0rc1": []}, **ONE_AND_TWO, "lib": {"1.0": ["x>2"]}, "y": {"1.0": []}}
    )
    world = World(index, specs(a=["one"], b=["two"], c=["lib"], d=["y"]))
    [core] = world.findings.cores
    assert (core.specs, core.absent, core.minimal) == (("a", "b"), ("c",), True)
    assert (world.split.parts, world.split.proven) == ((("a", "b", "c", "d"),), True)


def test_lines_of_a_clash_are_of_all_its_specs_though_fewer_fail_for_another_reason() -> None:
    index = universe({"x": {"1.0": Rel(yanked=""), "2.0": []}, "lib": {"1.0": ["x<2", "y<2"]}, "y": three()})
    world = World(index, specs(a=["lib", "x==1.0"], b=["y>=2"]))
    [core] = world.findings.cores
    assert core.specs == ("a", "b")
    assert "b: y>=2" in world.texts(core)


def test_a_line_that_was_needed_only_beside_one_that_was_left_out_makes_no_minimal_clash() -> None:
    # a 3.0, which the pin rules out, is what asks for b 1.0; but without `a>1.0` nobody does, whatever the pin says.
    linux, old = Rel(tags=("cp311-cp311-manylinux_2_17_x86_64",)), Rel(tags=(), sdist=True)
    index = universe(
        {
            "a": {"1.0": linux, "2.0": linux, "3.0": Rel(["b<2.0"])},
            "b": {"1.0": old, "2.0": Rel(["f"], tags=("cp39-abi3-manylinux_2_12_x86_64",))},
            "e": {"3.0": old},
        }
    )
    world = World(index, specs(y=["e>=2.0", "a>1.0", "b>=1.0,<=2.0"], z=["a===2.0"]))
    (core,) = world.findings.cores

    assert core.specs == ("y", "z")
    assert not core.minimal
    opinion = SecondOpinion(world.oracle, world.lines)
    assert all(map(opinion.is_confirmed, opinion.questions([core])))


def test_cut_off_search_says_that_it_is_incomplete() -> None:
    world = World(universe({"x": three()}), specs(a=["x==1.0"], b=["x==2.0"], c=["x==3.0"]))
    for budget in (1, 2, 3):
        findings = ClashFinder(world.oracle, world.positions, budget=budget).find()
        assert not findings.complete
        assert findings.unclear == [f"the search for clashes was cut off after {count(budget, 'question')}"]
        assert len(findings.cores) == budget
    assert world.findings.complete


def test_what_the_solver_blames_spares_questions_about_the_others() -> None:
    free = {f"s{i:02}": [f"y>={i}.0"] for i in range(1, 9)}
    world = World(universe({"x": three(), "y": {"9.0": []}}), specs(a=["x<2"], **free, z=["x>=2"]))
    assert world.clashes() == [("a", "z")]
    assert world.oracle.asked <= len(world.specs) + 4


def test_a_clash_of_three_by_lines_that_many_specs_state_is_one_of_each_three_that_do_not_clash_already() -> None:
    sides = {"a": "x!=1.0", "b": "x!=2.0", "c": "x!=3.0"}
    named = {f"{name}{i}": [asked, f"y>={i}"] for name, asked in sides.items() for i in range(5)}
    named["a0"] += ["z<2"]
    named["b0"] += ["z>=2"]
    packages = {"x": {"1.0": [], "2.0": [], "3.0": []}, "y": {"9.0": []}, "z": {"1.0": [], "2.0": []}}
    world = World(universe(packages), specs(**named))
    expected = [(f"a{i}", f"b{j}", f"c{k}") for i in range(5) for j in range(5) for k in range(5) if i or j]
    assert world.clashes() == [("a0", "b0"), *expected]
    assert world.findings.complete
    assert all(core.minimal for core in world.findings.cores)
    assert world.oracle.asked <= 60


class Blunt:
    """An oracle that blames everything: the last line clashes with each of the others."""

    def __init__(self, *texts: str) -> None:
        mine = [line("a", text, number=number) for number, text in enumerate(texts[:-1], 1)]
        self.lines = [*mine, line("b", texts[-1])]
        self.targets: dict[str, tuple[()]] = {}

    def ask(self, lines: frozenset[int]) -> Reply:
        last = len(self.lines) - 1
        clash = last in lines and len(lines) > 1
        return No(frozenset(lines), frozenset(), {}) if clash else Yes("3.11", {})

    def enablers(self) -> frozenset[int]:
        return frozenset()


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["x<2", "y==1.0"], "x<2"),
        (["y==1.0", "x<2"], "x<2"),
        (["y===1.0", "x<2,!=1"], "x<2,!=1"),
        (["y<2,==1.*", "x<2"], "x<2"),
        (["-c x<2", "y==1.0"], "y==1.0"),
        (["y==1.0", "-c x<2"], "y==1.0"),
        (["x<2", "y<2"], "x<2"),
        (["y<2", "x<2"], "x<2"),
        (["-c y==1.0", "-c x<2"], "x<2"),
    ],
)
def test_a_clash_names_ranges_rather_than_pins_and_constraints_last(texts: list[str], kept: str) -> None:
    oracle = Blunt(*texts, "app")
    finder = ClashFinder(cast("Oracle", oracle), {SpecId("a"): frozenset({0, 1}), SpecId("b"): frozenset({2})})
    core = finder.probe(ids("a", "b"))
    assert isinstance(core, Core)
    assert [oracle.lines[i].text for i in core.lines] == [kept, "app"]


def test_one_question_about_all_of_them_is_enough_where_nothing_clashes() -> None:
    world = World(universe({"x": three()}), specs(a=["x>=1"], b=["x>=2"], c=["x!=2.5"], d=["x<9"]))
    assert ClashFinder(world.oracle, world.positions, budget=1).find().complete


def test_spec_about_which_too_little_is_known_is_neither_placed_nor_in_a_clash() -> None:
    index = universe({"x": three(), "y": {"1.0": Unknown("the index answered 503")}})
    findings = World(index, specs(a=["x<2"], b=["y", "x>=2"], c=["x>=2"])).findings
    assert findings.placeable == ("a", "c")
    assert findings.doubts == {"b": "what y 1.0 needs is not known: the index answered 503"}
    assert [core.specs for core in findings.cores] == [("a", "c")]
    assert not findings.complete


def test_requires_python_lines_clash_like_others() -> None:
    world = World(universe({}), specs(a=["python>=3.12"], b=["python<3.12"]), pythons=("3.12", "3.11"))
    assert world.clashes() == [("a", "b")]


def test_hashes_that_no_release_has_clash_with_themselves() -> None:
    asked = line("a", "x", hashes=("sha256:" + "0" * 64,))
    assert World(universe({"x": {"1.0": Rel(hashes=("sha256:" + "1" * 64,))}}), specs(a=[asked])).clashes() == [("a",)]
    assert World(universe({"x": {"1.0": Rel(hashes=("sha256:" + "0" * 64,))}}), specs(a=[asked])).clashes() == []
    assert World(universe({"x": {"1.0": Rel()}}), specs(a=[asked])).clashes() == []


def test_a_line_that_asks_for_a_yanked_release_is_shown_to_be_needed_by_the_lines_that_are_left_in_the_end() -> None:
    packages = {
        "b": {"1.0": ["d>=2"], "2.0": ["d<2"]},
        "d": {"1.0": Rel(yanked="broken"), "2.0": []},
    }
    world = World(universe(packages), specs(w=["b<=1"], y=["b>=2", "d==1.0"]))
    assert [(world.texts(core), core.minimal) for core in world.findings.cores] == [(["w: b<=1", "y: d==1.0"], True)]


def test_line_that_asks_for_what_is_yanked_is_no_part_of_a_clash_that_is_there_without_it() -> None:
    index = universe(
        {
            "a": {"1.0": Rel(yanked="broken")},
            "b": {"3.0": ["c<2.0"]},
            "c": {"1.0": [], "3.0": Rel(yanked="broken")},
        }
    )
    world = World(index, specs(v=["c==3.0", "c!=1.0"], w=["b==3.0", "a==1.0", "c!=2.0"]))
    [core] = world.findings.cores
    assert (world.texts(core), core.minimal) == (["v: c==3.0", "w: b==3.0"], True)
