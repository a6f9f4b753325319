"""Releases as ranges over those that exist, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.phrases import cut_list

if TYPE_CHECKING:
    from conflictcheck.solver.encoding import Package


def versions_in_words(package: Package, mask: int) -> str:
    """Releases as ranges over those that exist, oldest first: ``1.0 to 1.4, 2.0``."""
    seen = [i for i in range(len(package.releases)) if (package.unlocked | mask) >> i & 1]
    groups: list[list[int]] = []
    for position, i in enumerate(seen):
        if not mask >> i & 1:
            continue
        if groups and position and seen[position - 1] == groups[-1][-1]:
            groups[-1].append(i)
        else:
            groups.append([i])
    shown = []
    for group in groups:
        first, last = (package.releases[i] for i in (group[0], group[-1]))
        names = [release.url or str(release.version) for release in (first, last)]
        shown.append(names[0] if len(group) == 1 else f"{names[0]} to {names[1]}")
    return cut_list(shown)
