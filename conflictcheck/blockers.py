"""What stays in the way whatever the user's lines say: facts about releases, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.argument import Needed
from conflictcheck.explanation import explain_lines
from conflictcheck.facts import Unknown
from conflictcheck.phrases import or_list
from conflictcheck.release_ranges import in_short
from conflictcheck.solver.oracle import No

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from conflictcheck.argument import Argument
    from conflictcheck.solver.encoding import Package
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.solver.oracle import Oracle

_MOST_TEXTS = 3
_MOST_NEWER = 16
"""Releases that are looked at for one that would not block."""


def name_blockers(oracle: Oracle, lines: frozenset[int]) -> list[str]:
    """What every release of a package needs, for the packages that meet where the argument ends.

    Args:
        oracle: answers *no* about the lines.
        lines: positions.

    Returns:
        Clauses such as ``every release of doctran needs pydantic<2``; empty where the argument has no such end. What
        is said of every release is not known of pre-releases that none of the lines asks for.
    """
    kernel, argument = _argument(oracle, lines)
    if kernel is None or argument is None:
        return []
    facts: dict[bool, list[str]] = {True: [], False: []}
    for node in argument.ends:
        if isinstance(node, Needed):
            package = kernel.packages[node.asker]
            every = node.releases & package.unlocked == package.unlocked
            who = _every(package, node) if every else f"every release of {node.asker} that is left"
            facts[every].append(f"{who} needs {_said(kernel, argument, node)}")
    return sorted(facts[True] or facts[False])


def _every(package: Package, node: Needed) -> str:
    """The releases that are not locked, and which of the others that leaves out."""
    candidates = package.candidates
    others = package.everything & ~node.releases
    which = "usable " if candidates.excluded or others & ~candidates.prereleases else ""
    aside = "pre-releases aside, " if others & candidates.prereleases else ""
    return f"{aside}every {which}release of {node.asker}"


def name_upstream(oracle: Oracle, lines: frozenset[int]) -> list[str]:
    """The dependencies that nobody asked for by a line and that block, and their oldest releases that would not.

    Args:
        oracle: answers *no* about the lines.
        lines: positions of a clash's lines.

    Returns:
        Clauses such as ``dbt-common 1.15.0 is the oldest release that would not need isodate<0.7``. Only the
        next few releases are looked at.
    """
    kernel, argument = _argument(oracle, lines)
    if kernel is None or argument is None:
        return []
    asked = {oracle.lines[i].name for i in lines}
    found: list[str] = []
    for node in argument.ends:
        if isinstance(node, Needed) and node.asker not in asked:
            newer = range(node.releases.bit_length(), len(kernel.packages[node.asker].releases))[:_MOST_NEWER]
            if not oracle.load(kernel.target, node.asker, newer):
                return found
            found += _first_that_would_not(kernel, argument, node, newer)
    return found


def _first_that_would_not(kernel: Kernel, argument: Argument, node: Needed, releases: Iterable[int]) -> list[str]:
    """The first release of the asker that leaves something of what the other side admits."""
    package = kernel.packages[node.asker]
    for i in releases:
        loaded = kernel.loaded[node.asker][i]
        if isinstance(loaded.metadata, Unknown):
            return []
        if loaded.unusable is not None or not package.unlocked >> i & 1:
            continue
        mask = kernel.packages[node.name].everything
        for edge in kernel.edge(node.asker, i, node.extra):
            mask &= edge.mask if edge.name == node.name else mask
        if mask & argument.admitted_besides(node):
            said = _said(kernel, argument, node)
            return [f"{node.asker} {package.releases[i].version} is the oldest release that would not need {said}"]
    return []


def _said(kernel: Kernel, argument: Argument, node: Needed) -> str:
    package, others = kernel.packages[node.name], argument.admitted_besides(node)
    texts = [in_short(package, text, others) for text, _ in node.texts]
    return or_list(texts[:_MOST_TEXTS]) + (" or the like" if len(texts) > _MOST_TEXTS else "")


def _argument(oracle: Oracle, lines: Collection[int]) -> tuple[Kernel | None, Argument | None]:
    """The argument on the newest Python, with the kernel that it is about."""
    reply = oracle.ask(frozenset(lines))
    python = next(iter(oracle.targets))
    if not isinstance(reply, No) or python not in reply.failures:
        return None, None
    platform = reply.failures[python][0]
    target = next(target for target in oracle.targets[python] if target.platform == platform)
    kernel = oracle.kernel(target)
    return kernel, explain_lines(kernel, lines)
