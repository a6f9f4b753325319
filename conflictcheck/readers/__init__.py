"""Reading specs: files become `Spec` values whose every requirement keeps file and line."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from conflictcheck.errors import InputErrors, SpecError
from conflictcheck.model import ReadResult, RequirementKind, Severity, Spec, SpecId, in_order
from conflictcheck.readers.base import DESCRIPTORS, STANDARD_INPUT, Unnamed, Workspace
from conflictcheck.readers.conflicts import declared_conflicts
from conflictcheck.readers.discovery import find_files
from conflictcheck.readers.lines import Origin, parse_requirement
from conflictcheck.readers.pyproject import PyprojectReader
from conflictcheck.readers.requirements import RequirementsReader
from conflictcheck.readers.requirements_file import read_requirements_file
from conflictcheck.readers.script import ScriptReader
from conflictcheck.readers.setuptools_files import SetuptoolsReader
from conflictcheck.readers.tool_settings import warn_of_user_settings
from conflictcheck.text import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from conflictcheck.model import Requirement, Source
    from conflictcheck.readers.base import Reader
    from conflictcheck.readers.included import Selection

_REQUIREMENTS = RequirementsReader()
READERS: tuple[Reader, ...] = (ScriptReader(), _REQUIREMENTS, PyprojectReader(), SetuptoolsReader())
"""Every input format; the first that takes a file reads it."""

WITH = SpecId("--with")
"""The spec made of the requirements given with ``--with``."""

_STANDARD_INPUT = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


def names_standard_input(paths: Sequence[str]) -> bool:
    """Whether one of the SPEC arguments stands for standard input."""
    return any(path.partition("#")[0] in _STANDARD_INPUT for path in paths)


def read_specs(
    paths: Sequence[str],
    *,
    cwd: Path,
    with_requirements: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    standard_input: bytes | None = None,
    allow_outside: bool = False,
    may_be_empty: bool = False,
    selection: Selection | None = None,
) -> ReadResult:
    """Find and read specs.

    Args:
        paths: files, sections (``pyproject.toml#extra:gpu``), folders to search, and ``-`` for a requirements file on
            standard input; none means `cwd`.
        cwd: absolute; spec ids are relative to it.
        with_requirements: the lines of one more spec, `WITH`.
        variables: for ``${VARIABLES}`` in requirements files; None takes the environment's.
        standard_input: what ``-`` stands for, or None where there is none.
        allow_outside: whether files may lead to others outside of the working trees that `paths` and `cwd` are in.
        may_be_empty: whether it is fine that a folder or a file holds no spec.
        selection: what a search takes of what it finds; all if None.

    Returns:
        The specs, each once, in the order of `paths` and of the search, and the notes in a fixed order.

    Raises:
        InputErrors: with every problem of the input.
    """
    values = dict(os.environ if variables is None else variables)
    workspace = Workspace(cwd, values, standard_input, allow_outside)
    specs: dict[SpecId, Spec] = {}
    for given in paths or ["."]:
        try:
            # What --with says is enough where nobody named a folder.
            is_enough = may_be_empty or (not paths and bool(with_requirements))
            found = _read_given(given, workspace, selection, may_be_empty=is_enough)
        except SpecError as error:
            workspace.problem(error, file=workspace.name(workspace.locate(given)))
            continue
        for spec in found:
            specs.setdefault(spec.id, spec)
    if with_requirements:
        specs.setdefault(WITH, _read_with(with_requirements, workspace))
    if workspace.problems:
        raise InputErrors(workspace.distinct_problems())
    _tell_unnamed(workspace, specs)
    warn_of_user_settings(workspace)
    return ReadResult(
        tuple(specs.values()),
        in_order(workspace.diagnostics),
        workspace.sources(),
        workspace.expanded,
        declared_conflicts(workspace.conflicts, workspace.projects),
    )


def read_restrictions(
    file: str,
    kind: RequirementKind,
    *,
    cwd: Path,
    variables: Mapping[str, str] | None = None,
    sources: dict[str, Source] | None = None,
    expanded: dict[str, str] | None = None,
    allow_outside: bool = False,
) -> tuple[Requirement, ...]:
    """The lines of a file given with ``--constraint`` or ``--override``.

    Args:
        file: as given.
        kind: what its lines do.
        cwd: absolute; the spec id of the lines is the file's path relative to it.
        variables: as for `read_specs`.
        sources: takes in the files that are read, by name.
        expanded: takes in the values of variables that addresses have.
        allow_outside: as for `read_specs`.

    Raises:
        InputErrors: with every problem of the file.
    """
    values = dict(os.environ if variables is None else variables)
    workspace = Workspace(cwd, values, allow_outside=allow_outside)
    path = workspace.locate(file)
    workspace.allow(path)
    is_pipe = path != STANDARD_INPUT and _is_pipe(path)  # a spec may have read that, and then it is empty
    name = _pipe_name(path, workspace) if is_pipe else workspace.name(path)
    try:
        if is_pipe:
            workspace.take_pipe(path, name)
        collected = read_requirements_file(path, SpecId(name), workspace, restricting=kind)
    except SpecError as error:
        hint = error.hint or f"name another file with --{kind}"
        workspace.problem(SpecError(error.message, file=error.file, line=error.line, hint=hint), file=name)
    if workspace.problems:
        raise InputErrors(workspace.distinct_problems())
    if sources is not None:
        sources.update(workspace.sources())
    if expanded is not None:
        expanded.update(workspace.expanded)
    return tuple(collected.requirements)


def _read_given(
    given: str, workspace: Workspace, selection: Selection | None, *, may_be_empty: bool = False
) -> list[Spec]:
    """The specs of one SPEC argument."""
    if not given:
        raise SpecError("an empty SPEC", file=None, hint="write . for the working directory")
    path, section = workspace.locate(given), None
    # os.path, since pathlib's questions fail on a name that is too long.
    if not os.path.exists(path) and "#" in given:  # noqa: PTH110
        given, _, section = given.rpartition("#")
        path = workspace.locate(given)
    if given in _STANDARD_INPUT:
        path = STANDARD_INPUT
    workspace.allow(path)
    if os.path.isdir(path):  # noqa: PTH112
        if section is not None:
            raise SpecError("a folder has no sections", hint="name the file, such as pyproject.toml#extra:gpu")
        return _search(path, workspace, selection, may_be_empty=may_be_empty)
    return _read_named(path, section, workspace, may_be_empty=may_be_empty)


def _read_named(path: Path, section: str | None, workspace: Workspace, *, may_be_empty: bool) -> list[Spec]:
    """The specs of one file: whoever names it expects some, so what yields none is no success."""
    is_pipe = _is_pipe(path)
    name = _pipe_name(path, workspace) if is_pipe else workspace.name(path)
    if not is_pipe and not os.path.lexists(path):
        raise _missing(path, name)
    reader = _REQUIREMENTS if is_pipe else _reader_of(path, workspace)
    before = len(workspace.problems)
    try:
        if is_pipe:
            workspace.take_pipe(path, name)
        specs = list(reader.read(path, section, workspace))
    except SpecError as error:
        raise SpecError(error.message, file=error.file or name, line=error.line, hint=error.hint) from None
    if not specs and not may_be_empty and len(workspace.problems) == before:
        raise SpecError("no spec in this file", file=name, hint=f"looked for {reader.looked_for}")
    if reader is _REQUIREMENTS and not any(map(_asks, specs)):
        what = "standard input" if path == STANDARD_INPUT else "this pipe" if is_pipe else "this file"
        workspace.note("empty-input", f"{what} asks for nothing", file=name, severity=Severity.WARNING)
    return specs


def _is_pipe(path: Path) -> bool:
    """Whether it can be read only once, and its name says nothing of what is in it."""
    if path == STANDARD_INPUT or path.parent in DESCRIPTORS:
        return True
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _pipe_name(path: Path, workspace: Workspace) -> str:
    if path == STANDARD_INPUT:
        return "-"
    return path.as_posix() if path.parent in DESCRIPTORS else workspace.name(path)


def _reader_of(path: Path, workspace: Workspace) -> Reader:
    for reader in READERS:
        if reader.accepts(path, workspace):
            return reader
    kinds = ", ".join(f"{reader.label} ({reader.names})" for reader in READERS)
    raise SpecError("not a file of a known kind", file=workspace.name(path), hint=f"known are {kinds}")


def _missing(path: Path, name: str) -> SpecError:
    try:
        path.lstat()
    except PermissionError as error:  # its folder may not be looked into
        return SpecError(f"cannot be read: {error.strerror}", file=name)
    except (OSError, ValueError):
        pass
    return SpecError("no such file or folder", file=name, hint=_similar(path))


def _similar(path: Path) -> str | None:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - only for this message

    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {quote(close[0])}?" if close else None


def _search(folder: Path, workspace: Workspace, selection: Selection | None, *, may_be_empty: bool) -> list[Spec]:
    """The specs in a folder; a file that another one includes is part of that, not a spec of its own."""
    read: list[tuple[Path, Reader, list[Spec]]] = []
    before = len(workspace.problems)
    named = selection.named_files(folder) if selection else []
    any_made = False
    for path, reader in _files_in(folder, workspace, selection):
        if path not in named and reader.is_made(path, workspace):
            # Pins of an earlier split would clash with their sources as soon as these are edited.
            any_made = True
            workspace.note(
                "passed-over", "made by conflictcheck; name it as a SPEC if it is to be one", file=workspace.name(path)
            )
            continue
        if path not in named and reader.only_named:
            workspace.unnamed[path] = Unnamed(reader.label, reader.advice(path), states_project=True)
            continue
        try:
            read.append((path, reader, list(reader.read(path, None, workspace))))
        except SpecError as error:
            workspace.problem(error, file=workspace.name(path))
    found: list[Spec] = []
    for path, reader, specs in read:
        file = workspace.name(path)
        if how := _inclusion(path, workspace):
            workspace.note("passed-over", how, file=file)
        elif not (specs := [spec for spec in specs if _asks(spec)]):
            workspace.note("passed-over", f"{reader.label} that asks for nothing", file=file)
        elif selection and not (
            specs := [spec for spec in specs if selection.takes(path, spec.id.removeprefix(file).removeprefix("#"))]
        ):
            workspace.note("passed-over", f"left out by {selection.file}", file=file)
        else:
            workspace.note("spec-found", f"{reader.label}{_sections(specs, file)}", file=file)
            found += specs
    if not found and not may_be_empty and len(workspace.problems) == before:
        looked_for = "; ".join(reader.looked_for for reader in READERS if not reader.only_named)
        left = f"; include and exclude of {selection.file} count" if selection and selection.chooses else ""
        made = "; what conflictcheck made is no spec unless it is named" if any_made else ""
        labels = sorted({one.label for one in workspace.unnamed.values()})
        unnamed = "".join(f"; {label} is no spec unless it is named" for label in labels)
        raise SpecError("no spec in this folder", hint=f"looked for {looked_for}{left}{made}{unnamed}")
    return found


def _files_in(folder: Path, workspace: Workspace, selection: Selection | None) -> Iterator[tuple[Path, Reader]]:
    """The files of a search that settings leave in, and those that settings name."""
    seen = set()
    for path, reader in find_files(folder, READERS, workspace):
        seen.add(path)
        if selection is None or selection.takes_file(path):
            yield path, reader
        else:
            workspace.note("passed-over", f"left out by {selection.file}", file=workspace.name(path))
    for path in selection.named_files(folder) if selection else ():
        if path not in seen and selection and selection.takes_file(path):
            yield path, _reader_of(path, workspace)


def _tell_unnamed(workspace: Workspace, specs: Mapping[SpecId, Spec]) -> None:
    """Warn of what searches left to the user to name, and nobody did: neither as a SPEC, nor its folder in a line."""
    asked = {
        requirement.url
        for spec in specs.values()
        for requirement in spec.requirements
        if requirement.kind is RequirementKind.REQUIREMENT
    }
    for path, one in workspace.unnamed.items():
        file = workspace.name(path)
        severity = Severity.NOTE
        if one.states_project and path.parent.as_uri() in asked:
            what = f"{one.label}, which a SPEC or a line names"
        elif file in specs and not one.states_project:
            continue
        elif not (what := _inclusion(path, workspace)):
            what = f"{one.label}, which a search does not take; {one.advice}"
            severity = Severity.WARNING if one.states_project else Severity.NOTE
        workspace.note("passed-over", what, file=file, severity=severity)


def _inclusion(path: Path, workspace: Workspace) -> str:
    """Which file includes another, and how; empty where none does."""
    if not (by := workspace.included_by(path)):
        return ""
    how = "as constraints" if by[0][0] is RequirementKind.CONSTRAINT else "whole"
    return f"included by {workspace.name(by[0][1])}, {how}"


def _asks(spec: Spec) -> bool:
    return any(requirement.kind is RequirementKind.REQUIREMENT for requirement in spec.requirements)


def _sections(specs: list[Spec], file: str) -> str:
    names = [spec.id.removeprefix(file).removeprefix("#") for spec in specs if spec.id != file]
    return f" with {', '.join(names)}" if names else ""


def _read_with(lines: Sequence[str], workspace: Workspace) -> Spec:
    origin = Origin(WITH, None, None, (workspace.cwd,))
    requirements = []
    for line in lines:
        try:
            requirements.append(parse_requirement(line, origin))
        except SpecError as error:
            workspace.problem(SpecError(f"--with: {error.message}", hint=error.hint))
    return Spec(WITH, None, tuple(requirements))
