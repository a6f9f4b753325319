"""What a run is given: everything that is read before the first question to an index."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conflictcheck.disguise import Disguise
from conflictcheck.errors import InputErrors
from conflictcheck.model import Diagnostic, ReadResult, RequirementKind, Severity
from conflictcheck.readers import read_restrictions, read_specs
from conflictcheck.readers.selection import Selection, group_specs
from conflictcheck.readers.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conflictcheck.errors import ConflictCheckError
    from conflictcheck.model import Requirement, Source, SpecId
    from conflictcheck.settings import Settings


@dataclass(frozen=True, slots=True)
class Given:
    """The input of a run.

    Attributes:
        read: the specs, and what was noticed on the way.
        shared: the lines of ``--constraint`` and ``--override`` files.
        sources: the files that were read, by the name that a report gives them.
        disguise: how addresses may be shown.
        declared: the specs of each declared environment, by its name.
    """

    read: ReadResult
    shared: tuple[Requirement, ...]
    sources: Mapping[str, Source]
    disguise: Disguise
    declared: Mapping[str, tuple[SpecId, ...]] = field(default_factory=dict)


def read_input(settings: Settings) -> Given:
    """Read the specs, and the lines of ``--constraint`` and ``--override`` files.

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
            selection=None if settings.project is None else Selection(settings.project),
        )
    except InputErrors as error:
        problems += error.errors
    declared, wrong = ({}, []) if problems else _declared(settings, read)
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
    if problems:
        # A file that is both a spec and included by a constraint file has its problems once.
        raise InputErrors(list({str(problem): problem for problem in problems}.values()))
    disguise = Disguise(expanded)
    specs = tuple(replace(spec, requirements=_covered(spec.requirements, disguise)) for spec in read.specs)
    diagnostics = (*read.diagnostics, *_about_settings(settings))
    read = replace(read, specs=specs, diagnostics=diagnostics)
    return Given(read, _covered(shared, disguise), sources, disguise, declared)


def _declared(
    settings: Settings, read: ReadResult
) -> tuple[dict[str, tuple[SpecId, ...]], Sequence[ConflictCheckError]]:
    """The declared environments that hold, and what is wrong with them.

    Whoever names a file asks about just what is named; a folder is searched, and what is declared of it holds.
    """
    if settings.project is None:
        return {}, ()
    if not all(os.path.isdir(settings.cwd / path) for path in settings.paths):  # noqa: PTH112 - pathlib's fails on some names
        return {}, ()
    whole = not settings.paths and settings.cwd == settings.project.folder
    return group_specs(settings.project, read.specs, settings.cwd, whole=whole)


def _about_settings(settings: Settings) -> list[Diagnostic]:
    if settings.project is None or not settings.project.keys:
        return []
    message = f"its settings hold for this run: {', '.join(map(printable, settings.project.keys))}"
    return [Diagnostic(Severity.NOTE, "settings-file", message, settings.project.file)]


def _covered(lines: Sequence[Requirement], disguise: Disguise) -> tuple[Requirement, ...]:
    """The lines with their addresses as they may be shown."""
    return tuple(line if line.url is None else replace(line, url=disguise.cover(line.url)) for line in lines)
