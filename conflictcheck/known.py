"""Clashes that are known: in a baseline, ignored, declared, kept apart, or there before. Only others count.

An entry never makes a verdict: what is undecided stays so, and where not every clash could be found, what goes beyond
``--max-environments`` does not pass for being known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from conflictcheck.model import APART, IN_BASELINE, Diagnostic, GoneClash, Severity, Verdict
from conflictcheck.phrases import and_list, count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conflictcheck.model import Clash, Declared, DeclaredConflict, Report


class Known(Struct, frozen=True):
    """What is known before anything is resolved.

    Attributes:
        file: the baseline as the user named it, or None.
        baseline: the summary of each clash in it, by id.
        ignored: ids, or their beginnings.
        conflicts: sections of a file that are not to be installed together.
    """

    file: str | None = None
    baseline: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    conflicts: tuple[DeclaredConflict, ...] = ()


class Before(Struct, frozen=True):
    """The clashes of an earlier state.

    Attributes:
        name: of the revision or snapshot.
        place: where that is: ``at main``, ``in old.snapshot``.
        clashes: what was found there.
        doubts: why that may not be all; empty where it is.
        lacking: specs that this snapshot lacks facts about, each with one of these facts.
    """

    name: str
    place: str
    clashes: tuple[Clash, ...]
    doubts: tuple[str, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)


def judge(report: Report, known: Known, max_environments: int | None, before: Before | None = None) -> Report:
    """Say of each clash whether it is known, which are gone, and whether the run passes.

    Args:
        report: with every clash that was found.
        known: what is expected.
        max_environments: how many environments are acceptable; None for one, or as many as are declared.
        before: the earlier state, if the run is compared with one.

    Returns:
        The report, with notes on what in the baseline and in ``--ignore`` is of no use.
    """
    earlier = {clash.id: clash for clash in before.clashes} if before else {}
    ignored, useless = _ignored(report.clashes, known.ignored)
    clashes = tuple(
        replace(clash, known=_why_known(clash, known, ignored, before, earlier) or _apart(clash, report.declared))
        for clash in report.clashes
    )
    gone: list[GoneClash] = []
    notes = list(useless)
    if report.verdict is not Verdict.UNDECIDED and report.clashes_complete:
        present = {clash.id for clash in clashes}
        stale = [GoneClash(key, said, IN_BASELINE) for key, said in known.baseline.items() if key not in present]
        gone += stale
        if before is not None:
            gone += [
                GoneClash(key, clash.summary, before.place)
                for key, clash in earlier.items()
                if key not in present and key not in known.baseline
            ]
        notes += _about_baseline(known.file, stale)
    if before is not None:
        notes += [_about_doubt(before.place, doubt) for doubt in before.doubts]
    report = replace(report, clashes=clashes, gone=tuple(sorted(gone)), diagnostics=(*report.diagnostics, *notes))
    if before is not None:
        report = replace(report, compared_with=before.name)
    return replace(report, passed=passes(report, max_environments))


def passes(report: Report, max_environments: int | None) -> bool:
    """Whether every spec is placed, as declared and in few enough environments, or only what is known is in the way."""
    if report.verdict is Verdict.UNDECIDED:
        return False
    new = [clash for clash in report.clashes if not clash.known]
    if any(len(clash.specs) == 1 for clash in new):
        return False
    few = len(report.environments) <= (max_environments or report.acceptable)
    if few and all(one.holds for one in report.declared):
        return True
    # What the settings keep apart is no reason to need more environments than are acceptable.
    in_the_way = [clash for clash in report.clashes if clash.known != APART]
    return bool(in_the_way) and not new and report.clashes_complete


def _why_known(
    clash: Clash, known: Known, ignored: frozenset[str], before: Before | None, earlier: Mapping[str, Clash]
) -> str:
    for conflict in known.conflicts:
        if conflict.names(clash.specs):
            return f"declared in [tool.uv] conflicts of {conflict.file}"
    if clash.id in ignored:
        return "ignored"
    if clash.id in known.baseline:
        return IN_BASELINE
    if before is not None and clash.id in earlier:
        return f"{before.place} already"
    return ""


def _apart(clash: Clash, declared: Sequence[Declared]) -> str:
    """Whether the declared environments keep the specs of a clash apart, so that it is as it should be."""
    specs = set(clash.specs)
    somewhere = {spec for one in declared for spec in one.specs}
    together = somewhere.isdisjoint(specs) or any(specs <= set(one.specs) for one in declared)
    return "" if together else APART


def _ignored(clashes: Sequence[Clash], given: Sequence[str]) -> tuple[frozenset[str], list[Diagnostic]]:
    """The ids that are meant, and a note on each value that does not name one."""
    ids = sorted({clash.id for clash in clashes})
    meant: set[str] = set()
    notes = []
    for start in dict.fromkeys(given):
        found = [one for one in ids if one.startswith(start)]
        if len(found) == 1:
            meant.update(found)
            continue
        what = f"names {count(len(found), 'clash', 'clashes')}: {and_list(found)}" if found else "names no clash here"
        notes.append(Diagnostic(Severity.NOTE, "ignore-without-effect", f"--ignore {start} {what}"))
    return frozenset(meant), notes


def _about_baseline(file: str | None, stale: Sequence[GoneClash]) -> list[Diagnostic]:
    if not stale:
        return []
    verb = "is" if len(stale) == 1 else "are"
    message = (
        f"{count(len(stale), 'clash', 'clashes')} of the baseline {verb} gone; write it anew with --write-baseline, so "
        "that what is gone counts if it comes back"
    )
    return [Diagnostic(Severity.NOTE, "baseline-outdated", message, file)]


def _about_doubt(place: str, doubt: str) -> Diagnostic:
    message = f"not every clash {place} is known, so some that are told as new may have been there: {doubt}"
    return Diagnostic(Severity.WARNING, "comparison-incomplete", message)
