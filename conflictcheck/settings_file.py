"""A project's own settings: ``conflictcheck.toml``, or ``[tool.conflictcheck]`` in ``pyproject.toml``.

Whoever runs the check need not have written them. So they lead to no file outside of their working tree, no variable is
expanded in them, and no key of them runs anything. ``settings.schema.json`` beside this file describes the keys.
"""

from __future__ import annotations

import json
import os
import re
from datetime import date, datetime
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from conflictcheck.errors import InputErrors, SpecError, UsageError
from conflictcheck.readers.base import Workspace
from conflictcheck.readers.included import check_pattern
from conflictcheck.readers.toml_document import parse_toml
from conflictcheck.setting_values import (
    check_clash_id,
    check_indexes,
    check_links,
    check_platforms,
    check_prerelease,
    check_python_versions,
    package_names,
    read_timestamp,
)
from conflictcheck.settings import DeclaredEnvironment, PrereleasePolicy, ProjectSettings, SpecPattern
from conflictcheck.settings_table import SettingsTable, say_unknown
from conflictcheck.text import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conflictcheck.readers.toml_document import Place, TomlDocument

FILE = "conflictcheck.toml"
_PYPROJECT = "pyproject.toml"
_TABLE = ("tool", "conflictcheck")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


class FileSettings(Struct, frozen=True):
    """What a settings file says, checked; None or empty where it says nothing.

    Attributes:
        name: of the file, for messages.
        project: its say about specs and environments; None where there is no file.
        constraints: relative to the working directory, and so are `overrides` and `baseline`.
    """

    name: str = FILE
    project: ProjectSettings | None = None
    python_versions: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool | None = None
    exclude_newer: datetime | None = None
    prerelease: PrereleasePolicy | None = None
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    max_environments: int | None = None
    baseline: Path | None = None
    ignore: tuple[str, ...] = ()


def read_schema() -> dict[str, Any]:
    """The JSON schema of the settings."""
    from importlib.resources import files  # noqa: PLC0415 - for this alone

    schema: dict[str, Any] = json.loads(files(__package__).joinpath("settings.schema.json").read_text("utf-8"))
    return schema


def read_settings_file(cwd: Path, *, named: str | None = None, allow_outside: bool = False) -> FileSettings:
    """Find and read the settings that hold in a folder.

    Args:
        cwd: absolute.
        named: the file to read, whatever else there is; None to look for one in `cwd` and in the folders above it, up
            to the root of its working tree, or as far as they have the same owner.
        allow_outside: whether it may lead to files outside of its working tree.

    Raises:
        InputErrors: with every problem of the file.
        UsageError: it cannot be read at all.
    """
    found = _find(cwd, allow_outside=allow_outside) if named is None else _open(cwd, named)
    if found is None:
        return FileSettings()
    path, document, place = found
    if not isinstance(document.get(*place), dict):
        raise UsageError("[tool.conflictcheck] is no table", file=_shown(path, cwd), line=document.line(*place))
    table = SettingsTable(path, document, place, cwd, allow_outside=allow_outside)
    settings = _read(table)
    if table.problems:
        raise InputErrors(table.problems)
    return settings


def _find(cwd: Path, *, allow_outside: bool) -> tuple[Path, TomlDocument, Place] | None:
    for folder in _searched(cwd):
        own, shared = folder / FILE, folder / _PYPROJECT
        if os.path.lexists(own):
            return own, _parse(own, cwd, allow_outside=allow_outside), ()
        if os.path.lexists(shared) and _mentions_us(shared, allow_outside=allow_outside):
            document = _parse(shared, cwd, allow_outside=allow_outside)
            if document.get(*_TABLE) is not None:
                return shared, document, _TABLE
    return None


def _searched(cwd: Path) -> list[Path]:
    """The folder and those above it that belong to the same project, as far as can be told.

    Up to the root of the working tree; without version control, those of one owner: anybody may put a file into /tmp.
    """
    chain = [cwd, *cwd.parents]
    for n, folder in enumerate(chain, start=1):
        if any(os.path.lexists(folder / mark) for mark in (".git", ".hg", ".svn")):
            return chain[:n]
    try:
        owner = cwd.stat().st_uid
        return list(takewhile(lambda folder: folder.stat().st_uid == owner, chain))
    except OSError:
        return [cwd]


def _open(cwd: Path, named: str) -> tuple[Path, TomlDocument, Place]:
    path = Path(os.path.normpath(cwd / named))
    document = _parse(path, cwd, allow_outside=True)
    if path.name != _PYPROJECT:
        return path, document, ()
    if document.get(*_TABLE) is None:
        raise UsageError("it has no [tool.conflictcheck]", file=_shown(path, cwd), hint="name another file")
    return path, document, _TABLE


def _mentions_us(path: Path, *, allow_outside: bool) -> bool:
    """Whether a pyproject.toml may have our table; what cannot be read has none, and whoever reads specs says so."""
    try:
        return b"conflictcheck" in Workspace(path.parent, {}, allow_outside=allow_outside).load(path)
    except SpecError:
        return False


def _parse(path: Path, cwd: Path, *, allow_outside: bool) -> TomlDocument:
    try:
        data = Workspace(path.parent, {}, allow_outside=allow_outside).load(path)
        return parse_toml(data.removeprefix(b"\xef\xbb\xbf").decode())
    except UnicodeDecodeError:
        raise UsageError("not UTF-8 text", file=_shown(path, cwd), hint="save it as UTF-8, as TOML is") from None
    except SpecError as error:
        hint = "give --allow-outside to read it all the same" if error.hint else None
        raise UsageError(error.message, file=_shown(path, cwd), line=error.line, hint=hint) from None


def _shown(path: Path, cwd: Path) -> str:
    return Workspace(cwd, {}).name(path)


def _read(table: SettingsTable) -> FileSettings:
    keys = tuple(table.get())
    values: dict[str, Any] = {}
    for key in keys:
        if key not in KEYS:
            say_unknown(table, key, list(KEYS))
        elif (value := KEYS[key](table, key)) is not None:
            values[key.replace("-", "_")] = value
    _check_together(table, values)
    project = ProjectSettings(
        table.file,
        table.folder,
        include=values.pop("include", ()),
        exclude=values.pop("exclude", ()),
        environments=values.pop("environments", ()),
        keys=keys,
    )
    return FileSettings(table.file, project, **values)


def _check_together(table: SettingsTable, values: Mapping[str, Any]) -> None:
    """Settings that contradict each other."""
    for key in ("index-url", "extra-index-urls"):
        if values.get("no_index") and table.get(key):
            table.problem(f"no-index and {key} exclude each other", "no-index", hint="leave one of them out")
    included = {pattern.text for pattern in values.get("include", ())}
    for i, pattern in enumerate(values.get("exclude", ())):
        if pattern.text in included:
            hint = "leave one of them out"
            table.problem(f"{quote(pattern.text)} is both included and excluded", "exclude", i, hint=hint)
    if both := set(values.get("only_binary", ())).intersection(values.get("no_binary", ())):
        names = ", ".join(sorted(both))
        table.problem(f"only-binary and no-binary both name {names}", "no-binary", hint="no file would be left")
    declared, most = len(values.get("environments", ())), values.get("max_environments")
    if most is not None and most < declared:
        hint = "leave it out, as all that are declared are acceptable"
        table.problem(f"max-environments is {most}, and {declared} are declared", "max-environments", hint=hint)


# -- what the keys hold: each function takes the table and the key -----------------------------------------------


def _flag(table: SettingsTable, key: str) -> bool | None:
    return table.flag(key)


def _number(table: SettingsTable, key: str) -> int | None:
    return table.number(key)


def _pythons(table: SettingsTable, key: str) -> Any:
    return table.texts(lambda text: check_python_versions([text], key), key)


def _platforms(table: SettingsTable, key: str) -> Any:
    return table.texts(lambda text: check_platforms([text], key), key)


def _index(table: SettingsTable, key: str) -> Any:
    return table.text(key, lambda text: check_indexes([table.address(text)], key)[0])


def _indexes(table: SettingsTable, key: str) -> Any:
    return table.texts(lambda text: check_indexes([table.address(text)], key), key)


def _links(table: SettingsTable, key: str) -> Any:
    return table.texts(lambda text: check_links([table.address(text)], key), key)


def _instant(table: SettingsTable, key: str) -> Any:
    value = table.get(key)
    if not isinstance(value, date):
        return table.text(key, lambda text: read_timestamp(text, source=key))
    try:
        return read_timestamp(value.isoformat(), source=key)
    except UsageError as error:
        table.problem(error.message, key, hint=error.hint)
        return None


def _policy(table: SettingsTable, key: str) -> Any:
    return table.text(key, lambda text: check_prerelease(text, key))


def _packages(table: SettingsTable, key: str) -> Any:
    return table.texts(lambda text: sorted(package_names([text], key)[0]), key)


def _files(table: SettingsTable, key: str) -> Any:
    return table.texts(lambda text: [table.existing(text)], key)


def _new_file(table: SettingsTable, key: str) -> Any:
    return table.text(key, lambda text: Path(table.path(text)))


def _ids(table: SettingsTable, key: str) -> Any:
    return table.texts(lambda text: [check_clash_id(text, key)], key)


def _patterns(table: SettingsTable, *place: str) -> tuple[SpecPattern, ...]:
    return tuple(SpecPattern(text, line) for line, text in table.located(check_pattern, *place))


def _environments(table: SettingsTable, key: str) -> tuple[DeclaredEnvironment, ...]:
    found: dict[str, DeclaredEnvironment] = {}
    for name, patterns in (table.of_kind(dict, "a table with a list for each environment", key) or {}).items():
        if not _NAME.fullmatch(name):
            hint = "use letters, digits, - and _, as files are named after it"
            table.problem(f"{quote(name)} is no name for an environment", key, name, hint=hint)
        elif name.lower() in found:
            other = found[name.lower()].name
            table.problem(f"{other} and {name} are the same name for some file systems", key, name, hint="rename one")
        elif patterns == []:
            table.problem(f"{key}.{name} is empty", key, name, hint="list its specs, or leave it out")
        else:
            found[name.lower()] = DeclaredEnvironment(name, _patterns(table, key, name), table.line(key, name))
    return tuple(found.values())


KEYS: Mapping[str, Callable[[SettingsTable, str], Any]] = {
    "include": _patterns,
    "exclude": _patterns,
    "environments": _environments,
    "max-environments": _number,
    "python-versions": _pythons,
    "platforms": _platforms,
    "index-url": _index,
    "extra-index-urls": _indexes,
    "find-links": _links,
    "no-index": _flag,
    "exclude-newer": _instant,
    "prerelease": _policy,
    "only-binary": _packages,
    "no-binary": _packages,
    "constraints": _files,
    "overrides": _files,
    "baseline": _new_file,
    "ignore": _ids,
}
"""Every setting, and how it is read."""
