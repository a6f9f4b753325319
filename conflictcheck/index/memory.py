"""An index made of a dict: for tests, examples and benchmarks, and for programs that hold their own facts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from conflictcheck.facts import File, Listing, Metadata, MetadataSource, Missing, Unknown
from conflictcheck.index.base import Index, MetadataRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INDEX = "https://index.example/simple"
FILES = "https://files.index.example"


class Rel(Struct, frozen=True):
    """One release, as `MemoryIndex` takes it.

    Attributes:
        requires: requirement strings, as in ``Requires-Dist``.
        requires_python: a specifier, or None.
        yanked: None, or the reason for it (may be empty).
        tags: a compressed tag set for each wheel; empty for a release without wheels.
        sdist: whether there is a source distribution beside the wheels.
        upload_time: RFC 3339, or None.
        extras: as in ``Provides-Extra``.
        hashes: ``sha256:…`` values of its files.
        inferred: whether a build might give other requirements.
    """

    requires: Sequence[str] = ()
    requires_python: str | None = None
    yanked: str | None = None
    tags: tuple[str, ...] = ("py3-none-any",)
    sdist: bool = False
    upload_time: str | None = None
    extras: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    inferred: bool = False


class MemoryIndex(Index):
    """Answers from a dict of packages and their releases.

    ``MemoryIndex({"a": {"1.0": ["b>=1"], "2.0": Rel(requires_python=">=3.12")}})``

    Args:
        packages: for each name its releases by version: a list of requirement strings, a `Rel`, or an `Unknown` for a
            release whose metadata cannot be had; or an `Unknown` for a package whose files cannot be listed. Names that
            are absent are `Missing`.
        direct: what direct references say, by URL.

    Attributes:
        listings_asked: how often each name was asked for.
        metadata_asked: how often each release was asked for, by name and version.
    """

    def __init__(
        self,
        packages: Mapping[str, Mapping[str, Rel | Sequence[str] | Unknown] | Unknown],
        *,
        direct: Mapping[str, Metadata | Unknown] | None = None,
    ) -> None:
        self.listings_asked: Counter[NormalizedName] = Counter()
        self.metadata_asked: Counter[tuple[NormalizedName, str]] = Counter()
        self._listings: dict[NormalizedName, Listing | Unknown] = {}
        self._releases: dict[tuple[NormalizedName, str], Rel | Unknown] = {}
        self._direct = dict(direct or {})
        for raw, releases in packages.items():
            name = canonicalize_name(raw)
            if isinstance(releases, Unknown):
                self._listings[name] = releases
                continue
            files: list[File] = []
            for version in sorted(releases, key=Version):
                given = releases[version]
                rel = given if isinstance(given, Rel | Unknown) else Rel(requires=given)
                normalized = str(Version(version))
                self._releases[name, normalized] = rel
                files += files_of(name, normalized, Rel() if isinstance(rel, Unknown) else rel)
            self._listings[name] = Listing(name, tuple(files))

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        """See `Index.listings`."""
        self.listings_asked.update(names)
        return [self._listings.get(name) or Missing(name) for name in names]

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        """See `Index.metadata`; the first of the files is the one that is read."""
        self.metadata_asked.update((request.name, request.version) for request in requests)
        return [self._metadata_of(request) for request in requests]

    def direct(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """See `Index.direct`."""
        found = self._direct.get(url, Unknown(f"nothing is known about {name} at this address"))
        if isinstance(found, Unknown):
            return found
        return found, File(filename=url.rpartition("/")[2], url=url, version=found.version)

    def _metadata_of(self, request: MetadataRequest) -> Metadata | Unknown:
        rel = self._releases.get((request.name, request.version), Unknown("there is no such release"))
        if isinstance(rel, Unknown):
            return rel
        file = request.files[0]
        source: MetadataSource = "inferred" if rel.inferred else "wheel" if file.is_wheel else "sdist"
        return Metadata(
            request.name,
            request.version,
            tuple(rel.requires),
            rel.requires_python,
            tuple(canonicalize_name(extra) for extra in rel.extras),
            source,
            file.filename,
        )


def files_of(name: NormalizedName, version: str, rel: Rel) -> list[File]:
    """The files that a release would have on an index, by filename."""
    stem = f"{name.replace('-', '_')}-{version}"
    kinds = [(f"{stem}-{tags}.whl", tags) for tags in rel.tags] + [(f"{stem}.tar.gz", "")] * rel.sdist
    return [
        File(
            filename=filename,
            url=f"{FILES}/{filename}",
            version=version,
            tags=tags,
            requires_python=rel.requires_python,
            yanked=rel.yanked,
            upload_time=rel.upload_time,
            hashes=rel.hashes,
            index=INDEX,
        )
        for filename, tags in sorted(kinds)
    ]
