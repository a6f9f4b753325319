"""Tables of other tools that change what is installed and are not applied, each with a warning.

Sources: uv's reference of settings, and the documentation of PDM, Poetry, Rye, Hatch, Flit and pixi. Keys that concern
building, caching, how an index is reached or what is written change nothing about the answer, and are not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

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
"""Keys that uv knows in ``[tool.uv]`` and in ``[tool.uv.pip]``."""

_AS_HERE = {
    "fork-strategy": "requires-python",
    "index-strategy": "unsafe-best-match",
    "prerelease": "if-necessary-or-explicit",
    "resolution": "highest",
}
"""Values of such keys that ask for what is done anyway."""

_UV = {
    "constraint-dependencies": "give them with --constraint",
    "dependency-groups": "the groups are held to the requires-python of the project alone",
    "dev-dependencies": "move them to [dependency-groups]",
    "environments": "give them with --python-version and --python-platform",
    "exclude-dependencies": "what it leaves out is asked for here",
    "index": "give their addresses with --extra-index-url",
    "minimum-libc-version": "give a platform such as x86_64-manylinux_2_28 with --python-platform",
    "no-binary-package": "give them with --no-binary",
    "no-build-package": "give them with --only-binary",
    "override-dependencies": "give them with --override",
    "prerelease-package": "write a pre-release in the requirement of that package",
    "required-environments": "give them with --python-version and --python-platform",
    "sources": "the packages are taken from the index",
}
"""Keys of ``[tool.uv]`` alone."""

_UV_PIP = {
    "no-deps": "what packages need is looked at",
    "only-binary": "give it with --only-binary",
    "python": "give its version with --python-version",
    "python-platform": "give it with --python-platform",
    "python-version": "give it with --python-version",
    "universal": "give each platform with --python-platform",
}
"""Keys of ``[tool.uv.pip]`` alone."""

_OTHERS: tuple[tuple[Place, str], ...] = (
    (("tool", "pdm", "dev-dependencies"), "move them to [dependency-groups]"),
    (("tool", "pdm", "resolution", "overrides"), "give them with --override"),
    (("tool", "pdm", "source"), "give their addresses with --extra-index-url"),
    (("tool", "pdm", "resolution", "excludes"), "what it leaves out is asked for here"),
    (("tool", "pdm", "resolution", "allow-prereleases"), "give --prerelease allow"),
    (("tool", "poetry", "source"), "give their addresses with --extra-index-url"),
    (("tool", "rye", "dev-dependencies"), "move them to [dependency-groups]"),
    (("tool", "rye", "excluded-dependencies"), "what it leaves out is asked for here"),
    (("tool", "rye", "sources"), "give their addresses with --extra-index-url"),
    (("tool", "flit", "metadata", "requires-python"), "move it to [project]"),
    (("tool", "flit", "metadata", "dev-requires"), "move them to [dependency-groups]"),
    (("tool", "flit", "metadata", "requires"), "move them to [project]"),
    (("tool", "flit", "metadata", "requires-extra"), "move them to [project]"),
    (("tool", "pixi", "dependencies"), "conda packages are not looked at"),
    (("tool", "pixi", "pypi-dependencies"), "move them to [project]"),
)


def warn_of_tables(document: TomlDocument, file: str, workspace: Workspace) -> None:
    """Say which tables of a file change what is installed and are not applied.

    Args:
        document: the file, or the metadata of a script.
        file: as the user would name it.
        workspace: takes the warnings.
    """
    for place, advice in _places(document):
        value = document.get(*place)
        if value and value != _AS_HERE.get(str(place[-1])):
            workspace.note(
                "not-applied",
                f"{'.'.join(map(str, place))} is not applied: {advice}",
                file=file,
                line=document.line(*place),
                severity=Severity.WARNING,
            )


def _places(document: TomlDocument) -> Iterator[tuple[Place, str]]:
    """Where such tables may be, each with what to do or to know about it."""
    for table, keys in ((("tool", "uv"), _RESOLVING | _UV), (("tool", "uv", "pip"), _RESOLVING | _UV_PIP)):
        yield from (((*table, key), advice) for key, advice in keys.items())
    yield from _OTHERS
    environments = document.get("tool", "hatch", "envs")
    for name in environments if isinstance(environments, dict) else ():
        for key in ("dependencies", "extra-dependencies"):
            yield ("tool", "hatch", "envs", name, key), "move them to [dependency-groups]"
