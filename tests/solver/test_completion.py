"""A no that rests on locked releases: somebody who was not looked into might ask for them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from builders import World, constraints, name, specs, universe

from conflictcheck.facts import Unknown
from conflictcheck.index.memory import Rel
from conflictcheck.solver import completion
from conflictcheck.solver.oracle import Maybe, No, Yes

if TYPE_CHECKING:
    import pytest


def test_an_older_release_that_nobody_looked_into_asks_for_the_yanked_one() -> None:
    """Newest first takes helper 2.0, and then only the yanked x is left, which helper 1.0 alone pins."""
    index = universe(
        {
            "helper": {"1.0": ["x==2.0"], "2.0": []},
            "x": {"1.0": ["y<2"], "2.0": Rel(yanked="broken")},
            "y": {"1.0": [], "2.0": []},
        }
    )
    world = World(index, specs(a=["helper", "x"], b=["y>=2"]))
    assert world.pins() == {"helper": "1.0", "x": "2.0", "y": "2.0"}
    assert world.clashes() == []


def test_releases_that_only_need_each_other_ask_for_nothing() -> None:
    """Loop pins the yanked x, but only knot needs it, which only loop needs."""
    index = universe(
        {
            "loop": {"1.0": ["knot", "x==2.0"]},
            "knot": {"1.0": ["loop"], "2.0": ["loop"]},
            "side": {"1.0": ["knot"], "2.0": []},
            "x": {"1.0": ["y<2"], "2.0": Rel(yanked="broken")},
            "y": {"1.0": [], "2.0": []},
        }
    )
    lines = specs(a=["x", "side>=2"], b=["y>=2"], c=["side<2"])
    world = World(index, lines)
    assert isinstance(world.ask("c"), Yes)
    assert isinstance(world.ask("a", "b"), No)
    assert not world.oracle.assumed


def test_more_lines_bring_whom_the_clash_lacks() -> None:
    index = universe(
        {
            "helper": {"1.0": ["x==2.0"]},
            "x": {"1.0": ["y<2"], "2.0": Rel(yanked="broken")},
            "y": {"1.0": [], "2.0": []},
        }
    )
    world = World(index, specs(a=["x"], b=["y>=2"], c=["helper"]))
    assert isinstance(world.ask("a", "b"), No)
    assert isinstance(world.ask("a", "b", "c"), Yes)


def test_a_no_that_would_take_too_many_releases_to_prove_says_what_it_assumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "MOST_RELEASES", 1)
    index = universe(
        {
            "helper": {"1.0": ["x==2.0"], "1.1": [], "1.2": [], "2.0": []},
            "x": {"1.0": ["y<2"], "2.0": Rel(yanked="broken")},
            "y": {"1.0": [], "2.0": []},
        }
    )
    world = World(index, specs(a=["helper", "x"], b=["y>=2"]))
    assert isinstance(world.ask(), No)
    assert world.oracle.assumed == {"x"}


def test_a_lock_that_only_counts_once_releases_are_told_apart_is_closed_to_all_but_strangers_as_well() -> None:
    world = World(universe({"x": {"1.0": [], "1.5rc1": [], "2.0": []}}), specs(a=["x"]))
    kernel = world.kernel
    assert not kernel.keys
    kernel.load([(name("x"), 0), (name("x"), 2)])
    told = kernel.known.only_strangers_ask(kernel.keys)
    assert len(kernel.keys) == 1
    assert len(told) == 1 + len(kernel.keys)


def test_answers_are_the_same_once_locks_are_taken_for_granted() -> None:
    index = universe(
        {
            "helper": {"1.0": ["x==2.0"], "2.0": []},
            "x": {"1.0": ["y<2"], "2.0": Rel(yanked="broken")},
            "y": {"1.0": [], "2.0": []},
        }
    )
    world = World(index, specs(a=["helper", "x"], b=["y>=2"], c=["helper>=2"]))
    before = world.pins("a", "b"), world.oracle.resolve(world.lines_of("b", "c", "a"))
    world.oracle.assume_locked()
    assert world.pins("a", "b") == before[0]
    assert isinstance(before[1], No)
    assert isinstance(world.oracle.resolve(world.lines_of("b", "c", "a")), No)


def test_who_cannot_be_known_might_ask_so_that_the_answer_is_undecided() -> None:
    index = universe(
        {
            "helper": {"1.0": Unknown("the index answered 503"), "2.0": []},
            "x": {"1.0": ["y<2"], "2.0": Rel(yanked="broken")},
            "y": {"1.0": [], "2.0": []},
        }
    )
    world = World(index, specs(a=["helper", "x"], b=["y>=2"]))
    assert world.ask() == Maybe("what helper 1.0 needs is not known: the index answered 503")


def test_package_whose_releases_are_not_known_might_ask_for_anything() -> None:
    index = universe({"x": {"1.0": Rel(yanked="broken")}, "z": Unknown("the index answered 503")})
    world = World(index, specs(a=["x", "z"]))
    assert world.ask() == Maybe("the releases of z are not known: the index answered 503")


def test_constraint_needs_nothing_so_that_it_asks_for_nothing() -> None:
    index = universe({"x": {"1.0": Rel(yanked="broken"), "0.9": ["y"]}, "y": {}})
    world = World(index, specs(a=["x>=0.9"]), constraints("helper==1.0"))
    assert isinstance(world.ask(), No)


def test_the_clauses_are_the_same_in_another_process_with_another_order_of_hashes() -> None:
    """The model that the solver finds, and so what is loaded next, depends on their order."""
    code = (
        "import test_completion\n"
        "from conflictcheck.solver.kernel import Kernel\n"
        "add = Kernel.add\n"
        "Kernel.add = lambda kernel, clauses: [print(clause) or add(kernel, [clause]) for clause in clauses]\n"
        "test_completion.test_releases_that_only_need_each_other_ask_for_nothing()"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(found) == 1
    assert b"[" in found.pop()
