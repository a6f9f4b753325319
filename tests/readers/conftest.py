from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conflictcheck.errors import InputErrors
from conflictcheck.readers import read_specs

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.model import ReadResult


class Folder:
    """A working directory: files are written into it, and read as specs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.standard_input: bytes | None = None

    def write(self, name: str, content: str | bytes = "") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def read(self, *paths: str, variables: dict[str, str] | None = None, with_: tuple[str, ...] = ()) -> ReadResult:
        return read_specs(
            paths,
            cwd=self.path,
            with_requirements=with_,
            variables=variables or {},
            standard_input=self.standard_input,
        )

    def lines(self, *paths: str, variables: dict[str, str] | None = None) -> list[str]:
        """Each requirement of each spec: ``file:line: text``."""
        specs = self.read(*paths, variables=variables).specs
        return [f"{r.file}:{r.line}: {r.text}" for spec in specs for r in spec.requirements]

    def errors(self, *paths: str, variables: dict[str, str] | None = None) -> list[str]:
        with pytest.raises(InputErrors) as caught:
            self.read(*paths, variables=variables)
        return str(caught.value).splitlines()

    def notes(self, *paths: str) -> list[str]:
        """Each diagnostic: ``severity code file:line: message``."""
        return [
            f"{d.severity} {d.code} {d.file}{'' if d.line is None else f':{d.line}'}: {d.message}"
            for d in self.read(*paths).diagnostics
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
