"""A file that repeats a run: the requirement lines, the options that matter, and the facts, as they were."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from contextlib import suppress
from datetime import datetime  # noqa: TC003 - msgspec reads the annotation
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from conflictcheck.errors import OutputError, SnapshotError
from conflictcheck.facts import Listing, Missing
from conflictcheck.index.snapshot import SnapshotFacts, SnapshotIndex
from conflictcheck.model import Requirement, RequirementKind, Spec, SpecId
from conflictcheck.settings import IndexSettings, Policy, PrereleasePolicy, Settings
from conflictcheck.writing import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.solver.store import FactStore

FILE = "conflictcheck-disagreement.json.gz"


class _Line(msgspec.Struct):
    spec: str
    text: str
    name: str
    specifier: str
    extras: tuple[str, ...]
    marker: str
    url: str | None
    file: str | None
    line: int | None
    kind: RequirementKind
    editable: bool
    hashes: tuple[str, ...]


class _Evidence(msgspec.Struct):
    tool_version: str
    python_versions: tuple[str, ...]
    platforms: tuple[str, ...]
    max_environments: int | None
    exclude_newer: datetime | None
    prerelease: PrereleasePolicy
    only_binary: frozenset[str]
    no_binary: frozenset[str]
    specs: dict[str, list[_Line]]
    shared: list[_Line]
    facts: SnapshotFacts


def write_evidence(
    settings: Settings, specs: Sequence[Spec], shared: Sequence[Requirement], store: FactStore, version: str
) -> str | None:
    """Write what it takes to repeat a run into a new folder for temporary files, which nobody else may read.

    Args:
        settings: of the run, with the policy that held.
        specs: what was read.
        shared: lines of constraint and override files.
        store: has what the index said.
        version: of the tool.

    Returns:
        The file, or None where none can be written: that must not hide what it is about.
    """
    policy = settings.policy
    evidence = _Evidence(
        tool_version=version,
        python_versions=settings.python_versions,
        platforms=settings.platforms,
        max_environments=settings.max_environments,
        exclude_newer=policy.exclude_newer,
        prerelease=policy.prerelease,
        only_binary=policy.only_binary,
        no_binary=policy.no_binary,
        specs={spec.id: [_written(line) for line in spec.requirements] for spec in specs},
        shared=[_written(line) for line in shared],
        facts=_facts_of(store),
    )
    with suppress(OSError, OutputError):
        path = Path(tempfile.mkdtemp(prefix="conflictcheck-")) / FILE
        write_file(path, gzip.compress(msgspec.json.encode(evidence, order="sorted"), mtime=0))
        return str(path)
    return None


def read_evidence(path: Path) -> tuple[Settings, tuple[Spec, ...], tuple[Requirement, ...], SnapshotIndex]:
    """Read what `write_evidence` wrote: the settings, the specs, the shared lines and the facts.

    Raises:
        SnapshotError: it cannot be read or is something else.
    """
    try:
        found = msgspec.json.decode(gzip.decompress(path.read_bytes()), type=_Evidence)
    except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
        raise SnapshotError(f"this repeats no run: {error}", file=str(path)) from None
    settings = Settings(
        cwd=path.parent,
        index=IndexSettings(()),
        python_versions=found.python_versions,
        platforms=found.platforms,
        policy=Policy(found.exclude_newer, found.prerelease, found.only_binary, found.no_binary),
        max_environments=found.max_environments,
    )
    specs = tuple(
        Spec(SpecId(name), name.partition("#")[0], tuple(_read(line) for line in lines))
        for name, lines in found.specs.items()
    )
    index = SnapshotIndex(found.facts, tool_version=found.tool_version)
    return settings, specs, tuple(_read(line) for line in found.shared), index


def _facts_of(store: FactStore) -> SnapshotFacts:
    listings, said, direct = store.known()
    facts = SnapshotFacts(
        listings={name: _plain(found) for name, found in listings.items() if isinstance(found, Listing)},
        missing=sorted(name for name, found in listings.items() if isinstance(found, Missing)),
        direct=dict(direct),
        place=store.place,
        indexes=store.indexes,
    )
    for metadata in said:
        known = facts.metadata.setdefault(metadata.name, {}).setdefault(metadata.version, [])
        known += [] if metadata in known else [metadata]
    return facts


def _plain(listing: Listing) -> Listing:
    """A listing whose files are made: those of a page are columns, which are no JSON."""
    return msgspec.structs.replace(listing, files=tuple(listing.files))


def _written(line: Requirement) -> _Line:
    return _Line(
        line.spec, line.text, line.name, str(line.specifier), line.extras, str(line.marker or ""), line.url,
        line.file, line.line, line.kind, line.editable, line.hashes,
    )  # fmt: skip


def _read(line: _Line) -> Requirement:
    return Requirement(
        spec=SpecId(line.spec),
        text=line.text,
        name=NormalizedName(line.name),
        specifier=SpecifierSet(line.specifier),
        extras=tuple(NormalizedName(extra) for extra in line.extras),
        marker=Marker(line.marker) if line.marker else None,
        url=line.url,
        file=line.file,
        line=line.line,
        kind=line.kind,
        editable=line.editable,
        hashes=line.hashes,
    )
