"""How fast is conflictcheck, next to what would be used instead? Prints tables in Markdown.

    python benchmarks/speed.py [--only PATTERN]… [--tools NAME]… [--runs 5] [--limit 600] [--markdown FILE]
        [--state DIR] [--record] [--sets CASES.toml] [--list]

Every row puts one question to conflictcheck and to its peers, one after the other, and that again in each run, the
order turned round each time. All of them ask the index server of this folder, which gives the same answers every time.

--state is where the server's answers are kept; they are recorded from the default package index once, with --record:
before a row is measured, every tool is asked once unmeasured, and what it asked for is kept. After that nothing of the
network is needed. --only takes patterns as the shell has them (`'one/*/warm'`); --list shows the names of the rows.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Server
from platformdirs import user_cache_path
from questions import CASES, Question, family, sets, single
from tables import Measured, Row, head
from tools import TOOLS, Answer, Asking, Conflictcheck, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE = ("conflictcheck", "uv", "pip", "resolvelib")
MANY = ("conflictcheck", "uv, first fit", "can-they-merge")
SPLIT = ("conflictcheck", "uv, first fit")
FAMILIES = (10, 20, 40)
CHANGED = "packaging>=20"
"""The line that is added where one line has changed."""


@dataclass(frozen=True)
class Plan:
    """A row to be measured.

    Attributes:
        name: of the row.
        title: of the table it stands in.
        question: what is asked; None asks for the version.
        tools: names of those who are asked, ours first.
        cold: whether each run begins with an empty cache.
        delay: milliseconds before each answer of the index.
        unchanged: whether each run asks just what was asked before.
        changed: whether each run asks for a line more than before.
    """

    name: str
    title: str
    question: Question | None
    tools: tuple[str, ...]
    cold: bool = False
    delay: float = 0
    unchanged: bool = False
    changed: bool = False


def plans(cases: Path) -> Iterator[Plan]:
    """All rows."""
    for name, question in single().items():
        title = "One spec"
        yield Plan(f"one/{name}/warm", title, question, ONE)
        yield Plan(f"one/{name}/cold", title, question, ONE, cold=True)
        yield Plan(f"one/{name}/cold-20ms", title, question, ONE, cold=True, delay=20)
        yield Plan(f"one/{name}/unchanged", title, question, ONE[:2], unchanged=True)
    whole = family()
    for count in FAMILIES:
        title, question = "Families of real specs", whole.first(count)
        yield Plan(f"family/{count}/warm", title, question, MANY if count == FAMILIES[0] else SPLIT)
        yield Plan(f"family/{count}/cold", title, question, SPLIT, cold=True)
        yield Plan(f"family/{count}/cold-20ms", title, question, SPLIT, cold=True, delay=20)
        yield Plan(f"family/{count}/unchanged", title, question, SPLIT[:1], unchanged=True)
        yield Plan(f"family/{count}/changed", title, question, SPLIT[:1], changed=True)
    for name, question in sets(cases).items():
        yield Plan(f"sets/{name}/warm", "Sets that people reported", question, MANY)
    yield Plan("version", "Start-up", None, ("conflictcheck", "uv", "pip"))


class Bench:
    """Measures plans.

    Args:
        server: the index.
        work: an empty folder for caches and files.
        runs: how often each tool is measured.
        limit: seconds that a tool may take.
        wanted: names of tools; empty for all.
        record: whether the server records while nothing is measured.
    """

    def __init__(self, server: Server, work: Path, *, runs: int, limit: float, wanted: list[str], record: bool) -> None:
        self._server = server
        self._work = work
        self._runs = runs
        self._limit = limit
        self._wanted = wanted
        self._record = record
        self._asked = 0

    def measure(self, plan: Plan) -> Row:
        """Ask every tool as often as there are runs."""
        tools = [tool for tool in TOOLS if tool.name in plan.tools and (not self._wanted or tool.name in self._wanted)]
        row = Row(plan.name, [Measured(tool.name, self._limit) for tool in tools])
        row.size = len(plan.question.specs) if plan.question else 1
        ask = self._prepared(plan, tools)
        before = self._server.tell(f"delay/{plan.delay:g}")["lacking"]
        for run in range(self._runs):
            both = list(zip(tools, row.tools, strict=True))
            for tool, measured in both if run % 2 == 0 else reversed(both):
                if not measured.is_cut_off:
                    measured.runs.append(ask(tool))
        row.lacking = self._server.tell("delay/0")["lacking"] - before
        shutil.rmtree(self._work, ignore_errors=True)
        return row

    def _prepared(self, plan: Plan, tools: list[Tool]) -> Callable[[Tool], Answer]:
        """Fill the caches, and the server's store if it is to record; what to do in each run."""
        question = plan.question
        if question is None:
            return self._version
        asked = question.with_line(CHANGED) if plan.changed else question
        if self._record or not plan.cold:
            self._server.tell(f"record/{'on' if self._record else 'off'}")
            for tool in tools:
                self._ask(tool, asked, self._cache(tool), offline=False)
        self._server.tell("record/off")
        if plan.cold:
            return lambda tool: self._ask(tool, question, self._work / f"cold-{self._asked}", offline=False)
        if plan.unchanged:
            return self._unchanged(question, tools)
        return lambda tool: self._ask(tool, asked, self._copy_of(tool), offline=True)

    def _cache(self, tool: Tool) -> Path:
        return self._work / "caches" / tool.name.replace(", ", "-").replace(" ", "-")

    def _copy_of(self, tool: Tool) -> Path:
        """The tool's cache as it was filled: ours also keeps what it said, and must not find that of another run.

        The files of each run are in a folder of another name, so that ours finds facts alone in it.
        """
        if not isinstance(tool, Conflictcheck):
            return self._cache(tool)
        copy = self._work / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._cache(tool), copy)
        return copy

    def _unchanged(self, question: Question, tools: list[Tool]) -> Callable[[Tool], Answer]:
        """Ask the same files again, online: what is fresh in the cache needs no request."""
        folder = self._work / "same"
        files = question.write(folder)

        def ask(tool: Tool) -> Answer:
            cache = self._cache(tool)
            return tool.ask(Asking(question, folder, files, cache, False, self._server, self._limit))

        for tool in tools:
            ask(tool)
        return ask

    def _ask(self, tool: Tool, question: Question, cache: Path, *, offline: bool) -> Answer:
        self._asked += 1
        folder = self._work / f"question-{self._asked}"
        files = [f"specs-{self._asked}/{name}" for name in question.write(folder / f"specs-{self._asked}")]
        return tool.ask(Asking(question, folder, files, cache, offline, self._server, self._limit))

    def _version(self, tool: Tool) -> Answer:
        self._work.mkdir(exist_ok=True)
        command = tool.version()
        assert command is not None
        done = Asking(family(), self._work, [], self._work, True, self._server, self._limit).run(command)
        return Answer("" if done.code is None else done.output.split(" from ")[0].strip(), done.usage)


def about(runs: int) -> str:
    """What was measured, and where."""
    versions = []
    for name in dict.fromkeys(tool.distribution for tool in TOOLS):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"no {name}")
    machine = (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    return (
        f"{', '.join(versions)}. {machine}, {os.cpu_count()} cores. Medians of {runs} runs; the last column is the "
        "median over the runs of the tool's wall time by conflictcheck's in the same run."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--tools", action="append", default=[], choices=[tool.name for tool in TOOLS])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=600, help="seconds that a tool may take for an answer")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there as well")
    parser.add_argument("--state", type=Path, default=user_cache_path("conflictcheck-benchmarks"))
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--sets", type=Path, default=CASES, metavar="CASES.toml")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    chosen = [
        plan
        for plan in plans(given.sets)
        if not given.only or any(fnmatchcase(plan.name, pattern) for pattern in given.only)
    ]
    if given.list:
        print("\n".join(plan.name for plan in chosen))
        return
    lines = [about(given.runs)]
    print(*lines, flush=True)
    titles: set[str] = set()
    with Server(given.state, record=given.record) as server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            server, Path(folder) / "work", runs=given.runs, limit=given.limit, wanted=given.tools, record=given.record
        )
        for plan in chosen:
            new = [] if plan.title in titles else ["", f"### {plan.title}", "", *head()]
            titles.add(plan.title)
            row = bench.measure(plan)
            added = [*new, *row.lines()]
            print("\n".join(added), flush=True)
            if row.lacking:
                print(f"{row.name}: the state lacks {row.lacking} answers; record it", file=sys.stderr)
            lines += added
            if given.markdown:
                given.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
