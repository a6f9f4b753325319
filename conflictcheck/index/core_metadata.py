"""Core metadata documents: ``METADATA``, ``PKG-INFO`` and metadata files.

Only the few fields that resolving needs are read, so the headers are scanned here; the email parser that
`packaging.metadata` builds on takes ten times as long, on documents of which a run reads hundreds.
"""

from __future__ import annotations

import re

from msgspec import Struct, field
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from conflictcheck.facts import Metadata, MetadataSource, Unknown
from conflictcheck.index.addresses import shown
from conflictcheck.index.filenames import normalized

MAX_DOCUMENT = 16 << 20
"""Bytes of a metadata document; most are a few thousand, those with a long description a few hundred thousand."""
STATIC_SINCE = (2, 2)
"""The metadata version since which a field of a source distribution is final unless ``Dynamic`` names it (PEP 643)."""

MAX_MAJOR = 2
"""Of the metadata version; one of a newer major version may mean something else (core metadata specification)."""

_METADATA_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)
_LOGIN = re.compile(r"(?<=://)(?!git@)[^/?#\s]*@")
_SINGLE = {"metadata-version", "name", "version", "requires-python"}
_MULTIPLE = {"requires-dist", "provides-extra", "dynamic"}


class Document(Struct):
    """The fields of a core metadata document that matter here; absent ones are empty."""

    metadata_version: str = ""
    name: str = ""
    version: str = ""
    requires_python: str = ""
    requires_dist: list[str] = field(default_factory=list)
    provides_extra: list[str] = field(default_factory=list)
    dynamic: list[str] = field(default_factory=list)

    @property
    def _version(self) -> tuple[int, int]:
        stated = _METADATA_VERSION.fullmatch(self.metadata_version)
        return (0, 0) if stated is None else (int(stated[1]), int(stated[2]))

    @property
    def is_static(self) -> bool:
        """Whether a source distribution's requirements are final (PEP 643)."""
        if self._version < STATIC_SINCE:
            return False
        return {"requires-dist", "requires-python", "provides-extra"}.isdisjoint(name.lower() for name in self.dynamic)

    def to_metadata(self, name: str, version: str, source: MetadataSource, filename: str) -> Metadata | Unknown:
        """The facts, if the document is about this release.

        Args:
            name: the package that was asked for, normalized.
            version: the version that was asked for, normalized; empty accepts any.
            source: where the document is from.
            filename: the file it was read from.
        """
        if self._version[0] > MAX_MAJOR:
            return Unknown(f"its metadata is of version {shown(self.metadata_version)}, which is not known here")
        if canonicalize_name(self.name) != name:
            return Unknown(f"its metadata is about {shown(self.name) or 'no package'}")
        own = normalized(self.version.strip())
        if own is None or version not in {"", own}:
            return Unknown(f"its metadata is about version {shown(self.version) or '(none)'}")
        return Metadata(
            name,
            own,
            tuple(_LOGIN.sub("", text) for text in self.requires_dist),
            self.requires_python or None,
            tuple(dict.fromkeys(map(canonicalize_name, self.provides_extra))),
            source,
            filename,
        )


def parse_document(data: bytes) -> Document:
    """Read the headers of a core metadata document, which end at the first blank line.

    Unknown fields are passed over, folded lines joined. A line that is no header is passed over as well rather than
    taken for the end, so that no requirement after it is lost.
    """
    text = data.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace").lstrip("\ufeff")
    document = Document()
    fields: list[tuple[str, str]] = []
    for line in text.split("\n"):
        if line[:1] in {" ", "\t"}:
            if fields:
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
            continue
        key, colon, value = line.partition(":")
        if colon:
            fields.append((key.strip().lower(), value.strip()))
    for key, value in fields:
        if key in _MULTIPLE:
            getattr(document, key.replace("-", "_")).append(value)
        elif key in _SINGLE:
            setattr(document, key.replace("-", "_"), value)
    return document


def with_marker(requirement: str, marker: str = "", extra: str = "") -> str:
    """A requirement that holds only where a marker does, and for an extra, besides its own marker."""
    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        base, own = requirement.strip(), ""
    else:
        own = str(parsed.marker or "")
        parsed.marker = None
        base = str(parsed)
    conditions = [own, marker.strip(), f'extra == "{canonicalize_name(extra)}"' if extra else ""]
    conditions = [condition for condition in conditions if condition]
    if len(conditions) > 1:
        conditions = [f"({text})" if re.search(r"\bor\b", text) else text for text in conditions]
    if not conditions:
        return requirement.strip()
    return f"{base}{' ' if ' @ ' in base else ''}; {' and '.join(conditions)}"
