"""An index that lies: each way that one fails, what is said then, and that the cache is none the worse for it.

Two specs clash in the releases that the index has, which takes metadata to know: `one.txt` asks for app, whose only
release needs lib>=2, and `two.txt` for tool, which needs lib<2. Whatever is lost on the way, release or requirement,
would change the verdict.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import artifacts
import pytest
from index_server import Fault, IndexServer

from conflictcheck.index.memory import Rel
from conflictcheck.model import Verdict
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress
from conflictcheck.reports.json import JsonReport
from conflictcheck.settings import IndexSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conflictcheck.model import Report

PACKAGES = {
    "app": {"1.0": Rel(requires=["lib>=2"])},
    "lib": {"1.0": Rel(), "2.0": Rel()},
    "tool": {"1.0": Rel(requires=["lib<2"])},
}
WHEEL = "app-1.0-py3-none-any.whl"
PAGE, FILE, DOCUMENT = "/simple/app/", f"/files/{WHEEL}", f"/files/{WHEEL}.metadata"
OTHER_DOCUMENT = artifacts.core_metadata("app", "1.0")
OTHER_WHEEL = artifacts.wheel("app", "1.0")
TIMEOUT = 0.3


@dataclass(frozen=True)
class Lie:
    """A way to fail.

    Attributes:
        title: of the row.
        setup: what goes wrong, from now on.
        reason: why one.txt is undecided; empty where the answer is the right one nevertheless.
        before: how the index was all the time.
        known: whether the cache holds what the index said before, no longer fresh.
        refresh: whether it takes ``--refresh`` to see that the index is well again, as what it said was an answer.
    """

    title: str
    setup: Callable[[IndexServer], None]
    reason: str = ""
    before: Callable[[IndexServer], None] = lambda _: None
    known: bool = False
    refresh: bool = False


def fails(path: str, **fault: Any) -> Callable[[IndexServer], None]:
    def setup(index: IndexServer) -> None:
        index.faults[path] = Fault(**fault)

    return setup


def has(**attributes: Any) -> Callable[[IndexServer], None]:
    def setup(index: IndexServer) -> None:
        for name, value in attributes.items():
            setattr(index, name, value)

    return setup


def both(*setups: Callable[[IndexServer], None]) -> Callable[[IndexServer], None]:
    def setup(index: IndexServer) -> None:
        for each in setups:
            each(index)

    return setup


def edits(change: Callable[[dict[str, Any]], object], path: str = PAGE) -> Callable[[IndexServer], None]:
    """Change a JSON page."""

    def edit(body: bytes) -> bytes:
        page = json.loads(body)
        change(page)
        return json.dumps(page).encode()

    return fails(path, edit=edit)


def stores(filename: str, data: bytes) -> Callable[[IndexServer], None]:
    """Serve something else than what is listed."""
    return fails(f"/files/{filename}", edit=lambda _: data)


def date(year: int) -> str:
    return format_datetime(datetime(year, 1, 1, tzinfo=UTC), usegmt=True)


NO_METADATA_FILES: dict[str, Any] = {"metadata_files": False}
CUT_OFF = {"Content-Length": None}
BOMB = gzip.compress(b"\0" * (300 << 20))

LIES = [
    # Trouble on the way
    Lie("a page is slow", fails(PAGE, delay=TIMEOUT / 3)),
    Lie("a page never comes", fails(PAGE, delay=60), "{page}: no answer within 0.3 s"),
    Lie("a page stalls", fails(PAGE, cut=20, stall=60), "{page}: no answer within 0.3 s"),
    Lie("a page drips", fails(PAGE, drip=0.02), "{page}: no answer within 0.3 s"),
    Lie(
        "a page is cut off",
        fails(PAGE, cut=20),
        "{page}: the connection broke: peer closed connection without sending "
        "complete message body (received 20 bytes, expected 389)",
    ),
]


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer(PACKAGES, metadata_files=True) as server:
        yield server


def checked(index: IndexServer, folder: Path, *, cache: bool = True, **more: Any) -> Report:
    for name, line in {"one.txt": "app", "two.txt": "tool"}.items():
        (folder / name).write_text(f"{line}\n")
    settings = IndexSettings(
        (index.url_with_login,), cache_dir=folder / "cache" if cache else None, timeout=TIMEOUT, retries=1, backoff=0,
        **more,
    )  # fmt: skip
    return check(
        Settings(folder, settings, python_versions=("3.11",), platforms=("linux",), paths=("one.txt", "two.txt")),
        Progress(),
    )


def shown(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(JsonReport().render(report, color=False, width=100, verbose=0))
    del document["stats"]
    return document


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.title)
def test_after_each_lie_the_answer_is_right_or_undecided_and_the_cache_whole(
    index: IndexServer, lie: Lie, tmp_path: Path
) -> None:
    lie.before(index)
    right = checked(index, tmp_path, cache=False)
    assert (right.verdict, len(right.clashes)) == (Verdict.SPLIT, 1)
    if lie.known:
        index.max_age = 0
        assert shown(checked(index, tmp_path)) == shown(right)
    healthy = dict(vars(index))
    lie.setup(index)
    report = checked(index, tmp_path)
    if lie.reason:
        told = [note.message for note in report.diagnostics if note.code == "undecided-spec"]
        reason = lie.reason.format(root=index.root, page=f"{index.url}/app/")
        assert (report.verdict, report.clashes) == (Verdict.UNDECIDED, ())
        assert told[0].endswith(f": {reason}"), told
    else:
        assert shown(report) == shown(right)
    assert not any("cache" in note.message for note in report.diagnostics)
    vars(index).update(healthy)
    index.faults.clear()
    assert shown(checked(index, tmp_path, refresh=lie.refresh)) == shown(right)
