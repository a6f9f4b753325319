from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from report_builders import environment, pin, report, spec, wheel

import conflictcheck
from conflictcheck.cli import ExitCode, run
from conflictcheck.disguise import Disguise
from conflictcheck.errors import InputErrors, InternalError, OutputError, SpecError
from conflictcheck.facts import Metadata
from conflictcheck.given import Given
from conflictcheck.index.cache import Cache, StoredPage
from conflictcheck.model import Minimum, ReadResult, Report
from conflictcheck.reports import FORMATS, GRAPHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflictcheck.progress import Progress
    from conflictcheck.settings import Settings

COMMANDS = (
    "",
    "check",
    "split",
    "explain",
    "fix",
    "graph",
    "snapshot",
    "diff",
    "init",
    "cache",
    "cache dir",
    "cache info",
    "cache clear",
)
ONE = report(
    "compatible",
    specs=(spec("a.txt", "numpy"),),
    environments=(environment("env-1", "a.txt", pins=(pin("numpy", "2.0", "a.txt", files=(wheel("numpy", "2.0"),)),)),),
)
TWO = report(
    "split",
    specs=(spec("a.txt"), spec("b.txt")),
    environments=(
        environment("env-1", "a.txt", pins=(pin("numpy", "1.0", "a.txt", files=(wheel("numpy", "1.0"),)),)),
        environment("env-2", "b.txt", pins=(pin("numpy", "2.0", "b.txt", files=(wheel("numpy", "2.0"),)),)),
    ),
)
NO_WAY = report("unsatisfiable", specs=(spec("a.txt"), spec("b.txt")), environments=TWO.environments[:1])
UNKNOWN = report("undecided", specs=(spec("a.txt"),), minimum=Minimum(0, proven=False, lower_bound=0))
NOTHING = Given(ReadResult(()), (), {}, Disguise())


class Core:
    """Stands in for the core: gives what it was told to, and remembers the settings."""

    def __init__(self) -> None:
        self.outcome: Report | BaseException = ONE
        self.settings: Settings | None = None

    def check(self, settings: Settings, progress: Progress) -> Report:
        assert progress is not None
        self.settings = settings
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def check_files(
        self, settings: Settings, progress: Progress, *, target_environments: int | None, given: Given
    ) -> types.SimpleNamespace:
        assert (target_environments, given) == (None, NOTHING)
        return types.SimpleNamespace(report=self.check(settings, progress), basis=None)

    def check_between(self, settings: Settings, older: Path, progress: Progress, given: Given) -> Report:
        assert (older, given) == (Path("old"), NOTHING)
        return self.check(settings, progress)

    def write_snapshot(self, settings: Settings, output: Path, progress: Progress, *, given: Given) -> Report:
        assert given is NOTHING
        found = self.check(settings, progress)
        if found is not UNKNOWN:
            output.write_bytes(b"facts")
        return found


@pytest.fixture(autouse=True)
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Core:
    """No core, no configuration, an empty working directory."""
    core = Core()
    module = types.ModuleType("conflictcheck.pipeline")
    module.__dict__.update(check_files=core.check_files, write_snapshot=core.write_snapshot)
    module.__dict__.update(check_between=core.check_between)
    monkeypatch.setitem(sys.modules, "conflictcheck.pipeline", module)
    monkeypatch.setattr(conflictcheck, "pipeline", module, raising=False)
    monkeypatch.setattr("conflictcheck.given.read_input", lambda _: NOTHING)
    monkeypatch.setattr("conflictcheck.cli.remembered.Memory.files", lambda _: None)
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("PIP_", "UV_", "CONFLICTCHECK_", "NO_COLOR", "FORCE_COLOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    return core


def settings_of(core: Core, *arguments: str) -> Settings:
    assert run(["check", *arguments]) == ExitCode.PASSED
    assert core.settings is not None
    return core.settings


@pytest.mark.parametrize("command", COMMANDS)
def test_help(
    command: str,
    golden: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    assert run([*command.split(), "--help"]) == ExitCode.PASSED

    text = capsys.readouterr().out
    golden(f"help-{command.replace(' ', '-') or 'conflictcheck'}.txt", text)
    assert "Examples:\n" in text


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == ExitCode.PASSED
    assert capsys.readouterr().out.startswith("Usage: conflictcheck ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == ExitCode.PASSED
    assert capsys.readouterr().out == f"conflictcheck {conflictcheck.__version__}\n"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (ONE, 0),
        (TWO, 1),
        (NO_WAY, 1),
        (UNKNOWN, 3),
        (SpecError("no"), 2),
        (OutputError("no"), 2),
        (InternalError("ours"), 3),
        (RecursionError(), 3),
        (BrokenPipeError(), 3),
    ],
    ids=lambda value: value.verdict if isinstance(value, Report) else str(value) or type(value).__name__,
)
def test_exit_codes(core: Core, outcome: Report | BaseException, code: int) -> None:
    core.outcome = outcome

    assert run(["check"]) == code


def test_ctrl_c_is_left_to_main(core: Core) -> None:
    core.outcome = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        run(["check"])


def test_every_problem_of_the_input_is_one_line_on_standard_error(
    core: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    core.outcome = InputErrors(
        [
            SpecError("no such file", file="b.txt", hint="create it"),
            SpecError('"numpy>>1" is not a requirement', file="a.txt", line=12, hint='did you mean "numpy>1"?'),
            SpecError("odd \x1b[31m name", file="a\nb.txt", line=1),
        ]
    )

    assert run(["check"]) == ExitCode.USAGE

    assert capsys.readouterr() == (
        "",
        (
            "error: a\\nb.txt:1: odd \\x1b[31m name\n"
            'error: a.txt:12: "numpy>>1" is not a requirement; did you mean "numpy>1"?\n'
            "error: b.txt: no such file; create it\n"
        ),
    )


def test_a_failure_of_ours_asks_for_a_report_and_claims_nothing(core: Core, capsys: pytest.CaptureFixture[str]) -> None:
    core.outcome = ZeroDivisionError("division by zero")

    assert run(["check"]) == ExitCode.UNDECIDED

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        f"error: conflictcheck {conflictcheck.__version__} failed, and claims nothing about your specs; this is a "
        "mistake of ours: please report it with the lines below and the command you ran\nTraceback "
    )
    assert err.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc"], "error: No such command 'chekc'"),
        (["check", "--fromat", "json"], "error: No such option '--fromat'"),
        (["check", "--max-environments", "0"], "error: Invalid value for '--max-environments'"),
        (["check", "--format", "pdf"], "error: Invalid value for '--format': 'pdf' is not one of 'text', 'json',"),
        (["split"], "error: Missing option '-o' / '--output'; 'conflictcheck split --help' shows what there is\n"),
        (["snapshot"], "error: Missing option '-o' / '--output'; 'conflictcheck snapshot --help' shows"),
        (["split", "-o", "x", "--export", "conda"], "error: --export: there is no format called 'conda'; use req"),
        (["check", "--python-version", "4x"], "error: --python-version: '4x' is not a Python version; write it like"),
        (["check", "--ignore", "0123"], "error: --ignore: '0123' is not the id of a clash; -v shows ids; the first 6"),
        (["check", "--baseline", ""], "error: --baseline: its value is empty; give one, or leave the option out\n"),
        (["check", "--since", ""], "error: --since: its value is empty; give one, or leave the option out\n"),
        (
            ["check", "--since", "main", "--write-baseline", "x"],
            "error: --write-baseline and --since exclude each other; leave one of them out\n",
        ),
        (["diff", "old"], "error: Missing argument 'NEW_SNAPSHOT'; 'conflictcheck diff --help' shows what there is\n"),
        (["graph", "--environment", "env-9"], "error: --environment: there is none called 'env-9'; there is env-1\n"),
    ],
)
def test_bad_usage_is_one_line_and_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == ExitCode.USAGE

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_every_option_reaches_the_settings(core: Core, tmp_path: Path) -> None:
    found = settings_of(
        core,
        *("a.txt", "b/"),
        *("--with", "numpy<2", "--with", "torch"),
        *("--python-version", "3.12", "--python-version", "3.11"),
        *("--python-platform", "linux", "--python-platform", "windows"),
        *("--index-url", "https://one.example/simple", "--extra-index-url", "https://two.example/simple"),
        *("--find-links", "wheels", "--index-snapshot", "facts", "--exclude-newer", "2024-11-02T00:00:00Z"),
        *("--prerelease", "allow", "--only-binary", ":all:", "--no-binary", "numpy"),
        *("-c", "c.txt", "--constraint", "d.txt", "--override", "o.txt", "--max-environments", "3"),
        *("--cache-dir", "cache", "--baseline", "known.toml", "--ignore", "0123AB", "--ignore", "0123456789ab"),
        *("--since", "main"),
    )

    assert (found.cwd, found.paths, found.with_requirements) == (tmp_path, ("a.txt", "b/"), ("numpy<2", "torch"))
    assert (found.python_versions, found.platforms) == (("3.12", "3.11"), ("linux", "windows"))
    assert found.index.index_urls == ("https://two.example/simple", "https://one.example/simple")
    assert (found.index.find_links, found.index.snapshot) == (("wheels",), Path("facts"))
    assert str(found.policy.exclude_newer) == "2024-11-02 00:00:00+00:00"
    assert found.policy.prerelease == "allow"
    assert (found.policy.only_binary, found.policy.no_binary) == ({":all:"}, {"numpy"})
    assert (found.constraints, found.overrides, found.max_environments) == (("c.txt", "d.txt"), ("o.txt",), 3)
    assert (found.index.cache_dir, found.index.offline, found.index.refresh) == (tmp_path / "cache", False, False)
    assert (found.baseline, found.ignore, found.since) == (Path("known.toml"), ("0123ab", "0123456789ab"), "main")
    assert settings_of(core, "--write-baseline", "known.toml").write_baseline == Path("known.toml")
    assert settings_of(core, "--offline").index.offline
    assert settings_of(core, "--refresh").index.refresh
    assert settings_of(core, "--no-cache").index.cache_dir is None
    assert settings_of(core, "--no-index").index.index_urls == ()


@pytest.mark.parametrize("name", list(FORMATS))
def test_check_writes_each_format_to_standard_output_or_a_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "--format", name]) == ExitCode.PASSED
    printed = capsys.readouterr()
    assert run(["check", "--format", name, "-o", "out"]) == ExitCode.PASSED

    assert printed.err == ""
    assert (tmp_path / "out").read_text() == printed.out != ""
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", list(GRAPHS))
def test_graph_has_each_of_its_formats(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", "--format", name]) == ExitCode.PASSED
    assert "numpy 2.0" in capsys.readouterr().out


def test_graph_shows_one_environment_of_several(core: Core, capsys: pytest.CaptureFixture[str]) -> None:
    core.outcome = TWO

    assert run(["graph", "--environment", "env-2"]) == ExitCode.FAILED
    assert capsys.readouterr().out == "Environment env-2: 1 package, Python 3.11.7\nb.txt\n└── numpy 2.0\n"


def test_graph_without_an_answer_says_why_on_standard_error(core: Core, capsys: pytest.CaptureFixture[str]) -> None:
    core.outcome = UNKNOWN

    assert run(["graph"]) == ExitCode.UNDECIDED

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Undecided: ")


def test_quiet_twice_prints_nothing_and_the_code_says_it_all(core: Core, capsys: pytest.CaptureFixture[str]) -> None:
    core.outcome = TWO

    assert run(["check", "-qq"]) == ExitCode.FAILED
    assert capsys.readouterr() == ("", "")


def test_colour_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", "--color", "always"])
    assert "\x1b[" in capsys.readouterr().out
    run(["check", "--color", "never"])
    assert "\x1b[" not in capsys.readouterr().out


def test_an_output_file_in_a_missing_folder_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "-o", "no/such/file"]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        "error: no/such/file: this file cannot be written (No such file or directory); name another place with -o\n"
    )


def test_an_output_that_is_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "-o", str(tmp_path)]) == ExitCode.USAGE
    assert capsys.readouterr().err == f"error: {tmp_path}: this is a folder; name a file to write to\n"
    assert list(tmp_path.iterdir()) == []


def test_a_minus_is_standard_output(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["check"]) == ExitCode.PASSED
    printed = capsys.readouterr().out

    assert run(["check", "-o", "-"]) == ExitCode.PASSED
    assert capsys.readouterr().out == printed != ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "explain", "graph", "snapshot", "split"])
def test_an_output_that_cannot_be_is_refused_before_the_work_begins(
    command: str, core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for place in ("", "file/out", *(["-"] if command == "snapshot" else [])):
        assert run([command, "-o", place]) == ExitCode.USAGE
        err = capsys.readouterr().err
        assert err.startswith("error: -o: " if place != "file/out" else "error: file/out: ")
        assert err.count("\n") == 1
    assert core.settings is None


def test_columns_hold_through_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    run(["check"])
    assert capsys.readouterr().out.startswith(
        "The spec fits in one environment (1\npackage, Python 3.11.7 on linux).\n"
    )

    monkeypatch.setenv("COLUMNS", "many")
    run(["check"])
    assert capsys.readouterr().out.startswith("The spec fits in one environment (1 package, Python 3.11.7 on linux).\n")


def test_cache_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache"]) == ExitCode.PASSED
    assert capsys.readouterr().out.startswith("Usage: conflictcheck cache ")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use cannot be deleted there")
def test_a_working_directory_that_is_gone_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        assert run(["check"]) == ExitCode.USAGE
    finally:
        os.chdir(tmp_path)

    assert capsys.readouterr().err == (
        "error: the working directory cannot be used (No such file or directory); it may have been deleted; "
        "change to another folder\n"
    )


class TestSplit:
    def test_each_environment_is_written_and_named(
        self, core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        core.outcome = TWO

        code = run(["split", "-o", "deep/out", "--export", "pylock", "--export", "requirements"])

        assert code == ExitCode.FAILED
        out, err = capsys.readouterr()
        assert out.startswith("2 environments needed: ")
        assert err == (
            "Wrote deep/out/pylock.env-1.toml\nWrote deep/out/pylock.env-2.toml\n"
            "Wrote deep/out/requirements.env-1.txt\nWrote deep/out/requirements.env-2.txt\n"
        )
        folder = tmp_path / "deep/out"
        assert sorted(path.name for path in folder.iterdir()) == [
            "pylock.env-1.toml",
            "pylock.env-2.toml",
            "requirements.env-1.txt",
            "requirements.env-2.txt",
        ]
        assert "numpy==2.0 \\\n" in (folder / "requirements.env-2.txt").read_text()

    def test_requirements_are_the_default_and_the_report_may_be_json(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["split", "-o", "out", "--format", "json", "-q"]) == ExitCode.PASSED

        out, err = capsys.readouterr()
        assert json.loads(out)["verdict"] == "compatible"
        assert err == ""
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["requirements.env-1.txt"]

    def test_specs_that_can_be_placed_are_written_although_another_cannot(self, core: Core, tmp_path: Path) -> None:
        core.outcome = NO_WAY

        assert run(["split", "-o", "out"]) == ExitCode.FAILED
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["requirements.env-1.txt"]

    def test_nothing_is_written_when_undecided(
        self, core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        core.outcome = report("undecided", specs=TWO.specs, environments=TWO.environments)

        assert run(["split", "-o", "out"]) == ExitCode.UNDECIDED
        assert not (tmp_path / "out").exists()
        assert capsys.readouterr().err == "Wrote nothing to out: there is no environment to write\n"

    def test_one_environment_that_cannot_be_exported_leaves_all_unwritten(
        self, core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        unhashed = environment("env-2", "b.txt", pins=(pin("old", "1.0", "b.txt"),))
        core.outcome = report("split", specs=TWO.specs, environments=(TWO.environments[0], unhashed))

        assert run(["split", "-o", "out", "--export", "pylock"]) == ExitCode.USAGE
        assert not (tmp_path / "out").exists()
        assert capsys.readouterr().err == (
            "error: pylock.env-2.toml: old 1.0 has no file with a hash, which a lock file needs; "
            "use --export requirements\n"
        )

    def test_a_file_in_the_folders_place_is_refused_before_the_work_begins(
        self, core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "out").write_text("mine")

        assert run(["split", "-o", "out"]) == ExitCode.USAGE
        assert core.settings is None
        assert capsys.readouterr().err == "error: out: this is a file; name a folder with -o\n"

    def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work_begins(
        self, core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "out").mkdir()
        monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may write anywhere

        for place in ("out", "deep/er"):
            assert run(["split", "-o", place]) == ExitCode.USAGE
        assert core.settings is None
        assert capsys.readouterr().err == (
            "error: out: this folder cannot be written to (Permission denied); name another one with -o\n"
            "error: deep/er: this folder cannot be made (Permission denied); name another one with -o\n"
        )

    def test_a_file_that_cannot_be_replaced_leaves_no_litter(self, core: Core, tmp_path: Path) -> None:
        core.outcome = TWO
        (tmp_path / "out" / "requirements.env-2.txt").mkdir(parents=True)

        assert run(["split", "-o", "out"]) == ExitCode.USAGE
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["requirements.env-2.txt"]


def test_snapshot_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["snapshot", "-o", "facts"]) == ExitCode.PASSED

    out, err = capsys.readouterr()
    assert out == ""
    assert err == ("The spec fits in one environment (1 package, Python 3.11.7 on linux).\nWrote facts (5 B)\n")
    assert (tmp_path / "facts").read_bytes() == b"facts"


def test_a_snapshot_is_not_said_to_be_written_when_undecided(
    core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "facts").write_text("of last week")
    core.outcome = UNKNOWN

    assert run(["snapshot", "-o", "facts"]) == ExitCode.UNDECIDED

    err = capsys.readouterr().err
    assert err.startswith("Undecided: ")
    assert "Wrote" not in err
    assert (tmp_path / "facts").read_text() == "of last week"


def test_cache_dir_is_the_options_or_the_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONFLICTCHECK_CACHE_DIR", str(tmp_path / "a"))
    run(["cache", "dir"])
    run(["cache", "dir", "--cache-dir", "b"])

    assert capsys.readouterr().out == f"{tmp_path / 'a'}\n{tmp_path / 'b'}\n"


def test_a_cache_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "info", "--cache-dir", "none"]) == ExitCode.PASSED
    assert run(["cache", "clear", "--cache-dir", "none"]) == ExitCode.PASSED

    folder = tmp_path / "none"
    assert not folder.exists()
    assert capsys.readouterr().out == f"Nothing is cached in {folder} yet.\nNothing was cached in {folder}.\n"


def test_the_cache_is_described_and_cleared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Cache.open(tmp_path)) as cache:
        cache.put_page("https://index.example/simple/numpy/", StoredPage("", "", 0, b"page" * 5000))
        cache.put_metadata("https://files.example/numpy.whl", Metadata("numpy", "2.0"))

    assert run(["cache", "info", "--cache-dir", str(tmp_path)]) == ExitCode.PASSED
    described = capsys.readouterr().out.splitlines()
    assert run(["cache", "clear", "--cache-dir", str(tmp_path)]) == ExitCode.PASSED
    cleared = capsys.readouterr().out
    assert run(["cache", "info", "--cache-dir", str(tmp_path)]) == ExitCode.PASSED
    empty = capsys.readouterr().out.splitlines()

    assert described[0] == f"File: {tmp_path / 'cache.sqlite3'}"
    assert described[1].startswith("Size: ")
    assert described[2:] == ["Holds: 1 page of indexes, the metadata of 1 release"]
    assert cleared.startswith(f"Cleared {tmp_path / 'cache.sqlite3'} (")
    assert empty[2:] == ["Holds: 0 pages of indexes, the metadata of 0 releases"]


PROGRAM = """
import signal, sys, time, types
# Who starts the tests in the background has their children ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
module = types.ModuleType("conflictcheck.pipeline")
def check(settings, progress):
    {body}
module.check = check
def check_files(settings, progress, target_environments, given):
    return types.SimpleNamespace(report=check(settings, progress), basis=None)
module.check_files = check_files
sys.modules["conflictcheck.pipeline"] = module
import conflictcheck.cli.remembered, conflictcheck.given
conflictcheck.given.read_input = lambda settings: types.SimpleNamespace(sources={{}})
conflictcheck.cli.remembered.Memory.files = lambda _: None
from conflictcheck.cli import main
main(["check", *sys.argv[1:]])
"""


def program(body: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM.format(body=body), *arguments]


def child_environment() -> dict[str, str]:
    root = str(Path(conflictcheck.__file__).parents[1])
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join([root, str(Path(__file__).parents[1])])}


def test_ctrl_c_ends_at_once_with_130_although_a_thread_still_waits() -> None:
    body = (
        "import threading; threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "    print('ready', flush=True)\n    time.sleep(600)"
    )
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                program(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment()
            )
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (130, "interrupted\n")


def run_code(code: str) -> subprocess.CompletedProcess[str]:
    """What an interpreter of its own makes of a program."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment(), check=False, timeout=60
    )


def test_ctrl_c_while_modules_are_loaded_ends_the_same_way() -> None:
    """An import hook stands for the unlucky moment: once the package itself is there, every other module is one."""
    code = (
        "import sys\n"
        "class Unlucky:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name not in ('conflictcheck', 'conflictcheck.__main__', '__future__'): raise KeyboardInterrupt\n"
        "for name in ('typing', 'enum', 'click'): sys.modules.pop(name, None)\n"
        "sys.meta_path.insert(0, Unlucky())\n"
        "from conflictcheck.__main__ import main\n"
        "main()"
    )
    done = run_code(code)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_the_command_ends_once_all_is_done_and_without_taking_apart_what_it_made() -> None:
    code = (
        "import atexit, os, sys, threading\n"
        "from conflictcheck.__main__ import start\n"
        "class Made:\n"
        "    def __del__(self): os.write(1, b'freed')\n"
        "made = Made()\n"
        "atexit.register(print, 'kept')\n"
        "threading.Thread(target=lambda: print('written', sum(range(10**6)))).start()\n"
        "sys.argv = ['conflictcheck', 'check', 'nowhere']\n"
        "start()"
    )
    done = run_code(code)

    assert (done.returncode, done.stdout) == (2, "written 499999500000\nkept\n")
    assert "nowhere" in done.stderr


def test_a_reader_that_has_enough_changes_neither_the_code_nor_standard_error() -> None:
    body = (
        "from report_builders import report, spec\n"
        "    return report('split', specs=tuple(spec(f'{n}' * 50) for n in range(20000)))"
    )
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            program(body, "--format", "json"),
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(),
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (1, "")


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", ["check", "explain", "graph", "cache", "cache dir", "cache info", "--help"])
def test_a_full_disk_is_one_line_and_2(arguments: str, unbuffered: str) -> None:
    body = "from test_commands import ONE\n    return ONE"
    command = program(body)
    command[2] = command[2].replace('["check", *', f"[*{arguments.split()}, *")
    environ = child_environment() | {"PYTHONUNBUFFERED": unbuffered, "CONFLICTCHECK_CACHE_DIR": "no/such/folder"}
    environ["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
    with FULL.open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=environ, check=False, timeout=60
        )

    what = "nothing more can" if arguments in ("cache", "--help") else "standard output cannot"
    assert (done.returncode, done.stderr) == (2, f"error: {what} be written (No space left on device)\n")


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_messages_that_cannot_be_written_change_nothing(unbuffered: str, tmp_path: Path) -> None:
    command = program("from test_commands import ONE\n    return ONE", "-o", "out")
    command[2] = command[2].replace('["check"', '["split"')
    environ = child_environment() | {"PYTHONUNBUFFERED": unbuffered}
    environ["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
    with FULL.open("w") as full:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=full, text=True, env=environ, check=False, timeout=60
        )

    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["requirements.env-1.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("body", "closed", "code"),
    [
        ("from test_commands import TWO\n    return TWO", ">&-", 1),
        ("from test_commands import TWO\n    return TWO", "<&- >&- 2>&-", 1),
        ("raise ZeroDivisionError", "2>&-", 3),
        ("raise ZeroDivisionError", ">&-", 3),
    ],
)
def test_a_stream_that_is_closed_changes_no_code_and_what_it_missed_goes_nowhere_else(
    body: str, closed: str, code: int
) -> None:
    environ = child_environment()
    environ["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *program(body)],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
        timeout=60,
    )

    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr == "" or (body.startswith("raise") and "2>" not in closed)


def test_a_terminal_without_unicode_gets_plain_lines() -> None:
    body = "from test_commands import TWO\n    return TWO"
    environ = child_environment() | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    environ["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
    command = program(body)
    command[2] = command[2].replace('["check"', '["graph"')
    done = subprocess.run(command, capture_output=True, env=environ, check=False, timeout=60)

    assert b"a.txt\n`-- numpy 1.0\n" in done.stdout


def test_the_version_needs_none_of_the_heavy_modules() -> None:
    code = (
        "import sys\nbefore = {*sys.modules}\nfrom conflictcheck.cli import run\nrun(['--version'])\n"
        "heavy = {'rich', 'networkx', 'pysat', 'urllib3', 'packaging', 'tomlkit', 'sqlite3', 'platformdirs', "
        "'conflictcheck.reports', 'conflictcheck.index', 'conflictcheck.targets', 'conflictcheck.pipeline'}\n"
        "print(sorted(heavy & set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment(), check=True, timeout=60
    )

    assert done.stdout == f"conflictcheck {conflictcheck.__version__}\n[]\n"
