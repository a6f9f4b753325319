"""The solver, the clashes, the split and the environments against trying everything, on small universes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from brute_force import BruteForce
from builders import line
from hypothesis import given
from hypothesis import strategies as st
from random_universes import FLAVOURS, cases
from truth import Truth

from conflictcheck.environments import build_environment
from conflictcheck.index.memory import Rel
from conflictcheck.solver.oracle import Maybe, Yes
from examples import part_of_examples

if TYPE_CHECKING:
    from collections.abc import Iterable

    from builders import World

    from conflictcheck.splitting import Split


@pytest.mark.parametrize("flavour", FLAVOURS)
@part_of_examples(2)
@given(st.data())
def test_core_and_brute_force_agree(flavour: str, data: st.DataObject) -> None:
    truth = Truth(data.draw(cases(flavour)))
    world = truth.case.world()
    for group, works in truth.works.items():
        if group:
            assert_answer(truth, world, group, works=works)  # which was asked about others before
        if len(group) in (1, 2, len(truth.names)):
            assert_answer(truth, truth.case.world(), group, works=works)
    world = truth.case.world()
    assert_all_minimal_clashes_are_found(truth, world)
    assert_each_line_of_a_clash_is_needed(truth, world)
    assert_no_split_is_smaller(truth, world.split)


def assert_answer(truth: Truth, world: World, group: Iterable[str], *, works: bool) -> None:
    lines = world.lines_of(*group)
    reply = world.oracle.ask(lines)
    assert not isinstance(reply, Maybe), (reply, sorted(group))
    assert isinstance(reply, Yes) == works, sorted(group)
    if not works:
        return
    answer = world.oracle.resolve(lines)
    assert isinstance(answer, Yes), sorted(group)
    # The second opinion: raises if it disagrees.
    environment = build_environment(world.oracle, "env", sorted(group), lines, answer)
    for target in world.targets[answer.python_version]:
        pins = {
            pin.name: pin.version
            for pin in environment.packages
            if not pin.platforms or target.platform in pin.platforms
        }
        assert truth.brute.is_environment(truth.lines, lines, pins, answer.python_version, target.platform), pins


def assert_all_minimal_clashes_are_found(truth: Truth, world: World) -> None:
    assert world.findings.complete
    assert sorted(world.clashes(), key=lambda group: (len(group), group)) == truth.clashes
    assert list(world.findings.placeable) == truth.placeable


def assert_each_line_of_a_clash_is_needed(truth: Truth, world: World) -> None:
    for core in world.findings.cores:
        lines = frozenset(core.lines)
        assert not truth.holds(lines), world.texts(core)
        assert {world.lines[i].spec for i in lines} >= set(core.specs), world.texts(core)
        # A line of the specs may only be there for the pre-release or yanked release that it, or its package, asks for.
        assert core.minimal or truth.more_allows_more(world.lines_of(*core.specs)), world.texts(core)
        for i in lines if core.minimal else ():
            assert truth.holds(lines - {i}), (world.texts(core), world.lines[i].text)


def assert_no_split_is_smaller(truth: Truth, split: Split) -> None:
    assert split.proven
    assert split.lower_bound == len(split.parts) == truth.fewest
    assert sorted(spec for part in split.parts for spec in part) == truth.placeable
    assert all(truth.works[frozenset(part)] for part in split.parts)


def test_a_wrong_environment_is_seen_to_be_one() -> None:
    """The tests above rest on it."""
    packages = {"a": {"1.0": Rel(["b>=2"])}, "b": {"1.0": Rel(), "2.0": Rel(), "3.0rc1": Rel()}, "c": {"1.0": Rel()}}
    brute = BruteForce(packages, ("3.11",), ("linux",))
    verdicts = {
        "right": {"a": "1.0", "b": "2.0"},
        "not admitted": {"a": "1.0", "b": "1.0"},
        "not asked for": {"a": "1.0", "b": "3.0rc1"},
        "one missing": {"a": "1.0"},
        "one over": {"a": "1.0", "b": "2.0", "c": "1.0"},
    }
    lines = [line("x.txt", "a")]
    found = [name for name, pins in verdicts.items() if brute.is_environment(lines, [0], pins, "3.11", "linux")]
    assert found == ["right"]
