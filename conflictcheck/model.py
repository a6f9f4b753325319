"""The nouns of the interface, as frozen values.

The words are those of the documentation: a spec has requirements, a target is a Python on a platform,
a release is one version of a package, a clash is a minimal set of requirements that no environment can
satisfy, a split is a partition of the specs into environments. Nothing here reads files, asks an index
or prints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from conflictcheck.facts import File

SpecId = NewType("SpecId", str)
"""POSIX path relative to the working directory, then a fragment for a section: ``pyproject.toml#extra:gpu``."""


class RequirementKind(StrEnum):
    """What a requirement line does."""

    REQUIREMENT = "requirement"
    """Asks for a package."""
    CONSTRAINT = "constraint"
    """Restricts a package where something else asks for it (``-c``)."""
    OVERRIDE = "override"
    """Replaces whatever any release or spec says about the package (``--override``)."""
    PYTHON = "python"
    """Restricts the Python version (``requires-python``); `name` is ``python`` and `specifier` the range."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of a spec.

    Attributes:
        spec: the spec it belongs to; for a line of a constraint file given on the command line, that file's path.
        text: as written, comments and hashes aside.
        name: the package.
        specifier: the versions it admits; empty admits all.
        extras: normalized, sorted.
        marker: evaluated for each target; a line whose marker is false asks for nothing there.
        url: a direct reference (PEP 508 URL, archive, local path as a ``file:`` URL), credentials removed.
        file: as the user would name it (relative to the working directory where it is inside), or None.
        line: counted from 1; the first one if spread over several; or None.
        kind: what the line does.
        editable: whether given with ``-e``.
        hashes: ``sha256:…`` values given with ``--hash``; the release's files must match one of them.
    """

    spec: SpecId
    text: str
    name: NormalizedName
    specifier: SpecifierSet
    extras: tuple[NormalizedName, ...] = ()
    marker: Marker | None = None
    url: str | None = None
    file: str | None = None
    line: int | None = None
    kind: RequirementKind = RequirementKind.REQUIREMENT
    editable: bool = False
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """Index settings, of the run or written inside a requirements file.

    Attributes:
        index_url: replaces the default index; None keeps it.
        extra_index_urls: asked as well.
        find_links: folders, or pages with links.
        no_index: ask no index, `find_links` alone.
        only_binary: packages to take as wheels alone, or ``:all:``.
        no_binary: packages to take as source distributions alone, or ``:all:``.
        prerelease: whether ``--pre`` was given in the file.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    only_binary: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    prerelease: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """A named set of requirements that one project needs together.

    Attributes:
        id: see `SpecId`.
        path: the file, POSIX, relative to the working directory; None for ``--with``.
        requirements: its lines in file order, with included files' lines in their place; all kinds but OVERRIDE.
        requires_python: the specifier as written, or None; it is also a requirement of kind PYTHON.
        index: options written inside the file.
    """

    id: SpecId
    path: str | None
    requirements: tuple[Requirement, ...]
    requires_python: str | None = None
    index: IndexOptions = IndexOptions()


class Severity(StrEnum):
    """How much a diagnostic matters; none of them changes the exit code by itself."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """Something noticed on the way, with a stable `code` (kebab-case)."""

    severity: Severity
    code: str
    message: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read.

    Attributes:
        path: absolute.
        content: its bytes at that time.
    """

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What the readers found.

    Attributes:
        specs: in a stable order.
        diagnostics: on what was passed over, among others.
        sources: the files that were read, by name.
        variables: the values of the variables that were expanded in addresses.
    """

    specs: tuple[Spec, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False)
    variables: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Pin:
    """A chosen release in an environment.

    Attributes:
        name: the package.
        version: normalized text.
        extras: extras of it that are installed, sorted.
        platforms: the platforms it is installed on, when not all; else empty.
        requested_by: spec ids and package names that ask for it, sorted.
        url: where it is a direct reference, that URL; else None.
        files: the files of the release that suit the targets, for exports; not part of the JSON report.
        requires_python: of the release, or None.
        requires: the packages that it asks for in this environment, sorted; not part of the JSON report.
        editable: a local project that a spec asks for with ``-e``.
    """

    name: NormalizedName
    version: str
    extras: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    requested_by: tuple[str, ...] = ()
    url: str | None = None
    files: tuple[File, ...] = ()
    requires_python: str | None = None
    requires: tuple[str, ...] = ()
    editable: bool = False


@dataclass(frozen=True, slots=True)
class Environment:
    """Specs that resolve together, and the pins that do it, sorted by name."""

    name: str
    specs: tuple[SpecId, ...]
    python_version: str
    packages: tuple[Pin, ...]


class ClashKind(StrEnum):
    """What a clash is about."""

    VERSION = "version"
    PYTHON = "python"
    PLATFORM = "platform"
    MISSING_PACKAGE = "missing-package"
    MISSING_VERSION = "missing-version"
    EXTRA = "extra"
    SOURCE = "source"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Clash:
    """A minimal set of requirements that no environment can satisfy together.

    Attributes:
        id: stable: depends on the requirements' specs and texts, not on their lines or on other specs.
        kind: what it is about.
        specs: ids, sorted; one for a spec that cannot be installed even on its own.
        requirements: the lines; drop any one and the rest can be satisfied (if `minimal`).
        packages: names on which the requirements disagree, sorted.
        minimal: whether each line was shown to be needed.
        summary: one sentence.
        steps: the argument, one fact or conclusion a step.
        fixes: edits that resolve it, best first; a few alternatives.
        no_fix: why no edit resolves it, as a clause; empty where one does, or where none was looked for.
        remarks: what else there is to know for who wants to resolve it, one sentence each.
        sides: for each side, the chain from a line down to the range of the package that is disagreed on; empty where
            it takes a case distinction.
        known: why it is expected, and so does not count: ``in the baseline``, ``ignored``, ``declared in [tool.uv]
            conflicts of pyproject.toml``, ``there at main already``; empty where it counts.
    """

    id: str
    kind: ClashKind
    specs: tuple[SpecId, ...]
    requirements: tuple[Requirement, ...]
    packages: tuple[str, ...]
    minimal: bool
    summary: str
    steps: tuple[str, ...]
    fixes: tuple[Fix, ...] = ()
    no_fix: str = ""
    remarks: tuple[str, ...] = ()
    sides: tuple[tuple[str, ...], ...] = ()
    known: str = ""


@dataclass(frozen=True, slots=True, order=True)
class GoneClash:
    """A clash that was there before and is no more.

    Attributes:
        id: as in `Clash.id`.
        summary: one sentence, as it was then.
        was: where: ``in the baseline``, ``at main``, ``in old.snapshot``.
    """

    id: str
    summary: str
    was: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed requirement line of a fix.

    Attributes:
        spec: a spec that the line belongs to.
        file: as in `Requirement.file`.
        line: as in `Requirement.line`.
        old: the requirement as written.
        new: what to write instead.
        also: further specs that the same line belongs to, sorted.
    """

    spec: SpecId
    file: str | None
    line: int | None
    old: str
    new: str
    also: tuple[SpecId, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A package that a fix gives another version.

    Attributes:
        name: the package.
        environment: of the split, where it has the version `before`.
        before: its version without the fix.
        after: its version with the fix.
    """

    name: str
    environment: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits after which fewer environments are needed.

    Attributes:
        edits: in the order of their lines.
        environments_after: how many environments all specs need then.
        changes: packages whose version changes against the split, sorted.
    """

    edits: tuple[Edit, ...]
    environments_after: int
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Minimum:
    """The smallest number of environments, about the specs that can be installed at all.

    Attributes:
        environments: what the split needs.
        proven: whether no smaller split exists.
        lower_bound: the number shown to be necessary.
        why: why it takes that many, in one or two sentences; empty when one environment holds all.
    """

    environments: int
    proven: bool
    lower_bound: int
    why: str = ""


class Verdict(StrEnum):
    """The answer in one word."""

    COMPATIBLE = "compatible"
    SPLIT = "split"
    UNSATISFIABLE = "unsatisfiable"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class TargetName:
    """A target as the report names it: ``3.11`` on ``linux``."""

    python_version: str
    platform: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer; `conflictcheck.reports` turns it into bytes.

    Attributes:
        verdict: the answer in one word.
        passed: whether the exit code is 0; clashes that are known do not count.
        targets: what it was resolved for.
        specs: what was read, in order of id.
        environments: the split; specs that cannot be installed alone are in none.
        minimum: how few environments suffice, and whether that is proven.
        clashes: all minimal ones, smallest and then by id.
        clashes_complete: whether every minimal clashing set of specs is listed.
        fixes: edits that were tried, best first.
        diagnostics: sorted by severity, code, file and line.
        stats: times and counts; not reproducible.
        gone: clashes that were known or there before and are no more, in order of id.
    """

    verdict: Verdict
    passed: bool
    targets: tuple[TargetName, ...]
    specs: tuple[Spec, ...]
    environments: tuple[Environment, ...]
    minimum: Minimum
    clashes: tuple[Clash, ...]
    clashes_complete: bool
    fixes: tuple[Fix, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    stats: Mapping[str, Any] = field(default_factory=dict)
    gone: tuple[GoneClash, ...] = ()
