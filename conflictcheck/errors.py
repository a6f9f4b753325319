"""All errors that conflictcheck raises on purpose.

A clash is not an error: it is an answer, and travels in the `Report`. Missing facts are not errors
either: they travel as `Unknown` and end in the verdict ``undecided``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class ConflictCheckError(Exception):
    """Something the user can act on; the command line prints it and exits with 2.

    Attributes:
        message: what is wrong, in one sentence without a full stop.
        file: the file it is about, as the user would name it, or None.
        line: the line in that file, counted from 1, or None.
        hint: what to do about it, or None.
    """

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.hint = hint

    def __str__(self) -> str:
        """Where, what, what to do: ``requirements.txt:12: … (hint)``."""
        where = "" if self.file is None else f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "
        hint = "" if self.hint is None else f"; {self.hint}"
        return f"{where}{self.message}{hint}"


class UsageError(ConflictCheckError):
    """Options that make no sense, alone or together."""


class SpecError(ConflictCheckError):
    """A spec that cannot be found, read or understood."""


class SnapshotError(ConflictCheckError):
    """A snapshot file that cannot be read."""


class BaselineError(ConflictCheckError):
    """A baseline that cannot be read."""


class RevisionError(ConflictCheckError):
    """A revision of version control that cannot be read."""


class CacheError(ConflictCheckError):
    """A cache that cannot be used, and was asked for by name."""


class OutputError(ConflictCheckError):
    """A place that cannot be written to."""


class InputErrors(ConflictCheckError):  # noqa: N818 - it is several
    """Several problems of the input, reported together.

    Attributes:
        errors: the problems, in file and line order; at least one.
    """

    MOST_SHOWN: ClassVar[int] = 1_000

    def __init__(self, errors: Sequence[ConflictCheckError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda e: (e.file or "", e.line or 0, e.message)))
        first = self.errors[0]
        super().__init__(first.message, file=first.file, line=first.line, hint=first.hint)

    @property
    def shown(self) -> tuple[str, ...]:
        """A text for each problem, and for those after the first `MOST_SHOWN` one that counts them."""
        texts = tuple(str(error) for error in self.errors[: self.MOST_SHOWN])
        more = len(self.errors) - len(texts)
        return (*texts, f"and {more:,} more") if more else texts

    def __str__(self) -> str:
        """One problem a line."""
        return "\n".join(self.shown)


class InternalError(Exception):
    """Two parts of conflictcheck disagree: a bug of ours, never worded as the user's mistake."""


class Disagreement(InternalError):  # noqa: N818 - the word for it
    """The second opinion on an answer differs from the first, so that one of them is wrong.

    Attributes:
        about: what they disagree on, in one sentence without a full stop.
        evidence: a file with the lines, options and facts that repeats it, or None where it could not be written.
    """

    def __init__(self, about: str, evidence: str | None = None) -> None:
        super().__init__(about)
        self.about = about
        self.evidence = evidence

    def __str__(self) -> str:
        """What, and what to do with the file."""
        if self.evidence is None:
            return self.about
        return (
            f"{self.about}; {self.evidence} repeats this mistake: please send it along (it holds the requirement "
            "lines, the options and what the index said, and no passwords)"
        )
