"""A second opinion on a whole run: what the report says is looked at again before anybody reads it.

Environments are walked edge by edge; clashes are put to an engine of its own, and their subsets are walked.
A disagreement is a mistake of ours, and ends the run; see `Disagreement`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.environments import chosen_releases
from conflictcheck.errors import Disagreement
from conflictcheck.model import Diagnostic, Severity
from conflictcheck.phrases import and_list
from conflictcheck.sameness import meaning
from conflictcheck.solver.nogoods import BudgetSpentError
from conflictcheck.solver.oracle import No, Yes
from conflictcheck.solver.refutation import BUDGET, environment_of, find_environment
from conflictcheck.solver.walk import NoEnvironmentError, walk

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from conflictcheck.clashes import Core
    from conflictcheck.model import Requirement
    from conflictcheck.solver.oracle import Oracle, Reply


class Question(Struct, frozen=True):
    """What an oracle said of a clash, and of its lines without each one of them.

    Attributes:
        cores: the clash, of each of the specs that have it.
        reply: what it said of the lines of the first.
        without: the same without each one of them.
    """

    cores: tuple[Core, ...]
    reply: Reply
    without: Mapping[int, Reply]


class SecondOpinion(Struct, frozen=True):
    """Looks again at what an oracle answered.

    Args:
        oracle: whose answers they are.
        lines: all lines of the run, without those that were only tried.
        budget: steps of the engine for one clash on one target.
    """

    oracle: Oracle
    lines: Sequence[Requirement]
    budget: int = BUDGET

    def check_environment(self, lines: Iterable[int], answer: Yes) -> None:
        """Walk an environment on each platform: all that is needed is there, and nothing else.

        Raises:
            Disagreement: it is no environment for the lines.
        """
        self._check(lines, answer, exactly=True)

    def questions(self, cores: Iterable[Core]) -> list[Question]:
        """What is to be looked at of clashes, for `is_confirmed`: those that say the same make one question."""
        alike: dict[frozenset[Hashable], list[Core]] = defaultdict(list)
        for core in cores:
            alike[frozenset(meaning(self.lines[i]) for i in core.lines)].append(core)
        return [self._question(some) for some in alike.values()]

    def _question(self, cores: Sequence[Core]) -> Question:
        lines = frozenset(cores[0].lines)
        without = {line: self.oracle.ask(lines - {line}) for line in cores[0].lines} if cores[0].minimal else {}
        return Question(tuple(cores), self.oracle.ask(lines), without)

    def is_confirmed(self, question: Question) -> bool:
        """See that a clash is impossible on every Python, and possible without any one of its lines if it says so.

        Returns:
            Whether it is; False where that took the engine too long, or where an environment has releases of packages
            of which the kernel takes for granted that nothing asks for their locked ones, as the report says.

        Raises:
            Disagreement: it is no clash, or holds more lines than it takes.
        """
        core = question.cores[0]
        confirmed = self._is_impossible(core, question.reply)
        for line, reply in question.without.items():
            self._check_without(core, line, reply)
        return confirmed

    def say_not_confirmed(self, question: Question) -> list[Diagnostic]:
        """A warning for each clash that the kernel alone vouches for."""
        assumed = sorted(question.reply.assumed) if isinstance(question.reply, No) else ()
        return [self._not_confirmed(core, assumed) for core in question.cores]

    def _not_confirmed(self, core: Core, assumed: Sequence[str]) -> Diagnostic:
        line = self.lines[core.lines[0]]
        gave_up = f"gave up on it after {self.budget:,} steps"
        why = f"the second engine {gave_up}"
        if assumed:
            why = (
                f"it rests on what is taken for granted of {and_list(assumed)}, and the second engine found releases "
                f"that do otherwise, or {gave_up}"
            )
        message = f"the clash of {and_list(core.specs)} is not confirmed, as {why}"
        return Diagnostic(Severity.WARNING, "clash-not-confirmed", message, line.file, line.line)

    def _is_impossible(self, core: Core, reply: Reply) -> bool:
        if not isinstance(reply, No):
            raise Disagreement("a clash was reported that the oracle does not see")
        lines = [self.lines[i] for i in core.lines]
        try:
            for version, targets in self.oracle.targets.items():
                platform = reply.failures[version][0]
                target = next(target for target in targets if target.platform == platform)
                chosen = find_environment(self.oracle.reading(target), lines, self.budget)
                if chosen is not None and not reply.assumed.isdisjoint(chosen):
                    return False
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


def _shown(lines: Iterable[Requirement]) -> str:
    return and_list([f"{line.spec}: {line.text}" for line in lines])
