"""What commands are tried on."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from index_server import IndexServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    Serve = Callable[[Mapping[str, Any]], AbstractContextManager[IndexServer]]


@pytest.fixture
def serve(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serve packages as the index, in a working directory of one's own, with a cache and no other configuration."""

    @contextmanager
    def served(packages: Mapping[str, Any]) -> Iterator[IndexServer]:
        monkeypatch.chdir(tmp_path)
        for name in list(os.environ):
            if name.startswith(("PIP_", "UV_", "CONFLICTCHECK_")):
                monkeypatch.delenv(name)
        with IndexServer(packages) as server:
            monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
            monkeypatch.setenv("PIP_INDEX_URL", server.url)
            monkeypatch.setenv("CONFLICTCHECK_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
            yield server

    return served
