"""What a report says besides: of what is taken for granted, and of clashes without a fix."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conflictcheck.fixes import MOST_EDITS
from conflictcheck.model import Diagnostic, Severity
from conflictcheck.phrases import and_list, count
from conflictcheck.readers import WITH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.fixes import Fixes
    from conflictcheck.model import Clash


def say_what_is_taken_for_granted(assumed: frozenset[str]) -> list[Diagnostic]:
    """What a *no* rests on that would take too many requests to be sure of."""
    return [
        Diagnostic(
            Severity.WARNING,
            "assumed-locked",
            f"taken for granted: of the releases that were not looked into, none asks for a release of {name} that is "
            "chosen only on request (a pre-release, a yanked one, or source older than the Python version)",
        )
        for name in sorted(assumed)
    ]


def with_fixes(clash: Clash, place: int, fixes: Fixes) -> Clash:
    """The clash at that place in the report with the edits that resolve it, or why there are none."""
    menu, hopeless = tuple(fixes.menus.get(place, ())), fixes.hopeless.get(place, "")
    remarks = [f"No edit of {spec} alone resolves it: {why}." for spec, why in fixes.stuck.get(place, ())]
    remarks += [f"{fact}." for fact in fixes.upstream.get(place, ())]
    remarks += _about_fragments(clash)
    if not menu and not hopeless:
        remarks.append(_why_no_edit(clash, place, fixes))
    return replace(clash, fixes=menu, no_fix=hopeless, remarks=tuple(remarks))


def _about_fragments(clash: Clash) -> list[str]:
    """What tells URLs apart that look the same at a glance."""
    urls = sorted({(str(line.name), line.url) for line in clash.requirements if line.url is not None})
    places = Counter((name, url.partition("#")[0]) for name, url in urls)
    return [
        f"The URLs of {name} differ in what follows the # alone, which counts for pip as well: write the same in each."
        for (name, _), times in places.items()
        if times > 1
    ]


def _why_no_edit(clash: Clash, place: int, fixes: Fixes) -> str:
    """Why a clash is told without an edit, where it is not known that there is none."""
    if not fixes.sought:
        return "Edits were not looked for, as not everything could be decided."
    if place not in fixes.chosen:
        alone = f"`conflictcheck fix {_arguments(clash)}`"
        number = count(len(fixes.chosen), "clash", "clashes")
        return f"Edits are looked for in {number} alone; {alone} looks for them in this one."
    if not fixes.complete:
        return "No edit was found here before the search for edits reached its budget."
    return "No edit was found that resolves this and was shown to leave every other spec as well off."


def _arguments(clash: Clash) -> str:
    """What names the specs of a clash on the command line."""
    specs = [shlex.quote(spec) for spec in clash.specs if spec != WITH]
    return " ".join([*specs, *(f"--with {shlex.quote(line.text)}" for line in clash.requirements if line.spec == WITH)])


def say_why_clashes_stay(clashes: Sequence[Clash], fixes: Fixes) -> list[Diagnostic]:
    """Why clashes stay."""
    found = []
    for place, why in fixes.hopeless.items():
        line = clashes[place].requirements[0]
        message = f"no edit of requirement lines resolves the clash of {and_list(clashes[place].specs)}: {why}"
        found.append(Diagnostic(Severity.NOTE, "no-fix", message, line.file, line.line))
    if not fixes.complete:
        message = "not every clash was looked into for fixes: that would take longer than finding the clashes did"
        found.append(Diagnostic(Severity.NOTE, "fixes-incomplete", message))
    elif fixes.sought and len(clashes) > len(fixes.chosen):
        message = (
            f"edits were looked for in {len(fixes.chosen)} of {len(clashes)} clashes alone; conflictcheck fix with the "
            "specs of another one looks for them there"
        )
        found.append(Diagnostic(Severity.NOTE, "fixes-incomplete", message))
    if fixes.beyond:
        message = (
            f"no {MOST_EDITS} edits or fewer were found that come down to {count(fixes.beyond, 'environment')}; "
            f"conflictcheck fix --target-environments {fixes.beyond} looks for more"
        )
        found.append(Diagnostic(Severity.NOTE, "many-edits", message))
    return found
