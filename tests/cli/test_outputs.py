"""Several reports at once, and what a service for continuous integration gets without being asked."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conflictcheck.cli import ExitCode, run
from conflictcheck.settings_sources import default_form

if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[..., tuple[ExitCode, str, str]]

SNAPSHOT = Path(__file__).parent.parent / "cases" / "U14.snapshot"
FACTS = ("--index-snapshot", str(SNAPSHOT), "--python-version", "3.13")
FACTS = (*FACTS, "--python-platform", "x86_64-manylinux_2_35")
HEADLINE = "2 environments needed: "


@pytest.fixture(autouse=True)
def _two_specs_that_clash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "a.txt").write_text("grpcio-status==1.71.0\n")
    (tmp_path / "b.txt").write_text("protobuf==6.30.2\n")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Check the two specs: the exit code, standard output and standard error."""

    def said(*options: str) -> tuple[ExitCode, str, str]:
        code = run(["check", "a.txt", "b.txt", *FACTS, *options])
        out, err = capsys.readouterr()
        return code, out, err

    return said


def test_each_file_gets_the_form_before_it_and_the_form_without_one_is_printed(say: Say, tmp_path: Path) -> None:
    code, out, err = say("--format", "sarif", "-o", "a.sarif", "--format", "text", "--format", "markdown", "-o", "b.md")

    assert (code, err) == (ExitCode.FAILED, "")
    assert out.startswith(HEADLINE)
    assert json.loads((tmp_path / "a.sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "b.md").read_text().startswith("<!-- conflictcheck -->\n")


def test_files_alone_leave_standard_output_empty(say: Say, tmp_path: Path) -> None:
    assert say("--format", "json", "-o", "a", "--format", "junit", "--output=b") == (ExitCode.FAILED, "", "")
    assert json.loads((tmp_path / "a").read_text())["verdict"] == "split"
    assert (tmp_path / "b").read_text().startswith("<?xml ")


@pytest.mark.parametrize("options", [("-o", "out", "--format", "json"), ("--format", "json", "-o", "out")])
def test_one_form_and_one_file_belong_together_in_any_order(say: Say, tmp_path: Path, options: tuple[str, ...]) -> None:
    assert say(*options) == (ExitCode.FAILED, "", "")
    assert json.loads((tmp_path / "out").read_text())["verdict"] == "split"


def test_a_file_without_a_form_is_text_wherever_it_runs(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert say("-o", "out") == (ExitCode.FAILED, "", "")
    assert "::error" not in (tmp_path / "out").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--format json --format text", "--format json: two reports would go to standard output"),
        ("--format json -o - --format text", "--format json: two reports would go to standard output"),
        ("--format json -o x --format text -o ./x", "--format json: two reports would go to x"),
        ("-o x --format text -o y", "-o x: there is no --format before it"),
        ("--format text -o x -o y", "-o y: there is no --format before it"),
        ("--format text -o x --format json -o no/such/y", "no/such/y: this file cannot be written"),
        ("--format text -o x --format nonsense -o y", "Invalid value for '--format': 'nonsense' is not one of"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_the_work_begins(
    say: Say, options: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conflictcheck.given.read_input", lambda _: pytest.fail("the work began"))

    code, out, err = say(*options.split())

    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_where_one_file_cannot_be_put_in_place_none_is_written(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    code, out, err = say("--format", "text", "--format", "sarif", "-o", "x", "--format", "json", "-o", "y")

    assert (code, out) == (ExitCode.USAGE, "")
    assert err == "error: x: this file cannot be written (No space left on device); name another place with -o\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


class TestGithubActions:
    """A job's log gets annotations, and its step a summary."""

    @pytest.fixture(autouse=True)
    def summary(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        summary = tmp_path / "summary.md"
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        return summary

    def test_the_log_gets_text_and_annotations_and_the_step_its_summary(self, say: Say, summary: Path) -> None:
        summary.write_text("Said by another command.\n")

        code, out, err = say()

        assert (code, err) == (ExitCode.FAILED, "")
        assert out.startswith(HEADLINE)
        assert "\n::error file=a.txt,line=1,title=Clash " in out
        assert summary.read_text().startswith("Said by another command.\n<!-- conflictcheck -->\n")

    def test_a_form_that_is_asked_for_wins(self, say: Say, summary: Path) -> None:
        _, out, _ = say("--format", "text")

        assert "::error" not in out
        assert not summary.exists()

    def test_annotations_stand_beside_other_forms(self, say: Say, summary: Path, tmp_path: Path) -> None:
        _, out, _ = say("--format", "github", "--format", "sarif", "-o", "x.sarif")

        assert "::error" in out
        assert (tmp_path / "x.sarif").exists()
        assert summary.exists()

    def test_a_summary_that_a_report_goes_to_is_not_written_twice(self, say: Say, summary: Path) -> None:
        say("--format", "github", "--format", "markdown", "-o", str(summary))

        assert summary.read_text().count("<!-- conflictcheck -->") == 1

    def test_a_summary_that_is_full_is_left_as_it_is(self, say: Say, summary: Path) -> None:
        summary.write_bytes(b"x" * 1024 * 1024)

        code, _, err = say()

        assert code is ExitCode.FAILED
        assert err == "warning: the step's summary is full; the report is in the log alone\n"
        assert summary.stat().st_size == 1024 * 1024

    def test_a_summary_that_cannot_be_written_changes_no_exit_code(
        self, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))

        code, out, err = say()

        assert code is ExitCode.FAILED
        assert out.startswith(HEADLINE)
        assert err == "warning: the step's summary cannot be written (Is a directory)\n"


def test_the_default_form_is_the_places() -> None:
    assert default_form({}, terminal=False) == "text"
    assert default_form({"GITHUB_ACTIONS": "true"}, terminal=False) == "github"
    assert default_form({"GITHUB_ACTIONS": "true"}, terminal=True) == "text"
    assert default_form({"GITLAB_CI": "true"}, terminal=False) == "text"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_text_wherever_it_is() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "conflictcheck", "check", "a.txt", "b.txt", *FACTS, "--no-progress"],
        stdout=theirs,
        env={**os.environ, "GITHUB_ACTIONS": "true"},
    ) as process:
        os.close(theirs)
        said = bytearray()
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux's word for its end
                break
            if not part:
                break
            said += part
    os.close(ours)

    assert process.returncode == ExitCode.FAILED
    assert b"environments needed" in said
    assert b"::error" not in said
