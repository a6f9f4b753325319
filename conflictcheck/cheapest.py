"""The cheapest model of a formula with weights, and the first of several, within bounds.

RC2 (Ignatiev, Morgado, Marques-Silva, "RC2: an efficient MaxSAT solver", JSAT 2019) begins at no cost and goes up core
by core, so that what is too dear is known long before the cheapest model is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pysat.examples.rc2 import RC2Stratified
from pysat.solvers import Solver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pysat.formula import WCNF


_SHARE = 20
"""What part of all steps one of many questions may take."""


class TooDear(Exception):  # noqa: N818 - a signal, not an error
    """Every model costs more than is wanted, or as much."""


class TooHard(Exception):  # noqa: N818 - a signal, not an error
    """It would take more steps than are allowed."""


def cheapest_model(formula: WCNF, *, below: int | None, steps: int) -> frozenset[int] | None:
    """The literals of a model that violates soft clauses of the least weight together; None if there is no model.

    Args:
        formula: hard clauses, and soft ones with weights.
        below: what it has to cost less than; None for any cost.
        steps: how many propagations of the solver it may take.

    Raises:
        TooDear: there is no model that costs less.
        TooHard: more steps would be needed.
    """
    if not formula.soft:  # RC2 does not take that
        with Solver(name="glucose3", bootstrap_with=formula.hard) as solver:
            return frozenset(solver.get_model()) if solver.solve() else None
    with _Bounded(formula, below, steps) as solver:
        model = solver.compute()
    return None if model is None else frozenset(model)


def first_choices(
    hard: Sequence[Sequence[int]],
    settled: Iterable[int],
    groups: Iterable[Sequence[int]],
    model: frozenset[int],
    steps: int,
) -> list[int]:
    """Of each group of literals the first that can hold, with those that were chosen of the groups before.

    Args:
        hard: clauses.
        settled: literals that hold.
        groups: of each, a literal holds in every model.
        model: literals of a model in which those that are settled hold.
        steps: how many propagations of a solver it may take; where it would take more, the choice is one that can hold,
            and need not be the first.
    """
    chosen: list[int] = []
    held = list(settled)
    with Solver(name="minisat22", bootstrap_with=hard) as solver:
        for group in groups:
            for literal in group:
                if literal not in model:
                    left = steps - solver.accum_stats()["propagations"]
                    solver.prop_budget(min(left, steps // _SHARE))
                    if left <= 0 or not solver.solve_limited(assumptions=[*held, literal]):
                        continue
                    model = frozenset(solver.get_model())
                chosen.append(literal)
                held.append(literal)
                break
    return chosen


class _Bounded(RC2Stratified):  # type: ignore[misc]
    """RC2 with heavy clauses first, which looks at its bounds before each call of the solver below."""

    def __init__(self, formula: WCNF, below: int | None, steps: int) -> None:
        self._below = below
        self._steps = steps
        super().__init__(formula)

    def _call_oracle(self, assumptions: Sequence[int] = (), expect_interrupt: bool = False) -> bool:
        # What it has cost so far is what any model costs at least.
        if self._below is not None and self.cost >= self._below:
            raise TooDear
        left = self._steps - self.oracle.accum_stats()["propagations"]
        if left <= 0:
            raise TooHard
        self.oracle.prop_budget(left)
        answer: bool | None = super()._call_oracle(list(assumptions), expect_interrupt)
        if answer is None:
            raise TooHard
        return answer
