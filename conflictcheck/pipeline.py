"""The wiring: from settings to a report. It reads as a table of contents; the work is done elsewhere."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.version import Version

from conflictcheck import __version__
from conflictcheck.baseline import write_baseline
from conflictcheck.cautions import notice_old_releases, notice_unbounded
from conflictcheck.clashes import ClashFinder, said
from conflictcheck.declared import about_declared, place_specs
from conflictcheck.doubts import lacking_facts, say_doubts, say_outdated
from conflictcheck.environments import build_environment, notice_oddities
from conflictcheck.errors import Disagreement, InputErrors
from conflictcheck.evidence import read_evidence, write_evidence
from conflictcheck.explanation import explain_lines
from conflictcheck.file_options import merge_file_options
from conflictcheck.fixes import Fixer, Fixes
from conflictcheck.given import read_input
from conflictcheck.index import open_index
from conflictcheck.known import Before, Known, judge, passes
from conflictcheck.model import (
    Clash,
    Diagnostic,
    Minimum,
    ReadResult,
    Report,
    Severity,
    TargetName,
    Verdict,
)
from conflictcheck.phrases import and_list, count
from conflictcheck.remarks import say_what_is_taken_for_granted, say_why_clashes_stay, with_fixes
from conflictcheck.side_by_side import jobs_for, map_in_processes
from conflictcheck.solver.oracle import No, Oracle, Yes
from conflictcheck.solver.scout import Scout
from conflictcheck.solver.store import FactStore
from conflictcheck.splitting import split_specs
from conflictcheck.targets import make_target
from conflictcheck.verification import SecondOpinion
from conflictcheck.wording import join_words, word_clash
from conflictcheck.writing import check_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from conflictcheck.clashes import Core, Findings
    from conflictcheck.declared import Placement
    from conflictcheck.given import Given
    from conflictcheck.index.base import Index
    from conflictcheck.model import Environment, Requirement, Source, Spec, SpecId
    from conflictcheck.progress import Progress
    from conflictcheck.settings import Policy, Settings
    from conflictcheck.splitting import Split
    from conflictcheck.targets import Target


_SEVERITIES = list(Severity)
_MANY_PACKAGES = 300
"""So many in all environments are worth a process for each."""


class Checked(Struct, frozen=True):
    """A report, and what it takes to edit the files that it is about.

    Attributes:
        report: the answer.
        sources: the files that were read, by the name that the report gives them.
        basis: see `Index.basis`.
    """

    report: Report
    sources: Mapping[str, Source]
    basis: tuple[str, ...] | None


def check(settings: Settings, progress: Progress, *, index: Index | None = None) -> Report:
    """Find the specs, resolve them, report every clash and the smallest split.

    Args:
        settings: of the run.
        progress: is told what happens.
        index: where facts come from; opened from the settings if None.

    Returns:
        The report. Missing facts end in the verdict ``undecided``, not in an exception.

    Raises:
        ConflictCheckError: if the input cannot be read or the options make no sense.
        Disagreement: the second opinion on the answer differs; a mistake of ours, with a file that repeats it.
    """
    return check_files(settings, progress, index=index).report


def check_files(
    settings: Settings,
    progress: Progress,
    *,
    target_environments: int | None = None,
    index: Index | None = None,
    given: Given | None = None,
    before: Before | None = None,
) -> Checked:
    """As `check`, for who wants to edit the files.

    Args:
        settings: of the run.
        progress: is told what happens.
        target_environments: how many environments the fixes are to come down to, if edits can reach that; None for as
            few as a handful of edits can.
        index: where facts come from; opened from the settings if None.
        given: the input where it is read already; a pipe can be read only once.
        before: what to compare with; None for what the settings say.

    Raises:
        ConflictCheckError: as `check`.
    """
    started = time.perf_counter()
    if settings.write_baseline is not None:
        check_file(settings.cwd / settings.write_baseline)
    progress.phase("reading")
    given = given or read_input(settings)
    targets = make_targets(settings)
    policy, index_settings, notes = merge_file_options(settings, given.read.specs)
    source = index if index is not None else open_index(replace(index_settings, disguise=given.disguise), progress)
    store = FactStore(source)
    try:
        before = before or _before(settings, given.read.specs, source, progress)
        snapshot = index_settings.snapshot
        run = _Run(given.read, given.shared, targets, policy, store, progress, snapshot, given.declared, settings.jobs)
        report = run.report(notes, target_environments)
        report = judge(report, given.known, settings.max_environments, before)
        report = _with_problems(report, source.problems)
    except Disagreement as error:
        held = replace(settings, policy=policy)
        raise Disagreement(
            error.about, write_evidence(held, given.read.specs, given.shared, store, __version__)
        ) from error
    finally:
        if index is None:
            source.close()
    if settings.write_baseline is not None:
        report = write_baseline(settings.cwd / settings.write_baseline, report)
        report = replace(report, passed=passes(report, settings.max_environments))
    stats = {**report.stats, "seconds": round(time.perf_counter() - started, 3)}
    return Checked(replace(report, stats=stats), given.sources, source.basis)


def write_snapshot(settings: Settings, output: Path, progress: Progress) -> Report:
    """Check, and write the facts that the run used into one portable file.

    Args:
        settings: of the run.
        output: the file to write; replaced as a whole or not at all.
        progress: is told what happens.

    Returns:
        The report. If it is undecided, nothing is written: a snapshot must give the same answer later.

    Raises:
        ConflictCheckError: as `check`; OutputError if the file cannot be written.
    """
    from conflictcheck.index import snapshot  # noqa: PLC0415 - needed by this command alone

    given = read_input(settings)
    _, index_settings, _ = merge_file_options(settings, given.read.specs)
    recording = snapshot.RecordingIndex(open_index(replace(index_settings, disguise=given.disguise), progress))
    try:
        report = check_files(settings, progress, index=recording, given=given).report
    finally:
        recording.close()
    if report.verdict is not Verdict.UNDECIDED:
        kept = {(pin.name, pin.version) for environment in report.environments for pin in environment.packages}
        created = datetime.now(UTC).replace(microsecond=0)
        snapshot.write_snapshot(recording.facts, output, created=created, version=__version__, keep_files=kept)
    return report


def repeat_run(file: Path, progress: Progress) -> Report:
    """Check again what a `Disagreement` left in a file.

    Raises:
        Disagreement: the mistake is still there.
        SnapshotError: the file is something else.
    """
    settings, specs, shared, index = read_evidence(file)
    run = _Run(ReadResult(specs), shared, make_targets(settings), settings.policy, FactStore(index), progress)
    return judge(run.report((), target_environments=None), Known(), settings.max_environments)


def check_between(settings: Settings, older: Path, progress: Progress) -> Report:
    """Check with the facts of one snapshot, and compare with those of an older one: only what is new counts.

    Args:
        settings: of the run; the index is the newer snapshot.
        older: the older snapshot.
        progress: is told what happens.

    Raises:
        ConflictCheckError: as `check`; SnapshotError if a snapshot cannot be read.
    """
    given = read_input(settings)
    policy, index_settings, _ = merge_file_options(settings, given.read.specs)
    with closing(open_index(replace(index_settings, snapshot=older), progress)) as index:
        run = _Run(given.read, given.shared, make_targets(settings), policy, FactStore(index), progress, older)
        before = run.before(older.as_posix(), f"in {older.as_posix()}")
    report = check_files(settings, progress, given=given, before=before).report
    if not before.lacking:
        return report
    diagnostics = tuple(sorted([*report.diagnostics, say_outdated(older, before.lacking)], key=_diagnostic_order))
    return replace(report, verdict=Verdict.UNDECIDED, passed=False, diagnostics=diagnostics)


def _before(settings: Settings, specs: Sequence[Spec], index: Index, progress: Progress) -> Before | None:
    """What clashed at the revision that ``--since`` names, by the same index and with the same options."""
    if settings.since is None:
        return None
    from conflictcheck.revisions import older_settings, same_sections, tree_at  # noqa: PLC0415 - rarely needed

    place = f"at {settings.since}"
    with tree_at(settings.since, settings.cwd) as tree:
        older = older_settings(settings, tree)
        try:
            given = read_input(older, may_be_empty=True)
        except InputErrors as error:
            return Before(settings.since, place, (), tuple(tree.unnamed(problem) for problem in error.shown))
        policy, _, _ = merge_file_options(older, given.read.specs)
        read = replace(given.read, specs=same_sections(given.read.specs, specs, settings))
        run = _Run(read, given.shared, make_targets(older), policy, FactStore(index), progress)
        return run.before(settings.since, place, tree.unnamed)


def make_targets(settings: Settings) -> dict[str, tuple[Target, ...]]:
    """For each Python version, newest first, its target on every platform."""
    versions = sorted(dict.fromkeys(settings.python_versions), key=Version, reverse=True)
    return {
        version: tuple(make_target(version, platform) for platform in dict.fromkeys(settings.platforms))
        for version in versions
    }


def _with_problems(report: Report, problems: Iterable[str]) -> Report:
    """Trouble of the index that did not change the verdict, such as a cache that cannot be written."""
    found = [
        Diagnostic(Severity.WARNING, "index-problem", problem)
        for problem in dict.fromkeys(problems)
        if not any(problem in known.message for known in report.diagnostics)
    ]
    return replace(report, diagnostics=tuple(sorted([*report.diagnostics, *found], key=_diagnostic_order)))


class _Run(Struct, frozen=True):
    """The parts of one run, and what is made of them."""

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
        """Everything but whether it passes."""
        specs = tuple(sorted(self.read.specs, key=lambda spec: spec.id))
        lines = (*(line for spec in specs for line in spec.requirements), *self.shared)
        for target in next(iter(self.targets.values())):
            self.store.follow(Scout(target, lines, self.policy))
        oracle = Oracle(lines, self.targets, self.store, self.policy)
        positions = _positions(specs, self.shared)
        finder = ClashFinder(oracle, *positions)
        self.progress.phase("clashes")
        findings = finder.find()
        self.progress.phase("split")
        split = split_specs(findings.placeable, findings.cores, finder.probe)
        placement = place_specs(split, self.declared, findings, finder.probe)
        self.progress.phase("resolving")
        opinion = SecondOpinion(oracle, lines, jobs=self.jobs)
        resolved = [(name, part, finder.lines_of(part)) for name, part in placement.parts]
        answers = [oracle.resolve(part_lines) for _, _, part_lines in resolved]

        def checked(named: tuple[str, tuple[SpecId, ...], frozenset[int]], answer: Yes) -> Environment:
            name, part, part_lines = named
            environment = build_environment(oracle, name, part, part_lines, answer)
            opinion.check_environment(part_lines, answer)
            return environment

        placed = [(named, answer) for named, answer in zip(resolved, answers, strict=True) if isinstance(answer, Yes)]
        packages = sum(len(solution.releases) for _, answer in placed for solution in answer.solutions.values())
        jobs = jobs_for(self.jobs, worth_it=packages >= _MANY_PACKAGES)
        self.store.rest()
        environments = map_in_processes(lambda one: checked(*one), placed, jobs)
        cores = tuple(dict.fromkeys([*findings.cores, *split.cores, *placement.cores]))
        doubts = [
            *say_doubts(findings, split, placement.unclear, self.snapshot),
            *about_declared(placement, split, findings),
            *say_what_is_taken_for_granted(oracle.assumed),
        ]
        clashes = tuple(self._clash(oracle, core) for core in cores)
        self.store.rest()
        confirmed = opinion.confirm_clashes(cores)
        self.progress.phase("fixes")
        oracle.assume_locked()
        fixer = Fixer(
            oracle,
            *positions,
            cores=cores,
            placed=findings.placeable,
            environments=environments,
            compiled=self._compiled(),
            read=lambda: self.store.counts()["releases"],
        )
        verdict = _verdict(findings, placement, environments)
        fixes = fixer.find(target_environments) if verdict is not Verdict.UNDECIDED else Fixes(sought=False)
        diagnostics = [
            *self.read.diagnostics,
            *notes,
            *doubts,
            *say_why_clashes_stay(clashes, fixes),
            *confirmed(),
            *notice_oddities(oracle, self.store, environments, lines),
            *notice_old_releases(oracle, environments, finder.lines_of),
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
            diagnostics=tuple(sorted(dict.fromkeys(diagnostics), key=_diagnostic_order)),
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
        specs = tuple(sorted(self.read.specs, key=lambda spec: spec.id))
        lines = (*(line for spec in specs for line in spec.requirements), *self.shared)
        oracle = Oracle(lines, self.targets, self.store, self.policy)
        findings = ClashFinder(oracle, *_positions(specs, self.shared)).find()
        clashes = [self._clash(oracle, core) for core in findings.cores]
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

    def _clash(self, oracle: Oracle, core: Core) -> Clash:
        """A minimal set of lines in words: on each Python, for the platform where it fails."""
        reply = oracle.ask(frozenset(core.lines))
        failing = {version: place for version, (place, _) in reply.failures.items()} if isinstance(reply, No) else {}
        by_python = {}
        for version, targets in self.targets.items():
            target = next((target for target in targets if target.platform == failing.get(version)), targets[0])
            kernel = oracle.kernel(target)
            by_python[version] = word_clash(kernel, core.lines, explain_lines(kernel, core.lines))
        words = join_words(by_python, core.specs)
        requirements = tuple(oracle.lines[i] for i in core.lines)
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


def _positions(
    specs: Sequence[Spec], shared: Sequence[Requirement]
) -> tuple[dict[SpecId, frozenset[int]], frozenset[int]]:
    """The numbers of each spec's lines, and of the shared ones, in the order specs then shared."""
    found: dict[SpecId, frozenset[int]] = {}
    start = 0
    for spec in specs:
        found[spec.id] = frozenset(range(start, start + len(spec.requirements)))
        start += len(spec.requirements)
    return found, frozenset(range(start, start + len(shared)))


def _clash_id(specs: Sequence[SpecId], requirements: Sequence[Requirement]) -> str:
    """Stable: of the specs and what the lines say, not of where they stand."""
    lines = sorted(f"{line.spec}\t{said(line)}" for line in requirements)
    return hashlib.sha256("\n".join([*specs, "", *lines]).encode()).hexdigest()[:12]


def _verdict(findings: Findings, placement: Placement, environments: Sequence[Environment]) -> Verdict:
    if findings.doubts or placement.unclear is not None or len(environments) < len(placement.parts):
        return Verdict.UNDECIDED
    if any(len(core.specs) == 1 for core in findings.cores):
        return Verdict.UNSATISFIABLE
    return Verdict.COMPATIBLE if len(environments) <= 1 else Verdict.SPLIT


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


def _diagnostic_order(diagnostic: Diagnostic) -> tuple[int, str, str, int, str]:
    return (
        _SEVERITIES.index(diagnostic.severity), diagnostic.code, diagnostic.file or "", diagnostic.line or 0,
        diagnostic.message,
    )  # fmt: skip
