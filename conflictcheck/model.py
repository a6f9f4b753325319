"""The nouns of the interface, as frozen values.

The words are those of the documentation: a spec has requirements, a target is a Python on a platform,
a release is one version of a package, a clash is a minimal set of requirements that no environment can
satisfy, a split is a partition of the specs into environments. Nothing here reads files, asks an index
or prints.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations where a report is decoded
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NewType

from msgspec import Struct, field
from packaging.markers import Marker  # noqa: TC002 - as above
from packaging.specifiers import SpecifierSet  # noqa: TC002 - as above
from packaging.utils import NormalizedName  # noqa: TC002 - as above

from conflictcheck.facts import File  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

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


class Requirement(Struct, frozen=True):
    """One line of a spec.

    Attributes:
        spec: the spec it belongs to; for a line of a constraint file given on the command line, that file's path.
        text: as written, comments and hashes aside.
        name: the package; where the line does not tell, its URL, which is the name of none.
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


class IndexOptions(Struct, frozen=True):
    """Index settings, of the run or written inside a requirements file.

    Attributes:
        index_url: replaces the default index; None keeps it.
        extra_index_urls: asked as well.
        find_links: folders, or pages with links.
        no_index: ask no index, `find_links` alone.
        only_binary: packages to take as wheels alone, or ``:all:``.
        no_binary: packages to take as source distributions alone, or ``:all:``.
        prerelease: whether ``--pre`` was given in the file.
        require_hashes: whether pip is to refuse what has no hash; None leaves that to whether a line has one.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    only_binary: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    prerelease: bool = False
    require_hashes: bool | None = None


class Spec(Struct, frozen=True):
    """A named set of requirements that one project needs together.

    Attributes:
        id: see `SpecId`.
        path: the file, POSIX, relative to the working directory; None for ``--with``.
        requirements: its lines in file order, with included files' lines in their place; all kinds but OVERRIDE.
        requires_python: the specifier as written, or None; it is also a requirement of kind PYTHON.
        index: options written inside the file.
        project: the name of the project that a ``pyproject.toml`` states, or None.
    """

    id: SpecId
    path: str | None
    requirements: tuple[Requirement, ...]
    requires_python: str | None = None
    index: IndexOptions = IndexOptions()
    project: NormalizedName | None = None


class Severity(StrEnum):
    """How much a diagnostic matters; none of them changes the exit code by itself."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Diagnostic(Struct, frozen=True):
    """Something noticed on the way, with a stable `code` (kebab-case)."""

    severity: Severity
    code: str
    message: str
    file: str | None = None
    line: int | None = None


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The gravest first, each once."""
    rank = {severity: place for place, severity in enumerate(Severity)}
    return tuple(
        sorted(
            dict.fromkeys(diagnostics),
            key=lambda one: (rank[one.severity], one.code, one.file or "", one.line or 0, one.message),
        )
    )


class Source(Struct, frozen=True):
    """A file that was read.

    Attributes:
        path: absolute.
        content: its bytes at that time.
    """

    path: str
    content: bytes


class DeclaredConflict(Struct, frozen=True):
    """Sections that are not to be installed together, any two of them, as a file declares it.

    Attributes:
        file: that declares it.
        specs: the sections, sorted.
    """

    file: str
    specs: tuple[SpecId, ...]

    def names(self, specs: Collection[SpecId]) -> bool:
        """Whether these are several of its sections, and nothing else."""
        return len(specs) > 1 and set(specs) <= set(self.specs)


class ReadResult(Struct, frozen=True):
    """What the readers found.

    Attributes:
        specs: in a stable order.
        diagnostics: on what was passed over, among others.
        sources: the files that were read, by name.
        variables: the values of the variables that were expanded in addresses.
        conflicts: what files say is not to be installed together.
    """

    specs: tuple[Spec, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[DeclaredConflict, ...] = ()


class Pin(Struct, frozen=True):
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


class Environment(Struct, frozen=True):
    """Specs that resolve together, and the pins that do it, sorted by name."""

    name: str
    specs: tuple[SpecId, ...]
    python_version: str
    packages: tuple[Pin, ...]


class Declared(Struct, frozen=True):
    """What became of an environment that the settings declare.

    Attributes:
        name: as declared.
        specs: sorted.
        environments: the names of the report's environments that its specs are in: its own name, or several where it
            cannot hold them; without specs that cannot be installed alone.
        holds: whether it holds all of its specs.
    """

    name: str
    specs: tuple[SpecId, ...]
    environments: tuple[str, ...]
    holds: bool


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


IN_BASELINE = "in the baseline"
"""The value of `Clash.known` and `GoneClash.was` for what a baseline lists."""


APART = "apart in the declared environments"
"""The value of `Clash.known` where no declared environment has all of its specs, so that it is as it should be."""


class Clash(Struct, frozen=True):
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
        no_fix: why no edit resolves it, as a clause; empty where one does, or where that is not known.
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


class GoneClash(Struct, frozen=True, order=True):
    """A clash that was there before and is no more.

    Attributes:
        id: as in `Clash.id`.
        summary: one sentence, as it was then.
        was: where: ``in the baseline``, ``at main``, ``in old.snapshot``.
    """

    id: str
    summary: str
    was: str


class Edit(Struct, frozen=True):
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


class Change(Struct, frozen=True, order=True):
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


class Fix(Struct, frozen=True):
    """Edits after which fewer environments are needed.

    Attributes:
        edits: in the order of their lines.
        environments_after: how many environments the specs need then that can be installed.
        changes: packages whose version changes against the split, sorted.
        left_out: specs that cannot be installed even then.
    """

    edits: tuple[Edit, ...]
    environments_after: int
    changes: tuple[Change, ...] = ()
    left_out: tuple[SpecId, ...] = ()


class Minimum(Struct, frozen=True):
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


class TargetName(Struct, frozen=True):
    """A target as the report names it: ``3.11`` on ``linux``."""

    python_version: str
    platform: str


class Report(Struct, frozen=True):
    """The whole answer; `conflictcheck.reports` turns it into bytes.

    Attributes:
        verdict: the answer in one word.
        passed: whether the exit code is 0; clashes that are known do not count.
        targets: what it was resolved for.
        specs: what was read, in order of id.
        environments: the split, or what the settings declare and the split of the rest; specs that cannot be installed
            alone are in none.
        minimum: how few environments suffice, and whether that is proven.
        clashes: all minimal ones, smallest and then by id.
        clashes_complete: whether every minimal clashing set of specs is listed.
        fixes: edits that were tried, best first.
        diagnostics: sorted by severity, code, file and line.
        stats: times and counts; not reproducible.
        gone: clashes that were known or there before and are no more, in order of id.
        compared_with: the revision or snapshot that the clashes are compared with, or empty.
        declared: the environments that the settings declare, in their order.
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
    compared_with: str = ""
    declared: tuple[Declared, ...] = ()

    @property
    def undeclared(self) -> tuple[Environment, ...]:
        """The environments for specs that are in no declared one; all of them where none are declared."""
        made = {name for one in self.declared for name in one.environments}
        return tuple(environment for environment in self.environments if environment.name not in made)

    @property
    def acceptable(self) -> int:
        """How many environments there may be where nobody said how many: the declared ones, and one for the rest."""
        return max(1, len(self.declared) + bool(self.undeclared))
