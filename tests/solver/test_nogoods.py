"""The search over nogoods against trying every assignment, with nogoods that come late."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from conflictcheck.solver.nogoods import BudgetSpentError, NogoodSearch

VARIABLES, VALUES = "pqrstu", 3


@pytest.mark.parametrize("seed", range(60))
def test_search_finds_an_assignment_if_there_is_one(seed: int) -> None:
    random = Random(seed)
    nogoods = [
        {variable: random.randint(1, 2**VALUES - 2) for variable in random.sample(VARIABLES, random.choice((2, 2, 3)))}
        for _ in range(random.randint(8, 30))
    ]
    possible = any(
        all(
            any(not 1 << one & nogood.get(v, -1) for v, one in zip(VARIABLES, values, strict=True))
            for nogood in nogoods
        )
        for values in product(range(VALUES), repeat=len(VARIABLES))
    )
    search: NogoodSearch[str] = NogoodSearch(budget=100_000)
    for variable in VARIABLES:
        search.add_variable(variable, 2**VALUES - 1)

    assert found(search, nogoods, random) == possible


def found(search: NogoodSearch[str], nogoods: list[dict[str, int]], random: Random) -> bool:
    """Decide at random, and tell the search of each nogood only some time after it matters."""
    waiting = list(nogoods)
    while search.propagate():
        undecided = [variable for variable in VARIABLES if search.values[variable].bit_count() > 1]
        late = [nogood for nogood in waiting if sum(bool(search.values[v] & ~some) for v, some in nogood.items()) < 2]
        broken = [nogood for nogood in late if all(not search.values[v] & ~some for v, some in nogood.items())]
        if (broken and not undecided) or (late and random.random() < 0.5):
            told = (broken or late)[0]
            search.add(*told.items())
            waiting.remove(told)
        elif undecided:
            variable = random.choice(undecided)
            search.decide(variable, search.values[variable] & -search.values[variable])
        else:
            assert all(any(search.values[v] & ~some for v, some in nogood.items()) for nogood in nogoods)
            return True
    return False


def test_a_spent_budget_is_no_answer() -> None:
    search: NogoodSearch[str] = NogoodSearch(budget=1)
    search.add_variable("p", 0b11)
    search.add(("p", 0b01))
    search.add(("p", 0b10))
    with pytest.raises(BudgetSpentError):
        search.propagate()
