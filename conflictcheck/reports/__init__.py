"""The ways a report can be written: one file a format, and one list."""

from __future__ import annotations

from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.json import JsonReport
from conflictcheck.reports.text import TextReport

FORMATS: tuple[ReportFormat, ...] = (TextReport(), JsonReport())
"""What ``--format`` takes."""

__all__ = ["FORMATS", "ReportFormat"]
