"""Environments that the settings declare: checked as they are, with what is not declared split as usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.model import Declared, Diagnostic, Severity
from conflictcheck.phrases import and_list, count
from conflictcheck.splitting import Split, name_parts, split_specs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conflictcheck.clashes import Core, Findings
    from conflictcheck.model import SpecId
    from conflictcheck.solver.oracle import Maybe

    Probe = Callable[[Sequence[SpecId]], Core | Maybe | None]


class Placement(Struct, frozen=True):
    """The environments of a report.

    Attributes:
        parts: each one's name and specs.
        declared: what became of the declared ones.
        cores: clashes that were found on the way.
        unclear: why a part could not be decided.
    """

    parts: tuple[tuple[str, tuple[SpecId, ...]], ...]
    declared: tuple[Declared, ...] = ()
    cores: tuple[Core, ...] = ()
    unclear: str | None = None


def place_specs(split: Split, declared: Mapping[str, Sequence[SpecId]], findings: Findings, probe: Probe) -> Placement:
    """Decide which environments to build.

    Args:
        split: the smallest split of all specs.
        declared: the specs of each declared environment.
        findings: which specs can be installed alone, and their clashes.
        probe: asks about a part: None for yes, a new clash for no.

    Returns:
        Without anything declared, the split. Else the declared environments, each whole or, where its specs clash, in
        as few parts as it takes; and the fewest for what is in none of them.
    """
    if not declared:
        return Placement(tuple(zip(name_parts(split.parts), split.parts, strict=True)), unclear=split.unclear)
    found = _Parts(declared, findings, probe)
    outcomes = [found.add(name, specs) for name, specs in declared.items()]
    rest = set(findings.placeable).difference(*declared.values())
    found.add_further(sorted(rest))
    return Placement(tuple(found.parts), tuple(outcomes), tuple(found.cores), found.unclear)


class _Parts:
    """The parts so far."""

    def __init__(self, names: Iterable[str], findings: Findings, probe: Probe) -> None:
        self._taken = {name.lower() for name in names}
        self.parts: list[tuple[str, tuple[SpecId, ...]]] = []
        self.cores: list[Core] = []
        self.unclear: str | None = None
        self._known = list(findings.cores)
        self._placeable = set(findings.placeable)
        self._probe = probe

    def add(self, name: str, specs: Sequence[SpecId]) -> Declared:
        """Add a declared environment."""
        members = tuple(spec for spec in specs if spec in self._placeable)
        split = self._split(members)
        whole = len(split.parts) == 1
        names = [name] if whole else [self._free(f"{name}-{i}") for i in range(1, len(split.parts) + 1)]
        self.parts += zip(names, split.parts, strict=True)
        return Declared(name, tuple(specs), tuple(names), holds=whole and members == tuple(specs))

    def add_further(self, specs: Sequence[SpecId]) -> None:
        """Add the fewest environments for specs that are in no declared one."""
        parts = self._split(specs).parts
        names = ["undeclared"] if len(parts) == 1 else name_parts(parts)
        self.parts += [(self._free(name), part) for name, part in zip(names, parts, strict=True)]

    def _split(self, specs: Sequence[SpecId]) -> Split:
        inside = [core for core in self._known if set(core.specs) <= set(specs)]
        split = split_specs(specs, inside, self._probe)
        self._known += split.cores
        self.cores += split.cores
        self.unclear = self.unclear or split.unclear
        return split

    def _free(self, name: str) -> str:
        n, base = 2, name
        while name.lower() in self._taken:
            name, n = f"{base}-{n}", n + 1
        self._taken.add(name.lower())
        return name


def about_declared(placement: Placement, split: Split, findings: Findings) -> list[Diagnostic]:
    """What to say of the declared environments: those that do not hold, and a split that needs fewer."""
    found = []
    for one in placement.declared:
        if not one.holds and placement.unclear is None and not findings.doubts:
            placed = {spec for name, part in placement.parts if name in one.environments for spec in part}
            alone = [spec for spec in one.specs if spec not in placed]
            reasons = [f"{and_list(alone)} cannot be installed even alone"] if alone else []
            reasons += [f"they take {len(one.environments)} environments"] if len(one.environments) > 1 else []
            why = " and ".join(reasons)
            message = f"the declared environment {one.name} does not hold its {count(len(one.specs), 'spec')}: {why}"
            found.append(Diagnostic(Severity.ERROR, "declared-environment", message))
    if placement.declared and 0 < len(split.parts) < len(placement.parts) and split.unclear is None:
        groups = "; ".join(
            f"{name} ({and_list(part)})" for name, part in zip(name_parts(split.parts), split.parts, strict=True)
        )
        verb = "would do" if len(split.parts) > 1 else "would hold all specs"
        message = f"{count(len(split.parts), 'environment')} {verb}: {groups}"
        found.append(Diagnostic(Severity.NOTE, "better-split", message))
    return found
