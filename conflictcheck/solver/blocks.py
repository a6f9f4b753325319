"""Thousands of literals that are assumed together: by a few, each of which stands for a block of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping

    from conflictcheck.solver.encoding import Clause

_SIZE = 64

K = TypeVar("K", bound="Hashable")


class Blocks(Generic[K]):
    """Literals under keys, in blocks; that of a block, assumed, lets all in it hold.

    A solver takes an assumption in no time, and thousands of them in each call in a lot of it.

    Args:
        new_variable: makes a variable.
        add: takes clauses.
    """

    def __init__(self, new_variable: Callable[[], int], add: Callable[[Iterable[Clause]], None]) -> None:
        self._new_variable = new_variable
        self._add = add
        self._blocks: list[dict[K, int]] = []
        self._place: dict[K, int] = {}
        self._roomy: list[int] = []
        self._heads: list[int] = []
        self._changed: dict[int, None] = {}
        self._block_of: dict[int, int] = {}

    def put(self, key: K, literal: int) -> int | None:
        """Have a literal stand under a key, in the place of what stood there, which is returned."""
        if key not in self._place:
            if not self._roomy:
                self._roomy.append(len(self._blocks))
                self._blocks.append({})
                self._heads.append(0)
            self._place[key] = self._roomy[-1]
        place = self._place[key]
        old = self._blocks[place].get(key)
        self._blocks[place][key] = literal
        self._changed[place] = None
        if self._roomy[-1:] == [place] and len(self._blocks[place]) == _SIZE:
            self._roomy.pop()
        return old

    def drop(self, key: K) -> None:
        """Have nothing stand under a key any more."""
        place = self._place.pop(key)
        del self._blocks[place][key]
        self._changed[place] = None
        if place not in self._roomy:
            self._roomy.append(place)

    def heads(self) -> list[int]:
        """The literals that stand for the blocks as they are now."""
        for place in self._changed:
            old, head = self._heads[place], self._new_variable()
            if old:
                del self._block_of[old]
                self._add([[-old]])
            self._add([-head, literal] for literal in self._blocks[place].values())
            self._heads[place] = head
            self._block_of[head] = place
        self._changed.clear()
        return list(self._heads)

    def __contains__(self, head: int) -> bool:
        """Whether a literal stands for a block as it is now."""
        return head in self._block_of

    def within(self, heads: Collection[int]) -> Mapping[K, int]:
        """The literals of the blocks that some of the heads stand for."""
        return {key: literal for head in heads for key, literal in self._blocks[self._block_of[head]].items()}
