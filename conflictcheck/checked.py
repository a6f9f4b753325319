"""What a check comes to: the report, and what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflictcheck.facts import Basis
    from conflictcheck.model import Report, Source


class Checked(Struct, frozen=True):
    """A report, and what it takes to edit the files that it is about.

    Attributes:
        report: the answer.
        sources: the files that were read, by the name that the report gives them.
        basis: see `Index.basis`.
    """

    report: Report
    sources: Mapping[str, Source]
    basis: Basis | None
