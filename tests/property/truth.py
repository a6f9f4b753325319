"""What brute force says of a case, in the words of the questions."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from brute_force import minimal_sets, smallest_split

if TYPE_CHECKING:
    from random_universes import Case


class Truth:
    """All answers about the specs of a case.

    Attributes:
        names: of the specs.
        works: for each set of specs, whether they can share an environment.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.brute = case.brute()
        self.lines = case.world().lines
        self.names = sorted(spec.id for spec in case.specs)
        self.works = {
            frozenset(group): not group or self.holds(case.world().lines_of(*group))
            for size in range(len(self.names) + 1)
            for group in combinations(self.names, size)
        }

    def holds(self, lines: frozenset[int]) -> bool:
        return self.brute.satisfiable(self.lines, lines)

    @cached_property
    def placeable(self) -> list[str]:
        return [name for name in self.names if self.works[frozenset((name,))]]

    @cached_property
    def clashes(self) -> list[tuple[str, ...]]:
        """The specs that cannot be installed alone, and all minimal clashing sets of the others."""
        found = minimal_sets(self.names, self.works)
        return [group for group in found if len(group) == 1 or set(group) <= set(self.placeable)]

    @cached_property
    def fewest(self) -> int:
        return smallest_split(self.placeable, self.works)

    def more_allows_more(self, lines: frozenset[int]) -> bool:
        """Whether some of the lines cannot be satisfied without others of them, and can with these."""
        subsets = [frozenset(some) for size in range(1, len(lines)) for some in combinations(sorted(lines), size)]
        return any(not self.holds(some) and self.holds(some | {other}) for some in subsets for other in lines - some)
