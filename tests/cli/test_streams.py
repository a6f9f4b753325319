"""What goes where: the report alone to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest
from index_server import Fault, IndexServer

from conflictcheck.cli import ExitCode, run
from conflictcheck.cli.commands import root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PACKAGES = {
    "web": {"1.0": ["core<2"], "2.0": ["core>=2"]},
    "nlp": {"3.0": ["core>=2"]},
    "core": {"1.0": [], "2.0": []},
}
COLOR = "\x1b["


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    """Two specs that clash, an index that knows them, a snapshot of it, a cache, and nothing else of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "NO_COLOR", "FORCE_COLOR", "TERM", "GITHUB_", "GITLAB_", "CI")):
            monkeypatch.delenv(name)
    for name, line in (("site", "web<2"), ("texts", "nlp")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text(f"{line}\n")
    with IndexServer(PACKAGES) as server:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        run(["snapshot", "-q", "--no-cache", "-o", "kept"])
        monkeypatch.setenv("CONFLICTCHECK_CACHE_DIR", str(tmp_path / ".cache"))
        yield server


def is_json(text: str) -> Any:
    return json.loads(text)


def is_diff(text: str) -> bool:
    return text.startswith("--- a/site/requirements.txt\n+++ ") and text.count("\n") == 5


def is_dot(text: str) -> bool:
    return text.startswith("digraph ") and text.endswith("}\n")


def is_nothing(text: str) -> bool:
    return not text


def is_folder(text: str) -> bool:
    return text.endswith(".cache\n") and text.count("\n") == 1


COMMANDS: dict[str, tuple[list[str], Callable[[str], Any], str]] = {
    "check": (["--format", "json"], is_json, ""),
    "explain": (["--format", "json"], is_json, ""),
    "split": (["-o", "out", "--format", "json"], is_json, "Wrote "),
    "fix": ([], is_diff, "Best fix: "),
    "graph": (["--format", "dot"], is_dot, ""),
    "diff": (["kept", "kept", "--format", "json"], is_json, ""),
    "init": (["-o", "-"], str.strip, ""),
    "snapshot": (["-o", "facts"], is_nothing, "2 environments needed: "),
    "cache dir": ([], is_folder, ""),
    "cache info": ([], str.strip, ""),
    "cache clear": ([], str.strip, ""),
}
"""For each command: options, what its standard output is, and how its messages begin where it has any."""
RESOLVING = [name for name in COMMANDS if any(one.name == "paths" for one in root.commands[name.split()[0]].params)]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_report_alone_is_on_standard_output(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    options, is_report, messages = COMMANDS[name]

    assert run([*name.split(), *options]) in (ExitCode.PASSED, ExitCode.FAILED)

    out, err = capsys.readouterr()
    assert is_report(out)
    assert err.startswith(messages) if messages else err == ""


@pytest.mark.parametrize("name", RESOLVING)
def test_quiet_leaves_the_report(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    options, is_report, _ = COMMANDS[name]

    run([*name.split(), *options, "-q"])

    out, err = capsys.readouterr()
    assert is_report(out)
    assert name == "fix" or err == "", "what a diff changes is said beside it"


def test_every_command_is_among_them() -> None:
    for name, command in root.commands.items():
        below = [f"{name} {sub}" for sub in command.commands] if isinstance(command, click.Group) else [name]
        assert set(below) <= set(COMMANDS), f"add {name} to COMMANDS of this file"


@pytest.mark.parametrize("name", RESOLVING)
def test_an_error_is_one_line_on_standard_error(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site" / "requirements.txt").write_text("web>>1\n")
    options, _, _ = COMMANDS[name]

    assert run([name, *options]) == ExitCode.USAGE

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: site/requirements.txt:1: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["fix", "graph", "snapshot"])
def test_a_command_that_has_nothing_to_print_says_why_on_standard_error(
    name: str, index: IndexServer, capsys: pytest.CaptureFixture[str]
) -> None:
    index.faults["/*"] = Fault(status=403)
    options, _, _ = COMMANDS[name]

    assert run([name, *options]) == ExitCode.UNDECIDED

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Undecided: ")


class Terminal:
    """A terminal that somebody's output goes to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@pytest.mark.parametrize(
    ("variables", "options", "colored"),
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, [], False),
        ({"TERM": "dumb"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({}, ["--color", "never"], False),
    ],
)
@pytest.mark.parametrize("name", ["check", "explain", "fix", "graph"])
def test_no_color_is_heeded_on_a_terminal(
    name: str,
    variables: dict[str, str],
    options: list[str],
    *,
    colored: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "stdout", Terminal(sys.stdout))

    assert run([name, *options]) == ExitCode.FAILED

    assert (COLOR in capsys.readouterr().out) == colored
