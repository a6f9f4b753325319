"""The ways a split can be written: one file an export, and one list."""

from __future__ import annotations

from conflictcheck.exports.base import HEAD, Export
from conflictcheck.exports.pylock import PylockExport
from conflictcheck.exports.requirements import RequirementsExport
from conflictcheck.exports.uv_conflicts import UvConflictsExport

EXPORTS: tuple[Export, ...] = (RequirementsExport(), PylockExport(), UvConflictsExport())
"""What ``--export`` takes; the first is the default."""

__all__ = ["EXPORTS", "HEAD", "Export"]
