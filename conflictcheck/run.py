"""The wiring of one run, from specs and facts to a report: it reads as a table of contents, and others do the work."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from conflictcheck.cautions import notice_missing_hashes, notice_old_releases, notice_unbounded
from conflictcheck.clash_words import ClashWriter
from conflictcheck.clashes import ClashFinder
from conflictcheck.declared import about_declared, place_specs
from conflictcheck.doubts import lacking_facts, say_doubts
from conflictcheck.environments import notice_oddities
from conflictcheck.fixes import Fixer, Fixes
from conflictcheck.known import Before
from conflictcheck.model import (
    Clash,
    Diagnostic,
    Minimum,
    ReadResult,
    Report,
    TargetName,
    Verdict,
    in_order,
)
from conflictcheck.numbering import in_report_order, positions_of
from conflictcheck.outcome import Outcome, Placed
from conflictcheck.phrases import and_list, count
from conflictcheck.remarks import say_what_is_taken_for_granted, say_why_clashes_stay, with_fixes
from conflictcheck.sameness import said
from conflictcheck.side_by_side import ProcessLostError
from conflictcheck.solver.oracle import Oracle, Yes
from conflictcheck.splitting import split_specs
from conflictcheck.verification import SecondOpinion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from conflictcheck.clashes import Core, Findings
    from conflictcheck.declared import Placement
    from conflictcheck.model import Requirement, SpecId
    from conflictcheck.progress import Progress
    from conflictcheck.settings import Policy
    from conflictcheck.solver.store import FactStore
    from conflictcheck.splitting import Split
    from conflictcheck.targets import Target
    from conflictcheck.wording import Words


class Run(Struct, frozen=True):
    """The parts of one run, and what is made of them.

    Attributes:
        read: the specs, and what the readers had to say.
        shared: constraint and override lines, which hold in every environment.
        targets: for each Python version, newest first, its target on every platform.
        policy: which releases may be chosen.
        store: where facts come from.
        progress: is told what happens.
        snapshot: the file that facts come from, if it is one.
        declared: the environments that the settings declare, with the specs of each.
        jobs: how many processes there may be; see `jobs_for`.
    """

    read: ReadResult
    shared: tuple[Requirement, ...]
    targets: dict[str, tuple[Target, ...]]
    policy: Policy
    store: FactStore
    progress: Progress
    snapshot: Path | None = None
    declared: Mapping[str, tuple[SpecId, ...]] = field(default_factory=dict)
    jobs: int | None = None

    def report(self, notes: Sequence[Diagnostic], target_environments: int | None) -> Report:
        """Everything but whether it passes; once more in this process alone, where another one is lost on the way."""
        try:
            return self._report(notes, target_environments, self.jobs)
        except ProcessLostError:
            return self._report(notes, target_environments, jobs=1)

    def _report(self, notes: Sequence[Diagnostic], target_environments: int | None, jobs: int | None) -> Report:
        specs, lines = in_report_order(self.read.specs, self.shared)
        oracle = Oracle(lines, self.targets, self.store, self.policy)
        positions = positions_of(specs, self.shared)
        finder = ClashFinder(oracle, *positions)
        self.progress.phase("clashes")
        findings = finder.find()
        self.progress.phase("split")
        split = split_specs(findings.placeable, findings.cores, finder.probe)
        placement = place_specs(split, self.declared, findings, finder.probe)
        self.progress.phase("resolving")
        cores = tuple(dict.fromkeys([*findings.cores, *split.cores, *placement.cores]))
        opinion = SecondOpinion(oracle, lines)
        questions = opinion.questions(cores)
        placed = _resolve(oracle, finder, placement)
        self.store.rest()
        outcome = Outcome(oracle, opinion, placed, questions, jobs)
        doubts = [
            *say_doubts(findings, split, placement.unclear, self.snapshot),
            *about_declared(placement, split, findings),
            *say_what_is_taken_for_granted(oracle.assumed),
        ]
        clashes = _in_words(oracle, cores)
        self.progress.phase("fixes")
        oracle.assume_locked()
        fixer = Fixer(
            oracle,
            *positions,
            cores=cores,
            placed=findings.placeable,
            environment_count=len(placed),
            environments=lambda: outcome.environments,
            compiled=self._compiled(),
            conflicts=self.read.conflicts,
            read=lambda: self.store.counts()["releases"],
        )
        verdict = _verdict(findings, placement, len(placed))
        fixes = fixer.find(target_environments) if verdict is not Verdict.UNDECIDED else Fixes(sought=False)
        environments = outcome.environments
        diagnostics = [
            *self.read.diagnostics,
            *notes,
            *doubts,
            *say_why_clashes_stay(clashes, fixes),
            *outcome.warnings(),
            *notice_oddities(oracle, self.store, environments, lines),
            *notice_old_releases(oracle, environments, finder.lines_of),
            *notice_missing_hashes(environments, specs, self.shared),
            *notice_unbounded(clashes),
        ]
        return Report(
            verdict=verdict,
            passed=False,
            targets=tuple(TargetName(t.python_version, t.platform) for group in self.targets.values() for t in group),
            specs=specs,
            environments=tuple(environments),
            minimum=_minimum(split, clashes),
            clashes=tuple(with_fixes(clash, i, fixes) for i, clash in enumerate(clashes)),
            clashes_complete=findings.complete,
            fixes=tuple(fixes.run),
            diagnostics=in_order(diagnostics),
            stats={"solver_calls": oracle.calls, "questions": oracle.asked, **self.store.counts()},
            declared=placement.declared,
        )

    def before(self, name: str, place: str, unnamed: Callable[[str], str] = str) -> Before:
        """The clashes alone, to compare others with.

        Args:
            name: see `Before`.
            place: see `Before`.
            unnamed: takes names out of a text that mean nothing to the user.
        """
        specs, lines = in_report_order(self.read.specs, self.shared)
        oracle = Oracle(lines, self.targets, self.store, self.policy)
        findings = ClashFinder(oracle, *positions_of(specs, self.shared)).find()
        clashes = _in_words(oracle, findings.cores)
        lacking = lacking_facts(findings.doubts) if self.snapshot is not None else {}
        doubts = [f"{spec}: {reason}" for spec, reason in findings.doubts.items() if spec not in lacking]
        return Before(
            name,
            place,
            tuple(replace(clash, summary=unnamed(clash.summary)) for clash in clashes),
            tuple(unnamed(doubt) for doubt in dict.fromkeys([*doubts, *findings.unclear])),
            lacking,
        )

    def _compiled(self) -> dict[str, str]:
        """The files that the readers found to be compiled, each with the file that it is made from."""
        return {
            note.file: str(PurePosixPath(note.file).with_suffix(".in"))
            for note in self.read.diagnostics
            if note.code == "compiled" and note.file is not None
        }


def _in_words(oracle: Oracle, cores: Iterable[Core]) -> tuple[Clash, ...]:
    writer = ClashWriter(oracle)
    return tuple(_clash(core, writer.write(core), oracle.lines) for core in cores)


def _clash(core: Core, words: Words, lines: Sequence[Requirement]) -> Clash:
    requirements = tuple(lines[i] for i in core.lines)
    return Clash(
        id=_clash_id(core.specs, requirements),
        kind=words.kind,
        specs=core.specs,
        requirements=requirements,
        packages=words.packages,
        minimal=core.minimal,
        summary=words.summary,
        steps=words.steps,
        sides=words.sides,
    )


def _resolve(oracle: Oracle, finder: ClashFinder, placement: Placement) -> list[Placed]:
    """What would be installed for each part, as far as that is known, all of it in one numbering of releases.

    A direct reference that turns up on the way is one more release, and those that were numbered before have moved.
    """
    while True:
        restarts = oracle.restarts
        placed = [
            Placed(name, part, lines, answer)
            for name, part in placement.parts
            if isinstance(answer := oracle.resolve(lines := finder.lines_of(part)), Yes)
        ]
        if oracle.restarts == restarts:
            return placed


def _clash_id(specs: Sequence[SpecId], requirements: Sequence[Requirement]) -> str:
    """Stable: of the specs and what the lines say, not of where they stand."""
    lines = sorted(f"{line.spec}\t{said(line)}" for line in requirements)
    return hashlib.sha256("\n".join([*specs, "", *lines]).encode()).hexdigest()[:12]


def _verdict(findings: Findings, placement: Placement, environment_count: int) -> Verdict:
    if findings.doubts or placement.unclear is not None or environment_count < len(placement.parts):
        return Verdict.UNDECIDED
    if any(len(core.specs) == 1 for core in findings.cores):
        return Verdict.UNSATISFIABLE
    return Verdict.COMPATIBLE if environment_count <= 1 else Verdict.SPLIT


def _minimum(split: Split, clashes: Sequence[Clash]) -> Minimum:
    parts = len(split.parts)
    why = ""
    if parts > 1 and len(split.clique) >= split.lower_bound > 1:
        together = "clash" if len(split.clique) == 2 else "clash with each other, each with each"  # noqa: PLR2004
        why = f"{and_list(split.clique)} {together}, so each of them needs an environment of its own."
    elif parts > 1:
        several = [clash for clash in clashes if len(clash.specs) > 1]
        why = (
            f"No way to put the specs into {count(split.lower_bound - 1, 'environment')} avoids all of the "
            f"{len(several)} clashes; every such way was ruled out."
        )
        if several and split.lower_bound == 2:  # noqa: PLR2004 - one environment is not enough
            why = f"{and_list(several[0].specs)} clash together, so one environment cannot hold them all."
    return Minimum(parts, split.proven, split.lower_bound, why)
