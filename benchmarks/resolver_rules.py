"""What may be installed under the rules of conflictcheck, uv and pip: one search, with a switch for each rule.

docs/differences.md says what the rules are and where each is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags, mac_platforms, parse_tag, sys_tags
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from made_up_indexes import Universe

    from conflictcheck.index.memory import Rel

Pins = dict[str, str]

HERE = "here"
"""The running Python on the running platform, the only target that pip builds for."""


@dataclass(frozen=True)
class Rules:
    """How one resolver decides where the standards leave it open.

    Attributes:
        prereleases: a pre-release may be chosen where a line names one, or one requirement but its own, or all lines
            together, are satisfied by no final release (``line``); where any requirement names one, or no final release
            satisfies all of them together (``together``), even if one of these is of a release that was given up
            (``left over``), or of each by itself (``each``); or anywhere, if nothing else works (``fallback``).
        yanked: a yanked release may be chosen where any requirement but its own is a pin that nothing else satisfies
            (``requirement``), where a line is a pin and says no more (``line``), or where there is a pin and all that
            satisfies everything is yanked (``together``), or all that satisfies some of the requirements, whichever are
            met first (``each``).
        old_sources: a source distribution that is older than the package's first wheel for this Python may be chosen
            where a requirement but its own, or all lines together, are satisfied by nothing newer (``necessary``), or
            anywhere (``any``).
        requires_python: all of a ``Requires-Python`` counts (``whole``), or only its lower bound (``lower``).
    """

    prereleases: Literal["line", "together", "left over", "each", "fallback"]
    yanked: Literal["requirement", "line", "together", "each"]
    old_sources: Literal["necessary", "any"]
    requires_python: Literal["whole", "lower"]


OURS = Rules("line", "requirement", "necessary", "whole")
THEIRS = {
    "uv": (Rules("fallback", "line", "any", "lower"),),
    "pip": tuple(
        Rules(prereleases, yanked, "any", "whole")
        for prereleases in ("together", "left over", "each")
        for yanked in ("together", "each")
    ),
}
"""What the other resolvers do; pip's depends on the order in which it meets requirements: all that may come of it."""

_EXTRA = re.compile(r"extra == \"(\w+)\"")


@dataclass(frozen=True)
class Want:
    """A requirement that was met on the way.

    Attributes:
        package: what it is about.
        extras: of the package.
        specifier: what it admits.
        line: whether it is one of a spec, a constraint or an override, and not of a release.
        override: whether it is one of an override.
        own: whether it is of a release of the package itself.
    """

    package: str
    extras: frozenset[str]
    specifier: SpecifierSet
    line: bool = False
    override: bool = False
    own: bool = False

    def admits(self, version: str) -> bool:
        return _admits(str(self.specifier), version)

    @property
    def names_prerelease(self) -> bool:
        return bool(self.specifier.prereleases)

    @property
    def is_pin(self) -> bool:
        return any(part.operator in ("==", "===") and not part.version.endswith(".*") for part in self.specifier)


@cache
def _admits(specifier: str, version: str) -> bool:
    return SpecifierSet(specifier).contains(Version(version), prereleases=True)


def _lines_leave(asking: Iterable[Want], versions: Iterable[str]) -> bool:
    """Whether all lines together are satisfied by some version."""
    lines = [want for want in asking if want.line]
    return any(all(want.admits(version) for want in lines) for version in versions)


def _want(parsed: Requirement, *, line: bool = False, override: bool = False, own: bool = False) -> Want:
    return Want(parsed.name, frozenset(parsed.extras), parsed.specifier, line, override, own)


@cache
def _parsed(text: str) -> Requirement:
    return Requirement(text)


_PLATFORMS = {
    "linux": (
        ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_12_x86_64"),
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    ),
    "windows": (
        ("win_amd64",),
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    ),
    "macos": (
        tuple(mac_platforms((13, 0), "arm64")),
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    ),
}


@cache
def _place(python: str, platform: str) -> tuple[dict[str, str], frozenset[str]]:
    """Marker values and wheel tags of a target."""
    if python == HERE:
        return {**default_environment(), "extra": ""}, frozenset(map(str, sys_tags()))
    platforms, markers = _PLATFORMS[platform]
    major, minor = map(int, python.split(".")[:2])
    short = f"{major}.{minor}"
    environment = {
        **markers, "python_version": short, "python_full_version": python if python.count(".") > 1 else f"{short}.0",
        "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
    }  # fmt: skip
    interpreter = f"cp{major}{minor}"
    tags = [
        *cpython_tags((major, minor), abis=[interpreter], platforms=platforms),
        *compatible_tags((major, minor), interpreter, platforms),
    ]
    return environment, frozenset(map(str, tags))


class Place:
    """A universe on one Python and platform, asked for some of its specs.

    Args:
        universe: what there is.
        files: the specs.
        python: of the target.
        platform: of the target.
    """

    def __init__(self, universe: Universe, files: Sequence[str], python: str, platform: str) -> None:
        self.environment, self.tags = _place(python, platform)
        self.interpreters = {tag.rpartition("-")[0] for tag in self.tags}
        self.packages = universe.packages
        self.lines = [_parsed(line) for file in files for line in universe.specs[file]]
        self.constraints = [_want(line, line=True) for line in map(_parsed, universe.constraints) if self._holds(line)]
        self.overridden = {_parsed(line).name for line in universe.overrides}
        self.overrides = [
            _want(line, line=True, override=True) for line in map(_parsed, universe.overrides) if self._holds(line)
        ]
        self._usable: dict[bool, dict[str, list[str]]] = {}

    def _holds(self, parsed: Requirement, extra: str = "") -> bool:
        return parsed.marker is None or parsed.marker.evaluate({**self.environment, "extra": extra})

    def _applies(self, parsed: Requirement, extra: str = "") -> bool:
        """Whether a requirement belongs to an extra, or without one to the release itself.

        Of one that is overridden nothing but the extra counts: an override takes the place of all the rest.
        """
        if parsed.name in self.overridden:
            found = _EXTRA.search(str(parsed.marker))
            return extra == (found[1] if found else "")
        plain = self._holds(parsed)
        return plain if not extra else self._holds(parsed, extra) and not plain

    def _suits_python(self, tags: str) -> bool:
        return any(str(tag).rpartition("-")[0] in self.interpreters for tag in parse_tag(tags))

    def _has_wheel(self, rel: Rel) -> bool:
        return any(str(tag) in self.tags for tags in rel.tags for tag in parse_tag(tags))

    def usable(self, package: str, rules: Rules) -> list[str]:
        """The versions of which there is a file for the target, oldest first."""
        whole = rules.requires_python == "whole"
        if whole not in self._usable:
            self._usable[whole] = {
                package: [version for version, rel in releases.items() if self._can_use(rel, whole=whole)]
                for package, releases in self.packages.items()
            }
        return self._usable[whole].get(package, [])

    def _can_use(self, rel: Rel, *, whole: bool) -> bool:
        wanted = rel.requires_python or ""
        if not whole:
            wanted = ",".join(
                f">={part.version.removesuffix('.*')}"
                for part in SpecifierSet(wanted)
                if part.operator in (">=", "==", "~=")
            )
        return _admits(wanted, self.environment["python_full_version"]) and (rel.sdist or self._has_wheel(rel))

    def finals(self, package: str, rules: Rules) -> list[str]:
        releases = self.packages[package]
        return [v for v in self.usable(package, rules) if not _is_pre(v) and releases[v].yanked is None]

    def old_sources(self, package: str, rules: Rules) -> set[str]:
        """The releases without a wheel that are older than the first with one for this Python, if that is compiled."""
        usable, releases = self.usable(package, rules), self.packages[package]
        for first, version in enumerate(usable):
            suiting = [tags for tags in releases[version].tags if self._suits_python(tags)]
            if suiting:
                if any(tags.endswith("-any") for tags in suiting):
                    return set()
                return {older for older in usable[:first] if not self._has_wheel(releases[older])}
        return set()

    # -- the search --------------------------------------------------------------------------------------------

    def possible(self, rules: Rules) -> Pins | None:
        """An environment under the rules, or None."""
        return next(self._environments({}, rules, None), None)

    def is_environment(self, pins: Pins, rules: Rules) -> bool:
        """Whether these pins are an environment under the rules: complete, allowed, nothing over."""
        return next(self._environments({}, rules, pins), None) == pins

    def _environments(self, choice: Pins, rules: Rules, only: Pins | None) -> Iterator[Pins]:
        wants, missing = self._walk(choice)
        if any(want.package in choice and not want.admits(choice[want.package]) for want in wants):
            return
        if missing is None:
            if all(self._is_allowed(package, choice[package], wants, rules) for package in choice):
                yield choice
            return
        asked = [want for want in wants if want.package == missing]
        for version in reversed(self.usable(missing, rules)):
            if only is not None and only.get(missing) != version:
                continue
            if all(want.admits(version) for want in asked):
                yield from self._environments({**choice, missing: version}, rules, only)

    def _walk(self, choice: Pins) -> tuple[list[Want], str | None]:
        """What is asked for, as far as it follows from the choice, and a package that is not chosen yet."""
        wants: list[Want] = []
        seen: set[tuple[str, str]] = set()
        missing = None
        waiting = [_want(line, line=True) for line in self.lines if self._applies(line)]
        while waiting:
            want = waiting.pop()
            if want.package in self.overridden and not want.override:
                waiting += [other for other in self.overrides if other.package == want.package]
                continue
            wants.append(want)
            version = choice.get(want.package)
            if version is None:
                missing = missing or want.package
                continue
            for extra in ("", *sorted(want.extras)):
                if (want.package, extra) not in seen:
                    seen.add((want.package, extra))
                    waiting += self._needs(want.package, version, extra)
        met = {want.package for want in wants}
        wants += [want for want in self.constraints if want.package in met]
        return wants, missing

    def _needs(self, package: str, version: str, extra: str) -> Iterator[Want]:
        for parsed in map(_parsed, self.packages[package][version].requires):
            if self._applies(parsed, extra):
                yield _want(parsed, own=parsed.name == package)

    # -- what may be chosen ------------------------------------------------------------------------------------

    def _is_allowed(self, package: str, version: str, wants: Sequence[Want], rules: Rules) -> bool:
        asking = [want for want in wants if want.package == package]
        if _is_pre(version) and not self._prerelease_allowed(package, version, asking, rules):
            return False
        if self.packages[package][version].yanked is not None and not self._yank_allowed(package, asking, rules):
            return False
        old = self.old_sources(package, rules)
        others = [want for want in asking if not want.own]
        ready = [final for final in self.finals(package, rules) if final not in old]
        if rules.old_sources == "necessary" and version in old and ready:
            return any(not any(map(want.admits, ready)) for want in others) or not _lines_leave(asking, ready)
        return True

    def _prerelease_allowed(self, package: str, version: str, asking: Sequence[Want], rules: Rules) -> bool:
        match rules.prereleases:
            case "fallback":
                return True
            case "line":
                finals = self.finals(package, rules)
                others = [want for want in asking if not want.own]
                alone = any((w.line and w.names_prerelease) or not any(map(w.admits, finals)) for w in others)
                return alone or not _lines_leave(asking, finals)
            case "together":
                return self._no_finals(package, asking, rules)
            case "left over":
                elsewhere = (_parsed(text) for rel in self._releases() for text in rel.requires)
                others = [_want(parsed) for parsed in elsewhere if parsed.name == package]
                met = [want for want in others if want.admits(version)]
                return any(self._no_finals(package, [*asking, *left], rules) for left in ([], *([one] for one in met)))
            case "each":
                return all(self._no_finals(package, met, rules) for met in self._met_first(asking))

    def _no_finals(self, package: str, asking: Sequence[Want], rules: Rules) -> bool:
        # Yanks come after this: a yanked final release counts as one.
        fitting = self._fitting(package, asking, rules)
        return any(want.names_prerelease for want in asking) or all(map(_is_pre, fitting))

    def _met_first(self, asking: Sequence[Want]) -> Iterator[list[Want]]:
        """Any of the requirements, with the constraints, which are there from the start."""
        constraints = [want for want in asking if want in self.constraints]
        others = [want for want in asking if want not in self.constraints]
        for size in range(1, len(others) + 1):
            for met in combinations(others, size):
                yield [*met, *constraints]

    def _releases(self) -> Iterator[Rel]:
        return (rel for releases in self.packages.values() for rel in releases.values())

    def _yank_allowed(self, package: str, asking: Sequence[Want], rules: Rules) -> bool:
        match rules.yanked:
            case "requirement":
                return any(self._only_yanks(package, [want], rules) for want in asking if not want.own)
            case "line":
                return any(want.line and want.is_pin and len(want.specifier) == 1 for want in asking)
            case "together":
                return self._only_yanks(package, asking, rules)
            case "each":
                return all(
                    self._only_yanks(package, met, rules)
                    or any(self.packages[package][v].yanked is None for v in self._fitting(package, met, rules))
                    for met in self._met_first(asking)
                )

    def _only_yanks(self, package: str, asking: Sequence[Want], rules: Rules) -> bool:
        fitting = self._fitting(package, asking, rules)
        return any(want.is_pin for want in asking) and all(
            self.packages[package][version].yanked is not None for version in fitting
        )

    def _fitting(self, package: str, asking: Sequence[Want], rules: Rules) -> list[str]:
        return [version for version in self.usable(package, rules) if all(want.admits(version) for want in asking)]


def _is_pre(version: str) -> bool:
    return Version(version).is_prerelease
