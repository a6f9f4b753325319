"""Every code that a diagnostic can have, and every kind of clash, each with what it means in one sentence.

Codes are stable: programs and people look for them. docs/diagnostics.md has a section for each of them with an example
and what to do; tests hold the source, this list and that document together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.model import ClashKind

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT = "docs/diagnostics.md"
"""Where all of them are explained, in the repository."""

DIAGNOSTICS: Mapping[str, str] = {
    "assumed-locked": "More than 100 releases, or 30 for one question, would have to be read to be sure that none of "
    "them asks for a release that is chosen only on request.",
    "baseline-outdated": "Clashes that the baseline lists are gone.",
    "better-split": "Fewer environments than the declared ones would hold all specs.",
    "clash-not-confirmed": "The second engine, which looks at every clash, gave up on one, or found that it rests "
    "on what is taken for granted, so that the first one alone vouches for it.",
    "clashes-incomplete": "An answer about several specs is missing, or the budget was reached, so there may be "
    "further clashes.",
    "comparison-incomplete": "Not every clash of the earlier state is known, so some that are told as new may "
    "have been there.",
    "compiled": "A requirements file is compiled from an .in file beside it.",
    "constraint-extras": "A constraint names extras, which have no effect there.",
    "declared-environment": "A declared environment does not hold its specs.",
    "dynamic": "The extras of a project are not stated in its pyproject.toml, and not known here.",
    "empty-input": "Standard input, a pipe or a requirements file given as a SPEC asks for nothing.",
    "fixes-incomplete": "Not every clash was looked into for fixes: there are many, or it would take longer than "
    "finding them did.",
    "hashes-incomplete": "A spec has hashes, but not of all that it needs, which pip refuses to install.",
    "ignore-without-effect": "An --ignore names no clash of this run, or several.",
    "index-empty": "None of the packages asked for exists on an index that is not the default one, whatever "
    "others have.",
    "index-problem": "An index could not be asked or gave an answer that is of no use, or the cache could not be used.",
    "inferred-metadata": "What a package needs is read from what an earlier build left in its source distribution.",
    "many-edits": "No edits that save an environment were found among as many at once as are looked for unasked.",
    "newer-index": "An index speaks a newer version of the Simple API than is known here.",
    "no-fix": "No edit of requirement lines resolves a clash.",
    "not-applied": "A setting of another tool changes what is installed, and is not applied.",
    "old-release": "An environment rests on a release much older than the line admits, or than a spec would get alone.",
    "option-without-effect": "An option in a requirements file changes nothing about the answer.",
    "options-in-file": "Index options in a requirements file hold for all specs of the run.",
    "passed-over": "A file or folder is not read.",
    "relative-path": "A relative path in a requirements file means one place from the folder of the file, which is "
    "read, and another from the working directory, where pip and uv start.",
    "settings-file": "A settings file holds for the run.",
    "several-indexes": "Packages are on more than one index, and releases of all of them are considered.",
    "snapshot-outdated": "A snapshot lacks facts about some specs: it was made of others, or for "
    "another Python or platform.",
    "spec-found": "A file is read as a spec.",
    "split-not-proven": "The search for a smaller split reached its budget.",
    "unbounded-requirement": "A requirement that is part of a clash has no version bound.",
    "undecided-spec": "Whether a spec can be installed could not be decided.",
    "undecided-split": "Whether the specs of an environment fit together could not be decided.",
    "unknown-extra": "A requirement asks for an extra that the chosen release does not have.",
    "yanked-release": "A chosen release was yanked by its authors.",
}
"""What each code of a diagnostic means."""

CLASHES: Mapping[ClashKind, str] = {
    ClashKind.VERSION: "Ranges of one package do not meet.",
    ClashKind.PYTHON: "No Python version that may be used is admitted by the specs and the releases they need.",
    ClashKind.PLATFORM: "No wheel suits the platform, and no source distribution may be used.",
    ClashKind.MISSING_PACKAGE: "No index has the package.",
    ClashKind.MISSING_VERSION: "No release is in the range.",
    ClashKind.EXTRA: "An extra is asked for that cannot be had; kept for later, no clash is called so at present.",
    ClashKind.SOURCE: "Direct references to one package exclude each other.",
    ClashKind.FILES: "No file of the package has one of the hashes.",
}
"""What the lines of each kind of clash cannot be satisfied because of."""


def link_to(code: str | ClashKind) -> str:
    """Where a code of a diagnostic, or a kind of clash, is explained: ``docs/diagnostics.md#no-fix``."""
    return f"{DOCUMENT}#clash-{code.value}" if isinstance(code, ClashKind) else f"{DOCUMENT}#{code}"
