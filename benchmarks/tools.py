"""conflictcheck and what would be used instead of it: how each is asked, and how its answer is read."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Done, Server, Usage, run

if TYPE_CHECKING:
    from questions import Question

HERE = Path(__file__).parent
_PIN = re.compile(r"^[A-Za-z0-9._-]+==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool said, and what it took.

    Attributes:
        verdict: in a few words; empty where its time was up.
        usage: of all its processes.
    """

    verdict: str
    usage: Usage


@dataclass(frozen=True)
class Asking:
    """A question as it is put to a tool.

    Attributes:
        question: what is asked.
        folder: where its files are.
        files: their names.
        cache: the tool's own folder for what it keeps.
        offline: whether it must answer from that alone.
        server: the index.
        limit: seconds that it may take.
    """

    question: Question
    folder: Path
    files: list[str]
    cache: Path
    offline: bool
    server: Server
    limit: float

    @property
    def index(self) -> str:
        return self.server.index(self.question.index)

    def run(self, command: list[str], environ: dict[str, str] | None = None, *, left: float | None = None) -> Done:
        return run(
            command,
            folder=self.folder,
            environ=environ or {},
            limit=self.limit if left is None else left,
            server=self.server,
        )


class Tool(ABC):
    """One program, or a way of using it.

    Attributes:
        name: in tables.
        distribution: whose version is told.
    """

    name: str
    distribution: str

    @abstractmethod
    def ask(self, asking: Asking) -> Answer:
        """Put the question to it."""

    def version(self) -> list[str] | None:
        """The command that prints its version, if that is measured."""
        return None


class Conflictcheck(Tool):
    """All clashes, fixes, the smallest split with its proof, and pins."""

    name = "conflictcheck"
    distribution = "conflictcheck"
    command = "check"

    def ask(self, asking: Asking) -> Answer:
        command = [sys.executable, "-m", "conflictcheck", self.command, *asking.files, *_target(asking.question)]
        command += ["--index-url", asking.index, "--cache-dir", str(asking.cache), "--no-progress", "--format", "json"]
        done = asking.run([*command, *(["--offline"] if asking.offline else [])])
        if done.code not in {0, 1, 3}:
            return Answer(_failed(done), done.usage)
        report = json.loads(done.output)
        pins = sum(len(environment["packages"]) for environment in report["environments"])
        proof = "proven" if report["minimum"]["proven"] else "not proven"
        found = [_count(len(report["environments"]), "environment"), f"{pins} pins"]
        if len(report["specs"]) > 1:
            found.insert(0, _count(len(report["clashes"]), "clash", "clashes"))
            found.append(proof)
        return Answer(f"{report['verdict']}: {', '.join(found)}", done.usage)

    def version(self) -> list[str]:
        return [sys.executable, "-m", "conflictcheck", "--version"]


class Explain(Conflictcheck):
    """The same by another command, which prints a report that is kept."""

    name = "conflictcheck explain"
    command = "explain"


class Uv(Tool):
    """`uv pip compile` on all files at once."""

    name = "uv"
    distribution = "uv"

    def ask(self, asking: Asking) -> Answer:
        done = compile_with_uv(asking, asking.files, asking.limit)
        if done.code == 0:
            return Answer(f"compatible: {len(_PIN.findall(done.output))} pins", done.usage)
        return Answer("no solution" if is_no(done) else _failed(done), done.usage)

    def version(self) -> list[str]:
        return [uv_path(), "--version"]


class UvFirstFit(Tool):
    """A split by uv: each spec goes to the first environment that still compiles with it, else to a new one.

    This is what one does with uv today; it finds no clashes, and does not show that fewer environments will not do.
    """

    name = "uv, first fit"
    distribution = "uv"

    def ask(self, asking: Asking) -> Answer:
        environments: list[list[str]] = []
        alone: list[str] = []
        pins: dict[int, int] = {}
        usage = Usage()
        calls = 0
        for file in asking.files:
            for place, members in enumerate([*environments, []]):
                started = time.perf_counter()
                left = asking.limit - usage.wall
                if left <= 0:
                    return Answer("", usage)
                done = compile_with_uv(asking, [*members, file], left)
                calls += 1
                usage += done.usage
                if done.code is None or time.perf_counter() - started > left:
                    return Answer("", usage)
                if done.code == 0:
                    pins[place] = len(_PIN.findall(done.output))
                    environments[place:] = [[*members, file], *environments[place + 1 :]]
                    break
            else:
                alone.append(file)
        said = f"{_count(len(environments), 'environment')}, {sum(pins.values())} pins, {calls} calls"
        return Answer(said + (f"; no answer for {', '.join(alone)}" if alone else ""), usage)


class Pip(Tool):
    """`pip install --dry-run`, for the running Python and platform; it has no mode without network."""

    name = "pip"
    distribution = "pip"

    def ask(self, asking: Asking) -> Answer:
        question = asking.question
        if question.python != "{}.{}".format(*sys.version_info) or not sys.platform.startswith("linux"):
            return Answer(f"not asked: needs Python {question.python} on Linux", Usage())
        until = datetime.fromisoformat(question.exclude_newer) + timedelta(seconds=1)
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--quiet",
            "--report",
            "-",
        ]
        command += ["--no-color", "--progress-bar", "off", "--disable-pip-version-check", "--no-input"]
        command += ["--index-url", asking.index, "--cache-dir", str(asking.cache)]
        command += ["--uploaded-prior-to", until.isoformat().replace("+00:00", "Z")]
        done = asking.run([*command, *(part for file in asking.files for part in ("-r", file))])
        if done.code == 0:
            return Answer(f"compatible: {len(json.loads(done.output)['install'])} pins", done.usage)
        no = "ResolutionImpossible" in done.errors or "No matching distribution" in done.errors
        return Answer("no solution" if no else _failed(done), done.usage)

    def version(self) -> list[str]:
        return [sys.executable, "-m", "pip", "--version"]


class Resolvelib(Tool):
    """resolvelib by itself, on conflictcheck's index layer, until it gives up."""

    name = "resolvelib"
    distribution = "resolvelib"

    def ask(self, asking: Asking) -> Answer:
        command = [sys.executable, str(HERE / "resolvelib_alone.py"), *asking.files, *_target(asking.question)]
        command += ["--index-url", asking.index, "--cache-dir", str(asking.cache)]
        done = asking.run([*command, *(["--offline"] if asking.offline else [])])
        return Answer(done.output.strip() if done.code == 0 else _failed(done), done.usage)


class CanTheyMerge(Tool):
    """`ctm partition --exact`, which asks uv; for Python 3.11, as it has no option, and for the running platform."""

    name = "can-they-merge"
    distribution = "can-they-merge"

    def ask(self, asking: Asking) -> Answer:
        command = [
            sys.executable,
            "-c",
            "import sys; from can_they_merge.cli import main; sys.exit(main())",
            "partition",
        ]
        command += ["--exact", "--exact-max", str(len(asking.files)), "--json", *asking.files]
        environ = {
            "CTM_NO_FETCH": "1",
            "CTM_BIN_DIR": str(Path(uv_path()).parent),
            "UV_DEFAULT_INDEX": asking.index,
            "UV_CACHE_DIR": str(asking.cache),
            "UV_EXCLUDE_NEWER": asking.question.exclude_newer,
            "UV_PYTHON": sys.executable,
            **({"UV_OFFLINE": "1"} if asking.offline else {}),
        }
        done = asking.run(command, environ)
        if done.code != 0:
            return Answer(_failed(done), done.usage)
        found = json.loads(done.output)
        proof = "proven" if found["proven_minimal"] else "not proven"
        return Answer(f"{_count(found['num_envs'], 'environment')}, {proof}", done.usage)


TOOLS: list[Tool] = [Conflictcheck(), Explain(), Uv(), UvFirstFit(), Pip(), Resolvelib(), CanTheyMerge()]


def compile_with_uv(asking: Asking, files: list[str], left: float) -> Done:
    """One question to uv."""
    command = [uv_path(), "pip", "compile", *files, *_target(asking.question)]
    command += ["--default-index", asking.index, "--cache-dir", str(asking.cache), "--python", sys.executable]
    command += ["--quiet", "--no-header", "--no-annotate", *(["--offline"] if asking.offline else [])]
    return asking.run(command, left=left)


def uv_path() -> str:
    """The uv of the running environment, else any."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv") or "uv"


def is_no(done: Done) -> bool:
    """Whether uv said that there is no solution, rather than that something went wrong."""
    return done.code == 1 and "No solution found" in done.errors


def _target(question: Question) -> list[str]:
    return [
        "--python-version", question.python, "--python-platform", question.platform,
        "--exclude-newer", question.exclude_newer,
    ]  # fmt: skip


def _failed(done: Done) -> str:
    """The last thing it said; empty where its time was up."""
    if done.code is None:
        return ""
    last = next((line.strip() for line in reversed(done.errors.splitlines()) if line.strip()), "no message")
    return f"failed: {last[:100]}"


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
