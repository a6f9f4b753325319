"""From a release's ``Requires-Dist`` strings to what it needs on one target.

Standards: PEP 508 (requirement strings and markers), PEP 685 (names of extras).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from conflictcheck.slips import mended

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PLAIN = re.compile(
    rf"({_NAME}) *(?:\[ *({_NAME}(?: *, *{_NAME})*) *\])? *"
    r"(?:\( *([<>=!~][^;@()\[\]]*)\)|([<>=!~][^;@()\[\]]*))? *(?:;(.+))?",
    re.ASCII,
)
_ENDLESS_NUMBER = re.compile(r"[0-9]{1000}")
"""Python refuses to read numbers of thousands of digits, and would do so wherever versions are compared."""


class Dependency(Struct, frozen=True, eq=False):
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
        extra: the one extra that it is for, empty where it is for the package itself; None where only evaluation tells.
    """

    text: str
    name: NormalizedName
    extras: tuple[NormalizedName, ...]
    specifier: SpecifierSet
    specifier_text: str
    url: str | None
    marker: Marker | None
    marker_text: str
    extra: NormalizedName | Literal[""] | None


@lru_cache(maxsize=100_000)
def parse_dependency(text: str) -> Dependency | None:
    """Read one requirement string; None if it is none, even with known slips mended."""
    if _ENDLESS_NUMBER.search(text):
        return None
    try:
        return _parse_plain(text) or _dependency(Requirement(text))
    except (InvalidRequirement, InvalidSpecifier, InvalidMarker):
        pass
    except RecursionError:  # a marker of hundreds of parentheses
        return None
    try:
        return _dependency(Requirement(mended(text)))
    except (InvalidRequirement, InvalidMarker, RecursionError):
        return None


def _parse_plain(text: str) -> Dependency | None:
    """Read a string of the usual form by its parts, which repeat; packaging's parser takes several times as long.

    Raises:
        InvalidSpecifier, InvalidMarker: if a part is none.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    name, extras, bracketed, bare, marker = match.groups()
    specifier = _specifier((bracketed or bare or "").strip())
    shown = str(specifier)
    wanted = tuple(sorted({canonicalize_name(extra.strip()) for extra in extras.split(",")})) if extras else ()
    parsed = _marker(marker.strip()) if marker else None
    marker_text = "" if parsed is None else str(parsed)
    return Dependency(
        text=f"{name}[{','.join(sorted(extra.strip() for extra in extras.split(',')))}]{shown}"
        if extras
        else name + shown,
        name=canonicalize_name(name),
        extras=wanted,
        specifier=specifier,
        specifier_text=shown,
        url=None,
        marker=parsed,
        marker_text=marker_text,
        extra=_only_extra(marker_text),
    )


def _dependency(requirement: Requirement) -> Dependency:
    marker = None if requirement.marker is None else _marker(str(requirement.marker))
    marker_text = "" if marker is None else str(marker)
    requirement.marker = None
    return Dependency(
        text=str(requirement),
        name=canonicalize_name(requirement.name),
        extras=tuple(sorted({canonicalize_name(extra) for extra in requirement.extras})),
        specifier=requirement.specifier,
        specifier_text=str(requirement.specifier),
        url=requirement.url,
        marker=marker,
        marker_text=marker_text,
        extra=_only_extra(marker_text),
    )


@lru_cache(maxsize=50_000)
def _specifier(text: str) -> SpecifierSet:
    return SpecifierSet(text)


@lru_cache(maxsize=20_000)
def _marker(text: str) -> Marker:
    """Read a marker.

    Raises:
        InvalidMarker: also where it has no meaning on any target, such as ``sys_platform ~= "linux"``. A release that
            says so may not be chosen (PEP 508's text on unknown variables); taken as false, a need would be lost.
    """
    marker = Marker(text)
    try:
        marker.evaluate({"extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise InvalidMarker(str(error)) from error
    return marker


_EXTRA = re.compile(r"""(?:^|.* and )extra == "([^"]*)"(?: and .*|$)""")


def extra_of(marker_text: str) -> str:
    """The extra that a marker is about: that of ``extra == "x"``, alone or joined to the rest by ``and``; or empty.

    An override takes the place of a whole requirement but for this part of its marker, as in uv.
    """
    unquoted = re.sub(r"\([^()]*\)", "()", marker_text)
    match = None if " or " in unquoted else _EXTRA.match(unquoted)
    return match[1] if match else ""


@lru_cache(maxsize=20_000)
def _only_extra(marker_text: str) -> NormalizedName | Literal[""] | None:
    """See `Dependency.extra`."""
    if "extra" not in marker_text:
        return ""
    return canonicalize_name(extra_of(marker_text)) or None


def without_details(dependency: Dependency) -> Dependency:
    """What an override leaves of a requirement: that the package is wanted, and for which extra (as in uv)."""
    extra = extra_of(dependency.marker_text)
    text = f'extra == "{extra}"' if extra else ""
    return replace(
        dependency,
        text=dependency.name,
        extras=(),
        specifier=_specifier(""),
        specifier_text="",
        url=None,
        marker=_marker(text) if extra else None,
        marker_text=text,
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
            self._known[key] = marker.evaluate({**self._environment, "extra": extra})
        return self._known[key]
