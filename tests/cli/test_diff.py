"""Two snapshots: the specs are the same, the index is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from conflictcheck.cli import ExitCode, run
from conflictcheck.index.memory import MemoryIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Say = Callable[..., tuple[int, str, str]]

TARGET = ("--python-version", "3.11", "--python-platform", "linux")
OLD = {"x": {"1.0": [], "2.0": []}, "app": {"1.0": ["x>=2"], "1.1": ["x"]}, "web": {"1.0": ["x<2"]}}
NEW = {"x": {"1.0": [], "2.0": []}, "app": {"1.0": ["x>=2"], "1.1": ["x"]}, "web": {"1.0": ["x<2"], "1.1": ["x>=2"]}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "CONFLICTCHECK_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-requirements.txt").write_text("app==1.0\n")
    (tmp_path / "b-requirements.txt").write_text("web\n")
    keep("old", OLD)
    keep("new", NEW)
    return tmp_path


def keep(name: str, packages: dict[str, dict[str, Sequence[str]]], *specs: str) -> None:
    """Write a snapshot of an index with these packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conflictcheck.pipeline.open_index", lambda *_, **__: MemoryIndex(packages))  # type: ignore[arg-type]
        run(["snapshot", "-q", "-o", f"{name}.snapshot", *TARGET, *specs])


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Compare two snapshots by name."""
    assert folder.is_dir()

    def said(old: str, new: str, *arguments: str) -> tuple[int, str, str]:
        code = run(["diff", f"{old}.snapshot", f"{new}.snapshot", *TARGET, *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return said


def test_a_clash_that_is_gone_is_named(say: Say, golden: Callable[[str, str], None]) -> None:
    code, out, err = say("old", "new")
    golden("diff-gone.txt", out)
    assert (code, err) == (ExitCode.PASSED, "")


def test_a_clash_that_is_new_is_1(say: Say, golden: Callable[[str, str], None]) -> None:
    code, out, err = say("new", "old")
    golden("diff-new.txt", out)
    assert (code, err) == (ExitCode.FAILED, "")
    assert say("new", "old", "--max-environments", "2")[0] == ExitCode.PASSED


def test_a_clash_in_both_does_not_count(say: Say) -> None:
    code, out, _ = say("old", "old")
    assert code == ExitCode.PASSED
    assert "Compared with old.snapshot: no new clash, 1 known." in out
    assert "(in old.snapshot already)" in out


def test_specs_are_those_that_are_named(say: Say) -> None:
    assert "The spec fits in one environment" in say("new", "old", "b-requirements.txt")[1]


@pytest.mark.parametrize(("old", "new"), [("lacking", "new"), ("new", "lacking")])
def test_a_snapshot_that_lacks_facts_is_outdated_and_3(
    say: Say, old: str, new: str, golden: Callable[[str, str], None]
) -> None:
    keep("lacking", OLD, "a-requirements.txt")
    code, out, _ = say(old, new)
    golden(f"diff-{old}-{new}.txt", out)
    assert code == ExitCode.UNDECIDED
    assert "lacking.snapshot: the snapshot lacks facts about b-requirements.txt" in " ".join(out.split())


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "the snapshot cannot be read: No such file or directory"), (b"text", "this is not a snapshot")],
)
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_no_snapshot_is_2(say: Say, folder: Path, content: bytes | None, message: str, which: int) -> None:
    if content is not None:
        (folder / "bad.snapshot").write_bytes(content)
    code, out, err = say(*(("bad", "new") if which == 0 else ("old", "bad")))
    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith(f"error: bad.snapshot: {message}")


@pytest.mark.parametrize("option", ["--index-snapshot", "--since"])
def test_options_that_say_otherwise_are_2(say: Say, option: str) -> None:
    code, _, err = say("old", "new", option, "x")
    assert (code, err) == (
        ExitCode.USAGE, f"error: {option} is not for diff, which compares two snapshots; leave it out\n",
    )  # fmt: skip


def test_options_that_name_an_index_are_told_to_have_no_effect(say: Say) -> None:
    named = ("--index-url", "https://index.example", "--extra-index-url", "https://index.example", "--find-links", ".")
    code, out, err = say("old", "new", *named)
    assert (code, out) == say("old", "new")[:2]
    assert err == "".join(
        f"warning: {option} has no effect in diff, where two snapshots answer alone\n" for option in named[::2]
    )
    assert say("old", "new", *named, "-q") == (code, out, "")


def test_asking_an_index_anew_is_2(say: Say) -> None:
    error = "error: --refresh is not for diff, which compares two snapshots; leave it out\n"
    assert say("old", "new", "--refresh") == (ExitCode.USAGE, "", error)


def test_a_baseline_counts_as_well(say: Say, folder: Path) -> None:
    assert say("old", "old", "--write-baseline", "known.toml")[0] == ExitCode.PASSED
    assert (folder / "known.toml").is_file()
    assert say("new", "old", "--write-baseline", "known.toml")[0] == ExitCode.PASSED
    assert say("new", "old", "--baseline", "known.toml")[0] == ExitCode.PASSED
