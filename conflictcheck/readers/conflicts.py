"""``[tool.uv] conflicts``: sections that a project says are not to be installed together.

Source: uv's documentation (Settings, conflicts; Conflicting dependencies). Each set lists two or more items, any two of
which exclude each other: an extra, a group, or a project of the workspace as a whole; of another project where
``package`` names it. A group that includes one of them excludes the others as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import InvalidName, canonicalize_name

from conflictcheck.model import DeclaredConflict, Severity, SpecId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.readers.base import Workspace
    from conflictcheck.readers.project_tables import Tables
    from conflictcheck.readers.toml_document import TomlDocument

_PLACE = ("tool", "uv", "conflicts")
_FEWEST = 2
"""Items of a set; one alone excludes nothing."""


def read_conflicts(
    document: TomlDocument, tables: Tables, file: str, workspace: Workspace
) -> frozenset[NormalizedName]:
    """Collect what a ``pyproject.toml`` declares; a warning says what is not understood, and then counts for nothing.

    Args:
        document: the file.
        tables: what it states.
        file: its name in reports.
        workspace: takes in the sets and the warnings.

    Returns:
        The groups that exclude the project itself: uv installs them without it alone (``--only-group``).
    """
    if tables.name is not None:
        workspace.projects.setdefault(tables.name, file)
    found = document.get(*_PLACE)
    apart: set[NormalizedName] = set()
    if found is None:
        return frozenset()
    for position, items in enumerate(found) if isinstance(found, list) else ((0, None),):
        sections = [_section(item, tables) for item in items] if isinstance(items, list) else []
        if len(sections) < _FEWEST or None in sections:
            workspace.note(
                "not-applied",
                "a set of tool.uv.conflicts is not applied: it needs two items or more, each an extra or a group",
                file=file,
                line=document.line(*_PLACE, position),
                severity=Severity.WARNING,
            )
            continue
        named = tuple(section for section in sections if section is not None)
        named = (*named, *_including(named, tables))
        workspace.conflicts.append((file, named))
        if (tables.name, "") in named:
            apart.update(name for name in tables.groups if (tables.name, f"#group:{name}") in named)
    return frozenset(apart)


def _section(item: Any, tables: Tables) -> tuple[str, str] | None:
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
    package = rest.pop("package", item.get("package", tables.name or ""))
    if rest or not isinstance(package, str):
        return None
    try:
        project = canonicalize_name(package, validate=True) if package else ""
        return project, fragment + (canonicalize_name(written, validate=True) if fragment else "")
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
