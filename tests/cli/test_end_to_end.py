"""The whole program on an index of its own on the loopback interface."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from index_server import Fault, IndexServer

import conflictcheck
from conflictcheck.cli import ExitCode, run
from conflictcheck.errors import UsageError
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PACKAGES = {
    "web": {"1.0": ["core<2", "tool"], "2.0": ["core>=2"]},
    "nlp": {"3.0": ["core>=2"]},
    "core": {"1.0": [], "1.5": [], "2.0": []},
    "tool": {"1.0": Rel(requires=["core"], extras=("fast",))},
}


@pytest.fixture
def index(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[IndexServer]:
    """An index, two specs that clash through dependencies, a cache of one's own, no configuration."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith(
            ("PIP_", "UV_", "NO_COLOR", "FORCE_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        ):
            monkeypatch.delenv(name)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "requirements.txt").write_text("# the site\nweb<2\n")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "requirements.txt").write_text("nlp\n")
    with IndexServer(PACKAGES) as server:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        monkeypatch.setenv("CONFLICTCHECK_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield server


def report_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: ExitCode) -> dict[str, object]:
    """The JSON report of a check, `stats` aside."""
    assert run(["check", *arguments, "--format", "json"]) == code
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    del document["stats"]
    return document


@pytest.mark.usefixtures("index")
def test_two_specs_that_clash_through_their_dependencies(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == ExitCode.FAILED

    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(
        "2 environments needed: 2 specs cannot share one (proven: no split into fewer\nexists).\n\nClash: "
    )
    assert "  site/requirements.txt:2   web<2\n  texts/requirements.txt:1  nlp\n" in out


@pytest.mark.usefixtures("index")
def test_a_snapshot_of_other_specs_says_which_it_lacks_and_how_to_write_it_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    assert run(["snapshot", "-o", "my facts"]) == ExitCode.FAILED
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "requirements.txt").write_text("unheard-of\ntool\n")
    (tmp_path / "texts" / "requirements.txt").write_text("nlp\nother>2\n")
    capsys.readouterr()

    assert run(["check", "--index-snapshot", "my facts", "--python-version", "3.11"]) == ExitCode.UNDECIDED

    golden("snapshot-outdated.txt", capsys.readouterr().out)


def test_a_snapshot_that_is_not_there_says_how_to_write_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text("nlp\n")

    assert run(["check", "--index-snapshot", "facts"]) == ExitCode.USAGE

    assert capsys.readouterr() == (
        "",
        (
            "error: facts: the snapshot cannot be read: No such file or directory; "
            "conflictcheck snapshot -o FILE writes one\n"
        ),
    )


@pytest.mark.usefixtures("index")
def test_two_environments_may_be_enough() -> None:
    assert run(["check", "--max-environments", "2", "-qq"]) == ExitCode.PASSED
    assert run(["check", "texts", "--with", "core", "-qq"]) == ExitCode.PASSED
    assert run(["check", "texts", "--with", "core<2", "-qq"]) == ExitCode.FAILED


def test_the_second_run_needs_no_index_and_says_the_same(
    index: IndexServer, capsys: pytest.CaptureFixture[str]
) -> None:
    first = report_of(capsys, code=ExitCode.FAILED)
    asked = index.requests.total()

    assert report_of(capsys, "--offline", code=ExitCode.FAILED) == first
    assert asked > 0
    assert index.requests.total() == asked


@pytest.mark.usefixtures("index")
def test_offline_with_an_empty_cache_is_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_of(capsys, "--offline", code=ExitCode.UNDECIDED)["verdict"] == "undecided"


def test_an_index_that_fails_is_undecided_and_never_compatible(
    index: IndexServer, capsys: pytest.CaptureFixture[str]
) -> None:
    index.faults["/*"] = Fault(status=403)

    assert run(["check", "texts"]) == ExitCode.UNDECIDED

    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Undecided: ")
    assert "403" in out


def test_a_snapshot_gives_the_same_report_without_the_index(
    index: IndexServer, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = report_of(capsys, code=ExitCode.FAILED)
    assert run(["snapshot", "-o", "facts"]) == ExitCode.FAILED
    assert "Wrote facts (" in capsys.readouterr().err
    asked = index.requests.total()

    assert report_of(capsys, "--index-snapshot", "facts", "--no-cache", code=ExitCode.FAILED) == expected
    assert index.requests.total() == asked


def test_an_index_that_is_named_beside_a_snapshot_is_told_to_have_no_effect(
    index: IndexServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["snapshot", "texts", "-o", "facts"]) == ExitCode.PASSED
    asked = index.requests.total()
    named = ("--index-url", index.url, "--extra-index-url", index.url, "--find-links", ".")
    capsys.readouterr()

    assert run(["check", "texts", "--index-snapshot", "facts"]) == ExitCode.PASSED
    expected, err = capsys.readouterr()
    assert err == ""
    assert run(["check", "texts", "--index-snapshot", "facts", *named]) == ExitCode.PASSED
    assert capsys.readouterr() == (
        expected,
        "".join(
            f"warning: {option} has no effect beside --index-snapshot, which answers alone\n" for option in named[::2]
        ),
    )
    assert run(["check", "texts", "--index-snapshot", "facts", *named, "-q"]) == ExitCode.PASSED
    assert capsys.readouterr() == (expected, "")
    assert index.requests.total() == asked


@pytest.mark.usefixtures("index")
def test_standard_input_is_read_once_by_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pipe_in(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    pipe_in(b"web<2\n")
    assert run(["snapshot", "-", "-o", "facts"]) == ExitCode.PASSED
    pipe_in(b"web<2\n")
    report = report_of(capsys, "-", "--index-snapshot", "facts", code=ExitCode.PASSED)
    assert [spec["id"] for spec in report["specs"]] == ["-"]  # type: ignore[attr-defined]
    pipe_in(b"web>>2\n")
    assert run(["check", "-"]) == ExitCode.USAGE
    assert capsys.readouterr().err == 'error: -:1: "web>>2" is not a requirement; did you mean "web>2"?\n'
    sys.stdin.close()
    assert run(["check", "-"]) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("error: -: standard input cannot be read: closed")


@pytest.mark.usefixtures("index")
def test_the_graph_shows_who_needs_whom(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", "site"]) == ExitCode.PASSED
    assert capsys.readouterr().out.split("\n", 1)[1] == (
        "site/requirements.txt\n└── web 1.0\n    ├── core 1.5\n    └── tool 1.0\n        └── core 1.5\n"
    )


def test_pip_itself_takes_what_split_writes(index: IndexServer, tmp_path: Path) -> None:
    """Pip resolves the file anew, checks every hash, and comes to the same packages."""
    assert run(["split", "-o", "out", "--export", "requirements", "--export", "pylock"]) == ExitCode.FAILED
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    (requirements,) = [path for path in (tmp_path / "out").glob("requirements.*") if "web==" in path.read_text()]

    options = (
        "--isolated --quiet --no-cache-dir --require-hashes --disable-pip-version-check --ignore-installed --dry-run "
        "--report -"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options.split(), "--index-url", index.url, "-r", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert len(written) == 4
    assert done.returncode == 0, done.stderr
    chosen = json.loads(done.stdout)["install"]
    assert {(one["metadata"]["name"], one["metadata"]["version"]) for one in chosen} == {
        ("web", "1.0"),
        ("core", "1.5"),
        ("tool", "1.0"),
    }


@pytest.mark.usefixtures("index")
def test_explain_tells_the_clash_in_full_and_its_json_is_the_reports(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "site", "texts"]) == ExitCode.FAILED
    text = capsys.readouterr()
    assert run(["explain", "site", "texts", "--format", "json", "-o", "-"]) == ExitCode.FAILED
    document = json.loads(capsys.readouterr().out)

    assert text.err == ""
    assert "  site/requirements.txt:2   web<2\n  texts/requirements.txt:1  nlp\n" in text.out
    assert text.out.endswith("  texts/requirements.txt:1 asks for nlp\n  └─ nlp 3.0 needs core>=2\n     └─ core 2.0\n")
    (clash,) = document["clashes"]
    assert clash["summary"] in " ".join(text.out.split())
    assert [(one["file"], one["line"]) for one in clash["requirements"]] == [
        ("site/requirements.txt", 2),
        ("texts/requirements.txt", 1),
    ]


@pytest.mark.usefixtures("index")
def test_explain_says_that_specs_can_share(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "texts", "--with", "core"]) == ExitCode.PASSED
    assert capsys.readouterr().out.startswith("Both specs fit in one environment (2 packages, ")


@pytest.mark.parametrize("command", [["check"], ["snapshot", "-o", "facts"]])
@pytest.mark.usefixtures("index")
def test_problems_of_specs_and_of_shared_files_are_told_together(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shared.txt").write_text("core>>1\n")

    assert (
        run([*command, "-c", "nothere", "-c", "shared.txt", "--override", "alsonot", "web", "site"]) == ExitCode.USAGE
    )

    err = capsys.readouterr().err
    assert [line.split(" ")[1] for line in err.splitlines()] == ["alsonot:", "nothere:", "shared.txt:1:", "web:"]


@pytest.mark.usefixtures("index")
def test_bad_input_is_all_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.txt").write_text("numpy>>1\nfine\n-r gone.txt\n")

    assert run(["check", "bad.txt"]) == ExitCode.USAGE

    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ")[1] for line in err.splitlines()] == ["bad.txt:1:", "bad.txt:3:"]


@pytest.mark.usefixtures("index")
def test_an_extra_of_a_project_that_only_a_build_knows_is_undecided_unless_a_file_of_setuptools_says_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = '[project]\nname = "p"\ndynamic = ["dependencies"]\n[project.optional-dependencies]\nx = ["core>=2"]\n'
    (tmp_path / "pyproject.toml").write_text(project)

    assert run(["check", "pyproject.toml"]) == ExitCode.UNDECIDED
    out = " ".join(capsys.readouterr().out.split())
    for spec in ("pyproject.toml", "pyproject.toml#extra:x"):
        assert f"error[undecided-spec]: pyproject.toml: {spec} could not be decided: what p (file://" in out

    (tmp_path / "setup.cfg").write_text("[metadata]\nname = p\n[options]\ninstall_requires = core<2\n")
    assert run(["check", "pyproject.toml", "-q"]) == ExitCode.FAILED
    assert "Clash: pyproject.toml#extra:x cannot be installed: " in capsys.readouterr().out


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("specs", [(), ("old/pyproject.toml", "site")])
def test_a_project_that_only_setuptools_states_clashes_or_is_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], specs: tuple[str, ...]
) -> None:
    (tmp_path / "texts" / "requirements.txt").unlink()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    (tmp_path / "old" / "setup.cfg").write_text("[metadata]\nname = old\n[options]\ninstall_requires =\n    core>=2\n")
    assert run(["check", *specs, "-q"]) == ExitCode.FAILED
    assert "Clash: old/pyproject.toml and site/requirements.txt clash over core" in capsys.readouterr().out

    (tmp_path / "old" / "setup.cfg").unlink()
    (tmp_path / "old" / "setup.py").write_text("from setuptools import setup\nsetup(name='old')\n")
    assert run(["check", *specs]) == ExitCode.UNDECIDED
    assert "what old (file://" in " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("index")
def test_a_named_file_that_states_no_spec_is_no_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.black]\n")
    assert run(["check", "pyproject.toml", "site"]) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("error: pyproject.toml: no spec in this file; looked for")


@pytest.mark.usefixtures("index")
def test_a_named_requirements_file_that_asks_for_nothing_passes_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_text("# nothing yet\n")
    document = report_of(capsys, "empty.txt", code=ExitCode.PASSED)
    assert "empty-input" in {one["code"] for one in document["diagnostics"]}  # type: ignore[attr-defined]


@pytest.mark.usefixtures("index")
def test_a_file_that_pip_would_refuse_for_want_of_hashes_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pinned.txt").write_text("--require-hashes\nnlp==3.0\n")
    document = report_of(capsys, "pinned.txt", code=ExitCode.PASSED)
    (note,) = (one for one in document["diagnostics"] if one["code"] == "hashes-incomplete")  # type: ignore[attr-defined]
    assert note["severity"] == "warning"
    assert note["message"].endswith("core and nlp have none")


DECLARED = """\
exclude = ["out"]

[environments]
site = ["site/**"]
texts = ["texts"]
"""


@pytest.mark.usefixtures("index")
def test_declared_environments_pass_and_are_written_under_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.conflictcheck]\n[tool.conflictcheck.environments]\nsite = ['site']\n"
    )
    (tmp_path / "conflictcheck.toml").write_text(DECLARED)

    assert run(["split", "-o", "out", "-qq"]) == ExitCode.PASSED
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "requirements.site.txt",
        "requirements.texts.txt",
    ]
    document = report_of(capsys, code=ExitCode.PASSED)
    assert [one["name"] for one in document["declared"]] == ["site", "texts"]  # type: ignore[attr-defined]
    assert run(["check", "-qq", "--no-config"]) == ExitCode.FAILED
    assert run(["check", "-qq", "--max-environments", "1"]) == ExitCode.FAILED
    assert run(["check", "-qq", "site/requirements.txt", "texts/requirements.txt"]) == ExitCode.FAILED
    monkeypatch.chdir(tmp_path / "site")
    assert run(["check", "-q"]) == ExitCode.PASSED
    assert capsys.readouterr().out.startswith("The declared environment holds its specs.\n")


@pytest.mark.usefixtures("index")
def test_what_was_said_before_is_not_said_again_after_the_settings_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check"]) == ExitCode.FAILED
    (tmp_path / "conflictcheck.toml").write_text(DECLARED)
    assert run(["check"]) == ExitCode.PASSED
    (tmp_path / "conflictcheck.toml").write_text(DECLARED + 'all = ["**"]\n')
    assert run(["check"]) == ExitCode.FAILED
    assert "1 of 3 declared environments cannot hold its specs: all." in capsys.readouterr().out


def test_settings_may_name_an_index_and_get_no_login_of_another_host(
    index: IndexServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("://", "://user:hunter2@"))
    with IndexServer({"nlp": {"4.0": []}}) as other:
        (tmp_path / "conflictcheck.toml").write_text(f'extra-index-urls = ["{other.url}"]\n')

        assert run(["check", "texts", "-v"]) == ExitCode.PASSED

        assert "nlp 4.0" in capsys.readouterr().out
        assert other.requests.total() > 0
        assert not any("authorization" in headers for headers in other.headers.values())
    assert all("authorization" in headers for headers in index.headers.values())


def test_the_python_function_reads_the_settings_of_its_folder(index: IndexServer, tmp_path: Path) -> None:
    (tmp_path / "conflictcheck.toml").write_text(DECLARED)
    environ = {"PIP_INDEX_URL": index.url, "PIP_CONFIG_FILE": os.devnull}

    assert conflictcheck.check(cwd=tmp_path, environ=environ).passed
    assert not conflictcheck.check(cwd=tmp_path, environ=environ, no_config=True).passed
    assert conflictcheck.check(cwd=tmp_path / "site", environ=environ, config_file="../conflictcheck.toml").declared


def test_the_python_function_takes_one_value_where_there_may_be_several(index: IndexServer, tmp_path: Path) -> None:
    environ = {"PIP_INDEX_URL": index.url, "PIP_CONFIG_FILE": os.devnull}

    report = conflictcheck.check(
        "site", cwd=tmp_path, environ=environ, python_versions="3.12", python_platforms="linux", no_cache=True
    )

    assert [spec.id for spec in report.specs] == ["site/requirements.txt"]
    assert [(target.python_version, target.platform) for target in report.targets] == [("3.12", "linux")]


@pytest.mark.parametrize("option", ["max_environments", "jobs"])
def test_the_python_function_refuses_a_number_that_the_command_line_does(option: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^--{option.replace('_', '-')} is 0; one is the least"):
        conflictcheck.check(cwd=tmp_path, environ={"PIP_CONFIG_FILE": os.devnull}, **{option: 0})


def test_a_run_imports_the_form_that_it_writes_and_no_other(index: IndexServer, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom conflictcheck.cli import run\nrun(['check', 'site', '--no-cache'])\n"
        "forms = ('text', 'html', 'json', 'junit')\n"
        "print([form for form in forms if f'conflictcheck.reports.{form}' in sys.modules])\n"
        "print('conflictcheck.index.html_page' in sys.modules)"
    )
    environ = {**os.environ, "PIP_INDEX_URL": index.url, "PIP_CONFIG_FILE": os.devnull}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, cwd=tmp_path, check=True
    )

    assert done.stdout.splitlines()[-2:] == ["['text']", "False"]
