"""What one question to a kernel ends in: yes, no, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName


@dataclass(frozen=True, slots=True)
class Solution:
    """*Yes*: the lines can be satisfied together, like this.

    Attributes:
        releases: the number of the chosen release of each installed package.
        extras: the extras of each package that are installed.
        leans: whether a locked release is in it that only another release asks for: fewer lines may not allow it.
    """

    releases: Mapping[NormalizedName, int]
    extras: Mapping[NormalizedName, frozenset[str]]
    leans: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """*No*: the lines cannot be satisfied together.

    Attributes:
        lines: some of the asked lines that already cannot (not a minimal set).
        absent: lines that were not asked, without which this holds: they ask for pre-releases, yanked releases or
            direct references that would help.
        leans: whether it would be possible if some release asked for a locked one: more lines may bring that release.
        assumed: packages whose locked releases nothing that was not looked into is taken to ask for; usually none.
    """

    lines: frozenset[int]
    absent: frozenset[int] = frozenset()
    leans: bool = False
    assumed: frozenset[NormalizedName] = frozenset()


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither: a fact is missing, or the budget is spent.

    Attributes:
        reason: one clause, fit for a report.
    """

    reason: str


Answer = Solution | Conflict | Undecided
