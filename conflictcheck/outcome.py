"""What a split comes to: environments built and checked, and clashes confirmed, beside what the caller does next."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from conflictcheck.environments import build_environment
from conflictcheck.side_by_side import begin_in_processes, jobs_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflictcheck.model import Diagnostic, Environment, SpecId
    from conflictcheck.solver.oracle import Oracle, Yes
    from conflictcheck.verification import Question, SecondOpinion

_MANY_PACKAGES = 300
"""So many in all environments together are worth a further process."""
_MANY_CLASHES = 8
"""So many clashes to confirm are worth a further process."""


class Placed(Struct, frozen=True):
    """Specs that share an environment.

    Attributes:
        name: of the environment.
        specs: sorted.
        lines: positions of their lines.
        answer: what would be installed.
    """

    name: str
    specs: tuple[SpecId, ...]
    lines: frozenset[int]
    answer: Yes


class Outcome:
    """Environments and warnings, worked on from the start by other processes, where that pays.

    Args:
        oracle: has answered; in the process where this begins, it may go on to answer at once.
        opinion: looks at all of it again.
        placed: the environments.
        questions: about the clashes.
        jobs: how many processes there may be; see `jobs_for`.

    Raises:
        Disagreement: see `SecondOpinion`; from here with one process, otherwise from what gives the results.
    """

    def __init__(
        self,
        oracle: Oracle,
        opinion: SecondOpinion,
        placed: Sequence[Placed],
        questions: Sequence[Question],
        jobs: int | None,
    ) -> None:
        self._oracle = oracle
        self._opinion = opinion
        self._questions = questions
        packages = sum(len(solution.releases) for one in placed for solution in one.answer.solutions.values())
        is_much = (len(placed) > 1 and packages >= _MANY_PACKAGES) or len(questions) >= _MANY_CLASHES
        tasks: list[Callable[[], object]] = [partial(self._build, one) for one in placed]
        tasks += [partial(opinion.is_confirmed, question) for question in questions]
        begun = begin_in_processes(tasks, jobs_for(jobs, worth_it=is_much))
        self._built = cast("list[Callable[[], Environment]]", begun[: len(placed)])
        self._confirmed = cast("list[Callable[[], bool]]", begun[len(placed) :])

    @cached_property
    def environments(self) -> list[Environment]:
        """The environments, each walked by the second engine.

        Raises:
            Disagreement: see `SecondOpinion.check_environment`.
            ProcessLostError: see `begin_in_processes`.
        """
        return [one() for one in self._built]

    def warnings(self) -> list[Diagnostic]:
        """On each clash that is not confirmed.

        Raises:
            Disagreement: see `SecondOpinion.is_confirmed`.
            ProcessLostError: see `begin_in_processes`.
        """
        found = [question for question, one in zip(self._questions, self._confirmed, strict=True) if not one()]
        return [warning for question in found for warning in self._opinion.say_not_confirmed(question)]

    def _build(self, placed: Placed) -> Environment:
        environment = build_environment(self._oracle, placed.name, placed.specs, placed.lines, placed.answer)
        self._opinion.check_environment(placed.lines, placed.answer)
        return environment
