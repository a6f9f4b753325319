"""Words for a clash: one sentence, and the argument step by step.

Ranges are stated over releases that exist: neighbours are merged (``protobuf 3.9.2 to 3.19.6``), long lists are cut
with a count. The cause is named for what it is, and nothing outside the argument is mentioned.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from conflictcheck.argument import Argument, Asked, Needed, RuledOut
from conflictcheck.hindrances import cause_of, fitting, has_index, left_out, main_reason, withheld
from conflictcheck.model import ClashKind, RequirementKind
from conflictcheck.phrases import and_list, cut_list, place
from conflictcheck.policy import Why
from conflictcheck.release_ranges import in_short, near_name, nearest_in_words, only_version, versions_in_words
from conflictcheck.solver.dependencies import parse_dependency
from conflictcheck.solver.edges import RESTRICTING
from conflictcheck.solver.effective import WRONG_PYTHON
from conflictcheck.solver.encoding import bits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from conflictcheck.argument import Node
    from conflictcheck.model import Requirement
    from conflictcheck.solver.encoding import Package
    from conflictcheck.solver.kernel import Kernel

_KINDS = {
    Why.PYTHON: ClashKind.PYTHON,
    Why.WHEELS: ClashKind.PYTHON,
    Why.PLATFORM: ClashKind.PLATFORM,
    Why.ONLY_BINARY: ClashKind.PLATFORM,
    Why.NO_BINARY: ClashKind.PLATFORM,
}


class Words(Struct, frozen=True):
    """A clash in words.

    Attributes:
        kind: what it is about.
        packages: the packages on which the lines disagree, sorted.
        summary: one sentence, with a full stop.
        steps: the argument, one sentence or two a step.
        because: what the sentence says of the cause, as a clause.
        sides: for each side, the chain from a line down to the range of the package that is disagreed on.
    """

    kind: ClashKind
    packages: tuple[str, ...]
    summary: str
    steps: tuple[str, ...]
    because: str
    sides: tuple[tuple[str, ...], ...] = ()


def word_clash(kernel: Kernel, lines: Sequence[int], argument: Argument | None) -> Words:
    """Put an argument into words.

    Args:
        kernel: of the target that the argument is about.
        lines: positions of the clash's lines.
        argument: why they clash; None if it is too long to be found.
    """
    return _Writer(kernel, lines).write(argument)


def join_words(words: Mapping[str, Words], specs: Sequence[str]) -> Words:
    """One text for a clash on several Python versions, each of which has its own reason.

    Args:
        words: by Python version, newest first; at least one.
        specs: of the clash.
    """
    newest, *older = words
    first = words[newest]
    if not older:
        return first
    if all(words[version].because == first.because for version in older):
        return replace(first, steps=(*first.steps, f"The same holds on Python {and_list(older)}."))
    because = "; ".join(f"on {version}, {each.because}" for version, each in words.items())
    head = f"{and_list(specs)} {'cannot be installed' if len(specs) == 1 else 'clash'} on each Python"
    kinds = {each.kind for each in words.values()}
    return Words(
        kinds.pop() if len(kinds) == 1 else ClashKind.PYTHON,
        tuple(sorted({name for each in words.values() for name in each.packages})),
        f"{head}: {because}.",
        tuple(f"On Python {version}: {' '.join(each.steps)}" for version, each in words.items()),
        because,
    )


class _Writer(Struct, frozen=True):
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
        sides = tuple(
            (*self._chain(node), f"{node.name} {versions_in_words(self.kernel.packages[node.name], node.mask)}")
            if node.mask
            else self._chain(node)
            for node in argument.ends
        )
        return Words(kind, tuple(sorted(names)), self._summary(argument), tuple(steps), self._because(argument), sides)

    # -- whole clashes -----------------------------------------------------------------------------------------

    def _python(self, argument: Argument) -> Words:
        line = self.kernel.lines[argument.python_lines[0]]
        version = self.kernel.target.python_version
        return Words(
            ClashKind.PYTHON,
            ("python",),
            f"{line.spec} cannot be installed: it needs Python {line.specifier}, and environments may use {version}.",
            (f"{place(line)} says {line.text}.", f"Environments may use Python {version}."),
            f"{line.spec} needs Python {line.specifier}",
        )

    def _without_argument(self) -> Words:
        steps = [f"{place(self.kernel.lines[i])} asks for {self.kernel.lines[i].text}." for i in self.lines]
        end = "Every combination of their releases was ruled out by the solver; the argument is too long to print."
        names = tuple(sorted({self.kernel.lines[i].name for i in self.lines}))
        summary = f"{self._who()} have no common solution."
        return Words(ClashKind.VERSION, names, summary, (*steps, end), "every combination of releases was ruled out")

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
        # What a release needs, it needs in every case: said once.
        said = [[(node, self._step(node)) for node in case.steps] for _, case in argument.cases]
        common = set.intersection(*({text for node, text in one if isinstance(node, Needed)} for one in said))
        steps += dict.fromkeys(text for _, text in said[0] if text in common)
        ends: Counter[str] = Counter()
        merged: list[tuple[int, list[str], str]] = []
        for (mask, case), one in zip(argument.cases, said, strict=True):
            own = [text for node, text in one if id(node) not in told and not _is_assumption(node, name)]
            inner = [text for text in own if text not in common]
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
        because = f"no release of {name} leads to a solution"
        return Words(
            ClashKind.VERSION, packages, f"{self._who()} have no common solution: {because}.", tuple(steps), because
        )

    def _who(self) -> str:
        specs = self._specs()
        if len(specs) == 1 and len(self.lines) == 1:
            return f"{self.kernel.lines[self.lines[0]].text} in {specs[0]}"
        return f"The requirements of {and_list(specs)}" if len(specs) == 1 else and_list(specs)

    # -- the end -----------------------------------------------------------------------------------------------

    def _kind(self, argument: Argument) -> ClashKind:
        name = argument.name
        assert name is not None  # noqa: S101 - only Python arguments have none
        package = self.kernel.packages[name]
        if self._does_not_exist(argument):
            return ClashKind.MISSING_PACKAGE
        ends = argument.ends
        lines = [self.kernel.lines[node.line] for node in ends if isinstance(node, Asked)]
        if len({line.url for line in lines if line.url is not None}) > 1:
            return ClashKind.SOURCE
        if any(line.hashes and package.mask(line.specifier, str(line.specifier)) for line in lines) and len(ends) == 1:
            return ClashKind.FILES
        excluded = fitting(self.kernel, package, ends)
        if excluded:
            return _KINDS.get(main_reason(excluded), ClashKind.MISSING_VERSION if len(ends) == 1 else ClashKind.VERSION)
        if len(ends) == 1 and any(
            (self.kernel.loaded[name][i].unusable or "").startswith(WRONG_PYTHON)
            for i in bits(ends[0].mask)
            if i in self.kernel.loaded[name]
        ):
            return ClashKind.PYTHON
        return ClashKind.MISSING_VERSION if len(ends) == 1 and not ends[0].mask else ClashKind.VERSION

    def _does_not_exist(self, argument: Argument) -> bool:
        """Whether no index has the package that is left without a release, and no side names a URL to have it from."""
        assert argument.name is not None  # noqa: S101 - only Python arguments have none
        return self.kernel.packages[argument.name].missing and not any(map(self._names_url, argument.ends))

    def _names_url(self, node: Node) -> bool:
        if isinstance(node, Asked):
            return self.kernel.lines[node.line].url is not None
        return isinstance(node, Needed) and any(" @ " in text for text, _ in node.texts)

    def _end(self, argument: Argument) -> str:
        """The conclusion, with what excludes what."""
        name = argument.name
        assert name is not None  # noqa: S101 - only Python arguments have none
        package = self.kernel.packages[name]
        if self._does_not_exist(argument):
            others = [other for other, known in self.kernel.packages.items() if known.releases and other != name]
            near = near_name(name, others)
            meant = f" Is {near} meant?" if near else ""
            return f"No package of the name {name} exists {self.kernel.place}.{meant}"
        excluded = fitting(self.kernel, package, argument.ends)
        if len(argument.ends) == 1 and not isinstance(node := argument.ends[0], RuledOut):
            if cause := cause_of(self.kernel, package, node, excluded):
                return _sentence(cause)
            text = self._text(node.line) if isinstance(node, Asked) else " or ".join(_texts(node))
            have = "the index has" if has_index(self.kernel) else "the --find-links places have"
            return (
                f"No release of {name} satisfies {text}: {nearest_in_words(package, self._only_version(node), have)}."
            )
        sides = [self._side_range(node) for node in argument.ends]
        both = "both" if len(sides) == 2 else "all"  # noqa: PLR2004 - two sides
        end = f"No release of {name} is in {both}: {and_list(sides)}."
        joint = package.everything
        for node in argument.ends:
            joint &= node.mask
        more = [left_out(self.kernel, name, excluded)] if excluded else withheld(self.kernel, package, joint)
        return " ".join([end, *map(_sentence, more)])

    def _only_version(self, node: Node) -> Version | None:
        """The version that ``==`` names, where a requirement is nothing else."""
        if isinstance(node, Asked):
            specifier = self.kernel.lines[node.line].specifier
        elif isinstance(node, Needed) and len(node.texts) == 1 and (found := parse_dependency(node.texts[0][0])):
            specifier = found.specifier
        else:
            return None
        return only_version(specifier)

    def _side_range(self, node: Node) -> str:
        package = self.kernel.packages[node.name]
        line = self.kernel.lines[node.line] if isinstance(node, Asked) else None
        if line is not None and line.url is not None:
            return line.url
        if isinstance(node, RuledOut):
            return (
                f"what is left of it ({versions_in_words(package, node.mask)})"
                if node.mask
                else "nothing that is left of it"
            )
        texts = [self._text(node.line)] if isinstance(node, Asked) else _texts(node)
        if len(texts) == 1 and " @ " in texts[0]:
            return texts[0].partition(" @ ")[2]
        visible = node.mask & package.unlocked or node.mask
        shown = (
            f"{node.name} {versions_in_words(package, visible)}" if node.mask else "no release that can be used here"
        )
        return f"{texts[0]} ({shown})" if len(texts) == 1 else shown

    # -- steps -------------------------------------------------------------------------------------------------

    def _step(self, node: Node) -> str:
        if isinstance(node, Asked):
            line = self.kernel.lines[node.line]
            target = self.kernel.target
            holds = f", which holds for Python {target.python_version} on {target.platform}" if line.marker else ""
            return f"{place(line)} {_asks(line)}{holds}."
        if _is_assumption(node):
            # Of a distinction inside of another one.
            return f"Suppose {self._releases(node.name, node.mask)}."
        if isinstance(node, RuledOut):
            asker = self._releases(node.name, node.out)
            return f"{asker} {_verb(node.out)} {_alternatives(node.texts)}, which the above rules out."
        asker = self._releases(node.asker, node.releases, node.extra)
        needs = f"{asker} {_verb(node.releases, asker)} {self._needs(node)}."
        package = self.kernel.packages[node.asker]
        if not self._is_only(package, node.releases):
            return needs
        return f"{needs} {_sentence(left_out(self.kernel, node.asker, package.candidates.excluded))}"

    def _is_only(self, package: Package, mask: int) -> bool:
        """Whether these releases are one, which nothing but the target or a policy makes the only one."""
        return mask.bit_count() == 1 and mask == package.everything and bool(package.candidates.excluded)

    def _needs(self, node: Needed) -> str:
        package = self.kernel.packages[node.name]
        if len(node.texts) <= 2 or not node.mask:  # noqa: PLR2004 - more is harder to read than the range, if there is one
            return _alternatives(node.texts)
        return f"{node.name} somewhere in {versions_in_words(package, node.mask)}"

    def _releases(self, name: NormalizedName, mask: int, extra: str = "") -> str:
        package = self.kernel.packages[name]
        shown = f"{name}[{extra}]" if extra else name
        if package.unlocked and mask & package.unlocked == package.unlocked and mask.bit_count() > 1:
            versions = versions_in_words(package, mask & package.unlocked)
            return f"Every release of {shown} that can be used here ({versions})"
        if mask.bit_count() == 1 and (url := package.releases[mask.bit_length() - 1].url):
            return f"{shown} at {url}"
        only = ", the only release that can be used here," if self._is_only(package, mask) else ""
        return f"{shown} {versions_in_words(package, mask)}{only}"

    def _chain(self, node: Node) -> tuple[str, ...]:
        """From a line down to a node, along what narrows each package most."""
        if isinstance(node, Asked):
            line = self.kernel.lines[node.line]
            return (f"{place(line)} {_asks(line)}",)
        above = self._chain(node.parents[0]) if node.parents else ()
        return (*above, self._step(node).removesuffix("."))

    # -- the sentence ------------------------------------------------------------------------------------------

    def _summary(self, argument: Argument) -> str:
        specs = self._specs()
        because = self._because(argument)
        if len(specs) == 1:
            return f"{specs[0]} cannot be installed: {because}."
        over = "" if len(argument.ends) == 1 else f" over {argument.name}"
        return f"{and_list(specs)} clash{over}: {because}."

    def _because(self, argument: Argument) -> str:
        name = argument.name
        assert name is not None  # noqa: S101 - only Python arguments have none
        package = self.kernel.packages[name]
        sides = [self._side(node, argument.admitted_besides(node)) for node in argument.ends]
        node = argument.ends[0]
        if len(argument.ends) > 1 or isinstance(node, RuledOut):
            return and_list(sides)
        if self._does_not_exist(argument):
            return f"{sides[0]}, which does not exist"
        if cause := cause_of(self.kernel, package, node, fitting(self.kernel, package, argument.ends)):
            return f"{sides[0]}, and {cause}"
        named = self._only_version(node) is not None and not self._is_override(node)
        return f"{sides[0]}, {'which does not exist' if named else 'and there is no such release'}"

    def _is_override(self, node: Node) -> bool:
        return isinstance(node, Asked) and self.kernel.lines[node.line].kind is RequirementKind.OVERRIDE

    def _specs(self) -> list[str]:
        """The specs of the lines; files of constraints and overrides that were given for the run are none."""
        every = self.kernel.lines
        asking = {line.spec for line in every if line.kind not in RESTRICTING}
        found = list(dict.fromkeys(every[i].spec for i in self.lines))
        return [spec for spec in found if spec in asking] or list(found)

    def _text(self, line: int) -> str:
        """What a line asks for: the bare name where an override speaks for the package."""
        requirement = self.kernel.lines[line]
        return requirement.name if self.kernel.is_overridden(line) else requirement.text

    def _side(self, node: Node, others: int) -> str:
        """What a side says, where the others admit these releases."""
        if isinstance(node, Asked):
            line = self.kernel.lines[node.line]
            if line.kind in RESTRICTING:
                return f"{place(line)} {_asks(line)}"
            return f"{line.spec} asks for {self._text(node.line)}"
        if _is_assumption(node):
            return f"{self._releases(node.name, node.mask)} is supposed"
        if isinstance(node, RuledOut):
            out = self._releases(node.name, node.out)
            return f"{out} {_verb(node.out, out)} {_alternatives(node.texts)}"
        subject = self._releases(node.asker, node.releases, node.extra)
        subject = subject[0].lower() + subject[1:] if subject.startswith("Every") else subject
        package = self.kernel.packages[node.name]
        texts = tuple((in_short(package, text, others), mask) for text, mask in node.texts)
        return f"{subject} {_verb(node.releases, subject)} {self._needs(replace(node, texts=texts))}"


def _is_assumption(node: Node, name: str | None = None) -> TypeGuard[RuledOut]:
    """Whether a node says which release of a package a case is about."""
    return isinstance(node, RuledOut) and not node.texts and name in (None, node.name)


def _asks(line: Requirement) -> str:
    match line.kind:
        case RequirementKind.CONSTRAINT:
            return f"allows only {line.text}"
        case RequirementKind.OVERRIDE:
            return f"asks for {line.text} in place of what others say"
        case _:
            return f"asks for {line.text}"


def _sentence(clause: str) -> str:
    """A clause as a sentence; the name of a package keeps its case."""
    start = clause.partition(" ")[0]
    return f"{start.capitalize() if start in ('no', 'the') else start}{clause[len(start) :]}."


def _texts(node: Node) -> list[str]:
    return [] if isinstance(node, Asked) else [text for text, _ in node.texts]


def _verb(mask: int, subject: str = "") -> str:
    return "needs" if mask.bit_count() == 1 or subject.lower().startswith("every") else "need"


def _alternatives(texts: Sequence[tuple[str, int]]) -> str:
    return cut_list([text for text, _ in texts], " or ")
