"""The final resolution of an environment, by resolvelib: a second opinion, and the graph of who asks for what.

Each package's release is known by now, so resolvelib must finish without backtracking. It reads the metadata
afresh — markers and specifiers by packaging, not by the kernel's masks — so that an error in the encoding shows.
If the two disagree, that is a bug of ours.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName
from resolvelib import AbstractProvider, BaseReporter, ResolutionError, Resolver

from conflictcheck.errors import Disagreement
from conflictcheck.facts import Metadata
from conflictcheck.model import RequirementKind
from conflictcheck.solver.dependencies import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from conflictcheck.model import Requirement
    from conflictcheck.policy import Release
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.solver.search import Solution
    from conflictcheck.targets import Target

Identifier = tuple[NormalizedName, str]
"""A package, or with a non-empty second part one of its extras."""


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    name: NormalizedName
    extra: str
    specifier: SpecifierSet | None
    url: str | None
    asked_by: str


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    name: NormalizedName
    extra: str
    release: Release
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Resolved:
    """A package of a checked environment.

    Attributes:
        release: the chosen one.
        metadata: what it says.
        extras: installed extras, sorted.
        requested_by: spec ids and package names, sorted.
        requires: names of the packages it needs here, sorted.
    """

    release: Release
    metadata: Metadata
    extras: tuple[str, ...]
    requested_by: tuple[str, ...]
    requires: tuple[str, ...]


def resolve_environment(kernel: Kernel, lines: Iterable[int], solution: Solution) -> dict[NormalizedName, Resolved]:
    """Resolve with the releases that the search chose.

    Args:
        kernel: of the target.
        lines: positions of the environment's lines.
        solution: the search's answer for them.

    Returns:
        The packages by name, sorted.

    Raises:
        Disagreement: if resolvelib finds the choice wrong, or leaves a package over.
    """
    chosen = [kernel.lines[i] for i in sorted(lines)]
    provider = _Provider(kernel, chosen, solution)
    try:
        result = Resolver(provider, BaseReporter()).resolve(list(provider.roots()), max_rounds=100_000)
    except ResolutionError as error:
        raise Disagreement(f"resolvelib rejects what the search chose: {error!r}") from error
    installed = {name for name, _ in result.mapping}
    if installed != set(solution.releases):
        raise Disagreement(f"the search chose packages that nobody needs: {sorted(set(solution.releases) - installed)}")
    extras: dict[NormalizedName, set[str]] = defaultdict(set)
    askers: dict[NormalizedName, set[str]] = defaultdict(set)
    requires: dict[str, set[str]] = defaultdict(set)
    for (name, extra), criterion in result.criteria.items():
        if (name, extra) not in result.mapping:
            continue
        if extra:
            extras[name].add(extra)
        for wanted in criterion.iter_requirement():
            if wanted.asked_by != name:
                askers[name].add(wanted.asked_by)
                requires[wanted.asked_by].add(name)
    return {
        name: Resolved(
            candidate.release,
            candidate.metadata,
            tuple(sorted(extras[name])),
            tuple(sorted(askers[name])),
            tuple(sorted(requires[name])),
        )
        for (name, extra), candidate in sorted(result.mapping.items())
        if not extra
    }


class _Provider(AbstractProvider[_Wanted, _Candidate, Identifier]):
    """Offers exactly the chosen release of each package."""

    def __init__(self, kernel: Kernel, lines: Sequence[Requirement], solution: Solution) -> None:
        self._target: Target = kernel.target
        self._lines = lines
        self._chosen = {
            name: (kernel.packages[name].releases[i], kernel.loaded[name][i].metadata)
            for name, i in solution.releases.items()
        }
        self._satisfied: dict[_Wanted, bool] = {}
        self._constraints: dict[NormalizedName, list[Requirement]] = defaultdict(list)
        self._overrides: dict[NormalizedName, list[Requirement]] = defaultdict(list)
        for line in lines:
            if line.kind is RequirementKind.CONSTRAINT and self._applies(line):
                self._constraints[line.name].append(line)
            elif line.kind is RequirementKind.OVERRIDE:
                self._overrides[line.name].append(line)

    def roots(self) -> Iterator[_Wanted]:
        """What the lines ask for."""
        for line in self._lines:
            if line.kind is RequirementKind.REQUIREMENT and self._applies(line):
                yield from self._want(line.name, line.extras, line.specifier, line.url, line.spec)

    def _applies(self, line: Requirement) -> bool:
        return line.marker is None or line.marker.evaluate({**self._target.environment, "extra": ""})

    def _want(
        self,
        name: NormalizedName,
        extras: Iterable[NormalizedName],
        specifier: SpecifierSet,
        url: str | None,
        asked_by: str,
    ) -> Iterator[_Wanted]:
        if name in self._overrides:
            for line in self._overrides[name]:
                if self._applies(line):
                    yield from self._each(name, {*extras, *line.extras}, line.specifier, line.url, asked_by)
        else:
            yield from self._each(name, extras, specifier, url, asked_by)

    @staticmethod
    def _each(
        name: NormalizedName, extras: Iterable[str], specifier: SpecifierSet, url: str | None, asked_by: str
    ) -> Iterator[_Wanted]:
        yield _Wanted(name, "", specifier, url, asked_by)
        for extra in sorted(extras):
            yield _Wanted(name, extra, None, None, asked_by)

    def identify(self, requirement_or_candidate: _Wanted | _Candidate) -> Identifier:
        return requirement_or_candidate.name, requirement_or_candidate.extra

    def get_preference(self, identifier: Identifier, *_: object, **__: object) -> Identifier:
        return identifier

    def find_matches(
        self,
        identifier: Identifier,
        requirements: Mapping[Identifier, Iterator[_Wanted]],
        incompatibilities: Mapping[Identifier, Iterator[_Candidate]],  # noqa: ARG002 - resolvelib's signature
    ) -> Sequence[_Candidate]:
        name, extra = identifier
        if name not in self._chosen:
            return []
        release, metadata = self._chosen[name]
        if not isinstance(metadata, Metadata):
            return []
        candidate = _Candidate(name, extra, release, metadata)
        fits = all(self.is_satisfied_by(wanted, candidate) for wanted in requirements[identifier])
        within = all(self._admits(release, line.specifier, line.url) for line in self._constraints.get(name, ()))
        return [candidate] if fits and within else []

    def is_satisfied_by(self, requirement: _Wanted, candidate: _Candidate) -> bool:
        if requirement.specifier is None:
            return True
        # resolvelib asks again in each round, and there is only one candidate a package.
        if requirement not in self._satisfied:
            self._satisfied[requirement] = self._admits(candidate.release, requirement.specifier, requirement.url)
        return self._satisfied[requirement]

    @staticmethod
    def _admits(release: Release, specifier: SpecifierSet, url: str | None) -> bool:
        if url is not None and release.url != url:
            return False
        return release.any_version or specifier.contains(release.version, prereleases=True)

    def get_dependencies(self, candidate: _Candidate) -> Iterator[_Wanted]:
        extra = candidate.extra
        if extra:
            # The extra holds no version of its own: its base is the same release by construction.
            yield _Wanted(candidate.name, "", None, None, candidate.name)
        environment = dict(self._target.environment)
        for text in candidate.metadata.requires_dist:
            dependency = parse_dependency(text)
            if dependency is None:
                raise Disagreement(f"{candidate.name} was chosen although its metadata has {text!r}")
            marker = dependency.marker
            plain = marker is None or marker.evaluate({**environment, "extra": ""})
            applies = (
                plain
                if not extra
                else not plain and marker is not None and marker.evaluate({**environment, "extra": extra})
            )
            if applies:
                yield from self._want(
                    dependency.name, dependency.extras, dependency.specifier, dependency.url, candidate.name
                )
