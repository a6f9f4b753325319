"""What the filename of a distribution says: its version, and for a wheel its tags.

The same answers as `packaging.utils.parse_wheel_filename` and `parse_sdist_filename`, which are made for one file
and cost more than ten times as much; a page may list thousands.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import Version

from conflictcheck.index.addresses import consists_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflictcheck.facts import File

SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")
ARCHIVE_SUFFIXES = (".whl", *SDIST_SUFFIXES)
MAX_LENGTH = 300
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+!-"
_BETWEEN_TAGS = 2
_SEPARATORS = str.maketrans("_.", "--")


class Parsed(Struct, frozen=True, gc=False):
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
    return _parse(filename, name) if consists_of(filename, _PLAIN) else None


def parse_filenames(filenames: Sequence[str], name: str) -> list[Parsed | None]:
    """The same of many filenames, at whose characters one glance is enough."""
    if consists_of("".join(filenames), _PLAIN):
        return [_parse(filename, name) for filename in filenames]
    return [parse_filename(filename, name) for filename in filenames]


def _parse(filename: str, name: str) -> Parsed | None:
    if len(filename) > MAX_LENGTH:
        return None
    if not filename.endswith(".whl"):
        suffix = next(filter(filename.endswith, SDIST_SUFFIXES), None)
        version = None if suffix is None else _sdist_version(filename.removesuffix(suffix), name)
        return None if version is None else Parsed(version, "", "")
    written, _, rest = filename[:-4].partition("-")
    text, _, tags = rest.partition("-")
    build = ""
    if tags.count("-") != _BETWEEN_TAGS:
        build, _, tags = tags.partition("-")
        if tags.count("-") != _BETWEEN_TAGS or not build[:1].isdigit():
            return None
    version = normalized(text) if _is_name(written, name) else None
    return None if version is None else Parsed(version, tags, build)


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
    ranks = version_ranks(file.version for file in listed)
    listed.sort(key=lambda file: ranks[file.version])
    return tuple(listed)


def version_ranks(texts: Iterable[str]) -> dict[str, int]:
    """The place of each version in their order (PEP 440), for sorting what goes by versions.

    Of texts that stand for the same version the one that comes first stays first.
    """
    versions = {text: version_of(text) or Version("0") for text in dict.fromkeys(texts)}
    return {text: rank for rank, text in enumerate(sorted(versions, key=versions.__getitem__))}
