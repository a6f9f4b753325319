"""A search over sets of values that learns from its failures.

Every variable has a finite set of values, held as the bits of a number. A *nogood* gives some variables a set each,
and says that not all of them can have a value in theirs. Where all but one have, the last one loses the values in its
set; where all have, that is a conflict, and resolving it with the nogoods that led there gives a new one. Whether a
question has an answer is decided by nogoods alone: no clauses, no order encoding, no assumptions.

Signed resolution: Beckert, Hähnle, Manyà, "The SAT problem of signed CNF formulas", 2000; on sets of releases it is
what PubGrub does (Weizenbaum, 2018). Learning and jumping back at the first point that implies the conflict: Marques-
Silva, Sakallah, "GRASP", 1999. Which variable is next: Boussemart, Hemery, Lecoutre, Sais, "Boosting systematic search
by weighting constraints", 2004.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

V = TypeVar("V")
"""What stands for a variable."""


class BudgetSpentError(Exception):
    """The search took as many steps as it may."""


class NogoodSearch(Generic[V]):
    """What is left of every variable's values.

    Args:
        budget: how many times a nogood may be looked at.

    Attributes:
        decisions: how many decisions stand; without one, what is left of the values is left for good.
        values: of each variable, those that are left.
        weights: how many conflicts each variable had a part in, plus one.
        steps: how many times a nogood was looked at.
    """

    def __init__(self, budget: int) -> None:
        self.values: dict[V, int] = {}
        self.weights: dict[V, int] = defaultdict(lambda: 1)
        self.steps = 0
        self.decisions = 0
        self._budget = budget
        self._about: dict[V, list[Mapping[V, int]]] = defaultdict(list)
        self._trail: list[tuple[V, int, Mapping[V, int] | None]] = []
        self._waiting: deque[Mapping[V, int]] = deque()

    def add_variable(self, variable: V, values: int) -> None:
        """Add a variable that no nogood is about yet."""
        self.values[variable] = values

    def add(self, *terms: tuple[V, int]) -> None:
        """Say that not all of these variables have a value in the set beside them."""
        nogood: dict[V, int] = {}
        for variable, some in terms:
            nogood[variable] = nogood.get(variable, -1) & some
        self._add(nogood)

    def decide(self, variable: V, some: int) -> None:
        """Try what follows if a variable has a value in this set."""
        self.decisions += 1
        self._narrow(variable, some, None)

    def propagate(self) -> bool:
        """Draw all conclusions, undoing decisions where they cannot be.

        Returns:
            Whether anything is left; False says that the nogoods cannot all be kept, whatever is decided.

        Raises:
            BudgetSpentError: before that is known.
        """
        waiting, values = self._waiting, self.values
        while waiting:
            self.steps += 1
            if self.steps > self._budget:
                raise BudgetSpentError
            nogood = waiting.popleft()
            last = None
            for variable, some in nogood.items():
                if values[variable] & ~some:
                    if last is not None or not values[variable] & some:
                        break
                    last = variable
            else:
                if last is not None:
                    self._narrow(last, values[last] & ~nogood[last], nogood)
                elif not self._learn(nogood):
                    return False
        return True

    def _add(self, nogood: Mapping[V, int]) -> None:
        for variable in nogood:
            self._about[variable].append(nogood)
        self._waiting.append(nogood)

    def _narrow(self, variable: V, left: int, because: Mapping[V, int] | None) -> None:
        self._trail.append((variable, self.values[variable], because))
        self.values[variable] = left
        self._waiting.extend(nogood for nogood in self._about[variable] if nogood is not because)

    def _undo(self) -> tuple[V, int, Mapping[V, int] | None]:
        step = self._trail.pop()
        variable, before, because = step
        self.values[variable] = before
        if because is None:
            self.decisions -= 1
        else:
            # It may have been added late, and hold before the decision that is undone as well.
            self._waiting.append(because)
        return step

    def _learn(self, conflict: Mapping[V, int]) -> bool:
        """From a nogood that is broken to one that changes what is decided; False if it is broken in any case."""
        nogood = dict(conflict)
        while self._trail:
            variable, before, because = self._undo()
            some = nogood.get(variable)
            if some is None or not before & ~some:
                continue
            others = self._decisions_under(nogood, variable)
            if because is None or others < self.decisions:
                self._jump_to(others)
                for part in nogood:
                    self.weights[part] += 1
                self._add(nogood)
                return True
            for other, theirs in because.items():
                nogood[other] = some | theirs if other == variable else nogood.get(other, -1) & theirs
        return False

    def _decisions_under(self, nogood: Mapping[V, int], apart: V) -> int:
        """How many decisions were made when all parts of a nogood but one came to hold."""
        made = self.decisions
        for variable, before, because in reversed(self._trail):
            if variable != apart and before & ~nogood.get(variable, -1):
                return made
            made -= because is None
        return 0

    def _jump_to(self, decisions: int) -> None:
        while self.decisions > decisions:
            self._undo()
