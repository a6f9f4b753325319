"""Requirement lines rewritten in place: what the readers read, the other way round.

Only the version specifier's characters change; comments, order, quoting, spacing, line ends and a byte order mark stay.
Each result is read again before it counts.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from conflictcheck.errors import SpecError
from conflictcheck.readers.grammar import iter_lines, parse_line
from conflictcheck.specifier_text import poetry_entry, specifier_span
from conflictcheck.text import UTF_MARKS, collapse, quote, redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Edit
    from conflictcheck.specifier_text import PoetryEntry

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_TOML_TOKEN = re.compile(r"\"(?P<basic>[^\"\\\n]*)\"|'(?P<literal>[^'\n]*)'|(?P<comment>#)")
_TOML_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)
_PYTHON = re.compile(r'requires-python = "(?P<value>.*)"')


def edit_content(file: str, content: bytes, edits: Sequence[Edit]) -> bytes:
    """The content of a file with requirement lines rewritten.

    Args:
        file: its name; decides how it is read.
        content: of the file.
        edits: of this file, each with its line.

    Raises:
        SpecError: a line is not what the edit says, or is written in a form that is not edited; with file and line.
    """
    mark, encoding = next(((m, e) for m, e in UTF_MARKS if content.startswith(m)), (b"", "utf-8"))
    # Bytes that are not of that encoding are in comments, and come out as they went in.
    text = content[len(mark) :].decode(encoding, "surrogateescape")
    # From the last to the first, so that the places of the others stay.
    for edit in sorted(edits, key=lambda edit: -(edit.line or 0)):
        text = _edited(file, text, edit)
    return mark + text.encode(encoding, "surrogateescape")


def _edited(file: str, text: str, edit: Edit) -> str:
    name = PurePosixPath(file).name.lower()
    starts = [0, *(found.end() for found in _LINE.finditer(text))]
    number = edit.line or 0
    if not 0 < number < len(starts):
        raise _changed(file, edit)
    start, end = starts[number - 1], starts[number]
    # No requirement of another file without an extension begins so.
    is_comment = name.endswith((".py", ".pyw")) or ("." not in name and text.startswith("#", start))
    is_toml = is_comment or (name.endswith(".toml") and "requirements" not in name)
    entry = poetry_entry(edit.old) if is_toml else None
    if entry is not None:
        result = _edit_poetry(text, start, end, entry, edit)
    elif is_toml:
        result = _edit_toml(text, start, end, edit, is_comment=is_comment)
    else:
        result = _edit_requirements(text, start, edit)
    if result is None:
        raise _changed(file, edit)
    return result


def _changed(file: str, edit: Edit) -> SpecError:
    return SpecError(
        f"{quote(edit.old)} is not written here in a form that can be edited",
        file=file,
        line=edit.line,
        hint=f"change it to {quote(edit.new)} by hand",
    )


def _replaced(text: str, start: int, new: str) -> str | None:
    """The text with the specifier of the requirement that begins at `start` replaced by that of `new`."""
    here, there = specifier_span(text[start:]), specifier_span(new)
    if here is None:
        return None
    specifier = new[slice(*there)] if there else ""
    begin, end = start + here[0], start + here[1]
    if not specifier:
        # With the clauses go the parentheses around them and the space before.
        while text[begin - 1] in " \t(":
            begin -= 1
        end += len(text[end:]) - len(text[end:].lstrip(" \t)")) if text[end : end + 1] in (" ", "\t", ")") else 0
        if text[end : end + 1] in ("#", ";"):
            specifier = " "
    return text[:begin] + specifier + text[end:]


def _edit_requirements(text: str, start: int, edit: Edit) -> str | None:
    """A line of a requirements file, with its continuations."""
    if _requirement(text, edit.line) != edit.old:
        return None
    start += len(text[start:]) - len(text[start:].lstrip(" \t"))
    result = _replaced(text, start, edit.new)
    return result if result is not None and _requirement(result, edit.line) == edit.new else None


def _requirement(text: str, number: int | None) -> str | None:
    """The requirement on a line, as reports show it."""
    for line in iter_lines(text):
        if line.number == number:
            parsed = parse_line(line.text, {})
            return redact(collapse(parsed.requirement)) if parsed.requirement and not parsed.editable else None
    return None


def _edit_toml(text: str, start: int, end: int, edit: Edit, *, is_comment: bool) -> str | None:
    """A line with quoted requirements, in TOML or in TOML inside comments (PEP 723)."""
    value = _python_value(edit.old)
    old = edit.old if value is None else value
    places = []
    at = start
    if is_comment and text[start:end].startswith("#"):
        at += 1
    while at < end and (token := _TOML_TOKEN.search(text, at, end)) is not None:
        if token["comment"]:
            break
        group = "basic" if token["basic"] is not None else "literal"
        if collapse(token[group]) == old:
            places.append(token.span(group))
        at = token.end()
    for begin, close in reversed(places):
        written = text[begin:close]
        indent = len(written) - len(written.lstrip(" \t"))
        new = _python_value(edit.new) if value is not None else _replaced(written, indent, edit.new)
        if new is None:
            return None
        text = text[:begin] + new + text[close:]
    return text if places else None


def _edit_poetry(text: str, start: int, end: int, entry: PoetryEntry, edit: Edit) -> str | None:
    """An entry of one of Poetry's tables: on its line, or below it where the line is the header of its own table."""
    new = poetry_entry(edit.new)
    if text[start:end].lstrip().startswith("["):
        following = _TOML_HEADER.search(text, end)
        start, end = end, following.start() if following else len(text)
    key, constraint = re.escape(entry.key), re.escape(entry.constraint)
    written = re.compile(rf"""(?<![\w-])["']?{key}["']?[ \t]*=[ \t]*(["'])(?P<constraint>{constraint})\1""")
    places = [found.span("constraint") for found in written.finditer(text, start, end)]
    if new is None or len(places) != 1:
        return None
    [(begin, close)] = places
    result = text[:begin] + new.constraint + text[close:]
    # What stands in a comment changes nothing.
    return result if _toml(result) not in (None, _toml(text)) else None


def _toml(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError:
        return None


def _python_value(text: str) -> str | None:
    found = _PYTHON.fullmatch(text)
    return found["value"] if found else None
