"""Which files a command may replace: those that it made itself, and none that it was given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conflictcheck.cli import ExitCode, run
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Serve
    from index_server import IndexServer

    Said = Callable[..., tuple[ExitCode, str]]

PACKAGES = {
    "web": {"1.0": ["core<2"], "2.0": ["core>=2"]},
    "nlp": {"3.0": ["core>=2"]},
    "core": {"1.0": Rel(), "2.0": Rel()},
}
FILES = {
    "site.txt": "-r base.txt\n",
    "base.txt": "web<2\n",
    "texts.txt": "nlp\n",
    "limits.txt": "core<3\n",
    "instead.txt": "tool<3\n",
    "conflictcheck.toml": "python-versions = ['3.11']\n",
    "known.toml": "version = 1\n",
}
ALL = ("site.txt", "texts.txt", "-c", "limits.txt", "--override", "instead.txt", "--baseline", "known.toml")
MINE = {
    "requirements": ("requirements.site.txt", "web  # mine\n"),
    "pylock": ("pylock.site.toml", 'lock-version = "1.0"\ncreated-by = "uv"\npackages = []\n'),
    "uv-conflicts": ("uv-conflicts.toml", "[tool.uv]\nconflicts = []\n"),
}


@pytest.fixture(autouse=True)
def index(tmp_path: Path, serve: Serve) -> Iterator[IndexServer]:
    """Two specs that clash, and whatever else a run may be given."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with serve(PACKAGES) as server:
        yield server


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command: the exit code, and what it wrote to standard error."""

    def said(*arguments: str) -> tuple[ExitCode, str]:
        code = run(arguments)
        return code, capsys.readouterr().err

    return said


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_spec_is_not_replaced_by_its_own_pins(say: Said, tmp_path: Path) -> None:
    (tmp_path / "requirements.a.txt").write_text("core<2  # precious\n")
    (tmp_path / "requirements.b.txt").write_text("core>=2\n")
    before = contents(tmp_path)

    specs, formats = ("requirements.a.txt", "requirements.b.txt"), ("--export", "pylock", "--export", "requirements")
    assert say("split", *specs, "-o", ".", *formats) == (
        ExitCode.USAGE,
        "error: requirements.a.txt: this file is an input of this run; name another folder with -o\n",
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize("option", ["-c", "--override", "--baseline", "--config-file"])
def test_no_file_of_the_run_is_replaced_whoever_made_it(say: Said, tmp_path: Path, option: str) -> None:
    place = tmp_path / "out" / "requirements.site.txt"
    place.parent.mkdir()
    place.write_text("# Made by conflictcheck\n" + ("version = 1\n" if option == "--baseline" else ""))
    before = contents(tmp_path)

    assert say("split", "site.txt", "texts.txt", "-o", "out", option, "out/requirements.site.txt") == (
        ExitCode.USAGE,
        "error: out/requirements.site.txt: this file is an input of this run; name another folder with -o\n",
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize("export", MINE)
def test_what_somebody_wrote_is_not_replaced(say: Said, tmp_path: Path, export: str) -> None:
    name, text = MINE[export]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text(text)
    before = contents(tmp_path)

    code, err = say("split", "site.txt", "texts.txt", "-o", "out", "--export", export, "--export", "requirements")

    assert code == ExitCode.USAGE
    assert err == (
        f"error: out/{name}: this file exists and was not made by conflictcheck; "
        "name another folder with -o, or move it away\n"
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize("target", ["base.txt", "nowhere", "notes.txt", "out/requirements.site.txt"])
def test_a_link_stands_for_what_it_leads_to(say: Said, tmp_path: Path, target: str) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "requirements.site.txt").symlink_to(tmp_path / target)
    before = contents(tmp_path)

    code, err = say("split", "site.txt", "texts.txt", "-o", "out")

    assert code == ExitCode.USAGE
    assert err.startswith("error: out/requirements.site.txt: this file ")
    assert contents(tmp_path) == before
    assert not (tmp_path / "nowhere").exists()


def test_what_it_made_itself_is_replaced(say: Said, tmp_path: Path) -> None:
    formats = [option for export in MINE for option in ("--export", export)]
    split = ("split", "site.txt", "texts.txt", "-o", "out", *formats)
    assert say(*split)[0] == ExitCode.FAILED
    made = contents(tmp_path / "out")
    assert len(made) == 5
    (tmp_path / "texts.txt").write_text("nlp\nweb\n")

    assert say(*split)[0] == ExitCode.FAILED

    after = contents(tmp_path / "out")
    assert {name for name in made if after[name] != made[name]} == {"requirements.texts.txt", "pylock.texts.toml"}
    (tmp_path / "texts.txt").write_text(FILES["texts.txt"])
    assert say(*split)[0] == ExitCode.FAILED
    assert contents(tmp_path / "out") == made


def test_what_an_earlier_run_left_is_told_and_stays(say: Said, tmp_path: Path) -> None:
    say("split", "site.txt", "texts.txt", "-o", "out", "--export", "requirements", "--export", "pylock")
    (tmp_path / "out" / "requirements.mine.txt").write_text("core\n")

    assert say("split", "texts.txt", "-o", "out") == (
        ExitCode.PASSED,
        "Wrote out/requirements.texts.txt\nLeft from an earlier run: out/requirements.site.txt\n",
    )
    assert say("split", "texts.txt", "-o", "out", "-q") == (ExitCode.PASSED, "")
    assert "out/requirements.site.txt" in contents(tmp_path)


@pytest.mark.parametrize("command", ["check", "explain", "graph", "snapshot"])
@pytest.mark.parametrize("file", FILES)
def test_no_command_writes_its_report_over_its_input(
    say: Said, tmp_path: Path, index: IndexServer, command: str, file: str
) -> None:
    (tmp_path / "link").symlink_to(file)
    before = contents(tmp_path)

    for name in (file, "link"):
        assert say(command, *ALL, "-o", name) == (
            ExitCode.USAGE,
            f"error: {name}: this file is an input of this run; name another one with -o\n",
        )
    assert contents(tmp_path) == before
    assert index.requests.total() == 0


def test_of_several_reports_none_is_written_where_one_would_replace_a_spec(say: Said, tmp_path: Path) -> None:
    before = contents(tmp_path)
    reports = ("--format", "json", "-o", "report.json", "--format", "text", "-o", "texts.txt")

    assert say("check", *ALL, *reports)[0] == ExitCode.USAGE
    assert contents(tmp_path) == before


def test_a_snapshot_that_answers_is_not_replaced(say: Said, tmp_path: Path) -> None:
    say("snapshot", "texts.txt", "site.txt", "-o", "facts")
    facts = (tmp_path / "facts").read_bytes()
    refusal = "error: facts: this file is an input of this run; name another one with -o\n"

    for command in ("check", "snapshot"):
        assert say(command, "texts.txt", "--index-snapshot", "facts", "-o", "facts") == (ExitCode.USAGE, refusal)
    say("snapshot", "texts.txt", "-o", "newer")
    for old, new in (("facts", "newer"), ("newer", "facts")):
        assert say("diff", old, new, "texts.txt", "-o", "facts") == (ExitCode.USAGE, refusal)
        code, err = say("diff", old, new, "texts.txt", "--write-baseline", "facts")
        assert (code, err) == (ExitCode.USAGE, refusal.replace("-o", "--write-baseline"))
    assert (tmp_path / "facts").read_bytes() == facts


@pytest.mark.parametrize("file", [name for name in FILES if name != "known.toml"])
def test_a_baseline_replaces_no_other_input(say: Said, tmp_path: Path, index: IndexServer, file: str) -> None:
    before = contents(tmp_path)

    assert say("check", *ALL, "--write-baseline", file) == (
        ExitCode.USAGE,
        f"error: {file}: this file is an input of this run; name another one with --write-baseline\n",
    )
    assert contents(tmp_path) == before
    assert index.requests.total() == 0


@pytest.mark.parametrize("command", ["check", "explain", "graph", "snapshot"])
def test_a_report_and_a_baseline_do_not_go_to_one_file(
    say: Said, tmp_path: Path, index: IndexServer, command: str
) -> None:
    (tmp_path / "link").symlink_to("new")
    before = contents(tmp_path)

    for name in ("new", "link"):
        assert say(command, "site.txt", "-o", name, "--write-baseline", "./new") == (
            ExitCode.USAGE,
            f"error: -o and --write-baseline both name {name}; give each a file of its own\n",
        )
    assert contents(tmp_path) == before
    assert index.requests.total() == 0


@pytest.mark.parametrize(
    ("folder", "baseline", "export"),
    [
        ("out", "out", "requirements"),
        ("out", "out/requirements.known.txt", "requirements"),
        (".", "pylock.known.toml", "pylock"),
        ("out/../out", "out/uv-conflicts.toml", "uv-conflicts"),
    ],
)
def test_a_baseline_is_not_called_as_a_file_of_an_environment(
    say: Said, index: IndexServer, folder: str, baseline: str, export: str
) -> None:
    code, err = say("split", "site.txt", "-o", folder, "--export", export, "--write-baseline", baseline)
    assert (code, err) == (
        ExitCode.USAGE,
        f"error: -o {folder} and --write-baseline may both write {baseline}; name another baseline\n",
    )
    assert index.requests.total() == 0


def test_a_baseline_beside_the_files_of_environments_is_written(say: Said, tmp_path: Path) -> None:
    assert say("split", "site.txt", "-o", ".", "--write-baseline", "pylock.known.toml", "-q") == (ExitCode.PASSED, "")
    assert {"pylock.known.toml", "requirements.site.txt"} <= contents(tmp_path).keys()


def test_a_baseline_that_was_read_is_written_anew(say: Said, tmp_path: Path) -> None:
    assert say("check", *ALL, "--write-baseline", "known.toml", "-q")[0] == ExitCode.PASSED
    assert "[[clashes]]" in (tmp_path / "known.toml").read_text()


def test_what_is_no_input_may_be_replaced_by_a_report(say: Said, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("of last week\n")

    for _ in range(2):
        assert say("check", *ALL, "-o", "notes.txt")[0] == ExitCode.FAILED
    assert (tmp_path / "notes.txt").read_text().startswith("2 environments needed: ")


def test_a_repeated_split_finds_the_same_specs_and_writes_the_same_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("site", "texts"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.txt").rename(tmp_path / name / "requirements.txt")
    (tmp_path / "site" / "requirements.txt").write_text("web<2\n")
    formats = [option for export in MINE for option in ("--export", export)]

    def verdict() -> list[str]:
        assert run(["check", "--format", "json"]) == ExitCode.FAILED
        found = json.loads(capsys.readouterr().out)
        return [found["verdict"], found["minimum"], found["specs"], found["environments"], found["clashes"]]

    before = verdict()
    assert run(["split", "-o", "environments", *formats]) == ExitCode.FAILED
    made = contents(tmp_path / "environments")
    assert len(made) == 5
    capsys.readouterr()
    assert verdict() == before
    for _ in range(2):
        assert run(["split", "-o", "environments", *formats]) == ExitCode.FAILED
        assert contents(tmp_path / "environments") == made
    (tmp_path / "site" / "requirements.txt").write_text("web>=2\n")
    capsys.readouterr()

    assert run(["split", "-o", "environments"]) == ExitCode.PASSED
    out, err = capsys.readouterr()
    assert out.startswith("Both specs fit in one environment")
    assert err.endswith(
        "Left from an earlier run: environments/requirements.site.txt and environments/requirements.texts.txt\n"
    )
