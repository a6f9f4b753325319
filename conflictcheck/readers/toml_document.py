"""TOML with the place of every value: the standard library's parser decides what it means, this finds where it stands.

Source: the TOML 1.0 specification.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from conflictcheck.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 1 << 20
"""Characters of a document; what a project states has some thousand."""
MOST_PARTS = 32
"""Parts of a dotted key. The standard library's parser keeps what precedes each, so a long one costs its square."""

Key = str | int
Place = tuple[Key, ...]
"""Where a value is in the document: keys of tables and positions in arrays."""

_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONG_KEY = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){{{MOST_PARTS}}}")
_OTHER = re.compile(r"[^,\]}#\n]+")


class TomlDocument(Struct, frozen=True, dict=True):
    """A parsed document.

    Attributes:
        data: what it says.
        spans: for each value, where its text begins and ends; for a table with a header, that of the header.
        source: its text.
        first_line: the line of the file that it begins on, counted from 1.
        newlines: where the lines of the source end.
    """

    data: Mapping[str, Any]
    spans: Mapping[Place, tuple[int, int]]
    source: str
    first_line: int = 1
    newlines: tuple[int, ...] = ()

    @cached_property
    def _firsts(self) -> dict[int, dict[Place, int]]:
        return {}

    def get(self, *place: Key) -> Any:
        """The value at a place, or None where there is none."""
        value: Any = self.data
        for key in place:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def line(self, *place: Key) -> int:
        """The line a value begins on; where it has no text of its own, that of its first part, or of what holds it."""
        start = None
        while start is None:
            start = self.spans[place][0] if place in self.spans else self._first_part(place)
            if not place:
                start = start or 0
            place = place[:-1]
        return bisect_left(self.newlines, start) + self.first_line

    def _first_part(self, place: Place) -> int | None:
        """Where the first of the values below `place` begins: a table made of dotted keys has no other place."""
        depth = len(place)
        if depth not in self._firsts:
            firsts = self._firsts.setdefault(depth, {})
            for other, (start, _) in self.spans.items():
                firsts[other[:depth]] = min(start, firsts.get(other[:depth], start))
        return self._firsts[depth].get(place)

    def text(self, *place: Key) -> str:
        """The value at a place as written."""
        start, end = self.spans[place]
        return self.source[start:end]


def parse_toml(source: str, *, first_line: int = 1, longest: int = LONGEST) -> TomlDocument:
    """A document with the place of each value; of at most `longest` characters.

    Raises:
        SpecError: it is not valid; with the line, without the file.
    """
    if len(source) > longest:
        raise SpecError(f"not usable TOML: it is longer than {longest:,} characters")
    if found := _LONG_KEY.search(source):
        line = source.count("\n", 0, found.start()) + first_line
        raise SpecError(f"not usable TOML: a key of more than {MOST_PARTS} parts", line=line)
    source = source.replace("\r\n", "\n")
    try:
        data = tomllib.loads(source)
        spans = _Scanner(source).scan()
    except tomllib.TOMLDecodeError as error:
        message, line = str(error), source.rstrip("\n").count("\n") + 1
        if found := re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message):
            message, line = message[: found.start()], int(found[1] or line)
        raise SpecError(f"not valid TOML: {message[:1].lower()}{message[1:]}", line=line + first_line - 1) from None
    except RecursionError:
        raise SpecError("not usable TOML: it is nested too deeply") from None
    except ValueError:  # an integer of thousands of digits
        raise SpecError("not usable TOML: a number in it is too long") from None
    return TomlDocument(data, spans, source, first_line, tuple(m.start() for m in re.finditer("\n", source)))


class _Scanner:
    """Walks through a document that is known to be valid."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._spans: dict[Place, tuple[int, int]] = {}
        self._lengths: dict[Place, int] = {}  # of arrays of tables

    def scan(self) -> dict[Place, tuple[int, int]]:
        table: Place = ()
        while self._skip() < len(self._source):
            start = self._at
            if self._source.startswith("[[", start):
                table = self._header(2)
            elif self._source.startswith("[", start):
                table = self._header(1)
            else:
                self._key_value(table)
                continue
            self._spans.setdefault(table, (start, self._at))
        return self._spans

    def _skip(self) -> int:
        self._at = _SPACE.match(self._source, self._at).end()  # type: ignore[union-attr]  # it matches nothing at least
        return self._at

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._source, self._at)
        if found is None:
            raise AssertionError(f"valid TOML was expected at character {self._at}")
        self._at = found.end()
        return found[0]

    def _header(self, brackets: int) -> Place:
        self._at += brackets
        keys = self._keys()
        self._at += brackets
        place: Place = ()
        for position, key in enumerate(keys):
            place = (*place, key)
            if brackets == 2 and position == len(keys) - 1:  # noqa: PLR2004 - [[ ]]
                self._lengths[place] = self._lengths.get(place, 0) + 1
            if place in self._lengths:
                place = (*place, self._lengths[place] - 1)
        return place

    def _keys(self) -> list[str]:
        """A dotted key; what ends it is not taken."""
        keys = []
        while True:
            self._skip()
            if self._source[self._at] in "\"'":
                keys.append(tomllib.loads(f"key = {self._match(_STRING)}")["key"])
            else:
                keys.append(self._match(_BARE_KEY))
            self._skip()
            if self._source[self._at] != ".":
                return keys
            self._at += 1

    def _key_value(self, table: Place) -> None:
        place = (*table, *self._keys())
        self._at += 1  # the equals sign
        self._skip()
        self._value(place)

    def _value(self, place: Place) -> None:
        start = self._at
        match self._source[start]:
            case '"' | "'":
                self._match(_STRING)
            case "[":
                self._items(place, "]")
            case "{":
                self._items(place, "}")
            case _:
                self._at = start + len(self._match(_OTHER).rstrip())
        self._spans[place] = (start, self._at)

    def _items(self, place: Place, end: str) -> None:
        self._at += 1
        position = 0
        while self._source[self._skip()] != end:
            if end == "]":
                self._value((*place, position))
            else:
                self._key_value(place)
            position += 1
            if self._source[self._skip()] == ",":
                self._at += 1
        self._at += 1
