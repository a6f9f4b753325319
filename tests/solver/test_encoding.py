"""The order encoding: masks, runs and clauses, against counting models."""

from __future__ import annotations

from itertools import count as numbers
from itertools import permutations, product

import pytest
from builders import World, name, specs, universe
from msgspec.structs import replace
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from conflictcheck.policy import Candidates, Release, candidates_of
from conflictcheck.solver.encoding import Assignment, Clause, Lock, LockKind, Package, Steps, bits, is_pin, runs


def package(count: int, clauses: list[Clause] | None = None, **details: str) -> Package:
    """A package whose variables are 1, 2, 3… as they are made, and whose clauses go to a list."""
    releases = tuple(Release(name("a"), Version(f"{i + 1}.0"), (), ()) for i in range(count))
    fresh = numbers(1)
    steps = Steps(lambda _: next(fresh), ([] if clauses is None else clauses).append)
    return Package(Candidates(name("a"), releases, ()), steps, **details)


def models(given: Package, clauses: list[Clause]) -> set[int]:
    """The releases that the clauses leave; -1 for none."""
    count = len(given.releases)
    variables = [given.steps.at(i) for i in range(count)]
    found = set()
    for values in product((False, True), repeat=count):
        holds = dict(zip(variables, values, strict=True))
        if all(any(holds[abs(literal)] == (literal > 0) for literal in clause) for clause in clauses):
            found.add(sum(values) - 1)
    return found


@pytest.mark.parametrize("count", range(1, 6))
def test_a_package_is_absent_or_at_exactly_one_release(count: int) -> None:
    for order in permutations(range(count)):
        clauses: list[Clause] = []
        given = package(count, clauses)
        for i in order:
            given.steps.at(i)
        satisfying = [
            values
            for values in product((False, True), repeat=count)
            if all(any(values[abs(literal) - 1] == (literal > 0) for literal in clause) for clause in clauses)
        ]
        assert len(satisfying) == count + 1
        for i in range(count):
            fixed = [[literal] for literal in given.is_release(i)]
            assert models(given, [*clauses, *fixed]) == {i}


def test_a_variable_is_made_where_a_clause_tells_releases_apart() -> None:
    clauses: list[Clause] = []
    given = package(1000, clauses)
    list(given.within(((1 << 500) - 1) << 300))
    assert {abs(literal) for clause in clauses for literal in clause} == {1, 2, 3}
    assert [given.steps.at(i) for i in (0, 300, 800)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("model", "stretch"), [((1, -2, -3), range(4)), ((1, 2, -3), range(4, 7)), ((1, 2, 3), range(7, 10))]
)
def test_what_no_clause_tells_apart_is_one_stretch(model: tuple[int, ...], stretch: range) -> None:
    given = package(10)
    assert [given.steps.at(i) for i in (4, 7)] == [2, 3]
    assert given.steps.stretch(Assignment(model), 10) == stretch


def test_a_stretch_is_one_of_the_time_of_its_model_whatever_is_told_apart_later() -> None:
    given = package(10)
    given.steps.at(4)
    model = Assignment((1, 2))
    given.steps.at(7)
    assert given.steps.stretch(model, 10) == range(4, 10)


@pytest.mark.parametrize("count", range(1, 6))
def test_within_a_mask_are_exactly_its_releases(count: int) -> None:
    for mask in range(1 << count):
        clauses: list[Clause] = []
        given = package(count, clauses)
        clauses += given.within(mask)
        assert models(given, clauses) == {i for i in range(count) if mask >> i & 1}, bin(mask)


@pytest.mark.parametrize("count", range(1, 6))
def test_a_run_is_left_out_by_one_clause(count: int) -> None:
    for low in range(count):
        for high in range(low, count):
            clauses: list[Clause] = []
            given = package(count, clauses)
            clauses.append(given.unless_run(low, high))
            assert models(given, clauses) == {-1, *range(count)} - set(range(low, high + 1))


def test_within_nothing_is_impossible_unless_the_releases_are_not_known() -> None:
    assert list(package(2).within(0)) == [[]]
    unknown = package(0, unknown="the index answered 503")
    assert list(unknown.within(0)) == [[unknown.steps.installed]]


def test_runs_are_the_stretches_of_set_bits_lowest_first() -> None:
    for mask in range(1 << 8):
        covered = [i for low, high in runs(mask) for i in range(low, high + 1)]
        assert covered == [i for i in range(8) if mask >> i & 1]
        assert all(not mask >> (high + 1) & 1 and (low == 0 or not mask >> (low - 1) & 1) for low, high in runs(mask))


def test_bits_are_the_set_bits_highest_first() -> None:
    assert bits(0b10110) == [4, 2, 1]
    assert bits(0) == []


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [("==1.0", True), ("===1.0", True), ("==1.*", False), (">=1,==1.5", True), (">=1.0", False), ("", False)],
)
def test_a_pin_names_one_version(specifier: str, expected: bool) -> None:
    assert is_pin(SpecifierSet(specifier)) is expected


def test_a_mask_holds_what_the_specifier_contains_prereleases_included() -> None:
    world = World(universe({"x": {"1.0": [], "2.0a1": [], "2.0": [], "3.0.post1": []}}), specs(a=["x"]))
    x = world.kernel.packages[name("x")]
    for text, expected in [("", 0b1111), (">=2", 0b1100), ("<2", 0b0001), (">=2.0a1", 0b1110), ("!=2.0", 0b1011)]:
        assert x.mask(SpecifierSet(text), text) == expected, text


@pytest.mark.parametrize(
    ("kind", "specifier", "mask", "url", "line", "expected"),
    [
        (LockKind.YANKED, "==3", 0b100, None, True, True),
        (LockKind.YANKED, "==3", 0b100, None, False, True),
        (LockKind.YANKED, "==3", 0b110, None, True, False),
        (LockKind.YANKED, ">=3", 0b100, None, True, False),
        (LockKind.YANKED, "==9", 0b000, None, True, False),
        (LockKind.PRERELEASE, ">=3rc1", 0b110, None, True, True),
        (LockKind.PRERELEASE, ">=3rc1", 0b110, None, False, False),
        (LockKind.PRERELEASE, ">=2", 0b110, None, True, False),
        (LockKind.PRERELEASE, ">2", 0b100, None, False, True),
        (LockKind.PRERELEASE, "==1rc1", 0b001, None, True, False),
        (LockKind.DIRECT, "", 0b100, "https://files.example/x-3.tar.gz", True, True),
        (LockKind.DIRECT, "", 0b111, None, True, False),
        (LockKind.PREDATES_PYTHON, ">2", 0b100, None, True, True),
        (LockKind.PREDATES_PYTHON, ">=2", 0b110, None, True, False),
        (LockKind.PREDATES_PYTHON, "<1", 0b000, None, True, False),
    ],
)
def test_the_newest_of_three_is_locked_and_asked_for(
    kind: LockKind, specifier: str, mask: int, url: str | None, *, line: bool, expected: bool
) -> None:
    lock = Lock(kind, mask=0b100, others=0b011, key=9, lines=())
    assert lock.asked_by(SpecifierSet(specifier), mask, url, line=line) is expected


def test_a_requirement_opens_the_locked_releases_that_it_admits_and_asks_for() -> None:
    given = package(4)
    given.lock(Lock(LockKind.YANKED, 0b1000, 0b0011, 9, ()))
    given.lock(Lock(LockKind.PRERELEASE, 0b0100, 0b0011, 10, ()))
    assert given.unlocked == 0b0011
    for text, mask, opened in [("==4", 0b1000, 0b1000), (">=3", 0b1100, 0b0100), (">=2", 0b1110, 0), ("<2", 0b0001, 0)]:
        assert given.opened_by(SpecifierSet(text), mask, None, line=True) == opened, text


def test_a_release_whose_version_is_not_known_may_satisfy_any_specifier() -> None:
    known, unknown = (Release(name("a"), Version(text), (), (), any_version=text == "0") for text in ("0.dev1", "0"))
    given = replace(package(0), candidates=candidates_of(name("a"), (known, unknown), ()))
    assert given.mask(SpecifierSet(">=1"), ">=1") == 0b10
    assert given.mask(SpecifierSet("<=0"), "<=0") == 0b11


def test_of_a_long_list_few_releases_are_put_to_a_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Version] = []
    contains = Specifier.contains

    def counted(self: Specifier, item: Version, prereleases: bool | None = None) -> bool:
        asked.append(item)
        return contains(self, item, prereleases=prereleases)

    monkeypatch.setattr(Specifier, "contains", counted)
    for operator in (">=", ">", "<=", "<", "==", "!=", "~="):
        asked.clear()
        package(1000).mask(SpecifierSet(f"{operator}500.0"), operator)
        assert len(asked) <= 12, operator
