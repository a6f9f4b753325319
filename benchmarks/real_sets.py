"""Do real requirement sets give the environments and clashes that are known for them? Needs the package index.

    python benchmarks/real_sets.py CASES.toml [NAME…] [--snapshots DIR]

CASES.toml has a table per set: `specs` (a list of lists of requirements), `python`, `exclude_newer`, `environments`
and, where they are known, `clashes` as positions of specs. Prints a line per set and exits with 1 if one is wrong.
With --snapshots, each set's facts are written to DIR as well, together with the set.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictcheck.model import Report, Verdict
from conflictcheck.pipeline import check, write_snapshot
from conflictcheck.progress import Progress
from conflictcheck.settings_sources import CommandLine, resolve_settings

if TYPE_CHECKING:
    from conflictcheck.settings import Settings

PLATFORM = "x86_64-manylinux_2_35"


@dataclass(frozen=True)
class Outcome:
    name: str
    report: Report
    expected: int
    clashes: list[list[int]] | None
    seconds: float

    @property
    def found(self) -> list[list[int]]:
        return sorted(sorted(int(spec.split(".")[0][4:]) for spec in clash.specs) for clash in self.report.clashes)

    @property
    def is_right(self) -> bool:
        decided = self.report.verdict in (Verdict.COMPATIBLE, Verdict.SPLIT) and self.report.minimum.proven
        clashes = self.clashes is None or sorted(map(sorted, self.clashes)) == self.found
        return decided and len(self.report.environments) == self.expected and clashes

    def __str__(self) -> str:
        verdict = "right" if self.is_right else "WRONG"
        sizes = ", ".join(str(len(environment.packages)) for environment in self.report.environments)
        stats = self.report.stats
        return (
            f"{self.name:5} {verdict}  {self.report.verdict:12} {len(self.report.environments)} of {self.expected} "
            f"environments ({sizes} packages), clashes {self.found}, {self.seconds:.2f} s, "
            f"{stats['solver_calls']} solver calls, {stats['releases']} releases read"
        )


def settings_for(case: dict[str, Any], folder: Path, environ: dict[str, str] | None = None) -> Settings:
    """Write the set's specs as files, and make the settings to check them."""
    for position, requirements in enumerate(case["specs"]):
        (folder / f"spec{position}.txt").write_text("\n".join(requirements) + "\n")
    given = CommandLine(
        paths=tuple(f"spec{position}.txt" for position in range(len(case["specs"]))),
        python_version=(case["python"],),
        python_platform=(PLATFORM,),
        exclude_newer=f"{case['exclude_newer']}T23:59:59Z",
        max_environments=99,
    )
    return resolve_settings(given, cwd=folder, environ=environ or {"PIP_CONFIG_FILE": "/dev/null"})


def run(name: str, case: dict[str, Any], snapshots: Path | None = None) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(case, Path(folder))
        started = time.perf_counter()
        if snapshots is None:
            report = check(settings, Progress())
        else:
            report = write_snapshot(settings, snapshots / f"{name}.snapshot", Progress())
        seconds = time.perf_counter() - started
    return Outcome(name, report, case["environments"], case.get("clashes"), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--snapshots", type=Path)
    given = parser.parse_args()
    cases = tomllib.loads(given.cases.read_text())
    wrong = 0
    for name in given.names or cases:
        outcome = run(name, cases[name], given.snapshots)
        wrong += not outcome.is_right
        print(outcome, flush=True)
        if not outcome.is_right:
            for diagnostic in outcome.report.diagnostics:
                print("      ", diagnostic.severity, diagnostic.message)
    print(f"{len(given.names or cases) - wrong} right, {wrong} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
