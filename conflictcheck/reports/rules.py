"""What each rule is about, for services that show that beside a finding."""

from __future__ import annotations

from conflictcheck.model import ClashKind

_DOCUMENTS = "docs/diagnostics.md"
"""The page of conflictcheck's repository with a section for each rule. A link would have to be an address."""
_ANY_CLASH = "A clash is a minimal set of lines: drop any one of them and the rest can be satisfied together."
_CLASHES = {
    ClashKind.VERSION: (
        "Requirements ask for versions of one package that do not meet",
        "Widen one of the lines, take another release, or keep the specs in environments of their own.",
    ),
    ClashKind.PYTHON: (
        "Requirements ask for Python versions that do not meet",
        "Take another Python version, a release that supports it, or widen requires-python.",
    ),
    ClashKind.PLATFORM: (
        "No file of a release suits the platform",
        "Take a release with a wheel for the platform, or allow its source distribution.",
    ),
    ClashKind.MISSING_PACKAGE: (
        "A package is on no index",
        "Look at the spelling of the name, and whether the index that has it is among those that are asked.",
    ),
    ClashKind.MISSING_VERSION: (
        "No release is in the range that is asked for",
        "Ask for a version that exists, or allow pre-releases or yanked files where these are meant.",
    ),
    ClashKind.EXTRA: (
        "An extra cannot be had",
        "Ask for an extra that the release has.",
    ),
    ClashKind.SOURCE: (
        "Direct references to one package exclude each other",
        "Let all specs name the same URL, or keep them in environments of their own.",
    ),
    ClashKind.FILES: (
        "No file of the package has one of the hashes",
        "Write the hashes anew from the index that is asked.",
    ),
}


def rule_name(rule: str) -> str:
    """A rule in a few words, without a full stop."""
    kind = _kind(rule)
    return _CLASHES[kind][0] if kind else rule.replace("-", " ").capitalize()


def rule_help(rule: str) -> str:
    """What the rule means, and what to do, in a few sentences."""
    kind = _kind(rule)
    about = (
        f"{_CLASHES[kind][0]}. {_ANY_CLASH} {_CLASHES[kind][1]}"
        if kind
        else "Noticed on the way; it does not change the exit code by itself."
    )
    return f"{about} More: {_DOCUMENTS}#{rule} in the repository of conflictcheck."


def _kind(rule: str) -> ClashKind | None:
    prefix, _, kind = rule.partition("-")
    return ClashKind(kind) if prefix == "clash" and kind in list(ClashKind) else None
