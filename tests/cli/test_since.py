"""Checks of what changed since a git revision."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from conflictcheck.cli import ExitCode, run
from conflictcheck.facts import Unknown
from conflictcheck.index.memory import MemoryIndex
from conflictcheck.revisions import tree_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKAGES = {"x": {"1.0": [], "2.0": []}, "y": {"1.0": [], "2.0": []}, "lost": Unknown("the index answered 503")}


class Repository:
    """A git repository in the working directory, and checks of it."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, given: bytes | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.path, input=given, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)

    def commit(self, files: dict[str, str]) -> None:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "next")

    def check(self, *arguments: str) -> tuple[int, str, str]:
        code = run(["check", "--python-version", "3.11", "--python-platform", "linux", *arguments])
        out, err = self._capsys.readouterr()
        return code, out, err

    def report(self, *arguments: str) -> dict[str, Any]:
        """The JSON report, with the exit code as ``code``."""
        code, out, err = self.check("--format", "json", *arguments)
        assert err == ""
        return {**json.loads(out), "code": code}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repository:
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "CONFLICTCHECK_", "GIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "dev")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "dev@team.example")
    monkeypatch.setattr("conflictcheck.pipeline.open_index", lambda *_, **__: MemoryIndex(PACKAGES))
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Repository(folder, capsys)


def known(report: dict[str, Any]) -> list[tuple[list[str], str]]:
    return [(clash["specs"], clash["known"]) for clash in report["clashes"]]


def gone(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["summary"], one["was"]) for one in report["gone"]]


SAID = (
    "a-requirements.txt and b-requirements.txt clash over x: a-requirements.txt asks for x<2 and b-requirements.txt "
    "asks for x>=2."
)
OLD = {"a-requirements.txt": "x<2\n", "b-requirements.txt": "x>=2\n"}


def test_clashes_that_were_there_before_do_not_fail_and_new_ones_do(
    repository: Repository, golden: Callable[[str, str], None]
) -> None:
    repository.commit(OLD)
    assert repository.check()[0] == ExitCode.FAILED
    assert repository.check("--since", "main")[0] == ExitCode.PASSED

    repository.write({"c-requirements.txt": "y<2\nx<2\n", "d-requirements.txt": "y>=2\n"})
    code, text, _ = repository.check("--since", "main")
    golden("since.txt", text)
    assert code == ExitCode.FAILED
    report = repository.report("--since", "main")
    assert known(report) == [
        (["a-requirements.txt", "b-requirements.txt"], "at main already"),
        (["b-requirements.txt", "c-requirements.txt"], ""),
        (["c-requirements.txt", "d-requirements.txt"], ""),
    ]
    assert repository.check("--since", "main", "--max-environments", "3")[0] == ExitCode.PASSED


def test_clashes_that_the_change_removes_are_named(repository: Repository) -> None:
    repository.commit(OLD)
    repository.commit({"b-requirements.txt": "x>=1\n"})
    report = repository.report("--since", "HEAD~1")
    assert report["code"] == ExitCode.PASSED
    assert gone(report) == [
        (
            SAID,
            "at HEAD~1",
        )
    ]


def test_a_changed_line_makes_another_clash(repository: Repository) -> None:
    repository.commit(OLD)
    repository.write({"a-requirements.txt": "x<1.5\n"})
    report = repository.report("--since", "main")
    assert (report["code"], known(report), len(gone(report))) == (
        1,
        [(["a-requirements.txt", "b-requirements.txt"], "")],
        1,
    )


def test_ids_are_the_same_from_a_folder_below_and_by_whatever_name(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.commit(
        {"one/a-requirements.txt": "x<2\n", "two/b-requirements.txt": "-r ../base.in\n", "base.in": "x>=2\n"}
    )
    monkeypatch.chdir(repository.path / "one")
    assert known(repository.report("--since", "main", "..")) == [
        (["../two/b-requirements.txt", "a-requirements.txt"], "at main already")
    ]
    absolute = str(repository.path / "two" / "b-requirements.txt")
    assert known(repository.report("--since", "main", "a-requirements.txt", absolute))[0][1] == "at main already"
    (tmp_path / "link").symlink_to(repository.path)
    monkeypatch.chdir(repository.path)
    by_link = f"{tmp_path}/link/two/b-requirements.txt"
    assert known(repository.report("--since", "main", "one", by_link)) == [
        (["one/a-requirements.txt", "two/b-requirements.txt"], "at main already")
    ]


def test_files_and_folders_that_were_not_there_are_new(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit({"README": "nothing to see\n"})
    repository.write(
        {"new/a-requirements.txt": "x<2\n", "new/b-requirements.txt": "x>=2\n", "new/c-requirements.txt": "x\n"}
    )
    for arguments in (
        (),
        ("new",),
        ("new/a-requirements.txt", "new/b-requirements.txt"),
        ("-c", "new/c-requirements.txt", "new"),
    ):
        report = repository.report("--since", "main", *arguments)
        assert known(report) == [(["new/a-requirements.txt", "new/b-requirements.txt"], "")]
    monkeypatch.chdir(repository.path / "new")
    assert known(repository.report("--since", "main")) == [(["a-requirements.txt", "b-requirements.txt"], "")]


def test_scripts_are_compared_as_well(repository: Repository) -> None:
    script = '# /// script\n# dependencies = ["x<2"]\n# ///\n'
    repository.commit({"tool.py": script, "requirements.txt": "x>=2\n"})
    assert known(repository.report("--since", "main")) == [(["requirements.txt", "tool.py"], "at main already")]


def test_what_no_reader_looks_at_is_not_laid_out(repository: Repository) -> None:
    read = {"requirements.txt", "base", "lib/setup.py", "lib/setup.cfg", "tool.py", "pkg.whl"}
    left_out = {"code.py", "page.html", "photo.JPG"}
    repository.commit({name: "# /// script\n" if name == "tool.py" else f"{name}\n" for name in read | left_out})
    with tree_at("main", repository.path) as tree:
        found = {path.relative_to(tree.copy).as_posix() for path in tree.copy.rglob("*") if path.is_file()}
        folder = tree.copy
    assert found == read
    assert not folder.exists()


def test_only_the_sections_that_are_named_are_compared(repository: Repository) -> None:
    head = '[project]\nname = "p"\nversion = "1"\n[project.optional-dependencies]\ncpu = ["x<2"]\n'
    repository.commit({"pyproject.toml": head + 'old = ["y<2"]\n', "b-requirements.txt": "x>=2\ny>=2\n"})
    repository.write({"pyproject.toml": head + 'gpu = ["x<1.5"]\n'})
    report = repository.report(
        "--since", "main", "b-requirements.txt", "pyproject.toml#extra:cpu", "pyproject.toml#extra:gpu"
    )
    assert known(report) == [
        (["b-requirements.txt", "pyproject.toml#extra:cpu"], "at main already"),
        (["b-requirements.txt", "pyproject.toml#extra:gpu"], ""),
    ]
    assert gone(report) == []


def test_constraints_and_what_is_given_with_the_command_are_compared_too(repository: Repository) -> None:
    repository.commit({"a-requirements.txt": "x\n", "c/constraints.txt": "x<2\n"})
    assert known(
        repository.report("--since", "main", "a-requirements.txt", "-c", "c/constraints.txt", "--with", "x>=2")
    ) == [(["--with"], "at main already")]


def test_what_was_unreadable_then_hides_nothing_now(repository: Repository) -> None:
    repository.commit({**OLD, "c-requirements.txt": "x>>1\n"})
    repository.write({"c-requirements.txt": "x>1\n"})
    report = repository.report("--since", "main")
    assert (report["code"], known(report)[0]) == (ExitCode.FAILED, (["a-requirements.txt", "b-requirements.txt"], ""))
    [warning] = [one for one in report["diagnostics"] if one["code"] == "comparison-incomplete"]
    assert "c-requirements.txt:1: " in warning["message"]
    repository.write({"b-requirements.txt": "x\n", "a-requirements.txt": "x\n"})
    assert repository.report("--since", "main")["code"] == ExitCode.PASSED


def test_what_could_not_be_decided_then_is_told_and_undecided_now_stays_3(repository: Repository) -> None:
    repository.commit({**OLD, "c-requirements.txt": "lost\n"})
    assert repository.check("--since", "main")[0] == ExitCode.UNDECIDED
    repository.write({"c-requirements.txt": "x<1.5\n"})
    report = repository.report("--since", "main")
    assert (report["code"], known(report)[1]) == (ExitCode.FAILED, (["b-requirements.txt", "c-requirements.txt"], ""))
    [warning] = [one for one in report["diagnostics"] if one["code"] == "comparison-incomplete"]
    assert "c-requirements.txt: " in warning["message"]


def test_a_report_never_names_the_folder_that_the_revision_was_laid_out_in(repository: Repository) -> None:
    project = '[project]\nname = "lib"\nversion = "1"\ndependencies = ["x<2"]\n'
    repository.commit(
        {
            "lib/pyproject.toml": project,
            "a-requirements.txt": "./lib\n",
            "b-requirements.txt": "lib @ file:///elsewhere/lib\n",
        }
    )
    first, second = (
        repository.check("--since", "main", "a-requirements.txt", "b-requirements.txt", "-v", "--with", "x")[1]
        for _ in "12"
    )
    assert first == second
    assert "conflictcheck-" not in first


# -- what is no revision -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", ["nope", "main..HEAD", "HEAD^{tree}", "HEAD~7", ":/nope", "a b"])
def test_a_revision_that_does_not_exist_is_2(repository: Repository, revision: str) -> None:
    repository.commit(OLD)
    code, out, err = repository.check("--since", revision)
    assert (code, out) == (ExitCode.USAGE, "")
    assert err == (
        f"error: --since: there is no revision {revision!r} in this repository; git fetch brings what others have; "
        "origin/NAME is a branch as it was fetched\n"
    )


@pytest.mark.parametrize("revision", ["--output=x", "-h", "--all", "a\nb", "\x1b[31m"])
def test_a_revision_is_never_an_option(repository: Repository, revision: str) -> None:
    repository.commit(OLD)
    code, out, err = repository.check(f"--since={revision}")
    assert (code, out) == (ExitCode.USAGE, "")
    assert err.endswith("is not the name of a revision\n")
    assert err.count("\n") == 1
    assert sorted(path.name for path in repository.path.iterdir()) == [
        ".git",
        "a-requirements.txt",
        "b-requirements.txt",
    ]


def test_a_shallow_clone_says_how_to_get_the_rest(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit(OLD)
    repository.commit({"a-requirements.txt": "x\n"})
    clone = repository.path.parent / "clone"
    repository.git("clone", "-q", "--depth", "1", repository.path.as_uri(), str(clone))
    monkeypatch.chdir(clone)
    code, _, err = repository.check("--since", "HEAD~1")
    assert code == ExitCode.USAGE
    assert "'HEAD~1' in this shallow clone; fetch more of its history: git fetch --unshallow, or fetch-depth: 0" in err


def test_a_folder_outside_of_a_repository_is_2(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.commit(OLD)
    monkeypatch.chdir(tmp_path)
    code, _, err = repository.check("--since", "main", "repository")
    assert (code, err) == (
        ExitCode.USAGE,
        "error: --since: the working directory is in no git repository; run it inside of one\n",
    )


def test_a_spec_outside_of_the_repository_is_2(repository: Repository, tmp_path: Path) -> None:
    repository.commit(OLD)
    (tmp_path / "z.txt").write_text("x\n")
    code, _, err = repository.check("--since", "main", "../z.txt")
    assert (code, err) == (
        ExitCode.USAGE,
        "error: ../z.txt: outside of the git repository; --since compares what is committed\n",
    )


def test_a_repository_of_another_user_is_2(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit(OLD)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    code, _, err = repository.check("--since", "main")
    assert code == ExitCode.USAGE
    assert err.startswith("error: --since: the repository belongs to another user, so git refuses it; if you trust ")


def test_a_repository_without_a_working_tree_is_2(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.git("init", "-q", "--bare", str(tmp_path / "bare"))
    monkeypatch.chdir(tmp_path / "bare")
    code, _, err = repository.check("--since", "main", "--with", "x")
    assert (code, err) == (ExitCode.USAGE, "error: --since: git refuses: this operation must be run in a work tree\n")


def test_git_that_is_not_installed_is_2(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit(OLD)
    monkeypatch.setenv("PATH", "/nowhere")
    code, _, err = repository.check("--since", "main")
    assert (code, err) == (ExitCode.USAGE, "error: --since needs the program git, which is not there; install it\n")


# -- repositories that nobody vouches for ------------------------------------------------------------------------------


def test_nothing_that_the_repository_configures_is_run(repository: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {ran}\ncat\n')
    script.chmod(0o755)
    repository.commit({**OLD, ".gitattributes": "* filter=evil diff=evil text\n"})
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "filter.evil.smudge",
        "filter.evil.clean", "filter.evil.process", "diff.evil.textconv", "diff.evil.command", "diff.external",
        "pager.ls-tree", "pager.rev-parse", "uploadpack.packObjectsHook", "credential.helper",
    ):  # fmt: skip
        repository.git("config", key, str(script))
    for command in ("rev-parse", "ls-tree", "cat-file"):
        repository.git("config", f"alias.{command}", f"!{script}")
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"):
        (repository.path / ".git" / "hooks" / hook).write_text(script.read_text())
        (repository.path / ".git" / "hooks" / hook).chmod(0o755)
    ran.unlink(missing_ok=True)
    assert repository.check("--since", "main")[0] == ExitCode.PASSED
    assert not ran.exists()


def test_objects_that_a_clone_lacks_are_not_fetched(repository: Repository, tmp_path: Path) -> None:
    repository.commit(OLD)
    lacking = repository.git("rev-parse", "main:b-requirements.txt")
    (repository.path / ".git" / "objects" / lacking[:2] / lacking[2:]).unlink()
    repository.git("config", "extensions.partialClone", "origin")
    repository.git("config", "remote.origin.promisor", "true")
    repository.git("config", "remote.origin.url", f"ext::sh -c touch% {tmp_path}/ran")
    repository.git("config", "protocol.ext.allow", "always")
    code, _, err = repository.check("--since", "main")
    assert (code, err.count("\n")) == (ExitCode.USAGE, 1)
    assert f"this clone lacks the object {lacking} of that revision" in err
    assert not (tmp_path / "ran").exists()


def test_a_hook_of_another_repository_does_not_lead_elsewhere(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.commit(OLD)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert repository.check("--since", "main")[0] == ExitCode.PASSED


def test_no_path_in_a_tree_leads_out_of_it(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    blob = repository.git("hash-object", "-w", "--stdin", given=b"x<2\n")
    target = repository.git("hash-object", "-w", "--stdin", given=str(tmp_path).encode())

    def tree(*entries: tuple[str, str, str]) -> str:
        raw = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for mode, name, oid in entries)
        return repository.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=raw)

    inner = tree(("100644", "evil.txt", blob))
    above = tree(("40000", "..", inner))
    top = tree(
        ("40000", "..", above), ("40000", ".git", inner), ("100644", "a-requirements.txt", blob),
        ("120000", "link", target), ("40000", "link", inner),
    )  # fmt: skip
    commit = repository.git("commit-tree", top, "-m", "evil")
    repository.write({"a-requirements.txt": "x\n"})
    code, _, err = repository.check("--since", commit)
    assert code in (ExitCode.PASSED, ExitCode.USAGE)
    assert err.count("error") <= 1
    assert list(tmp_path.rglob("evil.txt")) == []


def test_a_link_in_the_tree_is_followed_inside_of_it_alone(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x>=2\n")
    repository.commit({"a-requirements.txt": "x<2\n", "real.txt": "x>=2\n"})
    (repository.path / "b-requirements.txt").symlink_to("real.txt")
    (repository.path / "out-requirements.txt").symlink_to(tmp_path / "secret.txt")
    repository.commit({})
    (repository.path / "out-requirements.txt").unlink()
    (repository.path / "real.txt").write_text("# moved\n")
    report = repository.report("--since", "main", "a-requirements.txt", "b-requirements.txt")
    assert gone(report) == [
        (
            SAID,
            "at main",
        )
    ]
    [warning] = [one for one in repository.report("--since", "main", ".")["diagnostics"] if "incomplete" in one["code"]]
    assert "out-requirements.txt: outside of the working tree" in warning["message"]


@pytest.mark.parametrize("folder", ["", "below/"])
def test_what_the_settings_leave_out_is_left_out_of_the_revision_as_well(repository: Repository, folder: str) -> None:
    files = {folder + name: text for name, text in OLD.items()}
    repository.commit({**files, f"{folder}old/requirements.txt": "no requirement at all ;;\n"})
    repository.write({f"{folder}conflictcheck.toml": 'exclude = ["old"]\ninclude = ["*.txt"]\n'})
    repository.write({f"{folder}new.txt": "y\n"})
    os.chdir(repository.path / folder)

    report = repository.report("--since", "main")

    assert (report["code"], known(report)) == (
        ExitCode.PASSED, [(["a-requirements.txt", "b-requirements.txt"], "at main already")],
    )  # fmt: skip
    assert [one["message"] for one in report["diagnostics"] if "incomplete" in one["code"]] == []


def test_declared_environments_keep_clashes_apart_that_are_new(repository: Repository) -> None:
    repository.commit({"a-requirements.txt": "x<2\n"})
    repository.write({"b-requirements.txt": "x>=2\n"})
    repository.write({"conflictcheck.toml": '[environments]\na = ["a-*"]\nb = ["b-*"]\n'})

    report = repository.report("--since", "main")

    assert (report["code"], known(report)) == (
        ExitCode.PASSED, [(["a-requirements.txt", "b-requirements.txt"], "apart in the declared environments")],
    )  # fmt: skip
