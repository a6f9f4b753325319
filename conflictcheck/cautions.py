"""Answers that are right and still a surprise: old releases, lines without bounds, hashes that pip finds too few."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.model import Diagnostic, RequirementKind, Severity
from conflictcheck.phrases import and_list, count, cut_list, place
from conflictcheck.solver.oracle import Yes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.model import Clash, Environment, Requirement, Spec, SpecId
    from conflictcheck.policy import Release
    from conflictcheck.solver.edges import Edge
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.solver.oracle import Oracle

_DAYS = 2 * 365
"""How much older a release has to be, where the index tells dates."""
_RELEASES = 20
"""How many releases have to be skipped, where it does not."""
_MOST = 3
"""Further old releases of an environment are only counted."""


def notice_old_releases(
    oracle: Oracle, environments: Iterable[Environment], lines_of: Callable[[Sequence[SpecId]], frozenset[int]]
) -> list[Diagnostic]:
    """Releases that are much older than what a spec would get alone, or than what the user's own line admits.

    Args:
        oracle: has answered about each spec alone, and about each environment.
        environments: of the split.
        lines_of: the lines of some specs, the shared ones included.
    """
    found = []
    for environment in environments:
        reply = oracle.ask(lines_of(environment.specs))
        if not isinstance(reply, Yes) or reply.python_version != environment.python_version:
            continue
        kernel = oracle.kernel(oracle.targets[environment.python_version][0])
        found += _Look(oracle, kernel, environment, lines_of).warnings()
    return found


class _Old(Struct, frozen=True):
    """A release that is old beside another one."""

    name: NormalizedName
    chosen: int
    better: int
    who: str
    line: Requirement | None


class _Look(Struct, frozen=True):
    """One environment, on its first platform."""

    oracle: Oracle
    kernel: Kernel
    environment: Environment
    lines_of: Callable[[Sequence[SpecId]], frozenset[int]]

    def warnings(self) -> list[Diagnostic]:
        """The old releases, the user's own requirements first."""
        chosen, lines, alone = self._chosen(), self._lines(), self._alone()
        old = sorted(
            (one for name, i in chosen.items() if (one := self._compare(name, i, lines, alone)) is not None),
            key=lambda one: (one.line is None, one.name),
        )
        found = [self._warning(one, chosen) for one in old[:_MOST]]
        if rest := [one.name for one in old[_MOST:]]:
            message = f"{and_list(rest[:_MOST], more=len(rest) - _MOST)} in environment {self.environment.name}"
            verb = "is" if len(rest) == 1 else "are"
            found.append(Diagnostic(Severity.WARNING, "old-release", f"{message} {verb} of very old releases as well"))
        return found

    def _chosen(self) -> dict[NormalizedName, int]:
        """The pins by their numbers."""
        chosen = {}
        for pin in self.environment.packages:
            for i in self.kernel.loaded.get(pin.name, ()):
                release = self.kernel.packages[pin.name].releases[i]
                if pin.url is None and release.url is None and str(release.version) == pin.version:
                    chosen[pin.name] = i
        return chosen

    def _compare(
        self,
        name: NormalizedName,
        i: int,
        lines: Mapping[NormalizedName, Sequence[int]],
        alone: Sequence[tuple[SpecId, Mapping[NormalizedName, int]]],
    ) -> _Old | None:
        package = self.kernel.packages[name]
        on_it = lines.get(name, ())
        direct = [line for k in on_it if (line := self.oracle.lines[k]).kind is RequirementKind.REQUIREMENT]
        mask = package.unlocked
        for k in on_it:
            edge = self.kernel.line_edges[k]
            if edge is not None:
                mask &= edge.mask
        if direct and mask and self._is_much_older(package.releases, i, mask.bit_length() - 1):
            line = direct[0]
            return _Old(name, i, mask.bit_length() - 1, f"{place(line)} admits", line)
        for spec, releases in alone:
            better = releases.get(name, -1)
            if self._is_much_older(package.releases, i, better):
                return _Old(name, i, better, f"{spec} would get alone", None)
        return None

    def _lines(self) -> dict[NormalizedName, list[int]]:
        """The lines on each package."""
        found: dict[NormalizedName, list[int]] = defaultdict(list)
        for k in sorted(self.lines_of(self.environment.specs)):
            found[self.oracle.lines[k].name].append(k)
        return found

    def _alone(self) -> list[tuple[SpecId, Mapping[NormalizedName, int]]]:
        """What each spec would get without the others."""
        specs = self.environment.specs if len(self.environment.specs) > 1 else ()
        answers = [(spec, self.oracle.ask(self.lines_of([spec]))) for spec in specs]
        return [
            (spec, answer.solutions[self.kernel.target.platform].releases)
            for spec, answer in answers
            if isinstance(answer, Yes) and answer.python_version == self.environment.python_version
        ]

    @staticmethod
    def _is_much_older(releases: Sequence[Release], i: int, better: int) -> bool:
        if better <= i:
            return False
        days = _days_between(releases[i], releases[better])
        return better - i >= _RELEASES if days is None else days >= _DAYS

    def _warning(self, old: _Old, chosen: dict[NormalizedName, int]) -> Diagnostic:
        releases = self.kernel.packages[old.name].releases
        days = _days_between(releases[old.chosen], releases[old.better])
        age = f"{count(old.better - old.chosen, 'release')} older" if days is None else f"{days // 365} years older"
        message = (
            f"{old.name} {releases[old.chosen].version} in environment {self.environment.name} is {age} than "
            f"{releases[old.better].version}, which {old.who}"
        )
        if why := self._why(old, chosen):
            message += f": {why}"
        line = old.line
        if line is not None and not any(part.operator in (">=", ">", "==", "~=", "===") for part in line.specifier):
            message += "; a lower bound in that line would rule it out"
        where = (None, None) if line is None else (line.file, line.line)
        return Diagnostic(Severity.WARNING, "old-release", message, *where)

    def _why(self, old: _Old, chosen: dict[NormalizedName, int]) -> str:
        """Who does not admit the better release, or what that one would need."""
        for k in sorted(self.lines_of(self.environment.specs)):
            edge = self.kernel.line_edges[k]
            if edge is not None and edge.name == old.name and not edge.mask >> old.better & 1:
                return f"{place(self.oracle.lines[k])} asks for {self.oracle.lines[k].text}"
        for name, i in sorted(chosen.items()):
            for edge in self._edges(name, i):
                if edge.name == old.name and not edge.mask >> old.better & 1:
                    return f"{self._release(name, i)} needs {edge.text}"
        for edge in self._edges(old.name, old.better):
            other = chosen.get(edge.name)
            if other is not None and not edge.mask >> other & 1:
                release = self._release(old.name, old.better)
                return f"{release} needs {edge.text}, and {self._release(edge.name, other)} is in the environment"
        return ""

    def _edges(self, name: NormalizedName, i: int) -> list[Edge]:
        loaded = self.kernel.loaded[name].get(i)
        return [edge for edges in loaded.edges.values() for edge in edges] if loaded else []

    def _release(self, name: NormalizedName, i: int) -> str:
        return f"{name} {self.kernel.packages[name].releases[i].version}"


def _days_between(first: Release, second: Release) -> int | None:
    stamps = [release.files[0].upload_time if release.files else None for release in (first, second)]
    try:
        old, new = (datetime.fromisoformat(stamp) for stamp in stamps if stamp is not None)
        return (new - old).days
    except (ValueError, TypeError):
        return None


def notice_unbounded(clashes: Iterable[Clash]) -> list[Diagnostic]:
    """Requirements without any bound that are part of a clash."""
    lines = {
        line
        for clash in clashes
        for line in clash.requirements
        if line.kind is RequirementKind.REQUIREMENT and line.url is None and not str(line.specifier)
    }
    return [
        Diagnostic(
            Severity.NOTE,
            "unbounded-requirement",
            f"`{line.text}` is part of a clash and has no bound, so every release of {line.name} was considered",
            line.file,
            line.line,
        )
        for line in lines
    ]


def notice_missing_hashes(
    environments: Iterable[Environment], specs: Iterable[Spec], shared: Sequence[Requirement]
) -> list[Diagnostic]:
    """Specs that pip refuses to install, as some of what they need is pinned with a hash and some is not.

    Source: pip's documentation, "Hash-checking Mode": a single hash switches it on for all files of an installation.

    Args:
        environments: of the split.
        specs: all of the run.
        shared: constraint and override lines of the run. pip counts the hashes of constraints, and has no overrides.
    """
    constraints = [line for line in shared if line.kind is RequirementKind.CONSTRAINT]
    where = {spec: environment for environment in environments for spec in environment.specs}
    found = []
    for spec in specs:
        lines = (*spec.requirements, *constraints)
        why = _asks_for_hashes(spec, lines)
        if why is None or spec.id not in where:
            continue
        hashed = {line.name for line in lines if line.hashes and (line.url is not None or _is_pinned(line))}
        if bare := sorted(_needed_by(spec.id, where[spec.id]) - hashed):
            reason, file, number = why
            none = f"{cut_list(bare)} {'has' if len(bare) == 1 else 'have'} none"
            message = f"{reason}, so pip asks for a pin with a hash of all that {spec.id} needs, and {none}"
            found.append(Diagnostic(Severity.WARNING, "hashes-incomplete", message, file, number))
    return found


def _asks_for_hashes(spec: Spec, lines: Iterable[Requirement]) -> tuple[str, str | None, int | None] | None:
    """Why pip wants a hash of everything that a spec needs, with file and line; None where it does not."""
    if spec.index.require_hashes is not None:
        return ("it has --require-hashes", spec.path, None) if spec.index.require_hashes else None
    # A hash in a URL is checked, and does not ask for others.
    line = next((one for one in lines if any(h.partition(":")[2] not in (one.url or "") for h in one.hashes)), None)
    return None if line is None else (f"{line.text} has a hash", line.file, line.line)


def _is_pinned(line: Requirement) -> bool:
    """Whether a line names one version and nothing else."""
    return [part.operator for part in line.specifier] in (["=="], ["==="]) and not str(line.specifier).endswith("*")


def _needed_by(spec: SpecId, environment: Environment) -> set[str]:
    """What of an environment is installed for a spec, directly or not."""
    requires: dict[str, set[str]] = defaultdict(set)
    for pin in environment.packages:
        requires[pin.name].update(pin.requires)
    new = {str(pin.name) for pin in environment.packages if spec in pin.requested_by}
    needed: set[str] = set()
    while new:
        needed |= new
        new = {name for each in new for name in requires[each]} - needed
    return needed
