"""``pyproject.toml``: the project's own dependencies, its extras and its dependency groups.

Sources: PEP 621, PEP 735; that an extra or group comes with the project's own dependencies is how uv installs it.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.model import IndexOptions, Requirement, RequirementKind, Severity, Spec, SpecId
from conflictcheck.readers.base import Reader
from conflictcheck.readers.conflicts import read_conflicts
from conflictcheck.readers.lines import Origin, parse_python, parse_requirement
from conflictcheck.readers.not_applied import warn_of_sources, warn_of_tables
from conflictcheck.readers.not_taken import INSTEAD, not_read
from conflictcheck.readers.project_tables import read_tables
from conflictcheck.readers.references import parse_reference, project_name
from conflictcheck.readers.requirements_file import read_requirements_file
from conflictcheck.readers.setuptools_files import SetupFile, find_setup_file
from conflictcheck.readers.tool_settings import warn_of_project_settings
from conflictcheck.text import quote
from conflictcheck.uv_sources import source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from packaging.markers import Marker

    from conflictcheck.readers.base import Workspace
    from conflictcheck.readers.project_tables import Entry, Tables
    from conflictcheck.readers.toml_document import TomlDocument
    from conflictcheck.uv_sources import ProjectSources

MOST_LINES = 20_000
"""Requirements of one section, with all that it includes."""

MOST_IN_FILE = 200_000
"""Requirements of all sections of a file, each time counted: sections that include one another have them many times."""

MOST_INCLUDES = 2_000
"""Extras and groups that one section includes, each time counted."""

DEEPEST = 100
"""Extras or groups that include one another in a chain."""


_BACKEND = ("build-system", "build-backend")

_ROOT = re.compile(r"file:/{2,3}\$\{PROJECT_ROOT\}|\{root:uri\}")
"""The folder of the project in a URL, as PDM and uv, and Hatch, have it written."""

_STATED_HERE = (
    "flit",
    "flit_core",
    "hatchling",
    "mesonpy",
    "pdm",
    "poetry",
    "scikit_build_core",
    "setuptools",
    "uv_build",
)
"""Build backends that know of no dependencies but those in files that are read here."""


class PyprojectReader(Reader):
    """``pyproject.toml``; the file is a spec, and so is each extra and group."""

    label: ClassVar[str] = "a pyproject.toml"
    names: ClassVar[str] = "*.toml"
    looked_for: ClassVar[str] = (
        "pyproject.toml with [project], [dependency-groups], [tool.poetry] or [tool.flit.metadata]"
    )

    def finds(self, path: Path, workspace: Workspace) -> bool:  # noqa: ARG002 - the name is enough
        """By its name."""
        return path.name == "pyproject.toml"

    def accepts(self, path: Path, workspace: Workspace) -> bool:  # noqa: ARG002 - the name is enough
        """By its extension; whether it has the tables shows when it is read."""
        return path.suffix.lower() == ".toml"

    def read(self, path: Path, section: str | None, workspace: Workspace) -> Sequence[Spec]:
        """The main spec, each extra and each group; or the one section that is named."""
        document = workspace.load_toml(path)
        if path.name != "pyproject.toml" and _is_of_pixi(document):
            raise SpecError(not_read("a workspace of pixi"), hint=INSTEAD)
        file = workspace.name(path)
        warn_of_tables(
            document,
            file,
            workspace,
            replaced=warn_of_project_settings(path.parent, workspace),
            follows_sources=path.name == "pyproject.toml",
        )
        project = _Project(path, document, workspace)
        project.apart = read_conflicts(path, document, project.tables, workspace)
        return project.all_specs() if section is None else [project.section(section)]


def _is_of_pixi(document: TomlDocument) -> bool:
    """Whether it is a manifest of pixi, which calls its first table ``workspace``, once ``project``."""
    return any(document.get(table, "channels") is not None for table in ("workspace", "project"))


class _Project:
    """One file and its sections."""

    def __init__(self, path: Path, document: TomlDocument, workspace: Workspace) -> None:
        self.path = path
        self.file = workspace.name(path)
        self.requirements = 0  # met so far
        self.workspace = workspace
        self.tables: Tables = read_tables(document)
        for problem in self.tables.problems:
            workspace.problem(problem, file=self.file)
        self.files: dict[NormalizedName | None, list[Path]] = {}  # of setuptools, by extra; None is the main spec
        self.apart: frozenset[NormalizedName] = frozenset()  # groups that come without the project's own dependencies
        self.left_to_build = False  # what the project itself needs, or on which Python
        self._document = document
        self._sources = self._read_sources() if path.name == "pyproject.toml" else None
        self._setup: SetupFile | None = None
        self._backend: str | None = None  # that alone knows the project
        if not self.tables.has_project and path.name == "pyproject.toml":
            self._read_build()
        self._read_dynamic()
        self._extras = dict.fromkeys([*self.tables.extras, *(name for name in self.files if name is not None)])
        for line, key, source in self.tables.bound:
            workspace.note(
                "not-applied",
                f"the source {quote(source)} of {quote(key)} is not applied: the indexes of the run are asked",
                file=self.file,
                line=line,
                severity=Severity.WARNING,
            )
        for unused in self.tables.unused:
            workspace.note(
                "not-applied",
                f"{'.'.join(unused)} is not applied: [project] states the dependencies",
                file=self.file,
                line=document.line(*unused),
                severity=Severity.WARNING,
            )

    def all_specs(self) -> list[Spec]:
        """The main spec, the extras, the groups."""
        has_project = self.tables.has_project or self.left_to_build
        specs = [_Section(self, "").spec()] if has_project else []
        specs += [_Section(self, f"#extra:{name}").with_extra(name).spec() for name in self.extras()]
        specs += [self._group(name).spec() for name in self.tables.groups]
        return specs

    def section(self, section: str) -> Spec:
        """One extra or group.

        Raises:
            SpecError: there is none of that name.
        """
        kind, colon, written = section.partition(":")
        name = canonicalize_name(written)
        if not colon or kind not in ("extra", "group"):
            raise SpecError(f"unknown section {quote(section)}", hint="write #extra:NAME or #group:NAME")
        known = self.extras() if kind == "extra" else list(self.tables.groups)
        if name not in known:
            raise _unknown(kind, written, known)
        if kind == "extra":
            return _Section(self, f"#extra:{name}").with_extra(name).spec()
        return self._group(name).spec()

    def extras(self) -> list[NormalizedName]:
        """Their names, in the order of the file."""
        return list(self._extras)

    def _group(self, name: NormalizedName) -> _Section:
        return _Section(self, f"#group:{name}", is_apart=name in self.apart).with_group(name)

    def itself(self, spec: SpecId) -> Requirement:
        """The project as a requirement: its folder, which may tell what the build would say."""
        folder = self.path.parent if self.path.name == "pyproject.toml" else self.path
        if self._setup is not None:
            return self._setup.requirement(spec, self._name, folder)
        if self._backend is not None:
            text, line = f"build-backend = {quote(self._backend)}", self._document.line(*_BACKEND)
        else:
            text = f"dynamic = [{', '.join(map(quote, self.tables.dynamic))}]"
            line = self._document.line("project", "dynamic")
        return Requirement(spec, text, self._name, SpecifierSet(), url=folder.as_uri(), file=self.file, line=line)

    def expand(self, requirement: str) -> str:
        """The text of a requirement with the project's folder and the variables of its URL filled in."""
        folder = self.path.parent.as_uri()
        return self.workspace.expand(_ROOT.sub(lambda _: folder, requirement))

    @cached_property
    def _name(self) -> NormalizedName:
        """Of the project; where nothing states one, of its folder."""
        return self.tables.name or project_name(self.path.parent) or canonicalize_name(self.path.parent.name)

    def has_extra(self, name: NormalizedName) -> bool:
        """Whether there is such an extra."""
        return name in self._extras

    def placed(self, requirement: Requirement) -> Requirement:
        """A requirement with the place that ``[tool.uv.sources]`` gives it.

        Raises:
            SpecError: there is nothing of the kind, with file and line.
        """
        if self._sources is None or requirement.url is not None:
            return requirement
        try:
            place = self._sources.place(requirement.name)
            if place is None:
                return requirement
            # What is wrong with a path is said as where a line has it.
            reference = parse_reference(place.path.as_uri(), (place.path.parent,))
        except SpecError as error:
            message = f"{source_of(requirement.name)}: {error.message}"
            raise SpecError(message, file=requirement.file, line=requirement.line, hint=error.hint) from None
        if reference.name not in (None, requirement.name):
            message = f"{source_of(requirement.name)} is of {reference.name}"
            raise SpecError(message, file=requirement.file, line=requirement.line)
        return replace(requirement, specifier=SpecifierSet(), url=reference.url, editable=place.editable)

    def _read_sources(self) -> ProjectSources:
        """The sources of uv that hold for it; say which of those in the root of its workspace are not applied."""
        found = self.workspace.uv_sources.of(self.path.parent, self._document.data)
        if found.root is not None and found.root != self.path.parent:
            root = found.root / "pyproject.toml"
            warn_of_sources(self.workspace.load_toml(root), self.workspace.name(root), self.workspace)
        if (problem := found.problem) is not None:
            what_helps = "; with --allow-outside it is" if "--allow-outside" in (problem.hint or "") else ""
            message = (
                f"the pyproject.toml above, which may be the root of a workspace, is not looked at: {problem.message}"
            )
            self.workspace.note("not-applied", message + what_helps, file=self.file, severity=Severity.WARNING)
        return found

    def _read_build(self) -> None:
        """Find a project that only the files of setuptools state, or that only its build knows."""
        self._setup = find_setup_file(self.path.parent, self.workspace)
        backend = self._document.get(*_BACKEND)
        if self._setup is not None:
            self._setup.warn_of_extras(self.workspace)
        elif isinstance(backend, str) and self._document.get("tool", "poetry") is None:
            package = backend.replace(":", ".").partition(".")[0]
            self._backend = None if package in _STATED_HERE else backend
        self.left_to_build = self._setup is not None or self._backend is not None

    def _read_dynamic(self) -> None:
        """Find the files that setuptools reads dependencies from; say what is stated where nothing can be read."""
        place = ("tool", "setuptools", "dynamic")
        for key in self.tables.dynamic:
            # No file of setuptools states the Python versions.
            stated = None if key == "requires-python" else self._document.get(*place, key)
            sections = stated if key == "optional-dependencies" else {None: stated}
            found = {}
            for extra, value in sections.items() if isinstance(sections, dict) else ():
                names = value.get("file") if isinstance(value, dict) else None
                names = [names] if isinstance(names, str) else names
                if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
                    paths = [self.path.parent / name for name in names]
                    found[None if extra is None else canonicalize_name(extra)] = paths
            self.files.update(found)
            if not found and key == "optional-dependencies":
                self.workspace.note(
                    "dynamic",
                    "the optional-dependencies are dynamic: the build states them, so the extras are not known here",
                    file=self.file,
                    line=self._document.line("project", "dynamic"),
                    severity=Severity.WARNING,
                )
            elif not found:
                self.left_to_build = True


_Chain = tuple[tuple[NormalizedName, int], ...]
"""The extras or groups on the way to the one being added, each with the line that includes the next."""


class _Section:
    """The requirements of one section, being gathered."""

    def __init__(self, project: _Project, fragment: str, *, is_apart: bool = False) -> None:
        self._project = project
        self._id = SpecId(project.file + fragment)
        self._requirements: list[Requirement] = []
        self._index = IndexOptions()
        self._seen: set[tuple[str, str]] = set()
        self._is_apart = is_apart
        self._folders = (project.path.parent, project.workspace.cwd)
        tables = project.tables
        if tables.python is not None:
            value, line, written = tables.python
            try:
                self._requirements.append(parse_python(value, self._origin(line), written=written))
            except SpecError as error:
                project.workspace.problem(error)
        if not is_apart:
            self._add_itself()

    def spec(self) -> Spec:
        """What was gathered."""
        python = self._project.tables.python
        return Spec(
            self._id,
            self._project.file,
            tuple(self._requirements),
            requires_python=None if python is None else python[0],
            index=self._index,
            project=self._project.tables.name,
        )

    def with_extra(self, name: NormalizedName, marker: Marker | None = None) -> _Section:
        """Add an extra with the extras that it asks for, under a marker."""
        self._add_extra(name, marker, ())
        return self

    def with_group(self, name: NormalizedName) -> _Section:
        """Add a group that exists, with the groups that it includes."""
        self._add_group(name, ())
        return self

    def _add_itself(self, marker: Marker | None = None, chain: _Chain = ()) -> None:
        if self._is_new("project", self._id, marker, chain):
            if self._project.left_to_build:
                self._requirements.append(replace(self._project.itself(self._id), marker=marker))
            self._add(self._project.tables.main, marker, chain)
            self._add_files(None, marker, chain)

    def _add_extra(self, name: NormalizedName, marker: Marker | None, chain: _Chain) -> None:
        # Extras may ask for each other: on the way round, nothing is left to add.
        if name not in (extra for extra, _ in chain) and self._is_new("extra", name, marker, chain):
            chain = (*chain, (name, 0))
            self._add(self._project.tables.extras.get(name, []), marker, chain)
            self._add_files(name, marker, chain)

    def _add_group(self, name: NormalizedName, chain: _Chain) -> None:
        if self._is_new("group", name, None, chain):
            self._add(self._project.tables.groups[name], None, (*chain, (name, 0)))

    def _is_new(self, kind: str, name: str, marker: Marker | None, chain: _Chain) -> bool:
        if len(chain) > DEEPEST or len(self._seen) > MOST_INCLUDES:
            raise SpecError(f"the {kind}s include one another too often")
        key = (f"{kind}:{name}", str(marker))
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _origin(self, line: int) -> Origin:
        return Origin(self._id, self._project.file, line, self._folders)

    def _add(self, entries: Iterable[Entry], marker: Marker | None = None, chain: _Chain = ()) -> None:
        for entry in entries:
            self._project.requirements += 1
            if self._project.requirements > MOST_IN_FILE:
                raise SpecError(f"more than {MOST_IN_FILE:,} requirements in all sections together")
            try:
                if entry.problem:
                    raise SpecError(entry.problem)  # noqa: TRY301 - as what is wrong with a requirement
                if entry.is_include:
                    self._include(entry, chain)
                else:
                    value = self._project.expand(entry.value)
                    requirement = parse_requirement(entry.written, self._origin(entry.line), value=value)
                    self._take(requirement, marker, chain)
            except SpecError as error:
                self._project.workspace.problem(error, file=self._project.file, line=entry.line)
            if len(self._requirements) > MOST_LINES:
                raise SpecError(f"more than {MOST_LINES} requirements in one section", line=entry.line)

    def _include(self, entry: Entry, chain: _Chain) -> None:
        chain = (*chain[:-1], (chain[-1][0], entry.line))
        name = canonicalize_name(entry.value)
        if name not in self._project.tables.groups:
            raise _unknown("group", entry.value, list(self._project.tables.groups))
        for position, (group, _) in enumerate(chain):
            if group == name:
                # From its first line on, wherever it was entered, so that it is the same problem and reported once.
                loop = chain[position:]
                first = min(range(len(loop)), key=lambda at: loop[at][1])
                loop = (*loop[first:], *loop[:first])
                steps = [f"{n} (line {line})" for n, line in loop]
                raise SpecError(
                    f"the group {quote(loop[0][0])} includes itself: {' -> '.join([*steps, loop[0][0]])}",
                    line=loop[-1][1],
                    hint="take out one of these lines",
                )
        self._add_group(name, chain)

    def _take(self, requirement: Requirement, marker: Marker | None, chain: _Chain) -> None:
        if marker is not None:
            combined = marker if requirement.marker is None else marker & requirement.marker
            requirement = replace(requirement, marker=combined)
        if requirement.name != self._project.tables.name:
            try:
                self._requirements.append(self._project.placed(requirement))
            except SpecError as error:
                self._project.workspace.problem(error)
            return
        # The project itself: its own dependencies are in already, what is left is the extras it is asked for with.
        if self._is_apart:
            self._add_itself(requirement.marker, chain)
        for extra in requirement.extras:
            if not self._project.has_extra(extra):
                raise _unknown("extra", extra, self._project.extras())
            self._add_extra(extra, requirement.marker, chain)

    def _add_files(self, extra: NormalizedName | None, marker: Marker | None = None, chain: _Chain = ()) -> None:
        project = self._project
        for given in project.files.get(extra, []):
            path = project.workspace.locate(given)
            project.workspace.include(path, kind=RequirementKind.REQUIREMENT, by=project.path)
            try:
                collected = read_requirements_file(path, self._id, project.workspace, index=self._index)
            except SpecError as error:
                name = project.workspace.name(path)
                what = f"the file {quote(name)} of [tool.setuptools.dynamic]: {error.message}"
                project.workspace.problem(SpecError(what, hint=error.hint), file=project.file)
                continue
            self._index = collected.index
            for requirement in collected.requirements:
                self._take(requirement, marker, chain)


def _unknown(kind: str, written: str, known: Sequence[str]) -> SpecError:
    from difflib import get_close_matches  # noqa: PLC0415 - only for this message

    close = get_close_matches(canonicalize_name(written), known, n=1)
    have = f"there are {', '.join(known)}" if known else f"it has no {kind}s"
    return SpecError(f"no {kind} {quote(written)}; {have}", hint=f"did you mean {quote(close[0])}?" if close else None)
