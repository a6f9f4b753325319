"""A first settings file: every key with what it means and an example from what was found, commented out.

So it changes nothing until somebody takes a comment sign away. What the keys mean is told by the schema, in one place.
"""

from __future__ import annotations

import json
import re
import textwrap
from os.path import commonpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from conflictcheck.escaping import HIDDEN, visible
from conflictcheck.phrases import count
from conflictcheck.settings_file import read_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Spec

_MOST = 20
_LOWEST_PYTHON = re.compile(r">=?\s*(3\.\d{1,3})")
_PLATFORMS = {"win32": "windows", "Windows": "windows", "darwin": "macos", "Darwin": "macos", "linux": "linux"}
_WILD = re.compile(r"[*?\[\]\\]")


def make_template(specs: Sequence[Spec]) -> str:
    """The text of a settings file.

    Args:
        specs: what a search finds.

    Returns:
        TOML that says nothing; lines of settings begin with ``#``, those that explain them with ``# ``.
    """
    lines = [
        "# Settings of conflictcheck. Each is commented out, so nothing changes yet: take the # before its name away.",
        "# Paths and patterns are relative to the folder of this file.",
        *_found(specs),
    ]
    properties = read_schema()["properties"]
    examples = _examples(specs)
    for key, described in properties.items():
        if key != "environments":
            lines += ["", *_prose(described["description"]), f"#{key} = {_value(examples[key])}"]
    # A table comes last, as all that follows its name belongs to it.
    lines += ["", *_prose(properties["environments"]["description"]), "#[environments]"]
    lines += [f"#{name} = {_value(patterns)}" for name, patterns in _environments(specs).items()]
    return "\n".join(lines) + "\n"


def _found(specs: Sequence[Spec]) -> list[str]:
    if not specs:
        return ["# No spec was found when it was made."]
    lines = [f"# When it was made, {count(len(specs), 'spec was', 'specs were')} found:"]
    lines += [f"#   {visible(spec.id)}" for spec in specs[:_MOST]]
    return [*lines, f"#   and {len(specs) - _MOST} more"] if len(specs) > _MOST else lines


def _examples(specs: Sequence[Spec]) -> dict[str, Any]:
    groups = sorted({spec.id.partition("#")[2] for spec in specs if "#group:" in spec.id})
    plain = [group for group in groups if re.fullmatch(r"group:[a-z0-9-]+", group)]
    environments = _environments(specs)
    return {
        "include": [pattern for patterns in environments.values() for pattern in patterns],
        "exclude": [f"**/pyproject.toml#{plain[0]}" if plain else "tests/**"],
        "max-environments": len(environments),
        "python-versions": [_python(specs)],
        "platforms": _platforms(specs),
        "index-url": "https://index.example/simple",
        "extra-index-urls": ["https://index.example/extra"],
        "find-links": ["https://files.example/wheels"],
        "no-index": True,
        "exclude-newer": "2024-11-02",
        "prerelease": "if-necessary-or-explicit",
        "only-binary": [":all:"],
        "no-binary": ["lxml"],
        "constraints": ["constraints.txt"],
        "overrides": ["overrides.txt"],
        "baseline": "known-clashes.toml",
        "ignore": ["0123456789ab"],
    }


def _environments(specs: Sequence[Spec]) -> dict[str, list[str]]:
    """An environment for each folder below the one that holds all, and one for the files beside these folders."""
    paths = sorted({PurePosixPath(spec.path) for spec in specs if spec.path is not None})
    above = len(PurePosixPath(commonpath([path.parent for path in paths])).parts) if paths else 0
    found: dict[str, list[str]] = {}
    for path in paths:
        top, below = path.parts[above], path.parts[above + 1 :]
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", top).strip("-_")[:64] if below else "main"
        pattern = "/".join(map(_literal, path.parts[: above + 1])) + ("/**" if below else "")
        patterns = found.setdefault(name.lower() or "other", [])
        if pattern not in patterns:
            patterns.append(pattern)
    return found or {"main": ["requirements.txt"]}


def _literal(name: str) -> str:
    """A name as a pattern that means nothing else; a ``#`` would begin a section."""
    return _WILD.sub(lambda match: f"\\{match[0]}", name).replace("#", "?")


def _python(specs: Sequence[Spec]) -> str:
    """The oldest Python that all specs admit, as far as a lower bound tells."""
    bounds = [found[1] for spec in specs if (found := _LOWEST_PYTHON.search(spec.requires_python or ""))]
    return max(bounds, key=lambda version: int(version.partition(".")[2]), default="3.12")


def _platforms(specs: Sequence[Spec]) -> list[str]:
    """The platforms that markers name."""
    markers = {str(line.marker) for spec in specs for line in spec.requirements if line.marker is not None}
    named = {name for text, name in _PLATFORMS.items() for marker in markers if f'"{text}"' in marker}
    return ["linux", *sorted(named - {"linux"})]


def _prose(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 98, break_on_hyphens=False)]


def _value(value: Any) -> str:
    """The value as TOML, whose strings and lists are those of JSON."""
    text = json.dumps(value, ensure_ascii=False)
    text = HIDDEN.sub(lambda match: f"\\U{ord(match[0]):08x}", text)
    return text.replace("##", "#\\u0023")
