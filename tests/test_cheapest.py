"""The cheapest model and the first choices are those that trying everything gives, and bounds are kept."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysat.formula import WCNF

from conflictcheck.cheapest import TooDear, TooHard, cheapest_model, first_choices

VARIABLES = 5
MANY = 10**9

clauses = st.lists(
    st.lists(st.integers(1, VARIABLES).flatmap(lambda i: st.sampled_from([i, -i])), min_size=1, max_size=3), max_size=12
)
weights = st.lists(st.integers(1, 9), min_size=VARIABLES, max_size=VARIABLES)


def models(hard: list[list[int]]) -> list[frozenset[int]]:
    """All of them, tried one by one."""
    every = (frozenset(i if on else -i for i, on in enumerate(signs, 1)) for signs in product((0, 1), repeat=VARIABLES))
    return [model for model in every if all(not model.isdisjoint(clause) for clause in hard)]


def weighted(hard: list[list[int]], cost: list[int]) -> WCNF:
    formula = WCNF()
    formula.extend([*hard, [1, -1], *([i, -i] for i in range(2, VARIABLES + 1))])
    for i, weight in enumerate(cost, 1):
        formula.append([-i], weight=weight)
    return formula


@given(clauses, weights)
def test_no_model_is_cheaper_and_what_is_as_dear_as_the_bound_is_too_dear(
    hard: list[list[int]], cost: list[int]
) -> None:
    costs = [sum(weight for i, weight in enumerate(cost, 1) if i in model) for model in models(hard)]
    found = cheapest_model(weighted(hard, cost), below=None, steps=MANY)
    if not costs:
        assert found is None
        return
    assert found is not None
    assert found.issuperset(next(model for model in models(hard) if model <= found))
    assert sum(weight for i, weight in enumerate(cost, 1) if i in found) == min(costs)
    assert cheapest_model(weighted(hard, cost), below=min(costs) + 1, steps=MANY) is not None
    with pytest.raises(TooDear):
        cheapest_model(weighted(hard, cost), below=min(costs), steps=MANY)


def test_a_formula_without_weights_has_some_model_or_none() -> None:
    formula = WCNF()
    formula.extend([[1, 2], [-1]])
    assert cheapest_model(formula, below=5, steps=MANY) == {-1, 2}
    formula.append([-2])
    assert cheapest_model(formula, below=5, steps=MANY) is None


def test_what_takes_more_steps_than_allowed_is_too_hard() -> None:
    pigeons, holes = 9, 8
    here = {(p, h): p * holes + h + 1 for p in range(pigeons) for h in range(holes)}
    formula = WCNF()
    formula.extend([[here[p, h] for h in range(holes)] for p in range(pigeons)])
    formula.extend([[-here[p, h], -here[q, h]] for h in range(holes) for p, q in combinations(range(pigeons), 2)])
    formula.append([-1], weight=1)
    with pytest.raises(TooHard):
        cheapest_model(formula, below=None, steps=5_000)


@given(clauses)
def test_each_group_gets_the_first_that_can_hold_with_those_before(hard: list[list[int]]) -> None:
    every = [model for model in models(hard) if 5 in model]
    groups = [[i, -i] for i in range(1, VARIABLES)]
    if every:
        # The first of a group is the variable itself, so that the largest model in that order is the one.
        first = max(every, key=lambda model: [i in model for i in range(1, VARIABLES)])
        expected = [i if i in first else -i for i in range(1, VARIABLES)]
        assert first_choices(hard, [5], groups, every[0], MANY) == expected
        assert first_choices(hard, [5], groups, every[0], 0) == [
            i if i in every[0] else -i for i in range(1, VARIABLES)
        ]
