"""What one question to a kernel ends in: yes, no, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName


class Opened(Struct, frozen=True):
    """A locked release in a solution, and what it may stay for when some of the lines are left out.

    Attributes:
        needed_by: the lines that come to need its package.
        asked_by: lines each of which asks for it, or comes to need a release that does.
        together: where there are none: the lines that may ask for it only together.
    """

    needed_by: frozenset[int]
    asked_by: frozenset[int]
    together: frozenset[int] = frozenset()

    def stays(self, lines: frozenset[int]) -> bool:
        """Whether so many of the lines do not need it, or still ask for it."""
        if self.asked_by:
            return lines.isdisjoint(self.needed_by) or not lines.isdisjoint(self.asked_by)
        return lines.isdisjoint(self.needed_by) or self.together <= lines


class Solution(Struct, frozen=True):
    """*Yes*: the lines can be satisfied together, like this.

    Attributes:
        releases: the number of the chosen release of each installed package.
        extras: the extras of each package that are installed.
        opened: the locked releases among them. What fewer lines need of a solution is one for them, if these stay.
    """

    releases: Mapping[NormalizedName, int]
    extras: Mapping[NormalizedName, frozenset[str]]
    opened: tuple[Opened, ...] = ()


class Conflict(Struct, frozen=True):
    """*No*: the lines cannot be satisfied together.

    Attributes:
        lines: some of the asked lines that already cannot (not a minimal set).
        absent: lines that were not asked, without which this holds: they ask for pre-releases, yanked releases or
            direct references that would help.
        leans: whether it would be possible if some release asked for a locked one: more lines may bring that release.
        lifted_by: where it leans, lines any of which may bring such a release.
        assumed: packages whose locked releases nothing that was not looked into is taken to ask for; usually none.
    """

    lines: frozenset[int]
    absent: frozenset[int] = frozenset()
    leans: bool = False
    lifted_by: frozenset[int] = frozenset()
    assumed: frozenset[NormalizedName] = frozenset()


class Undecided(Struct, frozen=True):
    """Neither: a fact is missing, or the budget is spent.

    Attributes:
        reason: one clause, fit for a report.
    """

    reason: str


Answer = Solution | Conflict | Undecided
