"""Several Pythons: one is enough. Several platforms: all must work."""

from __future__ import annotations

import pytest
from builders import World, name, specs, universe

from conflictcheck.environments import build_environment
from conflictcheck.errors import Disagreement
from conflictcheck.index.memory import Rel
from conflictcheck.solver.answers import Solution
from conflictcheck.solver.oracle import No, Yes

LINUX, WINDOWS = "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"


def test_newest_python_that_works_is_taken() -> None:
    index = universe({"x": {"1.0": [], "2.0": Rel(requires_python="<3.12")}})
    world = World(index, specs(a=["x"], b=["x>=2"]), pythons=("3.13", "3.12", "3.11"))
    free, bound = world.ask("a"), world.ask("b")
    assert isinstance(free, Yes)
    assert isinstance(bound, Yes)
    assert (free.python_version, bound.python_version) == ("3.13", "3.11")


def test_specs_that_need_different_pythons_clash_though_each_has_one() -> None:
    index = universe({"x": {"1.0": Rel(requires_python="<3.12")}, "y": {"1.0": Rel(requires_python=">=3.12")}})
    world = World(index, specs(a=["x"], b=["y"]), pythons=("3.12", "3.11"))
    assert world.clashes() == [("a", "b")]
    reply = world.ask()
    assert isinstance(reply, No)
    assert set(reply.failures) == {"3.12", "3.11"}


def test_every_platform_must_work_each_with_its_own_releases() -> None:
    index = universe({"x": {"1.0": Rel(tags=(LINUX, WINDOWS)), "2.0": Rel(tags=(LINUX,))}})
    world = World(index, specs(a=["x"], b=["x>=2"]), platforms=("linux", "windows"))
    reply = world.oracle.resolve(world.lines_of("a"))
    assert isinstance(reply, Yes)
    pins = build_environment(world.oracle, "env", ["a"], world.lines_of("a"), reply).packages
    assert [(pin.version, pin.platforms) for pin in pins] == [("1.0", ("windows",)), ("2.0", ("linux",))]
    refused = world.ask("b")
    assert isinstance(refused, No)
    assert refused.failures["3.11"][0] == "windows"


def test_question_is_answered_from_what_is_known() -> None:
    world = World(universe({"x": {"1.0": [], "2.0": []}}), specs(a=["x>=2"], b=["x<2"], c=["x"]))
    assert isinstance(world.ask("a", "c"), Yes)
    assert isinstance(world.ask("a", "b"), No)
    asked = world.oracle.asked
    assert isinstance(world.ask("a"), Yes)
    assert isinstance(world.ask("a", "b", "c"), No)
    assert world.oracle.asked == asked


def test_fewer_specs_are_asked_anew_where_one_that_is_left_out_asked_for_a_prerelease() -> None:
    index = universe(
        {"x": {"1.0": [], "2.0": [], "3.0rc1": []}, "one": {"1.0": ["x!=1.0"]}, "two": {"1.0": ["x!=2.0"]}}
    )
    world = World(index, specs(a=["one"], b=["two"], c=["x>=1.0rc1"]))
    assert isinstance(world.ask("a", "b", "c"), Yes)
    assert isinstance(world.ask("a", "b"), No)
    assert isinstance(world.ask("a", "b", "c"), Yes)


def test_fewer_specs_are_asked_anew_where_a_release_of_one_left_out_asked_for_what_is_yanked() -> None:
    index = universe({"x": {"1.0": [], "2.0": Rel(yanked="")}, "lib": {"1.0": ["x==2.0"]}})
    world = World(index, specs(a=["x>=1"], b=["x!=1.0"], c=["lib"]))
    assert isinstance(world.ask("a", "b", "c"), Yes)
    assert isinstance(world.ask("a", "b"), No)
    assert isinstance(world.ask("a", "b", "c"), Yes)
    assert world.clashes() == [("b",)]


def test_resolve_gives_newest_first_whatever_was_asked_before() -> None:
    world = World(universe({"x": {"1.0": [], "2.0": []}}), specs(a=["x<2"], b=["x"]))
    assert world.pins("a", "b") == {"x": "1.0"}
    assert world.pins("b") == {"x": "2.0"}


def test_graph_says_who_asked_for_what() -> None:
    index = universe({"x": {"1.0": ["y", 'z ; extra == "fast"']}, "y": {"1.0": ["z"]}, "z": {"1.0": []}})
    world = World(index, specs(a=["x[fast]"], b=["y"]))
    reply = world.ask()
    assert isinstance(reply, Yes)
    pins = build_environment(world.oracle, "env", ["a", "b"], world.lines_of(), reply).packages
    assert [(pin.name, pin.extras, pin.requested_by, pin.requires) for pin in pins] == [
        ("x", ("fast",), ("a",), ("y", "z")),
        ("y", (), ("b", "x"), ("z",)),
        ("z", (), ("x", "y"), ()),
    ]


@pytest.mark.parametrize(
    ("releases", "complaint"),
    [({"x": 0, "y": 1}, "resolvelib rejects"), ({"x": 0}, "resolvelib rejects"), ({"x": 0, "y": 0, "z": 0}, "nobody")],
)
def test_wrong_choice_is_reported_as_our_mistake(releases: dict[str, int], complaint: str) -> None:
    index = universe({"x": {"1.0": ["y<2"]}, "y": {"1.0": [], "2.0": []}, "z": {"1.0": []}})
    world = World(index, specs(a=["x"], b=["z"]))
    assert isinstance(world.ask(), Yes)
    world.kernel.load([(name("y"), 1)])
    wrong = Solution({name(package): i for package, i in releases.items()}, {})
    with pytest.raises(Disagreement, match=complaint):
        build_environment(world.oracle, "env", ["a"], world.lines_of("a"), Yes("3.11", {"linux": wrong}))
