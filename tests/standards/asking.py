"""What the tests of the standards' documents ask: the public `check`, about specs in a folder and a loopback index."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from index_server import IndexServer

import conflictcheck

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conflictcheck.index.memory import Rel
    from conflictcheck.model import Environment, Report

    Packages = Mapping[str, Mapping[str, Rel | Sequence[str]]]


class Asker:
    """Asks conflictcheck about what is in a folder, for Python 3.11 on Linux where nothing else is said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self, index: IndexServer | Packages, *lines: str, **options: Any) -> Report:
        """The report about one requirements file of these lines; with none, about the folder as it is."""
        if lines:
            self.write("requirements.txt", *lines)
        given = {"python_versions": ["3.11"], "python_platforms": ["linux"], "no_cache": True, **options}
        with nullcontext(index) if isinstance(index, IndexServer) else IndexServer(index) as server:
            given.setdefault("index_url", server.url)
            return conflictcheck.check(cwd=self.folder, environ={"PIP_CONFIG_FILE": os.devnull}, **given)

    def pins(self, index: IndexServer | Packages, *lines: str, **options: Any) -> dict[str, str]:
        """What the one environment holds, by name; empty where there is none."""
        return versions(self.check(index, *lines, **options).environments)

    def placed(self, packages: Packages, lines: Sequence[str], **options: Any) -> list[bool]:
        """Whether each line, in a file of its own, can be installed; the lines are of different packages."""
        for number, line in enumerate(lines):
            self.write(f"{number}-requirements.txt", line)
        report = self.check(packages, **options)
        found = {spec for environment in report.environments for spec in environment.specs}
        return [f"{number}-requirements.txt" in found for number in range(len(lines))]

    def write(self, name: str, *lines: str) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def versions(environments: Sequence[Environment]) -> dict[str, str]:
    """The version of each package of all environments."""
    return {pin.name: pin.version for environment in environments for pin in environment.packages}


def reasons(report: Report) -> list[str]:
    """What is said about specs that could not be decided."""
    return [each.message for each in report.diagnostics if each.code.startswith("undecided")]


def warnings(report: Report) -> list[str]:
    """Codes of all diagnostics that are more than notes."""
    return [each.code for each in report.diagnostics if each.severity != "note"]
