"""The nogoods of a search: combinations of releases that it found impossible, so that none is proposed twice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.solver.kernel import Kernel


class _Nogood(NamedTuple):
    """Releases of one package that cannot be, while some literals hold."""

    mask: int
    literals: tuple[int, ...]


class SearchNogoods:
    """What was learned in one search about releases that do not go together, under the package that was to go.

    Args:
        kernel: whose variables the cores are made of.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._nogoods: dict[NormalizedName, list[_Nogood]] = defaultdict(list)

    def clear(self) -> None:
        """Forget all: something asks for a lock that was taken to be closed."""
        self._nogoods.clear()

    def learn(self, name: NormalizedName, core: Iterable[int]) -> None:
        """Keep a core as a nogood about one of its packages."""
        mask = self._kernel.packages[name].everything
        others = []
        for literal in core:
            found = self._kernel.release_of(literal)
            if found is None:
                continue
            if found[0] != name:
                others.append(literal)
            elif literal > 0:
                mask &= ~((1 << found[1]) - 1)
            else:
                mask &= (1 << found[1]) - 1
        self._nogoods[name].append(_Nogood(mask, tuple(others)))

    def rule_out(self, name: NormalizedName, i: int, literals: Iterable[int]) -> None:
        """Keep that a release does not go with literals."""
        self._nogoods[name].append(_Nogood(1 << i, tuple(literals)))

    def left(self, name: NormalizedName, domain: int, decided: Mapping[NormalizedName, int]) -> int:
        """A package's releases without those that are known not to go with the decided ones, as bits."""
        for nogood in self._nogoods.get(name, ()):
            if domain & nogood.mask and self._all_hold(nogood.literals, decided):
                domain &= ~nogood.mask
        return domain

    def _all_hold(self, literals: Sequence[int], decided: Mapping[NormalizedName, int]) -> bool:
        for literal in literals:
            found = self._kernel.release_of(literal)
            if found is None:
                continue
            chosen = decided.get(found[0])
            if chosen is None or (chosen >= found[1]) != (literal > 0):
                return False
        return True
