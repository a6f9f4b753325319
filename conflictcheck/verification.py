"""A second opinion on a whole run: what the report says is looked at again before anybody reads it.

Environments are walked edge by edge; clashes are put to an engine of its own, and their subsets are walked.
A disagreement is a mistake of ours, and ends the run; see `Disagreement`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conflictcheck.environments import chosen_releases
from conflictcheck.errors import Disagreement
from conflictcheck.model import Diagnostic, Severity
from conflictcheck.phrases import and_list
from conflictcheck.solver.nogoods import BudgetSpentError
from conflictcheck.solver.oracle import No, Yes
from conflictcheck.solver.refutation import BUDGET, environment_of, find_environment
from conflictcheck.solver.walk import NoEnvironmentError, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflictcheck.clashes import Core
    from conflictcheck.model import Requirement
    from conflictcheck.solver.oracle import Oracle


@dataclass(slots=True)
class SecondOpinion:
    """Looks again at what an oracle answered.

    Args:
        oracle: whose answers they are.
        lines: all lines of the run, without those that were only tried.
        budget: steps of the engine for one clash on one target.
    """

    oracle: Oracle
    lines: Sequence[Requirement]
    budget: int = BUDGET
    _confirmed: dict[frozenset[object], bool] = field(default_factory=dict)

    def check_environment(self, lines: Iterable[int], answer: Yes) -> None:
        """Walk an environment on each platform: all that is needed is there, and nothing else.

        Raises:
            Disagreement: it is no environment for the lines.
        """
        self._check(lines, answer, exactly=True)

    def confirm_clashes(self, cores: Iterable[Core]) -> list[Diagnostic]:
        """See that each clash is impossible on every Python, and possible without any one of its lines if it says so.

        Returns:
            A warning for each that took the engine too long, so that the kernel alone vouches for it.

        Raises:
            Disagreement: one is no clash, or holds more lines than it takes.
        """
        return [
            Diagnostic(
                Severity.WARNING,
                "clash-not-confirmed",
                f"the clash of {and_list(core.specs)} is not confirmed, as the second engine gave up on it after "
                f"{self.budget:,} steps",
                self.lines[core.lines[0]].file,
                self.lines[core.lines[0]].line,
            )
            for core in cores
            if not self._is_confirmed(core)
        ]

    def _is_confirmed(self, core: Core) -> bool:
        # The same lines clash in many specs.
        key = frozenset(_meaning(self.lines[i]) for i in core.lines)
        if key not in self._confirmed:
            self._confirmed[key] = self._is_impossible(core)
            if core.minimal:
                self._check_subsets(core)
        return self._confirmed[key]

    def _is_impossible(self, core: Core) -> bool:
        reply = self.oracle.ask(frozenset(core.lines))
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

    def _check_subsets(self, core: Core) -> None:
        """See that the lines can be satisfied without any one of them.

        That is enough for all subsets: what satisfies lines satisfies fewer of them, unless one that is left out asked
        for a locked release; and such a line is one of a clash because of what it asks for, as its own absence shows.
        """
        for line in core.lines:
            rest = frozenset(core.lines) - {line}
            reply = self.oracle.ask(rest)
            if isinstance(reply, Yes):
                try:
                    self._check(rest, reply)
                    continue
                except Disagreement:
                    # An earlier answer may be of a kernel that numbered the releases in another way.
                    reply = self.oracle.resolve(rest)
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
