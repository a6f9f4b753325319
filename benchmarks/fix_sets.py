"""Do fixes of real requirement sets hold, and what do they cost beside finding the clashes? Needs the package index.

    python benchmarks/fix_sets.py CASES.toml [NAME…]

For every set that needs several environments: `fix --write`, then `check` on the edited files, which must give as many
environments as the fix promised, and differ from the old ones in the named lines alone. Where there is no fix, a reason
must be given. The times are of a second, warm run: finding the clashes and the split, then the fixes and nothing else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from real_sets import settings_for

from conflictcheck import pipeline
from conflictcheck.edits import plan_edits, write_edits
from conflictcheck.fixes import Fixer
from conflictcheck.progress import Progress

if TYPE_CHECKING:
    from conflictcheck.fixes import Fixes
    from conflictcheck.model import Fix
    from conflictcheck.settings import Settings


@dataclass
class Clock:
    """Adds up the time that the fixes take in a run."""

    seconds: float = 0.0

    def __enter__(self) -> Self:
        find = self._find = Fixer.find

        def timed(fixer: Fixer, target: int = 1) -> Fixes:
            started = time.perf_counter()
            try:
                return find(fixer, target)
            finally:
                self.seconds += time.perf_counter() - started

        Fixer.find = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Fixer.find = self._find  # type: ignore[method-assign]


@dataclass(frozen=True)
class Outcome:
    name: str
    fix: Fix | None
    reasons: list[str]
    problems: list[str]
    before: int
    finding: float
    fixing: float

    def __str__(self) -> str:
        verdict = "WRONG" if self.problems else "right" if self.fix else "none "
        edits = self.fix.edits if self.fix else ()
        what = "; ".join([*(f"{e.file}:{e.line} {e.old} -> {e.new}" for e in edits), *self.reasons])
        after = self.fix.environments_after if self.fix else self.before
        return (
            f"{self.name:5} {verdict}  {self.before} -> {after}  find {self.finding:.2f} s, fix {self.fixing:.2f} s  "
            + what
            + "".join(f"\n      {problem}" for problem in self.problems)
        )


def run(name: str, case: dict[str, Any]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(case, Path(folder))
        pipeline.check(settings, Progress())
        started = time.perf_counter()
        with Clock() as clock:
            checked = pipeline.check_files(settings, Progress())
        finding = time.perf_counter() - started - clock.seconds
        report = checked.report
        reasons = [clash.no_fix for clash in report.clashes if clash.no_fix]
        if not report.fixes:
            problems = [] if reasons and len(reasons) == len(report.clashes) else ["neither a fix nor a reason"]
            return Outcome(name, None, reasons, problems, len(report.environments), finding, clock.seconds)
        problems = []
        for fix in report.fixes:
            problems += _try(fix, checked, settings)
        return Outcome(name, report.fixes[0], reasons, problems, len(report.environments), finding, clock.seconds)


def _try(fix: Fix, checked: pipeline.Checked, settings: Settings) -> list[str]:
    """Write a fix, check, and put the files back."""
    files = plan_edits(fix.edits, checked.sources)
    try:
        write_edits(files)
        after = pipeline.check(settings, Progress())
        problems = []
        if len(after.environments) != fix.environments_after:
            problems.append(f"{len(after.environments)} environments, not {fix.environments_after}: {fix.edits}")
        named = {(edit.file, edit.line) for edit in fix.edits}
        for file in files:
            old, new = file.before.split(b"\n"), file.after.split(b"\n")
            changed = {(file.name, i + 1) for i in range(len(old)) if old[i] != new[i]}
            if len(old) != len(new) or not changed <= named:
                problems.append(f"{file.name} differs in other lines than {sorted(named)}")
        return problems
    finally:
        for file in files:
            file.path.write_bytes(file.before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    cases = tomllib.loads(given.cases.read_text())
    names = given.names or [name for name, case in cases.items() if case["environments"] > 1]
    outcomes = []
    for name in names:
        outcomes.append(run(name, cases[name]))
        print(outcomes[-1], flush=True)
    wrong = sum(bool(outcome.problems) for outcome in outcomes)
    finding, fixing = sum(o.finding for o in outcomes), sum(o.fixing for o in outcomes)
    print(f"{len(outcomes) - wrong} right, {wrong} wrong; finding {finding:.1f} s, fixing {fixing:.1f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
