"""Runs against an index that fails: on loopback, with a cache, and with little patience."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conflictcheck.model import Verdict
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress
from conflictcheck.reports.json import JsonReport
from conflictcheck.settings import IndexSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conflictcheck.model import Report

TIMEOUT = 0.3


def run(
    folder: Path,
    urls: tuple[str, ...],
    specs: Mapping[str, str],
    *,
    cache: bool = True,
    platform: str = "linux",
    timeout: float = TIMEOUT,
    **more: Any,
) -> Report:
    """Check requirements files of one line each; `more` are further `IndexSettings`."""
    for name, line in specs.items():
        (folder / name).write_text(f"{line}\n")
    index = IndexSettings(
        urls, cache_dir=folder / "cache" if cache else None, timeout=timeout, retries=1, backoff=0, **more
    )
    return check(
        Settings(folder, index, python_versions=("3.11",), platforms=(platform,), paths=tuple(specs)), Progress()
    )


def shown(report: Report) -> dict[str, Any]:
    """All that is said, but for how long it took."""
    document: dict[str, Any] = json.loads(JsonReport().render(report, color=False, width=100, verbose=0))
    del document["stats"]
    return document


def doubt(report: Report) -> str:
    """Why one.txt is undecided; empty where nothing is."""
    found = [note.message for note in report.diagnostics if note.code == "undecided-spec"]
    assert bool(found) == (report.verdict is Verdict.UNDECIDED)
    return "".join(found[:1]).removeprefix("one.txt could not be decided: ")
