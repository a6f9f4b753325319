"""Reading requirements files with all that they include; the part that several formats and options share."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.model import IndexOptions, Requirement, RequirementKind, Severity
from conflictcheck.readers.grammar import HASH_MODES, INCLUDES, WITHOUT_EFFECT, iter_lines, parse_line
from conflictcheck.readers.lines import Origin, parse_requirement
from conflictcheck.readers.references import check_address, is_url, local_place
from conflictcheck.text import ONLY_IN_URLS, decode, quote, variables_in
from conflictcheck.url_paths import path_in_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conflictcheck.model import SpecId
    from conflictcheck.readers.base import Workspace
    from conflictcheck.readers.grammar import LogicalLine, Option, ParsedLine

_SCHEMES = ("https", "http", "file")
"""What indexes and pages of links can be fetched by."""
DEEPEST = 50
"""Files that include one another in a chain."""

MOST_LINES = 100_000
"""Requirements of one spec, with all that it includes."""


class Collected(Struct):
    """What the lines of a file and of its includes add up to.

    Attributes:
        requirements: in file order, included lines in their place.
        index: the options met so far.
    """

    requirements: list[Requirement] = field(default_factory=list)
    index: IndexOptions = field(default_factory=IndexOptions)


class _Step(Struct, frozen=True):
    """A file on the way from the spec's own file to the one being read, and the line that includes the next."""

    path: Path
    line: int = 0


def read_requirements_file(
    path: Path,
    spec: SpecId,
    workspace: Workspace,
    restricting: RequirementKind | None = None,
    index: IndexOptions | None = None,
) -> Collected:
    """All requirements and index options of a file and its includes.

    Problems of single lines are collected in the workspace.

    Args:
        path: absolute.
        spec: the spec that the lines belong to.
        workspace: for names, problems and notes.
        restricting: what all lines do, in a file given with ``--constraint`` or ``--override``; None for a spec's file.
        index: the options met before, in other files of the spec.

    Raises:
        SpecError: the file itself cannot be read; without its name.
    """
    reading = _Reading(spec, path, workspace, restricting)
    reading.collected.index = index or IndexOptions()
    reading.read(path, restricting or RequirementKind.REQUIREMENT, chain=())
    return reading.collected


class _Reading:
    """One spec's file being read with its includes."""

    def __init__(self, spec: SpecId, start: Path, workspace: Workspace, restricting: RequirementKind | None) -> None:
        self.collected = Collected()
        self._spec = spec
        self._start = start
        self._workspace = workspace
        self._restricting = restricting
        # Reading a file twice adds nothing, and files that include each other twice would double the work each time.
        self._done: set[tuple[Path, RequirementKind]] = set()

    def read(self, path: Path, kind: RequirementKind, chain: tuple[_Step, ...]) -> None:
        content = decode(self._workspace.load(path))
        self._done.add((path, kind))
        file = self._workspace.name(path)
        places = (self._workspace.folder(path), self._workspace.folder(self._start), self._workspace.cwd)
        folders = tuple(dict.fromkeys(places))
        for line in iter_lines(content):
            origin = Origin(self._spec, file, line.number, folders, kind)
            try:
                parsed = parse_line(line.text, self._workspace.variables)
                self._take(parsed, line, origin, path, chain)
            except SpecError as error:
                self._workspace.problem(error, file=file, line=line.number)
            if len(self.collected.requirements) > MOST_LINES:
                raise SpecError(f"more than {MOST_LINES} requirements in one spec", line=line.number)

    def _take(
        self, parsed: ParsedLine, line: LogicalLine, origin: Origin, path: Path, chain: tuple[_Step, ...]
    ) -> None:
        addresses = [(parsed.requirement, parsed.value), *((option.written, option.value) for option in parsed.options)]
        for written in (written for written, value in addresses if written != value):
            self._workspace.note_expanded(variables_in(written))
        if parsed.requirement:
            requirement = parse_requirement(
                parsed.requirement,
                origin,
                value=parsed.value,
                editable=parsed.editable,
                hashes=parsed.hashes,
                # What restricts a package has to name it, and so has what is editable, to pip.
                may_be_nameless=origin.kind is RequirementKind.REQUIREMENT and not parsed.editable,
            )
            self._warn_of_another_place(requirement, parsed.value, origin.folders)
            self.collected.requirements.append(self._restricted(requirement))
        for option in parsed.options:
            if option.name in INCLUDES:
                is_constraint = option.name == "--constraint"
                included = RequirementKind.CONSTRAINT if is_constraint else RequirementKind.REQUIREMENT
                self._include(option, self._restricting or included, (*chain, _Step(path, line.number)))
            elif parsed.requirement and option.name not in {*WITHOUT_EFFECT, *HASH_MODES}:
                raise SpecError(f"{option.name} has to stand on a line of its own", hint="pip would ignore it here")
            else:
                self._set(option, origin, path)

    def _warn_of_another_place(self, requirement: Requirement, line: str, folders: Sequence[Path]) -> None:
        """Say where pip and uv, which start at the working directory, would read something else from a path."""
        if not (requirement.url or "").startswith("file:"):
            return
        here, there = local_place(line, folders), local_place(line, [self._workspace.cwd])
        if here is not None and there is not None and not here.samefile(there):
            names = [quote(self._workspace.name(place)) for place in (here, there)]
            self._workspace.note(
                "relative-path",
                f"{names[0]} is read, which the path means from the folder of the file; pip and uv start at the "
                f"working directory and read {names[1]}: write the path in full, or run them where the file is",
                file=requirement.file,
                line=requirement.line,
                severity=Severity.WARNING,
            )

    def _restricted(self, requirement: Requirement) -> Requirement:
        """A constraint without its extras: it restricts the package whoever asks for it, and with whatever extras."""
        if requirement.kind is RequirementKind.CONSTRAINT and requirement.extras:
            self._workspace.note(
                "constraint-extras",
                f"a constraint asks for nothing, so the extras of {quote(requirement.text)} have no effect",
                file=requirement.file,
                line=requirement.line,
            )
            return replace(requirement, extras=())
        return requirement

    def _include(self, option: Option, kind: RequirementKind, chain: tuple[_Step, ...]) -> None:
        including, name = chain[-1].path, option.value
        if variables_in(name):
            raise SpecError(f"{quote(name)}: {ONLY_IN_URLS}", hint="write the path")
        if is_url(name) and not name.lower().startswith("file:"):
            raise SpecError(f"{quote(option.written)} is not a local file", hint="download it, and include the copy")
        if name.lower().startswith("file:"):
            name = path_in_url(re.sub(r"^file:(//(localhost)?(?=/))?", "", name, flags=re.IGNORECASE))
        path = self._workspace.locate(self._workspace.folder(including) / name)
        names = [self._workspace.name(step.path) for step in chain]
        for position, step in enumerate(chain):
            if step.path == path:
                loop = [f"{n}:{s.line}" for n, s in zip(names[position:], chain[position:], strict=True)]
                raise SpecError(
                    f"{quote(self._workspace.name(path))} includes itself: {' -> '.join([*loop, names[position]])}",
                    hint="take out one of these lines",
                )
        if len(chain) > DEEPEST:
            raise SpecError(f"files include one another more than {DEEPEST} deep")
        self._workspace.include(path, kind=kind, by=self._start)
        if (path, kind) in self._done:
            return
        included = self._workspace.name(path)
        try:
            self.read(path, kind, chain)
        except SpecError as error:
            if error.line is not None:  # it can be opened, and tells where it is broken
                raise SpecError(error.message, file=included, line=error.line, hint=error.hint) from None
            what = "file" if kind is RequirementKind.REQUIREMENT else f"{kind} file"
            raise SpecError(f"the included {what} {quote(included)}: {error.message}", hint=error.hint) from None

    def _set(self, option: Option, origin: Origin, path: Path) -> None:
        if option.name in WITHOUT_EFFECT:
            self._workspace.note(
                "option-without-effect",
                f"{option.name} has no effect here: {WITHOUT_EFFECT[option.name]}",
                file=origin.file,
                line=origin.line,
            )
            return
        if option.name in HASH_MODES:
            self.collected.index = replace(self.collected.index, require_hashes=HASH_MODES[option.name])
            return
        if self._restricting:
            raise SpecError(
                f"{option.name} has no place in a {self._restricting} file", hint="give it on the command line"
            )
        index = self.collected.index
        match option.name:
            case "--index-url":
                index = replace(index, index_url=_checked_url(option))
            case "--extra-index-url":
                index = replace(index, extra_index_urls=(*index.extra_index_urls, _checked_url(option)))
            case "--find-links":
                index = replace(index, find_links=(*index.find_links, self._find_links(option, path)))
            case "--no-index":
                index = replace(index, no_index=True)
            case "--only-binary":
                only, no = _format_control(option.value, index.only_binary, index.no_binary)
                index = replace(index, only_binary=only, no_binary=no)
            case "--no-binary":
                no, only = _format_control(option.value, index.no_binary, index.only_binary)
                index = replace(index, only_binary=only, no_binary=no)
            case _:  # --pre, and what it became
                _check_all_releases(option)
                index = replace(index, prerelease=True)
        self.collected.index = index

    def _find_links(self, option: Option, path: Path) -> str:
        """A page's URL, or a folder's absolute path; relative to the file where it is there, as in pip."""
        value = option.value
        if is_url(value) and not value.lower().startswith("file:"):
            return _checked_url(option)
        _check_no_variable(option)
        if is_url(value):
            return value
        beside = self._workspace.locate(self._workspace.folder(path) / value)
        # os.path, since pathlib's question fails on a name that is too long.
        place = beside if os.path.exists(beside) else self._workspace.locate(value)  # noqa: PTH110
        if not os.path.exists(place):  # noqa: PTH110
            raise SpecError(f"--find-links {quote(option.written)}: no such file or folder")
        return str(place)


def _check_all_releases(option: Option) -> None:
    if option.name == "--all-releases" and option.value != ":all:":
        raise SpecError(
            f"--all-releases {quote(option.written)} is not supported",
            hint="write --pre, or a pre-release in the requirement of that package",
        )


def _check_no_variable(option: Option) -> None:
    """Refuse a variable where a path stands, which would be in messages and in what is written."""
    if variables_in(option.written):
        unset = variables_in(option.value)
        what = f"the environment variable {unset[0]} is not set" if unset else f"{ONLY_IN_URLS} of servers"
        raise SpecError(f"{option.name} {quote(option.written)}: {what}", hint=None if unset else "write the path")


def _checked_url(option: Option) -> str:
    if unset := variables_in(option.value):
        raise SpecError(f"{option.name} {quote(option.written)}: the environment variable {unset[0]} is not set")
    if option.value.lower().startswith("file:"):
        _check_no_variable(option)
    if not is_url(option.value):
        raise SpecError(f"{option.name} {quote(option.written)} is not a URL", hint="it begins with https://")
    if option.value.partition(":")[0].lower() not in _SCHEMES:
        hint = "https, http and file are"
        raise SpecError(f"{option.name} {quote(option.written)}: the scheme is not supported", hint=hint)
    if option.name != "--find-links" and "?" in option.value:
        hint, address = "leave out what follows ?", option.written.partition("?")[0]
        raise SpecError(f"{option.name} {quote(address)}: the address of an index has no query", hint=hint)
    if not option.value.lower().startswith("file:"):
        try:
            check_address(option.value)
        except SpecError as error:
            raise SpecError(f"{option.name} {quote(option.written)}: {error.message}", hint=error.hint) from None
    return option.value


def _format_control(value: str, target: frozenset[str], other: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The sets of names after one more ``--only-binary`` or ``--no-binary``, which take names from each other.

    Source: pip's documentation of the two options; ``:all:`` and ``:none:`` undo what came before.
    """
    for word in filter(None, (part.strip() for part in value.split(","))):
        if word == ":all:":
            target, other = frozenset({":all:"}), frozenset()
        elif word == ":none:":
            target = frozenset()
        else:
            name = str(canonicalize_name(word))
            target, other = target | {name}, other - {name}
    return target, other
