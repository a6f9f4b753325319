"""The metadata of a source distribution, read without unpacking it and without running its code."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from conflictcheck.facts import Metadata, Unknown


class SdistError(Exception):
    """A source distribution that cannot be read; the text is the reason, one clause."""


def metadata_of_sdist(archive: IO[bytes], filename: str, name: NormalizedName, version: str) -> Metadata | Unknown:
    raise SdistError("source distributions are not read yet")
