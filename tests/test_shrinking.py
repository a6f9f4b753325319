"""Down to which specs and lines a clash is shrunk, whatever the solver blames."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING, cast

import pytest
from builders import World, constraints, line, specs, universe

from conflictcheck.clashes import ClashFinder, Core
from conflictcheck.facts import Unknown
from conflictcheck.index.memory import Rel
from conflictcheck.model import SpecId
from conflictcheck.solver.oracle import No, Yes

if TYPE_CHECKING:
    from builders import Universe

    from conflictcheck.solver.oracle import Oracle, Reply

THREE: Universe = {name: {"1.0": [], "2.0": [], "3.0": []} for name in "xyz"}
CANDIDATE: Universe = {
    "p": {"1.0": [], "2.0": [], "3.0rc1": []},
    "one": {"1.0": ["p!=1.0"]},
    "two": {"1.0": ["p!=2.0"]},
    "lib": {"1.0": ["p>2"]},
    "unread": {"1.0": Unknown("the index answered 503")},
}
"""Who needs `one` and `two` is left a pre-release alone, which `lib` asks for."""


class Blaming:
    """An oracle that blames anything: of eight lines, some sets of three clash, with whatever else is asked for."""

    def __init__(self, seed: int, lines_each: int) -> None:
        self.seed = seed
        self.lines = [line("abcdefgh"[i // lines_each], f"x{i}", number=i % lines_each) for i in range(8)]
        self.targets: dict[str, tuple[()]] = {}
        chance = Random(seed)
        self._clashes = [frozenset(chance.sample(range(8), 3)) for _ in range(2)]

    def ask(self, lines: frozenset[int]) -> Reply:
        if not any(clash <= lines for clash in self._clashes):
            return Yes("3.11", {})
        chance = Random(f"{self.seed} {sorted(lines)}")
        return No(frozenset(i for i in sorted(lines) if chance.random() < 0.7), frozenset(), {})

    def enablers(self) -> frozenset[int]:
        return frozenset()


def probe(world: World, *names: str) -> Core:
    """The clash that is found among some specs."""
    found = world.finder.probe([SpecId(name) for name in names])
    assert isinstance(found, Core)
    return found


@pytest.mark.parametrize("lines_each", [1, 2, 4])
@pytest.mark.parametrize("seed", range(25))
def test_what_the_solver_blames_is_asked_about_before_it_is_believed(seed: int, lines_each: int) -> None:
    oracle = Blaming(seed, lines_each)
    positions: dict[SpecId, set[int]] = defaultdict(set)
    for i, each in enumerate(oracle.lines):
        positions[each.spec].add(i)
    finder = ClashFinder(cast("Oracle", oracle), {spec: frozenset(lines) for spec, lines in positions.items()})
    core = finder.probe(list(positions))
    assert isinstance(core, Core)
    assert (core.minimal, core.sure) == (True, True)
    lines = frozenset(core.lines)
    assert isinstance(oracle.ask(lines), No)
    for left_out in lines:
        assert isinstance(oracle.ask(lines - {left_out}), Yes)
    for spec in core.specs:
        assert isinstance(oracle.ask(finder.lines_of(other for other in core.specs if other != spec)), Yes)


def test_where_the_rest_of_a_clash_is_not_known_to_be_fine_that_is_said_though_its_lines_are_minimal() -> None:
    world = World(universe(THREE | CANDIDATE), specs(a=["x>=2"], b=["x<2", "unread"]))
    assert probe(world, "a", "b") == Core((SpecId("a"), SpecId("b")), (0, 1), minimal=False, sure=False)


def test_a_spec_about_which_too_little_is_known_is_not_said_to_resolve_a_clash() -> None:
    world = World(universe(CANDIDATE), specs(a=["one"], b=["two"], c=["lib"], d=["lib", "unread"]))
    assert [(core.specs, core.absent) for core in world.findings.cores] == [(("a", "b"), ("c",))]


def test_a_spec_that_cannot_be_installed_alone_names_those_whose_presence_would_help() -> None:
    world = World(universe(CANDIDATE), specs(a=["one", "two"], b=["p>=1.0rc1"], c=["p>=2.0rc1"]))
    assert [(core.specs, core.absent) for core in world.findings.cores] == [(("a",), ("b", "c"))]


def test_constraints_that_clash_by_themselves_are_in_the_way_of_who_asks_for_the_package() -> None:
    world = World(universe(THREE), specs(a=["y"], b=["x"]), constraints("x<2", "x>=2"))
    assert probe(world, "a", "b").specs == ("b",)


def test_of_lines_of_a_spec_that_say_the_same_the_first_is_named() -> None:
    [core] = World(universe(THREE), specs(a=["x<2", "x<2", "x<2"], b=["x>=2"])).findings.cores
    assert core.lines == (0, 3)


def test_specs_that_differ_in_a_marker_alone_do_not_say_the_same() -> None:
    given = specs(a=["x<2; python_version<'3.8'"], b=["x<2; python_version>='3.8'"], c=["x<2"], d=["x>=2"])
    assert World(universe(THREE), given).clashes() == [("b", "d"), ("c", "d")]


def test_of_several_pairs_of_lines_that_clash_the_first_in_the_files_is_named() -> None:
    # A set has the positions 8 and 9 before 2, and 8 before 1.
    given = specs(a=["z"], b=["x<2", "y<2"], c=["z"] * 5, d=["y>2", "x>2"])
    assert probe(World(universe(THREE), given), "b", "d").lines == (1, 9)
    given = specs(a=["z"], b=["x<2"], c=["z"] * 6, d=["x>2"])
    assert probe(World(universe(THREE), given), "b", "d").lines == (1, 8)


def test_a_pair_of_one_spec_that_a_third_line_of_it_reconciles_is_not_the_clash() -> None:
    index = universe(THREE | {"p": {"1.0": Rel(yanked="broken"), "2.0": []}})
    world = World(index, specs(a=["p<2", "p>=1", "p==1.0", "y<2"], b=["y>=2"]))
    assert [world.texts(core) for core in world.findings.cores] == [["a: y<2", "b: y>=2"]]
