"""Made-up indexes and specs by seed, as real files on a loopback server, for comparing resolvers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from packaging.version import Version
from resolver_rules import HERE, Place, Rules

from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FLAVOURS = ("plain", "extras", "markers", "prereleases", "yanked", "python", "wheels", "restrictions", "all", "deep")
"""What the indexes of a seed have beside versions and ranges; the seed's number decides, in turn."""

_MARKERS = (
    "python_version < '3.12'", "python_version >= '3.12'", "sys_platform == 'win32'", "sys_platform == 'linux'",
    "python_full_version >= '3.11.1'", "platform_machine == 'x86_64' and os_name == 'posix'",
    "implementation_name == 'pypy'", "sys_platform == 'darwin' or python_version == '3.11'",
    "python_version in '3.10 3.11'", "platform_system != 'Linux'", "'win' in sys_platform",
)  # fmt: skip
_TAGS = (
    ("py3-none-any",), ("py3-none-any",), ("py2.py3-none-any",), ("cp311-cp311-manylinux_2_17_x86_64",),
    ("cp311-cp311-win_amd64",), ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp311-cp311-win_amd64"),
    ("cp312-cp312-manylinux_2_17_x86_64",), ("cp39-abi3-manylinux_2_12_x86_64", "cp39-abi3-win_amd64"),
    ("cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "cp311-cp311-macosx_11_0_arm64"),
    ("cp311-cp311-musllinux_1_2_x86_64",), ("cp311-cp311-manylinux_2_99_x86_64",), ("cp311-none-any",), (), (),
)  # fmt: skip
_PYTHONS = (None, None, None, ">=3.12", "<3.12", ">=3.8", ">=3.11.1", "!=3.11.*", "~=3.11")
_LENIENT = Rules("fallback", "requirement", "any", "whole")
"""What a spec has to be possible under; no resolver's own rules, as the universes must not change with those."""


@dataclass(frozen=True)
class Universe:
    """What is on the index, and what is asked for.

    Attributes:
        seed: makes it again.
        flavour: what it has.
        packages: releases by version, by package.
        specs: the lines of each spec, by file name.
        constraints: lines that hold for every spec.
        overrides: lines that replace what releases and specs ask for.
        pythons: newest first, one of which is enough; `HERE` alone for the running one.
        platforms: all of which an environment must work on; `HERE` alone for the running one.
    """

    seed: int
    flavour: str
    packages: Mapping[str, Mapping[str, Rel]]
    specs: Mapping[str, Sequence[str]]
    constraints: Sequence[str]
    overrides: Sequence[str]
    pythons: tuple[str, ...]
    platforms: tuple[str, ...]

    def questions(self) -> Iterator[tuple[str, ...]]:
        """Each spec alone, each pair, and all together."""
        files = list(self.specs)
        yield from ((file,) for file in files)
        yield from ((one, other) for i, one in enumerate(files) for other in files[i + 1 :])
        if len(files) > 2:
            yield tuple(files)


def make_universe(seed: int, *, here: bool) -> Universe:
    """The universe of a seed, always the same one.

    Args:
        seed: any number.
        here: whether for the running Python and platform, without overrides: what pip can be asked.
    """
    return _Maker(seed, here).universe()


class _Maker:
    def __init__(self, seed: int, here: bool) -> None:
        self.seed = seed
        self.here = here
        self.flavour = FLAVOURS[seed % len(FLAVOURS)]
        self.random = Random(f"{seed} {'here' if here else 'elsewhere'}")
        count = self.random.randint(6, 9) if self.flavour == "deep" else self.random.randint(3, 6)
        # Names of its own, so that no cache can mix up two universes.
        self.names = [f"u{seed}{'h' if here else 'e'}-{letter}" for letter in "abcdefghi"[:count]]
        self.versions = {name: self._versions() for name in self.names}

    def has(self, flavour: str) -> bool:
        return self.flavour in ("all", flavour)

    def universe(self) -> Universe:
        random, names = self.random, self.names
        packages = {
            name: {version: self._release(i) for version in self.versions[name]} for i, name in enumerate(names)
        }
        if random.random() < 0.04:
            del packages[names[-1]]
        constraints: list[str] = []
        overrides: list[str] = []
        if self.has("restrictions"):
            constraints = [self._requirement(random.choice(names), extras=False) for _ in range(random.randint(0, 2))]
            if not self.here and random.random() < 0.5:
                marker = f" ; {random.choice(_MARKERS)}" if random.random() < 0.2 else ""
                overrides = [self._requirement(random.choice(names)) + marker]
        several = any(map(self.has, ("python", "wheels", "markers")))
        pythons = random.choice((("3.11",), ("3.12",), ("3.12", "3.11"), ("3.11.4",))) if several else ("3.11",)
        platforms = random.choice((("linux",), ("windows",), ("macos",), ("linux", "windows")))
        universe = Universe(
            seed=self.seed,
            flavour=self.flavour,
            packages=packages,
            specs={},
            constraints=constraints,
            overrides=overrides,
            pythons=(HERE,) if self.here else pythons,
            platforms=(HERE,) if self.here else platforms if several else ("linux",),
        )
        wanted = random.choice((2, 3, 3, 3, 4))
        specs: dict[str, tuple[str, ...]] = {}
        for _ in range(30):
            file = f"{'xyzw'[len(specs)]}.txt"
            tried = replace(universe, specs={file: tuple(self._lines())})
            place = Place(tried, [file], tried.pythons[0], tried.platforms[0])
            # What cannot be installed alone says nothing about the rest: few of them will do.
            if random.random() < 0.1 or place.possible(_LENIENT) is not None:
                specs |= tried.specs
            if len(specs) == wanted:
                break
        return replace(universe, specs=specs)

    def _versions(self) -> list[str]:
        random = self.random
        found = ["1.0", "1.5", "2.0", "2.1.post1", "3.0"] if self.flavour == "deep" else ["1.0", "2.0", "3.0"]
        found = sorted(random.sample(found, random.randint(1, len(found))), key=Version)
        if self.has("prereleases") and random.random() < 0.6:
            early = random.sample(("1.0.dev1", "2.0a1", "2.0rc1", "3.0rc1", "4.0b1"), random.randint(1, 2))
            found = [*found[: random.randint(0, 3)], *early]
        return sorted(found, key=Version)

    def _release(self, i: int) -> Rel:
        random = self.random
        name = self.names[i]
        others = [other for k, other in enumerate(self.names) if k > i or (k < i and random.random() < 0.15)]
        share = 0.3 if self.flavour == "deep" else 0.4
        requires = [self._requirement(other) + self._marker(0.3) for other in others if random.random() < share]
        if self.has("extras"):
            for extra in ("p", "q"):
                if random.random() < 0.6:
                    marker = f"extra == '{extra}'"
                    if self.has("markers") and random.random() < 0.3:
                        marker = f"({random.choice(_MARKERS)}) and {marker}"
                    requires.append(f"{self._requirement(random.choice([*others, name]))} ; {marker}")
        tags = random.choice(_TAGS) if self.has("wheels") else ("py3-none-any",)
        return Rel(
            requires=requires,
            requires_python=random.choice(_PYTHONS) if self.has("python") else None,
            yanked=random.choice(("broken", "")) if self.has("yanked") and random.random() < 0.25 else None,
            tags=tags,
            sdist=self.has("wheels") and (not tags or random.random() < 0.3),
            extras=("p", "q") if self.has("extras") else (),
        )

    def _marker(self, share: float) -> str:
        return f" ; {self.random.choice(_MARKERS)}" if self.has("markers") and self.random.random() < share else ""

    def _requirement(self, name: str, *, extras: bool = True) -> str:
        random = self.random
        extra = f"[{random.choice('pq')}]" if extras and self.has("extras") and random.random() < 0.4 else ""
        there = self.versions[name]
        version, newer = random.choice(there), random.choice(there[len(there) // 2 :])
        wishes = [
            "", f"=={version}", f">={version}", f"<={version}", f"!={version}", f"<{newer}", f">={newer}",
            f">{version}", f">={there[0]},<={version}", f"==={version}",
        ]  # fmt: skip
        if random.random() < 0.15:
            wishes = [">=2.0", "<3.0", "~=2.0", "==2.*", "!=2.*", "<2.0rc1", ">=1.5,<3", "<3.0.dev0"]
        return name + extra + random.choice(wishes)

    def _lines(self) -> list[str]:
        random = self.random
        chosen = random.sample(self.names, min(len(self.names), random.choice((1, 1, 2, 2, 3))))
        return [self._requirement(name) + self._marker(0.2) for name in chosen]
