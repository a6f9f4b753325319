"""Settings of other tools that change what is installed and are not applied, each with a warning.

Sources: uv's reference of settings and its documentation (Configuration files), and the documentation of PDM, Poetry,
Rye, Hatch, pixi and pip-tools. Keys that concern building, caching, how an index is reached or what is written change
nothing about the answer, and are not here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from conflictcheck.errors import SpecError
from conflictcheck.model import Severity
from conflictcheck.uv_sources import followed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from conflictcheck.readers.base import Workspace
    from conflictcheck.readers.toml_document import Place, TomlDocument

_RESOLVING = {
    "dependency-metadata": "what releases say of themselves is read",
    "exclude-newer": "give it with --exclude-newer",
    "exclude-newer-package": "--exclude-newer gives one date for all packages",
    "extra-index-url": "give them with --extra-index-url",
    "find-links": "give them with --find-links",
    "fork-strategy": "the newest releases are preferred on each Python version",
    "index-strategy": "the best version of all indexes is taken",
    "index-url": "give it with --index-url",
    "no-binary": "give it with --no-binary",
    "no-build": "give it with --only-binary",
    "no-index": "give it with --no-index",
    "prerelease": "give it with --prerelease",
    "resolution": "the newest releases are preferred",
    "torch-backend": "give the address of its index with --extra-index-url",
}
"""Keys that uv knows at the top of its settings and in their ``pip`` table."""

_AS_HERE = {
    "fork-strategy": "requires-python",
    "index-strategy": "unsafe-best-match",
    "prerelease": "if-necessary-or-explicit",
    "prerelease-mode": "if-necessary-or-explicit",
    "resolution": "highest",
}
"""Values of such keys that ask for what is done anyway."""

_UV = {
    "index": "give their addresses with --extra-index-url",
    "no-binary-package": "give them with --no-binary",
    "no-build-package": "give them with --only-binary",
    "prerelease-package": "write a pre-release in the requirement of that package",
}
"""Keys at the top alone."""

_UV_LINES = {
    "constraint-dependencies": "give them with --constraint",
    "exclude-dependencies": "what it leaves out is asked for here",
    "minimum-libc-version": "give a platform such as x86_64-manylinux_2_28 with --python-platform",
    "override-dependencies": "give them with --override",
}
"""Further keys at the top. ``uv lock`` takes those of the ``pyproject.toml``, ``uv pip`` those of a ``uv.toml``."""

_UV_PROJECT = {
    "dependency-groups": "the groups are held to the requires-python of the project alone",
    "dev-dependencies": "move them to [dependency-groups]",
    "environments": "give them with --python-version and --python-platform",
    "required-environments": "give them with --python-version and --python-platform",
}
"""Keys that only a ``pyproject.toml`` may have."""

_UV_PIP = {
    "no-deps": "what packages need is looked at",
    "only-binary": "give it with --only-binary",
    "python": "give its version with --python-version",
    "python-platform": "give it with --python-platform",
    "python-version": "give it with --python-version",
    "universal": "give each platform with --python-platform",
}
"""Keys of the ``pip`` table alone."""

_OTHERS: tuple[tuple[Place, str], ...] = (
    (("tool", "pdm", "dependencies"), "move them to [project]"),
    (("tool", "pdm", "python_requires"), "move it to [project] as requires-python"),
    (("tool", "pdm", "dev-dependencies"), "move them to [dependency-groups]"),
    (("tool", "pdm", "resolution", "overrides"), "give them with --override"),
    (("tool", "pdm", "source"), "give their addresses with --extra-index-url"),
    (("tool", "pdm", "resolution", "excludes"), "what it leaves out is asked for here"),
    (("tool", "pdm", "resolution", "allow-prereleases"), "give --prerelease allow"),
    (("tool", "poetry", "source"), "give their addresses with --extra-index-url"),
    (("tool", "rye", "dev-dependencies"), "move them to [dependency-groups]"),
    (("tool", "rye", "excluded-dependencies"), "what it leaves out is asked for here"),
    (("tool", "rye", "sources"), "give their addresses with --extra-index-url"),
)

_PIXI = {
    "build-dependencies": "conda packages are not looked at",
    "constraints": "conda packages are not looked at",
    "dependencies": "conda packages are not looked at",
    "host-dependencies": "conda packages are not looked at",
    "pypi-dependencies": "move them to [project] or [dependency-groups]",
    "system-requirements": "give a platform with --python-platform",
}
"""Keys of ``[tool.pixi]``, of its features, its environments and of the targets in them."""

_PIXI_PYPI = {
    "dependency-overrides": "give them with --override",
    "extra-index-urls": "give them with --extra-index-url",
    "find-links": "give them with --find-links",
    "index-strategy": "the best version of all indexes is taken",
    "index-url": "give it with --index-url",
    "no-binary": "give it with --no-binary",
    "no-build": "give it with --only-binary",
    "prerelease-mode": "give it with --prerelease",
}
"""Keys of their ``pypi-options``."""

_PIP_TOOLS = {
    "all-build-deps": "what a build needs is not looked at",
    "all-extras": "each extra is a spec of its own",
    "build-deps-for": "what a build needs is not looked at",
    "constraint": "give it with --constraint",
    "extra": "each extra is a spec of its own",
    "extra-index-url": "give it with --extra-index-url",
    "find-links": "give it with --find-links",
    "index-url": "give it with --index-url",
    "no-index": "give it with --no-index",
    "only-build-deps": "what a build needs is not looked at",
    "pip-args": "give the same with options of conflictcheck",
    "pre": "give --prerelease allow",
    "uploaded-prior-to": "give it with --exclude-newer",
}
"""Keys of ``[tool.pip-tools]`` and of its tables for one command; an underscore may stand for each hyphen."""


def warn_of_tables(
    document: TomlDocument,
    file: str,
    workspace: Workspace,
    *,
    replaced: Collection[str] = (),
    follows_sources: bool = False,
) -> None:
    """Say which tables of a file change what is installed and are not applied.

    Args:
        document: the file, or the metadata of a script.
        file: as the user would name it.
        workspace: takes the warnings.
        replaced: tools that do not apply their table themselves, as far as a file of settings takes its place.
        follows_sources: whether sources of uv that lead to places on this machine are followed.
    """
    uv = ("tool", "uv")
    places = [
        *(() if "uv" in replaced else _of_uv(uv)),
        *_in_table(uv, _UV_LINES | _UV_PROJECT),
        *_of_sources(document, follows_sources=follows_sources),
        *_OTHERS,
        *(() if "hatch" in replaced else _of_hatch(document, ("tool", "hatch"))),
        *_of_pixi(document),
        *(() if "pip-tools" in replaced else _of_pip_tools()),
    ]
    _warn(document, places, file, workspace)


def warn_of_settings(
    path: Path, tool: str, workspace: Workspace, *, table: Place = (), name: str | None = None
) -> TomlDocument | None:
    """Say which settings in a file of one tool change what is installed and are not applied.

    Args:
        path: absolute; nothing is said where it is not there.
        tool: ``uv``, ``hatch`` or ``pip-tools``.
        workspace: takes the warnings.
        table: of uv's settings in the file.
        name: of the file for reports; by default as the user would name it.

    Returns:
        The file; None where it is not there, or cannot be read, which is a warning.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - may not look
        return None
    file = workspace.name(path) if name is None else name
    try:
        document = workspace.load_toml(path)
    except SpecError as error:
        what_helps = "; with --allow-outside they are" if "--allow-outside" in (error.hint or "") else ""
        message = f"the settings of {tool} are not looked at: {error.message}{what_helps}"
        workspace.note("not-applied", message, file=file, line=error.line, severity=Severity.WARNING)
        return None
    if tool == "uv":
        places = [*_of_uv(table), *_in_table(table, _UV_LINES)]
    else:
        places = [*(_of_hatch(document, ()) if tool == "hatch" else _of_pip_tools())]
    _warn(document, places, file, workspace)
    return document


def warn_of_sources(document: TomlDocument, file: str, workspace: Workspace) -> None:
    """Say which sources of uv in a workspace's root, which are those of its members, are not applied."""
    _warn(document, _of_sources(document, follows_sources=True), file, workspace)


def _warn(document: TomlDocument, places: Iterable[tuple[Place, str]], file: str, workspace: Workspace) -> None:
    for place, advice in places:
        value = document.get(*place)
        if value and value != _AS_HERE.get(str(place[-1])):
            workspace.note(
                "not-applied",
                f"{'.'.join(map(str, place))} is not applied: {advice}",
                file=file,
                line=document.line(*place),
                severity=Severity.WARNING,
            )


def _of_uv(table: Place) -> Iterator[tuple[Place, str]]:
    """What may be said in a ``uv.toml``, or in ``[tool.uv]`` where there is none."""
    yield from _in_table(table, _RESOLVING | _UV)
    yield from _in_table((*table, "pip"), _RESOLVING | _UV_PIP)


def _of_sources(document: TomlDocument, *, follows_sources: bool) -> Iterator[tuple[Place, str]]:
    place = ("tool", "uv", "sources")
    sources = document.get(*place)
    others = [name for name in sources if followed(sources[name]) is None] if isinstance(sources, dict) else []
    if not follows_sources or len(others) == len(sources or ()):
        yield place, "the packages are taken from the index"
    else:
        yield from (((*place, name), "the package is taken from the index") for name in others)


def _in_table(table: Place, keys: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    return (((*table, key), advice) for key, advice in keys.items())


def _of_hatch(document: TomlDocument, hatch: Place) -> Iterator[tuple[Place, str]]:
    for table in _tables_in(document, (*hatch, "envs")):
        for key in ("dependencies", "extra-dependencies"):
            yield (*table, key), "move them to [dependency-groups]"


def _of_pixi(document: TomlDocument) -> Iterator[tuple[Place, str]]:
    pixi = ("tool", "pixi")
    tables: list[Place] = [
        pixi,
        *_tables_in(document, (*pixi, "feature")),
        *_tables_in(document, (*pixi, "environments")),
    ]
    tables += [target for table in tables for target in _tables_in(document, (*table, "target"))]
    for table in tables:
        is_itself = _is_project_itself(document.get(*table, "pypi-dependencies"))
        yield from (one for one in _in_table(table, _PIXI) if not (is_itself and one[0][-1] == "pypi-dependencies"))
        yield from _in_table((*table, "pypi-options"), _PIXI_PYPI)
    for name in ("project", "workspace"):
        yield (*pixi, name, "exclude-newer"), "give it with --exclude-newer"
        yield from _in_table((*pixi, name, "pypi-options"), _PIXI_PYPI)


def _is_project_itself(dependencies: Any) -> bool:
    """Whether nothing but the folder of the file is asked for, as ``pixi init`` writes it."""
    if not isinstance(dependencies, dict):
        return False
    return all(isinstance(one, dict) and one.get("path") in (".", "./") for one in dependencies.values())


def _of_pip_tools() -> Iterator[tuple[Place, str]]:
    for command in ((), ("compile",), ("sync",)):
        table = ("tool", "pip-tools", *command)
        yield from _in_table(table, _PIP_TOOLS)
        yield from _in_table(table, {key.replace("-", "_"): advice for key, advice in _PIP_TOOLS.items() if "-" in key})


def _tables_in(document: TomlDocument, place: Place) -> list[Place]:
    """Where each of the tables in a table is."""
    tables = document.get(*place)
    return [(*place, name) for name in tables] if isinstance(tables, dict) else []
