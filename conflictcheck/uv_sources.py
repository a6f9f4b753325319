"""``[tool.uv.sources]``: the requirements of a project that stand for projects and archives on this machine.

Source: uv's documentation (Using workspaces; Managing dependencies, Dependency sources). A workspace is stated by its
root: the nearest ``pyproject.toml`` above a project, if its ``members`` hold that and its ``exclude`` does not. The
root is a member as well. The sources of the root are those of all members, but for names that a member has a source for
itself. What a source leads to is taken whatever versions the requirement asks for.
"""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.text import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Document = Mapping[str, Any]

MOST_FOLDERS = 10_000
"""Places that the patterns of a workspace's members may lead to; a ``**`` at the top of a large tree leads to more."""

MOST_ANY_FOLDERS = 5
"""Parts between ``**/`` of a pattern, each of which may be for no folder; of more, all or none are."""

_ANY_FOLDERS = re.compile(r"(?:\*\*/)+")

_KEYS = frozenset({"workspace", "path", "editable", "package"})
"""Of a source that is followed. One with a marker, or for an extra or a group alone, is not."""

_NOT_A_PATTERN = (OSError, ValueError, NotImplementedError, IndexError, re.error, RecursionError)
"""What `Path.glob` raises on a pattern that it cannot follow; one that is an absolute path is among them."""


class Place(Struct, frozen=True):
    """What a source leads to.

    Attributes:
        path: of a folder or an archive, absolute; it may not be there.
        editable: whether it is installed so.
    """

    path: Path
    editable: bool


class UvSources:
    """The sources of projects; what a workspace has is looked up once.

    Args:
        load: the document in a file that exists; it raises a `SpecError` where it cannot be read.
    """

    def __init__(self, load: Callable[[Path], Document]) -> None:
        self._load = load
        self._members: dict[Path, dict[NormalizedName, Path]] = {}

    def of(self, folder: Path, document: Document) -> ProjectSources:
        """The sources that hold for a project.

        Args:
            folder: of its ``pyproject.toml``, absolute.
            document: that file.
        """
        root: Path | None = None
        above: Document = {}
        problem: SpecError | None = None
        if _table(document, "tool", "uv", "workspace") is not None:
            root = folder
        else:
            try:
                root, above = self._root_above(folder)
            except SpecError as error:
                problem = error
        given = {name: (root or folder, value) for name, value in _sources(above).items()}
        given |= {name: (folder, value) for name, value in _sources(document).items()}
        return ProjectSources(self, given, root, problem)

    def member(self, root: Path, name: NormalizedName) -> Path | None:
        """The folder of a member of the workspace with this root.

        Raises:
            SpecError: the members cannot be listed.
        """
        if root not in self._members:
            self._members[root] = self._list_members(root)
        return self._members[root].get(name)

    def _root_above(self, folder: Path) -> tuple[Path | None, Document]:
        """The root of the workspace that a project is in, with its ``pyproject.toml``."""
        for above in folder.parents:
            if os.path.isfile(above / "pyproject.toml"):  # noqa: PTH113 - may not look
                document = self._load(above / "pyproject.toml")
                is_inside = _is_among(folder, above, document, "members")
                return (
                    (above, document) if is_inside and not _is_among(folder, above, document, "exclude") else (None, {})
                )
        return None, {}

    def _list_members(self, root: Path) -> dict[NormalizedName, Path]:
        document = self._load(root / "pyproject.toml")
        found = dict.fromkeys([root, *self._places(root, document)])
        members: dict[NormalizedName, Path] = {}
        for folder in found:
            try:
                own = document if folder == root else self._load(folder / "pyproject.toml")
            except SpecError:
                continue  # whoever reads the file itself says so
            name = (_table(own, "project") or {}).get("name")
            if isinstance(name, str) and (_table(own, "tool", "uv") or {}).get("managed") is not False:
                members.setdefault(canonicalize_name(name), folder)
        return members

    def _places(self, root: Path, document: Document) -> Iterator[Path]:
        """The folders with a ``pyproject.toml`` that the patterns lead to."""
        for pattern in _patterns(document, "members"):
            try:
                places = sorted(islice(root.glob(pattern), MOST_FOLDERS + 1))
            except _NOT_A_PATTERN:
                continue
            if len(places) > MOST_FOLDERS:
                raise SpecError(f"the members {quote(pattern)} of a workspace are more than {MOST_FOLDERS:,} places")
            for place in places:
                folder = Path(os.path.normpath(place))
                is_project = os.path.isfile(folder / "pyproject.toml")  # noqa: PTH113 - may not look
                if is_project and not _is_among(folder, root, document, "exclude"):
                    yield folder


class ProjectSources:
    """The sources of one project, its own and those of its workspace's root.

    Attributes:
        root: the folder of the workspace's root, or None where the project is in no workspace.
        problem: why that is not known, or None.
    """

    def __init__(
        self,
        sources: UvSources,
        given: Mapping[NormalizedName, tuple[Path, Any]],
        root: Path | None,
        problem: SpecError | None,
    ) -> None:
        self.root = root
        self._sources = sources
        self._given = given
        self.problem = problem

    def place(self, name: NormalizedName) -> Place | None:
        """What the source of a package leads to; None where it has none that is followed.

        Raises:
            SpecError: it is to be a member of a workspace, and is none; without its name, file and line.
        """
        base, value = self._given.get(name, (None, None))
        source = followed(value)
        if base is None or source is None:
            return None
        if isinstance(path := source.get("path"), str):
            return Place(_below(base, path), source.get("editable") is True)
        root = self.root if source["workspace"] is True else _below(base, source["workspace"])
        if root is None and self.problem is not None:
            raise SpecError(f"the pyproject.toml above its project: {self.problem.message}", hint=self.problem.hint)
        if root is None:
            raise SpecError("its project is in no workspace", hint="look at members in [tool.uv.workspace] of the root")
        member = self._sources.member(root, name)
        if member is None:
            raise SpecError(
                "the workspace has no member of that name",
                hint="look at members and exclude in [tool.uv.workspace] of the root",
            )
        return Place(member, editable=source.get("editable") is not False)

    def applied_to(self, requirement: str, project: NormalizedName) -> str:
        """A requirement of a project, with the place that a source gives it.

        Raises:
            SpecError: see `place`; with its name.
        """
        try:
            parsed = Requirement(requirement)
        except (InvalidRequirement, RecursionError):
            return requirement
        name = canonicalize_name(parsed.name)
        try:
            place = None if parsed.url is not None or name == project else self.place(name)
        except SpecError as error:
            raise SpecError(f"{source_of(name)}: {error.message}") from None
        if place is None:
            return requirement
        extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
        marker = "" if parsed.marker is None else f" ; {parsed.marker}"
        return f"{parsed.name}{extras} @ {place.path.as_uri()}{marker}"


def source_of(name: str) -> str:
    """What a message calls the source of a package."""
    return f"the source of {quote(name)} in [tool.uv.sources]"


def followed(source: Any) -> Mapping[str, Any] | None:
    """A source that leads to a place on this machine, whatever the target; None if it is another."""
    match source:
        case [{"workspace": _} | {"path": _}]:
            return followed(source[0])
        case {"workspace": True | str()} | {"path": str()} if source.keys() <= _KEYS:
            return source if len(source.keys() & {"workspace", "path"}) == 1 else None
        case _:
            return None


def _table(document: Document, *place: str) -> Mapping[str, Any] | None:
    value: Any = document
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def _sources(document: Document) -> dict[NormalizedName, Any]:
    return {canonicalize_name(name): value for name, value in (_table(document, "tool", "uv", "sources") or {}).items()}


def _below(base: Path, path: str) -> Path:
    return Path(os.path.normpath(base / path))


def _patterns(document: Document, key: str) -> list[str]:
    values = (_table(document, "tool", "uv", "workspace") or {}).get(key)
    texts = values if isinstance(values, list) else []
    plain = [os.path.normpath(text).replace(os.sep, "/") for text in texts if isinstance(text, str) and text]
    return [_ANY_FOLDERS.sub("**/", text) for text in plain]


def _is_among(folder: Path, root: Path, document: Document, key: str) -> bool:
    """Whether one of the patterns of a workspace holds a folder."""
    path = os.path.relpath(folder, root).replace(os.sep, "/")
    return any(_matches(path, pattern) for pattern in _patterns(document, key))


def _matches(path: str, pattern: str) -> bool:
    """Whether a pattern of uv holds a path: a star stands for slashes as well, and ``**/`` for any folders or none."""
    parts = _ANY_FOLDERS.split(pattern)
    if len(parts) > MOST_ANY_FOLDERS:
        variants = {"**/".join(parts), "".join(parts)}
    else:
        variants = {parts[0]}
        for part in parts[1:]:
            variants = {f"{variant}{folders}{part}" for variant in variants for folders in ("**/", "")}
    return any(fnmatchcase(path, variant) for variant in variants)
