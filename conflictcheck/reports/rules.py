"""What each rule is about, for services that show that beside a finding."""

from __future__ import annotations

from conflictcheck.codes import CLASHES, DIAGNOSTICS, DOCUMENT
from conflictcheck.model import ClashKind

_ANY_CLASH = "A clash is a minimal set of lines: drop any one of them and the rest can be satisfied together."
_ADVICE = {
    ClashKind.VERSION: "Widen one of the lines, take another release, or keep the specs in environments of their own.",
    ClashKind.PYTHON: "Take another Python version, a release that supports it, or widen requires-python.",
    ClashKind.PLATFORM: "Take a release with a wheel for the platform, or allow its source distribution.",
    ClashKind.MISSING_PACKAGE: "Look at the spelling of the name, and whether the index that has it is among those "
    "that are asked.",
    ClashKind.MISSING_VERSION: "Ask for a version that exists, or allow pre-releases or yanked files where these are "
    "meant.",
    ClashKind.EXTRA: "Ask for an extra that the release has.",
    ClashKind.SOURCE: "Let all specs name the same URL, or keep them in environments of their own.",
    ClashKind.FILES: "Write the hashes anew from the index that is asked.",
}


def rule_meaning(rule: str) -> str:
    """What the rule means, in one sentence."""
    kind = _kind(rule)
    return CLASHES[kind] if kind else DIAGNOSTICS.get(rule, f"{rule.replace('-', ' ').capitalize()}.")


def rule_help(rule: str) -> str:
    """What the rule means, and what to do, in a few sentences."""
    kind = _kind(rule)
    about = (
        f"{_ANY_CLASH} {_ADVICE[kind]}" if kind else "Noticed on the way; it does not change the exit code by itself."
    )
    # A link would have to be an address.
    return f"{rule_meaning(rule)} {about} More: {DOCUMENT}#{rule} in the repository of conflictcheck."


def _kind(rule: str) -> ClashKind | None:
    prefix, _, kind = rule.partition("-")
    return ClashKind(kind) if prefix == "clash" and kind in list(ClashKind) else None
