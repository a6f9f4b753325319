"""Why releases that a requirement admits cannot be had, as clauses of a sentence."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from conflictcheck.argument import Asked, Needed
from conflictcheck.phrases import and_list, cut_list
from conflictcheck.policy import Why
from conflictcheck.release_ranges import versions_in_words
from conflictcheck.solver.dependencies import parse_dependency
from conflictcheck.solver.encoding import LockKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.argument import Node
    from conflictcheck.policy import Excluded
    from conflictcheck.solver.encoding import Package
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.targets import Target

_MOST_TAGS = 8


def has_index(kernel: Kernel) -> bool:
    """Whether there is an index, and not only --find-links places."""
    return kernel.place.startswith("on ")


def fitting(kernel: Kernel, package: Package, ends: Iterable[Node]) -> list[Excluded]:
    """Excluded releases that every side would admit."""
    specifiers: list[SpecifierSet] = []
    for node in ends:
        if isinstance(node, Asked):
            if kernel.lines[node.line].url is not None:
                return []
            specifiers.append(kernel.lines[node.line].specifier)
        elif isinstance(node, Needed) and len(node.texts) == 1:
            dependency = parse_dependency(node.texts[0][0])
            specifiers.append(dependency.specifier if dependency else SpecifierSet("<0"))
        else:
            return []
    return [
        item
        for item in package.candidates.excluded
        if all(specifier.contains(item.version, prereleases=None) for specifier in specifiers)
    ]


def main_reason(excluded: Sequence[Excluded]) -> Why:
    """The reason that most of them share; of equals, that of the newest."""
    counts = Counter(item.why for item in reversed(excluded))
    return counts.most_common(1)[0][0]


def cause_of(kernel: Kernel, package: Package, node: Asked | Needed, excluded: Sequence[Excluded]) -> str:
    """Why nothing that one side admits can be had, as a clause; empty if nothing of the kind exists at all."""
    name = node.name
    line = kernel.lines[node.line] if isinstance(node, Asked) else None
    if line is not None and line.hashes and package.mask(line.specifier, str(line.specifier)):
        where = "on the index" if has_index(kernel) else "in the --find-links places"
        return f"no file of {name} {where} has one of the hashes given"
    if excluded:
        return left_out(kernel, name, excluded)
    if clauses := withheld(kernel, package, node.mask):
        return clauses[0]
    if package.releases or package.missing:
        return ""
    if package.candidates.excluded:
        return left_out(kernel, name, package.candidates.excluded)
    return f"the package index lists {name} without any release"


def withheld(kernel: Kernel, package: Package, mask: int) -> list[str]:
    """Why releases that exist and are admitted cannot be chosen all the same, as clauses."""
    name = package.candidates.name
    target = kernel.target
    found = []
    for kind, clause in (
        (LockKind.PRERELEASE, "{} a pre-release, which nothing here asks for"),
        (LockKind.YANKED, "{} yanked: only a requirement of exactly that version takes it"),
        (LockKind.PREDATES_PYTHON, "{} older than the first wheels for Python " + target.python_version),
    ):
        of_kind = 0
        for lock in package.locks:
            of_kind |= lock.mask & mask if lock.kind is kind else 0
        if of_kind:
            one = of_kind.bit_count() == 1
            verb = ("was" if one else "were") if kind is LockKind.YANKED else ("is" if one else "are")
            text = clause.format(verb)
            found.append(f"{name} {versions_in_words(package, of_kind)} {text if one else _several(text)}")
    unusable = [(i, each.unusable) for i, each in sorted(kernel.loaded[name].items()) if each.unusable]
    for reason in dict.fromkeys(reason for i, reason in unusable if mask >> i & 1):
        same = sum(1 << i for i, other in unusable if other == reason and mask >> i & 1)
        found.append(f"{name} {versions_in_words(package, same)} cannot be used: {reason}")
    return found


def left_out(kernel: Kernel, name: NormalizedName, excluded: Sequence[Excluded]) -> str:
    """Releases that would do, and why they are not on offer, as clauses: one a reason, newest releases first."""
    by_reason: dict[Why, list[Excluded]] = defaultdict(list)
    for item in reversed(excluded):
        by_reason[item.why].append(item)
    return "; ".join(
        f"{name} {cut_list([item.version for item in of_kind])} {_reason(kernel.target, why, of_kind)}"
        for why, of_kind in by_reason.items()
    )


def _reason(target: Target, why: Why, excluded: Sequence[Excluded]) -> str:
    """What releases have in common that keeps them from being on offer."""
    one = len(excluded) == 1
    has, needs = ("has", "needs") if one else ("have", "need")
    details = list(dict.fromkeys(item.detail for item in excluded if item.detail))
    admitted = f" ({cut_list(details)})" if details else ""
    where = target.name if details else target.platform
    return {
        Why.TOO_NEW: f"{'was' if one else 'were'} uploaded after the --exclude-newer date",
        Why.NO_DATE: f"{has} no upload date, which --exclude-newer needs",
        Why.PYTHON: f"{needs} another Python{admitted} than {target.python_version}",
        Why.WHEELS: f"{has} wheels for {_interpreters(details)} alone, not for Python {target.python_version}",
        Why.PLATFORM: f"{has} neither a wheel for {where} nor a source distribution",
        Why.ONLY_BINARY: f"{has} no wheel for {target.name}, while source distributions are not allowed",
        Why.NO_BINARY: f"{has} no source distribution, while wheels are not allowed",
        Why.PRERELEASE: f"{'is a pre-release' if one else 'are pre-releases'}, while none is allowed",
    }[why]


def _interpreters(details: Iterable[str]) -> str:
    """Those that some releases have wheels for, oldest first: ``cp39 and cp310``."""
    tags = sorted({tag for detail in details for tag in detail.split()}, key=lambda tag: (len(tag), tag))
    return and_list(tags[:_MOST_TAGS], more=len(tags) - _MOST_TAGS)


def _several(clause: str) -> str:
    return clause.replace("are a pre-release,", "are pre-releases,").replace("that version", "such a version")
