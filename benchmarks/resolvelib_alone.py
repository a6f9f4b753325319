"""Resolves requirements files by resolvelib alone, on conflictcheck's index layer, and prints what came of it.

    python benchmarks/resolvelib_alone.py FILE… --index-url URL --cache-dir DIR --python-version X.Y
        --python-platform NAME --exclude-newer TIMESTAMP [--offline] [--rounds 5000]

As pip does, it tries newest first, takes first what is pinned and then what was asked for first, and takes a
pre-release only where there is nothing else.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from resolvelib import AbstractProvider, BaseReporter, ResolutionError, Resolver
from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep

from conflictcheck.facts import Listing, Metadata
from conflictcheck.index import open_index
from conflictcheck.index.base import Index, MetadataRequest
from conflictcheck.pipeline import make_targets
from conflictcheck.policy import Release, select_releases
from conflictcheck.progress import Progress
from conflictcheck.settings_sources import CommandLine, resolve_settings
from conflictcheck.solver.dependencies import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from conflictcheck.settings import Settings

Identifier = tuple[NormalizedName, str]


@dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    name: NormalizedName
    extra: str
    specifier: SpecifierSet | None


@dataclass(frozen=True, slots=True)
class Candidate:
    name: NormalizedName
    extra: str
    position: int


class Provider(AbstractProvider[Wanted, Candidate, Identifier]):
    """Answers resolvelib's questions from an index, for one target."""

    def __init__(self, index: Index, settings: Settings) -> None:
        self._index = index
        self._policy = settings.policy
        ((self._target,),) = make_targets(settings).values()
        self._known: dict[NormalizedName, Sequence[Release]] = {}
        self._needs: dict[Candidate, list[Wanted]] = {}
        self._admitted: dict[tuple[Candidate, Wanted], bool] = {}
        self._order: dict[Identifier, int] = defaultdict(lambda: len(self._order))

    def identify(self, requirement_or_candidate: Wanted | Candidate) -> Identifier:
        return requirement_or_candidate.name, requirement_or_candidate.extra

    def get_preference(
        self,
        identifier: Identifier,
        resolutions: object,  # noqa: ARG002 - resolvelib's signature, here and below
        candidates: object,  # noqa: ARG002
        information: Mapping[Identifier, Iterator[object]],
        backtrack_causes: object,
    ) -> tuple[bool, bool, int]:
        wanted = [info.requirement for info in information[identifier]]  # type: ignore[attr-defined]
        pinned = any(str(one.specifier).startswith("==") for one in wanted)
        to_blame = any(identifier[0] == cause.requirement.name for cause in backtrack_causes)  # type: ignore[attr-defined]
        return not pinned, not to_blame, self._order[identifier]

    def find_matches(
        self,
        identifier: Identifier,
        requirements: Mapping[Identifier, Iterator[Wanted]],
        incompatibilities: Mapping[Identifier, Iterator[Candidate]],
    ) -> list[Candidate]:
        name, extra = identifier
        wanted = list(requirements[identifier])
        ruled_out = set(incompatibilities[identifier])
        releases = self._releases(name)
        candidates = [Candidate(name, extra, position) for position in reversed(range(len(releases)))]
        fitting = [
            one
            for one in candidates
            if one not in ruled_out and all(self.is_satisfied_by(each, one) for each in wanted)
        ]
        final = [one for one in fitting if not releases[one.position].is_prerelease]
        return final or fitting

    def is_satisfied_by(self, requirement: Wanted, candidate: Candidate) -> bool:
        if requirement.specifier is None:
            return True
        key = candidate, requirement
        if key not in self._admitted:
            version = self._known[candidate.name][candidate.position].version
            self._admitted[key] = requirement.specifier.contains(version, prereleases=True)
        return self._admitted[key]

    def get_dependencies(self, candidate: Candidate) -> list[Wanted]:
        if candidate not in self._needs:
            self._needs[candidate] = list(self._read(candidate))
        return self._needs[candidate]

    def _read(self, candidate: Candidate) -> Iterator[Wanted]:
        release = self._known[candidate.name][candidate.position]
        (metadata,) = self._index.metadata([MetadataRequest(release.name, str(release.version), release.sources)])
        if candidate.extra:
            same = parse_dependency(f"{candidate.name}=={release.version}")
            assert same is not None
            yield Wanted(candidate.name, "", same.specifier)
        for text in metadata.requires_dist if isinstance(metadata, Metadata) else ():
            need = parse_dependency(text)
            if need is None or need.url:
                continue
            values = {**self._target.environment, "extra": candidate.extra}
            if need.marker is not None and not need.marker.evaluate(values):
                continue
            if candidate.extra and (need.marker is None or need.marker.evaluate({**values, "extra": ""})):
                continue  # its base asks for it
            yield from each(need.name, need.extras, need.specifier)

    def _releases(self, name: NormalizedName) -> Sequence[Release]:
        if name not in self._known:
            (listing,) = self._index.listings([name])
            self._known[name] = (
                select_releases(listing, self._target, self._policy).releases if isinstance(listing, Listing) else ()
            )
        return self._known[name]


def each(name: NormalizedName, extras: tuple[str, ...], specifier: SpecifierSet) -> Iterator[Wanted]:
    """A requirement, and one for each of its extras."""
    yield Wanted(name, "", specifier)
    for extra in extras:
        yield Wanted(name, extra, specifier)


def resolve(files: list[str], settings: Settings, rounds: int) -> str:
    """What resolvelib says, in a few words."""
    lines = [Requirement(line) for file in files for line in Path(file).read_text().splitlines() if line]
    roots = [
        wanted
        for line in lines
        for wanted in each(canonicalize_name(line.name), tuple(sorted(line.extras)), line.specifier)
    ]
    index = open_index(settings.index, Progress())
    try:
        result = Resolver(Provider(index, settings), BaseReporter()).resolve(roots, max_rounds=rounds)
    except ResolutionTooDeep:
        return f"gave up after {rounds} rounds"
    except ResolutionImpossible:
        return "no solution"
    except ResolutionError as error:
        return f"failed: {error!r}"
    finally:
        index.close()
    return f"compatible: {len({name for name, _ in result.mapping})} pins"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    for option in ("--index-url", "--cache-dir", "--python-version", "--python-platform", "--exclude-newer"):
        parser.add_argument(option, required=True)
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--rounds", type=int, default=5000)
    given = parser.parse_args()
    line = CommandLine(
        paths=tuple(given.files),
        python_version=(given.python_version,),
        python_platform=(given.python_platform,),
        exclude_newer=given.exclude_newer,
        index_url=given.index_url,
        cache_dir=given.cache_dir,
        offline=given.offline,
    )
    print(resolve(given.files, resolve_settings(line, cwd=Path.cwd(), environ=os.environ), given.rounds))


if __name__ == "__main__":
    main()
