"""Input that grows when it is looked at is told what it is, and takes no more memory than it is worth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="memory is measured where the system tells it")

from bombs import BOMBS

TESTS = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def said() -> dict[str, tuple[str, int]]:
    """What was said of each, and MiB that it took; one process looks at them all, each in a child of its own."""
    done = subprocess.run(
        [sys.executable, str(TESTS / "hostile" / "bombs.py")], capture_output=True, text=True, check=True, timeout=900
    )
    return {name: (text, grown) for name, text, grown in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_told_from_what_it_pretends_to_be(name: str, said: dict[str, tuple[str, int]]) -> None:
    _, expected, most = BOMBS[name]

    assert name in said, "it ended by itself, not for want of memory or time"
    text, grown = said[name]
    assert text.endswith(expected)
    assert grown <= most
