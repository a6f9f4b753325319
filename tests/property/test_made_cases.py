"""The generator makes the situations that the properties are about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from packaging.version import Version
from random_universes import FLAVOURS, Case, cases, make_case
from truth import Truth

from conflictcheck.environments import build_environment
from conflictcheck.solver.oracle import Yes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflictcheck.index.memory import Rel

EXAMPLES = 20
EACH_FLAVOUR = {"clash of 2": 1, "clash of 0": 2, "2 levels": 1}
"""In so many examples of each flavour at least."""
TOGETHER = {
    "clash of 1": 20,
    "clash of 3": 5,
    "split into 3": 10,
    "split into 4": 1,
    "more specs, yet possible": 1,
    "5 levels": 10,
    "6 levels": 3,
    "several Pythons": 20,
    "several platforms": 20,
    "extra": 40,
    "marker": 30,
    "pre-release": 40,
    "yanked": 40,
    "requires-python": 40,
    "compiled wheel": 40,
    "source distribution alone": 10,
    "python line": 10,
    "constraint line": 20,
    "override line": 10,
}
"""In so many examples of all flavours together at least."""


def situations(case: Case) -> Iterator[str]:
    """What a case is an example of."""
    truth = Truth(case)
    yield from (f"clash of {size}" for size in {len(group) for group in truth.clashes} or ["0"])
    yield from (f"split into {size}" for size in range(2, truth.fewest + 1))
    yield from (f"{size} levels" for size in range(1, depth(case, truth.placeable) + 1))
    if any(works and not truth.works[group - {spec}] for group, works in truth.works.items() for spec in group):
        yield "more specs, yet possible"
    yield from (f"{line.kind} line" for spec in case.specs for line in spec.requirements)
    yield from (f"{line.kind} line" for line in case.shared)
    yield "several Pythons" if len(case.pythons) > 1 else "one Python"
    yield "several platforms" if len(case.platforms) > 1 else "one platform"
    for releases in case.packages.values():
        for version, rel in releases.items():
            yield from (name for name, has in features(version, rel).items() if has)


def features(version: str, rel: Rel) -> dict[str, bool]:
    """What a release has that a plain one has not."""
    return {
        "extra": any("extra ==" in text for text in rel.requires),
        "marker": any("sys_platform" in text or "python_version" in text for text in rel.requires),
        "pre-release": Version(version).is_prerelease,
        "yanked": rel.yanked is not None,
        "requires-python": rel.requires_python is not None,
        "compiled wheel": any(not tags.endswith("any") for tags in rel.tags),
        "source distribution alone": rel.sdist and not rel.tags,
    }


def depth(case: Case, specs: list[str]) -> int:
    """How many levels the deepest tree of a spec's releases has."""
    world = case.world()
    deepest = 0
    for spec in specs:
        lines = world.lines_of(spec)
        answer = world.oracle.resolve(lines)
        assert isinstance(answer, Yes)
        pins = {pin.name: pin for pin in build_environment(world.oracle, "env", (), lines, answer).packages}
        level = {name for name, pin in pins.items() if spec in pin.requested_by}
        seen: set[str] = set()
        levels = 0
        while level:
            levels += 1
            seen |= level
            level = {needed for name in level for needed in pins[name].requires} - seen
        deepest = max(deepest, levels)
    return deepest


def test_the_generator_makes_the_situations_it_is_for() -> None:
    total: Counter[str] = Counter()
    for flavour in FLAVOURS:
        seen = Counter(what for seed in range(EXAMPLES) for what in set(situations(make_case(flavour, seed))))
        assert {what: number for what, number in EACH_FLAVOUR.items() if seen[what] < number} == {}, flavour
        total += seen
    assert {what: (number, total[what]) for what, number in TOGETHER.items() if total[what] < number} == {}


def test_a_case_that_fails_becomes_small() -> None:
    smallest: list[Case] = []

    @settings(max_examples=200, derandomize=True, phases=(Phase.generate, Phase.shrink))
    @given(cases("all"))
    def no_clash_of_two(case: Case) -> None:
        if any(len(group) == 2 for group in Truth(case).clashes):
            smallest[:] = [case]
            raise AssertionError

    with pytest.raises(AssertionError):
        no_clash_of_two()
    [case] = smallest
    assert [len(spec.requirements) for spec in case.specs] == [1, 1]
    assert sum(len(releases) for releases in case.packages.values()) <= 4
