"""The engine of nogoods alone, against trying everything."""

from __future__ import annotations

from itertools import combinations

import pytest
from brute_force import BruteForce
from random_universes import FLAVOURS, make_case

from conflictcheck.solver.reading import Reading
from conflictcheck.solver.refutation import find_environment
from conflictcheck.solver.store import FactStore
from conflictcheck.solver.walk import walk


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_engine_of_nogoods_and_brute_force_agree(flavour: str, seed: int) -> None:
    case = make_case(flavour, seed)
    world = case.world()
    store = FactStore(world.index)
    load_everything(world, store)
    brute = BruteForce(case.packages, case.pythons, case.platforms)
    names = list(world.positions)
    for size in range(1, len(names) + 1):
        for group in combinations(names, size):
            chosen = world.lines_of(*group)
            lines = [world.lines[i] for i in sorted(chosen)]
            possible = False
            for targets in world.targets.values():
                readings = [Reading(target, world.lines, store, world.policy) for target in targets]
                found = [find_environment(reading, lines) for reading in readings]
                for reading, one in zip(readings, found, strict=True):
                    if one is not None:
                        walked = walk(reading, lines, one)
                        assert walked.reached == set(one)
                        assert walked.unasked is None
                possible |= all(one is not None for one in found)
            assert possible == brute.satisfiable(world.lines, chosen), (group, str(case))


def load_everything(world, store):
    from conflictcheck.index.base import MetadataRequest
    from conflictcheck.facts import Listing
    from conflictcheck.policy import select_releases

    names = sorted({*"abcdefghijklmnop"})
    for listing in store.listings(names):
        if isinstance(listing, Listing):
            for targets in world.targets.values():
                for target in targets:
                    rels = select_releases(listing, target, world.policy).releases
                    store.metadata([MetadataRequest(r.name, str(r.version), r.sources) for r in rels])
