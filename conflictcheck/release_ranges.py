"""What exists, for people to read: releases as ranges, and what is nearest to a version or a name that does not."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from conflictcheck.phrases import cut_list
from conflictcheck.solver.dependencies import parse_dependency
from conflictcheck.solver.encoding import lowest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.solver.encoding import Package

_MOST_EXCLUSIONS = 2
_CLOSE = 0.75
"""How alike two names have to be, of 1, for one to be a slip for the other."""


def versions_in_words(package: Package, mask: int) -> str:
    """Releases as ranges over those that exist, oldest first: ``1.0 to 1.4, 2.0``."""
    gaps = package.unlocked & ~mask
    shown = []
    while mask:
        first = lowest(mask)
        after = gaps >> first
        group = mask & (1 << first + lowest(after)) - 1 if after else mask
        mask ^= group
        ends = dict.fromkeys((first, group.bit_length() - 1))
        shown.append(" to ".join(package.releases[i].url or str(package.releases[i].version) for i in ends))
    return cut_list(shown)


def in_short(package: Package, requirement: str, others: int) -> str:
    """A requirement for a sentence: of many exclusions that nothing turns on, only how many there are.

    Args:
        package: that it is about.
        requirement: as `Dependency.text` has it.
        others: the releases that the other sides admit, as bits.
    """
    known = parse_dependency(requirement)
    parts = [] if known is None else list(known.specifier)
    kept = [str(part) for part in parts if part.operator != "!="]
    excluded = len(parts) - len(kept)
    if known is None or not kept or excluded <= _MOST_EXCLUSIONS:
        return requirement
    short = SpecifierSet(",".join(kept))
    if package.mask(short, str(short)) & others:
        return requirement
    return f"{requirement.removesuffix(known.specifier_text)}{short} ({excluded} exclusions)"


def nearest_in_words(package: Package, version: Version | None, have: str) -> str:
    """What a package has on offer, as a clause: the releases around a version, or the first and the last.

    Those older than the first wheels for the Python are among them: whoever names one gets it.

    Args:
        package: with a release at least.
        version: the one that was asked for; None if it was a range.
        have: how the clause begins that says what there is: ``the index has``.
    """
    candidates = package.candidates
    early = candidates.early & ~candidates.prereleases & ~candidates.yanked
    visible = package.unlocked | early or package.everything
    versions = [version for i, version in enumerate(candidates.versions) if visible >> i & 1]
    usable = " that can be used here" if candidates.excluded else ""
    if version is not None and versions[0] < version < versions[-1]:
        place = bisect_left(versions, version)
        return f"the nearest{usable} are {versions[place - 1]} and {versions[place]}"
    return f"{have} {versions[0]}" + (f" to {versions[-1]}" if len(versions) > 1 else "") + usable


def only_version(specifier: SpecifierSet) -> Version | None:
    """The version that ``==`` names, where a specifier is nothing else."""
    parts = list(specifier)
    if len(parts) == 1 and parts[0].operator == "==" and not parts[0].version.endswith(".*"):
        return Version(parts[0].version)
    return None


def near_name(name: str, names: Iterable[str]) -> str:
    """The one of some names that a name was most likely meant to be; empty if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for such a message

    return next(iter(get_close_matches(name, sorted(names), n=1, cutoff=_CLOSE)), "")
