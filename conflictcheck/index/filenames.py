"""What the filename of a distribution says: its version, and for a wheel its tags.

The same answers as `packaging.utils.parse_wheel_filename` and `parse_sdist_filename`, which are made for one file
and cost more than ten times as much; a page may list thousands.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.facts import File

SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")
ARCHIVE_SUFFIXES = (".whl", *SDIST_SUFFIXES)
MAX_LENGTH = 300
_WHEEL_PARTS = (5, 6)
_PLAIN = re.compile(r"[A-Za-z0-9._+!-]+")
_SEPARATORS = str.maketrans("_.", "--")


class Parsed(NamedTuple):
    """What a filename says.

    Attributes:
        version: normalized text.
        tags: compressed tag set of a wheel; empty for a source distribution.
        build: build tag, or empty.
    """

    version: str
    tags: str
    build: str


@lru_cache(maxsize=1 << 16)
def version_of(text: str) -> Version | None:
    """The version that a text stands for, None if it is none by PEP 440."""
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of more digits than Python reads
        return None


@lru_cache(maxsize=1 << 16)
def normalized(text: str) -> str | None:
    """The normalized text of a version, None if it is none."""
    version = version_of(text)
    return None if version is None else str(version)


def is_archive(filename: str) -> bool:
    """Whether it is a wheel or source distribution; eggs, installers and signatures are not."""
    return filename.endswith(ARCHIVE_SUFFIXES)


def parse_filename(filename: str, name: str) -> Parsed | None:
    """Read the filename of a wheel or source distribution of the package `name` (normalized).

    Returns:
        None where it is not one of this package, or its version is no version.
    """
    if len(filename) > MAX_LENGTH or not _PLAIN.fullmatch(filename):
        return None
    if filename.endswith(".whl"):
        parts = filename[:-4].split("-")
        if len(parts) not in _WHEEL_PARTS or not _is_name(parts[0], name):
            return None
        version = normalized(parts[1])
        build = parts[2] if len(parts) == _WHEEL_PARTS[1] else ""
        if version is None or (build and not build[0].isdigit()):
            return None
        return Parsed(version, "-".join(parts[-3:]), build)
    for suffix in SDIST_SUFFIXES:
        if filename.endswith(suffix):
            version = _sdist_version(filename[: -len(suffix)], name)
            return None if version is None else Parsed(version, "", "")
    return None


@lru_cache(maxsize=1 << 10)
def _is_name(written: str, name: str) -> bool:
    return written == name or written.lower().translate(_SEPARATORS) == name or canonicalize_name(written) == name


def _sdist_version(stem: str, name: str) -> str | None:
    """A legacy name may hold dashes itself, so every dash may be where the version begins."""
    at = len(name)
    if stem[at : at + 1] == "-" and _is_name(stem[:at], name):
        return normalized(stem[at + 1 :])
    at = stem.find("-")
    while at != -1:
        if canonicalize_name(stem[:at]) == name:
            return normalized(stem[at + 1 :])
        at = stem.find("-", at + 1)
    return None


def in_order(files: Iterable[File]) -> tuple[File, ...]:
    """Oldest version first (PEP 440), then by filename."""
    listed = sorted(files, key=attrgetter("filename"))
    versions = {file.version: version_of(file.version) or Version("0") for file in listed}
    ranks = {text: rank for rank, text in enumerate(sorted(versions, key=versions.__getitem__))}
    listed.sort(key=lambda file: ranks[file.version])
    return tuple(listed)
