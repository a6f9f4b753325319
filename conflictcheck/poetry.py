"""Poetry's way to write dependencies, as PEP 508 requirements.

Source: Poetry's documentation, "Dependency specification".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from conflictcheck.errors import SpecError
from conflictcheck.text import quote
from conflictcheck.unions import united

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONING = "poetry_dynamic_versioning.backend"
"""A build backend that is Poetry's but for the version, which it takes from version control."""

BACKENDS = ("poetry.core.masonry.api", "poetry.masonry.api", VERSIONING)
"""Build backends that go by Poetry's tables."""

_CLAUSE = re.compile(r"(?P<operator>===|==|!=|<=|>=|~=|<|>|\^|~|=)?\s*(?P<version>[^\s,]+)")
_PLATFORM = re.compile(r"(?P<operator>==|!=)?\s*(?P<name>[\w.+-]+)")
_SCP = re.compile(r"^(?P<user>[\w.-]+@)(?P<host>[\w.-]+):(?!//)(?P<path>.+)$")
_ANY_WITH_PRERELEASES = ">=0.dev0"
"""Admits every version, and asks for pre-releases, as a clause that names one does (PEP 440)."""

_AS_IN_PEP_440 = (2, 3)
"""How many numbers a version has after ``~=`` where Poetry means by it what PEP 440 does."""


def sources(value: Any) -> list[str]:
    """The names of the package sources that an entry of a dependency table is bound to."""
    entries = value if isinstance(value, list) else [value]
    found = (entry.get("source") for entry in entries if isinstance(entry, dict))
    return list(dict.fromkeys(source for source in found if isinstance(source, str)))


def to_pep508(name: str, value: Any) -> Iterator[str]:
    """The requirements that an entry of a dependency table stands for; several where it lists alternatives.

    Raises:
        SpecError: it is not understood; without file and line.
    """
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str):
            yield f"{name}{specifier(entry)}"
        elif isinstance(entry, dict):
            yield _from_table(name, entry)
        else:
            raise SpecError(f"the dependency {quote(name)} is neither a version nor a table")


def _from_table(name: str, entry: dict[str, Any]) -> str:
    extras = entry.get("extras", [])
    if not isinstance(extras, list) or not all(isinstance(extra, str) for extra in extras):
        raise SpecError(f"the extras of {quote(name)} are not a list of names")
    for key in ("version", "git", "path", "file", "url", "branch", "tag", "rev", "subdirectory", "python", "markers"):
        if not isinstance(entry.get(key, ""), str):
            raise SpecError(f"{key} of {quote(name)} is not a text")
    bare = f"{name}[{','.join(extras)}]" if extras else name
    place = _place(entry)
    versions = specifier(entry.get("version", "*"))
    if entry.get("allow-prereleases") is True:
        versions = ",".join(filter(None, (versions, _ANY_WITH_PRERELEASES)))
    text = f"{bare} @ {place}" if place else f"{bare}{versions}"
    conditions = []
    if entry.get("python"):
        conditions += _python_conditions(entry["python"])
    if platform := entry.get("platform"):
        conditions.append(_platform_condition(platform))
    if entry.get("markers"):
        conditions.append(f"({entry['markers']})")
    return f"{text} ; {' and '.join(conditions)}" if conditions else text


def _place(entry: dict[str, Any]) -> str:
    subdirectory = f"#subdirectory={entry['subdirectory']}" if entry.get("subdirectory") else ""
    if git := entry.get("git"):
        if found := _SCP.match(git):
            git = f"ssh://{found['user']}{found['host']}/{found['path']}"
        revision = next((entry[key] for key in ("rev", "tag", "branch") if entry.get(key)), "")
        return f"git+{git}{'@' if revision else ''}{revision}{subdirectory}"
    return f"{entry.get('url') or entry.get('path') or entry.get('file') or ''}{subdirectory}"


def _python_conditions(text: str) -> list[str]:
    """The conditions of a marker that stand for a constraint on Python."""
    alternatives = [list(map(_python_condition, filter(None, _range(one).split(",")))) for one in _alternatives(text)]
    if len(alternatives) == 1 or not all(alternatives):
        return alternatives[0] if len(alternatives) == 1 else []
    return [f"({' or '.join(' and '.join(conditions) for conditions in alternatives)})"]


def _python_condition(clause: str) -> str:
    found = re.fullmatch(r"([<>=!~]+)(.+)", clause)
    if found is None:
        raise AssertionError(f"a clause was expected: {clause}")
    variable = "python_version" if found[2].endswith(".*") else "python_full_version"
    return f'{variable} {found[1]} "{found[2]}"'


def _platform_condition(text: Any) -> str:
    """The condition of a marker that stands for platforms: ``linux``, ``!=win32``, ``linux || darwin``."""
    alternatives = []
    for one in _alternatives(text) if isinstance(text, str) else [""]:
        found = [_PLATFORM.fullmatch(name.strip()) for name in one.split(",")]
        if not all(found):
            raise SpecError(f"the platform {quote(str(text))} is not understood")
        alternatives.append([f'sys_platform {name["operator"] or "=="} "{name["name"]}"' for name in found if name])
    joined = " or ".join(" and ".join(conditions) for conditions in alternatives)
    return f"({joined})" if len(alternatives) > 1 else joined


def _alternatives(text: str) -> list[str]:
    found = re.split(r"\|\|?", text)
    if len(found) > 1 and not all(map(str.strip, found)):
        raise SpecError(f"{quote(text)} is not a version constraint")
    return found


def specifier(text: str, *, of_python: bool = False) -> str:
    """The PEP 440 specifier that a version constraint stands for; empty for any version.

    Args:
        text: the constraint.
        of_python: whether it is of Python; see `united`.

    Raises:
        SpecError: it is not understood, or has no PEP 440 form.
    """
    ranges = list(map(_range, _alternatives(text)))
    found = ranges[0] if len(ranges) == 1 else united(ranges, of_python=of_python)
    if found is None:
        raise SpecError(
            f"the constraint {quote(text)} joins several ranges, which no requirement can say",
            hint="write one range, and leave out versions with !=",
        )
    return found


def _range(text: str) -> str:
    """The specifier that a constraint without alternatives stands for."""
    clauses = []
    rest = text.strip()
    while rest:
        found = _CLAUSE.match(rest)
        if found is None:
            raise SpecError(f"{quote(text)} is not a version constraint")
        clauses.append(_clause(found["operator"] or "", found["version"], text))
        rest = rest[found.end() :].lstrip(" \t,")
    return ",".join(filter(None, clauses))


def _clause(operator: str, version: str, text: str) -> str:
    if version == "*" and operator in ("", "=", "==", "^", "~", ">="):
        return ""
    try:
        parsed = Version(version.removesuffix(".*").removesuffix(".x"))
    except ValueError:  # no version, or a number of thousands of digits
        raise SpecError(f"{quote(text)} is not a version constraint") from None
    if operator == "^":
        kept = next((i for i, number in enumerate(parsed.release) if number), len(parsed.release) - 1)
        return f">={parsed},<{_bumped(parsed, kept)}"
    if operator == "~=" and "*" not in version and len(parsed.release) not in _AS_IN_PEP_440:
        return f">={parsed},<{_bumped(parsed, 1)}"
    if operator == "~":
        return f">={parsed},<{_bumped(parsed, min(1, len(parsed.release) - 1))}"
    if operator in ("<", "<=", ">", ">="):  # Poetry takes a bound with .* for the bound without, PEP 440 for none
        version = version.removesuffix(".*")
    return f"{'==' if operator in ('', '=') else operator}{version}"


def _bumped(version: Version, position: int) -> str:
    """The first version whose number at `position` is one higher."""
    epoch = f"{version.epoch}!" if version.epoch else ""
    numbers = (*version.release, 0)
    return epoch + ".".join(map(str, (*numbers[:position], numbers[position] + 1)))
