"""On small universes made by chance: each fix holds, and without one, lines that admit everything clash as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import World
from packaging.specifiers import SpecifierSet
from random_universes import FLAVOURS, make_case
from test_fixes import find

from conflictcheck.model import RequirementKind, SpecId
from conflictcheck.solver.oracle import Maybe, Yes

if TYPE_CHECKING:
    from conflictcheck.fixes import Fixes

SEEDS = range(20)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_fix_holds(flavour: str) -> None:
    proposed = hopeless = 0
    for seed in SEEDS:
        world = make_case(flavour, seed).world()
        if any(isinstance(world.ask(each.id), Maybe) for each in world.specs):
            continue
        found = find(world)  # which tries each fix in a world of its own
        proposed += len(found.run)
        hopeless += sum(could_be_relaxed(world, found, place) for place in found.hopeless)
    assert proposed > 3, "the universes are made so that fixes exist"
    assert hopeless == 0


def could_be_relaxed(world: World, found: Fixes, place: int) -> bool:
    """Whether a clash without a fix is gone with no specifiers at all in its specs' editable lines."""
    core = [*world.findings.cores, *world.split.cores][place]
    assert not found.menus[place]
    specs = [SpecId(name) for name in core.specs]
    relaxed = World(
        world.index,
        [
            replace(
                each,
                requirements=tuple(
                    one
                    if one.url or one.specifier.prereleases
                    else replace(one, specifier=SpecifierSet(), text=one.name)
                    for one in each.requirements
                    if one.kind is not RequirementKind.PYTHON
                ),
            )
            for each in world.given
            if each.id in specs
        ],
        [one for one in world.shared if one.kind is RequirementKind.OVERRIDE],
        world.pythons,
        world.platforms,
        world.policy,
    )
    return isinstance(relaxed.ask(), Yes)
