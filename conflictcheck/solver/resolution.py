"""The final resolution of an environment, by resolvelib: a second opinion, and the graph of who asks for what.

Each package's release is known by now, so resolvelib must finish without backtracking. It reads the metadata
afresh — markers and specifiers by packaging, not by the kernel's masks — so that an error in the encoding shows.
If the two disagree, that is a bug of ours.

What the lines ask for is one resolution, and what each release asks for is one: in each of its rounds resolvelib goes
over all that was asked for before, so that one for everything would take time in the square of its size.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.utils import NormalizedName
from resolvelib import AbstractProvider, BaseReporter, ResolutionError, Resolver

from conflictcheck.errors import Disagreement
from conflictcheck.facts import Metadata
from conflictcheck.model import RequirementKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from conflictcheck.model import Requirement
    from conflictcheck.policy import Release
    from conflictcheck.solver.reading import Reading, Want

Identifier = tuple[NormalizedName, str]
"""A package, or with a non-empty second part one of its extras."""


class _Wanted(Struct, frozen=True, eq=False):
    name: NormalizedName
    extra: str
    want: Want | None
    asked_by: str


class _Candidate(Struct, frozen=True, eq=False):
    name: NormalizedName
    extra: str
    release: Release
    metadata: Metadata


class Resolved(Struct, frozen=True):
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


def resolve_environment(
    reading: Reading, lines: Collection[Requirement], chosen: Mapping[NormalizedName, Release]
) -> dict[NormalizedName, Resolved]:
    """Resolve with the releases that the search chose.

    Args:
        reading: of the target.
        lines: of the environment, of all kinds.
        chosen: the release of each package.

    Returns:
        The packages by name, sorted.

    Raises:
        Disagreement: if resolvelib finds the choice wrong, or leaves a package over.
    """
    provider = _Provider(reading, lines, chosen)
    resolver = Resolver(provider, BaseReporter())
    installed: dict[Identifier, _Candidate] = {}
    askers: dict[NormalizedName, set[str]] = defaultdict(set)
    requires: dict[str, set[str]] = defaultdict(set)
    # In portions, as resolvelib looks at all that it has been told so far in each round.
    waiting = deque(provider.roots())
    while waiting:
        try:
            result = resolver.resolve(waiting.popleft(), max_rounds=100_000)
        except ResolutionError as error:
            raise Disagreement(f"resolvelib rejects what the search chose: {error!r}") from error
        for identifier, candidate in result.mapping.items():
            if identifier not in installed:
                installed[identifier] = candidate
                waiting.append(list(provider.needs_of(candidate)))
            for wanted in result.criteria[identifier].iter_requirement():
                if wanted.asked_by != candidate.name:
                    askers[candidate.name].add(wanted.asked_by)
                    requires[wanted.asked_by].add(candidate.name)
    extras: dict[NormalizedName, set[str]] = defaultdict(set)
    for name, extra in installed:
        extras[name].add(extra)
    if extras.keys() != chosen.keys():
        raise Disagreement(f"the search chose packages that nobody needs: {sorted(set(chosen) - extras.keys())}")
    return {
        name: Resolved(
            candidate.release,
            candidate.metadata,
            tuple(sorted(extras[name] - {""})),
            tuple(sorted(askers[name])),
            tuple(sorted(requires[name])),
        )
        for (name, extra), candidate in sorted(installed.items())
        if not extra
    }


class _Provider(AbstractProvider[_Wanted, _Candidate, Identifier]):
    """Offers exactly the chosen release of each package."""

    def __init__(
        self, reading: Reading, lines: Collection[Requirement], chosen: Mapping[NormalizedName, Release]
    ) -> None:
        self._reading = reading
        self._lines = lines
        self._chosen = {name: (release, reading.metadata(release)) for name, release in chosen.items()}
        self._satisfied: dict[_Wanted, bool] = {}
        self._constraints = list(reading.wants_of(lines, RequirementKind.CONSTRAINT))
        self._overrides: dict[NormalizedName, list[Want]] = defaultdict(list)
        for want in reading.wants_of(lines, RequirementKind.OVERRIDE):
            self._overrides[want.name].append(want)

    def roots(self) -> Iterable[list[_Wanted]]:
        """What the lines ask for, of each package."""
        roots: dict[NormalizedName, list[_Wanted]] = defaultdict(list)
        for want in self._reading.wants_of(self._lines, RequirementKind.REQUIREMENT):
            roots[want.name] += self._each(want)
        return roots.values()

    def _each(self, want: Want) -> Iterator[_Wanted]:
        """A requirement, what overrides say of its package, and their extras."""
        overrides = self._overrides.get(want.name, ())
        for said in (want, *overrides):
            yield _Wanted(want.name, "", said, want.asked_by)
        for extra in sorted({*want.extras, *(extra for said in overrides for extra in said.extras)}):
            yield _Wanted(want.name, extra, None, want.asked_by)

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
        within = all(want.admits(release) for want in self._constraints if want.name == name)
        return [candidate] if fits and within else []

    def is_satisfied_by(self, requirement: _Wanted, candidate: _Candidate) -> bool:
        if requirement.want is None:
            return True
        # resolvelib asks again in each round, and there is only one candidate a package.
        if requirement not in self._satisfied:
            self._satisfied[requirement] = requirement.want.admits(candidate.release)
        return self._satisfied[requirement]

    def get_dependencies(self, candidate: _Candidate) -> Iterator[_Wanted]:  # noqa: ARG002 - as above
        return iter(())

    def needs_of(self, candidate: _Candidate) -> Iterator[_Wanted]:
        """What a release asks for, or one of its extras, which holds no version of its own."""
        for want in self._reading.needs(candidate.release, candidate.extra):
            yield from self._each(want)
