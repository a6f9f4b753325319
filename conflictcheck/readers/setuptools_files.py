"""A project that ``setup.cfg`` or ``setup.py`` alone states: whether there is one, and where it says what it needs.

What that is will be told by who reads the folder as a requirement, as for ``-e .``.
"""
# ruff: noqa: PTH113 - pathlib's question fails where it may not look

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.model import Requirement, Severity, Spec, SpecId
from conflictcheck.readers.base import Reader
from conflictcheck.readers.references import PROJECT_FILES, project_name
from conflictcheck.readers.tool_settings import warn_of_project_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from conflictcheck.readers.base import Workspace

_FILES = ("setup.cfg", "setup.py")

_PROJECT = re.compile(rb"^\s*\[\s*(?:metadata|options)\b", re.MULTILINE)
_NEEDS = re.compile(rb"^[^#\n]*\binstall_requires\b", re.MULTILINE)
_EXTRAS = re.compile(rb"^[^#\n]*\bextras_require\b", re.MULTILINE)


class SetuptoolsReader(Reader):
    """``setup.cfg`` and ``setup.py`` of a project without a ``pyproject.toml``: one spec, the project itself.

    Only a build knows what most of them need. So they would make most searches undecided that come across one, and a
    search warns of them instead.
    """

    label: ClassVar[str] = "a project without a pyproject.toml"
    names: ClassVar[str] = "setup.cfg, setup.py"
    looked_for: ClassVar[str] = "setup.py, or setup.cfg with [metadata] or [options]"
    only_named: ClassVar[bool] = True

    def finds(self, path: Path, workspace: Workspace) -> bool:
        """By its name, where it says what the project needs; a project is found once for its two files."""
        if not self.accepts(path, workspace) or os.path.isfile(path.with_name("pyproject.toml")):
            return False
        try:
            setup = find_setup_file(path.parent, workspace)
        except SpecError as error:
            workspace.note("passed-over", error.message, file=error.file, severity=Severity.WARNING)
            return False
        return setup is not None and setup.file == workspace.name(path)

    def advice(self, path: Path) -> str:
        """To name it, where it can be installed."""
        if _is_installable(path.parent):
            return super().advice(path)
        return "pip and uv cannot install it without one or a setup.py: write one, or exclude it in the settings"

    def accepts(self, path: Path, workspace: Workspace) -> bool:  # noqa: ARG002 - the name is enough
        """By its name."""
        return path.name in _FILES

    def read(self, path: Path, section: str | None, workspace: Workspace) -> Sequence[Spec]:
        """The project itself as one spec, if it is one."""
        file = workspace.name(path)
        if section is not None:
            raise SpecError("the sections of this file are not read", hint=f"name the file alone: {file}")
        if os.path.isfile(path.with_name("pyproject.toml")):
            raise SpecError("not read where there is a pyproject.toml beside it", hint="name that")
        setup = find_setup_file(path.parent, workspace)
        if setup is None:
            return []
        if not _is_installable(path.parent):
            hint = "write one of the two beside it, or give what it needs in a requirements file"
            raise SpecError("pip and uv install no project without a pyproject.toml or a setup.py", hint=hint)
        warn_of_project_settings(path.parent, workspace)
        setup.warn_of_extras(workspace)
        name = project_name(path.parent) or canonicalize_name(path.parent.name)
        return [Spec(SpecId(file), file, (setup.requirement(SpecId(file), name, path.parent),))]


def _is_installable(folder: Path) -> bool:
    return any(os.path.isfile(folder / name) for name in PROJECT_FILES)


class SetupFile(Struct, frozen=True):
    """Where a project of setuptools is stated.

    Attributes:
        file: as the user would name it; of two files the one that says what the project needs.
        line: where it says so, or the first.
        extras: the file and the line that state extras, or None.
    """

    file: str
    line: int
    extras: tuple[str, int] | None

    def requirement(self, spec: SpecId, name: NormalizedName, folder: Path) -> Requirement:
        """The project, which is in a folder, as a requirement of a spec."""
        url = folder.as_uri()
        return Requirement(spec, "the project itself", name, SpecifierSet(), url=url, file=self.file, line=self.line)

    def warn_of_extras(self, workspace: Workspace) -> None:
        """Say that its extras are not read."""
        if self.extras is not None:
            file, line = self.extras
            message = "the extras of a project without [project] are not read"
            workspace.note("dynamic", message, file=file, line=line, severity=Severity.WARNING)


def find_setup_file(folder: Path, workspace: Workspace) -> SetupFile | None:
    """The project that the files of setuptools in a folder state.

    Args:
        folder: absolute.
        workspace: for reading and names.

    Returns:
        None where there is none: a ``setup.cfg`` without metadata and options holds the settings of other tools.

    Raises:
        SpecError: a file cannot be read.
    """
    found: dict[str, bytes] = {}
    for path in (folder / name for name in _FILES):
        if os.path.isfile(path):
            file = workspace.name(path)
            try:
                content = workspace.load(path)
            except SpecError as error:
                raise SpecError(error.message, file=file, hint=error.hint) from None
            if path.suffix == ".py" or _PROJECT.search(content):
                found[file] = content
    if not found:
        return None
    file, line = _place(_NEEDS, found) or (next(iter(found)), 1)
    return SetupFile(file, line, _place(_EXTRAS, found))


def _place(what: re.Pattern[bytes], files: dict[str, bytes]) -> tuple[str, int] | None:
    """The first file that has something, and the line."""
    for file, content in files.items():
        if found := what.search(content):
            return file, content.count(b"\n", 0, found.end()) + 1
    return None
