"""The fixes against trying everything: each does what it says, and no smaller set of lines would have done."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from brute_force import smallest_split
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet
from random_universes import FLAVOURS, MONOTONE, Case, cases, make_case
from test_fixes import apply, find
from truth import Truth

from conflictcheck.model import RequirementKind
from examples import part_of_examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.fixes import Fixes
    from conflictcheck.model import Fix, Requirement

MOST_EDITS = 3
"""Up to so many, fewer edits are always preferred; beyond, a constraint or ``requires-python`` may count for more."""


class Relaxed:
    """What brute force says of a case with some of its lines relaxed: without their specifiers, as far as they go.

    Attributes:
        sites: positions of the lines that may be edited.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._world = truth.case.world()
        self._lines = [*truth.lines, *map(relax, truth.lines)]
        self.sites = [
            i for i, one in enumerate(truth.lines) if str(one.specifier) and one.kind is not RequirementKind.OVERRIDE
        ]

    def sites_of(self, specs: Sequence[str]) -> list[int]:
        return [i for i in self.sites if i in self._world.lines_of(*specs)]

    def holds(self, specs: Sequence[str], sites: Sequence[int]) -> bool:
        lines = self._world.lines_of(*specs)
        return self._truth.brute.satisfiable(
            self._lines, frozenset(i + len(self._truth.lines) * (i in sites) for i in lines)
        )

    def fewest(self, specs: Sequence[str], sites: Sequence[int]) -> int:
        """How many environments the specs need then; more than there are specs where one cannot be installed alone."""
        if not all(self.holds([spec], sites) for spec in specs):
            return len(specs) + 1
        groups = (group for size in range(1, len(specs) + 1) for group in combinations(specs, size))
        works = {frozenset(group): self.holds(group, sites) for group in groups}
        return smallest_split(specs, works | {frozenset(): True})

    def fewest_edits(self, specs: Sequence[str], parts: int) -> int:
        """How few lines have to be relaxed for so many environments; at most one more than is looked for."""
        sites = self.sites_of(specs)
        return next(
            (
                size
                for size in range(1, MOST_EDITS + 1)
                for some in combinations(sites, size)
                if (self.holds(specs, some) if parts == 1 else self.fewest(specs, some) <= parts)
            ),
            MOST_EDITS + 1,
        )


def relax(one: Requirement) -> Requirement:
    """The line admitting all that an edit may make it admit; a pre-release stays possible where it was asked for."""
    if one.kind is RequirementKind.PYTHON:
        return replace(one, specifier=SpecifierSet())
    return replace(one, specifier=SpecifierSet(">=0.dev0" if one.specifier.prereleases else ""))


@pytest.mark.parametrize("flavour", [*FLAVOURS, "monotone"])
@part_of_examples(5)
@given(st.data())
def test_each_fix_does_what_it_says(flavour: str, data: st.DataObject) -> None:
    case = data.draw(cases(flavour))
    found = find(case.world())
    for fix in every(found):
        assert_fix_holds(case, fix)
    relaxed = Relaxed(Truth(case))
    world = case.world()
    cores = [*world.findings.cores, *world.split.cores]
    for place in found.hopeless:
        specs = cores[place].specs
        assert not relaxed.holds(specs, relaxed.sites_of(specs)), f"{specs} could be relaxed"


@pytest.mark.parametrize("flavour", ["plain", *MONOTONE, "monotone"])
@part_of_examples(5)
@given(st.data())
def test_no_smaller_fix_is_missing(flavour: str, data: st.DataObject) -> None:
    case = data.draw(cases(flavour))
    truth = Truth(case)
    if not truth.clashes:
        return
    found = find(case.world())
    assert found.complete
    relaxed = Relaxed(truth)
    mendable = []
    for place, specs in enumerate(case.world().clashes()):
        fewest = relaxed.fewest_edits(specs, 1)
        possible = relaxed.holds(specs, relaxed.sites_of(specs))
        assert bool(found.menus[place]) == possible, specs
        if fewest <= MOST_EDITS:
            assert {len(fix.edits) for fix in found.menus[place]} == {fewest}, specs
        mendable += [spec for spec in specs if len(specs) == 1 and possible]
    everyone = sorted([*truth.placeable, *mendable])
    fewest_parts = relaxed.fewest(everyone, relaxed.sites)
    if fewest_parts < truth.fewest + bool(mendable):
        fewest = relaxed.fewest_edits(everyone, fewest_parts)
        assert found.run
        assert found.run[0].environments_after == fewest_parts
        if fewest <= MOST_EDITS:
            assert len(found.run[0].edits) == fewest


def every(found: Fixes) -> list[Fix]:
    return [*found.run, *(fix for menu in found.menus.values() for fix in menu)]


def assert_fix_holds(case: Case, fix: Fix) -> None:
    edited = replace(
        case,
        specs=[replace(spec, requirements=tuple(apply(one, fix) for one in spec.requirements)) for spec in case.specs],
        shared=[apply(one, fix) for one in case.shared],
    )
    before, after = Truth(case), Truth(edited)
    changed = [(old, new) for old, new in zip(before.lines, after.lines, strict=True) if old.text != new.text]
    assert len(changed) == len(fix.edits), fix
    assert after.fewest == fix.environments_after, fix
    assert set(after.placeable) >= set(before.placeable), fix
    for old, new in changed:
        versions = case.pythons if old.kind is RequirementKind.PYTHON else case.packages.get(old.name, ())
        admitted = set(old.specifier.filter(versions, prereleases=True))
        assert admitted < set(new.specifier.filter(versions, prereleases=True)), f"{old.text} -> {new.text}"


def test_the_cases_have_fixes_and_clashes_without_one() -> None:
    seen: Counter[str] = Counter()
    for flavour in FLAVOURS:
        for seed in range(6):
            found = find(make_case(flavour, seed).world())
            seen.update(f"{len(fix.edits)} edits" for fix in every(found))
            seen["no fix"] += len(found.hopeless)
    assert seen["1 edits"] > 40
    assert seen["2 edits"] > 5
    assert seen["no fix"] > 5
