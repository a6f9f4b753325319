"""Two snapshots to compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conflictcheck.errors import UsageError

if TYPE_CHECKING:
    from conflictcheck.settings import Settings


def between(settings: Settings, old: str, new: str) -> tuple[Settings, Path]:
    """The settings of a run on the newer snapshot, and the older one.

    Raises:
        UsageError: options say otherwise where facts or an earlier state come from.
    """
    given = {
        "--index-snapshot": settings.index.snapshot,
        "--since": settings.since,
        "--refresh": settings.index.refresh or None,
    }
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} is not for diff, which compares two snapshots", hint="leave it out")
    return replace(settings, index=replace(settings.index, snapshot=Path(new))), Path(old)
