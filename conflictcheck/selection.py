"""What policy leaves of a listing, in the form that a warm run loads without parsing.

Selecting looks at every file of a package, of which there may be thousands; a run then needs the files of a few
releases. So what was selected is kept beside the page that it comes from, each release as bytes that are read when
somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, overload

import msgspec
from packaging.version import Version

from conflictcheck.facts import File, Overview  # noqa: TC001 - msgspec reads the annotations
from conflictcheck.lazy import LazySequence
from conflictcheck.policy import Candidates, Excluded, Release, Releases, Why

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from conflictcheck.settings import Policy
    from conflictcheck.targets import Target

FORM = 3
"""Raised with every change of what is stored, or of what policy makes of a listing."""


class _Release(msgspec.Struct, array_like=True):
    """One release; of its files the first `usable` ones can be installed, `sources` are places among all of them."""

    files: list[File]
    usable: int
    sources: list[int]
    yanked: str | None


class _Selection(msgspec.Struct, array_like=True):
    stamp: str
    overview: Overview
    versions: list[str]
    releases: list[msgspec.Raw]
    prereleases: bytes
    yanked: bytes
    early: bytes
    excluded: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Selection)
_release_decoder = msgspec.msgpack.Decoder(_Release)
_excluded_decoder = msgspec.msgpack.Decoder(list[tuple[str, Why, str]])


@lru_cache
def selection_key(target: Target, policy: Policy) -> str:
    """Names everything besides a listing that decides about what is selected from it."""
    held = (
        FORM,
        sorted(target.environment.items()),
        list(target.ranks.items()),
        policy.exclude_newer,
        policy.prerelease,
        sorted(policy.only_binary),
        sorted(policy.no_binary),
    )
    return f"selection:{sha256(repr(held).encode()).hexdigest()}"


def encode_selection(candidates: Candidates, overview: Overview, stamp: str) -> bytes:
    """The bytes to store.

    Args:
        candidates: what was selected.
        overview: of the listing.
        stamp: tells this listing from every other one of the package.
    """
    return _encoder.encode(  # as `_Selection` has it
        (
            stamp,
            overview,
            [str(release.version) for release in candidates.releases],
            list(map(_encoded, candidates.releases)),
            _to_bytes(candidates.prereleases),
            _to_bytes(candidates.yanked),
            _to_bytes(candidates.early),
            [(one.version, one.why, one.detail) for one in candidates.excluded],
        )
    )


def decode_selection(data: bytes, name: NormalizedName, stamp: str) -> tuple[Candidates, Overview] | None:
    """What was stored; None if it was selected from another listing, or is something else."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if found.stamp != stamp:
        return None
    early = int.from_bytes(found.early, "little")
    versions = LazySequence(len(found.versions), lambda i: Version(found.versions[i]))

    def release(i: int) -> Release:
        kept = _release_decoder.decode(found.releases[i])
        files, sources = tuple(kept.files[: kept.usable]), tuple(kept.files[k] for k in kept.sources)
        return Release(name, versions[i], files, sources, kept.yanked, predates_python=bool(early >> i & 1))

    candidates = Candidates(
        name,
        Releases(versions, release),
        _Exclusions(found.excluded),
        prereleases=int.from_bytes(found.prereleases, "little"),
        yanked=int.from_bytes(found.yanked, "little"),
        early=early,
    )
    return candidates, found.overview


def _encoded(release: Release) -> _Release:
    files = list(release.files)
    files += [file for file in release.sources if file not in files]
    return _Release(files, len(release.files), [files.index(file) for file in release.sources], release.yanked)


def _to_bytes(mask: int) -> bytes:
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


class _Exclusions(Sequence[Excluded]):
    """Exclusions, read when somebody asks why."""

    def __init__(self, encoded: msgspec.Raw) -> None:
        self._encoded = encoded
        self._read: tuple[Excluded, ...] | None = None

    @property
    def _all(self) -> tuple[Excluded, ...]:
        if self._read is None:
            self._read = tuple(Excluded(*one) for one in _excluded_decoder.decode(self._encoded))
        return self._read

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, place: int) -> Excluded: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Excluded]: ...
    def __getitem__(self, place: int | slice) -> Excluded | Sequence[Excluded]:
        return self._all[place]
