"""Which requirements hold on a target, and what overrides leave of them.

An override takes the place of all that others say of its package, but for whether it is wanted at all (as in uv).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.specifiers import SpecifierSet

from conflictcheck.facts import Unknown
from conflictcheck.model import RequirementKind
from conflictcheck.solver.dependencies import Dependency, MarkerEvaluator, parse_dependency, without_details

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.utils import NormalizedName

    from conflictcheck.facts import Metadata
    from conflictcheck.model import Requirement
    from conflictcheck.targets import Target

WRONG_PYTHON = "it requires Python"
"""How the reason begins that a release cannot be used where its metadata says so, and the index did not."""

_ANY = SpecifierSet()


class EffectiveRequirements:
    """What lines and releases ask for on one target.

    Args:
        target: the Python and platform.
        lines: all lines of the run; those that are overrides count.
    """

    def __init__(self, target: Target, lines: Iterable[Requirement]) -> None:
        self._target = target
        self._markers = MarkerEvaluator(dict(target.environment))
        self._overrides: dict[NormalizedName, list[Requirement]] = defaultdict(list)
        for line in lines:
            if line.kind is RequirementKind.OVERRIDE:
                self._overrides[line.name].append(line)

    # -- lines -------------------------------------------------------------------------------------------------

    def is_overridden(self, line: Requirement) -> bool:
        """Whether an override speaks for a line, which then only says that the package is wanted."""
        return line.kind is RequirementKind.REQUIREMENT and line.name in self._overrides

    def is_dropped(self, line: Requirement) -> bool:
        """Whether a line asks for nothing here, as no override of its package applies."""
        return self.is_overridden(line) and not self._is_wanted(line.name)

    def applies(self, line: Requirement) -> bool:
        """Whether a line's marker holds; an override takes the place of a requirement's marker, too."""
        return self.is_overridden(line) or self._markers.holds(line.marker, str(line.marker or ""))

    def line(self, line: Requirement) -> Requirement:
        """What is left of a line: that its package is wanted, where an override speaks for it."""
        if not self.is_overridden(line):
            return line
        return replace(line, specifier=_ANY, extras=(), url=None, hashes=())

    # -- releases ----------------------------------------------------------------------------------------------

    def dependencies(
        self, metadata: Metadata | Unknown, extras: Iterable[str]
    ) -> tuple[dict[str, list[Dependency]], str | None]:
        """What a release needs for itself (the empty extra) and for each extra.

        Returns:
            By extra, what it needs, and why the release cannot be used, or None. It needs nothing where it cannot be
            used, or its metadata is not known.
        """
        found: dict[str, list[Dependency]] = {extra: [] for extra in extras}
        nothing: dict[str, list[Dependency]] = {extra: [] for extra in found}
        if isinstance(metadata, Unknown):
            return nothing, None
        if metadata.requires_python is not None and not self._target.admits_python(metadata.requires_python):
            return nothing, f"{WRONG_PYTHON} {metadata.requires_python}"
        holds = self._markers.holds
        for text in metadata.requires_dist:
            dependency = parse_dependency(text)
            if dependency is None:
                return nothing, f"its metadata has {text!r}, which is no requirement"
            only = dependency.extra
            if only is not None and only not in found:
                continue  # most of what releases with many extras say
            wanted = self._left_of(dependency)
            if wanted is None:
                continue
            plain = holds(wanted.marker, wanted.marker_text)
            for extra in found if only is None else (only,):
                # What holds without the extra belongs to the release itself, and is not repeated.
                if plain if not extra else not plain and holds(wanted.marker, wanted.marker_text, extra):
                    found[extra].append(wanted)
        return found, None

    def _left_of(self, dependency: Dependency) -> Dependency | None:
        """What overrides leave of a release's requirement, if anything."""
        if dependency.name not in self._overrides:
            return dependency
        return without_details(dependency) if self._is_wanted(dependency.name) else None

    def _is_wanted(self, name: NormalizedName) -> bool:
        """Whether an override of a package applies here."""
        return any(self.applies(line) for line in self._overrides[name])
