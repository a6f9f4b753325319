"""The one question that clashes, splits and fixes are made of: can these lines share an environment?

Several Python versions: one that works is enough, the newest is preferred. Several platforms: it must work on all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.solver.answers import Conflict, Solution
from conflictcheck.solver.at_once import MOST_REFINED
from conflictcheck.solver.completion import MOST_RELEASES
from conflictcheck.solver.kernel import Kernel, NewDirectReference
from conflictcheck.solver.reading import Reading
from conflictcheck.solver.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.model import Requirement
    from conflictcheck.settings import Policy
    from conflictcheck.solver.answers import Answer, Opened
    from conflictcheck.solver.store import FactStore
    from conflictcheck.targets import Target


STEPS_FOR_AN_EDIT = 1_000
"""Solver calls for one question about an edit, after which it counts as undecided; most take fewer than fifty."""


class Yes(Struct, frozen=True):
    """The lines can share an environment.

    Attributes:
        python_version: the newest Python that works.
        solutions: what would be installed, by platform.
    """

    python_version: str
    solutions: Mapping[str, Solution]

    @property
    def opened(self) -> frozenset[Opened]:
        """The locked releases in it; see `Solution.opened`."""
        return frozenset(opened for solution in self.solutions.values() for opened in solution.opened)

    def holds_for(self, lines: frozenset[int]) -> bool:
        """Whether what some of the lines need of it is an answer for these, and they allow it."""
        return all(opened.stays(lines) for opened in self.opened)


class No(Struct, frozen=True):
    """They cannot, on any of the Python versions.

    Attributes:
        lines: some of the lines that already cannot; not minimal.
        absent: lines that were not asked, without which this holds; empty for almost every clash.
        failures: for each Python version, the platform on which it fails and the lines that fail there.
        leans: whether more lines may allow it; see `Conflict.leans`.
        lifted_by: where it leans, the lines any of which may allow it.
        assumed: packages of which it takes for granted that nothing else asks for their locked releases.
    """

    lines: frozenset[int]
    absent: frozenset[int]
    failures: Mapping[str, tuple[str, frozenset[int]]]
    leans: bool = False
    lifted_by: frozenset[int] = frozenset()
    assumed: frozenset[NormalizedName] = frozenset()


class Maybe(Struct, frozen=True):
    """Not known: a fact is missing or the budget is spent."""

    reason: str


Reply = Yes | No | Maybe


class _KnownNo(Struct, frozen=True):
    """A *no* that was found out: one for more lines as well.

    Attributes:
        lines: what was asked, as bits.
        lifting: lines with which it need not be one, as bits.
        reply: the *no*.
        opened: what was asked for of the packages of which it is taken for granted that nothing does.
    """

    lines: int
    lifting: int
    reply: No
    opened: list[int]


class Oracle:
    """Kernels of all targets, and what they answered so far.

    Args:
        lines: every requirement line of the run.
        targets: for each Python version, newest first, a target per platform.
        store: where facts come from.
        policy: which releases may be chosen.

    Attributes:
        restarts: how often the releases of a package were numbered anew; what speaks of numbers is void then.
    """

    def __init__(
        self,
        lines: Sequence[Requirement],
        targets: Mapping[str, Sequence[Target]],
        store: FactStore,
        policy: Policy,
    ) -> None:
        self.lines = list(lines)
        self.targets = targets
        self._store = store
        self._policy = policy
        self._kernels: dict[Target, Kernel] = {}
        self._urls: dict[Target, dict[NormalizedName, set[str]]] = {}
        self._known: dict[frozenset[int], Reply] = {}
        self._resolved: dict[frozenset[int], Reply] = {}
        # What was found out and not drawn from other answers, by the lines as bits: there are many subsets to be told.
        self._yeses: list[tuple[int, Yes]] = []
        self._nos: list[_KnownNo] = []
        self._wishes: dict[Target, dict[NormalizedName, int]] = {}
        self._readings: dict[Target, tuple[Kernel, Reading]] = {}
        self._steps: int | None = None
        self.asked = 0
        self.restarts = 0
        self.asked_lines = 0
        self.assumed: frozenset[NormalizedName] = frozenset()

    def add_line(self, line: Requirement) -> int:
        """Add a line that was not there from the start, such as an edit to be tried; see `Kernel.add_line`.

        Returns:
            Its position.
        """
        self.lines.append(line)
        for kernel in self._kernels.values():
            kernel.add_line(line)
        return len(self.lines) - 1

    @property
    def calls(self) -> int:
        """How often a solver was called."""
        return sum(kernel.calls for kernel in self._kernels.values())

    def kernel(self, target: Target) -> Kernel:
        """The kernel of a target, made when first needed."""
        while target not in self._kernels:
            urls = self._urls.setdefault(target, {})
            try:
                self._kernels[target] = Kernel(target, self.lines, self._store, self._policy, urls)
            except NewDirectReference:
                continue
        return self._kernels[target]

    def reading(self, target: Target) -> Reading:
        """What is asked for and what there is on a target, apart from its kernel's clauses."""
        kernel = self.kernel(target)
        known = self._readings.get(target)
        if known is None or known[0] is not kernel:
            known = self._readings[target] = kernel, Reading(target, self.lines, self._store, self._policy)
        return known[1]

    def load(self, target: Target, name: NormalizedName, releases: Sequence[int]) -> bool:
        """Make known what some releases need, whether or not a search came by them.

        Args:
            target: whose kernel is to know.
            name: the package.
            releases: their numbers.

        Returns:
            Whether it is known now; not where the package's releases had to be numbered anew.
        """
        kernel = self.kernel(target)
        try:
            kernel.load((name, i) for i in releases)
        except NewDirectReference:
            self._drop(target)
            return False
        return True

    def nameless(self, lines: Iterable[int]) -> Requirement | None:
        """The first of the lines that asks for a package on some target and does not tell which; it may be any."""
        for i in sorted(i for i in lines if self.lines[i].name == self.lines[i].url):
            if any(self.kernel(target).line_edges[i] for targets in self.targets.values() for target in targets):
                return self.lines[i]
        return None

    def enablers(self) -> frozenset[int]:
        """Lines that ask for pre-releases, yanked releases or direct references: more lines may allow more."""
        return frozenset().union(*(kernel.enablers for kernel in self._kernels.values()))

    def assume_locked(self) -> None:
        """From here on, take a *no* that rests on locked releases as it is, and give a question up early.

        An edit that is missed because of that costs less than reading a hundred releases for each that is tried, or
        minutes for one.
        """
        for kernel in self._kernels.values():
            kernel.loaded_to_be_sure = MOST_RELEASES
            kernel.known.forget_demands()
        self._steps = STEPS_FOR_AN_EDIT

    def ask(self, lines: frozenset[int], *, quick: bool = True) -> Reply:
        """Whether the lines can share an environment; earlier solutions are tried first.

        Args:
            lines: positions; constraints and overrides count only if they are among them.
            quick: whether any solution will do; otherwise it is near the newest first.
        """
        known = self._known.get(lines)
        if known is None:
            known = self._known[lines] = self._implied(lines) or self._remember(
                lines, self._evaluate(lines, self._wishes.get, quick=quick)
            )
        return known

    def resolve(self, lines: frozenset[int]) -> Reply:
        """As `ask`, with exactly the releases that newest-first gives, whatever was asked before."""
        known = self._resolved.get(lines)
        if known is None:
            known = self._resolved[lines] = self._evaluate(lines, lambda _: None, quick=False)
        return known

    def _implied(self, lines: frozenset[int]) -> Reply | None:
        """What larger *yes* and smaller *no* answers say, the latest first."""
        asked = _bits(lines)
        for no in reversed(self._nos):
            is_more = no.lines & asked == no.lines and not asked & no.lifting and not no.reply.absent & lines
            if is_more and no.opened == self._opened(no.reply.assumed):
                return no.reply
        for known, yes in reversed(self._yeses):
            if known & asked == asked and yes.holds_for(lines):
                return yes
        return None

    def _remember(self, lines: frozenset[int], reply: Reply) -> Reply:
        if isinstance(reply, Yes):
            self._yeses.append((_bits(lines), reply))
        elif isinstance(reply, No):
            # A line that is added later was not thought of.
            lifting = _bits(reply.lifted_by) | -1 << len(self.lines) if reply.leans else 0
            self._nos.append(_KnownNo(_bits(lines), lifting, reply, self._opened(reply.assumed)))
        return reply

    def _opened(self, names: frozenset[NormalizedName]) -> list[int]:
        """The locked releases of packages that something loaded asks for."""
        return [kernel.opened_by_releases.get(name, 0) for kernel in self._kernels.values() for name in sorted(names)]

    def _evaluate(
        self, lines: frozenset[int], wishes: Callable[[Target], Mapping[NormalizedName, int] | None], *, quick: bool
    ) -> Reply:
        self.asked += 1
        self.asked_lines += len(lines)
        failures: dict[str, tuple[str, frozenset[int]]] = {}
        absent: frozenset[int] = frozenset()
        leans = False
        lifted_by: frozenset[int] = frozenset()
        assumed: frozenset[NormalizedName] = frozenset()
        doubt: str | None = None
        for python_version, targets in self.targets.items():
            solutions: dict[str, Solution] = {}
            for target in targets:
                answer = self._search(target, lines, wishes(target), quick=quick)
                if isinstance(answer, Solution):
                    solutions[target.platform] = answer
                    if not quick:
                        self._wishes.setdefault(target, {}).update(answer.releases)
                    continue
                if isinstance(answer, Conflict):
                    failures[python_version] = (target.platform, answer.lines)
                    absent |= answer.absent
                    leans |= answer.leans
                    lifted_by |= answer.lifted_by
                    assumed |= answer.assumed
                    self.assumed |= answer.assumed
                    break
                doubt = doubt or answer.reason
            if len(solutions) == len(targets):
                return Yes(python_version, solutions)
        if doubt is not None and len(failures) < len(self.targets):
            return Maybe(doubt)
        return No(
            frozenset().union(*(blamed for _, blamed in failures.values())), absent, failures, leans, lifted_by, assumed
        )

    def _search(
        self, target: Target, lines: frozenset[int], wishes: Mapping[NormalizedName, int] | None, *, quick: bool
    ) -> Answer:
        while True:
            kernel = self.kernel(target)
            try:
                limit = None if self._steps is None else kernel.calls + self._steps
                # The releases that may be read for edits are few, and each is to serve the newest first.
                refined = MOST_REFINED if self._steps is None else 0
                return Search(kernel, lines, wishes, quick=quick, limit=limit, refined=refined).run()
            except NewDirectReference:
                # Start over, with all facts at hand.
                self._drop(target)

    def _drop(self, target: Target) -> None:
        """Forget a kernel, as a package turned out to have one more release, and what speaks of releases by number."""
        self.restarts += 1
        self._kernels.pop(target).close()
        self._wishes.pop(target, None)
        self._known = {lines: reply for lines, reply in self._known.items() if not isinstance(reply, Yes)}
        self._yeses.clear()
        self._resolved.clear()


def _bits(lines: frozenset[int]) -> int:
    """Positions as bits: whether one set holds another one is told in no time then."""
    found = bytearray(max(lines, default=0) // 8 + 1)
    for i in lines:
        found[i >> 3] |= 1 << (i & 7)
    return int.from_bytes(found, "little")
