"""Small universes made by chance: few packages, few releases, specs that often cannot share an environment.

One generator serves both who wants the case of a seed (`make_case`) and hypothesis (`cases`), which also makes those
that fail smaller.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import builders
from brute_force import BruteForce
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from packaging.version import Version

from conflictcheck.index.memory import MemoryIndex, Rel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.model import Requirement, Spec

FEATURES = ("extras", "markers", "prereleases", "yanked", "python", "wheels", "restrictions")
FLAVOURS = ("plain", *FEATURES, "mixed", "all")
"""One feature at a time, some of them together, and all."""
MONOTONE = ("extras", "markers", "python", "restrictions")
"""Features with which fewer lines always allow more: nothing is chosen only where something asks for it. The flavour
``monotone`` is of some of these together."""

_Item = TypeVar("_Item")
_MOST_ITEMS = 120
_MARKERS = (
    "python_version < '3.12'", "python_version >= '3.12'", "sys_platform == 'win32'", "sys_platform == 'linux'",
)  # fmt: skip
_TAGS = (
    ("py3-none-any",), ("cp311-cp311-manylinux_2_17_x86_64",), ("cp311-cp311-win_amd64",),
    ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"), ("cp312-cp312-manylinux_2_17_x86_64",), (),
)  # fmt: skip


class Case(Struct, frozen=True):
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

    def brute(self) -> BruteForce:
        return BruteForce(self.packages, self.pythons, self.platforms)

    def __repr__(self) -> str:
        """The case as code, ready for a test of its own."""
        given = {spec.id.removesuffix(".txt"): [_said(line) for line in spec.requirements] for spec in self.specs}
        shared = [f"{line.kind}: {line.text}" for line in self.shared]
        return f"universe({_shown(self.packages)})\nspecs(**{given!r})\n{shared=!r} {self.pythons} {self.platforms}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """As hypothesis prints it."""
        printer.text(repr(self))


def _said(line: Requirement) -> str:
    return {"constraint": f"-c {line.text}", "python": f"python{line.specifier}"}.get(line.kind, line.text)


def _shown(packages: dict[str, dict[str, Rel]]) -> str:
    lines = [
        f"  {name!r}: {{{', '.join(f'{version!r}: {_release_as_code(rel)}' for version, rel in releases.items())}}},"
        for name, releases in packages.items()
    ]
    return "\n".join(["{", *lines, "}"])


def _release_as_code(rel: Rel) -> str:
    usual = Rel()
    named = ("requires", "requires_python", "yanked", "tags", "sdist")
    said = [f"{name}={getattr(rel, name)!r}" for name in named if getattr(rel, name) != getattr(usual, name)]
    return f"Rel({', '.join(said)})" if said else "[]"


class _Maker:
    """Makes one case.

    Args:
        random: decides.
        features: what may be in it.
    """

    def __init__(self, random: Random, features: frozenset[str]) -> None:
        self.random = random
        self.features = features
        self.deep = self.chance(0.3)
        self.names = list("abcdefgh"[: random.randint(6, 8) if self.deep else random.randint(3, 5)])
        self.versions = {name: self._versions() for name in self.names}
        self.contested = random.choice(self.names) if self.chance(0.4) else None
        self.tempting: list[str] = []
        if self.contested:
            self.versions[self.contested] = ["1.0", "2.0", "3.0"]

    def has(self, *features: str) -> bool:
        return not self.features.isdisjoint(features)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def case(self) -> Case:
        random = self.random
        packages = {
            name: {version: self._release(i) for version in self.versions[name]} for i, name in enumerate(self.names)
        }
        if self.has("prereleases", "yanked") and self.chance(0.6):
            self._tie(packages)
        shared: list[Requirement] = []
        if self.has("restrictions"):
            texts = [self._requirement(random.choice(self.names)) for _ in range(random.randint(0, 2))]
            shared += builders.constraints(*texts)
            if self.chance(0.5):
                marker = f" ; {random.choice(_MARKERS)}" if self.chance(0.2) else ""
                shared += builders.overrides(self._requirement(random.choice(self.names)) + marker)
        several = self.has("python", "wheels", "markers")
        pythons = random.choice((("3.11",), ("3.12",), ("3.12", "3.11"))) if several else ("3.11",)
        platforms = random.choice((("linux",), ("windows",), ("linux", "windows"))) if several else ("linux",)
        case = Case(packages, [], shared, pythons, platforms)
        self._add_specs(case)
        if self.chance(0.05):
            del packages[random.choice(self.names)]
        return case

    def _add_specs(self, case: Case) -> None:
        brute = case.brute()
        operator = self.random.choice(("!=", "!=", "=="))
        wanted = self.random.randint(3, 5)
        for _ in range(20):
            lines = list(self._lines())
            if self.contested:
                lines.append(f"{self.contested}{operator}{len(case.specs) % 3 + 1}.0")
            spec = builders.spec(f"{'vwxyz'[len(case.specs)]}.txt", lines)
            # A spec that cannot be installed alone has nothing to say about clashes: few of them will do.
            if self.chance(0.02) or brute.holds([*spec.requirements, *case.shared], case.shared):
                case.specs.append(spec)
            if len(case.specs) == wanted:
                break

    def _versions(self) -> list[str]:
        found = ["1.0", "2.0", "3.0"][: self.random.choice((1, 2, 3, 3))]
        if self.has("prereleases") and self.chance(0.6):
            found = [*found[: self.random.randint(0, 2)], self.random.choice(("2.0a1", "3.0rc1", "4.0b1"))]
        return sorted(found, key=Version)

    def _release(self, i: int) -> Rel:
        random, names = self.random, self.names
        if self.deep:
            shares = {other: 0.9 if k == i + 1 else 0.05 if k > i else 0.02 for k, other in enumerate(names) if k != i}
        else:
            shares = {other: 0.35 if k > i else 0.07 for k, other in enumerate(names) if k != i}
        requires = [self._requirement(other) for other, share in shares.items() if self.chance(share)]
        if self.has("markers"):
            requires = [f"{text} ; {random.choice(_MARKERS)}" if self.chance(0.3) else text for text in requires]
        if self.has("extras"):
            requires += [
                f"{self._requirement(random.choice(names[i:]))} ; extra == '{extra}'"
                for extra in ("p", "q")
                if self.chance(0.6)
            ]
        return Rel(
            requires=requires,
            requires_python=random.choice((None, None, None, ">=3.12", "<3.12")) if self.has("python") else None,
            yanked="broken" if self.has("yanked") and self.chance(0.25) else None,
            tags=random.choice(_TAGS) if self.has("wheels") else ("py3-none-any",),
            sdist=self.has("wheels") and self.chance(0.4),
            extras=("p", "q"),
        )

    def _tie(self, packages: dict[str, dict[str, Rel]]) -> None:
        """Have pre-releases or yanked releases pin each other in a circle, at times by way of another package."""
        random = self.random
        tied = random.sample(self.names, random.choice((2, 2, 3)))
        free = [name for name in self.names if name not in tied]
        between = random.choice(free) if free and self.chance(0.3) else None
        version = {name: self._locked(packages[name]) for name in tied}
        for name, needed in zip(tied, [*tied[1:], tied[0]], strict=True):
            pin = f"{needed}=={version[needed]}"
            if needed == tied[0] and between:
                for release, rel in packages[between].items():
                    packages[between][release] = replace(rel, requires=[*rel.requires, pin])
                pin = between
            if self.has("extras") and self.chance(0.3):
                pin += " ; extra == 'p'"
            rel = packages[name][version[name]]
            others = [text for text in rel.requires if self.chance(0.2) and not text.startswith(needed)]
            packages[name][version[name]] = replace(rel, requires=[*others, pin])
        # What else there is of the first is often out of the question, so that the circle would help.
        other = max(free or tied, key=lambda name: len(packages[name]))
        wanted = random.choice(self.versions[other])
        self.tempting = [tied[0], f"{other}!={wanted}"]
        for release, rel in packages[tied[0]].items():
            if release != version[tied[0]]:
                packages[tied[0]][release] = replace(rel, requires=[*rel.requires, f"{other}=={wanted}"])

    def _locked(self, releases: dict[str, Rel]) -> str:
        """A version of a package that is a pre-release or yanked, made so if need be."""
        locked = [v for v, rel in releases.items() if Version(v).is_prerelease or rel.yanked is not None]
        version = self.random.choice(locked or list(releases))
        if not locked:
            if self.has("yanked"):
                releases[version] = replace(releases[version], yanked="broken")
            else:
                releases[version + "rc1"] = releases[version]
                version += "rc1"
        return version

    def _requirement(self, name: str) -> str:
        random, versions = self.random, self.versions[name]
        extra = f"[{random.choice('pq')}]" if self.has("extras") and self.chance(0.4) else ""
        version, newer = random.choice(versions), random.choice(versions[len(versions) // 2 :])
        wishes = ["", f"=={version}", f">={version}", f"<={version}", f"!={version}", f"<{newer}", f">={newer}"]
        if self.chance(0.1):
            wishes = [f">={random.choice(('2.0', '3.0'))}", f"<{random.choice(('2.0', '3.0'))}"]
        return name + extra + random.choice(wishes)

    def _lines(self) -> Iterable[str]:
        random = self.random
        names = self.names[:2] if self.deep and self.chance(0.6) else self.names
        wanted = random.sample(names, min(len(names), random.choice((1, 1, 2, 2, 3))))
        found = [self._requirement(name) for name in wanted]
        found += [text for text in self.tempting if self.chance(0.6)]
        if self.has("markers"):
            found = [f"{text} ; {random.choice(_MARKERS)}" if self.chance(0.2) else text for text in found]
        if self.has("python") and self.chance(0.2):
            found.append(random.choice(("python>=3.12", "python<3.12")))
        if self.has("restrictions") and self.chance(0.2):
            found.append(f"-c {self._requirement(random.choice(self.names))}")
        return found


def make_case(flavour: str, seed: int) -> Case:
    """The case of a seed; always the same one."""
    random = Random(f"{flavour} {seed}")
    some = {"all": FEATURES, "mixed": FEATURES, "monotone": MONOTONE, "plain": ()}.get(flavour, (flavour,))
    if flavour in ("mixed", "monotone"):
        some = random.sample(some, random.randint(2, len(some)))
    return _Maker(random, frozenset(some)).case()


@st.composite
def cases(draw: st.DrawFn, flavour: str) -> Case:
    """Cases of a flavour, for hypothesis: that of a seed, of which nearly all is kept."""
    case = make_case(flavour, draw(st.integers(0, 2**32 - 1)))
    # A byte becomes 0 where hypothesis makes a failing case simpler. All are one draw: of several that are alike,
    # hypothesis would exchange some, and spend most examples on the same case again.
    keep = iter(draw(st.binary(min_size=_MOST_ITEMS, max_size=_MOST_ITEMS)))

    def kept(items: Iterable[_Item]) -> list[_Item]:
        return [item for item in list(items) if next(keep, 1)]

    packages = {}
    for name, releases in case.packages.items():
        left = [(version, replace(rel, requires=kept(rel.requires))) for version, rel in releases.items()]
        packages[name] = dict(kept(left))
    return replace(
        case,
        packages=dict(kept(packages.items())),
        specs=kept(replace(spec, requirements=tuple(kept(spec.requirements))) for spec in case.specs),
        shared=kept(case.shared),
    )
