"""The dependency graph of one environment."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflictcheck.model import Environment, Pin


def label(pin: Pin) -> str:
    """A pin in a few letters: ``dask[array] 2024.10.0``."""
    return f"{pin.name}[{','.join(pin.extras)}] {pin.version}" if pin.extras else f"{pin.name} {pin.version}"


def asked_by_specs(environment: Environment) -> dict[str, list[str]]:
    """For each spec of the environment, the packages that its own lines ask for, sorted."""
    return {
        spec: sorted(pin.name for pin in environment.packages if spec in pin.requested_by) for spec in environment.specs
    }


def asked_by_packages(environment: Environment) -> dict[str, list[str]]:
    """For each package of the environment, the packages it asks for there, sorted."""
    names = {pin.name for pin in environment.packages}
    asks: dict[str, set[str]] = {
        pin.name: {name for name in pin.requires if name in names} for pin in environment.packages
    }
    for pin in environment.packages:
        for name in pin.requested_by:
            # A spec may have a package's name; then it is the spec.
            if name in names and name not in environment.specs:
                asks[name].add(pin.name)
    return {name: sorted(asked) for name, asked in asks.items()}


def reached(start: list[str], graph: Mapping[str, list[str]]) -> set[str]:
    """Everything that `start` leads to, `start` included."""
    found, queue = set(start), deque(start)
    while queue:
        new = [name for name in graph[queue.popleft()] if name not in found]
        found.update(new)
        queue.extend(new)
    return found
