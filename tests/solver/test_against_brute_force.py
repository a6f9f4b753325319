"""The solver, the clashes and the split against trying everything, on some hundred small universes."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations

import pytest
from brute_force import BruteForce, minimal_sets, smallest_split
from random_universes import FLAVOURS, Case, make_case

from conflictcheck.environments import build_environment
from conflictcheck.solver.oracle import Maybe, Yes

CASES = 40


class Truth:
    """What brute force says of a case."""

    def __init__(self, case: Case) -> None:
        world = case.world()
        self.case = case
        self.world = world
        self._brute = BruteForce(case.packages, case.pythons, case.platforms)
        self.names = [spec.id for spec in world.specs]
        self.works = {
            frozenset(group): self.holds(world.lines_of(*group)) if group else True
            for size in range(len(self.names) + 1)
            for group in combinations(self.names, size)
        }

    def holds(self, lines: frozenset[int]) -> bool:
        return self._brute.satisfiable(self.world.lines, lines)

    @property
    def clashes(self) -> list[tuple[str, ...]]:
        return minimal_sets(self.names, self.works)

    @property
    def placeable(self) -> list[str]:
        return [name for name in self.names if self.works[frozenset((name,))]]


@cache
def truth_of(flavour: str, seed: int) -> Truth:
    return Truth(make_case(flavour, seed))


@pytest.mark.parametrize("seed", range(CASES))
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_core_and_brute_force_agree(flavour: str, seed: int) -> None:
    truth = truth_of(flavour, seed)
    case = truth.case
    for group, works in truth.works.items():
        if group and len(group) in (1, 2, len(truth.names)):
            fresh = case.world()
            reply = fresh.ask(*group)
            assert not isinstance(reply, Maybe), (reply, sorted(group), str(case))
            assert isinstance(reply, Yes) == works, (sorted(group), str(case))
            if isinstance(reply, Yes):
                # The second opinion: raises if it disagrees.
                build_environment(fresh.oracle, "env", sorted(group), fresh.lines_of(*group), reply)
    world = truth.world
    for group, works in truth.works.items():
        if group:
            assert isinstance(world.ask(*group), Yes) == works, ("asked after others", sorted(group), str(case))
    world = case.world()
    assert world.findings.complete, str(case)
    placeable = truth.placeable
    expected = [group for group in truth.clashes if len(group) == 1 or set(group) <= set(placeable)]
    assert sorted(world.clashes(), key=lambda group: (len(group), group)) == expected, str(case)
    for core in world.findings.cores:
        lines = frozenset(core.lines)
        assert not truth.holds(lines), (world.texts(core), str(case))
        assert {world.lines[i].spec for i in lines} >= set(core.specs), (world.texts(core), str(case))
        # A line may be needed only for the pre-release or yanked release that it, or what it brings, asks for.
        assert core.minimal or not all(truth.holds(lines - {line}) for line in lines), str(case)
        for line in lines if core.minimal else ():
            assert truth.holds(lines - {line}), (world.texts(core), world.lines[line].text, str(case))
    split = world.split
    assert split.proven, str(case)
    assert len(split.parts) == smallest_split(placeable, truth.works), (split, str(case))
    assert sorted(spec for part in split.parts for spec in part) == placeable
    for part in split.parts:
        assert truth.works[frozenset(part)], (split, str(case))


def test_the_generator_makes_the_situations_it_is_for() -> None:
    seen: Counter[str] = Counter()
    for flavour in FLAVOURS:
        for seed in range(CASES):
            truth = truth_of(flavour, seed)
            seen[f"{flavour}: clash"] += any(len(group) > 1 for group in truth.clashes)
            seen[f"{flavour}: no clash"] += not truth.clashes
            seen["clash of three"] += any(len(group) == 3 for group in truth.clashes)
            seen["cannot be installed alone"] += any(len(group) == 1 for group in truth.clashes)
            seen["split of three"] += smallest_split(truth.placeable, truth.works) == 3
            seen["more specs, yet possible"] += any(
                works and not truth.works[group - {spec}] for group, works in truth.works.items() for spec in group
            )
    assert all(seen[f"{flavour}: clash"] >= 4 for flavour in FLAVOURS)
    assert all(seen[f"{flavour}: no clash"] >= 3 for flavour in FLAVOURS)
    assert seen["clash of three"] >= 3
    assert seen["cannot be installed alone"] >= 5
    assert seen["split of three"] >= 5
    assert seen["more specs, yet possible"] >= 1
