"""From a release's ``Requires-Dist`` strings to what it needs on one target.

Standards: PEP 508 (requirement strings and markers), PEP 685 (names of extras).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

_ZERO_STAR = re.compile(r"(>=|<=|<|>)\s*(\d+(?:\.\d+)*)\.\*")


@dataclass(frozen=True, slots=True, eq=False)
class Dependency:
    """A requirement of a release, before any target; equal strings give the same object.

    Attributes:
        text: without the marker, in normal form: ``numpy<2,>=1.26``.
        name: the package it needs.
        extras: normalized, sorted.
        specifier: the versions that satisfy it.
        specifier_text: its text, fit for a key.
        url: a direct reference, or None.
        marker: where it applies, or None for everywhere.
        marker_text: its text, fit for a key; empty for everywhere.
    """

    text: str
    name: NormalizedName
    extras: tuple[NormalizedName, ...]
    specifier: SpecifierSet
    specifier_text: str
    url: str | None
    marker: Marker | None
    marker_text: str


@lru_cache(maxsize=100_000)
def parse_dependency(text: str) -> Dependency | None:
    """Read one requirement string; None if it is none, even after the repairs that pip and uv make."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        # ">=1.0.*" was accepted for years, and old releases are full of it.
        try:
            requirement = Requirement(_ZERO_STAR.sub(r"\1\2", text))
        except InvalidRequirement:
            return None
    marker = requirement.marker
    requirement.marker = None
    return Dependency(
        text=str(requirement),
        name=canonicalize_name(requirement.name),
        extras=tuple(sorted({canonicalize_name(extra) for extra in requirement.extras})),
        specifier=requirement.specifier,
        specifier_text=str(requirement.specifier),
        url=requirement.url,
        marker=marker,
        marker_text="" if marker is None else str(marker),
    )


class MarkerEvaluator:
    """Evaluates markers on one target, each distinct text once per extra."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._known: dict[tuple[str, str], bool] = {}

    def holds(self, marker: Marker | None, text: str, extra: str = "") -> bool:
        """Whether a marker holds.

        Args:
            marker: None holds everywhere.
            text: its text.
            extra: the extra that is asked for, or empty for the package itself.
        """
        if marker is None:
            return True
        if "extra" not in text:
            extra = ""
        key = (text, extra)
        if key not in self._known:
            try:
                # PEP 508 strings compare; a marker that cannot be compared selects nothing, as in pip.
                self._known[key] = marker.evaluate({**self._environment, "extra": extra})
            except (UndefinedComparison, UndefinedEnvironmentName):
                self._known[key] = False
        return self._known[key]
