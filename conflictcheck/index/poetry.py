"""What Poetry would write into the metadata of a project that it builds, without running it.

Source: Poetry's documentation ("The pyproject.toml file", "Dependency specification") and what poetry-core makes of it:
an entry of ``[tool.poetry.dependencies]`` that an extra names is asked for by that extra alone, an optional one that no
extra names by nobody, and where ``[project]`` states dependencies, these come first.
"""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.index.core_metadata import Document, with_marker
from conflictcheck.poetry import BACKENDS, VERSIONING, specifier, to_pep508
from conflictcheck.text import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName


def is_poetry_project(document: Mapping[str, Any]) -> bool:
    """Whether Poetry builds the project of a ``pyproject.toml``, and by tables of its own.

    Without dependencies in ``[project]`` it takes its own, whether they are called dynamic or not.
    """
    system, project = _table(document, "build-system"), _table(document, "project")
    if system.get("build-backend") not in BACKENDS or "backend-path" in system:
        return False
    if "poetry" not in _table(document, "tool"):
        return False
    states_all = project.get("dependencies") and project.get("requires-python")
    return not states_all or "optional-dependencies" in _texts(project, "dynamic")


def read_poetry_project(document: Mapping[str, Any], folder: Path | None) -> Document:
    """The metadata that a build would have; the version is empty where only the build would tell it.

    Args:
        document: a ``pyproject.toml`` for which `is_poetry_project` holds.
        folder: where it is, absolute, for relative paths; None where it is in an archive.

    Raises:
        SpecError: something in it is not understood, or not static.
    """
    poetry, project = _table(_table(document, "tool"), "poetry"), _table(document, "project")
    if poetry.get("package-mode") is False:
        raise SpecError("its package-mode is off, so nothing can be built of it")
    entries = _table(poetry, "dependencies")
    found = Document(name=_text(project, "name") or _text(poetry, "name"), version=_version(document))
    found.requires_python = _text(project, "requires-python") or _python(entries)
    stated, optional = _texts(project, "dependencies"), _table(project, "optional-dependencies")
    dynamic = _texts(project, "dynamic")
    if "optional-dependencies" in dynamic and (stated or optional):
        raise SpecError("its optional-dependencies are in [project] and in [tool.poetry]")
    if stated or optional:
        found.requires_dist = stated
        if not stated and "dependencies" in dynamic:
            found.requires_dist = [text for _, text, is_optional in _requirements(entries, folder) if not is_optional]
        for extra in optional:
            found.provides_extra.append(extra)
            found.requires_dist += [with_marker(line, extra=extra) for line in _texts(optional, extra)]
        return found
    extras = _extras(poetry)
    found.provides_extra = list(extras)
    for name, text, is_optional in _requirements(entries, folder):
        asking = [extra for extra, members in extras.items() if name in members]
        found.requires_dist += [with_marker(text, extra=extra) for extra in asking]
        if not (asking or is_optional):
            found.requires_dist.append(text)
    return found


def _table(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise SpecError(f"{key} is not a table")
    return value


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise SpecError(f"{key} is not a text")
    return value


def _texts(table: Mapping[str, Any], key: str) -> list[str]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise SpecError(f"{key} is not a list of texts")
    return list(values)


def _version(document: Mapping[str, Any]) -> str:
    tools = document["tool"]
    if "poetry-dynamic-versioning" in tools or document["build-system"]["build-backend"] == VERSIONING:
        return ""
    return _text(_table(document, "project"), "version") or _text(tools["poetry"], "version")


def _python(entries: Mapping[str, Any]) -> str:
    key = next((key for key in entries if key.lower() == "python"), "python")
    return specifier(_text(entries, key), of_python=True)


def _extras(poetry: Mapping[str, Any]) -> dict[NormalizedName, set[NormalizedName]]:
    """The names in each extra; one that is no dependency stands for nothing, as in Poetry."""
    extras = _table(poetry, "extras")
    return {canonicalize_name(extra): set(map(canonicalize_name, _texts(extras, extra))) for extra in extras}


def _requirements(entries: Mapping[str, Any], folder: Path | None) -> Iterator[tuple[NormalizedName, str, bool]]:
    """Each requirement with its package's name, and whether it is optional."""
    for key, value in entries.items():
        if key.lower() == "python":
            continue
        for one in value if isinstance(value, list) else [value]:
            entry = _as_built(key, one, folder) if isinstance(one, dict) else one
            for text in to_pep508(key, entry):
                try:
                    name = canonicalize_name(Requirement(text).name)
                except (InvalidRequirement, RecursionError):
                    raise SpecError(f"the dependency {quote(key)} is not understood") from None
                yield name, text, isinstance(one, dict) and one.get("optional") is True


def _as_built(name: str, entry: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """An entry as it is for who installs the project: a path is a URL, and pre-releases are not asked for."""
    if "extra" in str(entry.get("markers", "")):
        raise SpecError(f"the markers of {quote(name)} name an extra")
    built = {key: value for key, value in entry.items() if key != "allow-prereleases"}
    for key in ("path", "file"):
        if isinstance(path := entry.get(key), str) and "git" not in entry:
            if folder is None and not Path(path).is_absolute():
                raise SpecError(f"{quote(name)} is at a path that is not in the archive")
            # The same text as where a spec names the place, as that is what tells two references apart.
            built[key] = Path(os.path.normpath((folder or Path()) / path)).as_uri()
    return built
