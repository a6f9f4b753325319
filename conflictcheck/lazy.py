"""Mappings and sequences whose values are made when somebody looks at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

K = TypeVar("K")
V = TypeVar("V")


class LazySequence(Sequence[V]):
    """Values made from their places, each once.

    Args:
        count: how many there are.
        make: the value at a place, counted from 0.
    """

    __slots__ = ("_count", "_made", "_make")

    def __init__(self, count: int, make: Callable[[int], V]) -> None:
        self._count = count
        self._make = make
        self._made: dict[int, V] = {}

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @overload
    def __getitem__(self, place: int) -> V: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[V]: ...
    def __getitem__(self, place: int | slice) -> V | Sequence[V]:
        """One value, or some.

        Raises:
            IndexError: there is no such place.
        """
        if isinstance(place, slice):
            return tuple(self[i] for i in range(*place.indices(self._count)))
        if place not in self._made:
            i = range(self._count)[place]
            self._made[place] = self._made[i] if i in self._made else self._make(i)
        return self._made[place]


class LazyMapping(Mapping[K, V]):
    """Values made from their keys, each once.

    Args:
        keys: all there are.
        make: the value of a key.
    """

    __slots__ = ("_keys", "_made", "_make")

    def __init__(self, keys: Collection[K], make: Callable[[K], V]) -> None:
        self._keys = keys
        self._make = make
        self._made: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        """The value of a key.

        Raises:
            KeyError: there is no such key.
        """
        if key not in self._made:
            if key not in self._keys:
                raise KeyError(key)
            self._made[key] = self._make(key)
        return self._made[key]

    def __iter__(self) -> Iterator[K]:
        """The keys."""
        return iter(self._keys)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._keys)


class Deferred(Mapping[K, V]):
    """A mapping that is made when somebody looks at it.

    Args:
        make: gives all of it.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Mapping[K, V]]) -> None:
        self._make = make
        self._made: Mapping[K, V] | None = None

    def _all(self) -> Mapping[K, V]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: K) -> V:
        """The value of a key.

        Raises:
            KeyError: there is no such key.
        """
        return self._all()[key]

    def __iter__(self) -> Iterator[K]:
        """The keys."""
        return iter(self._all())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all())

    def __reduce__(self) -> tuple[type[dict[K, V]], tuple[dict[K, V]]]:
        """What another process gets: all of it."""
        return dict, (dict(self._all()),)
