"""How many examples a test gets that is run for each flavour."""

from __future__ import annotations

from hypothesis import settings


def part_of_examples(divisor: int) -> settings:
    """That part of `--property-examples` for each flavour: the costlier the test, the smaller."""
    return settings(max_examples=max(1, (settings.default or settings()).max_examples // divisor))
