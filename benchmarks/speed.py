"""How fast is conflictcheck, next to what would be used instead? Prints tables in Markdown.

    python benchmarks/speed.py [--only PATTERN]… [--tools NAME]… [--runs 5] [--limit 600]
        [--markdown FILE] [--plot FILE] [--state DIR] [--record] [--sets CASES.toml] [--list]

Every row puts one question to conflictcheck and to its peers, one after the other, and that again in each run, the
order turned round each time. All of them ask the index server of this folder, which gives the same answers every time.

--state is where the server's answers are kept; they are recorded from the default package index once, with --record:
before a row is measured, every tool is asked once unmeasured, and what it asked for is kept. After that nothing of the
network is needed. --only takes patterns as the shell has them (`'one/*/warm'`); --list shows the names of the rows.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import shutil
import sys
import tempfile
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from figures import table
from growth import plot, sentences
from measuring import Server
from plans import Plan, plans
from platformdirs import user_cache_path
from questions import CASES, Question, family
from tables import Measured, Row, head
from tools import TOOLS, Answer, Asking, Conflictcheck, Tool

import conflictcheck

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGED = "packaging>=20"
"""The line that is added where one line has changed."""
PLOTTED = "synthetic/"


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
        question = None if plan.question is None else plan.question()
        row = Row(plan.name, [Measured(tool.name, self._limit) for tool in tools])
        row.size = 1 if question is None else len(question.specs)
        ask = self._version if question is None else self._prepared(plan, question, tools)
        before = self._server.tell(f"delay/{plan.delay:g}")["lacking"]
        for run in range(self._runs):
            both = list(zip(tools, row.tools, strict=True))
            for tool, measured in both if run % 2 == 0 else reversed(both):
                if not measured.is_cut_off:
                    measured.runs.append(ask(tool))
        row.lacking = self._server.tell("delay/0")["lacking"] - before
        shutil.rmtree(self._work, ignore_errors=True)
        return row

    def _prepared(self, plan: Plan, question: Question, tools: list[Tool]) -> Callable[[Tool], Answer]:
        """Fill the caches, and the server's store if it is to record; what to do in each run."""
        same = "specs" if plan.unchanged or plan.changed else ""
        asked = question.with_line(CHANGED) if plan.changed else question
        self._server.tell(f"record/{'on' if self._record else 'off'}")
        for tool in tools:
            if self._record and plan.changed:
                self._ask(tool, asked, self._work / "only-to-record")
            if self._record or not plan.cold:
                self._ask(tool, question, self._cache(tool), inside=same)
        self._server.tell("record/off")
        if plan.cold:
            return lambda tool: self._ask(tool, question, self._work / f"cold-{self._asked}")
        if plan.unchanged:
            return lambda tool: self._ask(tool, question, self._cache(tool), inside=same)
        if plan.changed:
            return lambda tool: self._ask(tool, asked, self._copy_of(tool), inside=same)
        return lambda tool: self._ask(tool, question, self._copy_of(tool), offline=True)

    def _cache(self, tool: Tool) -> Path:
        return self._work / "caches" / tool.name.replace(", ", "-").replace(" ", "-")

    def _copy_of(self, tool: Tool) -> Path:
        """The tool's cache as it was filled: ours also keeps what it said, and must not find what it said in a run."""
        if not isinstance(tool, Conflictcheck):
            return self._cache(tool)
        copy = self._work / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._cache(tool), copy)
        return copy

    def _ask(self, tool: Tool, question: Question, cache: Path, *, offline: bool = False, inside: str = "") -> Answer:
        """Write the question's files, and put it to a tool.

        Args:
            tool: who is asked.
            question: what.
            cache: the tool's.
            offline: whether it must answer from that alone.
            inside: the folder of the files; by default a new one, so that ours finds nothing that it said of them.
        """
        self._asked += 1
        inside = inside or f"specs-{self._asked}"
        folder = self._work / f"in-{inside}"
        files = [f"{inside}/{name}" for name in question.write(folder / inside)]
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


class Output:
    """Prints lines, and keeps the files up to date with them.

    Args:
        markdown: a file for all lines, or None.
        plot: a file for the plot, or None.
    """

    def __init__(self, markdown: Path | None, plot: Path | None) -> None:
        self._markdown = markdown
        self._plot = plot
        self._lines: list[str] = []
        self._titles: set[str] = set()
        self._rows: list[Row] = []

    def add(self, *lines: str) -> None:
        """More lines."""
        print("\n".join(lines), flush=True)
        self._lines += lines
        if self._markdown:
            self._markdown.write_text("\n".join(self._lines) + "\n")

    def row(self, title: str, row: Row) -> None:
        """A row of the table of this title, which begins with it."""
        new = [] if title in self._titles else ["", f"### {title}", "", *head()]
        self._titles.add(title)
        self.add(*new, *row.lines())
        self._rows.append(row)

    def end(self) -> None:
        """Say how time grows, plot it, and say what of the figures is reached."""
        plotted = [row for row in self._rows if row.name.startswith(PLOTTED)]
        if said := sentences(plotted):
            self.add("", *said)
        if self._plot and plotted:
            self._plot.write_text(plot(plotted))
        if figures := table(self._rows):
            self.add("", "### What it must reach", "", *figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--tools", action="append", default=[], choices=[tool.name for tool in TOOLS])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=600, help="seconds that a tool may take for an answer")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there as well")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the growth over made-up specs there, as SVG")
    parser.add_argument("--state", type=Path, default=user_cache_path("conflictcheck-benchmarks"))
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--sets", type=Path, default=CASES, metavar="CASES.toml")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    # As pip does when it installs a package; a checkout in which Python may not write would be compiled in each run.
    compileall.compile_dir(Path(conflictcheck.__file__).parent, quiet=1)
    chosen = [
        plan
        for plan in plans(given.sets, given.state)
        if not given.only or any(fnmatchcase(plan.name, pattern) for pattern in given.only)
    ]
    if given.list:
        print("\n".join(plan.name for plan in chosen))
        return
    given.state.mkdir(parents=True, exist_ok=True)
    output = Output(given.markdown, given.plot)
    output.add(about(given.runs))
    with Server(given.state, record=given.record) as server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            server, Path(folder) / "work", runs=given.runs, limit=given.limit, wanted=given.tools, record=given.record
        )
        for plan in chosen:
            row = bench.measure(plan)
            output.row(plan.title, row)
            if row.lacking:
                print(f"{row.name}: the state lacks {row.lacking} answers; record it", file=sys.stderr)
    output.end()


if __name__ == "__main__":
    main()
