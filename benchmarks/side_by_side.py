"""What do pip, uv and conflictcheck say of the same clash? Writes docs/explanations.md anew, below its mark.

    python benchmarks/side_by_side.py [--pythons DIR] [--uv UV] [--print] [NAME…]

A NAME is a set of tests/cases/cases.toml; none means the twelve of the document. pip and uv answer from the package
index, as of the set's date; conflictcheck from the kept facts. Interpreters are looked for as DIR/VERSION*/bin/python
(default: where pyenv keeps them). Hosts of the index and paths of the machine are replaced; what is left out is marked
with […].
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packaging.version import Version

from conflictcheck.index import default_index_url

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "cases"
DOCUMENT = ROOT / "docs" / "explanations.md"
MARK = "<!-- written by benchmarks/side_by_side.py -->\n"
NAMES = ("U02", "U06", "U12", "U14", "U18", "U22", "U24", "U34", "U38", "U42", "S08", "K1")
CUT = "[…]"
HEAD, TAIL = 3, 16
"""Lines kept of a long output."""
OLDEST_FOR_PIP = Version("3.10")
"""The oldest Python that the pip of 2026 runs on; for older ones it resolves from outside, with wheels alone."""
SECONDS = 240
NOT_ASKED = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_EXTRA_INDEX_URL")
NOISE = re.compile(r"\[notice\]|WARNING: Running pip as|\s*$")
STEPS = re.compile(
    r"\s*(Collecting|Downloading|Using cached|Requirement already|Preparing metadata|Getting requirements|"
    r"Installing build)"
)
"""How the lines begin in which pip says what it is at."""


@dataclass(frozen=True)
class Said:
    """What one tool was asked and said."""

    command: str
    output: str


@dataclass(frozen=True)
class Bench:
    """One set, written to a folder as spec0.txt, spec1.txt…"""

    name: str
    case: dict[str, Any]
    folder: Path
    pythons: Path
    uv: str

    @property
    def python(self) -> str:
        return str(self.case["python"])

    @property
    def files(self) -> list[str]:
        return [f"spec{position}.txt" for position in range(len(self.case["specs"]))]

    def write(self) -> None:
        for file, lines in zip(self.files, self.case["specs"], strict=True):
            (self.folder / file).write_text("".join(f"{line}\n" for line in lines))

    def interpreter(self) -> Path | None:
        found = sorted(self.pythons.glob(f"{self.python}.*/bin/python"))
        return found[-1] if found else None

    def run(self, shown: str, command: list[str]) -> Said:
        environment = {name: value for name, value in os.environ.items() if name not in NOT_ASKED}
        environment |= {"PIP_CONFIG_FILE": os.devnull, "UV_PYTHON_DOWNLOADS": "never", "COLUMNS": "80"}
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=SECONDS, check=False,
            )  # fmt: skip
            text = done.stdout
        except subprocess.TimeoutExpired as expired:
            text = f"{(expired.stdout or b'').decode(errors='replace')}\n[still at it after {SECONDS} seconds]"
        return Said(shown, self._without_places(text))

    def _without_places(self, text: str) -> str:
        host = urlsplit(default_index_url()).hostname or ""
        text = re.sub(r"https?://[^/\s)>]+", lambda found: self._host(found[0], host), text)
        text = text.replace(host, "index.example")
        for place in (str(self.folder.resolve()), str(self.folder), str(self.pythons), sys.prefix, str(Path.home())):
            text = text.replace(f"{place}/", "").replace(place, "…")
        text = re.sub(r"(?:/tmp|/private)/[^\s'\",)]*", "…", text)
        return text.rstrip()

    @staticmethod
    def _host(address: str, index: str) -> str:
        """The addresses of the index and of its files, as an example's."""
        last = ".".join((urlsplit(address).hostname or "").split(".")[-2:])
        return "https://index.example" if last == index or "hosted" in last else address

    def pip(self) -> Said:
        until = date.fromisoformat(self.case["exclude_newer"]) + timedelta(days=1)
        given = [part for file in self.files for part in ("-r", file)]
        options = ["--dry-run", "--ignore-installed", "--uploaded-prior-to", f"{until}T00:00:00Z"]
        interpreter = self.interpreter()
        front: list[str] = []
        if interpreter is None or Version(self.python) < OLDEST_FOR_PIP:
            options += ["--python-version", self.python, "--only-binary", ":all:", "--target", "out"]
        else:
            front = ["--python", str(interpreter)]
        shown = f"pip {f'--python python{self.python} ' if front else ''}install {' '.join([*options, *given])}"
        pip = [sys.executable, "-m", "pip", *front, "install", "--no-color", "--progress-bar", "off"]
        return self.run(shown, [*pip, "--disable-pip-version-check", *options, *given])

    def uv_pip(self) -> Said:
        options = ["--python-version", self.python, "--exclude-newer", f"{self.case['exclude_newer']}T23:59:59Z"]
        interpreter = self.interpreter()
        hidden = ["--python", str(interpreter)] if interpreter else []
        command = [self.uv, "pip", "compile", "--color", "never", "--no-progress", "--no-header", *hidden]
        command += ["--python-platform", "x86_64-manylinux_2_35", *options, *self.files]
        return self.run(f"uv pip compile {' '.join([*options, *self.files])}", command)

    def conflictcheck(self) -> Said:
        options = ["--python-version", self.python, "--exclude-newer", f"{self.case['exclude_newer']}T23:59:59Z"]
        hidden = [
            "--python-platform",
            "x86_64-manylinux_2_35",
            "--index-snapshot",
            str(CASES / f"{self.name}.snapshot"),
        ]
        command = [sys.executable, "-m", "conflictcheck", "check", *options, *hidden, *self.files]
        said = self.run(f"conflictcheck check {' '.join([*options, *self.files])}", command)
        return Said(said.command, first_clash(said.output))


def first_clash(report: str) -> str:
    """The headline, and the first clash with its fixes."""
    paragraphs = report.split("\n\n")
    start = next(i for i, text in enumerate(paragraphs) if text.startswith("Clash"))
    end = next(i for i, text in enumerate(paragraphs) if i > start and text.startswith(("Clash", "Environment")))
    return "\n\n".join([paragraphs[0], *([CUT] if start > 1 else []), *paragraphs[start:end], CUT])


def cut(output: str) -> str:
    """Without runs of steps, but for the first lines, and without the middle of what is still long."""
    kept: list[str] = []
    for number, line in enumerate(line for line in output.splitlines() if not NOISE.match(line)):
        if number < HEAD or not STEPS.match(line):
            kept.append(line)
        elif kept[-1] != CUT:
            kept.append(CUT)
    if len(kept) > HEAD + TAIL + 1:
        tail = kept[-TAIL:]
        kept = [*kept[:HEAD], CUT, *tail[tail[0] == CUT :]]
    return "\n".join(kept)


def section(bench: Bench) -> str:
    """One set as Markdown."""
    bench.write()
    case = bench.case
    title = re.split(r"[:;]", case["why"])[0].rstrip(".")
    files = "\n".join(
        f"- `{file}`: {', '.join(f'`{line}`' for line in lines)}"
        for file, lines in zip(bench.files, case["specs"], strict=True)
    )
    blocks = []
    for tool, said in (("pip", bench.pip()), ("uv", bench.uv_pip()), ("conflictcheck", bench.conflictcheck())):
        text = said.output if tool == "conflictcheck" else cut(said.output)
        blocks.append(f"{tool}:\n\n```text\n$ {said.command}\n{text}\n```\n")
    reported = f"Reported at {case['source']}." if "/" in case["source"] else "Put together from real requirements."
    # The heading says it all where the reason is one clause.
    why = "" if title == case["why"].rstrip(".") else f"{case['why']} "
    about = f"{why}{reported} Python {bench.python}, as of {case['exclude_newer']}."
    return f"### {bench.name}: {title}\n\n{about}\n\n{files}\n\n" + "\n".join(blocks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--pythons", type=Path, default=Path.home() / ".pyenv" / "versions")
    parser.add_argument("--uv", default="uv")
    parser.add_argument("--print", action="store_true", help="print the sections, and leave the document as it is")
    given = parser.parse_args()
    cases = tomllib.loads((CASES / "cases.toml").read_text())
    sections = []
    for name in given.names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            sections.append(section(Bench(name, cases[name], Path(folder), given.pythons, given.uv)))
        print(sections[-1] if given.print else name, flush=True)
    if not given.print:
        front, mark, _ = DOCUMENT.read_text().partition(MARK)
        DOCUMENT.write_text(front + mark + "\n" + "\n".join(sections))


if __name__ == "__main__":
    main()
