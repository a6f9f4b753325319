"""Do uv and pip say the same as conflictcheck about made-up indexes? Needs uv; everything stays on this machine.

    python benchmarks/compare_resolvers.py [--pip] [--count N] [--first SEED] [--log FILE] [--known FILE] [--uv UV]

Each seed gives an index with real wheels and source distributions, and up to four specs. Each spec alone, each pair
and all together are put to conflictcheck and to uv, for several Pythons and platforms; or with --pip to pip, for the
running Python, the only one that it builds for. Verdicts and chosen versions are compared. What differs is counted by
the rules of docs/differences.md that explain it; what none explains is printed with its seed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from made_up_indexes import Universe, make_universe
from msgspec.structs import replace
from packaging.utils import canonicalize_name
from resolver_differences import UNEXPLAINED, Question, Reply, judge
from resolver_rules import HERE

import conflictcheck
from conflictcheck import pipeline
from conflictcheck.model import Verdict

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import artifacts
from index_server import Fault, IndexServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from resolver_rules import Pins

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
_UV_SAYS_NO = ("No solution found", "was not found in the package registry")
Answers = dict[str, Any]
"""The specs of a question, and by resolver the reply to it."""
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))} | {
    "PIP_CONFIG_FILE": os.devnull,
    "UV_NO_CONFIG": "1",
    "UV_PYTHON_DOWNLOADS": "never",
}


class Resolvers:
    """The three resolvers, each with its cache in one folder.

    Args:
        folder: to write in.
        index: the index they are to ask.
        uv: how uv is called.
    """

    def __init__(self, folder: Path, index: IndexServer, uv: str) -> None:
        self.folder = folder
        self.index = index
        self.uv_command = uv
        self._pythons: dict[str, str] = {}
        # uv need not ask again for what does not change.
        index.faults["/files/*"] = Fault(headers={"Cache-Control": "max-age=600"})
        self._pip = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "pip_worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=folder,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End pip."""
        self._pip.communicate()

    def serve(self, universe: Universe) -> None:
        """Put the universe on the index and its specs into the folder."""
        self.index.files.clear()
        self.index.names = set()
        self.index.form = ("json", "html")[universe.seed // 10 % 2]
        for name, releases in universe.packages.items():
            for version, rel in releases.items():
                self.index.add(name, version, replace(rel, sdist=False))
                if rel.sdist:
                    # With a metadata file beside it, which pip takes, nothing has to be built.
                    said = {"requires": rel.requires, "requires_python": rel.requires_python, "extras": rel.extras}
                    self.index.store(
                        artifacts.sdist_filename(name, version), artifacts.sdist(name, version, **said), name=name,
                        rel=rel, metadata=artifacts.core_metadata(name, version, **said, metadata_version="2.2"),
                    )  # fmt: skip
        given = {**universe.specs, "constraints": universe.constraints, "overrides": universe.overrides}
        for file, lines in given.items():
            (self.folder / file).write_text("".join(f"{line}\n" for line in lines))

    def conflictcheck(self, universe: Universe, files: Sequence[str]) -> Reply:
        try:
            return self._check(universe, files)
        except Exception as error:  # noqa: BLE001 - a mistake of ours is an answer that is counted
            return Reply(trouble=repr(error))

    def _check(self, universe: Universe, files: Sequence[str]) -> Reply:
        here = universe.pythons == (HERE,)
        report = conflictcheck.check(
            files,
            cwd=self.folder,
            index_url=self.index.url,
            cache_dir=self.folder / "conflictcheck",
            constraints=["constraints"] * bool(universe.constraints),
            overrides=["overrides"] * bool(universe.overrides),
            python_versions=() if here else universe.pythons,
            python_platforms=() if here else universe.platforms,
            environ={"PIP_CONFIG_FILE": os.devnull},
        )
        if report.verdict is Verdict.UNDECIDED:
            return Reply(trouble="; ".join(found.message for found in report.diagnostics))
        if report.verdict is not Verdict.COMPATIBLE:
            return Reply()
        environment = report.environments[0]
        python = HERE if here else environment.python_version
        pins: dict[str, Pins] = {f"{python} {platform}": {} for platform in universe.platforms}
        for pin in environment.packages:
            for platform in universe.platforms if here else pin.platforms or universe.platforms:
                pins[f"{python} {platform}"][pin.name] = pin.version
        return Reply(pins)

    def uv(self, universe: Universe, files: Sequence[str]) -> Reply:
        for python in universe.pythons:
            found: dict[str, Pins] = {}
            for platform in universe.platforms:
                reply = self._uv_on(universe, files, python, platform)
                if isinstance(reply, str):
                    return Reply(trouble=reply)
                if reply is None:
                    break
                found[f"{python} {platform}"] = reply
            if len(found) == len(universe.platforms):
                return Reply(found)
        return Reply()

    def _uv_on(self, universe: Universe, files: Sequence[str], python: str, platform: str) -> Pins | str | None:
        command = [
            self.uv_command, "pip", "compile", "--quiet", "--no-header", "--no-annotate",
            "--cache-dir", str(self.folder / "uv"), "--default-index", self.index.url,
            "--python", self._interpreter(python), *files,
        ]  # fmt: skip
        if python != HERE:
            command += ["--python-version", python, "--python-platform", platform]
        command += ["--constraint", "constraints"] * bool(universe.constraints)
        command += ["--override", "overrides"] * bool(universe.overrides)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd=self.folder)
        if not done.returncode:
            return {canonicalize_name(name): version for name, version in _PIN.findall(done.stdout)}
        return None if any(words in done.stderr for words in _UV_SAYS_NO) else done.stderr.strip()

    def _interpreter(self, python: str) -> str:
        """One of the same minor version where there is one: uv checks what is to be built against it too."""
        short = python if python == HERE else ".".join(python.split(".")[:2])
        if short not in self._pythons:
            found = ""
            if short != HERE:
                command = [self.uv_command, "python", "find", short]
                found = subprocess.run(
                    command, capture_output=True, text=True, check=False, env=ENVIRONMENT
                ).stdout.strip()
            self._pythons[short] = found or sys.executable
        return self._pythons[short]

    def pip(self, universe: Universe, files: Sequence[str], *more: str) -> Reply:
        constraints = [*more, *["constraints"] * bool(universe.constraints)]
        question = {"index": self.index.url, "files": list(files), "constraints": constraints}
        assert self._pip.stdin is not None
        assert self._pip.stdout is not None
        self._pip.stdin.write(json.dumps(question) + "\n")
        self._pip.stdin.flush()
        answer = json.loads(self._pip.stdout.readline())
        if "pins" in answer:
            return Reply({f"{HERE} {HERE}": answer["pins"]})
        return Reply() if answer["impossible"] else Reply(trouble=answer["said"].strip())

    def pip_accepts(self, universe: Universe, files: Sequence[str], ours: Reply) -> bool:
        """Whether pip takes conflictcheck's environment, given as constraints."""
        pins = ours.pins[f"{HERE} {HERE}"]
        (self.folder / "pins").write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        return self.pip(universe, files, "pins").pins == ours.pins


def ask(universe: Universe, resolvers: Resolvers, peers: Sequence[str], known: Iterable[Answers] = ()) -> list[Answers]:
    """What each resolver says to each question; a peer whose answer is known is not asked again."""
    resolvers.serve(universe)
    before = {tuple(answer["files"]): answer["replies"] for answer in known}
    answers: list[Answers] = []
    for files in universe.questions():
        ours = resolvers.conflictcheck(universe, files)
        replies = {"conflictcheck": ours}
        for peer in peers:
            said = before.get(files, {}).get(peer)
            replies[peer] = Reply(**said) if said else getattr(resolvers, peer)(universe, files)
        pip = replies.get("pip")
        if pip and not pip.pins and not pip.trouble:
            replies["pip"] = Reply(accepts=bool(ours.pins) and resolvers.pip_accepts(universe, files, ours))
        answers.append({"files": files, "replies": {name: asdict(reply) for name, reply in replies.items()}})
    return answers


def judge_all(seed: int, answers: Iterable[Answers], *, here: bool) -> Iterator[tuple[str, str]]:
    """For each question and peer, the peer and what `judge` says."""
    universe = make_universe(seed, here=here)
    for answer in answers:
        replies = {name: Reply(**reply) for name, reply in answer["replies"].items()}
        ours = replies.pop("conflictcheck")
        question = Question(universe, answer["files"])
        for peer, theirs in replies.items():
            found = judge(question, peer, ours, theirs)
            if found.startswith(UNEXPLAINED):
                print(seed, peer, *answer["files"], found, flush=True)
            yield peer, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pip", action="store_true", help="ask pip, for the running Python and platform, and not uv")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--log", type=Path, help="a file to add answers to; seeds that it has are not asked again")
    parser.add_argument("--known", type=Path, help="a log of before, to ask conflictcheck again and not its peers")
    parser.add_argument("--uv", default="uv")
    given = parser.parse_args()
    done, known = read_log(given.log), read_log(given.known)
    wanted = range(given.first, given.first + given.count)
    # To list the tags of a target takes longer than most of these questions.
    pipeline.make_target = cache(pipeline.make_target)
    with (
        tempfile.TemporaryDirectory() as folder,
        IndexServer({}, metadata_files=True, max_age=600) as index,
        Resolvers(Path(folder), index, given.uv) as resolvers,
    ):
        for number, seed in enumerate((seed for seed in wanted if seed not in done), 1):
            universe = make_universe(seed, here=given.pip)
            done[seed] = ask(universe, resolvers, ["pip"] if given.pip else ["uv"], known.get(seed, ()))
            if given.log:
                with given.log.open("a") as log:
                    log.write(json.dumps({"seed": seed, "answers": done[seed]}) + "\n")
            if not number % 100:
                print(f"{number} universes", file=sys.stderr, flush=True)
    found = [each for seed in wanted for each in judge_all(seed, done[seed], here=given.pip)]
    print(table(found))


def read_log(path: Path | None) -> dict[int, list[Answers]]:
    """The answers of a log by seed; none without a log."""
    lines = path.read_text().splitlines() if path and path.exists() else []
    return {entry["seed"]: entry["answers"] for entry in map(json.loads, lines)}


def table(found: Sequence[tuple[str, str]]) -> str:
    """How often each thing was found, by peer, as Markdown."""
    counts = Counter((peer, UNEXPLAINED if said.startswith(UNEXPLAINED) else said) for peer, said in found)
    rows = [f"| {peer} | {said} | {times} |" for (peer, said), times in counts.most_common()]
    unexplained = sum(times for (_, said), times in counts.items() if said == UNEXPLAINED)
    return "\n".join(
        [f"{len(found)} questions", "", "| peer | answers | times |", "| --- | --- | --- |", *rows, "",
        f"left unexplained: {unexplained}"]
    )  # fmt: skip


if __name__ == "__main__":
    main()
