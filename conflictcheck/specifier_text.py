"""Where the version specifier stands in the text of a requirement, and what it is made of.

Source: PEP 508 and PEP 440; ``requires-python`` and the entries of Poetry's tables as reports show them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Between the parts of a requirement that stands in a file there may be a line continuation.
_GAP = r"(?:[ \t]|\\\r?\n|\\\r)*"
_OPERATOR = r"===|~=|==|!=|<=|>=|<|>"
_CLAUSE = rf"(?:{_OPERATOR}){_GAP}[A-Za-z0-9.!+*_-]+"
_CLAUSES = rf"{_CLAUSE}(?:{_GAP},{_GAP}{_CLAUSE})*(?:{_GAP},)?"
_REQUIREMENT = re.compile(
    rf"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?P<extras>{_GAP}\[[^\]\n]*\])?{_GAP}\(?{_GAP}"
    rf"(?P<specifier>{_CLAUSES})"
)
CLAUSE = re.compile(rf"(?P<operator>{_OPERATOR})(?P<gap>{_GAP})(?P<version>[A-Za-z0-9.!+*_-]+)")
"""One clause: ``operator``, the ``gap`` after it, ``version``."""
_PYTHON = re.compile(rf"requires-python[ \t]*=[ \t]*([\"'])[ \t]*(?P<specifier>{_CLAUSES})[ \t]*\1")
# Texts are passed over as a whole: what stands inside of one is no key.
_POETRY = re.compile(
    r"(?!requires-python )(?P<key>[A-Za-z0-9][A-Za-z0-9._-]*) = "
    r"(?P<table>\{(?:[^\"'{}]|\"[^\"\\]*\"|'[^']*')*?(?<![\w-])version\s*=\s*)?"
    r"(?P<quote>[\"'])(?P<specifier>[^\"'\\]+)(?P=quote)"
)


class PoetryEntry(NamedTuple):
    """An entry of one of Poetry's tables.

    Attributes:
        key: to the left of the versions: the name of the package, or ``version`` inside its table.
        constraint: the versions, in Poetry's own language.
    """

    key: str
    constraint: str


def poetry_entry(text: str) -> PoetryEntry | None:
    """What ``name = "^1.2"`` or ``name = {version = "^1.2", …}`` says; None if the text is something else."""
    found = _POETRY.match(text)
    return found and PoetryEntry("version" if found["table"] else found["key"], found["specifier"])


def specifier_span(text: str) -> tuple[int, int] | None:
    """Where the specifier of a requirement begins and ends in a text that begins with the requirement.

    Args:
        text: a PEP 508 requirement, whatever follows it; a ``requires-python = "…"``; or an entry of Poetry's.

    Returns:
        The span of the clauses, without parentheses; None if there are none, or the text is something else.
    """
    found = _PYTHON.match(text) or _REQUIREMENT.match(text) or _POETRY.match(text)
    return None if found is None else found.span("specifier")


def with_specifier(text: str, specifier: str) -> str:
    """The text of a requirement that has a specifier, with another one or none in its place."""
    span = specifier_span(text)
    if span is None:
        raise AssertionError(f"a line that can be relaxed has a specifier: {text}")
    before, after = text[: span[0]], text[span[1] :]
    if not specifier and poetry_entry(text):
        specifier = "*"
    if not specifier:
        before, after = before.rstrip(" ("), after.lstrip(" )")
        specifier = " " if after else ""
    return before + specifier + after
