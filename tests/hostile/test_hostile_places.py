"""Files that lead elsewhere: out of the working tree, in circles, to a pipe, to a device, to a secret's place."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from conflictcheck.cli import ExitCode, run
from conflictcheck.errors import InputErrors
from conflictcheck.readers import base, read_specs

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-is-the-password"


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, a clone; beside it a file with a secret."""
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nowhere")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text(f"{SECRET} ; nonsense\n")
    (tmp_path / "outside" / "pyproject.toml").write_text(f"{SECRET} nonsense\n")
    (tmp_path / "outside" / "base.txt").write_text("numpy\n")
    folder = tmp_path / "clone"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


REFUSAL = "outside of the working tree; name it as a SPEC, too, or give --allow-outside"

DYNAMIC = """\
[project]
name = "p"
dynamic = ["dependencies"]
[tool.setuptools.dynamic]
dependencies = { file = ["../outside/secret.txt"] }
"""
LEAD_OUTSIDE = {
    "an include": ("requirements.txt", "-r ../outside/secret.txt\n"),
    "an include by its absolute path": ("requirements.txt", "-r OUTSIDE/secret.txt\n"),
    "an include by a file: address": ("requirements.txt", "-r file://OUTSIDE/secret.txt\n"),
    "constraints": ("requirements.txt", "x\n-c ../outside/secret.txt\n"),
    "an include of an include": ("requirements.txt", "-r deps/a.txt\n"),
    "an include of a link": ("requirements.txt", "-r link.txt\n"),
    "an include through a linked folder": ("requirements.txt", "-r folder/secret.txt\n"),
    "a file that the build reads": (
        "pyproject.toml",
        DYNAMIC,
    ),
}


@pytest.mark.parametrize(("file", "text"), LEAD_OUTSIDE.values(), ids=LEAD_OUTSIDE)
@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
def test_what_a_file_leads_to_outside_is_not_read(
    inside: Path, file: str, text: str, capsys: pytest.CaptureFixture[str], *, named: bool
) -> None:
    write(inside, file, text.replace("OUTSIDE", str(inside.parent / "outside")))
    write(inside, "deps/a.txt", "-r ../../outside/secret.txt\n")
    (inside / "link.txt").symlink_to(inside.parent / "outside" / "secret.txt")
    (inside / "folder").symlink_to(inside.parent / "outside")

    assert run(["check", file] if named else ["check"]) == ExitCode.USAGE

    err = capsys.readouterr().err
    assert SECRET not in err
    assert err.rstrip().endswith(REFUSAL)
    assert err.count("error: ") == 1


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", ".gitignore"])
def test_a_link_found_by_a_search_is_not_followed_outside(
    inside: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = "pyproject.toml" if name.endswith("toml") else "secret.txt"
    (inside / name).symlink_to(inside.parent / "outside" / target)

    assert run(["check"]) == ExitCode.USAGE

    err = capsys.readouterr().err
    assert SECRET not in err
    assert f"error: {name}: " in err
    assert "outside of the working tree" in err


def test_a_script_that_is_a_link_outside_is_passed_over_with_a_warning(inside: Path) -> None:
    write(inside.parent, "outside/tool.py", f"# /// script\n# dependencies = ['{SECRET}']\n# ///\n")
    (inside / "tool.py").symlink_to(inside.parent / "outside" / "tool.py")
    write(inside, "requirements.txt", "x")

    read = read_specs([], cwd=inside, variables={})

    assert [(d.severity, d.code, d.file, d.message) for d in read.diagnostics if d.file == "tool.py"] == [
        ("warning", "passed-over", "tool.py", "outside of the working tree")
    ]


def lines(*paths: str, cwd: Path, allow_outside: bool = False) -> list[str]:
    read = read_specs(paths, cwd=cwd, variables={}, allow_outside=allow_outside)
    return sorted({line.text for spec in read.specs for line in spec.requirements})


def test_files_outside_are_read_where_the_user_says_so(inside: Path) -> None:
    write(inside, "requirements.txt", "-r ../outside/base.txt\n")
    with pytest.raises(InputErrors):
        lines("requirements.txt", cwd=inside)

    assert lines("requirements.txt", cwd=inside, allow_outside=True) == ["numpy"]


def test_files_outside_are_read_where_the_user_named_something_there(inside: Path) -> None:
    write(inside, "requirements.txt", "-r ../outside/base.txt\n")
    write(inside.parent, "outside/other.txt", "scipy\n-r base.txt\n")

    assert lines("../outside/other.txt", "requirements.txt", cwd=inside) == ["numpy", "scipy"]
    assert lines("../outside/base.txt", "requirements.txt", cwd=inside) == ["numpy"]


def test_a_link_that_the_user_named_is_read_wherever_it_leads(inside: Path) -> None:
    (inside / "requirements.txt").symlink_to(inside.parent / "outside" / "base.txt")

    assert lines("requirements.txt", cwd=inside) == ["numpy"]
    with pytest.raises(InputErrors):
        lines(".", cwd=inside)


def test_the_working_tree_is_the_whole_clone(inside: Path) -> None:
    write(inside, "base.txt", "numpy")
    write(inside, "services/api/requirements.txt", "-r ../../base.txt")

    assert lines(cwd=inside / "services" / "api") == ["numpy"]


def test_without_version_control_the_working_tree_is_the_working_directory(tmp_path: Path) -> None:
    write(tmp_path, "base.txt", "numpy")
    write(tmp_path, "api/requirements.txt", "-r ../base.txt")

    assert lines("api/requirements.txt", cwd=tmp_path) == ["numpy"]
    with pytest.raises(InputErrors, match=r'the included file "\.\./base\.txt": outside of the working tree'):
        lines(cwd=tmp_path / "api")


def test_a_file_outside_that_is_missing_is_not_told_from_one_that_is_there(inside: Path) -> None:
    write(inside, "requirements.txt", "-r ../outside/base.txt\n-r ../outside/none.txt\n")
    with pytest.raises(InputErrors) as caught:
        lines(cwd=inside)
    assert [error.message.partition(": ")[2] for error in caught.value.errors] == ["outside of the working tree"] * 2


CIRCLES = {
    "a file that includes itself": {"requirements.txt": "-r requirements.txt"},
    "two files": {"requirements.txt": "-r b.txt", "b.txt": "-r requirements.txt"},
    "a file and its constraints": {"requirements.txt": "-c b.txt", "b.txt": "-r requirements.txt"},
    "groups": {"pyproject.toml": '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]'},
}


@pytest.mark.parametrize("files", CIRCLES.values(), ids=CIRCLES)
def test_a_circle_is_named_and_not_walked(inside: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        write(inside, name, text)
    with pytest.raises(InputErrors, match="includes itself"):
        lines(cwd=inside)


def test_extras_that_ask_for_each_other_are_read_once(inside: Path) -> None:
    write(
        inside,
        "pyproject.toml",
        '[project]\nname = "p"\nversion = "1"\n[project.optional-dependencies]\na = ["p[b]", "x"]\nb = ["p[a]", "y"]\n',
    )
    assert lines("pyproject.toml#extra:a", cwd=inside) == ["x", "y"]


def test_each_file_is_read_once_however_often_it_is_included(inside: Path) -> None:
    for number in range(40):
        write(inside, f"{number}.txt", f"x{number}\n-r {number + 1}.txt\n-r {number + 1}.txt\n")
    write(inside, "40.txt", "x40")

    assert len(lines("0.txt", cwd=inside)) == 41


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random", "/dev/tty"])
def test_a_device_is_not_read(inside: Path, device: str) -> None:
    write(inside, "requirements.txt", f"-r {device}")
    with pytest.raises(InputErrors, match="not a regular file"):
        lines(cwd=inside, allow_outside=True)
    (inside / "requirements.txt").unlink()
    (inside / "requirements.txt").symlink_to(device)
    with pytest.raises(InputErrors, match="not a regular file"):
        lines("requirements.txt", cwd=inside)


def test_a_pipe_that_nobody_writes_to_is_not_waited_for_for_ever(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PIPE_PATIENCE", 0.05)
    os.mkfifo(inside / "requirements.txt")
    with pytest.raises(InputErrors) as caught:
        lines("requirements.txt", cwd=inside)
    assert str(caught.value) == (
        "requirements.txt: nobody wrote to this pipe in 0.05 seconds; start what writes to it, or name a file"
    )


def test_a_pipe_is_read_to_its_end_however_late_its_writer_comes(inside: Path) -> None:
    os.mkfifo(inside / "p.txt")
    pieces = ("numpy\n", "scipy\n" * 20_000, "torch")

    def write_in_pieces() -> None:
        with (inside / "p.txt").open("w") as pipe:
            for piece in pieces:
                pipe.write(piece)
                pipe.flush()

    writer = threading.Timer(0.1, write_in_pieces)
    writer.start()

    assert lines("p.txt", cwd=inside) == ["numpy", "scipy", "torch"]
    writer.join()


def test_a_pipe_found_by_a_search_is_not_opened(inside: Path) -> None:
    os.mkfifo(inside / "requirements.txt")
    with pytest.raises(InputErrors, match="not a regular file"):
        lines(cwd=inside)


def test_standard_input_that_is_empty_is_said_to_be(inside: Path) -> None:
    read = read_specs(["-"], cwd=inside, variables={}, standard_input=b" \n")
    assert [(d.severity, d.code, d.file, d.message) for d in read.diagnostics] == [
        ("warning", "empty-input", "-", "standard input asks for nothing")
    ]


def test_a_hostile_clone_is_checked_from_outside_without_leaving_it(inside: Path) -> None:
    """A folder of another clone, named from here: what it includes may be in it, and not beside it."""
    other = inside.parent / "other"
    (other / ".git").mkdir(parents=True)
    write(other, "a/requirements.txt", "-r ../b.txt")
    write(other, "b.txt", "numpy")
    assert lines("../other/a", cwd=inside) == ["numpy"]
    write(other, "b.txt", "-r ../outside/secret.txt")
    with pytest.raises(InputErrors, match="outside of the working tree"):
        lines("../other/a", cwd=inside)


def test_the_real_program_says_it_in_one_line(inside: Path) -> None:
    write(inside, "requirements.txt", "-r ../outside/secret.txt")
    done = subprocess.run(
        [sys.executable, "-m", "conflictcheck", "check"], cwd=inside, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f'error: requirements.txt:1: the included file "../outside/secret.txt": {REFUSAL}\n'
