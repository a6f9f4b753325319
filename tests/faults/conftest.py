from __future__ import annotations

from functools import cache

import httpx2
import pytest

_trust = cache(httpx2.create_ssl_context)


@pytest.fixture
def _trust_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the system's certificates is half the time of a short run, and of no concern where there is no TLS."""
    monkeypatch.setattr(httpx2, "create_ssl_context", _trust)
