"""Lines of prose for a terminal: wrapped, indented, coloured.

Made by hand rather than with rich, whose import alone takes longer than a warm run on a small project.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

from msgspec import Struct, field

from conflictcheck.escaping import visible

Style = Literal["", "bold", "dim", "red", "green", "yellow", "cyan", "good", "bad", "doubtful"]

_CODES: dict[Style, str] = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "good": "1;32",
    "bad": "1;31",
    "doubtful": "1;33",
}
_OPERATORS = ("<", ">", "=", "!", "~", ";")
_NARROWEST = 24
"""Columns that text keeps however deep it is indented and however narrow the terminal is."""


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def paint(text: str, style: Style, *, color: bool) -> str:
    """The text in a style, if colours are wanted."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if color and style and text else text


def _words(text: str) -> list[str]:
    """The text in pieces that stay whole: ``numpy >=2, <3`` is one, and so is ``a.txt:3``."""
    words: list[str] = []
    for word in text.split(" "):
        if words and word.startswith(_OPERATORS):
            words[-1] += " " + word
        elif word:
            words.append(word)
    return words


def wrap(text: str, width: int) -> list[str]:
    """Break prose between words; a word longer than the width keeps its own line.

    Args:
        text: one paragraph, made visible already.
        width: columns.

    Returns:
        At least one line.
    """
    width = max(width, _NARROWEST)
    lines: list[str] = []
    line = ""
    for word in _words(text):
        if line and columns(line) + 1 + columns(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


class Page(Struct):
    """Collects the lines of a report.

    Attributes:
        width: columns that prose is wrapped to.
        color: whether terminal colours may be used.
    """

    width: int
    color: bool
    _lines: list[str] = field(default_factory=list)

    def gap(self) -> None:
        """An empty line, unless there is one or nothing stands before it."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def prose(self, text: str, *, first: str = "", style: Style = "", label: str = "", label_style: Style = "") -> None:
        """A paragraph.

        Args:
            text: what it says; anything, it is made visible here.
            first: what stands before the first line; further lines are indented by as much.
            style: of the text.
            label: words the paragraph begins with, in a style of their own.
            label_style: that style.
        """
        label, text = visible(label), visible(text)
        lines = wrap(f"{label} {text}" if label else text, self.width - columns(first))
        indent = " " * columns(first)
        for number, line in enumerate(lines):
            painted = paint(line, style, color=self.color)
            if number == 0 and label and line.startswith(label):
                rest = paint(line[len(label) :], style, color=self.color)
                painted = paint(label, label_style, color=self.color) + rest
            self._lines.append((indent if number else first) + painted)

    def pairs(self, rows: list[tuple[str, str]], *, indent: int, style: Style = "cyan") -> None:
        """Two columns: places and what stands there. A place that is too long gets a line of its own.

        Args:
            rows: left and right; anything, it is made visible here.
            indent: columns before the left one.
            style: of the left one.
        """
        shown = [(visible(left), visible(right)) for left, right in rows]
        half = (self.width - indent) // 2
        left_width = max((columns(left) for left, _ in shown if columns(left) <= half), default=0)
        for left, right in shown:
            start = " " * indent + paint(left, style, color=self.color)
            if columns(left) <= half:
                start += " " * (left_width - columns(left) + 2)
                column = indent + left_width + 2
            else:
                column = indent + 4
                self._lines.append(start)
                start = " " * column
            lines = wrap(right, self.width - column)
            self._lines.append((start + lines[0]).rstrip())
            self._lines.extend(" " * column + line for line in lines[1:])

    def lines(self, lines: list[str]) -> None:
        """Lines that are made visible and painted already, and not to be wrapped."""
        self._lines.extend(lines)

    def text(self) -> str:
        """Everything, ending in one line break."""
        return "\n".join(self._lines).rstrip("\n") + "\n"
