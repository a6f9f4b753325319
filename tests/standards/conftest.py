from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asking import Asker

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ask(tmp_path: Path) -> Asker:
    return Asker(tmp_path)


@pytest.fixture(scope="module")
def ask_at_once(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    """For tables that are asked about in one run."""
    return Asker(tmp_path_factory.mktemp("table"))
