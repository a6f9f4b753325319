"""The source, the list of codes and docs/diagnostics.md say the same."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from conflictcheck.codes import CLASHES, DIAGNOSTICS, DOCUMENT, link_to
from conflictcheck.model import ClashKind

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / DOCUMENT).read_text()
PLACES = {"Diagnostic": 1, "note": 0}
"""Who makes diagnostics, and which argument is the code; the next one is the message."""
HANDS_ON = "conflictcheck/readers/base.py"
"""`Workspace.note` makes a diagnostic of the code that it was given."""


@dataclass(frozen=True, slots=True)
class Made:
    """A place in the source where a diagnostic is made.

    Attributes:
        where: file and line.
        code: the literal; None if it is none.
        message: a pattern of what is said; None where the source builds it elsewhere.
    """

    where: str
    code: str | None
    message: str | None


@cache
def made() -> list[Made]:
    """Every place in the source where a diagnostic is made."""
    found = []
    for file in sorted((ROOT / "conflictcheck").rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            place = PLACES.get(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
            if place is None or (name == HANDS_ON and isinstance(node.args[place], ast.Name)):
                continue
            code, message = node.args[place : place + 2]
            literal = code.value if isinstance(code, ast.Constant) and isinstance(code.value, str) else None
            found.append(Made(f"{name}:{node.lineno}", literal, pattern(message)))
    return found


def pattern(message: ast.expr) -> str | None:
    """What a literal text can say, whatever is filled in."""
    if isinstance(message, ast.Constant):
        return re.escape(str(message.value))
    if not isinstance(message, ast.JoinedStr):
        return None
    parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in message.values)
    return "".join(parts)


def section(name: str) -> str:
    """What the document says under a heading."""
    found = re.search(rf"^### {re.escape(name)}\n\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, (
        f"{DOCUMENT} lacks a section: ### {name}, then the severity and the sentence of conflictcheck/codes.py, an "
        "example message after >, and what to do"
    )
    return found[1]


def example(name: str) -> str:
    """The message that a section quotes, on one line."""
    return " ".join(line.removeprefix(">").strip() for line in section(name).splitlines() if line.startswith(">"))


def test_every_diagnostic_has_a_literal_code_of_the_list() -> None:
    places = made()
    assert len(places) > 25, "the search for diagnostics itself works"
    assert [one.where for one in places if one.code is None] == [], "write the code where the diagnostic is made"
    unlisted = {one.code: one.where for one in places if one.code not in DIAGNOSTICS}
    assert unlisted == {}, f"add them to conflictcheck/codes.py and {DOCUMENT}"
    assert set(DIAGNOSTICS) <= {one.code for one in places}, "listed, but never given"


def test_codes_are_sorted_and_sentences_are_sentences() -> None:
    assert list(DIAGNOSTICS) == sorted(DIAGNOSTICS)
    assert list(CLASHES) == list(ClashKind)
    for code, meaning in [*DIAGNOSTICS.items(), *CLASHES.items()]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert re.fullmatch(r"[A-Z][^\n]*[^.]\.", meaning), code


@pytest.mark.parametrize("code", DIAGNOSTICS)
def test_a_code_is_explained_with_its_severity_an_example_and_what_to_do(code: str) -> None:
    text = section(code)
    assert re.match(r"(Error|Warning|Note)\b[^.]*\. ", text)
    assert DIAGNOSTICS[code] in " ".join(text.split())
    patterns = [one.message for one in made() if one.code == code]
    if None not in patterns:
        said = re.sub(r"^[\w./-]+(:\d+)?: ", "", example(code))
        assert any(re.fullmatch(each or "", said) for each in patterns), f"{said!r} is not what the source says"
    advice = text.rpartition("\n> ")[2].partition("\n\n")[2].strip()
    assert advice, "say what to do"


@pytest.mark.parametrize("kind", ClashKind)
def test_a_kind_of_clash_is_explained_with_a_clash_that_the_program_told(kind: ClashKind) -> None:
    heading = f"Clash: {kind.value}"
    assert CLASHES[kind] in section(heading)
    told = [path.read_text().splitlines() for path in sorted((ROOT / "tests" / "golden").glob("explain-*.txt"))]
    summaries = [lines[1] for lines in told if lines[0].startswith(f"[{kind.value}]")]
    assert example(heading) in (summaries or ["(none)"])


def test_the_document_has_no_other_sections_and_its_links_lead_to_them() -> None:
    headings = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    assert headings == [*DIAGNOSTICS, *(f"Clash: {kind.value}" for kind in ClashKind)]
    anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert [link_to(code) for code in [*DIAGNOSTICS, *ClashKind]] == [f"{DOCUMENT}#{anchor}" for anchor in anchors]
