"""A run on what has not changed says what the last one said, and asks nobody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from index_server import Fault, IndexServer

from conflictcheck import pipeline
from conflictcheck.cli import ExitCode, run
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Serve

    Say = Callable[..., tuple[ExitCode, str]]

PACKAGES = {"web": {"1.0": ["core<2"]}, "nlp": {"3.0": ["core>=2"]}, "core": {"1.0": [], "2.0": []}}


@pytest.fixture
def index(tmp_path: Path, serve: Serve) -> Iterator[IndexServer]:
    (tmp_path / "a.txt").write_text("web\n")
    (tmp_path / "b.txt").write_text("nlp\n")
    with serve(PACKAGES) as server:
        yield server


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Check the two specs: the exit code, and what was written."""

    def said(*options: str) -> tuple[ExitCode, str]:
        code = run(["check", "a.txt", "b.txt", *options])
        return code, capsys.readouterr().out

    return said


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one for each run that is made in full."""
    runs: list[object] = []
    check_files = pipeline.check_files

    def counted(*given: object, **options: object) -> object:
        runs.append(given)
        return check_files(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "check_files", counted)
    return runs


@pytest.mark.parametrize("options", [(), ("--format", "json"), ("--offline",)])
def test_second_run_says_the_same_and_asks_nobody(
    index: IndexServer, say: Say, solved: list[object], options: tuple[str, ...]
) -> None:
    say("--quiet")
    first = say(*options)
    assert first[0] is ExitCode.FAILED
    made, asked = len(solved), len(index.requests)
    assert say(*options) == first
    assert (len(solved), len(index.requests)) == (made, asked)


def test_file_gets_what_standard_output_got(index: IndexServer, say: Say, solved: list[object], tmp_path: Path) -> None:
    assert index.url
    _, text = say()
    assert say("-o", "report.txt") == (ExitCode.FAILED, "")
    assert (tmp_path / "report.txt").read_text() == text
    assert len(solved) == 1


def test_several_reports_are_remembered_together(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path
) -> None:
    assert index.url
    several = ("--format", "json", "-o", "a.json", "--format", "text", "--format", "sarif", "-o", "b.sarif")
    first = say(*several)
    texts = [(tmp_path / name).read_text() for name in ("a.json", "b.sarif")]
    (tmp_path / "a.json").unlink()
    assert say(*several) == first
    assert [(tmp_path / name).read_text() for name in ("a.json", "b.sarif")] == texts
    assert len(solved) == 1


@pytest.mark.parametrize(
    "options",
    [("--max-environments", "2"), ("--format", "json"), ("-v",), ("--color", "always"), ("--prerelease", "allow"),
     ("--refresh",), ("--no-cache",), ("--with", "core")],
)  # fmt: skip
def test_other_options_are_another_question(
    index: IndexServer, say: Say, solved: list[object], options: tuple[str, ...]
) -> None:
    assert index.url
    say()
    say(*options)
    assert len(solved) == 2


def test_changed_line_and_changed_width_are_other_questions(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index.url
    say()
    (tmp_path / "a.txt").write_text("# the same, a line lower\nweb\n")
    assert "a.txt:2" in say()[1]
    monkeypatch.setenv("COLUMNS", "50")
    say()
    assert len(solved) == 3


def test_what_conflictcheck_made_is_another_question_once_it_is_somebodys(
    index: IndexServer, solved: list[object], tmp_path: Path
) -> None:
    assert index.url
    (tmp_path / "requirements.txt").write_text("web\n")
    (tmp_path / "requirements.made.txt").write_text("# Made by conflictcheck\nnlp\n")
    assert run(["check"]) is ExitCode.PASSED
    assert run(["check"]) is ExitCode.PASSED
    assert len(solved) == 1
    (tmp_path / "requirements.made.txt").write_text("nlp\n")
    assert run(["check"]) is ExitCode.FAILED
    assert len(solved) == 2


def test_page_that_is_not_fresh_is_asked_for_again(
    index: IndexServer, say: Say, solved: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = say()
    index.add("web", "2.0", Rel(requires=["core>=2"]))
    assert say() == first
    later = time.time() + 1_000_000
    monkeypatch.setattr(time, "time", lambda: later)
    assert say()[0] is ExitCode.PASSED
    assert len(solved) == 2


def test_page_that_another_run_found_changed_counts(index: IndexServer, say: Say, solved: list[object]) -> None:
    say()
    index.add("web", "2.0", Rel(requires=["core>=2"]))
    assert run(["check", "--with", "web", "--refresh", "a.txt"]) is ExitCode.PASSED
    assert say()[0] is ExitCode.PASSED
    assert len(solved) == 3


def test_undecided_is_not_remembered(index: IndexServer, say: Say) -> None:
    index.faults["/simple/core/"] = Fault(status=500)
    assert say("--no-progress")[0] is ExitCode.UNDECIDED
    index.faults.clear()
    assert say()[0] is ExitCode.FAILED


def test_damaged_memory_is_no_memory(
    index: IndexServer, say: Say, solved: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index.url
    first = say()
    monkeypatch.setattr("conflictcheck.index.cache.Cache.answer", lambda *_: b"\x93\x01")
    assert say() == first
    assert len(solved) == 2


def test_cleared_cache_remembers_nothing(index: IndexServer, say: Say, solved: list[object]) -> None:
    assert index.url
    say()
    assert run(["cache", "clear"]) is ExitCode.PASSED
    assert say()[0] is ExitCode.FAILED
    assert len(solved) == 2


def test_another_baseline_is_another_question_and_the_same_one_is_not(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path
) -> None:
    assert index.url
    assert say("--write-baseline", "known.toml")[0] is ExitCode.PASSED
    first = say("--baseline", "known.toml")
    assert (say("--baseline", "known.toml"), len(solved)) == (first, 2)
    assert first[0] is ExitCode.PASSED
    (tmp_path / "known.toml").write_text("version = 1\n")
    assert say("--baseline", "known.toml")[0] is ExitCode.FAILED
    assert len(solved) == 3


def test_a_baseline_is_written_each_time_it_is_asked_for(index: IndexServer, say: Say, tmp_path: Path) -> None:
    assert index.url
    say("--write-baseline", "known.toml")
    (tmp_path / "known.toml").unlink()
    say("--write-baseline", "known.toml")
    assert (tmp_path / "known.toml").is_file()
