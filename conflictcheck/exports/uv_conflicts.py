"""The extras and dependency groups that uv is to keep apart: ``conflicts`` of ``[tool.uv]``.

Source: uv's documentation of the setting, and its reader (``conflicts.rs``): each entry of the list is two or more
extras or groups, no two of which can be installed together. So a clash of two is an entry, several that clash each with
each are one entry, and a clash of three of which any two are fine is none: an entry of these three would say more.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field

from conflictcheck.escaping import visible
from conflictcheck.exports.base import UNFIT, Export
from conflictcheck.marks import MADE
from conflictcheck.phrases import and_list, count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.model import Clash, Report

_PAIR = 2


class _Sections(Struct):
    """What is known of one pyproject.toml.

    Attributes:
        pairs: sections that clash.
        larger: sets of sections that clash together.
        alone: sections that cannot be installed at all.
    """

    pairs: set[tuple[str, str]] = field(default_factory=set)
    larger: set[tuple[str, ...]] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)


class UvConflictsExport(Export):
    """``uv-conflicts.toml``, or ``uv-conflicts.FOLDER.toml`` for a ``pyproject.toml`` in a folder."""

    name = "uv-conflicts"
    pattern = "uv-conflicts*.toml"

    def render(self, report: Report) -> dict[str, str]:
        """Render the list of each ``pyproject.toml`` that has two or more extras or groups."""
        named = [spec.id for spec in report.specs if _section(spec.id) is not None]
        files = sorted({file for file in map(_file, named) if sum(_file(one) == file for one in named) > 1})
        texts: dict[str, str] = {}
        for file in files:
            found, elsewhere = _sort_out(report.clashes, file)
            texts[_filename(file, texts)] = "\n".join(_lines(file, found, elsewhere)) + "\n"
        return texts or {"uv-conflicts.toml": f"{MADE}: no pyproject.toml has two extras or groups that could clash.\n"}


def _file(spec: str) -> str:
    return spec.partition("#")[0]


def _section(spec: str) -> str | None:
    """``extra:gpu`` or ``group:dev``, where it is one of a ``pyproject.toml``."""
    file, _, section = spec.partition("#")
    known = section.startswith(("extra:", "group:")) and PurePosixPath(file).name == "pyproject.toml"
    return section if known else None


def _sort_out(clashes: Iterable[Clash], file: str) -> tuple[_Sections, int]:
    """The clashes among the sections of a file, and how many there are with other specs."""
    found, elsewhere = _Sections(), 0
    for clash in clashes:
        if not any(_file(spec) == file for spec in clash.specs):
            continue
        sections = [_section(spec) for spec in clash.specs if _file(spec) == file]
        if len(sections) < len(clash.specs) or None in sections:
            elsewhere += 1
            continue
        names = sorted(section for section in sections if section is not None)
        if len(names) == 1:
            found.alone.add(names[0])
        elif len(names) == _PAIR:
            found.pairs.add((names[0], names[1]))
        else:
            found.larger.add(tuple(names))
    return found, elsewhere


def _entries(pairs: set[tuple[str, str]]) -> list[list[str]]:
    """The pairs as few sets of sections that clash each with each, which say the same."""
    if not pairs:
        return []
    import networkx as nx  # noqa: PLC0415 - costly, and most runs need it not

    missing = set(pairs)
    entries = []
    cliques = [sorted(clique) for clique in nx.find_cliques(nx.Graph(sorted(pairs)))]
    for clique in sorted(cliques, key=lambda names: (-len(names), names)):
        if missing.intersection(combinations(clique, _PAIR)):
            entries.append(clique)
            missing.difference_update(combinations(clique, _PAIR))
    return sorted(entries)


def _lines(file: str, found: _Sections, elsewhere: int) -> list[str]:
    lines = [
        f"{MADE}: extras and groups of {visible(file)} that cannot be installed together.",
        "# For that file: uv then locks them apart from each other.",
        "[tool.uv]",
        "conflicts = [",
    ]
    for entry in _entries(found.pairs):
        lines += ["    [", *(f"        {_item(section)}," for section in entry), "    ],"]
    lines.append("]")
    for names in sorted(found.larger):
        who = visible(and_list([_words(name) for name in names]))
        lines += [
            "",
            f"# {who} clash together, and any {len(names) - 1} of them do not.",
            "# uv has no entry for that: one keeps each two of its items apart. To lock them all the same, add two of",
            "# them, which forbids more than need be:",
            f"#     [{', '.join(map(_item, names[:_PAIR]))}],",
        ]
    if found.alone:
        shown = visible(and_list([_words(name) for name in sorted(found.alone)]))
        lines += ["", f"# Not here, as it clashes with nothing but itself or the project's own dependencies: {shown}."]
    if elsewhere:
        clashes = count(elsewhere, "clash", "clashes")
        lines += ["", f"# Not here: {clashes} with specs that are no extra or group of this file."]
    return lines


def _words(section: str) -> str:
    kind, _, name = section.partition(":")
    return f"{kind} {name}"


def _item(section: str) -> str:
    kind, _, name = section.partition(":")
    text = json.dumps(visible(name), ensure_ascii=False).replace("##", "#\\u0023")
    return f"{{ {kind} = {text} }}"


def _filename(file: str, taken: Iterable[str]) -> str:
    folder = UNFIT.sub("-", PurePosixPath(file).parent.as_posix()).strip("-")
    stem = f"uv-conflicts.{folder}" if folder else "uv-conflicts"
    name, n = f"{stem}.toml", 2
    while name in taken:
        name, n = f"{stem}-{n}.toml", n + 1
    return name
