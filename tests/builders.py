"""The test language: an index, specs and questions in the words of the situation.

``World(universe({"a": {"1.0": ["b>=1"]}}), specs(x=["a"], y=["b<1"])).split.parts``
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from conflictcheck.clash_words import ClashWriter
from conflictcheck.clashes import ClashFinder, Core, Findings
from conflictcheck.index.memory import MemoryIndex, Rel
from conflictcheck.model import Requirement, RequirementKind, Spec, SpecId
from conflictcheck.settings import Policy
from conflictcheck.solver.oracle import Oracle, Reply, Yes
from conflictcheck.solver.store import FactStore
from conflictcheck.splitting import Split, split_specs
from conflictcheck.targets import Target, make_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conflictcheck.facts import Metadata, Unknown
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.wording import Words

Universe = dict[str, "Mapping[str, Rel | Sequence[str] | Unknown] | Unknown"]


def universe(packages: Universe, *, direct: Mapping[str, Metadata | Unknown] | None = None) -> MemoryIndex:
    """An index with these packages; see `MemoryIndex`."""
    return MemoryIndex(packages, direct=direct)


def line(
    spec: str,
    text: str,
    kind: RequirementKind = RequirementKind.REQUIREMENT,
    *,
    number: int = 1,
    hashes: tuple[str, ...] = (),
) -> Requirement:
    """A requirement line of a file; ``-c b<2`` is a constraint in it, ``python>=3.12`` its requires-python."""
    file = SpecId(spec).partition("#")[0]
    if text.startswith("python") and "[" not in text and not text[6:7].isalnum() and text[6:7] != "-":
        name = canonicalize_name("python")
        specifier = SpecifierSet(text.removeprefix("python"))
        return Requirement(
            SpecId(spec), f'requires-python = "{specifier}"', name, specifier, file=file, line=number,
            kind=RequirementKind.PYTHON,
        )  # fmt: skip
    if text.startswith("-c "):
        text, kind = text.removeprefix("-c "), RequirementKind.CONSTRAINT
    parsed = Parsed(text)
    return Requirement(
        spec=SpecId(spec),
        text=text,
        name=canonicalize_name(parsed.name),
        specifier=parsed.specifier,
        extras=tuple(sorted(canonicalize_name(extra) for extra in parsed.extras)),
        marker=parsed.marker,
        url=parsed.url,
        file=file,
        line=number,
        kind=kind,
        hashes=hashes,
    )


def spec(name: str, lines: Iterable[str | Requirement]) -> Spec:
    """A spec of that id."""
    read = tuple(
        given if isinstance(given, Requirement) else line(name, given, number=number)
        for number, given in enumerate(lines, 1)
    )
    return Spec(SpecId(name), name.partition("#")[0], read)


def specs(**lines: Sequence[str | Requirement]) -> list[Spec]:
    """Specs by name: ``specs(a=["x>=1"], b=["x<1"])``."""
    return [spec(name, given) for name, given in lines.items()]


def constraints(*texts: str) -> list[Requirement]:
    """The lines of a constraint file."""
    return [
        line("constraints.txt", text, RequirementKind.CONSTRAINT, number=number) for number, text in enumerate(texts, 1)
    ]


def overrides(*texts: str) -> list[Requirement]:
    """The lines of an override file."""
    return [
        line("overrides.txt", text, RequirementKind.OVERRIDE, number=number) for number, text in enumerate(texts, 1)
    ]


def name(text: str) -> NormalizedName:
    """A package's name."""
    return canonicalize_name(text)


_target = cache(make_target)


class World(Struct, dict=True):
    """Specs, an index and targets, and what the core makes of them.

    Attributes:
        index: where facts come from.
        given: the specs, in any order.
        shared: constraint and override lines of the run.
        pythons: newest first.
        platforms: all of which an environment must work on.
        policy: which releases may be chosen.
    """

    index: MemoryIndex
    given: Sequence[Spec]
    shared: Sequence[Requirement] = ()
    pythons: Sequence[str] = ("3.11",)
    platforms: Sequence[str] = ("linux",)
    policy: Policy = field(default_factory=Policy)

    @cached_property
    def specs(self) -> list[Spec]:
        return sorted(self.given, key=lambda given: given.id)

    @cached_property
    def lines(self) -> list[Requirement]:
        return [*(asked for each in self.specs for asked in each.requirements), *self.shared]

    @cached_property
    def positions(self) -> dict[SpecId, frozenset[int]]:
        found: dict[SpecId, frozenset[int]] = {}
        start = 0
        for each in self.specs:
            found[each.id] = frozenset(range(start, start + len(each.requirements)))
            start += len(each.requirements)
        return found

    @property
    def shared_positions(self) -> frozenset[int]:
        return frozenset(range(len(self.lines) - len(self.shared), len(self.lines)))

    @cached_property
    def targets(self) -> dict[str, tuple[Target, ...]]:
        return {version: tuple(_target(version, each) for each in self.platforms) for version in self.pythons}

    @cached_property
    def oracle(self) -> Oracle:
        return Oracle(self.lines, self.targets, FactStore(self.index), self.policy)

    @property
    def kernel(self) -> Kernel:
        """The kernel of the first target."""
        return self.oracle.kernel(next(iter(self.targets.values()))[0])

    @cached_property
    def finder(self) -> ClashFinder:
        return ClashFinder(self.oracle, self.positions, self.shared_positions)

    @cached_property
    def findings(self) -> Findings:
        return self.finder.find()

    @cached_property
    def split(self) -> Split:
        return split_specs(self.findings.placeable, self.findings.cores, self.finder.probe)

    def lines_of(self, *names: str) -> frozenset[int]:
        """The lines of some specs, all of them if none is named, and the shared ones."""
        wanted = [SpecId(each) for each in names] or list(self.positions)
        return self.shared_positions.union(*(self.positions[each] for each in wanted))

    def ask(self, *names: str) -> Reply:
        """Whether some specs can share an environment."""
        return self.oracle.ask(self.lines_of(*names))

    def pins(self, *names: str) -> dict[str, str]:
        """What would be installed for some specs on the first platform, by name."""
        reply = self.oracle.resolve(self.lines_of(*names))
        assert isinstance(reply, Yes), reply
        target = self.targets[reply.python_version][0]
        packages = self.oracle.kernel(target).packages
        releases = reply.solutions[target.platform].releases
        return {
            package: packages[package].releases[i].url or str(packages[package].releases[i].version)
            for package, i in sorted(releases.items())
        }

    def clashes(self) -> list[tuple[str, ...]]:
        """The specs of each minimal clash."""
        return [core.specs for core in self.findings.cores]

    def texts(self, core: Core) -> list[str]:
        """The lines of a clash, with their specs."""
        return [f"{self.lines[i].spec}: {self.lines[i].text}" for i in core.lines]

    def words(self, core: Core) -> Words:
        """A clash in words."""
        return ClashWriter(self.oracle).write(core)
