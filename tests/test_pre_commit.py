"""The hooks, run by the real pre-commit in git repositories made here.

pre-commit clones the project, makes an environment with pip and installs the clone into it. Only what the project needs
is not fetched: it comes from where these tests found it, so that no index is asked for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from index_server import IndexServer

from conflictcheck.readers import READERS
from conflictcheck.readers.base import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "pre-commit.md"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
INSTALLED = ("conflictcheck", ".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE")
PACKAGES = {
    "web": {"1.0": ["core<2"], "2.0": ["core>=2"]},
    "nlp": {"3.0": ["core>=2"]},
    "core": {"1.0": [], "1.5": [], "2.0": []},
    "tool": {"1.0": ["core"]},
}
SPECS = {
    "site/requirements.txt": "# the site\nweb>=2\n",
    "texts/requirements.txt": "nlp\n",
    "README.md": "Two services.\n",
}
TARGET = ["--python-version", "3.11", "--python-platform", "linux"]

pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
    pytest.mark.skipif(sys.platform == "win32", reason="links the packages that it borrows"),
]


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository of a team.

    Attributes:
        folder: its working tree.
        environ: what programs in it see.
    """

    folder: Path
    environ: Mapping[str, str]

    def run(self, *command: str, code: int = 0) -> str:
        """What a program says, on both streams as pre-commit and git mix them."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def pre_commit(self, *arguments: str, code: int = 0) -> str:
        """What ``pre-commit`` says."""
        return self.run(sys.executable, "-m", "pre_commit", *arguments, code=code)

    def conflictcheck(self, *arguments: str, code: int = 0) -> str:
        """What ``conflictcheck`` says."""
        return self.run(sys.executable, "-m", "conflictcheck", *arguments, code=code)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files and stage them."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.run("git", "add", "--all")

    def commit(self, *, code: int = 0) -> str:
        """What ``git commit`` says of what is staged."""
        return self.run("git", "commit", "--quiet", "-m", "A change", code=code)


def environment(home: Path) -> dict[str, str]:
    """No settings of this machine but where programs are."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "dev@team.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "CONFLICTCHECK_CACHE_DIR": str(home / "cache"),
    }


def made_repository(folder: Path, environ: Mapping[str, str], files: Mapping[str, str]) -> Repository:
    """A repository with one commit."""
    folder.mkdir()
    repository = Repository(folder, environ)
    repository.run("git", "init", "--quiet", "--initial-branch=main")
    repository.write(files)
    repository.commit()
    return repository


def made_tool(folder: Path, environ: Mapping[str, str]) -> Repository:
    """A repository of this project as it is now, whose first release is tagged."""
    folder.mkdir()
    for name in INSTALLED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    repository = Repository(folder, environ)
    repository.run("git", "init", "--quiet", "--initial-branch=main")
    repository.run("git", "add", "--all")
    repository.commit()
    repository.run("git", "tag", "v0.1.0")
    return repository


def borrowed_packages(folder: Path) -> Path:
    """A folder with all that is installed beside these tests, but for pip and the project itself."""
    folder.mkdir()
    for key in ("purelib", "platlib"):
        for path in Path(sysconfig.get_path(key)).iterdir():
            if not path.name.startswith(("conflictcheck", "_editable_impl", "pip")) and path.suffix != ".pth":
                (folder / path.name).unlink(missing_ok=True)
                (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    with IndexServer(PACKAGES) as server:
        yield server


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory, index: IndexServer) -> dict[str, str]:
    """pip installs the clone alone, and builds it with what is there; the index has nothing that it could use."""
    home = tmp_path_factory.mktemp("home")
    return environment(home) | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index.url,
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # to pip this is "isolation: no"
        "VIRTUALENV_SYMLINK_APP_DATA": "1",  # instead of a copy of pip for each environment
        "PYTHONPATH": str(borrowed_packages(home / "borrowed")),
    }


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]) -> Repository:
    return made_tool(tmp_path_factory.mktemp("tool") / "conflictcheck", environ)


@pytest.fixture
def team(tmp_path: Path, environ: dict[str, str]) -> Repository:
    """Two services that fit together, in one commit."""
    return made_repository(tmp_path / "team", environ, SPECS)


def use_hook(team: Repository, tool: Repository, hook: str, args: list[str]) -> None:
    """Switch a hook on in a repository, as its developers do."""
    shown = ", ".join(f'"{arg}"' for arg in args)
    hooks = f"  hooks:\n  - id: {hook}\n    args: [{shown}]\n"
    config = f"repos:\n- repo: {tool.folder.as_uri()}\n  rev: v0.1.0\n{hooks}"
    team.write({".pre-commit-config.yaml": config})
    team.pre_commit("install", "--install-hooks")
    team.commit()


def screens() -> dict[str, str]:
    """The screens that the document shows, by their marks."""
    text = DOCUMENT.read_text()
    return dict(re.findall(r"<!-- screen: ([\w-]+) -->\n```console\n(.*?)```\n<!-- end -->", text, re.DOTALL))


@pytest.fixture
def screen(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare what was said with a screen in docs/pre-commit.md; ``--update-golden`` writes it anew."""

    def compare(name: str, said: str) -> None:
        shown = screens()[name]
        command = shown.partition("\n")[0] + "\n"
        if request.config.getoption("--update-golden"):
            mark = f"<!-- screen: {name} -->\n```console\n"
            DOCUMENT.write_text(DOCUMENT.read_text().replace(mark + shown, f"{mark}{command}{said.rstrip()}\n"))
        assert screens()[name] == f"{command}{said.rstrip()}\n"

    return compare


def test_hooks_run_for_every_file_that_a_spec_may_be_read_from() -> None:
    patterns = re.findall(r"^  files: (.*)$", HOOKS.read_text(), re.MULTILINE)
    assert len(patterns) == 2
    workspace = Workspace(Path(), {})
    names = ["a/base.TXT", "dev.in", "x.pip", "requirements", "requirements-dev", "pyproject.toml", "job.py", "job.pyw"]
    beside = ["setup.cfg", "lib/setup.py", "conflictcheck.toml", "constraints.txt"]
    others = ["README.md", "poetry.lock", "requirements/README.md", "a.pyc", "setup.cfg.bak", "in"]
    for pattern in patterns:
        for name in names:
            assert any(reader.accepts(Path(name), workspace) for reader in READERS), name
            assert re.search(pattern, name), name
        for name in beside:
            assert re.search(pattern, name), name
        for name in others:
            assert not any(reader.accepts(Path(name), workspace) for reader in READERS), name
            assert not re.search(pattern, name), name
    assert [bool(re.search(pattern, "conflictcheck.snapshot")) for pattern in patterns] == [False, True]


def test_both_hooks_can_be_tried_without_any_configuration(tool: Repository, team: Repository) -> None:
    team.conflictcheck("snapshot", "-o", "conflictcheck.snapshot")
    team.run("git", "add", "--all")

    out = team.pre_commit("try-repo", str(tool.folder), "--all-files")

    assert re.findall(r"^(\S.*?)\.{5,}(\w+)$", out, re.MULTILINE) == [
        ("conflictcheck", "Passed"),
        ("conflictcheck (from the snapshot)", "Passed"),
    ]


def test_a_commit_is_let_through_unseen_without_a_spec_and_refused_with_a_new_clash_until_that_is_fixed(
    tool: Repository, team: Repository, screen: Callable[[str, str], None], index: IndexServer
) -> None:
    use_hook(team, tool, "conflictcheck", TARGET)
    asked = index.requests.total()

    team.write({"README.md": "Two services, and their documents.\n"})
    skipped = team.commit()
    screen("skipped", skipped)
    assert skipped.endswith("(no files to check)Skipped\n")
    assert index.requests.total() == asked

    team.write({"site/requirements.txt": "# the site\nweb<2\n"})
    refused = team.commit(code=1)
    screen("refused", refused)
    assert "- exit code: 1\n" in refused
    assert "  site/requirements.txt:2   web<2\n" in refused
    assert team.run("git", "log", "--oneline").count("\n") == 3

    screen("fix", team.conflictcheck("fix", "--write", *TARGET))
    team.run("git", "add", "--all")
    passed = team.commit()
    screen("passed", passed)
    assert passed.startswith("conflictcheck....")
    assert passed.endswith("Passed\n")
    assert team.run("git", "show", "--format=", "--unified=0").endswith("-web>=2\n+web<3\n")


def test_the_offline_hook_asks_no_index_and_says_which_specs_its_snapshot_lacks(
    tool: Repository, team: Repository, screen: Callable[[str, str], None], index: IndexServer
) -> None:
    team.conflictcheck("snapshot", "-o", "conflictcheck.snapshot", *TARGET)
    use_hook(team, tool, "conflictcheck-offline", ["--index-snapshot", "conflictcheck.snapshot", *TARGET])
    asked = index.requests.total()

    team.write({"site/requirements.txt": "web>=2  # the site\n"})
    assert team.commit().endswith("Passed\n")
    team.write({"jobs/requirements.txt": "tool\n"})
    outdated = team.commit(code=1)
    assert index.requests.total() == asked

    screen("outdated", outdated)
    assert "- exit code: 3\n" in outdated
    team.conflictcheck("snapshot", "-o", "conflictcheck.snapshot", *TARGET)
    team.run("git", "add", "--all")
    assert team.commit().endswith("Passed\n")


@pytest.mark.network
def test_the_hook_is_installed_with_all_that_it_needs_and_asks_the_package_index(tmp_path: Path) -> None:
    # What pip is told here of the package index counts for both.
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environ = environment(tmp_path) | pip | {"HOME": os.environ["HOME"]}
    tool = made_tool(tmp_path / "conflictcheck", environ)
    team = made_repository(tmp_path / "team", environ, {"a/requirements.txt": "six\n", "b/requirements.txt": "six<2\n"})

    out = team.pre_commit("try-repo", str(tool.folder), "conflictcheck", "--files", "a/requirements.txt")

    assert out.endswith("Passed\n")
