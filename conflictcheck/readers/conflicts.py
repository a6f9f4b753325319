"""``[tool.uv] conflicts``: sections that a project, or its workspace's root, says are not to be installed together.

Source: uv's documentation (Settings, conflicts; Conflicting dependencies; Workspaces). Each set lists two or more
items, any two of which exclude each other: an extra, a group, or a project of the workspace as a whole; of another
project where ``package`` names it. A group that includes one of them excludes the others as well.
"""
# ruff: noqa: PTH113 - pathlib's question fails where it may not look

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from packaging.utils import InvalidName, canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.model import DeclaredConflict, Severity, SpecId
from conflictcheck.readers.project_tables import read_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from conflictcheck.readers.base import Workspace
    from conflictcheck.readers.project_tables import Tables
    from conflictcheck.readers.toml_document import TomlDocument

_PLACE = ("tool", "uv", "conflicts")
_WORKSPACE = ("tool", "uv", "workspace")
_FEWEST = 2
"""Items of a set; one alone excludes nothing."""


_Sections = tuple[tuple[str, str], ...]
"""Of each the project's name and what follows it in a spec id."""


def read_conflicts(
    path: Path, document: TomlDocument, tables: Tables, workspace: Workspace
) -> frozenset[NormalizedName]:
    """Collect what holds for a ``pyproject.toml``; a warning says what is not understood, and then counts for nothing.

    Args:
        path: of the file, absolute.
        document: the file.
        tables: what it states.
        workspace: takes in the sets and the warnings.

    Returns:
        The groups that exclude the project itself: uv installs them without it alone (``--only-group``).
    """
    file = workspace.name(path)
    declared = [(file, one) for one in _sets(document, tables.name, file, workspace)]
    if tables.name is not None:
        workspace.projects.setdefault(tables.name, file)
        above = () if document.get(*_WORKSPACE) is not None else _sets_above(path.parent, workspace)
        declared += [(root, one) for root, one in above if tables.name in dict(one)]
    apart: set[NormalizedName] = set()
    for source, written in declared:
        named = (*written, *_including(written, tables))
        workspace.conflicts.append((source, named))
        if (tables.name, "") in named:
            apart.update(name for name in tables.groups if (tables.name, f"#group:{name}") in named)
    return frozenset(apart)


def _sets_above(folder: Path, workspace: Workspace) -> list[tuple[str, _Sections]]:
    """What the root of the workspace that a project is in declares, as far as it may and can be read.

    As in uv, that is the nearest ``pyproject.toml`` above the project, if it states a workspace.
    """
    path = next((one for one in (up / "pyproject.toml" for up in folder.parents) if os.path.isfile(one)), None)
    if path is None:
        return []
    if path not in workspace.declared:
        sets: list[_Sections] = []
        file = workspace.name(path)
        try:
            document = workspace.load_toml(path)
            if document.get(*_WORKSPACE) is not None:
                sets = _sets(document, read_tables(document).name, file, workspace)
        except SpecError:
            pass  # whoever reads the file itself says so
        workspace.declared[path] = [(file, one) for one in sets]
    return workspace.declared[path]


def _sets(document: TomlDocument, project: str | None, file: str, workspace: Workspace) -> list[_Sections]:
    """The sets that a file declares, whose project is called so."""
    written = document.get(*_PLACE)
    if written is None:
        return []
    found = []
    for position, items in enumerate(written) if isinstance(written, list) else ((0, None),):
        sections = [_section(item, project or "") for item in items] if isinstance(items, list) else []
        if len(sections) < _FEWEST or None in sections:
            workspace.note(
                "not-applied",
                "a set of tool.uv.conflicts is not applied: it needs two items or more, each an extra or a group",
                file=file,
                line=document.line(*_PLACE, position),
                severity=Severity.WARNING,
            )
            continue
        found.append(tuple(section for section in sections if section is not None))
    return found


def _section(item: Any, project: str) -> tuple[str, str] | None:
    """The project's name and what follows it in a spec id; None where the item is not understood."""
    match item:
        case {"extra": str(written), **rest}:
            fragment = "#extra:"
        case {"group": str(written), **rest}:
            fragment = "#group:"
        case {"package": str(), **rest}:
            written, fragment = "", ""
        case _:
            return None
    package = rest.pop("package", item.get("package", project))
    if rest or not isinstance(package, str):
        return None
    try:
        name = canonicalize_name(package, validate=True) if package else ""
        return name, fragment + (canonicalize_name(written, validate=True) if fragment else "")
    except InvalidName:
        return None


def _including(named: Sequence[tuple[str, str]], tables: Tables) -> list[tuple[str, str]]:
    """The groups of this project that include one of those named, directly or not."""
    inside = {section.removeprefix("#group:") for project, section in named if project == (tables.name or "")}
    found: list[tuple[str, str]] = []
    while new := [name for name in tables.groups if name not in inside and _includes(name, inside, tables)]:
        inside.update(new)
        found += [(tables.name or "", f"#group:{name}") for name in new]
    return found


def _includes(name: NormalizedName, others: Iterable[str], tables: Tables) -> bool:
    included = {canonicalize_name(entry.value) for entry in tables.groups[name] if entry.is_include}
    return not included.isdisjoint(others)


def declared_conflicts(
    declared: Iterable[tuple[str, Iterable[tuple[str, str]]]], projects: Mapping[str, str]
) -> tuple[DeclaredConflict, ...]:
    """The sets with spec ids, where the projects are among the files that were read.

    Args:
        declared: as `Workspace.conflicts`.
        projects: as `Workspace.projects`.
    """
    found = []
    for file, sections in declared:
        # A file without a name for its project speaks of itself.
        files = {"": file, **projects}
        specs = {SpecId(files[project] + fragment) for project, fragment in sections if project in files}
        found.append(DeclaredConflict(file, tuple(sorted(specs))))
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.file, one.specs)))
