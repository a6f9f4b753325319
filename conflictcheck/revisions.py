"""The files of a git revision, in a folder for as long as they are looked at.

git is asked for objects alone (``rev-parse``, ``ls-tree``, ``cat-file``): nothing is checked out, so that no hook,
filter, text conversion or file system monitor that the repository configures is run, and nothing is fetched. What a
tree names is hostile: no path leads out of the folder, and links are made after all files are written.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from conflictcheck.errors import RevisionError
from conflictcheck.readers import names_standard_input

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conflictcheck.model import Spec
    from conflictcheck.settings import ProjectSettings, Settings

LARGEST = 64 << 20
"""Bytes of one file; larger ones are left out, as no reader takes them."""

_NEVER_READ = frozenset({
    ".c", ".cc", ".cpp", ".css", ".csv", ".gif", ".go", ".h", ".hpp", ".html", ".java", ".jpeg", ".jpg", ".js", ".jsx",
    ".map", ".md", ".mp4", ".parquet", ".pdf", ".png", ".rs", ".rst", ".scss", ".sql", ".svg", ".ts", ".tsx", ".woff2",
})  # fmt: skip
"""Endings of files that nobody includes in a requirements file, and that a repository may have thousands of."""

_FIXED = ("--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_ANOTHER_REPOSITORY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Variables that a hook runs with, and that hold for its repository."""
_FILES = (b"100644", b"100755", b"100664")
_LINK = b"120000"


class Tree(Struct, frozen=True):
    """A copy of what was committed.

    Attributes:
        root: the top folder of the working tree, absolute.
        copy: the folder that stands for it, absolute and real.
        cwd: the folder in the copy that stands for the working directory.
        nothing: an empty folder, for what was not there.
    """

    root: Path
    copy: Path
    cwd: Path
    nothing: Path

    def find(self, name: str, cwd: Path) -> Path | None:
        """What a name, relative to the working directory `cwd`, stands for in the copy; None where it is not there.

        Raises:
            RevisionError: it is outside of the repository.
        """
        place = os.path.normpath(cwd / name)
        for path, start in ((place, str(cwd)), (os.path.realpath(place), os.path.realpath(cwd))):
            found = Path(os.path.normpath(self.cwd / os.path.relpath(path, start)))
            if found.is_relative_to(self.copy):
                return found if os.path.lexists(found) else None
        raise RevisionError("outside of the git repository", file=name, hint="--since compares what is committed")

    def unnamed(self, text: str) -> str:
        """A text in which the copy has the name of what it is a copy of."""
        return text.replace(str(self.copy), str(self.root))


@contextmanager
def tree_at(revision: str, cwd: Path) -> Iterator[Tree]:
    """Lay out the files of a revision in a folder for temporary files.

    Args:
        revision: as git names it.
        cwd: the working directory, absolute.

    Raises:
        RevisionError: git or a repository is not there, or has no such revision.
    """
    git = _Git(cwd)
    root, prefix = (
        os.fsdecode(git.ask("rev-parse", f"--show-{what}")).removesuffix("\n") for what in ("toplevel", "prefix")
    )
    commit = _commit(git, revision)
    with tempfile.TemporaryDirectory(prefix="conflictcheck-") as folder:
        place = Path(folder).resolve()
        copy, nothing = place / "tree", place / "nothing"
        try:
            # Where the search for ignore files ends, and the working tree that files may be included from.
            (copy / ".git").mkdir(parents=True)
            nothing.mkdir()
            _lay_out(git, commit, copy)
            here = copy / prefix
            here.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RevisionError(f"--since: the files of {revision} cannot be laid out: {error.strerror}") from None
        yield Tree(Path(root), copy, here, nothing)


def older_settings(settings: Settings, tree: Tree) -> Settings:
    """The settings of a run on what was committed then; what was not there stands for nothing.

    A section is read with its whole file: it may not have been there. `same_sections` takes the others out.

    Raises:
        RevisionError: something that is named is outside of the repository.
    """
    paths = [name if names_standard_input((name,)) else str(_older(name, settings, tree)) for name in settings.paths]
    restricting = [
        tuple(str(found) for name in names if (found := _restriction(name, settings, tree)))
        for names in (settings.constraints, settings.overrides)
    ]
    return replace(
        settings,
        cwd=tree.cwd,
        paths=tuple(paths),
        constraints=restricting[0],
        overrides=restricting[1],
        project=_older_project(settings, tree),
        baseline=None,
        since=None,
    )


def _restriction(name: str, settings: Settings, tree: Tree) -> Path | None:
    """A file of constraints or overrides; one outside of the repository, as pip's configuration may name, is as now."""
    try:
        return tree.find(name, settings.cwd)
    except RevisionError:
        return settings.cwd / name


def _older_project(settings: Settings, tree: Tree) -> ProjectSettings | None:
    """What the settings file says, about the older tree."""
    project = settings.project
    if project is None or not (project.include or project.exclude):
        return None
    return replace(project, folder=tree.find(str(project.folder), settings.cwd) or tree.nothing, environments=())


def _older(name: str, settings: Settings, tree: Tree) -> Path:
    return tree.find(_file(name, settings.cwd), settings.cwd) or tree.nothing


def _file(name: str, cwd: Path) -> str:
    """The file of a SPEC, without its section."""
    return name if os.path.lexists(cwd / name) else name.rpartition("#")[0] or name


def same_sections(older: Sequence[Spec], newer: Sequence[Spec], settings: Settings) -> tuple[Spec, ...]:
    """The older specs, but for sections that nobody asked about."""
    asked = {
        os.path.normpath(_file(name, settings.cwd)) for name in settings.paths if _file(name, settings.cwd) != name
    }
    ids = {spec.id for spec in newer}
    return tuple(spec for spec in older if spec.path not in asked or spec.id in ids)


def _commit(git: _Git, revision: str) -> str:
    # A name that begins with a dash would be an option; git allows no branch or tag to begin so.
    if revision.startswith("-") or not revision.isprintable():
        raise RevisionError(f"--since: {revision!r} is not the name of a revision")
    done = git.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if done.returncode == 0:
        return done.stdout.decode("ascii").strip()
    if git.ask("rev-parse", "--is-shallow-repository").strip() == b"true":
        raise RevisionError(
            f"--since: there is no revision {revision!r} in this shallow clone",
            hint="fetch more of its history: git fetch --unshallow, or fetch-depth: 0 where actions/checkout makes it",
        )
    raise RevisionError(
        f"--since: there is no revision {revision!r} in this repository",
        hint="git fetch brings what others have; origin/NAME is a branch as it was fetched",
    )


class _Git(Struct, frozen=True):
    """The program, and where it is run."""

    cwd: Path

    def run(
        self, *arguments: str, given: bytes = b"", output: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command, whatever comes of it."""
        program = shutil.which("git")
        if program is None:
            raise RevisionError("--since needs the program git, which is not there", hint="install it")
        environ = {name: value for name, value in os.environ.items() if name not in _ANOTHER_REPOSITORY}
        # Objects that a partial clone lacks would be fetched by programs that the repository may name.
        environ |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            return subprocess.run(  # noqa: S603 - a list, and no argument that could be an option
                [program, *_FIXED, *arguments],
                cwd=self.cwd,
                env=environ,
                input=given,
                stdout=output,
                stderr=subprocess.PIPE,
                check=False,
            )
        except OSError as error:
            raise RevisionError(f"--since: git cannot be run: {error.strerror}") from None

    def ask(self, *arguments: str) -> bytes:
        """What git says.

        Raises:
            RevisionError: it refuses; with its reason.
        """
        done = self.run(*arguments)
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        if said.startswith("not a git repository"):
            raise RevisionError("--since: the working directory is in no git repository", hint="run it inside of one")
        if said.startswith("detected dubious ownership"):
            hint = "if you trust what it configures: git config --global --add safe.directory FOLDER"
            raise RevisionError("--since: the repository belongs to another user, so git refuses it", hint=hint)
        raise RevisionError(f"--since: git refuses: {said or f'exit code {done.returncode}'}")


def _lay_out(git: _Git, commit: str, copy: Path) -> None:
    """Write what a commit has: files, then links, so that nothing is written through a link."""
    listed = git.ask("ls-tree", "-r", "-z", "-l", "--full-tree", commit)
    files: list[tuple[bytes, Path]] = []
    links: list[tuple[bytes, Path]] = []
    for entry in listed.split(b"\0")[:-1]:
        about, _, name = entry.partition(b"\t")
        mode, _, oid, size = about.split()
        path = _inside(copy, os.fsdecode(name))
        if size == b"BAD":
            raise _lacking(oid)
        if path is None or path.suffix.lower() in _NEVER_READ:
            continue
        if size.isdigit() and int(size) <= LARGEST:  # a submodule has no size
            (links if mode == _LINK else files).append((oid, path))
    for path, content in _contents(git, files):
        # Of code, a reader looks at scripts that state what they need, and at what setuptools is told.
        if path.suffix != ".py" or path.name == "setup.py" or b"# ///" in content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path, content in _contents(git, links):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.fsdecode(content))


def _inside(folder: Path, name: str) -> Path | None:
    """Where a name in a tree belongs; None for one that git itself would not check out."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        return None
    if os.name == "nt" and any(letter in name for letter in "\\:"):
        return None
    return folder.joinpath(*parts)


def _contents(git: _Git, wanted: Sequence[tuple[bytes, Path]]) -> Iterator[tuple[Path, bytes]]:
    """The content of each object, as it was committed: without filters and conversions of line ends."""
    if not wanted:
        return
    names = b"".join(oid + b"\n" for oid, _ in wanted)
    with tempfile.TemporaryFile() as output:
        git.run("cat-file", "--batch", "--buffer", given=names, output=output.fileno())
        output.seek(0)
        for oid, path in wanted:
            head = output.readline().split()
            if len(head) != 3:  # noqa: PLR2004 - the object, its kind and its size; or the object, and that it is missing
                raise _lacking(oid)
            yield path, output.read(int(head[2]))
            output.read(1)  # a line break


def _lacking(oid: bytes) -> RevisionError:
    return RevisionError(
        f"--since: this clone lacks the object {oid.decode('ascii')} of that revision",
        hint="it is a partial clone, or damaged: make one without --filter",
    )
