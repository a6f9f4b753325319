"""The smallest split: proven, the same for the same input, named so that people know what it is."""

from __future__ import annotations

import sys
from itertools import combinations, permutations
from random import Random
from typing import TYPE_CHECKING

import pytest
from brute_force import smallest_split
from builders import World, specs, universe

from conflictcheck.clashes import Core
from conflictcheck.model import SpecId
from conflictcheck.solver.oracle import Maybe
from conflictcheck.splitting import name_parts, split_specs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def core(*names: str, absent: Iterable[str] = ()) -> Core:
    return Core(tuple(SpecId(name) for name in names), (), tuple(SpecId(name) for name in absent))


def knows(clashes: Sequence[Core]) -> Callable[[Sequence[SpecId]], Core | None]:
    """An oracle that knows these clashes and no other."""

    def probe(part: Sequence[SpecId]) -> Core | None:
        inside = set(part)
        return next((c for c in clashes if inside.issuperset(c.specs) and inside.isdisjoint(c.absent)), None)

    return probe


def ids(*names: str) -> list[SpecId]:
    return [SpecId(name) for name in names]


def test_specs_without_clashes_share_one_environment() -> None:
    split = split_specs(ids("b", "a"), [], knows([]))
    assert (split.parts, split.lower_bound, split.proven) == ((("a", "b"),), 1, True)


def test_nothing_to_split() -> None:
    assert split_specs([], [], knows([])).parts == ()


def test_specs_that_clash_pairwise_prove_how_many_it_takes() -> None:
    clashes = [core(a, b) for a, b in combinations("abc", 2)]
    split = split_specs(ids(*"abcd"), clashes, knows(clashes))
    assert (len(split.parts), split.lower_bound, split.clique) == (3, 3, ("a", "b", "c"))


def test_the_largest_of_the_sets_that_clash_pairwise_is_the_proof() -> None:
    clashes = [core("a", "b"), *(core(a, b) for a, b in combinations("cde", 2))]
    assert split_specs(ids(*"abcde"), clashes, knows(clashes)).clique == ("c", "d", "e")


def test_where_no_three_clash_pairwise_the_first_two_that_do_are_told_without_a_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)  # importing it fails
    clashes = [core("b", "c"), core("a", "d"), core("a", "c")]
    assert split_specs(ids(*"abcd"), clashes, knows(clashes)).clique == ("a", "c")


def test_odd_ring_takes_three_though_no_three_clash_pairwise() -> None:
    clashes = [core(a, b) for a, b in ("ab", "bc", "cd", "de", "ae")]
    split = split_specs(ids(*"abcde"), clashes, knows(clashes))
    assert (len(split.parts), split.proven, len(split.clique)) == (3, True, 2)


def test_triples_whose_pairs_are_fine_take_a_split() -> None:
    clashes = [core(*triple) for triple in combinations("abcde", 3)]
    split = split_specs(ids(*"abcde"), clashes, knows(clashes))
    assert (len(split.parts), split.proven) == (3, True)
    assert max(map(len, split.parts)) == 2


def test_clashes_that_are_not_known_yet_are_found_on_the_way() -> None:
    clashes = [core("a", "b"), core("b", "c"), core("a", "c")]
    split = split_specs(ids(*"abc"), [], knows(clashes))
    assert (len(split.parts), split.proven) == (3, True)
    assert sorted(found.specs for found in split.cores) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert split_specs(ids(*"abc"), clashes, knows(clashes)).cores == ()


def test_clash_that_another_spec_resolves_is_no_clash_beside_it() -> None:
    clashes = [core("a", "b", absent="c")]
    assert split_specs(ids(*"abc"), clashes, knows(clashes)).parts == (("a", "b", "c"),)
    assert split_specs(ids(*"ab"), clashes, knows(clashes)).parts == (("a",), ("b",))


def test_spec_that_resolves_two_clashes_can_only_be_in_one_part() -> None:
    clashes = [core(a, b) for a in "ab" for b in "de"] + [core(*pair, absent="c") for pair in ("ab", "de")]
    split = split_specs(ids(*"abcde"), clashes, knows(clashes), budget=20)
    assert (split.parts, split.proven) == ((("a", "b", "c"), ("d",), ("e",)), True)


def test_spec_that_was_thought_to_resolve_a_clash_and_does_not_is_no_reason_to_ask_forever() -> None:
    clash = core("a", "b", absent="c")
    split = split_specs(ids(*"abc"), [], lambda part: clash if {"a", "b"} <= set(part) else None, budget=20)
    assert (len(split.parts), split.proven) == (2, True)


def test_a_clash_that_is_found_again_is_kept_once() -> None:
    clash = core("a", "b", absent="c")
    split = split_specs(ids(*"abcd"), [], lambda part: clash if {"a", "b"} <= set(part) else None, budget=20)
    assert (len(split.parts), split.proven, split.cores) == (2, True, (clash,))


@pytest.mark.parametrize("seed", range(60))
def test_split_is_as_small_as_trying_everything_finds(seed: int) -> None:
    random = Random(seed)
    names = list("abcdef"[: random.randint(2, 6)])
    clashes = [
        core(*sorted(random.sample(names, min(len(names), random.choice((2, 2, 3))))))
        for _ in range(random.randint(0, 7))
    ]
    works = {
        frozenset(group): not any(set(c.specs) <= set(group) for c in clashes)
        for size in range(len(names) + 1)
        for group in combinations(names, size)
    }
    known = [c for c in clashes if random.random() < 0.5]
    split = split_specs(ids(*names), known, knows(clashes))
    assert split.proven
    assert len(split.parts) == smallest_split(names, works)
    assert all(works[frozenset(part)] for part in split.parts)
    assert sorted(spec for part in split.parts for spec in part) == names


def test_split_does_not_depend_on_the_order_of_specs_or_clashes() -> None:
    clashes = [core("a", "b"), core("c", "d"), core("a", "d", "e")]
    expected = split_specs(ids(*"abcde"), clashes, knows(clashes)).parts
    for order in permutations(range(3)):
        shuffled = [clashes[i] for i in order]
        assert split_specs(ids(*"edcba"), shuffled, knows(shuffled)).parts == expected


def test_specs_of_one_folder_stay_together_where_they_can() -> None:
    names = ids("api/one.txt", "api/two.txt", "web/one.txt", "web/two.txt")
    clashes = [core("api/one.txt", "web/one.txt")]
    split = split_specs(names, clashes, knows(clashes))
    assert split.parts == (("api/one.txt", "api/two.txt"), ("web/one.txt", "web/two.txt"))


def test_spec_without_a_folder_of_its_own_goes_where_most_are() -> None:
    clashes = [core("a/1", "b/1"), core("a/1", "c/1")]
    assert split_specs(ids("a/1", "b/1", "c/1", "d/1"), clashes, knows(clashes)).parts == (
        ("a/1",), ("b/1", "c/1", "d/1")
    )  # fmt: skip


def test_one_spec_of_the_same_folder_counts_for_more_than_many_others() -> None:
    clashes = [core("a/1", other) for other in ("a/c/1", "a/d/1", "a/e/1")]
    names = ids("a/1", "a/b/1", "a/c/1", "a/d/1", "a/e/1", "a/z")
    assert split_specs(names, clashes, knows(clashes)).parts == (("a/1", "a/b/1", "a/z"), ("a/c/1", "a/d/1", "a/e/1"))


def test_part_that_cannot_be_decided_makes_the_split_unproven() -> None:
    split = split_specs(ids(*"ab"), [], lambda _: Maybe("the index answered 503"))
    assert split.unclear == "the index answered 503"
    assert not split.proven


def test_of_several_parts_that_cannot_be_decided_the_first_says_why() -> None:
    clashes = [core("a", "b")]
    assert split_specs(ids(*"ab"), clashes, lambda part: Maybe(f"about {part[0]}")).unclear == "about a"


def test_spent_budget_leaves_a_valid_split_without_proof() -> None:
    clashes = [core(a, b) for a, b in combinations("abcd", 2)]
    split = split_specs(ids(*"abcd"), [], knows(clashes), budget=1)
    assert not split.proven
    assert all(knows(clashes)(part) is None for part in split.parts)
    assert (split.lower_bound, len(split.parts)) == (2, 4)


def test_split_of_real_specs_is_checked_part_by_part() -> None:
    index = universe({"x": {"1.0": [], "2.0": [], "3.0": []}})
    world = World(index, specs(a=["x!=1.0"], b=["x!=2.0"], c=["x!=3.0"], d=["x==1.0"]))
    assert world.split.proven
    assert len(world.split.parts) == 2
    assert all(world.finder.probe(part) is None for part in world.split.parts)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([["a.txt", "b.txt"]], ["all"]),
        ([["vision/requirements.txt"]], ["vision"]),
        ([["requirements.txt"]], ["requirements"]),
        ([["pyproject.toml#extra:gpu"], ["pyproject.toml#group:dev"]], ["pyproject-gpu", "pyproject-dev"]),
        ([["a/requirements.txt"], ["b/a/requirements.txt"]], ["a", "a-2"]),
        ([["a.txt", "b.txt", "c.txt", "d.txt"], ["e.txt"]], ["a-b-c-and-more", "e"]),
        ([["requirements-dev.txt"], ["--with"]], ["dev", "with"]),
        ([["a.txt", "b.txt", "c.txt"], ["e.txt"]], ["a-b-c", "e"]),
        ([["a/base.txt"], ["b/a/base.txt"], ["c/a/base.txt"]], ["a", "a-2", "a-3"]),
        ([["api/dev-requirements.txt"]], ["dev"]),
        ([["x" * 50 + ".txt"], ["y" * 39 + "-z.txt"]], ["x" * 40, "y" * 39]),
        ([["\u00fc.txt"], ["\u00e9.txt"]], ["env", "env-2"]),
    ],
)
def test_parts_are_named_after_their_specs(parts: list[list[str]], expected: list[str]) -> None:
    assert name_parts([ids(*part) for part in parts]) == expected


def test_names_are_distinct_and_fit_for_files_whatever_the_specs_are_called() -> None:
    parts = [
        ids(name)
        for name in ("../../etc/passwd", "a b.txt", "a-b.txt", "x" * 300, "...", "", "\x1b[31m.txt", "a-b-2.txt")
    ]
    names = name_parts(parts)
    assert len(set(names)) == len(parts)
    assert all(name and len(name) <= 60 and name.replace("-", "").isalnum() and name.isascii() for name in names)
