"""Which specs a settings file means: globs of files, and of their sections.

A pattern is relative to the settings file's folder. ``*`` and ``?`` stay within a name, ``**`` goes through folders, a
folder means everything in it. What follows a ``#`` is the section: ``pyproject.toml#group:*``; ``pyproject.toml#`` is
the project without its extras and groups, and a pattern without ``#`` means all of a file.
"""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.errors import SpecError, UsageError
from conflictcheck.text import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pathspec import GitIgnoreSpec

    from conflictcheck.model import Spec, SpecId
    from conflictcheck.settings import ProjectSettings, SpecPattern

_LONGEST = 1_000
_WILD = re.compile(r"[*?\[\\]")


class _Glob(Struct, frozen=True):
    """A pattern, ready to use.

    Attributes:
        file: what it says of the file.
        section: what it says of the section; None for all.
        literal: the file's name, where it names just one; else None.
    """

    file: GitIgnoreSpec
    section: str | None
    literal: str | None

    def takes_file(self, path: str) -> bool:
        return self.file.match_file(path)

    def takes(self, path: str, section: str) -> bool:
        return self.file.match_file(path) and (self.section is None or fnmatchcase(section, self.section))


def check_pattern(text: str) -> str:
    """The pattern, if it is one and leads nowhere out of the folder.

    Raises:
        SpecError: without file and line.
    """
    file = text.partition("#")[0]
    if not file or not text.isprintable():
        raise SpecError(f"{quote(text)} names no file", hint='write a pattern such as "services/**"')
    if len(text) > _LONGEST:
        raise SpecError(f"{quote(text)} is too long for a pattern")
    if file.startswith(("/", "~")) or re.match(r"[A-Za-z]:", file) or ".." in PurePosixPath(file).parts:
        raise SpecError(
            f"{quote(text)} leads out of the folder", hint="patterns are relative to the folder of the settings"
        )
    _compiled(text)
    return text


def _compiled(text: str) -> _Glob:
    file, hash_sign, section = text.partition("#")
    plain = file.removeprefix("./").removesuffix("/")
    try:
        # Anchored: a pattern without a slash means a file of the settings' own folder.
        from conflictcheck.readers.ignore_patterns import parse_patterns  # noqa: PLC0415 - costly, and rarely needed

        spec = parse_patterns([f"/{plain}" if plain not in ("", ".") else "/**"])
    except ValueError:
        raise SpecError(f"{quote(text)} is not a pattern", hint="use *, ?, ** and [a-z]") from None
    return _Glob(spec, section if hash_sign else None, None if _WILD.search(plain) else plain)


class Selection:
    """What a settings file takes of the specs that a search finds.

    Args:
        project: what the file says.

    Attributes:
        file: its name, for messages.
        chooses: whether anything is left out at all.
    """

    def __init__(self, project: ProjectSettings) -> None:
        self.file = project.file
        self._folder = project.folder
        self._include = [_compiled(pattern.text) for pattern in project.include]
        self._exclude = [_compiled(pattern.text) for pattern in project.exclude]
        self.chooses = bool(self._include or self._exclude)

    def takes_file(self, path: Path) -> bool:
        """Whether any section of a file may be taken."""
        name = _relative(path, self._folder)
        if name is None:
            return True
        if any(glob.section is None and glob.takes_file(name) for glob in self._exclude):
            return False
        return not self._include or any(glob.takes_file(name) for glob in self._include)

    def takes(self, path: Path, section: str) -> bool:
        """Whether a spec is taken.

        Args:
            path: absolute, of its file.
            section: what follows ``#`` in its id; empty for the file's own.
        """
        name = _relative(path, self._folder)
        if name is None:
            return True
        if any(glob.takes(name, section) for glob in self._exclude):
            return False
        return not self._include or any(glob.takes(name, section) for glob in self._include)

    def named_files(self, folder: Path) -> list[Path]:
        """The files in a folder that are included by their names, whether or not a search would take them for specs."""
        named = [self._folder / glob.literal for glob in self._include if glob.literal is not None]
        return [path for path in named if path.is_relative_to(folder) and os.path.isfile(path)]  # noqa: PTH113 - see discovery


def group_specs(
    project: ProjectSettings, specs: Sequence[Spec], cwd: Path, *, whole: bool
) -> tuple[dict[str, tuple[SpecId, ...]], list[UsageError]]:
    """The specs of each declared environment.

    Args:
        project: what the settings file says.
        specs: all that were read.
        cwd: what their paths are relative to.
        whole: whether all of the project was searched, so that a pattern without a spec is a mistake.

    Returns:
        The specs by environment, those without any left out, and a problem for each pattern that matches nothing.
    """
    places = {
        spec.id: (name, spec.id.removeprefix(spec.path).removeprefix("#"))
        for spec in specs
        if spec.path is not None
        and (name := _relative(Path(os.path.normpath(cwd / spec.path)), project.folder)) is not None
    }
    problems = []

    def matching(pattern: SpecPattern, key: str) -> list[SpecId]:
        glob = _compiled(pattern.text)
        found = [spec for spec, place in places.items() if glob.takes(*place)]
        if whole and not found:
            problems.append(_matches_nothing(project, pattern, key))
        return found

    for pattern in project.include:
        matching(pattern, "include")
    groups = {}
    for environment in project.environments:
        members = {spec for one in environment.patterns for spec in matching(one, f"environments.{environment.name}")}
        if members:
            groups[environment.name] = tuple(sorted(members))
    return groups, problems


def _matches_nothing(project: ProjectSettings, pattern: SpecPattern, key: str) -> UsageError:
    return UsageError(
        f"{key}: {quote(pattern.text)} matches no spec that was found",
        file=project.file,
        line=pattern.line,
        hint="conflictcheck check -v --no-config lists the specs; a pattern is relative to the folder of this file",
    )


def _relative(path: Path, folder: Path) -> str | None:
    """A file as the patterns name it; None for one outside of their folder."""
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return None
