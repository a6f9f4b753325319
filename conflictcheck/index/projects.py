"""What a project's own files say about its dependencies, without running its code: in an sdist or in a folder."""

from __future__ import annotations

import configparser
import re
import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.facts import Metadata, MetadataSource, Unknown
from conflictcheck.index.core_metadata import Document, parse_document, with_marker
from conflictcheck.index.filenames import normalized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

MAX_TEXT = 16 << 20
"""Bytes of one of the files that are read."""
NO_VERSION = "0"
"""Stands for a version that only a build would tell."""
_ROOT_FILES = frozenset({"PKG-INFO", "pyproject.toml", "setup.cfg", "setup.py"})
FILE_NAMES = _ROOT_FILES | {"requires.txt"}
"""What the files are called for which `is_project_file` holds, whatever folder they are in."""
_EGG_FILE = re.compile(r"(?:[^/]+/)?(?P<project>[^/]+)\.egg-info/(?:requires\.txt|PKG-INFO)")
_CONSULTS_CODE = re.compile(rb"install_requires|extras_require|python_requires")
_DEPENDS = re.compile(rb"install_requires|extras_require")


class _NotStaticError(Exception):
    """The file leaves it to a build; the message says how, where there is more to say."""


def is_project_file(path: str) -> bool:
    """Whether `metadata_of_project` wants the file of this path, POSIX and relative to the project."""
    return path in _ROOT_FILES or _EGG_FILE.fullmatch(path) is not None


def files_of_setuptools(pyproject: bytes) -> list[str]:
    """The files that setuptools reads dependencies from, as ``[tool.setuptools.dynamic]`` names them."""
    try:
        stated = tomllib.loads(pyproject.decode("utf-8"))["tool"]["setuptools"]["dynamic"]
        tables = [stated.get("dependencies", {}), *dict(stated.get("optional-dependencies", {})).values()]
        return [name for table in tables for name in _names(table.get("file", []))]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, _NotStaticError):
        return []


def metadata_of_project(
    files: Mapping[str, bytes],
    filename: str,
    name: NormalizedName,
    version: str,
    *,
    source: MetadataSource = "pyproject",
    folder: Path | None = None,
) -> Metadata | Unknown:
    """The facts about a project, from the most to the least reliable of its files.

    Args:
        files: the files for which `is_project_file` holds; of a folder those of `files_of_setuptools` as well.
        filename: of the archive or folder.
        name: the package that it must be.
        version: the version that it must be; empty accepts any, also one that is not known.
        source: what to call facts that are stated for good; others are ``inferred``.
        folder: that the project is in, absolute; None of an archive.
    """
    built = parse_document(files["PKG-INFO"]) if "PKG-INFO" in files else None
    if built is not None and built.is_static:
        return built.to_metadata(name, version, "sdist", filename)
    readers: list[Callable[[Mapping[str, bytes]], Document]] = [partial(_from_pyproject, folder=folder)]
    readers += [_from_setup_cfg] if built is None else []
    why = ""
    for reader in readers:
        try:
            stated = reader(files)
        except _NotStaticError as error:
            why = str(error) or why
            continue
        stated.version = stated.version or version or NO_VERSION
        stated.name = stated.name or name
        found = stated.to_metadata(name, version, source, filename)
        if isinstance(found, Metadata) or built is None:
            return found
        why = found.reason  # a version that is filled in as the archive is made may stand in its PKG-INFO alone
    inferred = _from_built(files, name, built)
    if inferred is not None:
        return inferred.to_metadata(name, version, "inferred", filename)
    return Unknown(why or _why_unknown(files))


def _why_unknown(files: Mapping[str, bytes]) -> str:
    if "setup.py" in files:
        return "its dependencies are only known to its setup.py, which is not run"
    if "pyproject.toml" in files:
        return "its dependencies are only known to its build backend, which is not run"
    return "it holds no Python project"


def _from_pyproject(files: Mapping[str, bytes], *, folder: Path | None) -> Document:
    """The ``[project]`` table (PEP 621), if nothing that matters here is dynamic, or setuptools or Poetry states it."""
    try:
        document: dict[str, Any] = tomllib.loads(files["pyproject.toml"].decode("utf-8"))
        if b"poetry" in files["pyproject.toml"] and (found := _from_poetry(document, folder)) is not None:
            return found
        table: dict[str, Any] = document["project"]
        dynamic = set(table.get("dynamic", ()))
        if "requires-python" in dynamic:
            raise _NotStaticError
        if "dependencies" in dynamic:
            stated = document["tool"]["setuptools"]["dynamic"]["dependencies"]
            table = {**table, "dependencies": _lines_in(stated, files)}
        if "optional-dependencies" in dynamic:
            extras = dict(document["tool"]["setuptools"]["dynamic"]["optional-dependencies"])
            stated = {extra: _lines_in(one, files) for extra, one in extras.items()}
            table = {**table, "optional-dependencies": stated}
        found = Document(name=_text(table["name"]), requires_python=_text(table.get("requires-python", "")))
        found.version = "" if "version" in dynamic else _text(table.get("version", ""))
        found.requires_dist = _texts(table.get("dependencies", []))
        for extra, lines in dict(table.get("optional-dependencies", {})).items():
            found.provides_extra.append(extra)
            found.requires_dist += [with_marker(line, extra=extra) for line in _texts(lines)]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _NotStaticError from error
    return found


def _from_poetry(document: Mapping[str, Any], folder: Path | None) -> Document | None:
    """What Poetry would make of its tables; None where it does not build the project, or ``[project]`` says it all."""
    from conflictcheck.index.poetry import is_poetry_project, read_poetry_project  # noqa: PLC0415 - for few projects

    try:
        return read_poetry_project(document, folder) if is_poetry_project(document) else None
    except SpecError as error:
        raise _NotStaticError(f"its [tool.poetry] does not tell what it needs: {error.message}") from error


def _lines_in(stated: Any, files: Mapping[str, bytes]) -> list[str]:
    """The requirements in files that ``[tool.setuptools.dynamic]`` names; setuptools knows no options in them."""
    found = []
    for name in _names(stated["file"]):
        lines = list(filter(None, map(_without_comment, files[name].decode("utf-8").splitlines())))
        if any(line.startswith("-") or line.endswith("\\") for line in lines):
            raise _NotStaticError
        found += lines
    return found


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else _texts(value)


def _from_setup_cfg(files: Mapping[str, bytes]) -> Document:
    """The static part of setuptools' ``setup.cfg``, unless its ``setup.py`` has a say in it as well."""
    if "setup.cfg" not in files or _CONSULTS_CODE.search(files.get("setup.py", b"")):
        raise _NotStaticError
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(files["setup.cfg"].decode("utf-8"))
        if not parser.has_section("options") or not parser.get("metadata", "name", fallback=""):
            raise _NotStaticError
        found = Document(
            name=parser.get("metadata", "name"),
            version=parser.get("metadata", "version", fallback=""),
            requires_python=parser.get("options", "python_requires", fallback=""),
        )
        found.requires_dist = _cfg_lines("install_requires", parser.get("options", "install_requires", fallback=""))
        if parser.has_section("options.extras_require"):
            for key, value in parser.items("options.extras_require"):
                extra, _, marker = key.partition(":")
                found.provides_extra += [extra.strip()] if extra.strip() else []
                found.requires_dist += [
                    with_marker(line, marker, extra.strip()) for line in _cfg_lines("extras_require", value)
                ]
    except (configparser.Error, UnicodeDecodeError) as error:
        raise _NotStaticError from error
    if normalized(found.version) is None:
        found.version = ""
    return found


def _cfg_lines(key: str, value: str) -> list[str]:
    """A list in ``setup.cfg``: one item a line, or separated by semicolons on a single line."""
    if value.strip().startswith(("file:", "attr:")):
        raise _NotStaticError(f"the {key} of its setup.cfg are in another file, which is not read")
    lines = value.splitlines() if "\n" in value else value.split(";")
    return [line for line in map(_without_comment, lines) if line]


def _without_comment(line: str) -> str:
    return "" if line.strip().startswith("#") else line.partition(" #")[0].strip()


def _from_built(files: Mapping[str, bytes], name: NormalizedName, built: Document | None) -> Document | None:
    """What a build wrote down when it made the archive or was run in the folder.

    Of distutils that is a ``PKG-INFO`` without requirements whatever ``setup.py`` says, and no ``.egg-info`` beside it.
    """
    egg = {
        path.rpartition("/")[2]: path
        for path in sorted(files, reverse=True)
        if (found := _EGG_FILE.fullmatch(path)) and canonicalize_name(found["project"]) == name
    }
    if built is None and "PKG-INFO" in egg:
        built = parse_document(files[egg["PKG-INFO"]])
    if built is None:
        return None
    if (
        not egg
        and not built.requires_dist
        and any(_DEPENDS.search(files.get(path, b"")) for path in ("setup.py", "setup.cfg"))
    ):
        return None
    if "requires.txt" in egg:
        built.requires_dist, extras = parse_requires_txt(files[egg["requires.txt"]].decode("utf-8", "replace"))
        built.provides_extra = [*built.provides_extra, *extras]
    return built


def parse_requires_txt(text: str) -> tuple[list[str], list[str]]:
    """Requirements and extras from setuptools' ``requires.txt``.

    A section ``[extra:marker]`` holds what an extra, a marker or both ask for; lines before the first one always hold.
    """
    requirements: list[str] = []
    extras: list[str] = []
    extra = marker = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = (part.strip() for part in line[1:-1].partition(":"))
            extras += [extra] if extra and extra not in extras else []
        elif line and not line.startswith("#"):
            requirements.append(with_marker(line, marker, extra))
    return requirements, extras


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _NotStaticError
    return value


def _texts(values: Iterable[Any]) -> list[str]:
    if not isinstance(values, list):
        raise _NotStaticError
    return [_text(value) for value in values]
