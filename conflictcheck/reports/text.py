"""The report for people: the sentence that matters first, then the reasons, then the rest."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar

from conflictcheck.escaping import visible
from conflictcheck.model import APART, IN_BASELINE, RequirementKind, Severity, Verdict
from conflictcheck.phrases import and_list, count, place, targets_of
from conflictcheck.reports.alike import alike, say_alike
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.layout import Page, Style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflictcheck.model import Clash, Diagnostic, Environment, Fix, GoneClash, Minimum, Report, Requirement, SpecId

_CLASHES_IN_FULL = 8
"""Further clashes are only summed up, unless -v is given."""
_NAMES = 12
"""Further specs of a list are only counted, unless -v is given."""
_ALIKE = 3
"""Further diagnostics of one code are only counted, unless -v is given, and more specs that an edit does not help."""
_HELP_UNDECIDED = (
    "mend what is named above and run again; --offline and --index-snapshot answer from facts that were kept earlier"
)
BETTER_SPLIT = "better-split"
"""The code of a note that every report for people tells beside the environments."""
_NOT_COUNTED = frozenset({"spec-found", "settings-file", BETTER_SPLIT})
"""Notes that are told elsewhere, or that nobody misses without -v."""
_LABELS: dict[Severity, Style] = {Severity.ERROR: "bad", Severity.WARNING: "doubtful", Severity.NOTE: "bold"}
_KINDS = {RequirementKind.CONSTRAINT: "constraint", RequirementKind.OVERRIDE: "override"}


class TextReport(ReportFormat):
    """Prose and indented lists, readable at 80 columns and without colour."""

    name = "text"
    headlines: ClassVar[dict[Verdict, Callable[[Page, Report], None]]]

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:
        """Word the report; ``-v`` adds pins, notes and whatever is else shortened."""
        page = Page(width=width, color=color)
        if counted := _counted(report):
            page.prose(counted, style="good" if report.passed else "bad")
        headline(report)(page, report)
        if report.verdict is Verdict.UNDECIDED:
            _diagnostics(page, report.diagnostics, Severity.ERROR, verbose=verbose)
            # What is outdated is told with the command that mends it.
            if any(one.severity is Severity.ERROR and one.code != "snapshot-outdated" for one in report.diagnostics):
                page.gap()
                page.prose(_HELP_UNDECIDED, label="help:", label_style="bold")
        _clashes(page, report, verbose=verbose)
        if report.verdict is not Verdict.COMPATIBLE or verbose:
            for environment in report.environments:
                _environment(page, environment, verbose=verbose)
        if report.minimum.why and report.minimum.environments > 1:
            page.gap()
            page.prose(report.minimum.why, label=f"Why {report.minimum.environments} environments:", label_style="bold")
        for sentence in better_split(report):
            page.gap()
            page.prose(sentence, label="Fewer:", label_style="bold")
        _fix_for_all(page, report)
        if report.verdict is not Verdict.UNDECIDED:
            _diagnostics(page, report.diagnostics, Severity.ERROR, verbose=verbose)
        _diagnostics(page, report.diagnostics, Severity.WARNING, verbose=verbose)
        _notes(page, report.diagnostics, verbose=verbose)
        return page.text()


def summarize(report: Report) -> str:
    """What the text report says first of specs and environments, without colour and on one line."""
    page = Page(width=10_000, color=False)
    headline(report)(page, report)
    return page.text().split("\n", 1)[0]


def summarize_with_counts(report: Report) -> str:
    """The same on one line, after how many of the clashes count where some do not."""
    return f"{visible(_counted(report))} {summarize(report)}".lstrip()


def headline(report: Report) -> Callable[[Page, Report], None]:
    """What writes the first sentence: about the declared environments where there are any, else about the split."""
    if report.declared and report.verdict in (Verdict.COMPATIBLE, Verdict.SPLIT):
        return _declared
    return TextReport.headlines[report.verdict]


def _compatible(page: Page, report: Report) -> None:
    number = len(report.specs)
    specs = "The spec fits" if number == 1 else "Both specs fit" if number == 2 else f"All {number} specs fit"  # noqa: PLR2004 - "both" means two
    packages = sum(len(environment.packages) for environment in report.environments)
    page.prose(f"{specs} in one environment ({count(packages, 'package')}, {targets_of(report)}).", style="good")


def _split(page: Page, report: Report) -> None:
    minimum = report.minimum
    if minimum.proven:
        page.prose(
            f"{count(minimum.environments, 'environment')} needed: {count(len(report.specs), 'spec')} cannot share "
            f"{_fewer(minimum)} (proven: no split into fewer exists).",
            style="good" if report.passed else "bad",
        )
    else:
        page.prose(
            f"{count(minimum.environments, 'environment')} found for {count(len(report.specs), 'spec')}; whether fewer "
            f"suffice is not known (at least {minimum.lower_bound}).",
            style="good" if report.passed else "bad",
        )
    if report.passed and not report.compared_with and not any(clash.known for clash in report.clashes):
        page.prose("That is within --max-environments.")


def _counted(report: Report) -> str:
    """A sentence on how many of the clashes count, on which alone it then depends whether the run passes.

    Empty where all of them count.
    """
    known = sum(clash.known not in ("", APART) for clash in report.clashes)
    if report.verdict is Verdict.UNDECIDED or not (known or report.gone or report.compared_with):
        return ""
    new = sum(not clash.known for clash in report.clashes)
    parts = [count(new, "new clash", "new clashes") if new else "no new clash"]
    parts += [f"{known} known"] if known else []
    parts += [f"{len(report.gone)} gone"] if report.gone else []
    sentence = ", ".join(parts)
    if new and report.passed:
        sentence += ", within --max-environments"
    elif not new and not report.passed:
        sentence += " that could be found: not every set of specs could be tried"
    where = f"Compared with {report.compared_with}: " if report.compared_with else ""
    said = f"{where}{sentence}."
    return f"{said[:1].upper()}{said[1:]}"


def _declared(page: Page, report: Report) -> None:
    failing = [one.name for one in report.declared if not one.holds]
    number = len(report.declared)
    whose = "The declared environment" if number == 1 else f"Each of the {number} declared environments"
    if failing:
        shown = and_list(failing[:_NAMES], more=len(failing) - _NAMES)
        page.prose(
            f"{len(failing)} of {count(number, 'declared environment')} cannot hold its specs: {shown}."
            if len(failing) == 1
            else f"{len(failing)} of {number} declared environments cannot hold their specs: {shown}.",
            style="good" if report.passed else "bad",
        )
    else:
        page.prose(f"{whose} holds its specs.", style="good" if report.passed else "bad")
    if further := len(report.undeclared):
        page.prose(f"What is in none of them fits in {count(further, 'further environment')}.")
    if not failing and not report.passed:
        page.prose(f"{count(len(report.environments), 'environment')} are more than are acceptable.")


def better_split(report: Report) -> list[str]:
    """What to declare so that there are fewer environments: a sentence, or none."""
    return [f"{note.message}." for note in report.diagnostics if note.code == BETTER_SPLIT]


def _unsatisfiable(page: Page, report: Report) -> None:
    alone = _unplaced(report)
    others = len(report.specs) - len(alone)
    if len(report.specs) == 1:
        page.prose(f"{and_list(alone)} cannot be installed.", style="bad")
    elif not others:
        page.prose(f"None of the {len(report.specs)} specs can be installed, even on its own.", style="bad")
    else:
        shown = and_list(alone[:_NAMES], more=len(alone) - _NAMES)
        own = "its own" if len(alone) == 1 else "their own"
        page.prose(
            f"{len(alone)} of {len(report.specs)} specs cannot be installed even on {own}: {shown}.", style="bad"
        )
        page.prose(_about_the_others(report.minimum, others))


def _about_the_others(minimum: Minimum, others: int) -> str:
    who, fits = ("The other spec", "fits") if others == 1 else (f"The other {others} specs", "fit")
    if minimum.environments <= 1:
        return f"{who} {fits} in one environment."
    environments = count(minimum.environments, "environment")
    if minimum.proven:
        return f"{who} need {environments} (proven: no split into fewer exists)."
    return f"{who} fit in {environments}; whether fewer suffice is not known (at least {minimum.lower_bound})."


def _undecided(page: Page, report: Report) -> None:
    alone = [clash.specs[0] for clash in report.clashes if len(clash.specs) == 1]
    unplaced = [spec for spec in _unplaced(report) if spec not in alone]
    about = ""
    if unplaced and report.environments:
        about = f" about {and_list(unplaced[:_NAMES], more=len(unplaced) - _NAMES)}"
    page.prose(
        f"Undecided: not everything that matters could be found out, so nothing is claimed{about}.", style="doubtful"
    )
    if alone:
        own = "its own" if len(alone) == 1 else "their own"
        page.prose(f"{and_list(alone[:_NAMES], more=len(alone) - _NAMES)} cannot be installed even on {own}.")
    if not any(diagnostic.severity is Severity.ERROR for diagnostic in report.diagnostics):
        page.prose("The search ended before it found an answer.")


TextReport.headlines = {
    Verdict.COMPATIBLE: _compatible,
    Verdict.SPLIT: _split,
    Verdict.UNSATISFIABLE: _unsatisfiable,
    Verdict.UNDECIDED: _undecided,
}


def _fewer(minimum: Minimum) -> str:
    fewer = minimum.environments - 1
    return "one" if fewer == 1 else f"{fewer}"


def _unplaced(report: Report) -> list[SpecId]:
    placed = {spec for environment in report.environments for spec in environment.specs}
    return [spec.id for spec in report.specs if spec.id not in placed]


def _clashes(page: Page, report: Report, *, verbose: int) -> None:
    groups = alike([clash for clash in report.clashes if not clash.known])
    in_full = len(groups) if verbose else _CLASHES_IN_FULL
    told_once = _told_once(report.clashes)
    for number, group in enumerate(groups[:in_full], start=1):
        label = "Clash:" if len(groups) == 1 else f"Clash {number} of {len(groups)}:"
        write_clash(page, group[0], label, verbose=verbose, told_once=told_once)
        write_alike(page, group, most=None if verbose else _NAMES)
    if rest := groups[in_full:]:
        page.gap()
        page.prose(f"{count(len(rest), 'more clash', 'more clashes')}, in short (-v shows everything):")
        for number, group in enumerate(rest, start=in_full + 1):
            page.prose(group[0].summary + _and_more(group), first=f"  {number}. ")
    _known(page, report, verbose=verbose, told_once=told_once)
    for remark in told_once:
        page.gap()
        page.prose(remark)
    if report.clashes and not report.clashes_complete:
        page.gap()
        page.prose("There may be further clashes: not every set of specs could be tried.", style="yellow")
    _gone(page, report, verbose=verbose)


def _told_once(clashes: Sequence[Clash]) -> list[str]:
    """The remarks that are those of every one of several clashes."""
    if len(clashes) < 2:  # noqa: PLR2004 - one has a remark of its own
        return []
    common = set.intersection(*(set(clash.remarks) for clash in clashes))
    return [remark for remark in clashes[0].remarks if remark in common]


def _and_more(group: Sequence[Clash]) -> str:
    more = len(group) - 1
    return f" {more} more {'says' if more == 1 else 'say'} the same." if more else ""


def _known(page: Page, report: Report, *, verbose: int, told_once: Sequence[str]) -> None:
    """The clashes that do not count: in short, unless -v is given."""
    groups = alike([clash for clash in report.clashes if clash.known])
    if verbose:
        for group in groups:
            write_clash(page, group[0], f"Known clash ({group[0].known}):", verbose=verbose, told_once=told_once)
            write_alike(page, group)
        return
    if groups:
        page.gap()
        page.prose("Known, and not counted (-v shows everything):")
    for group in groups[:_NAMES]:
        said = group[0].summary.removesuffix(".")
        page.prose(f"{said} ({group[0].known}).{_and_more(group)}", first="  - ")
    if rest := sum(map(len, groups[_NAMES:])):
        page.prose(f"and {rest} more", first="  - ")


def _gone(page: Page, report: Report, *, verbose: int) -> None:
    if not report.gone:
        return
    page.gap()
    page.prose("Gone:")
    shown = report.gone if verbose else report.gone[:_NAMES]
    for clash in shown:
        page.prose(describe_gone(clash), first="  - ")
    if len(shown) < len(report.gone):
        page.prose(f"and {len(report.gone) - len(shown)} more (-v lists them)", first="  - ")
    if any(clash.was == IN_BASELINE for clash in report.gone):
        page.prose("Write the baseline anew (--write-baseline), so that these count if they come back.", first="  ")


def describe_gone(clash: GoneClash) -> str:
    """What is no more, in a sentence; by its id where nobody wrote down what it was about."""
    return f"{(clash.summary or clash.id).removesuffix('.')} (was {clash.was})."


def write_clash(page: Page, clash: Clash, label: str, *, verbose: int, told_once: Sequence[str] = ()) -> None:
    """A clash with its lines, its argument and what resolves it, without the remarks that are told once for all."""
    page.gap()
    page.prose(clash.summary, label=label, label_style="bad", style="bold")
    page.pairs([(place(line), _asks(line)) for line in clash.requirements], indent=2)
    if clash.steps:
        page.gap()
    for number, step in enumerate(clash.steps, start=1):
        digits = len(str(len(clash.steps)))
        page.prose(step, first=f"  {number:>{digits}}. " if len(clash.steps) > 1 else "  ")
    if not clash.minimal:
        page.prose("Not each of these lines was shown to be needed.", first="  ", style="yellow")
    remarks = [remark for remark in clash.remarks if remark not in told_once]
    if clash.fixes or clash.no_fix or remarks:
        page.gap()
    for number, fix in enumerate(clash.fixes):
        page.prose(f"{describe_fix(fix)}.", first="  ", label="Or:" if number else "To fix:", label_style="bold")
    if clash.no_fix:
        page.prose(f"No edit of requirement lines resolves this: {clash.no_fix}.", first="  ")
    for remark in remarks:
        page.prose(remark, first="  ")
    if verbose:
        page.prose(f"kind {clash.kind.value}, id {clash.id}", first="  ", style="dim")


def write_alike(page: Page, group: Sequence[Clash], *, most: int | None = None) -> None:
    """Which other clashes say the same as the first of a group, if any; and all of their edits, where all are named."""
    if len(group) == 1:
        return
    page.gap()
    page.prose(say_alike(group, most=most), first="  ")
    shown = {fix.edits for fix in group[0].fixes}
    for clash in group[1:] if most is None else ():
        for fix in clash.fixes:
            if fix.edits not in shown:
                shown.add(fix.edits)
                page.prose(f"{describe_fix(fix)}.", first="  ", label=f"For {and_list(clash.specs)}:")


def _fix_for_all(page: Page, report: Report) -> None:
    """What brings the specs into fewest environments, where that is not what the menu of the only clash says."""
    if len(report.clashes) > 1 and report.fixes:
        fix = report.fixes[0]
        page.gap()
        label = f"To need {count(fix.environments_after, 'environment')}:"
        page.prose(f"{describe_fix(fix)}.", label=label, label_style="bold")


def describe_fix(fix: Fix) -> str:
    """A fix as a clause: ``change a.txt:3 `numpy<1.24` to `numpy<2` (tried: 1 environment then)``."""
    edits = and_list(
        [
            f"{place(edit)} `{edit.old}` to `{edit.new}`"
            + (f" (a line of {and_list([edit.spec, *edit.also])})" if edit.also else "")
            for edit in fix.edits
        ]
    )
    return f"change {edits} (tried: {describe_outcome(fix)})"


def describe_outcome(fix: Fix) -> str:
    """What the edits of a fix come to: ``2 environments then, and a.txt still cannot be installed``."""
    number = len(fix.left_out)
    who = and_list(fix.left_out) if number <= _ALIKE else f"{number} specs"
    still = f", and {who} still cannot be installed" if number else ""
    return f"{count(fix.environments_after, 'environment')} then{still}"


def _asks(line: Requirement) -> str:
    remarks = [_KINDS[line.kind]] if line.kind in _KINDS else []
    if line.file is not None and line.spec != line.file:
        remarks.append(f"for {line.spec}")
    return f"{line.text} ({', '.join(remarks)})" if remarks else line.text


def _environment(page: Page, environment: Environment, *, verbose: int) -> None:
    page.gap()
    page.prose(
        f"{count(len(environment.specs), 'spec')}, {count(len(environment.packages), 'package')}, "
        f"Python {environment.python_version}",
        label=f"Environment {environment.name}:",
        label_style="bold",
    )
    shown = environment.specs if verbose else environment.specs[:_NAMES]
    for spec in shown:
        page.prose(spec, first="  ", style="cyan")
    if len(shown) < len(environment.specs):
        page.prose(f"and {len(environment.specs) - len(shown)} more (-v lists them)", first="  ")
    if verbose and environment.packages:
        page.gap()
        page.pairs(
            [
                (_pinned(pin.name, pin.version, pin.extras), _via(pin.requested_by, pin.platforms))
                for pin in environment.packages
            ],
            indent=4,
            style="",
        )


def _pinned(name: str, version: str, extras: Sequence[str]) -> str:
    return f"{name}[{','.join(extras)}] {version}" if extras else f"{name} {version}"


def _via(requested_by: Sequence[str], platforms: Sequence[str]) -> str:
    asked = f"for {', '.join(requested_by)}" if requested_by else ""
    return f"{asked} (on {and_list(platforms)} alone)" if platforms else asked


def _diagnostics(page: Page, diagnostics: Sequence[Diagnostic], severity: Severity, *, verbose: int) -> None:
    alike: defaultdict[str, list[Diagnostic]] = defaultdict(list)
    for diagnostic in diagnostics:
        if diagnostic.severity is severity:
            alike[diagnostic.code].append(diagnostic)
    if alike:
        page.gap()
    for code, found in alike.items():
        shown = found if verbose else found[:_ALIKE]
        for diagnostic in shown:
            page.prose(_located(diagnostic), label=f"{severity.value}[{code}]:", label_style=_LABELS[severity])
        if len(shown) < len(found):
            page.prose(f"and {len(found) - len(shown)} more like this (-v lists them)", first="  ")


def _located(diagnostic: Diagnostic) -> str:
    if diagnostic.file is None:
        return diagnostic.message
    line = "" if diagnostic.line is None else f":{diagnostic.line}"
    return f"{diagnostic.file}{line}: {diagnostic.message}"


def _notes(page: Page, diagnostics: Sequence[Diagnostic], *, verbose: int) -> None:
    if verbose:
        told = [diagnostic for diagnostic in diagnostics if diagnostic.code != BETTER_SPLIT]
        _diagnostics(page, told, Severity.NOTE, verbose=verbose)
        return
    notes = [
        diagnostic
        for diagnostic in diagnostics
        if diagnostic.severity is Severity.NOTE and diagnostic.code not in _NOT_COUNTED
    ]
    passed_over = sum(diagnostic.code == "passed-over" for diagnostic in notes)
    parts = [count(passed_over, "file") + " passed over"] if passed_over else []
    if others := len(notes) - passed_over:
        parts.append(count(others, "note"))
    if parts:
        page.gap()
        verb = "lists it" if len(notes) == 1 else "lists them"
        page.prose(f"{and_list(parts)}; -v {verb}.", style="dim")
