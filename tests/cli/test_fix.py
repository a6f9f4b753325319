"""``conflictcheck fix``, the whole program on an index of its own."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from index_server import IndexServer

from conflictcheck.cli import ExitCode, run
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = {
    "web": {"1.0": ["core<2", "tool"], "2.0": ["core>=2"]},
    "nlp": {"3.0": ["core>=2"]},
    "core": {"1.0": [], "1.5": [], "2.0": []},
    "tool": {"1.0": Rel(requires=["core"], extras=("fast",))},
    "old": {"0.9": ["core<2"], "1.0": ["core<2"]},
    **{f"part{n}": {"1.0": [], "2.0": []} for n in range(7)},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An index, an empty folder to work in, a cache of one's own, no configuration."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith(
            ("PIP_", "UV_", "NO_COLOR", "FORCE_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        ):
            monkeypatch.delenv(name)
    with IndexServer(PACKAGES) as server:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        monkeypatch.setenv("CONFLICTCHECK_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield tmp_path


CORE_CHANGES = "Versions that change: core 1.5 to 2.0."


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)


def fix(capsys: pytest.CaptureFixture[str], *arguments: str, code: ExitCode) -> tuple[str, str]:
    assert run(["fix", *arguments]) == code
    out, err = capsys.readouterr()
    return out, err


def test_the_best_fix_is_shown_as_a_diff_and_the_others_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, a="# the site\nweb<2   # not yet\n", b="nlp\n")
    out, err = fix(capsys, "a.txt", "b.txt", code=ExitCode.FAILED)
    assert out == "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n # the site\n-web<2   # not yet\n+web<3   # not yet\n"
    assert err == (
        "Best fix: change a.txt:2 `web<2` to `web<3` (tried: 1 environment then).\n"
        "Versions that change: core 1.5 to 2.0 and web 1.0 to 2.0.\n"
    )
    assert (folder / "a.txt").read_text() == "# the site\nweb<2   # not yet\n"


def test_write_applies_it_and_checks_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a="# the site\r\nweb<2   # not yet\r\n", b="nlp\n")
    (folder / "a.txt").write_bytes(b"# the site\r\nweb<2   # not yet\r\n")
    out, err = fix(capsys, "a.txt", "b.txt", "--write", code=ExitCode.PASSED)
    assert (folder / "a.txt").read_bytes() == b"# the site\r\nweb<3   # not yet\r\n"
    assert (folder / "b.txt").read_text() == "nlp\n"
    assert out.partition("Both specs fit")[1:][1].startswith(" in one environment")
    assert err.endswith("Wrote a.txt\n")
    assert run(["check", "a.txt", "b.txt", "-qq"]) == ExitCode.PASSED


def test_pyproject_and_script_and_shared_include(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "x"\ndependencies = [\n  "core<2",  # old\n]\n'
        '[project.optional-dependencies]\ng = ["tool"]\n'
    )
    (folder / "job.py").write_text('# /// script\n# dependencies = ["core<2"]\n# ///\n')
    write(folder, base="core <2\n", one="-r base.txt\n", two="-r base.txt\ntool\n", b="nlp\n")
    arguments = ["pyproject.toml", "job.py", "one.txt", "two.txt", "b.txt"]
    out, err = fix(capsys, *arguments, "--write", "--format", "json", code=ExitCode.PASSED)
    assert json.loads(out)["verdict"] == "compatible"
    assert '"core<3",  # old' in (folder / "pyproject.toml").read_text()
    assert (folder / "job.py").read_text() == '# /// script\n# dependencies = ["core<3"]\n# ///\n'
    assert (folder / "base.txt").read_text() == "core <3\n"
    assert "base.txt:1 `core <2` to `core <3` (a line of one.txt and two.txt)" in err
    assert "pyproject.toml:4 `core<2` to `core<3` (a line of pyproject.toml and pyproject.toml#extra:g)" in err


def test_nothing_to_fix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a="core\n", b="nlp\n", c="web<2\n")
    assert fix(capsys, "a.txt", "b.txt", code=ExitCode.PASSED) == (
        "",
        "Nothing to fix: the specs fit in 1 environment.\n",
    )
    out, err = fix(capsys, "b.txt", "c.txt", "--target-environments", "2", code=ExitCode.FAILED)
    assert (out, err) == ("", "Nothing to fix: the specs fit in 2 environments.\n")


def test_no_edit_helps(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a="old==1.0\n", b="nlp\n")
    out, err = fix(capsys, "a.txt", "b.txt", "--write", "-v", code=ExitCode.FAILED)
    assert out.startswith("2 environments needed")
    assert err == (
        "No edits of requirement lines were found after which fewer environments are enough.\n"
        "No edit resolves the clash of a.txt and b.txt: every release of nlp needs core>=2 and every release of old "
        "needs core<2.\n"
    )


def test_so_many_edits_at_once_are_looked_for_only_where_a_number_of_environments_is_given(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"part{n}" for n in range(7)]
    write(
        folder,
        a="".join(f"{name}<2\n" for name in names),
        b="".join(f"{name}>=2\n" for name in names[:4]),
        c="".join(f"{name}>=2\n" for name in names[4:]),
    )
    told = "No 6 edits or fewer were found that come down to 1 environment"
    files = ("a.txt", "b.txt", "c.txt")
    out, err = fix(capsys, *files, code=ExitCode.FAILED)
    assert (out, err) == ("", f"{told}; conflictcheck fix --target-environments 1 looks for more.\n")
    out, err = fix(capsys, *files, "--target-environments", "1", code=ExitCode.FAILED)
    assert out.count("\n+part") == 7
    assert told not in err


def test_a_requirement_given_on_the_command_line_is_changed_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, b="nlp\n")
    cannot = "`core<2` of --with stands in no file; give `core<3` there instead\n"
    out, err = fix(capsys, "b.txt", "--with", "core<2", code=ExitCode.FAILED)
    assert out == ""
    assert err == f"Best fix: change --with `core<2` to `core<3` (tried: 1 environment then).\n{CORE_CHANGES}\n{cannot}"
    out, err = fix(capsys, "b.txt", "--with", "core<2", "--write", code=ExitCode.USAGE)
    assert (out, err) == ("", f"error: {cannot}")


def test_a_read_only_file_is_an_error_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a="web<2\n", b="nlp\n")
    (folder / "a.txt").chmod(0o444)
    _, err = fix(capsys, "a.txt", "b.txt", "--write", code=ExitCode.USAGE)
    assert err.endswith("error: a.txt: is read-only; nothing was written; make it writable, and run again\n")
    assert (folder / "a.txt").read_text() == "web<2\n"


def test_a_constraint_file_of_the_run_can_be_what_is_edited(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, limits="core<2\n", b="nlp\n")
    fix(capsys, "b.txt", "-c", "limits.txt", "--write", code=ExitCode.PASSED)
    assert (folder / "limits.txt").read_text() == "core<3\n"


def test_the_json_report_has_the_fixes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a="web<2\n", b="nlp\n")
    out, _ = fix(capsys, "a.txt", "b.txt", "--format", "json", code=ExitCode.FAILED)
    document = json.loads(out)
    assert document["fixes"] == [
        {
            "edits": [{"spec": "a.txt", "file": "a.txt", "line": 1, "old": "web<2", "new": "web<3", "also": []}],
            "environments_after": 1,
            "left_out": [],
            "changes": [
                {"name": "core", "environment": "a", "before": "1.5", "after": "2.0"},
                {"name": "web", "environment": "a", "before": "1.0", "after": "2.0"},
            ],
        }
    ]
    assert document["clashes"][0]["fixes"][0]["edits"] == document["fixes"][0]["edits"]


def test_quiet_leaves_the_diff_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, a="web<2\n", b="nlp\n")
    out, err = fix(capsys, "a.txt", "b.txt", "-q", code=ExitCode.FAILED)
    assert (out.count("\n"), err) == (5, "")
