"""Yes or no without deciding about any package: what only that matters for is answered at once, where it can be."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from conflictcheck.lazy import Deferred
from conflictcheck.solver.answers import Solution
from conflictcheck.solver.askers import asked_in, opened_in
from conflictcheck.solver.encoding import bits
from conflictcheck.solver.needs import collect_needs, offered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.solver.answers import Opened
    from conflictcheck.solver.encoding import Assignment
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.solver.needs import Needs

MOST_REFINED = 200
"""Releases that are loaded for an answer that takes no deciding, before packages are decided about one by one."""


def answer_at_once(
    kernel: Kernel, lines: Sequence[int], base: Sequence[int], *, refined: int, limit: int
) -> Solution | list[int] | None:
    """A solution of releases that are loaded, not the newest, or a core; None where it takes deciding to tell.

    While there is none, the core says which packages' other releases matter. The solver is asked again with these,
    and what it then takes of them is loaded, twice as many of a package each time: a refinement of what is known
    by what was missed (Clarke et al., "Counterexample-guided abstraction refinement", 2000).

    Args:
        kernel: the target's kernel.
        lines: positions of the lines.
        base: literals that hold: the lines' selectors, and what else the question assumes.
        refined: how many releases may be loaded.
        limit: the number of solver calls of the kernel at which to give up.
    """
    before: dict[NormalizedName, int] = {}
    left = refined
    while kernel.calls < limit:
        blocks = dict.fromkeys(kernel.known.only_known())
        if kernel.solve([*base, *blocks]):
            return _known_solution(kernel, lines)
        core = kernel.core()
        if not any(literal in blocks for literal in core) or not kernel.solve(base):
            return kernel.core()
        free = _let_in(kernel, base, blocks, core) if left > 0 else []
        if free is None:
            return kernel.core()
        chosen, _ = kernel.model()
        new = []
        for name in free:
            i = chosen.get(name)
            if i is not None and i not in kernel.loaded[name]:
                older = bits(kernel.packages[name].everything & ~kernel.packages[name].loaded & ((2 << i) - 1))
                before[name] = 2 * before.get(name, 0) or 1
                new += [(name, each) for each in older[: before[name]]]
        if not new:
            return None
        left -= len(new)
        kernel.load(new)
    return None


def _let_in(
    kernel: Kernel, base: Sequence[int], blocks: dict[int, None], core: Sequence[int]
) -> list[NormalizedName] | None:
    """Let in releases that are not loaded, of few packages, until there is a model.

    Args:
        kernel: the target's kernel.
        base: literals that hold.
        blocks: keep such releases out; those in the way are taken out.
        core: why there is no model with these.

    Returns:
        The packages; None if there is no model even so.
    """
    free: list[NormalizedName] = []
    bars: dict[NormalizedName, int] = {}
    while True:
        hit = [block for block in blocks if block in core]
        needed = [name for name, bar in bars.items() if bar in core]
        if not hit and not needed:
            return None
        for block in hit:
            del blocks[block]
        for name in needed:
            del bars[name]
        bars |= kernel.known.bars_within(hit)
        free += needed
        if kernel.solve([*base, *blocks, *bars.values()]):
            return free
        core = kernel.core()


def _known_solution(kernel: Kernel, lines: Sequence[int]) -> Solution | None:
    """The model as a solution; None where a locked release is justified in it by one that is not founded."""
    true = kernel.assignment()
    opened = opened_in(kernel, lines, true, sorted(set(kernel.locked_in(true))))
    if opened is not None:
        return _to_be_read(kernel, lines, true, opened)
    chosen, _ = kernel.model()
    needs = collect_needs(kernel, lines, chosen)
    if not all(name in chosen and offered(kernel, needs, name) >> chosen[name] & 1 for name in needs.domains):
        return None
    asked = asked_in(kernel, lines, chosen, needs)
    return None if asked.unfounded else solution_of(chosen, needs, asked.opened)


def _to_be_read(kernel: Kernel, lines: Sequence[int], true: Assignment, opened: tuple[Opened, ...]) -> Solution:
    """A model whose locked releases are asked for is a solution: what is needed of it is looked at where it matters."""

    @cache
    def read() -> Solution:
        chosen = {
            name: kernel.release_in(true, name)
            for name, package in kernel.packages.items()
            if package.steps.installed in true
        }
        return solution_of(chosen, collect_needs(kernel, lines, chosen), opened)

    return Solution(Deferred(lambda: read().releases), Deferred(lambda: read().extras), opened)


def solution_of(chosen: Mapping[NormalizedName, int], needs: Needs, opened: tuple[Opened, ...]) -> Solution:
    """What of the chosen releases is needed, as a solution.

    Args:
        chosen: a release of each needed package.
        needs: what the lines need with these.
        opened: the locked releases among them.
    """
    return Solution(
        {name: chosen[name] for name in needs.domains},
        {name: frozenset(needs.extras[name] - {""}) for name in needs.domains},
        opened,
    )
