"""The smallest split: colouring a hypergraph whose edges are the clashes.

k starts at the best lower bound: a set of specs that clash pairwise. A SAT solver looks for a partition into k parts
with no known clash inside a part; if there is none, k was too small, and that is the proof. Each part of a partition
is then put to the oracle; a *no* gives a new clash, and the search goes on. Symmetry is broken by giving the pairwise
clashing specs the first parts (Van Gelder, "Another look at graph coloring via propositional satisfiability", 2008).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field
from pysat.solvers import Solver

from conflictcheck.clashes import Core
from conflictcheck.solver.oracle import Maybe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conflictcheck.model import SpecId

BUDGET = 2_000
"""Partitions that are tried, after which the best split so far is reported without a proof."""


class Split(Struct, frozen=True):
    """A partition of the specs.

    Attributes:
        parts: sorted specs each, in order of their first spec.
        lower_bound: how many parts were shown to be necessary.
        clique: specs that clash pairwise, sorted; as many as `lower_bound` where that alone proves it.
        cores: clashes that were found on the way.
        unclear: why a part could not be decided; the split is not to be relied on then.
    """

    parts: tuple[tuple[SpecId, ...], ...]
    lower_bound: int
    clique: tuple[SpecId, ...] = ()
    cores: tuple[Core, ...] = ()
    unclear: str | None = None

    @property
    def proven(self) -> bool:
        """Whether no smaller split exists."""
        return self.unclear is None and len(self.parts) == self.lower_bound


def split_specs(
    specs: Sequence[SpecId],
    cores: Iterable[Core],
    probe: Callable[[Sequence[SpecId]], Core | Maybe | None],
    budget: int = BUDGET,
) -> Split:
    """Find a smallest partition such that the specs of each part can share an environment.

    Args:
        specs: specs that can be installed alone.
        cores: clashes known so far, of these specs.
        probe: asks about a part: None for yes, a new clash for no.
        budget: how many partitions to try.

    Returns:
        The split; among the smallest, one that keeps specs of one folder together where that is possible.
    """
    ordered = sorted(specs)
    if not ordered:
        return Split((), 0)
    known = [core for core in cores if len(core.specs) > 1]
    found: list[Core] = []
    clique = _largest_clique(ordered, known)
    count = len(clique)
    for _ in range(budget):
        parts = _colour(ordered, known, clique, count)
        if parts is None:
            count += 1
            continue
        new, barred, unclear = _check(ordered, parts, probe)
        if not new:
            return Split(tuple(parts), count, clique, tuple(found), unclear)
        found += [core for core in new if core not in known]
        known += [*new, *barred]
        clique = _largest_clique(ordered, known)
        count = max(count, len(clique))
    singles = tuple((spec,) for spec in ordered)
    return Split(singles, count, clique, tuple(found))


def _check(
    specs: Sequence[SpecId],
    parts: Sequence[Sequence[SpecId]],
    probe: Callable[[Sequence[SpecId]], Core | Maybe | None],
) -> tuple[list[Core], list[Core], str | None]:
    """The clashes inside parts, the parts that they do not bar by themselves, and why a part is not decided."""
    new: list[Core] = []
    barred: list[Core] = []
    unclear: str | None = None
    for part in parts:
        reply = probe(part)
        if isinstance(reply, Core):
            new.append(reply)
            if set(part).intersection(reply.absent):
                # A helper is in this part, and does not help here.
                barred.append(Core(tuple(part), (), tuple(spec for spec in specs if spec not in part)))
        elif isinstance(reply, Maybe):
            unclear = unclear or reply.reason
    return new, barred, unclear


def _largest_clique(specs: Sequence[SpecId], cores: Iterable[Core]) -> tuple[SpecId, ...]:
    """The largest set of specs that clash pairwise; of several, the first in order."""
    pairs = [core.specs for core in cores if len(core.specs) == 2 and not core.absent]  # noqa: PLR2004
    if not pairs:
        return tuple(specs[:1])
    near: dict[SpecId, set[SpecId]] = defaultdict(set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    if all(near[one].isdisjoint(near[other]) for one, other in pairs):
        return min(pairs)
    import networkx as nx  # noqa: PLC0415 - costly, and in most runs no three specs clash pairwise

    cliques = nx.find_cliques(nx.Graph(pairs))
    return min((tuple(sorted(clique)) for clique in cliques), key=lambda clique: (-len(clique), clique))


def _colour(
    specs: Sequence[SpecId], cores: Sequence[Core], clique: Sequence[SpecId], count: int
) -> list[tuple[SpecId, ...]] | None:
    """A partition into at most `count` parts without a known clash inside a part, or None if there is none."""
    # Specs that no clash is about go wherever they like: the solver need not hear of them.
    bound = {spec for core in cores for spec in (*core.specs, *core.absent)}.union(clique)
    first = {spec: i * count + 1 for i, spec in enumerate(spec for spec in specs if spec in bound)}
    clauses = [list(range(base, base + count)) for base in first.values()]
    # To be in two parts does not help a spec, unless it is there to help others.
    for base in {first[spec] for core in cores for spec in core.absent if spec in first}:
        clauses += ([-a, -b] for a, b in combinations(range(base, base + count), 2))
    for core in cores:
        apart = [-first[spec] for spec in core.specs]
        helpers = [first[spec] for spec in core.absent if spec in first]
        clauses += ([*(one - part for one in apart), *(one + part for one in helpers)] for part in range(count))
    clauses += ([first[spec] + part] for part, spec in enumerate(clique[:count]))
    with Solver(name="minisat22", bootstrap_with=clauses) as solver:
        if not solver.solve():
            return None
        chosen: dict[SpecId, int] = {}
        taste = _Taste(count)
        for spec in specs:
            folder = _folder(spec)
            liked = taste.order(folder)
            chosen[spec] = liked[0]
            if spec in first:
                # What is settled is said for good, so that the solver need not be told of it again each time.
                chosen[spec] = next(p for p in liked if solver.solve(assumptions=[first[spec] + p]))
                solver.add_clause([first[spec] + chosen[spec]])
            taste.place(folder, chosen[spec])
    parts: dict[int, list[SpecId]] = defaultdict(list)
    for spec, part in chosen.items():
        parts[part].append(spec)
    return [tuple(part) for part in parts.values()]


class _Taste(Struct):
    """Which parts a spec would like: those with its folder's specs, then those where most specs are."""

    count: int
    size: Counter[int] = field(default_factory=Counter)
    near: Counter[tuple[str, int]] = field(default_factory=Counter)

    def order(self, folder: str) -> list[int]:
        """The parts, the best liked first."""
        return sorted(range(self.count), key=lambda part: (-self.near[folder, part], -self.size[part], part))

    def place(self, folder: str, part: int) -> None:
        """A spec of a folder has gone to a part."""
        self.size[part] += 1
        self.near[folder, part] += 1


def _folder(spec: SpecId) -> str:
    return str(PurePosixPath(spec.partition("#")[0]).parent)


def name_parts(parts: Sequence[Sequence[SpecId]]) -> list[str]:
    """A short, distinct name for each part, fit for file names: letters, digits and dashes.

    A part of one spec is named after it (``vision`` for ``vision/requirements.txt``), a larger one after its first
    specs; a single part that holds everything is ``all``.
    """
    if len(parts) == 1 and len(parts[0]) > 1:
        return ["all"]
    names: list[str] = []
    for part in parts:
        slugs = list(dict.fromkeys(_slug(spec) for spec in part))
        name = "-".join(slugs[:3]) + ("-and-more" if len(slugs) > 3 else "")  # noqa: PLR2004 - short enough to read
        base, n = name, 2
        while name in names:
            name, n = f"{base}-{n}", n + 1
        names.append(name)
    return names


_GENERIC = {"requirements", "pyproject", "environment", "requirements-in", "main", "base", "dependencies"}


def _slug(spec: SpecId) -> str:
    path, _, section = spec.partition("#")
    pure = PurePosixPath(path)
    stem = _plain(pure.stem)
    folder = _plain(pure.parent.name)
    name = folder if stem in _GENERIC and folder else stem
    name = name.removeprefix("requirements-").removesuffix("-requirements")
    if section:
        name = f"{name}-{_plain(section.partition(':')[2])}"
    return name[:40].strip("-") or "env"


def _plain(text: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split())
