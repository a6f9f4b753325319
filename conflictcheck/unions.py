"""Unions of version ranges as one PEP 440 specifier, where there is one: a single range with versions left out.

``>=1,<2`` or ``>=2,<3`` is ``>=1,<3``; ``<2`` or ``>=3`` is ``!=2.*``. Pre-releases of a bound between two ranges are
not told apart. Source: PEP 440, "Version specifiers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_HOLES = 20
"""Series (``!=2.*``) that are left out between two ranges."""

_AFTER_PYTHON_2, _PYTHON_3 = Version("2.8"), Version("3")
"""No Python is between them: what ends at the one ends at the other."""


class _Bound(NamedTuple):
    """A version, and whether the range has it."""

    version: Version
    inside: bool


class _Range(NamedTuple):
    low: _Bound | None
    high: _Bound | None


def united(specifiers: Iterable[str], *, of_python: bool = False) -> str | None:
    """The specifier that admits what any of these does; empty for any version.

    Args:
        specifiers: PEP 440; empty admits all.
        of_python: whether they are of Python, of which no version is between 2.7 and 3.

    Returns:
        None where no specifier says that, or a clause is none of a bound, ``==`` and ``~=``.
    """
    try:
        ranges = [_range_of(text, of_python=of_python) for text in specifiers]
    except InvalidSpecifier:
        return None
    if not all(ranges):
        return None
    first, *others = sorted((one for one in ranges if one), key=_start)
    top, holes = first.high, list[str]()
    for one in others:
        if top is None:
            break
        if one.low is not None and not _meet(top, one.low):
            between = _between(top, one.low)
            if between is None:
                return None
            holes += between
        top = None if one.high is None else max(top, one.high)
    low = "" if first.low is None else f"{'>=' if first.low.inside else '>'}{first.low.version}"
    high = "" if top is None else f"{'<=' if top.inside else '<'}{top.version}"
    return ",".join(filter(None, (low, high, *holes)))


def _start(one: _Range) -> tuple[bool, Version, bool]:
    return (False, Version("0"), False) if one.low is None else (True, one.low.version, not one.low.inside)


def _range_of(text: str, *, of_python: bool) -> _Range | None:
    """The one range of a specifier; None if it is none, or nothing is in it."""
    lows: list[_Bound] = []
    highs: list[_Bound] = []
    for clause in SpecifierSet(text):
        if "+" in clause.version:  # a bound has no local part
            return None
        if clause.operator in (">", ">="):
            lows.append(_Bound(Version(clause.version), clause.operator == ">="))
        elif clause.operator in ("<", "<="):
            highs.append(_Bound(Version(clause.version), clause.operator == "<="))
        elif clause.operator in ("==", "~="):
            start, end = _of_equal(clause)
            lows.append(start)
            highs.append(end)
        else:
            return None
    low = max(lows, key=lambda bound: (bound.version, not bound.inside), default=None)
    high = min(highs, default=None)
    if (
        low
        and high
        and (low.version > high.version or (low.version == high.version and not (low.inside and high.inside)))
    ):
        return None
    if of_python and high == (_AFTER_PYTHON_2, False):
        high = _Bound(_PYTHON_3, inside=False)
    return _Range(low, high)


def _of_equal(clause: Specifier) -> tuple[_Bound, _Bound]:
    """What ``==`` and ``~=`` admit."""
    version = Version(clause.version.removesuffix(".*"))
    if clause.operator == "==" and not clause.version.endswith(".*"):
        return _Bound(version, inside=True), _Bound(version, inside=True)
    kept = version.release if clause.operator == "==" else version.release[:-1]
    epoch = f"{version.epoch}!" if version.epoch else ""
    end = Version(epoch + ".".join(map(str, (*kept[:-1], kept[-1] + 1))))
    return _Bound(version, inside=True), _Bound(end, inside=False)


def _meet(high: _Bound, low: _Bound) -> bool:
    """Whether no version is between the end of one range and the start of the next."""
    return low.version < high.version or (low.version == high.version and (low.inside or high.inside))


def _between(high: _Bound, low: _Bound) -> list[str] | None:
    """Clauses that leave out just what is between two ranges; None if there are none."""
    if high.version == low.version:
        return [f"!={low.version}"]
    whole = all(Version(bound.version.base_version) == bound.version for bound in (high, low))
    if high.inside or not low.inside or not whole or high.version.epoch != low.version.epoch:
        return None
    length = max(len(high.version.release), len(low.version.release))
    start, end = (bound.version.release + (0,) * (length - len(bound.version.release)) for bound in (high, low))
    at = next(i for i in range(length) if start[i] != end[i])
    if any(start[at + 1 :]) or any(end[at + 1 :]) or end[at] - start[at] > _MOST_HOLES:
        return None
    epoch = f"{low.version.epoch}!" if low.version.epoch else ""
    return [f"!={epoch}{'.'.join(map(str, (*start[:at], last)))}.*" for last in range(start[at], end[at])]
