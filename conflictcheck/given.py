"""What a run is given: everything that is read before the first question to an index."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from conflictcheck.baseline import read_baseline
from conflictcheck.disguise import Disguise
from conflictcheck.errors import BaselineError, InputErrors
from conflictcheck.known import Known
from conflictcheck.model import Diagnostic, ReadResult, RequirementKind, Severity
from conflictcheck.readers import read_restrictions, read_specs
from conflictcheck.readers.included import Selection, group_specs
from conflictcheck.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conflictcheck.errors import ConflictCheckError
    from conflictcheck.model import Requirement, Source, SpecId
    from conflictcheck.settings import Settings


class Given(Struct, frozen=True):
    """The input of a run.

    Attributes:
        read: the specs, and what was noticed on the way.
        shared: the lines of ``--constraint`` and ``--override`` files.
        sources: the files that were read, by the name that a report gives them.
        disguise: how addresses may be shown.
        known: clashes that are expected.
        declared: the specs of each declared environment, by its name.
    """

    read: ReadResult
    shared: tuple[Requirement, ...]
    sources: Mapping[str, Source]
    disguise: Disguise
    known: Known = field(default_factory=Known)
    declared: Mapping[str, tuple[SpecId, ...]] = field(default_factory=dict)


def read_input(settings: Settings, *, may_be_empty: bool = False) -> Given:
    """Read the specs, the lines of ``--constraint`` and ``--override`` files, and the baseline.

    Args:
        settings: of the run.
        may_be_empty: whether it is fine that there is no spec, or none that a pattern of the settings means.

    Raises:
        InputErrors: with every problem of all of them.
    """
    read = ReadResult((), (), {})
    expanded: dict[str, str] = {}
    shared: list[Requirement] = []
    sources: dict[str, Source] = {}
    problems: list[ConflictCheckError] = []
    try:
        read = read_specs(
            settings.paths,
            cwd=settings.cwd,
            with_requirements=settings.with_requirements,
            standard_input=settings.standard_input,
            allow_outside=settings.allow_outside,
            may_be_empty=may_be_empty,
            selection=None if settings.project is None else Selection(settings.project),
        )
    except InputErrors as error:
        problems += error.errors
    declared, wrong = ({}, []) if problems else _declared(settings, read, may_be_empty=may_be_empty)
    problems += wrong
    sources.update(read.sources)
    expanded.update(read.variables)
    restricting = [(file, RequirementKind.CONSTRAINT) for file in settings.constraints]
    restricting += [(file, RequirementKind.OVERRIDE) for file in settings.overrides]
    for file, kind in restricting:
        try:
            shared += read_restrictions(
                file,
                kind,
                cwd=settings.cwd,
                sources=sources,
                expanded=expanded,
                allow_outside=settings.allow_outside,
            )
        except InputErrors as error:
            problems += error.errors
    baseline: dict[str, str] = {}
    try:
        baseline = _read_baseline(settings)
    except BaselineError as error:
        problems.append(error)
    if problems:
        # A file that is both a spec and included by a constraint file has its problems once.
        raise InputErrors(list({str(problem): problem for problem in problems}.values()))
    disguise = Disguise(expanded)
    specs = tuple(replace(spec, requirements=_covered(spec.requirements, disguise)) for spec in read.specs)
    named = None if settings.baseline is None else settings.baseline.as_posix()
    known = Known(named, baseline, settings.ignore, read.conflicts)
    diagnostics = (*read.diagnostics, *_about_settings(settings))
    read = replace(read, specs=specs, diagnostics=diagnostics)
    return Given(read, _covered(shared, disguise), sources, disguise, known, declared)


def files_read(settings: Settings, given: Given) -> list[Path]:
    """Every file that a run is given; what it writes must replace none of them.

    Args:
        settings: of the run.
        given: its input.
    """
    found = [Path(source.path) for source in given.sources.values()]
    if settings.project is not None:
        found.append(settings.cwd / settings.project.file)
    if settings.baseline is not None:
        found.append(settings.cwd / settings.baseline)
    if settings.index.snapshot is not None:
        found.append(settings.index.snapshot)
    return found


def _read_baseline(settings: Settings) -> dict[str, str]:
    """The entries of the baseline; none where there is none yet, and the run is to write it."""
    if settings.baseline is None:
        return {}
    path = settings.cwd / settings.baseline
    is_new = settings.write_baseline is not None and path == settings.cwd / settings.write_baseline
    if is_new and not path.exists():
        return {}
    return read_baseline(path, settings.baseline.as_posix())


def _declared(
    settings: Settings, read: ReadResult, *, may_be_empty: bool
) -> tuple[dict[str, tuple[SpecId, ...]], Sequence[ConflictCheckError]]:
    """The declared environments that hold, and what is wrong with them.

    Whoever names a file asks about just what is named; a folder is searched, and what is declared of it holds.
    """
    if settings.project is None:
        return {}, ()
    if not all(os.path.isdir(settings.cwd / path) for path in settings.paths):  # noqa: PTH112 - pathlib's fails on some names
        return {}, ()
    whole = not settings.paths and not may_be_empty and settings.cwd == settings.project.folder
    return group_specs(settings.project, read.specs, settings.cwd, whole=whole)


def _about_settings(settings: Settings) -> list[Diagnostic]:
    if settings.project is None or not settings.project.keys:
        return []
    message = f"its settings hold for this run: {', '.join(map(printable, settings.project.keys))}"
    return [Diagnostic(Severity.NOTE, "settings-file", message, settings.project.file)]


def _covered(lines: Sequence[Requirement], disguise: Disguise) -> tuple[Requirement, ...]:
    """The lines with their addresses as they may be shown."""
    return tuple(line if line.url is None else replace(line, url=disguise.cover(line.url)) for line in lines)
