"""Releases as Boolean variables: the order encoding, made lazily.

The usable releases of a package, oldest first, are numbered 0..n-1. Variable ``ge(i)`` says "this package is
installed, in release i or newer". ``ge(0)`` is "installed"; ``ge(i)`` implies ``ge(j)`` for every older j. So "release
i" is ``ge(i) & !ge(i+1)``, exactly one release needs no clause of its own, and a range of versions is one or two
literals. (Order encoding: Tamura, Taga, Kitagawa, Banbara, "Compiling finite linear CSP into SAT", 2009.)

Of a thousand releases a problem tells few apart, so a variable is made when the first clause needs it, between its
neighbours (Ohrimenko, Stuckey, Codish, "Propagation via lazy clause generation", 2009, section 4.2). What stands
between two neighbours is alike to all clauses there are.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field
from packaging.specifiers import Specifier
from packaging.version import Version

from conflictcheck.facts import may_match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from conflictcheck.model import Requirement
    from conflictcheck.policy import Candidates, Release

Clause = list[int]


class LockKind(StrEnum):
    """Why releases are locked: they may be chosen only where something asks for them."""

    PRERELEASE = "pre-release"
    """Asked for by a line that names a pre-release (as in uv, not by a release's ``<3.0dev``), or by any specifier that
    nothing else satisfies (PEP 440)."""
    YANKED = "yanked"
    """Asked for by naming exactly this version, where no standing release (such as 1.0+local) will do (PEP 592)."""
    DIRECT = "direct reference"
    """Asked for by its URL."""
    PREDATES_PYTHON = "source distribution that predates the Python version"
    """Asked for by a specifier that nothing else satisfies."""


JOINTLY_OPENED = (LockKind.PRERELEASE, LockKind.PREDATES_PYTHON)
"""Asked for by lines as well that leave nothing else together, as pip and uv look at all of them at once."""


class Lock(Struct):
    """Releases of one package that are locked together.

    Attributes:
        kind: why.
        mask: the releases, as bits.
        others: the releases that make asking unnecessary: a specifier that admits none of them asks.
        lines: the requirement lines that ask for them.
        jointly: sets of lines that may ask for them together: the releases that each line admits, as bits.
        together: once `asked` is made, for each of these sets a variable that implies that those of them that hold ask.
        asked: the variable "something asks for them"; 0 until a clause needs it.
        key: the variable "something that is not loaded yet asks for them"; assumed false; 0 until `asked` is made.
    """

    kind: LockKind
    mask: int
    others: int
    lines: tuple[int, ...] = ()
    jointly: Sequence[Mapping[int, int]] = ()
    together: Sequence[int] = ()
    asked: int = 0
    key: int = 0

    def asked_by(self, specifier: SpecifierSet, mask: int, url: str | None, *, line: bool) -> bool:
        """Whether a requirement asks for the locked releases.

        Args:
            specifier: its specifier.
            mask: the releases that it admits.
            url: its direct reference, or None.
            line: whether it is a line of a spec, not of a release.
        """
        if not mask & self.mask:
            return False
        match self.kind:
            case LockKind.DIRECT:
                return url is not None
            case LockKind.YANKED:
                return is_pin(specifier) and not mask & self.others
            case LockKind.PRERELEASE:
                return (line and bool(specifier.prereleases)) or not mask & self.others
            case LockKind.PREDATES_PYTHON:
                return not mask & self.others


class Assignment:
    """The variables that hold in a model, kept in little room, and made in little time.

    Args:
        model: a literal of each variable, in order.

    Attributes:
        count: how many variables there were.
    """

    __slots__ = ("_literals", "count")

    def __init__(self, model: Sequence[int]) -> None:
        self._literals = array("i", model)
        self.count = len(self._literals)

    def __contains__(self, variable: int) -> bool:
        """Whether a variable holds; one that was made later does not."""
        return variable <= self.count and self._literals[variable - 1] > 0


class Steps:
    """The variables ``ge(i)`` of one package.

    Args:
        new: makes the variable for a release's number.
        add: takes the clauses that put it in order.

    Attributes:
        installed: the variable ``ge(0)``.
        on_split: is told when a variable tells releases apart that were alike: the first of them, the first of the
            newer ones, and where these end (None: with the newest).
    """

    __slots__ = ("_add", "_new", "_newest", "_places", "_variables", "installed", "on_split")

    def __init__(self, new: Callable[[int], int], add: Callable[[Clause], object]) -> None:
        self._new = new
        self._add = add
        self.installed = new(0)
        self._places = [0]
        self._variables = {0: self.installed}
        self._newest = self.installed
        self.on_split: Callable[[int, int, int | None], None] | None = None

    def at(self, i: int) -> int:
        """The variable ``ge(i)``, made if there is none yet."""
        known = self._variables.get(i)
        if known is not None:
            return known
        made = self._newest = self._variables[i] = self._new(i)
        place = bisect_left(self._places, i)
        older = self._places[place - 1]
        newer = self._places[place] if place < len(self._places) else None
        self._add([-made, self._variables[older]])
        if newer is not None:
            self._add([-self._variables[newer], made])
        self._places.insert(place, i)
        if self.on_split is not None:
            self.on_split(older, i, newer)
        return made

    def stretch(self, true: Assignment, count: int) -> range:
        """The releases that an assignment leaves, which no clause told apart when it was made.

        Args:
            true: the variables that hold; `installed` is one of them.
            count: how many releases there are.
        """
        places = self._places
        if self._newest > true.count:
            places = [i for i in places if self._variables[i] <= true.count]
        place = bisect_right(places, 0, key=lambda i: self._variables[i] not in true)
        return range(places[place - 1], places[place] if place < len(places) else max(count, 1))


class Package(Struct):
    """The variables of one package on one target.

    Attributes:
        candidates: what may be chosen, and what may not and why.
        steps: its variables.
        missing: whether no index has the package.
        unknown: why its listing is not known, or None.
        locks: what is closed until somebody asks; see `lock`.
        extras: the variable of each extra that was asked for.
        loaded: the mask of the releases of which it is known what they need.
        everything: the mask of all releases.
        unlocked: the mask of the releases that nobody has to ask for.
    """

    candidates: Candidates
    steps: Steps
    missing: bool = False
    unknown: str | None = None
    locks: list[Lock] = field(default_factory=list)
    extras: dict[str, int] = field(default_factory=dict)
    loaded: int = 0
    everything: int = 0
    unlocked: int = 0
    _versions: Sequence[Version] = ()
    _masks: dict[str, int] = field(default_factory=dict)
    _literals: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing locked."""
        self._versions = self.candidates.versions
        self.everything = self.unlocked = (1 << len(self.candidates.releases)) - 1

    @property
    def releases(self) -> Sequence[Release]:
        """The releases, oldest first."""
        return self.candidates.releases

    def lock(self, lock: Lock) -> None:
        """Have releases stay out of what may be chosen until somebody asks for them."""
        self.locks.append(lock)
        self.unlocked &= ~lock.mask

    def opened_by(self, specifier: SpecifierSet, mask: int, url: str | None, *, line: bool) -> int:
        """The locked releases that a requirement asks for, among those that it admits; see `Lock.asked_by`."""
        opened = mask
        for lock in self.locks:
            if not lock.asked_by(specifier, mask, url, line=line):
                opened &= ~lock.mask
        return opened & ~self.unlocked

    def opened_jointly(self, mask: int) -> int:
        """The locked releases that lines ask for together.

        Args:
            mask: the releases that all of them admit.
        """
        opened = mask
        for lock in self.locks:
            if lock.kind not in JOINTLY_OPENED or mask & lock.others:
                opened &= ~lock.mask
        return opened & ~self.unlocked

    def mask(self, specifier: SpecifierSet, text: str) -> int:
        """The releases that a specifier admits, as bits; pre-releases are admitted by their number alone.

        Args:
            specifier: the specifier.
            text: its text, by which the answer is remembered.
        """
        if text not in self._masks:
            mask = self.everything
            for part in specifier:
                mask &= self._part_mask(part)
            self._masks[text] = mask | self.candidates.unversioned
        return self._masks[text]

    def _part_mask(self, part: Specifier) -> int:
        """The releases that one comparison admits.

        All operators but ``!=`` and ``===`` admit versions that are neighbours in PEP 440's order, so that few have to
        be looked at: packaging decides about each of these.
        """
        text = str(part)
        if text in self._masks:
            return self._masks[text]
        versions = self._versions
        count = len(versions)

        def admits(i: int) -> bool:
            return part.contains(versions[i], prereleases=True)

        match part.operator:
            case ">=" | ">":
                low, high = bisect_left(range(count), x=True, key=admits), count
            case "<=" | "<":
                low, high = 0, bisect_left(range(count), x=True, key=lambda i: not admits(i))
            case "==" | "~=":
                first = Version(f"{part.version[:-2]}.dev0" if part.version.endswith(".*") else part.version)
                low = high = bisect_left(versions, first)
                while high < count and admits(high):
                    high += 1
            case "!=":
                self._masks[text] = self.everything & ~self._part_mask(Specifier(f"=={part.version}"))
                return self._masks[text]
            case _:
                return sum(1 << i for i in range(count) if admits(i))
        self._masks[text] = (1 << high) - (1 << low)
        return self._masks[text]

    def url_mask(self, url: str) -> int:
        """The release that is this direct reference, as a bit; 0 if there is none."""
        releases = self.candidates.releases
        return sum(1 << i for i in bits(self.candidates.direct) if releases[i].url == url)

    def line_mask(self, line: Requirement) -> int:
        """The releases that a line admits, as bits."""
        if line.url is not None:
            return self.url_mask(line.url)
        mask = self.mask(line.specifier, str(line.specifier))
        if line.hashes:
            for i, release in enumerate(self.releases):
                if release.files and not any(may_match(line.hashes, file.hashes) for file in release.files):
                    mask &= ~(1 << i)
        return mask

    def is_release(self, i: int) -> tuple[int, ...]:
        """The literals of "release i is installed"."""
        found = self._literals.get(i)
        if found is None:
            at = self.steps.at
            found = (at(i), -at(i + 1)) if i + 1 < len(self.candidates.releases) else (at(i),)
            self._literals[i] = found
        return found

    def unless_run(self, low: int, high: int) -> Clause:
        """The clause part "or none of the releases low..high is installed"."""
        at = self.steps.at
        return [-at(low), at(high + 1)] if high + 1 < len(self.candidates.releases) else [-at(low)]

    def within(self, mask: int) -> Iterator[Clause]:
        """The clause parts whose conjunction says "a release of the mask is installed"."""
        count = len(self.candidates.releases)
        if not mask:
            # Of a package whose releases are not known, some release might do: that is left to the kernel's guard.
            yield [] if self.unknown is None else [self.steps.installed]
            return
        at = self.steps.at
        low, high = lowest(mask), mask.bit_length()
        yield [at(low)]
        if high < count:
            yield [-at(high)]
        for start, end in runs(~mask & ((1 << high) - (1 << low))):
            yield [-at(start), at(end + 1)]


def is_pin(specifier: SpecifierSet) -> bool:
    """Whether it names one version."""
    return any(
        part.operator == "===" or (part.operator == "==" and not part.version.endswith(".*")) for part in specifier
    )


def runs(mask: int) -> list[tuple[int, int]]:
    """The runs of set bits, first and last included, lowest first: ``0b1101`` gives ``[(0, 0), (2, 3)]``."""
    found = []
    while mask:
        low = lowest(mask)
        length = lowest(~(mask >> low))
        found.append((low, low + length - 1))
        mask &= ~(((1 << length) - 1) << low)
    return found


def lowest(mask: int) -> int:
    """The place of the lowest set bit."""
    return (mask & -mask).bit_length() - 1


def bits(mask: int) -> list[int]:
    """The set bits, highest first."""
    found = []
    while mask:
        top = mask.bit_length() - 1
        found.append(top)
        mask ^= 1 << top
    return found
