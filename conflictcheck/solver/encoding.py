"""Releases as Boolean variables: the order encoding.

The usable releases of a package, oldest first, are numbered 0..n-1. Variable ``ge(i)`` says "this package is
installed, in release i or newer". ``ge(0)`` is "installed"; ``ge(i+1)`` implies ``ge(i)``. So "release i" is
``ge(i) & !ge(i+1)``, exactly one release needs no clause of its own, and a range of versions is one or two
literals. (Order encoding: Tamura, Taga, Kitagawa, Banbara, "Compiling finite linear CSP into SAT", 2009.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet

    from conflictcheck.policy import Candidates, Release

Clause = list[int]


@dataclass(slots=True)
class Lock:
    """Releases that may be chosen only where something asks for them: pre-releases, yanked ones, direct references.

    Attributes:
        mask: the releases, as bits.
        key: the variable "a release's dependency asks for them"; assumed false until one does.
        lines: the requirement lines that ask for them.
    """

    mask: int
    key: int
    lines: tuple[int, ...]
    is_open: bool = False


@dataclass(slots=True)
class Package:
    """The variables of one package on one target.

    Attributes:
        candidates: what may be chosen, and what may not and why.
        first: the number of the variable ``ge(0)``; ``ge(i)`` is ``first + i``.
        missing: whether no index has the package.
        unknown: why its listing is not known, or None.
        finals: bits of the releases that are neither pre-releases nor yanked nor direct references.
        locks: what is closed until somebody asks.
        extras: the variable of each extra that was asked for.
    """

    candidates: Candidates
    first: int
    missing: bool = False
    unknown: str | None = None
    finals: int = 0
    locks: list[Lock] = field(default_factory=list)
    extras: dict[str, int] = field(default_factory=dict)
    _masks: dict[str, int] = field(default_factory=dict)

    @property
    def releases(self) -> tuple[Release, ...]:
        """The releases, oldest first."""
        return self.candidates.releases

    @property
    def everything(self) -> int:
        """The mask of all releases."""
        return (1 << len(self.candidates.releases)) - 1

    def mask(self, specifier: SpecifierSet, text: str) -> int:
        """The releases that a specifier admits, as bits; pre-releases are admitted by their number alone.

        Args:
            specifier: the specifier.
            text: its text, by which the answer is remembered.
        """
        if text not in self._masks:
            bits = 0
            if text:
                contains = specifier.contains
                for i, release in enumerate(self.candidates.releases):
                    if release.any_version or contains(release.version, prereleases=True):
                        bits |= 1 << i
            else:
                bits = self.everything
            self._masks[text] = bits
        return self._masks[text]

    def url_mask(self, url: str) -> int:
        """The release that is this direct reference, as a bit; 0 if there is none."""
        return sum(1 << i for i, release in enumerate(self.candidates.releases) if release.url == url)

    def is_release(self, i: int) -> tuple[int, ...]:
        """The literals of "release i is installed"."""
        if i + 1 < len(self.candidates.releases):
            return self.first + i, -(self.first + i + 1)
        return (self.first + i,)

    def unless_run(self, low: int, high: int) -> Clause:
        """The clause part "or none of the releases low..high is installed"."""
        clause = [-(self.first + low)]
        if high + 1 < len(self.candidates.releases):
            clause.append(self.first + high + 1)
        return clause

    def within(self, mask: int) -> Iterator[Clause]:
        """The clause parts whose conjunction says "a release of the mask is installed"."""
        count = len(self.candidates.releases)
        if not mask:
            yield []
            return
        low = (mask & -mask).bit_length() - 1
        high = mask.bit_length()
        yield [self.first + low]
        if high < count:
            yield [-(self.first + high)]
        for start, end in runs(~mask & ((1 << high) - 1) & ~((1 << low) - 1)):
            yield [-(self.first + start), self.first + end + 1]


def runs(mask: int) -> list[tuple[int, int]]:
    """The runs of set bits, first and last included, lowest first: ``0b1101`` gives ``[(0, 0), (2, 3)]``."""
    found = []
    while mask:
        low = (mask & -mask).bit_length() - 1
        shifted = mask >> low
        length = (~shifted & (shifted + 1)).bit_length() - 1
        found.append((low, low + length - 1))
        mask &= ~(((1 << length) - 1) << low)
    return found


def bits(mask: int) -> list[int]:
    """The set bits, highest first."""
    found = []
    while mask:
        top = mask.bit_length() - 1
        found.append(top)
        mask ^= 1 << top
    return found


def order_clauses(first: int, count: int) -> Sequence[Clause]:
    """``ge(i+1)`` implies ``ge(i)``."""
    return [[-(first + i + 1), first + i] for i in range(count - 1)]
