"""Where facts about packages come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflictcheck.index.base import Index
    from conflictcheck.progress import Progress
    from conflictcheck.settings import IndexSettings


def default_index_url() -> str:
    """The address of the default package index, as pip has it."""
    from pip._internal.models.index import PyPI  # noqa: PLC0415 - costly; pip has no public constant for it

    return str(PyPI.simple_url)


def open_index(settings: IndexSettings, progress: Progress) -> Index:
    """The index that the settings ask for.

    Args:
        settings: where facts come from.
        progress: told of each request, from many threads.

    Raises:
        SnapshotError: if there is a snapshot to answer from and it cannot be read.
    """
    if settings.snapshot is not None:
        from conflictcheck.index.snapshot import SnapshotIndex  # noqa: PLC0415 - not needed without

        return SnapshotIndex.read(settings.snapshot)
    from conflictcheck.index.remote import RemoteIndex  # noqa: PLC0415 - costly, and not needed with a snapshot

    return RemoteIndex(settings, progress)
