"""The engine of nogoods alone, against trying everything."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from brute_force import BruteForce
from builders import name
from random_universes import FLAVOURS, make_case

from conflictcheck.facts import Listing
from conflictcheck.index.base import MetadataRequest
from conflictcheck.policy import select_releases
from conflictcheck.solver.reading import Reading
from conflictcheck.solver.refutation import find_environment
from conflictcheck.solver.store import FactStore
from conflictcheck.solver.walk import walk

if TYPE_CHECKING:
    from builders import World


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_engine_of_nogoods_and_brute_force_agree(flavour: str, seed: int) -> None:
    case = make_case(flavour, seed)
    world = case.world()
    readings = everything_read(world)
    brute = BruteForce(case.packages, case.pythons, case.platforms)
    for size in range(1, len(world.specs) + 1):
        for group in combinations(world.positions, size):
            chosen = world.lines_of(*group)
            lines = [world.lines[i] for i in sorted(chosen)]
            possible = False
            for on_platforms in readings:
                found = [find_environment(reading, lines) for reading in on_platforms]
                for reading, environment in zip(on_platforms, found, strict=True):
                    if environment is not None:
                        walked = walk(reading, lines, environment)
                        assert walked.reached == set(environment)
                        assert walked.unasked is None
                possible |= all(environment is not None for environment in found)
            assert possible == brute.satisfiable(world.lines, chosen), (group, str(case))


def everything_read(world: World) -> list[list[Reading]]:
    """What there is on each platform of each Python, with nothing left to be asked for."""
    store = FactStore(world.index)
    listings = store.listings([name(package) for package in "abcdefghijkl"])
    for target in (target for targets in world.targets.values() for target in targets):
        for listing in listings:
            if isinstance(listing, Listing):
                releases = select_releases(listing, target, world.policy).releases
                store.metadata([MetadataRequest(one.name, str(one.version), one.sources) for one in releases])
    return [
        [Reading(target, world.lines, store, world.policy) for target in targets] for targets in world.targets.values()
    ]
