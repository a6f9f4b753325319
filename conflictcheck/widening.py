"""The specifier of a requirement line, widened as little as is needed, in the style it was written in.

``numpy<1.24`` becomes ``numpy<2``, ``==1.2.3`` becomes ``>=1.2.3,<2`` or, downwards, ``>=1.1,<=1.2.3``. Whether a
candidate will do is for the caller to say; the one that widens least is tried first. Source: PEP 440.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from conflictcheck.specifier_text import CLAUSE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence


class _Part(NamedTuple):
    """A clause as written."""

    operator: str
    version: str

    @property
    def is_below(self) -> bool:
        """Whether it bounds from below and not from above."""
        return self.operator in (">", ">=")

    @property
    def is_above(self) -> bool:
        """Whether it bounds from above and not from below."""
        return self.operator in ("<", "<=")

    @property
    def is_hole(self) -> bool:
        """Whether it takes out versions from within."""
        return self.operator == "!="

    def floor(self) -> str:
        """The lower bound that an ``==`` or ``~=`` contains, as a version."""
        version = self.version.removesuffix(".*")
        if self.operator == "~=" and version.count(".") > 1:
            version = version.removesuffix(".0")
        return Version(version).public

    def ceiling(self) -> str:
        """The upper bound that an ``==`` or ``~=`` contains, as a clause."""
        parsed = Version(self.version.removesuffix(".*"))
        if self.operator == "~=":
            return f"<{_bumped(parsed, len(parsed.release) - 2)}"
        if self.version.endswith(".*"):
            return f"<{_bumped(parsed, len(parsed.release) - 1)}"
        return f"<={parsed.public}"


class Written(Struct, frozen=True, dict=True):
    """The specifier of a line, and how it is written.

    Attributes:
        text: the clauses as written.
        by_minor: whether a boundary between versions is a minor one, as for Python itself.
    """

    text: str
    by_minor: bool = False

    @cached_property
    def _parts(self) -> list[_Part]:
        return [_Part(found["operator"], found["version"]) for found in CLAUSE.finditer(self.text)]

    @cached_property
    def _separator(self) -> str:
        return ", " if ", " in self.text else ","

    @cached_property
    def _gap(self) -> str:
        found = CLAUSE.search(self.text)
        return " " if found and found["gap"] else ""

    def is_understood(self) -> bool:
        """Whether every version in it is one (an arbitrary equality may name anything)."""
        try:
            for part in self._parts:
                Version(part.version.removesuffix(".*"))
        except InvalidVersion:
            return False
        return bool(self._parts)

    # -- candidates --------------------------------------------------------------------------------------------

    def without_holes(self) -> str | None:
        """Without its ``!=`` clauses; None if it has none, or nothing else."""
        kept = [part for part in self._parts if not part.is_hole]
        return self._join(part.operator + part.version for part in kept) if len(kept) < len(self._parts) else None

    def keeping_holes(self, needed: Callable[[str], bool]) -> str:
        """Without as few of its ``!=`` clauses as will do."""
        kept = [part for part in self._parts if not part.is_hole]
        for part in self._parts:
            if part.is_hole:
                more = [other for other in self._parts if other in kept or other == part]
                if needed(self._join(other.operator + other.version for other in more)):
                    kept = more
        return self._join(part.operator + part.version for part in kept)

    def has_ceiling(self) -> bool:
        """Whether anything bounds it from above."""
        return any(not part.is_below and not part.is_hole for part in self._parts)

    def has_floor(self) -> bool:
        """Whether anything bounds it from below."""
        return any(not part.is_above and not part.is_hole for part in self._parts)

    def up_to(self, boundary: str) -> str:
        """The same from below, and up to a boundary, which is left out."""
        clauses: list[str] = []
        placed = False
        for part in self._parts:
            if part.is_below or part.is_hole:
                clauses.append(part.operator + part.version)
                continue
            if not part.is_above:
                clauses.append(f">={part.floor()}")
            if not placed:
                clauses.append(f"<{boundary}")
                placed = True
        return self._join(clauses)

    def down_to(self, floor: str) -> str:
        """The same from above, and down to a version, which is let in."""
        clauses: list[str] = []
        placed = False
        for part in self._parts:
            if part.is_above or part.is_hole:
                clauses.append(part.operator + part.version)
                continue
            if not placed:
                clauses.append(f">={floor}")
                placed = True
            if not part.is_below:
                clauses.append(part.ceiling())
        return self._join(clauses)

    def boundaries(self, versions: Iterable[Version]) -> list[str]:
        """Upper bounds that let in more and more of the versions, lowest first."""
        top = self._top()
        if top is None:
            return []
        above = sorted(version for version in versions if version > top)
        return list(dict.fromkeys(self._boundary(version) for version in above))

    def floors(self, versions: Iterable[Version]) -> list[Version]:
        """Lower bounds that let in more and more of the versions, highest first."""
        if self._bottom is None:
            return []
        bottom, is_left_out = self._bottom
        # With a bound that is left out, its post-releases and local versions are: it need not exist itself.
        below = {version for version in versions if version < bottom} | ({bottom} if is_left_out else set())
        return sorted(below, reverse=True)

    def rounded(self, floor: Version) -> str:
        """A floor as people write it: as long as the bound in the line, at least two numbers."""
        if self._bottom is None or floor.is_prerelease or floor.is_postrelease:
            return floor.public
        length = 2 if self.by_minor or not self._is_pin() else len(floor.release)
        for part in self._parts:
            if part.operator in (">=", ">"):
                length = max(2, len(Version(part.version).release))
        if length >= len(floor.release):
            return floor.public
        return _join_release(floor, floor.release[:length])

    def goes_down(self, specifier: str) -> bool:
        """Whether another specifier lets in older versions than this one; what is no version has no age."""
        if not self.is_understood():
            return False
        other = Written(specifier)
        return self._bottom is not None and (other._bottom is None or other._bottom < self._bottom)

    # -- helpers -----------------------------------------------------------------------------------------------

    def _is_pin(self) -> bool:
        return any(part.operator in ("==", "===") and not part.version.endswith(".*") for part in self._parts)

    def _boundary(self, version: Version) -> str:
        """The next version that may break things: a new major one, or minor where the major number is 0."""
        by_minor = self.by_minor or version.major == 0
        return _bumped(version, 1 if by_minor else 0)

    def _top(self) -> Version | None:
        """The lowest of the upper bounds."""
        found = []
        for part in self._parts:
            if part.is_above:
                found.append(Version(part.version))
            elif not part.is_below and not part.is_hole:
                found.append(Version(part.ceiling().lstrip("<=")))
        # An excluded bound is above the range itself: what equals it has to count as above.
        return min((_just_below(bound, self._parts) for bound in found), default=None)

    @cached_property
    def _bottom(self) -> tuple[Version, bool] | None:
        """The highest of the lower bounds, and whether it is left out itself."""
        found = []
        for part in self._parts:
            if part.is_below:
                found.append((Version(part.version), part.operator == ">"))
            elif not part.is_above and not part.is_hole:
                found.append((Version(part.floor()), False))
        return max(found, default=None)

    def _join(self, clauses: Iterable[str]) -> str:
        pieces = []
        for clause in clauses:
            found = CLAUSE.match(clause)
            pieces.append(f"{found['operator']}{self._gap}{found['version']}" if found else clause)
        return self._separator.join(pieces)


def _just_below(bound: Version, parts: Sequence[_Part]) -> Version:
    """A version such that whatever is greater lies above the range: the bound, or a version just below it."""
    excluded = any(
        (part.operator == "<" and Version(part.version) == bound)
        or ((part.operator == "~=" or part.version.endswith(".*")) and part.ceiling() == f"<{bound}")
        for part in parts
        if not part.is_hole
    )
    return Version(f"{bound.public.partition('+')[0]}.dev0") if excluded and not bound.is_devrelease else bound


def _bumped(version: Version, position: int) -> str:
    release = (*version.release, *([0] * (position + 1 - len(version.release))))
    return _join_release(version, (*release[:position], release[position] + 1))


def _join_release(version: Version, numbers: Iterable[int]) -> str:
    epoch = f"{version.epoch}!" if version.epoch else ""
    return epoch + ".".join(map(str, numbers))


def widen(
    written: Written,
    versions: Collection[Version],
    admits: Callable[[str], bool],
    locked: Collection[Version] = (),
) -> str | None:
    """The specifier that widens a line least among those that let a solution in.

    Upwards is tried before downwards, as a newer release is the better answer; the bound that is not in the way stays.

    Args:
        written: what the line says.
        versions: that exist and may be chosen.
        admits: whether there is a solution with a specifier in place of the old one. It is asked few times: a wider
            specifier is taken to admit whatever a narrower one does.
        locked: further versions that exist, and may be chosen where another line asks for them: pre-releases. An upper
            bound may lie above one, and no lower bound names one, as it would ask for it.

    Returns:
        The new specifier, for which `admits` was true; an empty text where only a line without one will do; None where
        even that does not help.
    """
    if not written.is_understood():
        return "" if admits("") else None
    holes = written.without_holes()
    if holes and admits(holes):
        return written.keeping_holes(admits)
    if (found := _upwards(written, [*versions, *locked], admits)) is not None:
        return found
    if (found := _downwards(written, versions, admits)) is not None:
        return found
    return "" if admits("") else None


def _upwards(written: Written, versions: Collection[Version], admits: Callable[[str], bool]) -> str | None:
    boundaries = written.boundaries(versions) if written.has_ceiling() else []
    position = _first(len(boundaries), lambda i: admits(written.up_to(boundaries[i])))
    return None if position is None else written.up_to(boundaries[position])


def _downwards(written: Written, versions: Collection[Version], admits: Callable[[str], bool]) -> str | None:
    floors = written.floors(versions) if written.has_floor() else []
    position = _first(len(floors), lambda i: admits(written.down_to(floors[i].public)))
    if position is None:
        return None
    exact = written.down_to(floors[position].public)
    short = written.down_to(written.rounded(floors[position]))
    return short if short != exact and admits(short) else exact


def _first(count: int, holds: Callable[[int], bool]) -> int | None:
    """The first position at which a condition holds that holds from some position on; None if it never does.

    The first few are looked at one by one, since what is near is likely; then the distance doubles.
    """
    if not count or not holds(count - 1):
        return None
    low, high, step = -1, count - 1, 1  # it does not hold at low, and holds at high
    at = 0
    while at < high:
        if holds(at):
            high = at
            break
        low, at, step = at, at + step, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
