"""Slips that indexes accepted for years in what a release says: those in spite of which uv reads it."""

from __future__ import annotations

import re

_SLIPS = (
    (r"""['"]""", ""),  # >=1.3.0,<1.4.0'
    (r"((?:[<>]=?|[!=~]=)\s*[0-9][0-9A-Za-z.*+]*)\s*(?=[<>=!~])", r"\1,"),  # >=1.0<2.0
    (r"!=~\s*([0-9]+(?:\.[0-9]+)*)", r"!=\1.*"),  # !=~5.0
    (r"(?<![=!~])([<>]=?\s*[0-9]+(?:\.[0-9]+)*)\.\*", r"\1"),  # >=1.0.*
    (r"([0-9]\.[0-9]+)\*", r"\1.*"),  # !=3.0*
    (r">\s*dev(?![0-9A-Za-z])", ">0.dev0"),  # >dev
    (r"([0-9]\.?(?:a|b|rc|post|dev)[0-9]+)\.0(?![0-9A-Za-z.])", r"\1"),  # >=9.0.0a1.0
    (r",\s*(?=\)?\s*\Z)", ""),  # >=3.6,
)


def mended(text: str) -> str:
    """A requirement or specifier that could not be read, with known slips mended; its marker is left as it is."""
    head, semicolon, marker = text.partition(";")
    for slip, meant in _SLIPS:
        head = re.sub(slip, meant, head)  # compiled when first needed: few runs meet one
    return f"{head}{semicolon}{marker}"
