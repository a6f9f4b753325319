"""A run on what has not changed says what the last one said, and asks nobody."""

from __future__ import annotations

import gzip
import json
import re
import time
import zlib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from artifacts import wheel
from index_server import Fault, IndexServer

from conflictcheck import pipeline
from conflictcheck.cli import ExitCode, run
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Serve

    Say = Callable[..., tuple[ExitCode, str]]

_FOLDERS = ("fresh", "recalled")
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


def _without_stats(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was written to both streams, but for times and counts."""
    return [re.sub(r'"stats": {.*?}', "", text, flags=re.DOTALL) for text in capsys.readouterr()]


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


@pytest.mark.parametrize(
    ("command", "options"),
    [("check", ("--format", "json")), ("check", ("-v", "--color", "always")), ("check", ("--jobs", "1")),
     ("explain", ()), ("explain", ("--format", "json")), ("fix", ()), ("graph", ("--format", "dot"))],
)  # fmt: skip
def test_another_form_or_command_has_the_same_to_say_about_it_as_if_it_were_the_first(
    index: IndexServer,
    solved: list[object],
    capsys: pytest.CaptureFixture[str],
    command: str,
    options: tuple[str, ...],
) -> None:
    assert index.url
    asked = [command, "a.txt", "b.txt", *options]
    first = (run([*asked, "--no-cache"]), _without_stats(capsys))
    run(["check", "a.txt", "b.txt"])
    capsys.readouterr()
    assert (run(asked), _without_stats(capsys)) == first
    assert len(solved) == 2


def test_a_split_after_a_check_writes_what_one_without_writes(
    index: IndexServer, solved: list[object], tmp_path: Path
) -> None:
    assert index.url
    for export in ("requirements", "pylock"):
        run(["split", "a.txt", "b.txt", "-o", "fresh", "--export", export, "--no-cache"])
        run(["check", "a.txt", "b.txt"])
        run(["split", "a.txt", "b.txt", "-o", "recalled", "--export", export])
    assert len(solved) == 3
    fresh, recalled = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in _FOLDERS)
    assert recalled == fresh
    assert len(fresh) == 4


def _local_index(folder: Path, *, is_hash_stated: bool = False) -> None:
    """Core 1.5, in an index that is a folder: as a file, or on a page with the hash of it."""
    (folder / "core").mkdir(exist_ok=True)
    file = folder / ("files" if is_hash_stated else "core") / "core-1.5-py3-none-any.whl"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(wheel("core", "1.5"))
    if is_hash_stated:
        digest = sha256(file.read_bytes()).hexdigest()
        (folder / "core" / "index.html").write_text(f'<a href="../files/{file.name}#sha256={digest}">{file.name}</a>')


@pytest.mark.parametrize(
    "place",
    [
        ("--find-links", lambda folder: (folder / "core-1.5-py3-none-any.whl").write_bytes(wheel("core", "1.5"))),
        ("--extra-index-url", _local_index),
        ("--extra-index-url", lambda folder: _local_index(folder, is_hash_stated=True)),
    ],
)
def test_folders_of_packages_are_looked_at_again_and_then_the_report_is_the_same(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path, place: tuple[str, Callable[[Path], object]]
) -> None:
    assert index.url
    option, come = place
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "other-1.0-py3-none-any.whl").write_bytes(wheel("other", "1.0"))
    first = say(option, folder.as_uri())
    assert say(option, folder.as_uri()) == first
    assert len(solved) == 1
    come(folder)
    assert "core 1.5" in say("-v", option, folder.as_uri())[1]
    assert len(solved) == 2


@pytest.mark.parametrize("then", [Path.rmdir, lambda folder: folder.rename(folder.with_name("moved"))])
def test_an_index_whose_folder_is_gone_may_have_any_package_whatever_was_said_of_it(
    index: IndexServer, say: Say, tmp_path: Path, then: Callable[[Path], object]
) -> None:
    assert index.url
    folder = tmp_path / "packages"
    folder.mkdir()
    assert say("--extra-index-url", folder.as_uri())[0] is ExitCode.FAILED
    then(folder)
    assert say("--extra-index-url", folder.as_uri())[0] is ExitCode.UNDECIDED


def test_a_local_file_is_read_again_unless_its_hash_is_stated(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path
) -> None:
    assert index.url
    for name, is_hash_stated in (("named", True), ("bare", False)):
        (tmp_path / name).mkdir()
        _local_index(tmp_path / name, is_hash_stated=is_hash_stated)
        for _ in range(2):
            say("--extra-index-url", (tmp_path / name).as_uri())
    assert len(solved) == 3


def test_fixes_for_another_number_of_environments_are_another_question(
    index: IndexServer, solved: list[object]
) -> None:
    assert index.url
    for wanted in ("1", "2", "1"):
        run(["fix", "a.txt", "b.txt", "--target-environments", wanted])
    assert len(solved) == 2


def test_a_fix_is_written_although_it_was_remembered(index: IndexServer, solved: list[object], tmp_path: Path) -> None:
    index.add("nlp", "2.0", Rel(requires=["core<2"]))
    (tmp_path / "b.txt").write_text("nlp>=3\n")
    run(["fix", "a.txt", "b.txt"])
    assert run(["fix", "a.txt", "b.txt", "--write"]) is ExitCode.PASSED
    assert (tmp_path / "b.txt").read_text() == "nlp>=2.0\n"
    assert len(solved) == 2


def test_a_line_of_another_file_by_the_same_words_is_not_taken_for_this_one(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path
) -> None:
    assert index.url
    (tmp_path / "b.txt").write_text("-r more.txt\n")
    (tmp_path / "more.txt").write_text("\nnlp\nnlp\n")
    (tmp_path / "c.txt").write_text("nlp  # as in b.txt\n")
    fresh = say("--format", "json", "c.txt", "--no-cache")[1]
    say("c.txt")
    assert json.loads(say("--format", "json", "c.txt")[1])["clashes"] == json.loads(fresh)["clashes"]
    assert len(solved) == 2


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


def test_with_a_snapshot_nothing_is_resolved_twice_until_it_is_another_one(
    index: IndexServer, say: Say, solved: list[object]
) -> None:
    run(["snapshot", "a.txt", "b.txt", "-o", "facts"])
    solved.clear()
    first = say("--index-snapshot", "facts")
    assert say("--index-snapshot", "facts") == first
    assert run(["explain", "a.txt", "b.txt", "--index-snapshot", "facts"]) is ExitCode.FAILED
    assert len(solved) == 1
    index.add("web", "2.0", Rel(requires=["core>=2"]))
    run(["snapshot", "a.txt", "b.txt", "-o", "facts", "--refresh"])
    solved.clear()
    assert say("--index-snapshot", "facts")[0] is ExitCode.PASSED
    assert len(solved) == 1


def test_a_snapshot_that_changes_during_the_run_is_not_remembered(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index.url
    run(["snapshot", "a.txt", "b.txt", "-o", "facts"])
    snapshot = (tmp_path / "facts").read_bytes()
    solved.clear()
    check_files = pipeline.check_files

    def disturbed(*given: object, **options: object) -> object:
        (tmp_path / "facts").write_bytes(gzip.compress(gzip.decompress(snapshot), compresslevel=1))
        return check_files(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "check_files", disturbed)
    first = say("--index-snapshot", "facts")
    (tmp_path / "facts").write_bytes(snapshot)
    assert say("--index-snapshot", "facts") == first
    assert len(solved) == 2


@pytest.mark.parametrize(
    "options",
    [("--max-environments", "2"), ("--prerelease", "allow"), ("--refresh",), ("--no-cache",), ("--with", "core")],
)  # fmt: skip
def test_other_options_are_another_question(
    index: IndexServer, say: Say, solved: list[object], options: tuple[str, ...]
) -> None:
    assert index.url
    say()
    say(*options)
    assert len(solved) == 2


def test_changed_line_is_another_question_and_changed_width_is_not(
    index: IndexServer, say: Say, solved: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index.url
    say()
    (tmp_path / "a.txt").write_text("# the same, a line lower\nweb\n")
    wide = say()[1]
    assert "a.txt:2" in wide
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, say()[1].splitlines())) <= 50 < max(map(len, wide.splitlines()))
    assert len(solved) == 2


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


@pytest.mark.parametrize("found", [b"\x93\x01", zlib.compress(b"\x93\x01"), zlib.compress(b"\x90")[:-3]])
def test_damaged_memory_is_no_memory(
    index: IndexServer, say: Say, solved: list[object], found: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index.url
    first = say()
    monkeypatch.setattr("conflictcheck.index.cache.Cache.answer", lambda *_: found)
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


def test_a_page_that_another_process_stores_during_the_run_is_not_taken_for_what_the_report_rests_on(
    index: IndexServer, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_files = pipeline.check_files

    def disturbed(*given: object, **options: object) -> object:
        monkeypatch.setattr(pipeline, "check_files", check_files)
        checked = check_files(*given, **options)  # type: ignore[arg-type]
        index.add("web", "2.0", Rel(requires=["core>=2"]))
        assert run(["check", "--with", "web", "--refresh", "--quiet"]) is ExitCode.PASSED
        return checked

    monkeypatch.setattr(pipeline, "check_files", disturbed)
    assert say()[0] is ExitCode.FAILED
    assert say()[0] is ExitCode.PASSED
