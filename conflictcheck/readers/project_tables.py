"""The dependencies of a project as its ``pyproject.toml`` states them, whichever tool's tables hold them.

Sources: PEP 621 for ``[project]``, PEP 735 for ``[dependency-groups]``, Poetry's documentation for ``[tool.poetry]``,
Flit's for ``[tool.flit.metadata]``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.poetry import BACKENDS, sources, specifier, to_pep508
from conflictcheck.text import collapse, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflictcheck.readers.toml_document import Place, TomlDocument

_FLIT = ("tool", "flit", "metadata")
_POETRY = ("tool", "poetry")
_DYNAMIC = ("dependencies", "optional-dependencies", "requires-python")


class Entry(Struct, frozen=True):
    """One dependency of a section.

    Attributes:
        line: of the file.
        written: as written, for reports.
        value: the requirement, or the name of the group that is included.
        is_include: whether it includes a group.
        problem: what is wrong with it, which matters only where it is used (PEP 735); empty if nothing is.
    """

    line: int
    written: str
    value: str
    is_include: bool = False
    problem: str = ""


class Tables(Struct):
    """What a ``pyproject.toml`` states.

    Attributes:
        name: of the project, or None.
        has_project: whether there is a project with dependencies of its own, be there none of them.
        python: the Python versions with the line and the text as written, or None.
        main: the project's own dependencies.
        extras: by normalized name.
        groups: by normalized name.
        dynamic: which of ``dependencies``, ``optional-dependencies`` and ``requires-python`` are stated elsewhere.
        unused: what ``[project]`` takes the place of.
        bound: for each entry that is to come from a package source of that file, the line, its key and the source.
        problems: what is not understood.
    """

    name: NormalizedName | None = None
    has_project: bool = False
    python: tuple[str, int, str | None] | None = None
    main: list[Entry] = field(default_factory=list)
    extras: dict[NormalizedName, list[Entry]] = field(default_factory=dict)
    groups: dict[NormalizedName, list[Entry]] = field(default_factory=dict)
    dynamic: tuple[str, ...] = ()
    unused: list[tuple[str, ...]] = field(default_factory=list)
    bound: list[tuple[int, str, str]] = field(default_factory=list)
    problems: list[SpecError] = field(default_factory=list)


def read_tables(document: TomlDocument) -> Tables:
    """What a document states; what is wrong in it is among the problems."""
    reading = _Reading(document)
    reading.project()
    reading.dependency_groups()
    reading.flit()
    reading.poetry()
    return reading.tables


class _Reading:
    def __init__(self, document: TomlDocument) -> None:
        self.tables = Tables()
        self._document = document

    def _problem(self, message: str, *place: str | int, hint: str | None = None) -> None:
        self.tables.problems.append(SpecError(message, line=self._document.line(*place), hint=hint))

    def _expected(self, kind: type, *place: str | int) -> Any:
        """The value at a place; where it is missing or of another type an empty one."""
        value = self._document.get(*place)
        if value is None:
            return kind()
        if not isinstance(value, kind):
            what = "a table" if kind is dict else "a list" if kind is list else "a text"
            self._problem(f"{'.'.join(map(str, place))} is not {what}", *place)
            return kind()
        return value

    def _sections(self, *place: str) -> Iterator[tuple[str, NormalizedName]]:
        """The named sections of a table, each with its normalized name."""
        seen: dict[NormalizedName, str] = {}
        for written in self._expected(dict, *place):
            try:
                name = canonicalize_name(written, validate=True)
            except InvalidName:
                self._problem(f"{quote(written)} is not a usable name in {'.'.join(place)}", *place, written)
                continue
            if name in seen:
                self._problem(f"{quote(written)} and {quote(seen[name])} are the same name", *place, written)
                continue
            seen[name] = written
            yield written, name

    def _list(self, *place: str) -> Iterator[tuple[int, Any]]:
        yield from enumerate(self._expected(list, *place))

    def _texts(self, *place: str) -> list[Entry]:
        entries = []
        for position, value in self._list(*place):
            if isinstance(value, str):
                entries.append(Entry(self._document.line(*place, position), value, value))
            else:
                self._problem(f"an item of {'.'.join(place)} is not a text", *place, position, hint="put it in quotes")
        return entries

    def project(self) -> None:
        """``[project]``."""
        table = self._expected(dict, "project")
        if not table:
            return
        tables = self.tables
        tables.has_project = True
        name = self._expected(str, "project", "name")
        tables.name = canonicalize_name(name) if name else None
        dynamic = [value for _, value in self._list("project", "dynamic")]
        tables.dynamic = tuple(key for key in _DYNAMIC if key in dynamic)
        if python := self._expected(str, "project", "requires-python"):
            tables.python = (python, self._document.line("project", "requires-python"), None)
        tables.main = self._texts("project", "dependencies")
        for written, extra in self._sections("project", "optional-dependencies"):
            tables.extras[extra] = self._texts("project", "optional-dependencies", written)

    def dependency_groups(self) -> None:
        """``[dependency-groups]``."""
        for written, group in self._sections("dependency-groups"):
            place = ("dependency-groups", written)
            entries = self.tables.groups.setdefault(group, [])
            for position, value in self._list(*place):
                line = self._document.line(*place, position)
                match value:
                    case str():
                        entries.append(Entry(line, value, value))
                    case {"include-group": str(name)} if len(value) == 1:
                        entries.append(Entry(line, f"include-group {quote(name)}", name, is_include=True))
                    case _:
                        problem = f"an item of the group {quote(written)} is neither a requirement nor an include-group"
                        entries.append(Entry(line, "", "", problem=problem))

    def flit(self) -> None:
        """``[tool.flit.metadata]``, which Flit reads where there is no ``[project]``."""
        table = self._expected(dict, *_FLIT)
        tables = self.tables
        if tables.has_project:
            stated = ("requires-python", "requires", "requires-extra", "dev-requires")
            tables.unused += ((*_FLIT, key) for key in stated if table.get(key))
            return
        if not table:
            return
        tables.has_project = True
        name = self._expected(str, *_FLIT, "dist-name") or self._expected(str, *_FLIT, "module")
        tables.name = canonicalize_name(name) if name else None
        if python := self._expected(str, *_FLIT, "requires-python"):
            tables.python = (python, self._document.line(*_FLIT, "requires-python"), None)
        tables.main = self._texts(*_FLIT, "requires")
        for written, extra in self._sections(*_FLIT, "requires-extra"):
            tables.extras[extra] = self._texts(*_FLIT, "requires-extra", written)
        if "dev-requires" in table:
            tables.extras.setdefault(canonicalize_name("dev"), []).extend(self._texts(*_FLIT, "dev-requires"))

    def poetry(self) -> None:
        """``[tool.poetry]``; what ``[project]`` states comes first, as in Poetry."""
        if not self._expected(dict, *_POETRY):
            return
        tables = self.tables
        if not tables.has_project or "dependencies" in tables.dynamic or self._is_left_to_poetry():
            self._poetry_project()
        elif self._document.get(*_POETRY, "dependencies"):
            tables.unused.append((*_POETRY, "dependencies"))
        for written, group in self._sections(*_POETRY, "group"):
            tables.groups.setdefault(group, []).extend(self._poetry_entries(*_POETRY, "group", written, "dependencies"))
            for _, name in self._list(*_POETRY, "group", written, "include-groups"):
                line = self._document.line(*_POETRY, "group", written, "include-groups")
                tables.groups[group].append(
                    Entry(line, f"include-groups {quote(str(name))}", str(name), is_include=True)
                )
        if self._document.get(*_POETRY, "dev-dependencies") is not None:
            tables.groups.setdefault(canonicalize_name("dev"), []).extend(
                self._poetry_entries(*_POETRY, "dev-dependencies")
            )

    def _is_left_to_poetry(self) -> bool:
        """Whether Poetry builds it and finds no dependencies in ``[project]``: its own count then, dynamic or not."""
        is_stated = any(self._document.get("project", key) for key in ("dependencies", "optional-dependencies"))
        return not is_stated and self._document.get("build-system", "build-backend") in BACKENDS

    def _poetry_project(self) -> None:
        place = (*_POETRY, "dependencies")
        tables = self.tables
        name = self._expected(str, *_POETRY, "name")
        states_needs = self._document.get(*place) is not None
        if not states_needs and (tables.has_project or not name):
            return
        tables.has_project = True
        tables.name = tables.name or (canonicalize_name(name) if name else None)
        if states_needs:
            tables.dynamic = tuple(key for key in tables.dynamic if key != "dependencies")
        optional: dict[NormalizedName, list[Entry]] = {}
        for key, value in self._expected(dict, *place).items():
            if key.lower() == "python":
                self._poetry_python(value, *place, key)
                continue
            alternatives = value if isinstance(value, list) else [value]
            # No entry at all where one of them is not understood.
            for one, entry in zip(alternatives, self._poetry_entry(key, value, *place, key), strict=False):
                if isinstance(one, dict) and one.get("optional") is True:
                    optional.setdefault(canonicalize_name(key), []).append(entry)
                else:
                    tables.main.append(entry)
        self._poetry_extras(optional)

    def _poetry_extras(self, optional: dict[NormalizedName, list[Entry]]) -> None:
        tables = self.tables
        known = set(map(canonicalize_name, self._expected(dict, *_POETRY, "dependencies")))
        for written, extra in self._sections(*_POETRY, "extras"):
            members = tables.extras.setdefault(extra, [])
            for position, member in self._list(*_POETRY, "extras", written):
                if isinstance(member, str) and canonicalize_name(member) in optional:
                    members += optional[canonicalize_name(member)]
                elif not isinstance(member, str) or canonicalize_name(member) not in known:
                    self._problem(
                        f"the extra {quote(written)} names {quote(str(member))}, which is no dependency",
                        *_POETRY,
                        "extras",
                        written,
                        position,
                    )

    def _poetry_python(self, value: Any, *place: str) -> None:
        line = self._document.line(*place)
        if not isinstance(value, str):
            self._problem("python is not a text", *place)
            return
        try:
            self.tables.python = self.tables.python or (specifier(value, of_python=True), line, f'python = "{value}"')
            self.tables.dynamic = tuple(key for key in self.tables.dynamic if key != "requires-python")
        except SpecError as error:
            self._problem(error.message, *place, hint=error.hint)

    def _poetry_entries(self, *place: str) -> list[Entry]:
        table = self._expected(dict, *place)
        return [
            entry
            for key, value in table.items()
            if key.lower() != "python"
            for entry in self._poetry_entry(key, value, *place, key)
        ]

    def _poetry_entry(self, key: str, value: Any, *place: str) -> list[Entry]:
        line = self._document.line(*place)
        self.tables.bound += ((line, key, source) for source in sources(value))
        try:
            return [Entry(line, self._written(key, value, place), text) for text in to_pep508(key, value)]
        except SpecError as error:
            self._problem(error.message, *place, hint=error.hint)
            return []

    def _written(self, key: str, value: Any, place: Place) -> str:
        """``key = value`` as it stands; put together where the value has a header or dotted keys."""
        text = self._document.text(*place) if place in self._document.spans else "[["
        if isinstance(value, dict) and text.startswith("["):
            text = "{" + ", ".join(f"{k} = {json.dumps(v, default=str)}" for k, v in value.items()) + "}"
        return collapse(f"{key} = {text}")
