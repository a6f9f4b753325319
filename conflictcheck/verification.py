"""A second opinion on a whole run: what the report says is looked at again before anybody reads it.

Environments are walked edge by edge; clashes are put to an engine of its own, and their subsets are walked.
A disagreement is a mistake of ours, and ends the run; see `Disagreement`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.environments import chosen_releases
from conflictcheck.errors import Disagreement
from conflictcheck.model import Diagnostic, Severity
from conflictcheck.phrases import and_list
from conflictcheck.side_by_side import begin_in_processes, jobs_for
from conflictcheck.solver.nogoods import BudgetSpentError
from conflictcheck.solver.oracle import No, Yes
from conflictcheck.solver.refutation import BUDGET, environment_of, find_environment
from conflictcheck.solver.walk import NoEnvironmentError, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conflictcheck.clashes import Core
    from conflictcheck.model import Requirement
    from conflictcheck.solver.oracle import Oracle, Reply


_MANY_CLASHES = 8
"""So many are worth a process."""


class _Said(Struct, frozen=True):
    """What an oracle said of a clash, and of its lines without each one of them."""

    core: Core
    reply: Reply
    without: Mapping[int, Reply]


class SecondOpinion(Struct, frozen=True):
    """Looks again at what an oracle answered.

    Args:
        oracle: whose answers they are.
        lines: all lines of the run, without those that were only tried.
        budget: steps of the engine for one clash on one target.
        jobs: how many processes may look at clashes; see `jobs_for`.
    """

    oracle: Oracle
    lines: Sequence[Requirement]
    budget: int = BUDGET
    jobs: int | None = None

    def check_environment(self, lines: Iterable[int], answer: Yes) -> None:
        """Walk an environment on each platform: all that is needed is there, and nothing else.

        Raises:
            Disagreement: it is no environment for the lines.
        """
        self._check(lines, answer, exactly=True)

    def confirm_clashes(self, cores: Iterable[Core]) -> Callable[[], list[Diagnostic]]:
        """See that each clash is impossible on every Python, and possible without any one of its lines if it says so.

        Other processes do that, if there may be some, while the caller goes on.

        Returns:
            What gives a warning for each that took the engine too long, so that the kernel alone vouches for it. It
            raises a Disagreement if one is no clash, or holds more lines than it takes.
        """
        every = list(cores)
        # The same lines clash in many specs.
        distinct: dict[frozenset[object], Core] = {}
        for core in every:
            distinct.setdefault(self._key(core), core)
        # What the oracle says is asked for here, in one order; looking at it again changes nothing.
        said = [self._said_of(core) for core in distinct.values()]
        jobs = jobs_for(self.jobs, worth_it=len(said) >= _MANY_CLASHES)
        confirmed = begin_in_processes(self._is_confirmed, said, jobs)

        def warnings() -> list[Diagnostic]:
            is_confirmed = dict(zip(distinct, confirmed(), strict=True))
            return [self._not_confirmed(core) for core in every if not is_confirmed[self._key(core)]]

        return warnings

    def _not_confirmed(self, core: Core) -> Diagnostic:
        line = self.lines[core.lines[0]]
        message = (
            f"the clash of {and_list(core.specs)} is not confirmed, as the second engine gave up on it after "
            f"{self.budget:,} steps"
        )
        return Diagnostic(Severity.WARNING, "clash-not-confirmed", message, line.file, line.line)

    def _key(self, core: Core) -> frozenset[object]:
        return frozenset(_meaning(self.lines[i]) for i in core.lines)

    def _said_of(self, core: Core) -> _Said:
        lines = frozenset(core.lines)
        without = {line: self.oracle.ask(lines - {line}) for line in core.lines} if core.minimal else {}
        return _Said(core, self.oracle.ask(lines), without)

    def _is_confirmed(self, said: _Said) -> bool:
        confirmed = self._is_impossible(said.core, said.reply)
        for line, reply in said.without.items():
            self._check_without(said.core, line, reply)
        return confirmed

    def _is_impossible(self, core: Core, reply: Reply) -> bool:
        if not isinstance(reply, No):
            raise Disagreement("a clash was reported that the oracle does not see")
        lines = [self.lines[i] for i in core.lines]
        try:
            for version, targets in self.oracle.targets.items():
                platform = reply.failures[version][0]
                target = next(target for target in targets if target.platform == platform)
                chosen = find_environment(self.oracle.reading(target), lines, self.budget)
                if chosen is not None:
                    raise Disagreement(
                        f"on Python {version} on {platform} {_shown(lines)} {'is' if len(lines) == 1 else 'are'} said "
                        f"to clash, and {environment_of(chosen)} satisfies {'it' if len(lines) == 1 else 'them'}"
                    )
        except BudgetSpentError:
            return False
        return True

    def _check_without(self, core: Core, line: int, reply: Reply) -> None:
        """See that the lines of a clash can be satisfied without one of them.

        For each of them, that is enough for all subsets: what satisfies lines satisfies fewer of them, unless one that
        is left out asked for a locked release; and such a line is one of a clash because of what it asks for, as its
        own absence shows.
        """
        rest = frozenset(core.lines) - {line}
        if isinstance(reply, Yes):
            try:
                self._check(rest, reply)
            except Disagreement:
                # An earlier answer may be of a kernel that numbered the releases in another way.
                reply = self.oracle.resolve(rest)
            else:
                return
        if not isinstance(reply, Yes):
            raise Disagreement(f"{self.lines[line].text} is said to be needed for a clash, and is not")
        self._check(rest, reply)

    def _check(self, lines: Iterable[int], answer: Yes, *, exactly: bool = False) -> None:
        asked = [self.lines[i] for i in sorted(lines)]
        for target in self.oracle.targets[answer.python_version]:
            chosen = chosen_releases(self.oracle, target, answer.solutions[target.platform])
            where = f"{_shown(asked)} on Python {target.python_version} on {target.platform}"
            try:
                walked = walk(self.oracle.reading(target), asked, chosen)
            except NoEnvironmentError as error:
                raise Disagreement(f"{where}: {error}") from error
            if walked.unasked is not None:
                name, _, lock = walked.unasked
                raise Disagreement(
                    f"{where}: nothing asks for {name} {chosen[name].url or chosen[name].version}, which is a {lock}"
                )
            if exactly and walked.reached != set(chosen):
                raise Disagreement(f"{where}: nobody needs {and_list(sorted(set(chosen) - walked.reached))}")


def _meaning(line: Requirement) -> tuple[object, ...]:
    return line.kind, line.name, str(line.specifier), line.extras, str(line.marker or ""), line.url, line.hashes


def _shown(lines: Iterable[Requirement]) -> str:
    return and_list([f"{line.spec}: {line.text}" for line in lines])
