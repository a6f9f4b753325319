"""Scripts with inline metadata (PEP 723), whatever their name: ``uv run`` and others read the block of any file."""

from __future__ import annotations

import os
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from conflictcheck.errors import SpecError
from conflictcheck.model import Severity, Spec, SpecId
from conflictcheck.readers.base import Reader, Unnamed
from conflictcheck.readers.lines import Origin, parse_python, parse_requirement
from conflictcheck.readers.not_applied import warn_of_tables
from conflictcheck.readers.toml_document import parse_toml
from conflictcheck.readers.tool_settings import warn_of_uv_toml
from conflictcheck.text import SIZE_LIMIT, decode, quote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conflictcheck.model import Requirement
    from conflictcheck.readers.base import Workspace
    from conflictcheck.readers.toml_document import TomlDocument

_OPENING = "# /// script"
_CLOSING = "# ///"
_OPENING_LINE = re.compile(rf"^{_OPENING}[ \t]*\n", re.MULTILINE)
_SUFFIXES = (".py", ".pyw")
_RUN_BY = b"#!"
_METADATA = re.compile(r"(?:#(?: .*)?\n)*?# *(?:(?:dependencies|requires-python)\s*=|\[tool[.\]])")


class Block(Struct, frozen=True):
    """The metadata of a script: its TOML, and the line of the file that it begins on."""

    toml: str
    first_line: int


class ScriptReader(Reader):
    """Python scripts; one with a block is one spec, be it a ``setup.py``."""

    label: ClassVar[str] = "a script with inline metadata"
    names: ClassVar[str] = "*.py, *.pyw, or no extension"
    looked_for: ClassVar[str] = "scripts with inline metadata (*.py, *.pyw, or #! and no extension)"

    def finds(self, path: Path, workspace: Workspace) -> bool:
        """By its block; of most files without an extension two bytes are read."""
        if not (path.suffix in _SUFFIXES or _is_run_by_name(path, workspace)) or not os.path.isfile(path):  # noqa: PTH113
            return False
        try:
            data = workspace.load(path, keep=False)
            text = decode(data) if _OPENING.encode() in data else ""
            return _is_meant_as_block(text) or bool(find_blocks(text))
        except SpecError as error:
            workspace.note(
                "passed-over", error.message, file=workspace.name(path), line=error.line, severity=Severity.WARNING
            )
            return False

    def accepts(self, path: Path, workspace: Workspace) -> bool:
        """By its extension; without one, and a ``setup.py``, by its block."""
        if path.suffix in _SUFFIXES and path.name != "setup.py":
            return True
        return path.suffix in ("", ".py") and _has_opening(path, workspace)

    def read(self, path: Path, section: str | None, workspace: Workspace) -> Sequence[Spec]:
        """The block as one spec."""
        file = workspace.name(path)
        if section is not None:
            raise SpecError("a script has no sections", hint=f"name the file alone: {file}")
        block = find_block(decode(workspace.load(path)))
        if block is None:
            raise SpecError("no inline metadata in this script", hint=f'PEP 723: it begins with the line "{_OPENING}"')
        if path.name == "setup.py" and not os.path.isfile(path.with_name("pyproject.toml")):  # noqa: PTH113 - as above
            advice = "its inline metadata is read; for what pip builds of it, ask for its folder in a line (-e FOLDER)"
            workspace.unnamed[path] = Unnamed("a project without a pyproject.toml", advice, states_project=True)
        document = parse_toml(block.toml, first_line=block.first_line)
        warn_of_tables(document, file, workspace)
        warn_of_uv_toml(path.parent, workspace)
        spec = SpecId(file)
        requirements: list[Requirement] = []
        folders = (path.parent, workspace.cwd)
        python = document.get("requires-python")
        if python is not None:
            origin = Origin(spec, file, document.line("requires-python"), folders)
            try:
                requirements.append(parse_python(_text(python, "requires-python"), origin))
            except SpecError as error:
                workspace.problem(error, file=file, line=origin.line)
        for position, value in enumerate(_dependencies(document)):
            origin = Origin(spec, file, document.line("dependencies", position), folders)
            try:
                text = _text(value, "a dependency")
                requirements.append(parse_requirement(text, origin, value=workspace.expand(text)))
            except SpecError as error:
                workspace.problem(error, file=file, line=origin.line)
        return [Spec(spec, file, tuple(requirements), requires_python=python if isinstance(python, str) else None)]


def _is_run_by_name(path: Path, workspace: Workspace) -> bool:
    """Whether a file without an extension says what runs it."""
    if "." in path.name or not workspace.begins_with(path, _RUN_BY):
        return False
    return path.stat().st_size <= SIZE_LIMIT  # a program that unpacks itself begins so, too


def _has_opening(path: Path, workspace: Workspace) -> bool:
    try:
        return _OPENING.encode() in map(bytes.rstrip, workspace.load(path).splitlines())
    except SpecError:
        return False


def _dependencies(document: TomlDocument) -> list[Any]:
    dependencies = document.get("dependencies")
    if dependencies is not None and not isinstance(dependencies, list):
        raise SpecError("dependencies is not a list", line=document.line("dependencies"))
    return dependencies or []


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise SpecError(f"{what} is not a text", hint="put it in quotes")
    return value


def _is_meant_as_block(source: str) -> bool:
    """Whether a file has an opening line with metadata after it, be the block broken; a comment alone is none."""
    source = source.replace("\r\n", "\n")
    opening = _OPENING_LINE.search(source)
    return opening is not None and _METADATA.match(source, opening.end()) is not None


def find_block(source: str) -> Block | None:
    """The ``script`` block of a Python file, or None.

    Raises:
        SpecError: it has several, or one that is not closed; with the line.
    """
    blocks = find_blocks(source)
    if len(blocks) > 1:
        first, second = (block.first_line - 1 for block in blocks[:2])
        raise SpecError(f"a second block of inline metadata; the first is at line {first}", line=second)
    return blocks[0] if blocks else None


def _refuse_missing_space(lines: Sequence[str], at: int) -> None:
    """Refuse a block that is broken off by a comment without a space after its ``#``.

    Raises:
        SpecError: it is; with the line.
    """
    rest = takewhile(lambda line: line.startswith("#"), lines[at:])
    if any(line.rstrip() == _CLOSING for line in rest):
        message = 'a line of inline metadata is "#" alone, or has a space after its "#"'
        raise SpecError(message, line=at + 1, hint=f"write {quote(f'# {lines[at][1:].lstrip()}')}")


def find_blocks(source: str) -> list[Block]:
    """Every ``script`` block of a Python file; more than one is an error (PEP 723).

    A block runs over the comment lines that follow its opening line; the last closing line among them ends it.

    Raises:
        SpecError: one is not closed; with the line.
    """
    lines = source.replace("\r\n", "\n").split("\n")
    blocks: list[Block] = []
    at = 0
    while at < len(lines):
        if lines[at].rstrip() != _OPENING:
            at += 1
            continue
        end = at + 1
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            end += 1
        closing = next((i for i in range(end - 1, at, -1) if lines[i].rstrip() == _CLOSING), None)
        if closing is None:
            _refuse_missing_space(lines, end)
            raise SpecError("the block of inline metadata is not closed", line=at + 1, hint=f'end it with "{_CLOSING}"')
        blocks.append(Block("\n".join(line[2:] for line in lines[at + 1 : closing]) + "\n", at + 2))
        at = closing + 1
    return blocks
