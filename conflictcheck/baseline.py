"""The baseline: a file with the clashes that a team knows of, one entry each, fit for review and for merging.

It is TOML: an entry is lines of its own, in order of ids, so that two branches that add some can be merged. The id
decides; the summary is there to be read.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conflictcheck.errors import BaselineError, SpecError
from conflictcheck.escaping import visible
from conflictcheck.model import IN_BASELINE, Verdict
from conflictcheck.readers.toml_document import parse_toml
from conflictcheck.text import decode, quote
from conflictcheck.writing import write_file

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.model import Report
    from conflictcheck.readers.toml_document import TomlDocument

VERSION = 1
LARGEST = 16 << 20
"""Bytes of a baseline; some 50,000 clashes."""

_KEYS = ("version", "clashes")
_ID = re.compile(r"[0-9a-f]{12}")
_HEAD = f"""\
# Clashes that are known: with --baseline, conflictcheck fails on others alone.
# --write-baseline writes this file anew; entries may be taken out by hand.
version = {VERSION}
"""
_HINT = "conflictcheck check --write-baseline FILE writes one"


def read_baseline(path: Path, name: str) -> dict[str, str]:
    """The summaries of the clashes in a baseline, by id.

    Args:
        path: the file.
        name: what the user calls it.

    Raises:
        BaselineError: it cannot be read or is none, with the line where that is known.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BaselineError("too large for a baseline", file=name, hint=_HINT)
        document = parse_toml(decode(path.read_bytes()), longest=LARGEST)
    except OSError as error:
        raise BaselineError(f"the baseline cannot be read: {error.strerror}", file=name, hint=_HINT) from None
    except SpecError as error:
        raise BaselineError(f"not a baseline: {error.message}", file=name, line=error.line, hint=_HINT) from None
    return _entries(document, name)


def _entries(document: TomlDocument, name: str) -> dict[str, str]:
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise BaselineError("not a baseline: it states no version", file=name, hint=_HINT)
    if version > VERSION:
        raise BaselineError(
            f"a baseline of version {version}, and this conflictcheck reads version {VERSION}",
            file=name,
            line=document.line("version"),
            hint="use a newer conflictcheck, or write it anew with --write-baseline",
        )
    unknown = next((key for key in document.data if key not in _KEYS), None)
    if unknown is not None:
        raise BaselineError(
            f"a baseline has no {quote(unknown)} at its top, only {' and '.join(_KEYS)}",
            file=name,
            line=document.line(unknown),
            hint='each clash is a table, below a line "[[clashes]]"; or write the baseline anew with --write-baseline',
        )
    tables = document.get("clashes")
    if tables is None:
        return {}
    if not isinstance(tables, list):
        raise BaselineError("clashes is not a list of tables", file=name, line=document.line("clashes"), hint=_HINT)
    found: dict[str, str] = {}
    for number, table in enumerate(tables):
        key = table.get("id") if isinstance(table, dict) else None
        summary = table.get("summary", "") if isinstance(table, dict) else None
        if not isinstance(key, str) or not _ID.fullmatch(key) or not isinstance(summary, str):
            raise BaselineError(
                "an entry of clashes needs an id as the report tells it, and a summary that is a text",
                file=name,
                line=document.line("clashes", number),
                hint="take it out, or write the baseline anew with --write-baseline",
            )
        found[key] = summary
    return found


def write_baseline(path: Path, report: Report) -> Report:
    """Write the clashes of a report that are not expected for another reason, and mark them.

    The same clashes give the same bytes. Nothing is written where the report is undecided.

    Returns:
        The report, in which they are known.

    Raises:
        OutputError: the file cannot be written; what was there before still is.
    """
    if report.verdict is Verdict.UNDECIDED:
        return report
    kept = {clash.id: clash.summary for clash in report.clashes if clash.known in ("", IN_BASELINE)}
    entries = [f"\n[[clashes]]\nid = {_text(key)}\nsummary = {_text(said)}\n" for key, said in sorted(kept.items())]
    write_file(path, "".join([_HEAD, *entries]).encode())
    clashes = tuple(replace(clash, known=IN_BASELINE) if clash.id in kept else clash for clash in report.clashes)
    gone = tuple(replace(one, was=f"{one.was} before") if one.was == IN_BASELINE else one for one in report.gone)
    diagnostics = tuple(one for one in report.diagnostics if one.code != "baseline-outdated")
    return replace(report, clashes=clashes, gone=gone, diagnostics=diagnostics)


def _text(value: str) -> str:
    """A basic string of TOML; JSON's escapes are TOML's as well."""
    return json.dumps(visible(value), ensure_ascii=False)
