"""What every reader is, and what a reading shares: the places, the problems and the notes."""

from __future__ import annotations

import os
import select
import stat
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct, field

from conflictcheck.errors import InputErrors, SpecError
from conflictcheck.model import Diagnostic, RequirementKind, Severity, Source
from conflictcheck.readers.toml_document import TomlDocument, parse_toml
from conflictcheck.text import SIZE_LIMIT, decode, expand_addresses, printable, redact, variables_in
from conflictcheck.uv_sources import UvSources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conflictcheck.model import Spec

STANDARD_INPUT = Path("/dev/stdin")
"""Stands for it on every system; what it is really called there does not matter."""

DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))
"""Folders of files that are open already."""

PIPE_PATIENCE = 60.0
"""Seconds that a named pipe is waited for until somebody writes to it."""

MOST_PROBLEMS = 10_000
"""Different errors to look for; whoever made more of them has named the wrong file."""


class Unnamed(Struct, frozen=True):
    """What is said of a file that a search finds and leaves to the user to name.

    Attributes:
        label: what it is.
        advice: what to do about it.
        states_project: whether its folder is a project that a line may name, and which is missed where none does.
    """

    label: str
    advice: str
    states_project: bool


class Workspace(Struct):
    """What one reading shares.

    Problems are collected, so that all of the input's are reported at once.

    Attributes:
        cwd: absolute; names are relative to it.
        variables: the environment, for ``${VARIABLES}``.
        standard_input: what was piped in, or None.
        allow_outside: whether files outside of what the user named may be read.
        problems: the errors met so far.
        diagnostics: the notes and warnings met so far.
        expanded: the values of the variables that addresses had so far.
        included: files that a spec's file includes, each with the kind of its lines and the file that names it.
        unnamed: files that a search leaves to the user to name.
        uv_tomls: the ``uv.toml`` that holds for specs in a folder, or None.
        projects: the names of files that state a project, by the project's name.
        conflicts: for each set of sections that a file says exclude each other, the file, and for each section the name
            of the project and what follows it in the spec id.
        declared: of such files that projects lie below: the same as they are written there.
    """

    cwd: Path
    variables: dict[str, str]
    standard_input: bytes | None = None
    allow_outside: bool = False
    problems: list[SpecError] = field(default_factory=list)
    diagnostics: set[Diagnostic] = field(default_factory=set)
    expanded: dict[str, str] = field(default_factory=dict)
    included: dict[Path, set[tuple[RequirementKind, Path]]] = field(default_factory=dict)
    unnamed: dict[Path, Unnamed] = field(default_factory=dict)
    uv_tomls: dict[Path, Path | None] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    conflicts: list[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=list)
    declared: dict[Path, list[tuple[str, tuple[tuple[str, str], ...]]]] = field(default_factory=dict)
    _uv_sources: UvSources | None = None
    _contents: dict[Path, bytes] = field(default_factory=dict)
    _documents: dict[Path, TomlDocument] = field(default_factory=dict)
    _piped: dict[Path, str] = field(default_factory=dict)
    _named: set[Path] = field(default_factory=set)
    _trees: set[str] = field(default_factory=set)
    _different: set[str] = field(default_factory=set)

    def locate(self, name: str | Path) -> Path:
        """The absolute path that a name given by the user means; symbolic links are kept."""
        return Path(os.path.normpath(self.cwd / name))

    def allow(self, path: Path) -> None:
        """The user named this file or folder: it may be read, and all of the working tree that it is in."""
        self._named.add(path)
        self._trees.add(_working_tree(path if os.path.isdir(path) else path.parent))  # noqa: PTH112 - see discovery

    def trust(self, path: Path) -> None:
        """This one file may be read wherever it is; what it leads to may not."""
        self._named.add(path)

    def check_inside(self, path: Path) -> None:
        """Refuse a file that a file led to, or a link, outside of the working trees that the user named something in.

        Raises:
            SpecError: without the file's name.
        """
        if self.allow_outside or path in self._named:
            return
        real = os.path.realpath(path)
        trees = self._trees | {_working_tree(self.cwd)}
        if not any(real == tree or real.startswith(os.path.join(tree, "")) for tree in trees):  # noqa: PTH118 - text
            raise SpecError("outside of the working tree", hint="name it as a SPEC, too, or give --allow-outside")

    def name(self, path: Path) -> str:
        """`path` as the user would name it: POSIX, relative to the working directory, without control characters."""
        if path in self._piped:
            return self._piped[path]
        try:
            relative = os.path.relpath(path, self.cwd)
            if relative.startswith(".."):
                # The working directory may be known by a link's name.
                real = os.path.relpath(os.path.realpath(path), os.path.realpath(self.cwd))
                relative = relative if real.startswith("..") else real
        except ValueError:  # another drive
            relative = str(path)
        return printable(Path(relative).as_posix())

    def folder(self, path: Path) -> Path:
        """Where relative names in a file start: its folder; for what came through a pipe the working directory."""
        return self.cwd if path in self._piped else path.parent

    def take_pipe(self, path: Path, name: str) -> None:
        """Read what can be read only once, so that `load` and `name` know it from now on.

        Args:
            path: absolute; `STANDARD_INPUT`, a named pipe, or an open file's descriptor.
            name: for reports.

        Raises:
            SpecError: it cannot be read, or is too large; without its name.
        """
        if path in self._piped:
            return
        try:
            if path == STANDARD_INPUT:
                if self.standard_input is None:
                    raise SpecError("there is no standard input here", hint="name a file")
                data = self.standard_input
            else:
                data = _read_pipe(path)
        except (OSError, ValueError) as error:
            raise SpecError(f"cannot be read: {getattr(error, 'strerror', None) or 'not a usable name'}") from None
        self._contents[path] = _bounded(data)
        self._piped[path] = printable(name)

    def load(self, path: Path, *, keep: bool = True) -> bytes:
        """The content of a file.

        Args:
            path: absolute.
            keep: whether to keep it for the next who asks.

        Raises:
            SpecError: it is outside of what the user named, missing, unreadable, no regular file, or too large; without
                the file's name.
        """
        if path in self._contents:
            return self._contents[path]
        self.check_inside(path)
        try:
            if not path.is_file():  # a device or a pipe might never end
                what = "a folder, not a file" if path.is_dir() else "not a regular file"
                absent = "a link that leads to no file" if path.is_symlink() else "no such file"
                raise SpecError(what if path.exists() else absent)
            with path.open("rb") as stream:
                data = stream.read(SIZE_LIMIT + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a usable file name"
            raise SpecError(f"cannot be read: {reason}") from None
        _bounded(data)
        if keep:
            self._contents[path] = data
        return data

    def load_toml(self, path: Path) -> TomlDocument:
        """The document in a file, parsed once: a ``pyproject.toml`` matters to each spec in its folder and below.

        Raises:
            SpecError: see `load`, or it is no TOML.
        """
        if path not in self._documents:
            self._documents[path] = parse_toml(decode(self.load(path)))
        return self._documents[path]

    @property
    def uv_sources(self) -> UvSources:
        """What ``[tool.uv.sources]`` of the files here say."""
        if self._uv_sources is None:
            self._uv_sources = UvSources(lambda path: self.load_toml(path).data)
        return self._uv_sources

    def begins_with(self, path: Path, mark: bytes) -> bool:
        """Whether a file begins with a mark; not where it cannot be read. It does not count as read."""
        try:
            self.check_inside(path)
            if not path.is_file():
                return False
            with path.open("rb") as stream:
                return stream.read(len(mark)) == mark
        except (SpecError, OSError, ValueError):
            return False

    def expand(self, requirement: str) -> str:
        """The text of a requirement with the ``${VARIABLES}`` of its URL replaced, whose values are noted."""
        value = expand_addresses(requirement, self.variables)
        if value != requirement:
            self.note_expanded(variables_in(requirement))
        return value

    def note_expanded(self, names: Iterable[str]) -> None:
        """Note the values of variables that stand in a URL, which no message is to show."""
        self.expanded.update((name, self.variables.get(name, "")) for name in names)

    def sources(self) -> dict[str, Source]:
        """The files that were read and kept, by the names that requirements give them; what was piped in is no file."""
        files = {path: content for path, content in self._contents.items() if path not in self._piped}
        return {self.name(path): Source(str(path), content) for path, content in files.items()}

    def problem(self, error: SpecError, *, file: str | None = None, line: int | None = None) -> None:
        """Collect an error, with the place added where it does not know it yet.

        Raises:
            InputErrors: there are so many that the input cannot be what it was taken for.
        """
        problem = SpecError(
            printable(redact(error.message)),
            file=error.file if error.file is not None else file,
            line=error.line if error.line is not None else line,
            hint=None if error.hint is None else printable(redact(error.hint)),
        )
        self.problems.append(problem)
        self._different.add(str(problem))
        if len(self._different) >= MOST_PROBLEMS:
            self.problems.append(SpecError(f"given up after {MOST_PROBLEMS:,} problems", hint="are these specs?"))
            raise InputErrors(self.distinct_problems())

    def distinct_problems(self) -> list[SpecError]:
        """Each problem once: a file that many specs include has it once."""
        return list({str(problem): problem for problem in self.problems}.values())

    def note(
        self,
        code: str,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        severity: Severity = Severity.NOTE,
    ) -> None:
        """Collect a diagnostic."""
        self.diagnostics.add(Diagnostic(severity, code, printable(redact(message)), file, line))

    def include(self, path: Path, *, kind: RequirementKind, by: Path) -> None:
        """Record that a file is part of another, so that a search does not take it for a spec of its own."""
        self.included.setdefault(path, set()).add((kind, by))

    def included_by(self, path: Path) -> list[tuple[RequirementKind, Path]]:
        """The other files that include `path`, those with ``-r`` first."""
        return sorted(
            ((kind, by) for kind, by in self.included.get(path, ()) if by != path),
            key=lambda pair: (pair[0] is not RequirementKind.REQUIREMENT, pair[1]),
        )


def _working_tree(folder: Path) -> str:
    """The real path of the working tree of version control that a folder is in; of none, the folder itself."""
    real = Path(os.path.realpath(folder))
    marks = (".git", ".hg", ".svn")
    return str(
        next((place for place in (real, *real.parents) if any(map(os.path.lexists, map(place.joinpath, marks)))), real)
    )


def _read_pipe(path: Path) -> bytes:
    """What comes through a named pipe, or a file that is open already."""
    if os.name == "nt" or not stat.S_ISFIFO(path.stat().st_mode) or path.parent in DESCRIPTORS:
        with path.open("rb") as stream:
            return stream.read(SIZE_LIMIT + 1)
    # Opened so, it does not wait for a writer; `select` does, and not for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
        if not select.select([descriptor], [], [], PIPE_PATIENCE)[0]:
            raise SpecError(
                f"nobody wrote to this pipe in {PIPE_PATIENCE:g} seconds",
                hint="start what writes to it, or name a file",
            )
        os.set_blocking(descriptor, True)
        return stream.read(SIZE_LIMIT + 1)


def _bounded(data: bytes) -> bytes:
    if len(data) > SIZE_LIMIT:
        raise SpecError(f"larger than {SIZE_LIMIT // 1024**2} MiB", hint="is it really a spec?")
    return data


class Reader(ABC):
    """One input format: which files it reads, and how a file becomes specs.

    A further format is one file with a subclass, and one line in `conflictcheck.readers.READERS`.

    Attributes:
        label: what a file of this kind is called: ``a requirements file``.
        names: the names of the files that `accepts` takes, for the message that a file is of no known kind.
        looked_for: what is looked for, in a folder or in a file that is named, for the message that there is none.
        only_named: whether a search does not take the files that it finds, but warns of each that nobody asks for.
    """

    label: ClassVar[str]
    names: ClassVar[str]
    looked_for: ClassVar[str]
    only_named: ClassVar[bool] = False

    @abstractmethod
    def finds(self, path: Path, workspace: Workspace) -> bool:
        """Whether a folder search takes this file, by its name or, where that is cheap, its content."""

    @abstractmethod
    def accepts(self, path: Path, workspace: Workspace) -> bool:
        """Whether a file named by the user is of this kind, by its name or, where that says little, its content."""

    @abstractmethod
    def read(self, path: Path, section: str | None, workspace: Workspace) -> Sequence[Spec]:
        """The specs of a file, or of one section of it.

        Problems that concern single lines are collected in the workspace, and the rest is read on.

        Args:
            path: absolute.
            section: what follows ``#`` in the spec id, or None for all that the file holds.
            workspace: for names, problems and notes.

        Raises:
            SpecError: nothing of it can be read; file and line are added where missing.
        """

    def passes_over(self, path: Path) -> str | None:  # noqa: ARG002 - most kinds pass over nothing
        """Why a search passes over a file that looks like one of this kind, or None."""
        return None

    def advice(self, path: Path) -> str:  # noqa: ARG002 - a file that can be named needs no other
        """What to do about a file that a search finds and does not take."""
        return "name it as a SPEC, or exclude it in the settings"

    def is_made(self, path: Path, workspace: Workspace) -> bool:  # noqa: ARG002 - no kind but requirements is written
        """Whether conflictcheck made this file, so that a search passes over it: what it was made from is read."""
        return False
