"""All answers by trying everything: what the words mean, for universes small enough.

An environment is a choice of one release per package, and all that the lines reach through it. It is right if each
requirement met on the way admits what is chosen, and the releases can be installed one after the other, so that each
that must be asked for is asked for by lines and by releases before it:

- a pre-release where a line names a pre-release, or some requirement or all lines together admit no final release;
- a yanked release where a requirement pins exactly one version (PEP 592);
- a source distribution that predates the Python version where a requirement, or all lines together, admit nothing else.

An override takes the place of all other requirements on its package, but for the extra that they belong to, and leaves
nothing of them where its marker does not hold. It does so even where the question leaves it out; where it does not, it
restricts the package itself.

Specifiers, markers and requirement strings are read by packaging alone; nothing is taken from the kernel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from conflictcheck.model import RequirementKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conflictcheck.index.memory import Rel
    from conflictcheck.model import Requirement

    _Wants = Mapping[RequirementKind, Sequence["_Want"]]

_MARKERS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
_PLATFORM_TAGS = {"linux": ("any", "manylinux_2_17_x86_64"), "windows": ("any", "win_amd64")}


@dataclass(frozen=True)
class _Want:
    """A requirement that was met on the way."""

    package: str
    extras: frozenset[str]
    specifier: SpecifierSet
    is_line: bool = False
    is_override: bool = False
    asked_by: str = ""

    def admits(self, version: str) -> bool:
        return _contains(str(self.specifier), version)

    @property
    def names_prerelease(self) -> bool:
        return self.is_line and any(
            part.operator != "!=" and Version(part.version.removesuffix(".*")).is_prerelease for part in self.specifier
        )

    @property
    def is_pin(self) -> bool:
        return any(part.operator == "==" and not part.version.endswith(".*") for part in self.specifier)


@cache
def _contains(specifier: str, version: str) -> bool:
    return SpecifierSet(specifier).contains(Version(version), prereleases=True)


class _Place:
    """One Python on one platform."""

    def __init__(self, packages: Mapping[str, Mapping[str, Rel]], python: str, platform: str) -> None:
        self.environment = {
            **_MARKERS[platform],
            "python_version": python,
            "python_full_version": f"{python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "extra": "",
        }
        self.python = python
        self._needed: dict[tuple[str, str, str], list[_Want]] = {}
        self.platform = platform
        self.packages = packages
        self.usable = {
            package: [version for version, rel in releases.items() if self._can_use(rel)]
            for package, releases in packages.items()
        }
        self.early = {package: self._early(package) for package in packages}
        self.finals = {
            package: [v for v in usable if not Version(v).is_prerelease and packages[package][v].yanked is None]
            for package, usable in self.usable.items()
        }

    def _suits_python(self, tags: str) -> bool:
        return tags.startswith(("py3-", f"cp{self.python.replace('.', '')}-"))

    def _has_wheel(self, rel: Rel) -> bool:
        return any(
            self._suits_python(tags) and tags.split("-")[2] in _PLATFORM_TAGS[self.platform] for tags in rel.tags
        )

    def _can_use(self, rel: Rel) -> bool:
        return self.admits_python(rel.requires_python) and (rel.sdist or self._has_wheel(rel))

    def _early(self, package: str) -> set[str]:
        usable = self.usable[package]
        releases = self.packages[package]
        for first, version in enumerate(usable):
            suiting = [tags for tags in releases[version].tags if self._suits_python(tags)]
            if suiting:
                if any(tags.endswith("-any") for tags in suiting):
                    return set()
                return {older for older in usable[:first] if not self._has_wheel(releases[older])}
        return set()

    def admits_python(self, requires_python: str | None) -> bool:
        return requires_python is None or SpecifierSet(requires_python).contains(f"{self.python}.0")

    def holds(self, parsed: Parsed, extra: str = "") -> bool:
        return parsed.marker is None or parsed.marker.evaluate({**self.environment, "extra": extra})

    def satisfiable(self, lines: Sequence[Requirement], overridden: Mapping[str, bool]) -> bool:
        """Whether some choice of releases is an environment for the lines."""
        return self._suits(lines) and self._can_complete(self._wants(lines, overridden), overridden, {})

    def is_environment(
        self, lines: Sequence[Requirement], overridden: Mapping[str, bool], pins: Mapping[str, str]
    ) -> bool:
        """Whether a choice of releases is an environment for the lines, with nothing over."""
        wants = self._wants(lines, overridden)
        fewer = ({name: pins[name] for name in pins if name != left_out} for left_out in pins)
        return (
            self._suits(lines)
            and self._walk(wants, overridden, pins) is True
            and not any(self._walk(wants, overridden, choice) is True for choice in fewer)
        )

    def _suits(self, lines: Iterable[Requirement]) -> bool:
        return all(self.admits_python(str(asked.specifier)) for asked in lines if asked.kind is RequirementKind.PYTHON)

    def _wants(self, lines: Iterable[Requirement], overridden: Mapping[str, bool]) -> _Wants:
        wants: dict[RequirementKind, list[_Want]] = {kind: [] for kind in RequirementKind}
        for asked in lines:
            whole = asked.kind is RequirementKind.REQUIREMENT and asked.name in overridden
            if asked.kind is not RequirementKind.PYTHON and (whole or self.holds(asked)):
                wants[asked.kind].append(_Want(asked.name, frozenset(asked.extras), asked.specifier, is_line=True))
        return wants

    def _can_complete(self, wants: _Wants, overridden: Mapping[str, bool], choice: Mapping[str, str]) -> bool:
        """Whether what is chosen becomes an environment with some choice of what else is met."""
        found = self._walk(wants, overridden, choice)
        if isinstance(found, str):
            return any(
                self._can_complete(wants, overridden, {**choice, found: version})
                for version in self.usable.get(found, ())
            )
        return found

    def _walk(self, wants: _Wants, overridden: Mapping[str, bool], choice: Mapping[str, str]) -> bool | str:
        """Whether a choice is an environment; a package that is met and not chosen yet, if there is one."""
        met: dict[str, list[_Want]] = {}
        seen: set[tuple[str, str]] = set()
        waiting = list(wants[RequirementKind.REQUIREMENT])
        while waiting:
            want = _relaxed(waiting.pop(), overridden)
            if want is None:
                continue
            version = choice.get(want.package)
            if version is None:
                return want.package
            if not want.admits(version):
                return False
            if want.package not in met:
                waiting += [
                    replace(w, is_override=True) for w in wants[RequirementKind.OVERRIDE] if w.package == want.package
                ]
            met.setdefault(want.package, []).append(want)
            for extra in ("", *want.extras):
                if (want.package, extra) not in seen:
                    seen.add((want.package, extra))
                    waiting += self._needs(want.package, version, extra, overridden)
        restricting = [want for want in wants[RequirementKind.CONSTRAINT] if want.package in met]
        for want in restricting:
            met[want.package].append(want)
        return all(want.admits(choice[want.package]) for want in restricting) and self._is_founded(
            wants, overridden, choice, met.keys()
        )

    def _is_founded(
        self, wants: _Wants, overridden: Mapping[str, bool], choice: Mapping[str, str], reached: Iterable[str]
    ) -> bool:
        """Whether the releases can be installed one after the other, each asked for by lines and those before it."""
        installed: set[str] = set()
        while True:
            said = [*wants[RequirementKind.REQUIREMENT], *self._said_by(wants, overridden, choice, installed)]
            said = [left for want in said if (left := _relaxed(want, overridden)) is not None]
            about = {want.package for want in said}
            said += [want for want in wants[RequirementKind.OVERRIDE] if want.package in about]
            said += [want for want in wants[RequirementKind.CONSTRAINT] if want.package in about]
            new = {
                package
                for package in about - installed
                if self._is_asked_for(package, choice[package], [want for want in said if want.package == package])
            }
            if not new:
                return installed == set(reached)
            installed |= new

    def _said_by(
        self, wants: _Wants, overridden: Mapping[str, bool], choice: Mapping[str, str], installed: Iterable[str]
    ) -> list[_Want]:
        """What some releases need, with the extras that lines or they themselves want."""
        extras = {(package, "") for package in installed}
        while True:
            said = [want for name, extra in extras for want in self._needs(name, choice[name], extra, overridden)]
            asking = [*wants[RequirementKind.REQUIREMENT], *said]
            kept = [left for want in asking if (left := _relaxed(want, overridden)) is not None]
            kept += wants[RequirementKind.OVERRIDE]
            more = {(w.package, extra) for w in kept for extra in w.extras if (w.package, "") in extras} - extras
            if not more:
                return said
            extras |= more

    def _needs(self, package: str, version: str, extra: str, overridden: Mapping[str, bool]) -> Iterable[_Want]:
        key = (package, version, extra, frozenset(overridden))
        if key not in self._needed:
            self._needed[key] = []
            for parsed in map(Parsed, self.packages[package][version].requires):
                if canonicalize_name(parsed.name) in overridden and parsed.marker is not None:
                    named = re.search(r'extra == "(.)"', str(parsed.marker))
                    parsed.marker = Marker(named[0]) if named else None
                plain = self.holds(parsed)
                if plain if not extra else self.holds(parsed, extra) and not plain:
                    want = _Want(
                        canonicalize_name(parsed.name), frozenset(parsed.extras), parsed.specifier, asked_by=package
                    )
                    self._needed[key].append(want)
        return self._needed[key]

    def _is_asked_for(self, package: str, version: str, wants: Sequence[_Want]) -> bool:
        # No release asks for itself.
        wants = [want for want in wants if want.asked_by != package]
        finals = self.finals[package]
        if Version(version).is_prerelease and finals:
            by = [want for want in wants if want.names_prerelease or not any(map(want.admits, finals))]
            if not by and _leave_some(wants, finals):
                return False
        ready = [final for final in finals if final not in self.early[package]]
        if version in self.early[package] and ready:
            by = [want for want in wants if not any(map(want.admits, ready))]
            if not by and _leave_some(wants, ready):
                return False
        yanked = self.packages[package][version].yanked is not None
        standing = [v for v in self.usable[package] if self.packages[package][v].yanked is None]
        return not yanked or any(want.is_pin and not any(map(want.admits, standing)) for want in wants)


def _leave_some(wants: Iterable[_Want], versions: Iterable[str]) -> bool:
    """Whether lines, all together, admit some version."""
    lines = [want for want in wants if want.is_line]
    return any(all(want.admits(version) for want in lines) for version in versions)


def _relaxed(want: _Want, overridden: Mapping[str, bool]) -> _Want | None:
    """What an override leaves of a requirement: that the package is wanted, where the override applies."""
    if want.is_override or want.package not in overridden:
        return want
    return replace(want, specifier=SpecifierSet(), extras=frozenset()) if overridden[want.package] else None


class BruteForce:
    """Answers about lines by trying everything.

    Args:
        packages: releases by package, oldest first.
        pythons: one that works is enough.
        platforms: it must work on all.
    """

    def __init__(
        self, packages: Mapping[str, Mapping[str, Rel]], pythons: Sequence[str], platforms: Sequence[str]
    ) -> None:
        self._places = {
            python: {platform: _Place(packages, python, platform) for platform in platforms} for python in pythons
        }
        self._known: dict[frozenset[int], bool] = {}

    def satisfiable(self, lines: Sequence[Requirement], chosen: frozenset[int]) -> bool:
        """Whether the chosen ones of the lines can share an environment."""
        if chosen not in self._known:
            self._known[chosen] = self.holds([lines[i] for i in sorted(chosen)], lines)
        return self._known[chosen]

    def holds(self, lines: Sequence[Requirement], every: Sequence[Requirement]) -> bool:
        """Whether lines can share an environment; an override speaks for its package even if it is not among them."""
        return any(
            all(place.satisfiable(lines, _overridden(place, every)) for place in on_platforms.values())
            for on_platforms in self._places.values()
        )

    def is_environment(
        self,
        lines: Sequence[Requirement],
        chosen: Iterable[int],
        pins: Mapping[str, str],
        python: str,
        platform: str,
    ) -> bool:
        """Whether the pins are an environment for the chosen ones of the lines there, with nothing over."""
        place = self._places[python][platform]
        return place.is_environment([lines[i] for i in sorted(chosen)], _overridden(place, lines), pins)


def _overridden(place: _Place, every: Iterable[Requirement]) -> dict[str, bool]:
    """The packages that overrides speak for, each with whether one applies here."""
    overrides = [line for line in every if line.kind is RequirementKind.OVERRIDE]
    speaking = {line.name for line in overrides if place.holds(line)}
    return {line.name: line.name in speaking for line in overrides}


def minimal_sets(items: Sequence[str], works: Mapping[frozenset[str], bool]) -> list[tuple[str, ...]]:
    """The sets that do not work although they do without any one of their items."""
    return sorted(
        (
            tuple(sorted(group))
            for size in range(1, len(items) + 1)
            for group in map(frozenset, combinations(items, size))
            if not works[group] and all(works[group - {item}] for item in group)
        ),
        key=lambda group: (len(group), group),
    )


def smallest_split(items: Sequence[str], works: Mapping[frozenset[str], bool]) -> int:
    """The fewest groups, each of which works, that hold all items."""
    if not items:
        return 0
    for size in range(1, len(items) + 1):
        for numbers in product(range(size), repeat=len(items)):
            groups = [frozenset(item for item, k in zip(items, numbers, strict=True) if k == n) for n in range(size)]
            if all(works[group] for group in groups):
                return size
    raise AssertionError("items that work alone can always be split")
