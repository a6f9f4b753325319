"""The same command with nothing changed is answered before anything is imported, and anything else is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from artifacts import wheel
from index_server import IndexServer

from conflictcheck import instant
from conflictcheck.cli import ExitCode, run
from conflictcheck.facts import Basis
from conflictcheck.index.cache import Cache
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGES = {"web": {"1.0": ["core<2"]}, "nlp": {"3.0": ["core>=2"]}, "core": {"1.0": [], "2.0": []}}
PROGRAM = """
import atexit, sys
from conflictcheck.__main__ import main
atexit.register(lambda: print("made" if "click" in sys.modules else "at once", file=sys.stderr))
main()
"""
LOOKING = """
import sys
from conflictcheck.instant import recall
print("made" if recall(sys.argv[1:]) is None else "at once", file=sys.stderr)
"""


@dataclass(frozen=True)
class Said:
    """What a command came to: exit code, standard output, and whether the run was made or the answer was there."""

    code: int
    text: str
    how: str


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with specs in it and below."""
    files = {"a.txt": "web\n", "b.txt": "nlp\n", "api/requirements.txt": "web\n"}
    for name, text in (files | {"out/requirements.env-1.txt": "# Made by conflictcheck\ncore==1.0\n"}).items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(text)
    return tmp_path / "project"


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer(PACKAGES) as server:
        yield server


@pytest.fixture
def say(project: Path, index: IndexServer, tmp_path: Path) -> Callable[..., Said]:
    """Run a command in a process of its own, as a user does."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "COV_"))}
    environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url}
    environ |= {"CONFLICTCHECK_CACHE_DIR": str(tmp_path / "cache")}

    def said(*arguments: str, program: str = PROGRAM, **variables: str) -> Said:
        time.sleep(0.03)  # what was written just now may be written again in the same tick of the clock
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, *arguments],
            cwd=project, env=environ | variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr.split("\n")[-2])

    return said


@pytest.mark.parametrize(
    "arguments",
    [("a.txt", "b.txt"), ("a.txt", "b.txt", "--format", "json"), (), ("a.txt", "--only-binary", "web", "--offline")],
)
def test_the_same_command_is_answered_at_once(say: Callable[..., Said], arguments: tuple[str, ...]) -> None:
    say("check", "a.txt", "b.txt")
    first = say("check", *arguments)
    asked = [say("check", *arguments) for _ in range(2)]
    assert [each.how for each in asked] == ["at once"] * 2
    assert {(each.code, each.text) for each in (first, *asked)} == {(first.code, first.text)}


def test_the_version_is_told_at_once(say: Callable[..., Said]) -> None:
    assert say("--version").how == "at once"
    assert say("--version").text == say("--version", "cache").text
    assert say("--version", "cache").how == "made"


def _edit(project: Path) -> None:
    file = project / "api" / "requirements.txt"
    old = file.stat()
    file.write_text("nlp\n")
    os.utime(file, ns=(old.st_atime_ns, old.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        _edit,
        lambda project: (project / "a.txt").unlink(),
        lambda project: (project / "out" / "requirements.env-1.txt").write_text("core==1.0\n"),
        lambda project: (project / "requirements-dev.txt").write_text("core\n"),
        lambda project: (project / "api" / "more-requirements.txt").write_text("core\n"),
        lambda project: (project / "conflictcheck.toml").write_text("max-environments = 2\n"),
        lambda project: (project / "pyproject.toml").write_text("[tool.conflictcheck]\nmax-environments = 2\n"),
        lambda project: (project.parent / "conflictcheck.toml").write_text("max-environments = 2\n"),
        lambda project: (project / ".gitignore").write_text("a.txt\n"),
        lambda project: (project / ".git").mkdir(),
        lambda project: (project / "api" / "pyvenv.cfg").write_text(""),
        lambda project: (project / "api" / "requirements.in").write_text("web\n"),
    ],
)
def test_whatever_a_run_looks_at_makes_a_new_one(
    say: Callable[..., Said], project: Path, change: Callable[[Path], None]
) -> None:
    say("check", ".")
    assert say("check", ".", program=LOOKING).how == "at once"
    change(project)
    assert say("check", ".", program=LOOKING).how == "made"


@pytest.mark.parametrize(("option", "place"), [("--find-links", ""), ("--extra-index-url", "core/")])
def test_a_file_that_comes_to_a_folder_of_packages_makes_a_new_run(
    say: Callable[..., Said], tmp_path: Path, option: str, place: str
) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "other-1.0-py3-none-any.whl").write_bytes(wheel("other", "1.0"))
    asked = ("check", "a.txt", option, (tmp_path / "packages").as_uri())
    say(*asked)
    assert say(*asked).how == "at once"
    (tmp_path / "packages" / place).mkdir(exist_ok=True)
    (tmp_path / "packages" / place / "core-1.5-py3-none-any.whl").write_bytes(wheel("core", "1.5"))
    assert say(*asked, program=LOOKING).how == "made"
    assert "1.5" in say(*asked, "--format", "json").text


def test_a_local_file_whose_hash_is_stated_is_not_read_to_see_whether_it_is_the_same(
    say: Callable[..., Said], tmp_path: Path
) -> None:
    file = tmp_path / "files" / "core-1.5-py3-none-any.whl"
    page = tmp_path / "packages" / "core" / "index.html"
    for each in (file, page):
        each.parent.mkdir(parents=True)
    file.write_bytes(wheel("core", "1.5"))
    page.write_text(f'<a href="{file.as_uri()}#sha256={sha256(file.read_bytes()).hexdigest()}">{file.name}</a>')
    asked = ("check", "a.txt", "--extra-index-url", (tmp_path / "packages").as_uri())
    first = say(*asked)
    file.unlink()
    assert say(*asked) == Said(first.code, first.text, "at once")
    page.write_text("")
    assert say(*asked, program=LOOKING).how == "made"


@pytest.mark.parametrize("name", ["setup.cfg", "setup.py", "uv.toml", "../uv.toml", "hatch.toml", ".pip-tools.toml"])
def test_a_file_that_counts_beside_a_named_pyproject_or_above_makes_a_new_run(
    say: Callable[..., Said], project: Path, name: str
) -> None:
    (project / "pyproject.toml").write_text('[dependency-groups]\ndev = ["web"]\n')
    say("check", "pyproject.toml")
    assert say("check", "pyproject.toml", program=LOOKING).how == "at once"
    (project / name).write_text("[options]\ninstall_requires = nlp\n")
    assert say("check", "pyproject.toml", program=LOOKING).how == "made"


def test_a_setup_cfg_that_becomes_a_project_makes_a_new_run(say: Callable[..., Said], project: Path) -> None:
    (project / "pyproject.toml").write_text('[dependency-groups]\ndev = ["web"]\n')
    (project / "setup.cfg").write_text("[flake8]\n")
    say("check", "pyproject.toml")
    assert say("check", "pyproject.toml").how == "at once"
    (project / "setup.cfg").write_text("[metadata]\nname = x\n[options]\ninstall_requires = core>1.5\n")
    changed = say("check", "pyproject.toml")
    assert (changed.code, changed.how) == (1, "made")


def test_named_files_do_not_depend_on_what_lies_beside_them(say: Callable[..., Said], project: Path) -> None:
    say("check", "a.txt", "b.txt")
    (project / "report.json").write_text("{}\n")
    assert say("check", "a.txt", "b.txt").how == "at once"


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("a.txt", "b.txt", "-v"), {}),
        (("b.txt", "a.txt"), {}),
        (("a.txt", "b.txt"), {"COLUMNS": "60"}),
        (("a.txt", "b.txt"), {"UV_EXCLUDE_NEWER": "2030-01-01"}),
        (("a.txt", "b.txt", "-o", "report.txt"), {}),
        (("a.txt", "b.txt", "--refresh"), {}),
        (("a.txt", "b.txt", "--no-cache"), {}),
    ],
)
def test_another_command_is_another_question(
    say: Callable[..., Said], arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    say("check", "a.txt", "b.txt")
    assert say("check", "a.txt", "b.txt", program=LOOKING).how == "at once"
    assert say("check", *arguments, program=LOOKING, **variables).how == "made"


def test_a_report_that_goes_to_a_file_is_written_each_time(say: Callable[..., Said], project: Path) -> None:
    for _ in range(2):
        assert say("check", "a.txt", "b.txt", "-o", "report.txt").how == "made"
        assert (project / "report.txt").read_text()
        (project / "report.txt").unlink()


def test_page_that_another_run_found_changed_counts(say: Callable[..., Said], index: IndexServer) -> None:
    first = say("check", "a.txt", "b.txt")
    assert say("check", "a.txt", "b.txt") == Said(first.code, first.text, "at once")
    index.add("web", "2.0", Rel(requires=["core>=2"]))
    say("check", "--with", "web", "--refresh", "a.txt")
    assert say("check", "a.txt", "b.txt").how == "made"


def test_what_may_have_changed_during_the_run_is_not_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    lookout = instant.Lookout(["check"])
    (project / "a.txt").read_text()
    os.utime(project / "a.txt")  # as if it were written while it was read
    assert lookout.keep("said\n", 0, Basis(), offline=True) is None


def test_what_another_program_looks_at_is_not_known(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    time.sleep(0.03)
    lookout = instant.Lookout(["check"])
    assert lookout.keep("said\n", 0, Basis(), offline=True) is not None
    subprocess.run([sys.executable, "-c", ""], check=True)
    assert lookout.keep("said\n", 0, Basis(), offline=True) is None


def test_a_damaged_answer_is_none(say: Callable[..., Said], tmp_path: Path) -> None:
    first = say("check", "a.txt", "b.txt")
    assert say("check", "a.txt", "b.txt").how == "at once"
    with closing(Cache.open(tmp_path / "cache")) as cache:
        connection = cache._database._connection  # noqa: SLF001 - as a fault of the disk would
        assert connection is not None
        connection.execute("UPDATE answers SET data = substr(data, 2)")
    assert say("check", "a.txt", "b.txt") == Said(first.code, first.text, "made")


def test_everything_that_is_looked_at_is_watched(
    project: Path, index: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python tells of what is opened and listed, but not of what is only looked at: that is known by rules."""
    monkeypatch.chdir(project)
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    monkeypatch.setenv("CONFLICTCHECK_CACHE_DIR", str(tmp_path / "cache"))
    (project / ".git").mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["web"]\n')
    time.sleep(0.03)
    run(["check"])
    looked: set[str] = set()
    with monkeypatch.context() as patch:
        for name in ("stat", "lstat"):
            real = getattr(os, name)

            def noted(
                path: object, *rest: object, _real: Callable[..., os.stat_result] = real, **more: object
            ) -> object:
                if isinstance(path, str | Path):
                    looked.add(os.path.abspath(path))  # noqa: PTH100 - as it was named
                return _real(path, *rest, **more)

            patch.setattr(os, name, noted)
        lookout = instant.Lookout(["check"])
        assert run(["check"], None) is ExitCode.PASSED
    whole, marks = lookout._watched(())  # noqa: SLF001 - the rules themselves
    known = {*whole, *marks, *(str(above) for place in (*whole, *marks) for above in Path(place).parents)}
    own = (str(Path(instant.__file__).parent), sys.prefix, sys.base_prefix, str(tmp_path / "cache"))
    listed = {str(child) for place in whole if Path(place).is_dir() for child in Path(place).iterdir()}
    listed |= {str(Path(place) / name) for place in listed for name in ("pyvenv.cfg", "conda-meta")}
    listed.add(os.environ.get("SSL_CERT_FILE", ""))  # it changes no answer, only whether there is one
    left = {place for place in looked - known - listed if not place.startswith(own)}
    assert (project / "pyproject.toml").as_posix() in looked
    assert left == set()
