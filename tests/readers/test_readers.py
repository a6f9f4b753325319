from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from conflictcheck.errors import InputErrors
from conflictcheck.model import RequirementKind
from conflictcheck.readers import READERS, read_restrictions

if TYPE_CHECKING:
    from conftest import Folder

    from conflictcheck.readers.base import Reader


def test_the_id_is_the_posix_path_from_the_working_directory(folder: Folder) -> None:
    folder.write("a/r.txt", "x")
    folder.write("b/r.txt", "x")
    inside = type(folder)(folder.path / "a")
    [own, other] = inside.read(str(folder.path / "a" / "r.txt"), "../b/./r.txt").specs
    assert (own.id, other.id) == ("r.txt", "../b/r.txt")
    assert (own.requirements[0].file, other.requirements[0].file) == ("r.txt", "../b/r.txt")


def test_the_same_spec_named_twice_is_read_once(folder: Folder) -> None:
    folder.write("r.txt", "x")
    assert [spec.id for spec in folder.read("r.txt", "./r.txt", str(folder.path / "r.txt")).specs] == ["r.txt"]


def test_a_hash_sign_may_be_part_of_a_file_name(folder: Folder) -> None:
    folder.write("a#b.txt", "x")
    assert [spec.id for spec in folder.read("a#b.txt").specs] == ["a#b.txt"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("requirement.txt", 'requirement.txt: no such file or folder; did you mean "requirements.txt"?'),
        ("nope/x.txt", "nope/x.txt: no such file or folder"),
        ("nope.toml#extra:x", "nope.toml: no such file or folder"),
        (".#extra:x", ".#extra:x: a folder has no sections; name the file, such as pyproject.toml#extra:gpu"),
        ("", ".: an empty SPEC; write . for the working directory"),
        ("a\0b", "a\\x00b: no such file or folder"),
        (
            "lock.xyz",
            (
                "lock.xyz: not a file of a known kind; known are a script with inline metadata (*.py, *.pyw, or no "
                "extension), a requirements file (*.txt, *.in, *.pip, or requirements in its name), a "
                "pyproject.toml (*.toml), a project without a pyproject.toml (setup.cfg, setup.py)"
            ),
        ),
    ],
)
def test_a_spec_that_cannot_be_had_is_an_error(folder: Folder, given: str, message: str) -> None:
    folder.write("requirements.txt", "x")
    folder.write("lock.xyz", "x")
    assert folder.errors(given) == [message]


def test_a_name_that_is_far_too_long_is_an_error(folder: Folder) -> None:
    folder.write("r.txt", f"-f {'x' * 5000}\n-r {'x' * 5000}\n./{'x' * 5000}\n")
    errors = folder.errors("r.txt", "y" * 5000)
    assert [error.partition(":")[0] for error in errors] == ["r.txt"] * 3 + ["y" * 5000]


@pytest.mark.parametrize("given", ["-", "/dev/stdin", "/dev/fd/0"])
def test_standard_input_is_read_as_a_requirements_file_of_the_working_directory(folder: Folder, given: str) -> None:
    folder.write("more.txt", "b\n")
    folder.standard_input = b"a>1\n-r more.txt\n-f .\n"
    result = folder.read(given, "-")
    [spec] = result.specs
    assert (spec.id, spec.path, spec.index.find_links) == ("-", "-", (str(folder.path),))
    assert [(r.file, r.line, r.text) for r in spec.requirements] == [("-", 1, "a>1"), ("more.txt", 1, "b")]
    assert list(result.sources) == ["more.txt"]


def test_what_is_wrong_on_standard_input_is_said_with_its_line(folder: Folder) -> None:
    folder.standard_input = b"a\nb>>1\n-r -\n-r nope.txt\n"
    assert folder.errors("-") == [
        '-:2: "b>>1" is not a requirement; did you mean "b>1"?',
        '-:3: the included file "-": no such file',
        '-:4: the included file "nope.txt": no such file',
    ]
    folder.standard_input = b"\0"
    assert folder.errors("-") == ["-: a binary file, not text"]
    assert folder.errors("-#extra:x") == ["-: a requirements file has no sections; name the file alone: -"]
    folder.standard_input = b"#" * (10 * 1024 * 1024 + 1)
    assert folder.errors("-") == ["-: larger than 10 MiB; is it really a spec?"]
    folder.standard_input = None
    assert folder.errors("-") == ["-: there is no standard input here; name a file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_read_as_a_requirements_file_whatever_its_name(folder: Folder) -> None:
    for name in ("pipe", "limits"):
        os.mkfifo(folder.path / name)
        threading.Thread(target=(folder.path / name).write_bytes, args=(b"a\n-r more.txt\n",), daemon=True).start()
    folder.write("more.txt", "b\n")
    assert folder.lines("pipe", "pipe") == ["pipe:1: a", "more.txt:1: b"]
    lines = read_restrictions("limits", RequirementKind.CONSTRAINT, cwd=folder.path)
    assert [f"{r.file}:{r.line}: {r.text}" for r in lines] == ["limits:1: a", "more.txt:1: b"]


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="open files have no names")  # noqa: PTH112 - pathlib's may fail
def test_a_descriptor_as_of_process_substitution_keeps_its_name(folder: Folder) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a\n")
    os.close(writing)
    try:
        [spec] = folder.read(f"/dev/fd/{reading}").specs
    finally:
        os.close(reading)
    assert (spec.id, spec.requirements[0].file) == (f"/dev/fd/{reading}", f"/dev/fd/{reading}")


def test_requirements_given_with_with_are_one_more_spec(folder: Folder) -> None:
    folder.write("requirements.txt", "x")
    file, given = folder.read(with_=("a>1", "b")).specs
    assert file.id == "requirements.txt"
    assert (given.id, given.path) == ("--with", None)
    assert [(r.text, r.file, r.line, r.spec) for r in given.requirements] == [
        ("a>1", None, None, "--with"),
        ("b", None, None, "--with"),
    ]


def test_requirements_given_with_with_are_enough_in_an_empty_folder(folder: Folder) -> None:
    assert [spec.id for spec in folder.read(with_=("a",)).specs] == ["--with"]


def test_a_bad_requirement_given_with_with_is_an_error(folder: Folder) -> None:
    with pytest.raises(InputErrors) as caught:
        folder.read(with_=("a>>1", "", "a @ ./nope"))
    assert str(caught.value).splitlines() == [
        '--with: "a @ ./nope": no such file or folder; a relative path starts at the file\'s folder, or where you are',
        '--with: "a>>1" is not a requirement; did you mean "a>1"?',
        "--with: an empty text is not a requirement",
    ]


@pytest.mark.parametrize("kind", [RequirementKind.CONSTRAINT, RequirementKind.OVERRIDE])
def test_a_file_of_restrictions_gives_lines_of_its_kind(folder: Folder, kind: RequirementKind) -> None:
    folder.write("sub/limits.txt", "a<2\n-r more.txt\n-c more.txt\n")
    folder.write("sub/more.txt", "b==1\n")
    lines = read_restrictions("sub/limits.txt", kind, cwd=folder.path, variables={})
    assert [(r.spec, r.text, r.file, r.line, r.kind) for r in lines] == [
        ("sub/limits.txt", "a<2", "sub/limits.txt", 1, kind),
        ("sub/limits.txt", "b==1", "sub/more.txt", 1, kind),
    ]


def test_all_problems_of_a_file_of_restrictions_are_reported(folder: Folder) -> None:
    folder.write("c.txt", "a>>2\n--extra-index-url https://h.example\n--trusted-host x\n")
    with pytest.raises(InputErrors) as caught:
        read_restrictions("c.txt", RequirementKind.CONSTRAINT, cwd=folder.path)
    assert str(caught.value).splitlines() == [
        'c.txt:1: "a>>2" is not a requirement; did you mean "a>2"?',
        "c.txt:2: --extra-index-url has no place in a constraint file; give it on the command line",
    ]


def test_a_missing_file_of_restrictions_is_an_error(folder: Folder) -> None:
    with pytest.raises(InputErrors, match=r"^nope\.txt: no such file; name another file with --override$"):
        read_restrictions("nope.txt", RequirementKind.OVERRIDE, cwd=folder.path)
    with pytest.raises(InputErrors, match=r"^nope\.txt: no such file; name another file with --constraint$"):
        read_restrictions("nope.txt", RequirementKind.CONSTRAINT, cwd=folder.path)


def test_the_environment_gives_the_variables_by_default(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_VERSION", "3")
    folder.write("c.txt", "a @ https://h.example/a-${SOME_VERSION}.zip\n")
    [line] = read_restrictions("c.txt", RequirementKind.CONSTRAINT, cwd=folder.path)
    assert line.url == "https://h.example/a-3.zip"


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
def test_every_reader_says_what_it_reads_and_what_it_looks_for(reader: Reader) -> None:
    assert reader.label.startswith(("a ", "an "))
    assert reader.looked_for
    assert type(reader).__doc__


def test_two_readings_give_the_same_result(folder: Folder) -> None:
    folder.write("requirements.txt", "a\n-r x/requirements.txt\n")
    folder.write("x/requirements.txt", "b\n")
    assert folder.read() == folder.read()
