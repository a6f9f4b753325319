"""What a report format is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from conflictcheck.model import Report


class ReportFormat(ABC):
    """Turns a finished report into text.

    Attributes:
        name: the value of ``--format`` that chooses it.
    """

    name: ClassVar[str]

    @abstractmethod
    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:
        """Word the report.

        Args:
            report: the answer.
            color: whether terminal colours may be used.
            width: columns that prose is wrapped to.
            verbose: how many ``-v`` were given.

        Returns:
            The text, ending in a line break. The same report gives the same text, and nothing that the report
            quotes can act on a terminal, a page or a diagram.
        """
