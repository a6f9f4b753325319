"""The extras and dependency groups that uv is to keep apart: ``conflicts`` of ``[tool.uv]``.

Source: uv's documentation of the setting, and its reader (``conflicts.rs``): each entry of the list is two or more
extras or groups, no two of which can be installed together. So a clash of two is an entry, several that clash each with
each are one entry, and a clash of three of which any two are fine is none: an entry of these three would say more.
A project as a whole may be an item; a group that is set against its own project is then installed without it.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field

from conflictcheck.escaping import visible
from conflictcheck.exports.base import UNFIT, Export
from conflictcheck.model import RequirementKind
from conflictcheck.own_files import MADE
from conflictcheck.phrases import and_list, count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.model import Clash, Report, Spec

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
        by_file: dict[str, list[Spec]] = {}
        for spec in report.specs:
            if _section(spec) is not None:
                by_file.setdefault(_file(spec.id), []).append(spec)
        texts: dict[str, str] = {}
        for file, specs in sorted(by_file.items()):
            if len(specs) < _PAIR:
                continue
            found, elsewhere = _sort_out(report.clashes, file, specs)
            texts[_filename(file, texts)] = "\n".join(_lines(file, found, elsewhere)) + "\n"
        return texts or {"uv-conflicts.toml": f"{MADE}: no pyproject.toml has two extras or groups that could clash.\n"}


def _file(spec: str) -> str:
    return spec.partition("#")[0]


def _section(spec: Spec) -> str | None:
    """``extra:gpu``, ``group:dev`` or, for the project itself, ``package:app``, of a ``pyproject.toml``."""
    file, _, section = spec.id.partition("#")
    if PurePosixPath(file).name != "pyproject.toml":
        return None
    if section.startswith(("extra:", "group:")):
        return section
    return None if section or spec.project is None else f"package:{spec.project}"


def _sort_out(clashes: Iterable[Clash], file: str, specs: Iterable[Spec]) -> tuple[_Sections, int]:
    """The clashes among the sections of a file, and how many there are with other specs."""
    found, elsewhere = _Sections(), 0
    known = {spec.id: section for spec in specs if (section := _section(spec)) is not None}
    itself = next((spec for spec in specs if spec.id == file), None)
    against_itself: dict[str, bool] = {}  # whether each clash of a group alone needs a line of the project
    for clash in clashes:
        if not any(_file(spec) == file for spec in clash.specs):
            continue
        if not all(spec in known for spec in clash.specs):
            elsewhere += 1
            continue
        names = sorted(known[spec] for spec in clash.specs)
        if len(names) == 1:
            found.alone.add(names[0])
            with_itself = itself is not None and _has_line_of(itself, clash)
            against_itself[names[0]] = with_itself and against_itself.get(names[0], True)
        elif len(names) == _PAIR:
            found.pairs.add((names[0], names[1]))
        else:
            found.larger.add(tuple(names))
    for group, with_itself in against_itself.items():
        if itself is not None and with_itself and group.startswith("group:") and known[itself.id] not in found.alone:
            found.alone.remove(group)
            found.pairs.add((group, known[itself.id]))
    return found, elsewhere


def _has_line_of(project: Spec, clash: Clash) -> bool:
    """Whether a clash needs one of the project's own dependencies; a group has its ``requires-python`` without it."""
    lines = {(one.file, one.line, one.text) for one in project.requirements if one.kind is not RequirementKind.PYTHON}
    return any((one.file, one.line, one.text) in lines for one in clash.requirements)


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
    if any(section.startswith("package:") for pair in found.pairs for section in pair):
        lines += [
            "",
            "# A group that is kept apart from the project is installed without it: uv sync --only-group GROUP.",
        ]
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
