"""Made-up companies: many specs over thousands of packages, of which the fewest environments are known by design.

Time runs from 0 to 1. Each package has releases at moments of it, and a release asks for lower-numbered packages as
they were when it came out. A few packages are hubs, on which many depend, and which have several major versions. An
*era* is a moment: at that moment, the newest releases of all packages suit each other. Most specs are of the last era
and ask for little that is not so in others; a few are of earlier ones, and ask for the first hub's major version of
their era, or for a release that needs it. Hence there are as many environments as eras: specs of one era share one,
and those that say which era they are of cannot be with others.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from index_store import DOCUMENT, IndexStore
from questions import Question

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = {10: 300, 50: 600, 100: 1000, 250: 2000, 500: 3500, 1000: 5000}
"""Specs, and packages."""
HUBS = 12
DATE = datetime(2024, 11, 1, tzinfo=UTC)
SPAN = timedelta(days=5 * 365)
NEW = 0.03
"""The share of specs that say that they are of the last era."""


@dataclass(frozen=True, slots=True)
class Need:
    """That a release asks for a package: from one position of its releases up to a major version, exclusive."""

    package: int
    start: int
    below: int | None


@dataclass(slots=True)
class Package:
    """A package.

    Attributes:
        name: of it.
        moments: when each release came out, the first one at 0.
        versions: major and minor version of each.
        needs: of each.
    """

    name: str
    moments: list[float]
    versions: list[tuple[int, int]]
    needs: list[list[Need]] = field(default_factory=list)

    def at(self, moment: float) -> int:
        """The position of the newest release at a moment."""
        return max(position for position, when in enumerate(self.moments) if when <= moment)

    def version(self, position: int) -> str:
        return "{}.{}".format(*self.versions[position])


class Company:
    """The packages and the specs.

    Args:
        specs: how many.
        packages: how many.
    """

    def __init__(self, specs: int, packages: int) -> None:
        self._random = Random(f"{specs} specs, {packages} packages")
        count = 3 if specs <= 10 else 4 if specs <= 100 else 5
        self.eras = [(era + 1) / count for era in range(count)]
        self.packages: list[Package] = []
        self._count = packages
        for number in range(packages):
            self.packages.append(self._package(number))
        eras = enumerate(self._eras_of_specs(specs))
        self.specs = {f"spec-{number:04}": self._spec(era, says=says) for number, (era, says) in eras}

    def _package(self, number: int) -> Package:
        random = self._random
        is_hub = number < HUBS
        moments = [0.0, *sorted(random.random() for _ in range(random.randint(20 if is_hub else 4, 39)))]
        if number == 0:  # its major versions are what the eras are told by
            moments = sorted({*moments, *(era - 1e-6 for era in self.eras)})
        package = Package(f"{'hub' if is_hub else 'package'}-{number:04}", moments, [(1, 0)])
        for before, moment in pairwise(moments):
            major, minor = package.versions[-1]
            new_era = number == 0 and any(before <= era < moment for era in self.eras)
            bump = new_era if number == 0 else random.random() < (0.12 if is_hub else 0.05)
            package.versions.append((major + 1, 0) if bump else (major, minor + 1))
        chosen = self._chosen(number)
        for position in range(len(moments)):
            if position and random.random() < 0.1:  # something new is needed, or something no more
                chosen = self._chosen(number)
            package.needs.append([self._need(other, package, position) for other in chosen])
        return package

    def _chosen(self, number: int) -> list[int]:
        """Lower-numbered packages, among them hubs more often."""
        random = self._random
        wanted = min(number, random.choice((0, 1, 1, 2, 2, 3, 4, 6)))
        chosen: set[int] = set()
        while len(chosen) < wanted:
            chosen.add(random.randrange(min(number, HUBS)) if random.random() < 0.35 else random.randrange(number))
        return sorted(chosen)

    def _need(self, number: int, package: Package, position: int) -> Need:
        """What a release asks of a package: as it is now, and in every era in which the release is the newest."""
        random = self._random
        other = self.packages[number]
        now = package.moments[position]
        until = package.moments[position + 1] if position + 1 < len(package.moments) else 2.0
        eras = [era for era in self.eras if now <= era < until]
        start = random.randint(0, other.at(now))
        highest = max(other.versions[other.at(moment)][0] for moment in (now, *eras))
        if number == 0 and not self._is_leaf(package):
            return Need(number, 0, None)
        capped = random.random() < (0.5 if number < HUBS else 0.15)
        return Need(number, start, highest + 1 if capped else None)

    def _is_leaf(self, package: Package) -> bool:
        """Whether few others ask for a package: only such ones need a certain major version of the first hub."""
        return int(package.name.rpartition("-")[2]) > 0.7 * self._count

    def _eras_of_specs(self, count: int) -> list[tuple[float, bool]]:
        """The era of each spec, and whether it says so; of each era at least one spec does."""
        random = self._random
        *earlier, last = self.eras
        old = max(len(earlier), 2 + count // 100)
        eras = [(earlier[number % len(earlier)], True) for number in range(old)]
        eras += [(last, number == old or random.random() < NEW) for number in range(old, count)]
        random.shuffle(eras)
        return eras

    def _spec(self, era: float, *, says: bool) -> list[str]:
        """A spec of 5 to 20 packages, whose lines admit the releases of its era."""
        random = self._random
        popular = len(self.packages) // 10
        numbers = {
            random.randrange(HUBS, popular) if random.random() < 0.5 else random.randrange(popular, len(self.packages))
            for _ in range(random.randint(5, 20))
        }
        lines = [self._line(number, era) for number in sorted(numbers)]
        return [*lines, self._era_line(era)] if says else lines

    def _line(self, number: int, era: float) -> str:
        """A line about a package; specs of earlier eras hold nothing else back."""
        random = self._random
        package = self.packages[number]
        at = package.at(era)
        major = package.versions[at][0]
        oldest = package.version(random.randint(0, at))
        kind = random.random() * (1 if era == self.eras[-1] else 0.75)
        if kind < 0.3:
            return package.name
        if kind < 0.75:
            return f"{package.name}>={oldest}"
        if kind < 0.92:
            return f"{package.name}>={oldest},<{major + 1}"
        return f"{package.name}=={package.version(at)}"

    def _era_line(self, era: float) -> str:
        """The first hub's major version of an era, or a release that needs it."""
        hub = self.packages[0]
        major = hub.versions[hub.at(era)][0]
        tied = [
            package
            for package in self.packages[HUBS:]
            for need in package.needs[package.at(era)]
            if need.package == 0 and need.below == major + 1 and hub.versions[need.start][0] == major
        ]
        if tied and self._random.random() < 0.5:
            package = self._random.choice(tied)
            return f"{package.name}=={package.version(package.at(era))}"
        return f"{hub.name}>={major},<{major + 1}"

    def store(self, store: IndexStore) -> None:
        """Put pages and metadata files into a store."""
        with store:
            for package in self.packages:
                store.put_page(package.name, list(self._files(package, store)))

    def _files(self, package: Package, store: IndexStore) -> Iterator[dict[str, object]]:
        for position, moment in enumerate(package.moments):
            version = package.version(position)
            filename = f"{package.name.replace('-', '_')}-{version}-py3-none-any.whl"
            path = f"files/{package.name}/{filename}"
            lines = ["Metadata-Version: 2.1", f"Name: {package.name}", f"Version: {version}"]
            lines += [f"Requires-Dist: {self._text(need)}" for need in package.needs[position]]
            document = "\n".join([*lines, "", ""]).encode()
            store.put(f"{path}.metadata", DOCUMENT, document)
            yield {
                "filename": filename,
                "url": f"../../{path}",
                "hashes": {"sha256": hashlib.sha256(filename.encode()).hexdigest()},
                "requires-python": ">=3.8",
                "size": 100_000,
                "upload-time": (DATE - SPAN * (1 - moment)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "yanked": False,
                "core-metadata": {"sha256": hashlib.sha256(document).hexdigest()},
            }

    def _text(self, need: Need) -> str:
        package = self.packages[need.package]
        return f"{package.name}>={package.version(need.start)}" + ("" if need.below is None else f",<{need.below}")


def company(state: Path, specs: int) -> Question:
    """The question of a made-up company, whose index is made if the state has none of this generator."""
    name = f"synthetic-{specs}"
    file = state / f"{name}.json"
    program = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    kept = json.loads(file.read_text()) if file.exists() else {}
    if kept.get("program") != program:
        made = Company(specs, SIZES[specs])
        for old in state.glob(f"{name}.sqlite*"):
            old.unlink()
        store = IndexStore(state / f"{name}.sqlite")
        made.store(store)
        store.close()
        kept = {"program": program, "specs": made.specs}
        beside = file.with_suffix(".part")
        beside.write_text(json.dumps(kept))
        beside.replace(file)
    return Question(kept["specs"], "3.11", "2024-11-01T23:59:59Z", index=name)
