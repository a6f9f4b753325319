"""From settings to a report: what commands call. Each opens an index, and makes a run of that and the input."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.version import Version

from conflictcheck import __version__
from conflictcheck.baseline import write_baseline
from conflictcheck.checked import Checked
from conflictcheck.doubts import say_outdated
from conflictcheck.errors import Disagreement, InputErrors
from conflictcheck.evidence import read_evidence, write_evidence
from conflictcheck.file_options import merge_file_options
from conflictcheck.given import files_read, read_input
from conflictcheck.index import open_index
from conflictcheck.known import Before, Known, judge, passes
from conflictcheck.model import (
    Diagnostic,
    ReadResult,
    Report,
    Severity,
    Verdict,
    in_order,
)
from conflictcheck.numbering import in_report_order
from conflictcheck.side_by_side import jobs_for
from conflictcheck.solver.scout import Scout
from conflictcheck.solver.store import FactStore
from conflictcheck.targets import make_target
from conflictcheck.writing import check_file, check_is_none_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from conflictcheck.given import Given
    from conflictcheck.index.base import Index
    from conflictcheck.model import Spec
    from conflictcheck.progress import Progress
    from conflictcheck.settings import IndexSettings, Policy, Settings
    from conflictcheck.targets import Target


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
    _keep_baseline_apart(settings, given)
    targets = make_targets(settings)
    policy, index_settings, notes = merge_file_options(settings, given.read.specs)
    source = _opened(index_settings, settings, progress, given) if index is None else index
    store = FactStore(source)
    try:
        _send_scouts(store, given, targets, policy)
        from conflictcheck.run import Run  # noqa: PLC0415 - most of start-up; the index is at work meanwhile

        before = before or _before(settings, given.read.specs, source, progress)
        snapshot = index_settings.snapshot
        run = Run(given.read, given.shared, targets, policy, store, progress, snapshot, given.declared, settings.jobs)
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


def write_snapshot(settings: Settings, output: Path, progress: Progress, *, given: Given | None = None) -> Report:
    """Check, and write the facts that the run used into one portable file.

    Args:
        settings: of the run.
        output: the file to write; replaced as a whole or not at all.
        progress: is told what happens.
        given: as for `check_files`.

    Returns:
        The report. If it is undecided, nothing is written: a snapshot must give the same answer later.

    Raises:
        ConflictCheckError: as `check`; OutputError if the file cannot be written.
    """
    from conflictcheck.index import snapshot  # noqa: PLC0415 - needed by this command alone

    given = given or read_input(settings)
    _, index_settings, _ = merge_file_options(settings, given.read.specs)
    recording = snapshot.RecordingIndex(_opened(index_settings, settings, progress, given))
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
    from conflictcheck.run import Run  # noqa: PLC0415 - as above

    settings, specs, shared, index = read_evidence(file)
    run = Run(ReadResult(specs), shared, make_targets(settings), settings.policy, FactStore(index), progress)
    return judge(run.report((), target_environments=None), Known(), settings.max_environments)


def check_between(settings: Settings, older: Path, progress: Progress, given: Given) -> Report:
    """Check with the facts of one snapshot, and compare with those of an older one: only what is new counts.

    Args:
        settings: of the run; the index is the newer snapshot.
        older: the older snapshot.
        progress: is told what happens.
        given: the input.

    Raises:
        ConflictCheckError: as `check`; SnapshotError if a snapshot cannot be read.
    """
    from conflictcheck.run import Run  # noqa: PLC0415 - as above

    _keep_baseline_apart(settings, given, older)
    policy, index_settings, _ = merge_file_options(settings, given.read.specs)
    with closing(open_index(replace(index_settings, snapshot=older), progress)) as index:
        run = Run(given.read, given.shared, make_targets(settings), policy, FactStore(index), progress, older)
        before = run.before(older.as_posix(), f"in {older.as_posix()}")
    report = check_files(settings, progress, given=given, before=before).report
    if not before.lacking:
        return report
    diagnostics = in_order([*report.diagnostics, say_outdated(older, before.lacking)])
    return replace(report, verdict=Verdict.UNDECIDED, passed=False, diagnostics=diagnostics)


def _keep_baseline_apart(settings: Settings, given: Given, *more: Path) -> None:
    """See that the baseline to be written replaces nothing that is read, but for the baseline itself."""
    if settings.write_baseline is not None:
        check_is_none_of(
            settings.cwd / settings.write_baseline,
            [*files_read(replace(settings, baseline=None), given), *more],
            hint="name another one with --write-baseline",
            name=settings.write_baseline.as_posix(),
        )


def _opened(index_settings: IndexSettings, settings: Settings, progress: Progress, given: Given) -> Index:
    beside = jobs_for(settings.jobs, worth_it=True) > 1
    return open_index(index_settings, progress, given.disguise, beside=beside)


def _send_scouts(store: FactStore, given: Given, targets: Mapping[str, tuple[Target, ...]], policy: Policy) -> None:
    """Have facts fetched before they are asked for, from those on that the lines name; for the newest Python alone."""
    _, lines = in_report_order(given.read.specs, given.shared)
    scouts = [Scout(target, lines, policy, store) for target in next(iter(targets.values()))]
    for scout in scouts:
        store.follow(scout)
    for scout in scouts:
        store.expect(scout.at_first())


def _before(settings: Settings, specs: Sequence[Spec], index: Index, progress: Progress) -> Before | None:
    """What clashed at the revision that ``--since`` names, by the same index and with the same options."""
    if settings.since is None:
        return None
    from conflictcheck.revisions import older_settings, same_sections, tree_at  # noqa: PLC0415 - rarely needed
    from conflictcheck.run import Run  # noqa: PLC0415 - as above

    place = f"at {settings.since}"
    with tree_at(settings.since, settings.cwd) as tree:
        older = older_settings(settings, tree)
        try:
            given = read_input(older, may_be_empty=True)
        except InputErrors as error:
            return Before(settings.since, place, (), tuple(tree.unnamed(problem) for problem in error.shown))
        policy, _, _ = merge_file_options(older, given.read.specs)
        read = replace(given.read, specs=same_sections(given.read.specs, specs, settings))
        run = Run(read, given.shared, make_targets(older), policy, FactStore(index), progress)
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
    return replace(report, diagnostics=in_order([*report.diagnostics, *found]))
