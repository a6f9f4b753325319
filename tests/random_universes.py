"""Small universes by seed: few packages, few releases, specs that often cannot share an environment."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import builders
from brute_force import BruteForce
from packaging.version import Version

from conflictcheck.index.memory import MemoryIndex, Rel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.model import Requirement, Spec

FLAVOURS = ("plain", "extras", "markers", "prereleases", "yanked", "python", "wheels", "restrictions", "all")
_MARKERS = (
    "python_version < '3.12'", "python_version >= '3.12'", "sys_platform == 'win32'", "sys_platform == 'linux'",
)  # fmt: skip
_TAGS = (
    ("py3-none-any",), ("cp311-cp311-manylinux_2_17_x86_64",), ("cp311-cp311-win_amd64",),
    ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"), ("cp312-cp312-manylinux_2_17_x86_64",), (),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A universe and what is asked of it."""

    packages: dict[str, dict[str, Rel]]
    specs: list[Spec]
    shared: list[Requirement]
    pythons: tuple[str, ...]
    platforms: tuple[str, ...]

    def world(self) -> builders.World:
        return builders.World(
            MemoryIndex(self.packages), self.specs, self.shared, pythons=self.pythons, platforms=self.platforms
        )

    def __str__(self) -> str:
        """The case as code, ready for a test of its own."""
        given = {spec.id: [line.text for line in spec.requirements] for spec in self.specs}
        shared = [f"{line.kind}: {line.text}" for line in self.shared]
        return f"universe({self.packages!r})\nspecs(**{given!r})\nshared={shared!r} {self.pythons} {self.platforms}"


@dataclass
class _Maker:
    random: Random
    flavour: str

    def has(self, *flavours: str) -> bool:
        return self.flavour == "all" or self.flavour in flavours

    def case(self) -> Case:
        random = self.random
        names = list("abcdefg"[: random.randint(3, 5)])
        versions = {name: self._versions() for name in names}
        packages = {
            name: {version: self._release(name, i, names, versions) for version in versions[name]}
            for i, name in enumerate(names)
        }
        if random.random() < 0.04:
            del packages[names[-1]]
        shared: list[Requirement] = []
        if self.has("restrictions"):
            texts = [self._requirement(random.choice(names), versions) for _ in range(random.randint(0, 2))]
            shared += builders.constraints(*texts)
            if random.random() < 0.5:
                name = random.choice(names)
                marker = f" ; {random.choice(_MARKERS)}" if random.random() < 0.2 else ""
                shared += builders.overrides(self._requirement(name, versions) + marker)
        several = self.has("python", "wheels", "markers")
        pythons = random.choice((("3.11",), ("3.12",), ("3.12", "3.11"))) if several else ("3.11",)
        platforms = random.choice((("linux",), ("windows",), ("linux", "windows"))) if several else ("linux",)
        brute = BruteForce(packages, pythons, platforms)
        specs: list[Spec] = []
        wanted = random.randint(3, 5)
        for _ in range(20):
            spec = builders.spec(f"{'vwxyz'[len(specs)]}.txt", self._lines(names, versions))
            # A spec that cannot be installed alone has nothing to say about clashes: few of them will do.
            if random.random() < 0.05 or brute.holds([*spec.requirements, *shared], shared):
                specs.append(spec)
            if len(specs) == wanted:
                break
        return Case(packages, specs, shared, pythons, platforms)

    def _versions(self) -> list[str]:
        found = ["1.0", "2.0", "3.0"][: self.random.choice((1, 2, 3, 3))]
        if self.has("prereleases") and self.random.random() < 0.6:
            found = [*found[: self.random.randint(0, 2)], self.random.choice(("2.0a1", "3.0rc1", "4.0b1"))]
        return sorted(found, key=Version)

    def _release(self, name: str, i: int, names: list[str], versions: dict[str, list[str]]) -> Rel:
        random = self.random
        others = [other for k, other in enumerate(names) if k > i or (k < i and random.random() < 0.2)]
        requires = [self._requirement(other, versions) for other in others if random.random() < 0.35]
        if self.has("markers"):
            requires = [f"{text} ; {random.choice(_MARKERS)}" if random.random() < 0.3 else text for text in requires]
        if self.has("extras"):
            requires += [
                f"{self._requirement(random.choice([*others, name]), versions)} ; extra == '{extra}'"
                for extra in ("p", "q")
                if random.random() < 0.6
            ]
        return Rel(
            requires=requires,
            requires_python=random.choice((None, None, None, ">=3.12", "<3.12")) if self.has("python") else None,
            yanked="broken" if self.has("yanked") and random.random() < 0.25 else None,
            tags=random.choice(_TAGS) if self.has("wheels") else ("py3-none-any",),
            sdist=self.has("wheels") and random.random() < 0.4,
            extras=("p", "q"),
        )

    def _requirement(self, name: str, versions: dict[str, list[str]]) -> str:
        random = self.random
        extra = f"[{random.choice('pq')}]" if self.has("extras") and random.random() < 0.4 else ""
        version, newer = random.choice(versions[name]), random.choice(versions[name][len(versions[name]) // 2 :])
        wishes = ["", f"=={version}", f">={version}", f"<={version}", f"!={version}", f"<{newer}", f">={newer}"]
        if random.random() < 0.1:
            wishes = [f">={random.choice(('2.0', '3.0'))}", f"<{random.choice(('2.0', '3.0'))}"]
        return name + extra + random.choice(wishes)

    def _lines(self, names: list[str], versions: dict[str, list[str]]) -> Iterable[str]:
        random = self.random
        found = [self._requirement(name, versions) for name in random.sample(names, random.choice((1, 1, 2, 2, 3)))]
        if self.has("markers"):
            found = [f"{text} ; {random.choice(_MARKERS)}" if random.random() < 0.2 else text for text in found]
        if self.has("python") and random.random() < 0.2:
            found.append(random.choice(("python>=3.12", "python<3.12")))
        if self.has("restrictions") and random.random() < 0.2:
            found.append(f"-c {self._requirement(random.choice(names), versions)}")
        return found


def make_case(flavour: str, seed: int) -> Case:
    """The case of a seed; always the same one."""
    return _Maker(Random(f"{flavour} {seed}"), flavour).case()
