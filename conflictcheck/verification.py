"""A second opinion on a whole run: what the report says is looked at again before anybody reads it.

Environments are walked edge by edge; clashes are put to an engine of its own, and their subsets are walked.
A disagreement is a mistake of ours, and ends the run; see `Disagreement`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conflictcheck.errors import InternalError
from conflictcheck.model import RequirementKind
from conflictcheck.solver.nogoods import BudgetSpentError
from conflictcheck.solver.oracle import No, Yes
from conflictcheck.solver.reading import Reading
from conflictcheck.solver.refutation import BUDGET, environment_of, find_environment
from conflictcheck.solver.walk import NoEnvironmentError, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.clashes import Core
    from conflictcheck.model import Requirement
    from conflictcheck.policy import Release
    from conflictcheck.settings import Policy
    from conflictcheck.solver.oracle import Oracle
    from conflictcheck.solver.store import FactStore
    from conflictcheck.targets import Target


class Disagreement(InternalError):  # noqa: N818 - the word for it
    """The second opinion differs."""


@dataclass(slots=True)
class SecondOpinion:
    """Looks again at what an oracle answered.

    Args:
        oracle: whose answers they are.
        lines: all lines of the run, without those that were only tried.
        store: where the facts came from.
        policy: which releases may be chosen.
        budget: steps of the engine for one clash on one target.
    """

    oracle: Oracle
    lines: Sequence[Requirement]
    store: FactStore
    policy: Policy
    budget: int = BUDGET
    _readings: dict[Target, Reading] = field(default_factory=dict)
    _confirmed: dict[frozenset[object], bool] = field(default_factory=dict)

    def check_environment(self, lines: Iterable[int], answer: Yes) -> None:
        """Walk an environment on each platform: all that is needed is there, and nothing else.

        Raises:
            Disagreement: it is no environment for the lines.
        """
        self._check(lines, answer, exactly=True)

    def confirm_clash(self, core: Core) -> bool:
        """See that a clash is impossible on every Python, and possible without any one of its lines if it says so.

        Returns:
            Whether that is known now; False if the engine was at it for too long.

        Raises:
            Disagreement: it is not so.
        """
        key = frozenset(_meaning(self.lines[i]) for i in core.lines)
        if key not in self._confirmed:
            self._confirmed[key] = self._is_impossible(core) and (not core.minimal or self._is_minimal(core))
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
                chosen = find_environment(self._reading(target), lines, self.budget)
                if chosen is not None:
                    raise Disagreement(
                        f"on Python {version} on {platform} the lines {_shown(lines)} are said to clash, and "
                        f"{environment_of(chosen)} satisfies them"
                    )
        except BudgetSpentError:
            return False
        return True

    def _is_minimal(self, core: Core) -> bool:
        for line in core.lines:
            rest = frozenset(core.lines) - {line}
            reply = self.oracle.ask(rest)
            if isinstance(reply, No):
                raise Disagreement(f"a clash is said to be minimal, and is one without {self.lines[line].text}")
            if not isinstance(reply, Yes):
                return False
            try:
                self._check(rest, reply)
            except Disagreement:
                # An earlier answer may be of a kernel that numbered the releases in another way.
                reply = self.oracle.resolve(rest)
                if not isinstance(reply, Yes):
                    raise
                self._check(rest, reply)
        return True

    def _check(self, lines: Iterable[int], answer: Yes, *, exactly: bool = False) -> None:
        asked = [self.lines[i] for i in sorted(lines)]
        for target in self.oracle.targets[answer.python_version]:
            packages = self.oracle.kernel(target).packages
            numbers = answer.solutions[target.platform].releases
            chosen: dict[NormalizedName, Release] = {
                name: packages[name].releases[i] for name, i in numbers.items() if i < len(packages[name].releases)
            }
            try:
                walked = walk(self._reading(target), asked, chosen)
            except NoEnvironmentError as error:
                raise Disagreement(f"{_shown(asked)} on {target}: {error}") from error
            if walked.unasked is not None:
                name, _, lock = walked.unasked
                raise Disagreement(f"{_shown(asked)} on {target}: nothing asks for {name}, a {lock}")
            if exactly and walked.reached != set(chosen):
                over = ", ".join(sorted(set(chosen) - walked.reached))
                raise Disagreement(f"{_shown(asked)} on {target}: nobody needs {over}")

    def _reading(self, target: Target) -> Reading:
        if target not in self._readings:
            packages = self.oracle.kernel(target).packages

            def selected(name: NormalizedName) -> Sequence[Release] | None:
                known = packages.get(name)
                return None if known is None else [release for release in known.releases if release.url is None]

            self._readings[target] = Reading(target, self.lines, self.store, self.policy, selected)
        return self._readings[target]


def _meaning(line: Requirement) -> tuple[object, ...]:
    return line.kind, line.name, str(line.specifier), line.extras, str(line.marker or ""), line.url, line.hashes


def _shown(lines: Sequence[Requirement]) -> str:
    return ", ".join(line.text if line.kind is not RequirementKind.PYTHON else line.text for line in lines)
