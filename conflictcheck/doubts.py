"""What could not be decided, as diagnostics; a snapshot that lacks the facts is told once, with all that it lacks."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from conflictcheck.index.base import NOT_IN_SNAPSHOT
from conflictcheck.model import Diagnostic, Severity
from conflictcheck.phrases import and_list

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conflictcheck.clashes import Findings
    from conflictcheck.model import SpecId
    from conflictcheck.splitting import Split

_SPECS = 12
"""Further specs that a snapshot lacks facts about are only counted."""


def say_doubts(findings: Findings, split: Split, unclear: str | None, snapshot: Path | None) -> list[Diagnostic]:
    """What is not known about single specs, about several together, and about the split.

    Args:
        findings: of the search for clashes.
        split: of the specs that can be installed.
        unclear: why the environments of the report could not be decided, or None.
        snapshot: the file that all facts come from, or None.
    """
    decided = unclear is None
    lacking: dict[str, str] = {}
    if snapshot is not None:
        lacking = lacking_facts(findings.doubts)
        if unclear is not None and _lacks(unclear):
            lacking["the specs together"], unclear = _fact(unclear), None
    found = [
        Diagnostic(Severity.ERROR, "undecided-spec", f"{spec} could not be decided: {reason}", spec.partition("#")[0])
        for spec, reason in findings.doubts.items()
        if spec not in lacking
    ]
    found += [
        Diagnostic(Severity.WARNING, "clashes-incomplete", f"not every clash may be listed: {reason}")
        for reason in dict.fromkeys(findings.unclear)
        if not (lacking and _lacks(reason))
    ]
    if unclear is not None:
        found.append(Diagnostic(Severity.ERROR, "undecided-split", f"the split could not be decided: {unclear}"))
    elif decided and not split.proven:
        found.append(
            Diagnostic(Severity.WARNING, "split-not-proven", "the search for a smaller split reached its budget")
        )
    return [*found, say_outdated(snapshot, lacking)] if snapshot is not None and lacking else found


def lacking_facts(doubts: Mapping[SpecId, str]) -> dict[str, str]:
    """The specs that a snapshot lacks facts about, sorted, each with one of these facts.

    Args:
        doubts: why each spec is undecided.
    """
    return {spec: _fact(reason) for spec, reason in sorted(doubts.items()) if _lacks(reason)}


def say_outdated(snapshot: Path, lacking: Mapping[str, str]) -> Diagnostic:
    """What a snapshot lacks, and how to write it anew."""
    about = and_list([f"{what} ({fact})" for what, fact in lacking.items()][:_SPECS], more=len(lacking) - _SPECS)
    name = snapshot.as_posix()
    message = (
        f"the snapshot lacks facts about {about}; write it anew, with the other options of this run: "
        f"conflictcheck snapshot -o {shlex.quote(name)}"
    )
    return Diagnostic(Severity.ERROR, "snapshot-outdated", message, name)


def _lacks(reason: str) -> bool:
    return reason.endswith(NOT_IN_SNAPSHOT)


def _fact(reason: str) -> str:
    return reason.removesuffix(f": {NOT_IN_SNAPSHOT}")
