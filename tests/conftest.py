"""What all tests share: golden files, and the width of reports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew from what comes out")
    parser.addoption("--property-examples", type=int, default=40, help="how many examples each property is tried on")
    parser.addoption("--kills", type=int, default=8, help="how many runs are killed at a random moment")
    parser.addoption(
        "--fuzz-inputs", type=int, default=300, help="how many inputs each parser is fed, beside the kept ones"
    )


@pytest.fixture(autouse=True)
def _usual_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have told programs how wide to write, or uv what to do, or be a service."""
    for name in ("COLUMNS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "APPDATA"):
        monkeypatch.setenv(name, os.devnull)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with ``tests/golden/NAME``; a missing file fails, ``--update-golden`` writes it."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        assert path.exists(), f"{path} is missing; pytest --update-golden writes it"
        assert text == path.read_bytes().decode()

    return compare
