"""How often properties are tried: the same few cases each time by default, ever new ones where many are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALWAYS_THE_SAME = 100
"""Up to so many examples, a run is like the last one."""


def pytest_configure(config: pytest.Config) -> None:
    examples = config.getoption("--property-examples")
    settings.register_profile(
        "conflictcheck",
        max_examples=examples,
        derandomize=examples <= _ALWAYS_THE_SAME,
        database=None,
        deadline=None,
        # Explaining which parts of a case do not matter takes longer than making it small.
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    settings.load_profile("conflictcheck")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if "property" in item.path.parts:
            item.add_marker(pytest.mark.property)
