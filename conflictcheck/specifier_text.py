"""Where the version specifier stands in the text of a requirement, and what it is made of.

Source: PEP 508 and PEP 440; ``requires-python`` as reports show it.
"""

from __future__ import annotations

import re

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


def specifier_span(text: str) -> tuple[int, int] | None:
    """Where the specifier of a requirement begins and ends in a text that begins with the requirement.

    Args:
        text: a PEP 508 requirement, whatever follows it; or a ``requires-python = "…"``.

    Returns:
        The span of the clauses, without parentheses; None if there are none, or the text is something else.
    """
    found = _PYTHON.match(text) or _REQUIREMENT.match(text)
    return None if found is None else found.span("specifier")
