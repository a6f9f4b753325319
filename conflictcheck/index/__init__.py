"""Where facts about packages come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.disguise import Disguise
from conflictcheck.index.addresses import default_index_url

if TYPE_CHECKING:
    from conflictcheck.index.base import Index
    from conflictcheck.progress import Progress
    from conflictcheck.settings import IndexSettings

__all__ = ["default_index_url", "open_index"]


def open_index(
    settings: IndexSettings, progress: Progress, disguise: Disguise | None = None, *, beside: bool = False
) -> Index:
    """The index that the settings ask for.

    Args:
        settings: where facts come from.
        progress: told of each request, from many threads.
        disguise: how addresses may be shown; None where there are no secrets but those in the settings.
        beside: whether pages may be read in a process beside this one.

    Raises:
        SnapshotError: if there is a snapshot to answer from and it cannot be read.
        UsageError: if an address is none, or a local place or the file of certificates cannot be read.
    """
    if settings.snapshot is not None:
        from conflictcheck.index.snapshot import SnapshotIndex  # noqa: PLC0415 - not needed without

        return SnapshotIndex.read(settings.snapshot)
    from conflictcheck.index.remote import RemoteIndex  # noqa: PLC0415 - costly, and not needed with a snapshot

    return RemoteIndex(settings, progress, disguise or Disguise(), beside=beside)
