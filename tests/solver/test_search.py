"""Newest first, and how much work that takes: counted, never timed."""

from __future__ import annotations

import pytest
from builders import World, overrides, specs, universe

from conflictcheck.index.memory import Rel
from conflictcheck.solver import search
from conflictcheck.solver.oracle import Maybe, No, Yes


def versions(count: int, *requires: str) -> dict[str, list[str]]:
    return {f"{i}.0": list(requires) for i in range(1, count + 1)}


def test_newest_release_is_taken_and_no_other_is_loaded() -> None:
    index = universe({"x": versions(50, "y"), "y": versions(50)})
    world = World(index, specs(a=["x"]))
    assert world.pins() == {"x": "50.0", "y": "50.0"}
    assert sorted(index.metadata_asked) == [("x", "50.0"), ("y", "50.0")]


def test_what_the_specs_ask_for_directly_is_newest_before_what_it_needs() -> None:
    index = universe({"x": {"1.0": ["y"], "2.0": ["y<2"]}, "y": versions(3)})
    assert World(index, specs(a=["x"])).pins() == {"x": "2.0", "y": "1.0"}


def test_package_goes_back_no_further_than_it_must() -> None:
    releases = {f"{i}.0": [f"y=={i}.0"] for i in range(1, 41)}
    world = World(universe({"x": releases, "y": versions(40)}), specs(a=["x", "y<=25"]))
    assert world.pins() == {"x": "25.0", "y": "25.0"}
    assert world.oracle.calls <= 20


def test_impossible_set_takes_few_calls_and_loads_only_what_is_needed() -> None:
    index = universe({"x": versions(200, "y<2"), "y": versions(200)})
    world = World(index, specs(a=["x"], b=["y>=2"]))
    assert isinstance(world.ask(), No)
    assert world.oracle.calls <= 40
    assert [version for package, version in index.metadata_asked if package == "y"] == ["200.0"]


def test_second_question_over_the_same_specs_is_nearly_free() -> None:
    index = universe({"x": versions(100, "y<2"), "y": versions(100), "z": versions(3)})
    world = World(index, specs(a=["x"], b=["y>=2"], c=["z"]))
    assert isinstance(world.ask("a", "b"), No)
    before = world.oracle.calls
    loaded = sum(index.metadata_asked.values())
    assert isinstance(world.ask("a", "b", "c"), No)
    assert isinstance(world.oracle.resolve(world.lines_of("a", "b")), No)
    assert world.oracle.calls - before <= 3
    assert sum(index.metadata_asked.values()) == loaded


def test_spent_budget_is_undecided_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BUDGET", 2)
    index = universe({"x": versions(30, "y<2"), "y": versions(30, "z"), "z": versions(3)})
    world = World(index, specs(a=["x"], b=["y"], c=["z<2"]))
    assert world.ask() == Maybe("the search was given up after 2 steps")


def test_prerelease_is_taken_where_a_line_names_one() -> None:
    index = universe({"x": {"1.0": [], "2.0rc1": []}})
    assert World(index, specs(a=["x"])).pins() == {"x": "1.0"}
    assert World(index, specs(a=["x>=1.0rc1"])).pins() == {"x": "2.0rc1"}
    assert World(index, specs(a=["x"], b=["x>=1.0rc1"])).pins() == {"x": "2.0rc1"}


def test_release_that_names_a_prerelease_as_a_bound_asks_for_none() -> None:
    index = universe({"x": {"1.0": [], "2.0rc1": []}, "lib": {"1.0": ["x<3.0dev"]}})
    assert World(index, specs(a=["lib"])).pins() == {"lib": "1.0", "x": "1.0"}


def test_prerelease_is_taken_where_nothing_else_will_do() -> None:
    index = universe({"x": {"1.0": [], "2.0rc1": []}, "y": {"1.0b1": []}, "lib": {"1.0": ["x>=1.5"]}})
    assert World(index, specs(a=["x>=1.5"])).pins() == {"x": "2.0rc1"}
    assert World(index, specs(a=["lib", "y"])).pins() == {"lib": "1.0", "x": "2.0rc1", "y": "1.0b1"}


def test_yanked_release_is_taken_only_where_it_is_pinned() -> None:
    index = universe({"x": {"1.0": [], "2.0": Rel(yanked="")}, "lib": {"1.0": ["x==2.0"]}})
    assert World(index, specs(a=["x"])).pins() == {"x": "1.0"}
    assert isinstance(World(index, specs(a=["x>=2"])).ask(), No)
    assert World(index, specs(a=["x==2.0"])).pins() == {"x": "2.0"}
    assert World(index, specs(a=["lib"])).pins() == {"lib": "1.0", "x": "2.0"}


def test_release_that_pins_itself_for_an_extra_asks_for_no_locked_release() -> None:
    requires = ['x[fast]==2.0 ; extra == "all"']
    yanked, final = Rel(requires, yanked="", extras=("fast", "all")), Rel(["y<2"], extras=("fast", "all"))
    index = universe({"x": {"1.0": final, "2.0": yanked}, "y": versions(2)})
    assert isinstance(World(index, specs(a=["x[all]", "y>=2"])).ask(), No)
    assert World(index, specs(a=["x[all]==2.0", "y>=2"])).pins() == {"x": "2.0", "y": "2.0"}
    early = Rel(['x[fast]==2.0rc1 ; extra == "all"'], extras=("fast", "all"))
    index = universe({"x": {"1.0": final, "2.0rc1": early}, "y": versions(2)})
    assert isinstance(World(index, specs(a=["x[all]", "y>=2"])).ask(), No)
    assert World(index, specs(a=["x[all]>=1.0rc1", "y>=2"])).pins() == {"x": "2.0rc1", "y": "2.0"}


_PINNING = {
    "two pre-releases": {"x": Rel(["w==2.0rc1"]), "w": Rel(["x==2.0rc1"])},
    "two yanked releases": {"x": Rel(["w==2.0"], yanked=""), "w": Rel(["x==2.0"], yanked="")},
    "a pre-release and a yanked one": {"x": Rel(["w==2.0"]), "w": Rel(["x==2.0rc1"], yanked="")},
    "three": {"x": Rel(["w==2.0rc1"]), "w": Rel(["v==2.0rc1"]), "v": Rel(["x==2.0rc1"])},
    "by way of an extra": {"x": Rel(["w[fast]"]), "w": Rel(['x==2.0rc1 ; extra == "fast"'], extras=("fast",))},
}


@pytest.mark.parametrize("situation", _PINNING)
def test_locked_releases_that_only_ask_for_each_other_are_not_let_in(situation: str) -> None:
    tied = {
        name: {"1.0": ["y<2"] if name == "x" else [], ("2.0" if rel.yanked is not None else "2.0rc1"): rel}
        for name, rel in _PINNING[situation].items()
    }
    if situation == "by way of an extra":
        tied["w"] = {"1.0": _PINNING[situation]["w"]}
    newest = max(tied["x"])
    index = universe({**tied, "y": versions(2), "z": {"1.0": [f"x=={newest}"]}})
    world = World(index, specs(a=["x"], b=["y>=2"], c=["z"]))
    assert isinstance(world.ask("a", "b"), No)
    assert isinstance(world.oracle.resolve(world.lines_of("a", "b")), No)
    assert isinstance(world.ask("a", "b", "c"), Yes), "which begins at a line"
    assert world.pins("a", "b", "c")["x"] == newest
    assert isinstance(world.ask("a", "b"), No)


def test_locked_releases_that_only_ask_for_each_other_take_few_calls_among_many_others() -> None:
    others = {f"p{i}": versions(30) for i in range(10)}
    tied = {"x": {"1.0": ["y<2"], "2.0rc1": ["w"]}, "w": {"1.0": ["x==2.0rc1"]}}
    world = World(universe({**others, **tied, "y": versions(2)}), specs(a=["x", *others], b=["y>=2"]))
    assert isinstance(world.oracle.resolve(world.lines_of("a", "b")), No)
    assert world.oracle.calls <= 60


def test_override_that_adds_an_extra_founds_nothing_on_its_own() -> None:
    tied = {
        "x": {"1.0": ["y<2"], "2.0rc1": ["w"]},
        "w": {"1.0": Rel(['v ; extra == "fast"'], extras=("fast",))},
        "v": {"1.0": ["x==2.0rc1"]},
    }
    index = universe({**tied, "y": versions(2)})
    assert isinstance(World(index, specs(a=["x", "y>=2"]), overrides("w[fast]")).ask(), No)
    assert World(index, specs(a=["x", "y>=2", "w"]), overrides("w[fast]")).pins()["x"] == "2.0rc1"


def test_old_source_distribution_is_taken_only_where_nothing_else_is_admitted() -> None:
    old, new = Rel(tags=(), sdist=True), Rel(tags=("cp311-cp311-manylinux_2_17_x86_64",), requires=["y>=2"])
    index = universe({"x": {"1.0": old, "2.0": new}, "y": versions(2)})
    assert World(index, specs(a=["x<2"])).pins() == {"x": "1.0"}
    assert isinstance(World(index, specs(a=["x", "y<2"])).ask(), No)
    assert isinstance(World(index, specs(a=["x<2", "y<2"])).ask(), Yes)


def test_python_line_alone_is_asked_about() -> None:
    assert isinstance(World(universe({}), specs(a=["python>=3.12"])).ask(), No)
    assert isinstance(World(universe({}), specs(a=["python>=3.11"])).ask(), Yes)


def test_locked_release_goes_when_the_one_that_asked_for_it_does() -> None:
    """E 2.0rc1 is chosen for the helper of d 2.0, which then gives way to d 1.0 because of w; the helper goes, too."""
    index = universe(
        {
            "d": {"1.0": [], "2.0": ["helper"]},
            "helper": {"1.0": ["e>=2.0rc1"]},
            "e": {"1.0": [], "2.0rc1": []},
            "z": {"1.0": ["y"]},
            "y": {"1.0": ["x"]},
            "x": {"1.0": ["w"]},
            "w": {"1.0": ["d<2"]},
        }
    )
    others = dict.fromkeys("wxyz", "1.0")
    assert World(index, specs(a=["d", "e", "z"])).pins() == {"d": "1.0", "e": "1.0", **others}
