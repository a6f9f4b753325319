from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from conflictcheck.errors import OutputError
from conflictcheck.writing import check_file, write_file, write_files

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_is_there_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("of last week")
    (tmp_path / "report").chmod(0o640)

    write_file(tmp_path / "report", b"new")

    assert (tmp_path / "report").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_link_stays_and_the_file_behind_it_changes(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text("old")
    (tmp_path / "link").symlink_to("deep/file")
    (tmp_path / "dangling").symlink_to("deep/new")

    write_files({tmp_path / "link": b"one", tmp_path / "dangling": b"two"})

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dangling").is_symlink()
    assert {path.name: path.read_bytes() for path in (tmp_path / "deep").iterdir()} == {"file": b"one", "new": b"two"}


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()

    write_file(tmp_path / "pipe", b"report")
    reader.join(timeout=60)

    assert read == [b"report"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    (tmp_path / "nothing").symlink_to(os.devnull)

    write_file(tmp_path / "nothing", b"report")

    assert stat.S_ISCHR((tmp_path / "nothing").stat().st_mode)


def test_a_descriptor_that_is_open_on_a_file_gets_the_bytes_after_what_it_has(tmp_path: Path) -> None:
    with (tmp_path / "all").open("a") as file:
        file.write("before\n")
        file.flush()
        write_files({tmp_path.__class__(f"/dev/fd/{file.fileno()}"): b"report\n"})

    assert (tmp_path / "all").read_text() == "before\nreport\n"


def refused(path: Path) -> str:
    with pytest.raises(OutputError) as before:
        check_file(path)
    with pytest.raises(OutputError) as caught:
        write_file(path, b"new")
    assert str(before.value) == str(caught.value)
    return str(caught.value).removeprefix(f"{path.parent}/")


def test_what_cannot_be_written_is_refused_before_and_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "mine").chmod(0o444)
    (tmp_path / "folder").mkdir()
    (tmp_path / "round").symlink_to("round")

    assert refused(tmp_path / "mine") == "mine: this file is read-only; make it writable, or name another place with -o"
    assert refused(tmp_path / "folder") == "folder: this is a folder; name a file to write to"
    assert refused(tmp_path / "no" / "file") == (
        "file: this file cannot be written (No such file or directory); name another place with -o"
    )
    assert refused(tmp_path / "mine" / "file") == (
        "file: this file cannot be written (Not a directory); name another place with -o"
    )
    assert "(Too many levels of symbolic links)" in refused(tmp_path / "round")
    assert (tmp_path / "mine").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "mine", "round"]


def test_one_file_that_cannot_be_written_leaves_all_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    (tmp_path / "b").chmod(0o444)

    with pytest.raises(OutputError):
        write_files({tmp_path / "a": b"new", tmp_path / "b": b"new"})

    assert [path.name for path in tmp_path.iterdir()] == ["b"]
