"""Words for a clash: one sentence, and the argument step by step.

Ranges are stated over releases that exist: neighbours are merged (``protobuf 3.9.2 to 3.19.6``), long lists are cut
with a count. The cause is named for what it is, and nothing outside the argument is mentioned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from conflictcheck.explanation import Argument, Asked, Needed, RuledOut
from conflictcheck.model import ClashKind, RequirementKind
from conflictcheck.phrases import and_list
from conflictcheck.policy import Why
from conflictcheck.solver.dependencies import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.explanation import Node
    from conflictcheck.model import Requirement
    from conflictcheck.policy import Excluded
    from conflictcheck.solver.encoding import Package
    from conflictcheck.solver.kernel import Kernel

_MOST_RANGES = 3
_KINDS = {
    Why.PYTHON: ClashKind.PYTHON,
    Why.PLATFORM: ClashKind.PLATFORM,
    Why.ONLY_BINARY: ClashKind.PLATFORM,
    Why.NO_BINARY: ClashKind.PLATFORM,
}


@dataclass(frozen=True, slots=True)
class Words:
    """A clash in words.

    Attributes:
        kind: what it is about.
        packages: the packages on which the lines disagree, sorted.
        summary: one sentence, with a full stop.
        steps: the argument, one sentence or two a step.
    """

    kind: ClashKind
    packages: tuple[str, ...]
    summary: str
    steps: tuple[str, ...]


def word_clash(kernel: Kernel, lines: Sequence[int], argument: Argument | None) -> Words:
    """Put an argument into words.

    Args:
        kernel: of the target that the argument is about.
        lines: positions of the clash's lines.
        argument: why they clash; None if it is too long to be found.
    """
    return _Writer(kernel, lines).write(argument)


def place(line: Requirement) -> str:
    """Where a line stands: ``api/requirements.txt:3``, or its spec where there is no file."""
    if line.file is None:
        return line.spec
    return line.file if line.line is None else f"{line.file}:{line.line}"


@dataclass(frozen=True, slots=True)
class _Writer:
    kernel: Kernel
    lines: Sequence[int]

    def write(self, argument: Argument | None) -> Words:
        if argument is None:
            return self._without_argument()
        if argument.python_lines:
            return self._python(argument)
        if argument.split_on is not None:
            return self._cases(argument)
        kind = self._kind(argument)
        steps = [self._step(node) for node in argument.steps]
        steps.append(self._end(argument))
        names = {argument.name or ""}
        return Words(kind, tuple(sorted(names)), self._summary(argument), tuple(steps))

    # -- whole clashes -----------------------------------------------------------------------------------------

    def _python(self, argument: Argument) -> Words:
        line = self.kernel.lines[argument.python_lines[0]]
        version = self.kernel.target.python_version
        summary = f"{line.spec} needs Python {line.specifier}, and Python {version} is what environments may use."
        return Words(ClashKind.PYTHON, ("python",), summary, (f"{place(line)} says {line.text}.", summary))

    def _without_argument(self) -> Words:
        steps = [f"{place(self.kernel.lines[i])} asks for {self.kernel.lines[i].text}." for i in self.lines]
        end = "Every combination of their releases was ruled out by the solver; the argument is too long to print."
        names = tuple(sorted({self.kernel.lines[i].name for i in self.lines}))
        return Words(ClashKind.VERSION, names, f"{self._who()} have no common solution.", (*steps, end))

    def _cases(self, argument: Argument) -> Words:
        name = argument.split_on
        assert name is not None  # noqa: S101 - cases always tell a package's releases apart
        shared = {id(node) for node in argument.steps}
        told: set[int] = set()
        steps = []
        for node in argument.steps:
            if not any(id(parent) not in shared for parent in node.parents) and isinstance(node, Asked):
                steps.append(self._step(node))
                told.add(id(node))
        ends: Counter[str] = Counter()
        merged: list[tuple[int, list[str], str]] = []
        for mask, case in argument.cases:
            inner = [self._step(node) for node in case.steps if id(node) not in told and not _is_assumption(node, name)]
            end = self._end(case) if case.split_on is None else "No release is left."
            ends[case.name or name] += 1
            if merged and merged[-1][1] == inner and merged[-1][2] == end:
                merged[-1] = (merged[-1][0] | mask, inner, end)
            else:
                merged.append((mask, inner, end))
        for mask, inner, end in merged:
            steps.append(f"With {self._releases(name, mask)}: {' '.join([*inner, end])}")
        steps.append(f"So no release of {name} is left.")
        packages = tuple(sorted({name, *ends}))
        summary = f"{self._who()} have no common solution: no release of {name} leads to one."
        return Words(ClashKind.VERSION, packages, summary, tuple(steps))

    def _who(self) -> str:
        specs = list(dict.fromkeys(self.kernel.lines[i].spec for i in self.lines))
        if len(specs) == 1 and len(self.lines) == 1:
            return f"{self.kernel.lines[self.lines[0]].text} in {specs[0]}"
        return f"The requirements of {and_list(specs)}" if len(specs) == 1 else and_list(specs)

    # -- the end -----------------------------------------------------------------------------------------------

    def _kind(self, argument: Argument) -> ClashKind:
        name = argument.name
        assert name is not None  # noqa: S101 - only Python arguments have none
        package = self.kernel.packages[name]
        if package.missing:
            return ClashKind.MISSING_PACKAGE
        ends = argument.ends
        lines = [self.kernel.lines[node.line] for node in ends if isinstance(node, Asked)]
        if len({line.url for line in lines if line.url is not None}) > 1:
            return ClashKind.SOURCE
        if any(line.hashes and package.mask(line.specifier, str(line.specifier)) for line in lines) and len(ends) == 1:
            return ClashKind.FILES
        excluded = self._fitting(package, ends)
        if excluded:
            return _KINDS.get(
                _main_reason(excluded), ClashKind.MISSING_VERSION if len(ends) == 1 else ClashKind.VERSION
            )
        return ClashKind.MISSING_VERSION if len(ends) == 1 and not ends[0].mask else ClashKind.VERSION

    def _end(self, argument: Argument) -> str:
        """The conclusion, with what excludes what."""
        name = argument.name
        assert name is not None  # noqa: S101 - only Python arguments have none
        package = self.kernel.packages[name]
        if package.missing:
            return f"No package of the name {name} exists on the package index."
        excluded = self._fitting(package, argument.ends)
        if len(argument.ends) == 1 and not isinstance(argument.ends[0], RuledOut):
            return self._nothing_fits(package, argument.ends[0], excluded)
        sides = [self._side_range(node) for node in argument.ends]
        both = "both" if len(sides) == 2 else "all"  # noqa: PLR2004 - two sides
        end = f"No release of {name} is in {both}: {and_list(sides)}."
        if excluded:
            end += f" {self._left_out(name, excluded)}"
        return end

    def _side_range(self, node: Node) -> str:
        package = self.kernel.packages[node.name]
        line = self.kernel.lines[node.line] if isinstance(node, Asked) else None
        if line is not None and line.url is not None:
            return line.url
        if isinstance(node, RuledOut):
            return (
                f"what is left of it ({_versions(package, node.mask)})" if node.mask else "nothing that is left of it"
            )
        texts = [line.text] if line is not None else _texts(node)
        shown = f"{node.name} {_versions(package, node.mask)}" if node.mask else "no release that can be used here"
        return f"{texts[0]} ({shown})" if len(texts) == 1 else shown

    def _nothing_fits(self, package: Package, node: Asked | Needed, excluded: Sequence[Excluded]) -> str:
        name = node.name
        line = self.kernel.lines[node.line] if isinstance(node, Asked) else None
        text = line.text if line is not None else " or ".join(_texts(node))
        if line is not None and line.hashes and package.mask(line.specifier, str(line.specifier)):
            return f"No file of {name} that the index lists has one of the hashes given."
        if excluded:
            return self._left_out(name, excluded)
        visible = package.unlocked
        locked = node.mask & ~visible
        if locked:
            return f"Only {name} {_versions(package, locked)} would do, which nothing asks for."
        if not package.releases:
            if package.candidates.excluded:
                return self._left_out(name, package.candidates.excluded)
            return f"The package index lists {name} without any release."
        newest = package.releases[(visible or package.everything).bit_length() - 1].version
        oldest = package.releases[0].version
        return f"No release of {name} satisfies {text}: the index has {oldest} to {newest}."

    def _left_out(self, name: NormalizedName, excluded: Sequence[Excluded]) -> str:
        """Releases that would do, and why they are not on offer."""
        why = _main_reason(excluded)
        of_kind = [item for item in excluded if item.why is why]
        versions = _cut([str(item.version) for item in reversed(of_kind)])
        verb = "is" if len(of_kind) == 1 else "are"
        target = self.kernel.target
        if why is Why.PYTHON:
            details = list(dict.fromkeys(item.detail for item in reversed(of_kind) if item.detail))
            if details and details[0].startswith("wheels"):
                has = "has" if verb == "is" else "have"
                return f"{name} {versions} {has} {details[0]}, not for Python {target.python_version}."
            needs = f" (Python {_cut(details)})" if details else ""
            return f"{name} {versions} {verb} for another Python{needs}, not for {target.python_version}."
        if why is Why.PLATFORM:
            has = "has" if verb == "is" else "have"
            return f"{name} {versions} {has} no wheel for {target.platform}, and no source distribution."
        return f"{name} {versions} {verb} left out: {why}."

    def _fitting(self, package: Package, ends: Iterable[Node]) -> list[Excluded]:
        """Excluded releases that every side would admit."""
        specifiers: list[SpecifierSet] = []
        for node in ends:
            if isinstance(node, Asked):
                if self.kernel.lines[node.line].url is not None:
                    return []
                specifiers.append(self.kernel.lines[node.line].specifier)
            elif isinstance(node, Needed) and len(node.texts) == 1:
                dependency = parse_dependency(node.texts[0][0])
                specifiers.append(dependency.specifier if dependency else SpecifierSet("<0"))
            else:
                return []
        return [
            item
            for item in package.candidates.excluded
            if all(specifier.contains(item.version, prereleases=None) for specifier in specifiers)
        ]

    # -- steps -------------------------------------------------------------------------------------------------

    def _step(self, node: Node) -> str:
        if isinstance(node, Asked):
            line = self.kernel.lines[node.line]
            verb = {
                RequirementKind.CONSTRAINT: "allows only",
                RequirementKind.OVERRIDE: "replaces what others ask for by",
            }.get(line.kind, "asks for")
            return f"{place(line)} {verb} {line.text}."
        if isinstance(node, RuledOut):
            asker = self._releases(node.name, node.out)
            return f"{asker} {_verb(node.out)} {_alternatives(node.texts)}, which the above rules out."
        asker = self._releases(node.asker, node.releases, node.extra)
        return f"{asker} {_verb(node.releases, asker)} {self._needs(node)}."

    def _needs(self, node: Needed) -> str:
        package = self.kernel.packages[node.name]
        if len(node.texts) <= 2:  # noqa: PLR2004 - more is harder to read than the range
            return _alternatives(node.texts)
        return f"{node.name} in some range, at the widest {_versions(package, node.mask)}"

    def _releases(self, name: NormalizedName, mask: int, extra: str = "") -> str:
        package = self.kernel.packages[name]
        shown = f"{name}[{extra}]" if extra else name
        if package.unlocked and mask & package.unlocked == package.unlocked and mask.bit_count() > 1:
            return f"Every release of {shown} that can be used here ({_versions(package, mask & package.unlocked)})"
        return f"{shown} {_versions(package, mask)}"

    # -- the sentence ------------------------------------------------------------------------------------------

    def _summary(self, argument: Argument) -> str:
        name = argument.name
        assert name is not None  # noqa: S101 - only Python arguments have none
        package = self.kernel.packages[name]
        specs = list(dict.fromkeys(self.kernel.lines[i].spec for i in self.lines))
        sides = [self._side(node) for node in argument.ends]
        if len(argument.ends) == 1:
            fact = (
                "which does not exist"
                if package.missing or not self._is_there(package, argument)
                else "which cannot be had here"
            )
            head = f"{and_list(specs)} cannot be installed" if len(specs) == 1 else f"{and_list(specs)} clash"
            return f"{head}: {sides[0]}, {fact}."
        if len(specs) == 1:
            return f"{specs[0]} cannot be installed: {and_list(sides)}."
        return f"{and_list(specs)} clash over {name}: {and_list(sides)}."

    def _is_there(self, package: Package, argument: Argument) -> bool:
        node = argument.ends[0]
        return bool(node.mask or self._fitting(package, argument.ends))

    def _side(self, node: Node) -> str:
        if isinstance(node, Asked):
            line = self.kernel.lines[node.line]
            if line.kind is RequirementKind.CONSTRAINT:
                return f"{place(line)} allows only {line.text}"
            return f"{line.spec} asks for {line.text}"
        if isinstance(node, RuledOut):
            out = self._releases(node.name, node.out)
            return f"{out} {_verb(node.out, out)} {_alternatives(node.texts)}"
        subject = self._releases(node.asker, node.releases, node.extra)
        subject = subject[0].lower() + subject[1:] if subject.startswith("Every") else subject
        return f"{subject} {_verb(node.releases, subject)} {self._needs(node)}"


def _is_assumption(node: Node, name: str) -> bool:
    return isinstance(node, RuledOut) and not node.texts and node.name == name


def _texts(node: Node) -> list[str]:
    return [] if isinstance(node, Asked) else [text for text, _ in node.texts]


def _verb(mask: int, subject: str = "") -> str:
    return "needs" if mask.bit_count() == 1 or subject.lower().startswith("every") else "need"


def _alternatives(texts: Sequence[tuple[str, int]]) -> str:
    return _cut([text for text, _ in texts], " or ")


def _cut(items: Sequence[str], last: str = " and ") -> str:
    """A list in words, cut with a count where it is long."""
    if len(items) > _MOST_RANGES + 1:
        return f"{', '.join(items[:_MOST_RANGES])}{last}{len(items) - _MOST_RANGES} others"
    return last.join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def _versions(package: Package, mask: int) -> str:
    """Releases as ranges over those that exist, oldest first: ``1.0 to 1.4, 2.0``."""
    seen = [i for i in range(len(package.releases)) if (package.unlocked | mask) >> i & 1]
    groups: list[list[int]] = []
    for position, i in enumerate(seen):
        if not mask >> i & 1:
            continue
        if groups and position and seen[position - 1] == groups[-1][-1]:
            groups[-1].append(i)
        else:
            groups.append([i])
    shown = []
    for group in groups:
        first, last = (package.releases[i] for i in (group[0], group[-1]))
        names = [release.url or str(release.version) for release in (first, last)]
        shown.append(names[0] if len(group) == 1 else f"{names[0]} to {names[1]}")
    return _cut(shown)


def _main_reason(excluded: Sequence[Excluded]) -> Why:
    """The reason that most of them share; of equals, that of the newest."""
    counts = Counter(item.why for item in reversed(excluded))
    return counts.most_common(1)[0][0]
