"""Edits of files: all or none, and only what was read."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conflictcheck.edits import plan_edits, render_diff, write_edits
from conflictcheck.errors import InputErrors
from conflictcheck.model import Edit, Source, SpecId

if TYPE_CHECKING:
    from collections.abc import Mapping

A = b"# a\r\nnumpy<1.24\r\nlast"
B = b"numpy>=2\n"
EDITS = (
    Edit(SpecId("a.txt"), "a.txt", 2, "numpy<1.24", "numpy<2"),
    Edit(SpecId("b.txt"), "b.txt", 1, "numpy>=2", "numpy>=1.26"),
)


@pytest.fixture
def sources(tmp_path: Path) -> Mapping[str, Source]:
    (tmp_path / "a.txt").write_bytes(A)
    (tmp_path / "b.txt").write_bytes(B)
    return {name: Source(str(tmp_path / name), (tmp_path / name).read_bytes()) for name in ("a.txt", "b.txt")}


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_all_files_are_written(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    (tmp_path / "a.txt").chmod(0o640)
    write_edits(plan_edits(EDITS, sources))
    assert files_of(tmp_path) == {"a.txt": b"# a\r\nnumpy<2\r\nlast", "b.txt": b"numpy>=1.26\n"}
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_file_that_changed_since_it_was_read_stops_everything(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    planned = plan_edits(EDITS, sources)
    (tmp_path / "b.txt").write_bytes(B + b"# new\n")
    with pytest.raises(InputErrors) as caught:
        write_edits(planned)
    assert str(caught.value) == "b.txt: has changed since it was read; nothing was written"
    assert files_of(tmp_path) == {"a.txt": A, "b.txt": B + b"# new\n"}


def test_a_file_that_is_gone_stops_everything(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    planned = plan_edits(EDITS, sources)
    (tmp_path / "b.txt").unlink()
    with pytest.raises(InputErrors, match=r"^b\.txt: cannot be written"):
        write_edits(planned)
    assert files_of(tmp_path) == {"a.txt": A}


def test_a_read_only_file_stops_everything(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    (tmp_path / "b.txt").chmod(0o444)
    with pytest.raises(InputErrors) as caught:
        write_edits(plan_edits(EDITS, sources))
    assert str(caught.value) == "b.txt: is read-only; nothing was written; make it writable, and run again"
    assert files_of(tmp_path) == {"a.txt": A, "b.txt": B}


def test_what_was_put_in_place_is_put_back_if_a_later_file_cannot_be(
    tmp_path: Path, sources: Mapping[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "b.txt":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(InputErrors) as caught:
        write_edits(plan_edits(EDITS, sources))
    assert str(caught.value) == "b.txt: cannot be written (No space left on device); nothing was written"
    assert files_of(tmp_path) == {"a.txt": A, "b.txt": B}


def test_a_symbolic_link_stays_one(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "b.txt").rename(tmp_path / "real" / "b.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / "real" / "b.txt")
    write_edits(plan_edits(EDITS[1:], sources))
    assert (tmp_path / "b.txt").is_symlink()
    assert (tmp_path / "real" / "b.txt").read_bytes() == b"numpy>=1.26\n"


def test_all_edits_that_cannot_be_made_are_named_at_once(sources: Mapping[str, Source]) -> None:
    edits = (
        Edit(SpecId("--with"), None, None, "numpy<1", "numpy<2"),
        Edit(SpecId("a.txt"), "a.txt", 1, "numpy<1", "numpy<2"),
    )
    with pytest.raises(InputErrors) as caught:
        plan_edits(edits, sources)
    assert str(caught.value).splitlines() == [
        "`numpy<1` of --with stands in no file; give `numpy<2` there instead",
        'a.txt:1: "numpy<1" is not written here in a form that can be edited; change it to "numpy<2" by hand',
    ]


def test_the_diff_is_one_that_patch_takes(tmp_path: Path, sources: Mapping[str, Source]) -> None:
    diff = render_diff(plan_edits(EDITS, sources))
    assert diff == (
        "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n # a\r\n-numpy<1.24\r\n+numpy<2\r\n last\n"
        "\\ No newline at end of file\n"
        "--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-numpy>=2\n+numpy>=1.26\n"
    )
    subprocess.run(["git", "apply"], input=diff.encode(), cwd=tmp_path, check=True, timeout=60)
    assert files_of(tmp_path) == {"a.txt": b"# a\r\nnumpy<2\r\nlast", "b.txt": b"numpy>=1.26\n"}
