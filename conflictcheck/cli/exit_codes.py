"""The codes that the program ends with."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflictcheck.model import Report


class ExitCode(IntEnum):
    """All codes that the program ends with."""

    PASSED = 0
    """Every spec is placed, in at most ``--max-environments`` environments."""
    FAILED = 1
    """It takes more environments than that, or a spec cannot be installed even on its own."""
    USAGE = 2
    """Bad usage, or input that cannot be read."""
    UNDECIDED = 3
    """Nothing is claimed: facts are missing, or the program itself failed."""
    INTERRUPTED = 130
    """Ctrl-C."""


def exit_code(outcome: Report | BaseException | None) -> ExitCode:
    """The code for what came out.

    Args:
        outcome: a report, whatever was raised instead, or None for a command that has no verdict and worked.
    """
    from conflictcheck.errors import ConflictCheckError  # noqa: PLC0415 - keeps start-up short
    from conflictcheck.model import Report, Verdict  # noqa: PLC0415 - keeps start-up short

    if outcome is None:
        return ExitCode.PASSED
    if isinstance(outcome, Report):
        if outcome.verdict is Verdict.UNDECIDED:
            return ExitCode.UNDECIDED
        return ExitCode.PASSED if outcome.passed else ExitCode.FAILED
    if isinstance(outcome, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(outcome, ConflictCheckError):
        return ExitCode.USAGE
    # A failure of ours must not look like a verdict.
    return ExitCode.UNDECIDED
