"""A first settings file."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from conflictcheck.cli import ExitCode, run
from conflictcheck.readers import read_specs
from conflictcheck.settings_file import KEYS, read_schema, read_settings_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TREE = {
    "requirements.txt": "requests\n",
    "vision/requirements.txt": "torch ; sys_platform == 'win32'\n",
    "services/api/pyproject.toml": (
        '[project]\nname = "api"\nrequires-python = ">=3.10"\ndependencies = ["flask"]\n'
        '[dependency-groups]\ndev = ["pytest"]\n'
    ),
    "services/a [b]#c*/requirements.txt": "flask\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a few specs."""
    folder = tmp_path / "project"
    for name, text in TREE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in os.environ:
        if name.startswith(("PIP_", "UV_", "CONFLICTCHECK_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.chdir(folder)
    return folder


def uncommented(text: str) -> list[str]:
    """The lines of settings, those that explain them left out."""
    return [line[1:] for line in text.splitlines() if line.startswith("#") and not line.startswith("# ")]


def test_init_writes_a_file_that_says_nothing_yet(
    tree: Path, golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init"]) == ExitCode.PASSED

    text = (tree / "conflictcheck.toml").read_text()
    golden("conflictcheck.toml", text)
    assert tomllib.loads(text) == {}
    found = read_settings_file(tree)
    assert found.project is not None
    assert found.project.keys == ()
    assert capsys.readouterr() == (
        "",
        "Wrote conflictcheck.toml: 5 specs found; nothing changes until you edit it\n",
    )


def test_what_is_written_is_accepted_without_its_comment_signs(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "constraints.txt").write_text("")
    (tree / "overrides.txt").write_text("")
    run(["init", "-o", "-"])
    lines = uncommented(capsys.readouterr().out)
    table = lines.index("[environments]")
    validator = Draft202012Validator(read_schema())

    for text in (*lines[:table], "\n".join(lines[table:])):
        (tree / "conflictcheck.toml").write_text(text)
        found = read_settings_file(tree)
        assert found.project is not None
        assert len(found.project.keys) == 1
        assert validator.is_valid(tomllib.loads(text)), text
    assert [line.partition(" = ")[0] for line in lines[:table]] == [key for key in KEYS if key != "environments"]


def test_the_environments_that_it_proposes_hold_each_spec_once(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from conflictcheck.given import read_input  # noqa: PLC0415
    from conflictcheck.settings_sources import CommandLine, resolve_settings  # noqa: PLC0415

    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    run(["init", "-o", "-"])
    lines = uncommented(capsys.readouterr().out)
    include = next(line for line in lines if line.startswith("include"))
    (tree / "conflictcheck.toml").write_text("\n".join([include, *lines[lines.index("[environments]") :]]))

    given = read_input(resolve_settings(CommandLine(), cwd=tree, environ=os.environ))

    assert sorted(spec for specs in given.declared.values() for spec in specs) == sorted(
        spec.id for spec in read_specs([], cwd=tree).specs
    )
    assert set(given.declared) == {"main", "services", "vision"}


def test_a_check_says_the_same_before_and_after(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = ["check", "--no-index", "--no-cache"]
    before = run(check), capsys.readouterr().out
    run(["init"])
    capsys.readouterr()
    assert (run(check), capsys.readouterr().out) == before
    assert (tree / "conflictcheck.toml").exists()


def test_a_file_that_exists_stays_as_it_is(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "conflictcheck.toml").write_text("# mine\n")
    (tree / "link.toml").symlink_to("nowhere")

    assert run(["init"]) == ExitCode.USAGE
    assert run(["init", "-o", "link.toml"]) == ExitCode.USAGE
    assert run(["init", "-o", ""]) == ExitCode.USAGE

    assert (tree / "conflictcheck.toml").read_text() == "# mine\n"
    assert not (tree / "nowhere").exists()
    assert capsys.readouterr().err.splitlines() == [
        "error: conflictcheck.toml: this file exists; edit it, or name another one with -o",
        "error: link.toml: this file exists; edit it, or name another one with -o",
        "error: -o: '' names no file; name the file to write, or - for standard output",
    ]


def test_settings_in_a_pyproject_are_not_hidden(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "pyproject.toml").write_text("[tool.conflictcheck]\n")

    assert run(["init"]) == ExitCode.USAGE

    assert capsys.readouterr().err == (
        "error: pyproject.toml: there are settings already, which conflictcheck.toml would hide; "
        "edit them, or give -o -\n"
    )
    assert not (tree / "conflictcheck.toml").exists()
    assert run(["init", "-o", "other.toml"]) == ExitCode.PASSED


def test_a_folder_that_cannot_be_read_as_specs_gets_a_general_file(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "requirements.txt").write_text("no requirement ;;\n")

    assert run(["init"]) == ExitCode.PASSED

    assert "Nothing here could be taken for an example; conflictcheck check says why (1)\n" in capsys.readouterr().err
    assert "# No spec was found when it was made.\n" in (tree / "conflictcheck.toml").read_text()


def test_init_in_a_folder_that_takes_no_file(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "-o", "missing/conflictcheck.toml"]) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("error: missing/conflictcheck.toml: this file cannot be written")
    assert not (tree / "missing").exists()
