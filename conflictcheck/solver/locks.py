"""The locks of a kernel: releases that may be chosen only where something asks for them, as clauses."""

from __future__ import annotations

from functools import partial, reduce
from itertools import pairwise
from operator import and_
from typing import TYPE_CHECKING

from conflictcheck.solver.blocks import Blocks
from conflictcheck.solver.encoding import JOINTLY_OPENED, Lock, LockKind, bits, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.model import Requirement
    from conflictcheck.settings import Policy
    from conflictcheck.solver.effective import EffectiveRequirements
    from conflictcheck.solver.encoding import Clause, Package


class Locks:
    """What is locked in the packages of a kernel, and who asks for it.

    Args:
        policy: which pre-releases are locked.
        effective: what the lines ask for.
        lines: the kernel's requirement lines.
        selectors: the variable of each.
        new_variable: makes a variable.
        add: takes clauses.

    Attributes:
        keys: the variables "something that is not loaded asks for locked releases", and of which package.
        closed: the literals that, assumed, keep the locks closed to what is not loaded.
        askings: for each lock the variable "something asks for it", its package and its releases, as bits.
        enablers: the lines that ask for locked releases, alone or with others.
        openings: how often what was loaded or added asked for locked releases.
        opened_by_releases: the locked releases of each package that what was loaded or added asks for, as bits.
    """

    def __init__(
        self,
        policy: Policy,
        effective: EffectiveRequirements,
        lines: Sequence[Requirement],
        selectors: Sequence[int],
        *,
        new_variable: Callable[[], int],
        add: Callable[[Iterable[Clause]], None],
    ) -> None:
        self._policy = policy
        self._effective = effective
        self._lines = lines
        self._selectors = selectors
        self._new_variable = new_variable
        self._add_clauses = add
        self.keys: dict[int, NormalizedName] = {}
        self.closed: Blocks[int] = Blocks(new_variable, add)
        self.askings: list[tuple[int, NormalizedName, int]] = []
        self.enablers: frozenset[int] = frozenset()
        self.openings = 0
        self.opened_by_releases: dict[NormalizedName, int] = {}

    def lock(self, package: Package, lines: Sequence[int]) -> None:
        """Lock what is to be locked of a package.

        Args:
            package: one without locks.
            lines: the lines that are about it.
        """
        candidates = package.candidates
        pre, early = candidates.prereleases, candidates.early
        finals = package.everything & ~pre & ~candidates.direct & ~candidates.yanked
        if pre and finals and self._policy.prerelease == "if-necessary-or-explicit":
            self._add_lock(package, lines, LockKind.PRERELEASE, pre, finals)
        if early and finals & ~early:
            self._add_lock(package, lines, LockKind.PREDATES_PYTHON, early, finals & ~early)
        standing = package.everything & ~candidates.direct & ~candidates.yanked
        for i in sorted(bits(candidates.yanked)):
            self._add_lock(package, lines, LockKind.YANKED, 1 << i, standing)
        for i in sorted(bits(candidates.direct)):
            self._add_lock(package, lines, LockKind.DIRECT, 1 << i, 0)
        if package.locks:
            package.steps.on_split = partial(self._guard_parts, package)
            self._guard(package, 0, len(package.releases))

    def _add_lock(self, package: Package, lines: Sequence[int], kind: LockKind, mask: int, others: int) -> None:
        lock = Lock(kind, mask, others)
        lock.lines = tuple(i for i in lines if self._asks_for(i, package, lock))
        lock.jointly = self._joint_askers(lock, package, lines)
        package.lock(lock)
        self.enablers |= frozenset(lock.lines).union(*lock.jointly)

    # Locked releases that are alike to one that nobody has to ask for need no clause: that one does in their place.

    def _guard_parts(self, package: Package, low: int, middle: int, high: int | None) -> None:
        """Guard what a new variable told apart, where the whole needed no guard."""
        end = len(package.releases) if high is None else high
        if package.unlocked & _between(low, end):
            self._guard(package, low, middle)
            self._guard(package, middle, end)

    def _guard(self, package: Package, low: int, high: int) -> None:
        """Let releases low..high-1, which are alike, be installed only if something asks, where all are locked."""
        every = _between(low, high)
        if package.unlocked & every:
            return
        # Those that are locked for different reasons are told apart first.
        ends = {end for lock in package.locks for run in runs(lock.mask & every) for end in (run[0], run[1] + 1)}
        places = sorted(ends | {low, high})
        for place in places[1:-1]:
            package.steps.at(place)
        for start, end in pairwise(places):
            for lock in package.locks:
                if lock.mask >> start & 1:
                    self._add_clauses([[*package.unless_run(start, end - 1), self._asked(package, lock)]])

    def _asked(self, package: Package, lock: Lock) -> int:
        """The variable "something asks for what is locked": a line, several together, or a release."""
        if not lock.asked:
            lock.asked, lock.key = self._new_variable(), self._new_variable()
            self._close(lock, package.candidates.name)
            self.askings.append((lock.asked, package.candidates.name, lock.mask))
            lock.together = [self._ask_together(some, lock.others) for some in lock.jointly]
            self._add_clauses([[-lock.asked, lock.key, *(self._selectors[i] for i in lock.lines), *lock.together]])
        return lock.asked

    def _asks_for(self, i: int, package: Package, lock: Lock) -> bool:
        line = self._effective.line(self._lines[i])
        return lock.asked_by(line.specifier, package.line_mask(line), line.url, line=True)

    def _joint_askers(self, lock: Lock, package: Package, lines: Sequence[int]) -> list[dict[int, int]]:
        """Lines that admit a locked release, and none of the others together although each does: with their masks."""
        if lock.kind not in JOINTLY_OPENED:
            return []
        others = [i for i in lines if i not in lock.lines]
        masks = {i: package.line_mask(self._effective.line(self._lines[i])) for i in others}
        found: dict[frozenset[int], dict[int, int]] = {}
        for release in bits(lock.mask):
            admitting = {i: mask for i, mask in masks.items() if mask >> release & 1}
            left = reduce(and_, admitting.values(), lock.others)
            if len(admitting) > 1 and not left:
                found.setdefault(frozenset(admitting), admitting)
        return list(found.values())

    def _ask_together(self, lines: Mapping[int, int], others: int) -> int:
        """A variable that implies that those of the lines that hold leave none of the other releases."""
        together = self._new_variable()
        excluding = {frozenset(i for i, mask in lines.items() if not mask >> k & 1) for k in bits(others)}
        self._add_clauses(
            [-together, *(self._selectors[i] for i in sorted(some))] for some in sorted(excluding, key=sorted)
        )
        return together

    def open(self, package: Package, opens: int, because: Sequence[int]) -> None:
        """Something loaded asks for locked releases: the key of each lock gives way to "this, or a new key".

        Args:
            package: the package.
            opens: the locked releases, as bits.
            because: the literals that hold where it asks.
        """
        name = package.candidates.name
        self.openings += 1
        self.opened_by_releases[name] = self.opened_by_releases.get(name, 0) | opens
        asking = self._new_variable()
        self._add_clauses([-asking, literal] for literal in because)
        for lock in package.locks:
            if lock.mask & opens:
                self._asked(package, lock)
                del self.keys[lock.key]
                self.closed.drop(lock.key)
                old, lock.key = lock.key, self._new_variable()
                self._add_clauses([[-old, asking, lock.key]])
                self._close(lock, name)

    def open_by_line(self, package: Package, opens: int, i: int) -> None:
        """A line that was added after the locks asks for locked releases; see `open`."""
        self.open(package, opens, [self._selectors[i]])
        self.enablers |= {i}

    def _close(self, lock: Lock, name: NormalizedName) -> None:
        self.keys[lock.key] = name
        self.closed.put(lock.key, -lock.key)


def _between(low: int, high: int) -> int:
    """The releases low..high-1, as bits."""
    return (1 << high) - (1 << low)
