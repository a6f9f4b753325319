"""One incremental SAT solver per target: facts become clauses once, a question is a call with assumptions.

Every requirement line has a selector variable; a spec is the set of its lines' selectors. Releases are loaded
lazily: one whose dependencies are not known yet has none, so *no* is final, while a *yes* holds only once the
chosen releases are loaded. What cannot be known is guarded by the variable ``facts``: assumed true, it forbids
resting on unknown facts; assumed false, it allows them. If both give the same answer, that answer is certain.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from packaging.version import Version
from pysat.solvers import Solver

from conflictcheck.facts import Missing, Unknown
from conflictcheck.index.base import MetadataRequest
from conflictcheck.lazy import LazyMapping
from conflictcheck.model import RequirementKind
from conflictcheck.policy import Candidates, Release, candidates_of
from conflictcheck.solver.edges import RESTRICTING, Edge, LoadedRelease
from conflictcheck.solver.effective import EffectiveRequirements
from conflictcheck.solver.encoding import Assignment, Clause, Package, Steps, bits, runs
from conflictcheck.solver.known_releases import KnownReleases
from conflictcheck.solver.locks import Locks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.facts import Metadata
    from conflictcheck.model import Requirement
    from conflictcheck.settings import Policy
    from conflictcheck.solver.dependencies import Dependency
    from conflictcheck.solver.edges import EdgeKey
    from conflictcheck.solver.store import FactStore
    from conflictcheck.targets import Target


class NewDirectReference(Exception):  # noqa: N818 - a signal, not an error
    """A release needs a package at a URL that the kernel was not built with; build it again."""


class Kernel:
    """The clauses of one target.

    Args:
        target: the Python and platform.
        lines: every requirement line of the run; a line is named by its position from here on.
        store: where facts come from.
        policy: which releases may be chosen.
        urls: direct references found so far in releases' dependencies; more are added as they turn up.

    Raises:
        NewDirectReference: from any method that loads, once `urls` has a new entry.
    """

    def __init__(
        self,
        target: Target,
        lines: Sequence[Requirement],
        store: FactStore,
        policy: Policy,
        urls: dict[NormalizedName, set[str]],
    ) -> None:
        self.target = target
        self.lines: list[Requirement] = []
        self.packages: dict[NormalizedName, Package] = {}
        self.loaded: dict[NormalizedName, dict[int, LoadedRelease]] = defaultdict(dict)
        self.line_edges: list[Edge | None] = []
        self.impossible: set[int] = set()
        self.calls = 0
        self.loaded_to_be_sure = 0
        self._store = store
        self._policy = policy
        self._urls = urls
        self._effective = EffectiveRequirements(target, lines)
        self._solver = Solver(name="glucose4")
        self._where: dict[int, tuple[NormalizedName, int]] = {}
        self._asking: dict[tuple[NormalizedName, str], dict[EdgeKey, int]] = defaultdict(dict)
        self.known = KnownReleases(self.packages, self.loaded, self._asking, self.new_variable, self.add)
        self.facts = 1
        self._last = 1
        self.selectors: list[int] = []
        self._line_of: dict[int, int] = {}
        self._lines_on: dict[NormalizedName, list[int]] = defaultdict(list)
        self._locks = Locks(
            policy, self._effective, self.lines, self.selectors, new_variable=self.new_variable, add=self.add
        )
        for line in lines:
            self._name_line(line)
        for i in range(len(lines)):
            self._place_line(i)
        try:
            # The listings of all lines are asked for together, before the first clause needs one.
            self._list_packages(self._lines_on)
            for i in range(len(lines)):
                self._encode_line(i)
        except NewDirectReference:
            self.close()
            raise

    @property
    def place(self) -> str:
        """Where packages are looked for, in words; see `Index.place`."""
        return self._store.place

    @property
    def keys(self) -> Collection[int]:
        """The variables "something that is not loaded asks for locked releases"."""
        return self._locks.keys

    @property
    def enablers(self) -> frozenset[int]:
        """The lines that ask for locked releases, alone or with others."""
        return self._locks.enablers

    @property
    def openings(self) -> int:
        """How often what was loaded or added asked for locked releases."""
        return self._locks.openings

    @property
    def opened_by_releases(self) -> Mapping[NormalizedName, int]:
        """The locked releases of each package that what was loaded or added asks for, as bits."""
        return self._locks.opened_by_releases

    def close(self) -> None:
        """Free the solver's memory."""
        self._solver.delete()

    def add_line(self, line: Requirement) -> None:
        """Add a requirement line that was not there from the start: an edit that is to be tried.

        Args:
            line: not an override, and not a direct reference.
        """
        self._name_line(line)
        i = len(self.lines) - 1
        self._place_line(i)
        if line.name in self._lines_on:
            self._list_packages([line.name])
        self._encode_line(i)
        edge = self.line_edges[i]
        if edge is not None and edge.opens:
            self._locks.open_by_line(self.packages[line.name], edge.opens, i)

    # -- questions ---------------------------------------------------------------------------------------------

    def solve(self, literals: Sequence[int], *, locked: bool = True) -> bool:
        """Ask whether the clauses known so far allow these literals.

        Args:
            literals: assumed to hold.
            locked: whether releases that nothing loaded asks for stay locked.
        """
        self.calls += 1
        closed = self._locks.closed.heads() if locked else []
        return bool(self._solver.solve(assumptions=[*literals, *closed]))

    def core(self) -> list[int]:
        """After a *no*: literals among the asked ones that cannot hold together; closed locks are left out."""
        return [literal for literal in self._solver.get_core() or [] if literal not in self._locks.closed]

    def rests_on_locks(self) -> bool:
        """After a *no*: whether it rests on locked releases staying closed."""
        return any(literal in self._locks.closed for literal in self._solver.get_core() or [])

    def locks_behind(self, core: Sequence[int]) -> frozenset[NormalizedName]:
        """The packages on whose locked releases staying closed it rests that these literals cannot hold."""
        keys = self._locks.keys
        self.calls += 1
        if self._solver.solve(assumptions=[*core, *(-key for key in keys)]):
            # What was loaded since asks for some: those that are installed.
            return frozenset(self.locked_in(self.assignment()))
        return frozenset(keys[-literal] for literal in self._solver.get_core() or [] if -literal in keys)

    def model(self) -> tuple[Mapping[NormalizedName, int], frozenset[tuple[NormalizedName, str]]]:
        """After a *yes*: the release of each package that is installed, and the installed extras."""
        true = self.assignment()
        installed = {name: None for name, package in self.packages.items() if package.steps.installed in true}
        extras = {(name, extra) for name in installed for extra, v in self.packages[name].extras.items() if v in true}
        return LazyMapping(installed, lambda name: self.release_in(true, name)), frozenset(extras)

    def model_release(self, name: NormalizedName) -> int:
        """After a *yes*: the release of a package in the model, -1 for none."""
        true = self.assignment()
        return self.release_in(true, name) if self.packages[name].steps.installed in true else -1

    def assignment(self) -> Assignment:
        """After a *yes*: what holds in it, to be read now or later."""
        return Assignment(self._solver.get_model() or ())

    def locked_in(self, true: Assignment) -> Iterator[NormalizedName]:
        """The packages of which a locked release is installed in an assignment, be they needed or not."""
        for asked, name, mask in self._locks.askings:
            if (
                asked in true
                and self.packages[name].steps.installed in true
                and mask >> self.release_in(true, name) & 1
            ):
                yield name

    def release_in(self, true: Assignment, name: NormalizedName) -> int:
        """The release that an assignment installs: the newest of those that are alike.

        One that nobody has to ask for comes before the others, and then a loaded one.
        """
        package = self.packages[name]
        stretch = package.steps.stretch(true, len(package.releases))
        alike = (1 << stretch.stop) - (1 << stretch.start)
        alike = alike & package.unlocked or alike
        return (alike & package.loaded or alike).bit_length() - 1

    def line_of(self, literal: int) -> int | None:
        """The line whose selector this is, or None."""
        return self._line_of.get(abs(literal))

    def release_of(self, literal: int) -> tuple[NormalizedName, int] | None:
        """The package and number whose ``ge`` this is, or None."""
        return self._where.get(abs(literal))

    # -- facts -------------------------------------------------------------------------------------------------

    def edge(self, name: NormalizedName, i: int, extra: str = "") -> tuple[Edge, ...]:
        """What a loaded release needs, for itself or for one of its extras."""
        loaded = self.loaded[name][i]
        if extra not in loaded.edges:
            self._load_extra(name, extra)
        return loaded.edges[extra]

    def load(self, wanted: Iterable[tuple[NormalizedName, int]]) -> None:
        """Load releases: their dependencies become clauses, the packages they name are listed."""
        new = [(name, i) for name, i in wanted if i not in self.loaded[name]]
        if not new:
            return
        requests = []
        for name, i in new:
            release = self.packages[name].releases[i]
            requests.append(MetadataRequest(name, str(release.version), release.sources))
        for (name, i), metadata in zip(new, self._store.metadata(requests), strict=True):
            self._keep(name, i, metadata)
        self._encode(new)

    def _keep(self, name: NormalizedName, i: int, metadata: Metadata | Unknown) -> None:
        self.loaded[name][i] = LoadedRelease({}, metadata)
        self.packages[name].loaded |= 1 << i

    def _encode(self, new: Sequence[tuple[NormalizedName, int]]) -> None:
        """Turn the metadata of newly loaded releases into clauses."""
        asked: dict[tuple[NormalizedName, int], dict[str, list[Dependency]]] = {}
        for name, i in new:
            loaded = self.loaded[name][i]
            asked[name, i] = self._dependencies(loaded, ["", *self.packages[name].extras])
        self._list_packages(
            {dependency.name for found in asked.values() for group in found.values() for dependency in group}
        )
        changed: dict[tuple[NormalizedName, str], list[int]] = defaultdict(list)
        for (name, i), found in asked.items():
            self._note_unusable(name, i)
            for extra, group in found.items():
                self.loaded[name][i].edges[extra] = tuple(self._edge(name, dependency) for dependency in group)
                changed[name, extra].append(i)
        for (name, extra), releases in changed.items():
            self._write_edges(name, extra, releases)

    def _load_extra(self, name: NormalizedName, extra: str) -> None:
        """An extra is asked for that was not before: what the loaded releases need for it becomes clauses."""
        groups = {}
        for i, loaded in self.loaded[name].items():
            if extra not in loaded.edges:
                groups[i] = self._dependencies(loaded, [extra])[extra]
        self._list_packages({dependency.name for group in groups.values() for dependency in group})
        for i, group in groups.items():
            self.loaded[name][i].edges[extra] = tuple(self._edge(name, dependency) for dependency in group)
        self._write_edges(name, extra, list(groups))

    def _dependencies(self, loaded: LoadedRelease, extras: Sequence[str]) -> dict[str, list[Dependency]]:
        found, loaded.unusable = self._effective.dependencies(loaded.metadata, extras)
        return found

    def _edge(self, asking: NormalizedName, dependency: Dependency) -> Edge:
        package = self.packages[dependency.name]
        if dependency.url is not None:
            mask = package.url_mask(dependency.url)
            if not mask:
                self._urls.setdefault(dependency.name, set()).add(dependency.url)
                raise NewDirectReference
        else:
            mask = package.mask(dependency.specifier, dependency.specifier_text)
        for extra in dependency.extras:
            self._extra_variable(dependency.name, extra)
        opens = 0
        if package.locks and dependency.name != asking:
            opens = package.opened_by(dependency.specifier, mask, dependency.url, line=False)
        return Edge(dependency.name, mask, dependency.extras, dependency.text, opens)

    # -- packages ----------------------------------------------------------------------------------------------

    def _list_packages(self, names: Iterable[NormalizedName]) -> None:
        new = sorted({name for name in names if name not in self.packages})
        for name, found in zip(new, self._store.candidates(new, self.target, self._policy), strict=True):
            # A direct reference lists what it needs as it is added, which may be one of these.
            if name not in self.packages:
                self._add_package(name, found)

    def _add_package(self, name: NormalizedName, found: Candidates | Missing | Unknown) -> None:
        candidates = found if isinstance(found, Candidates) else Candidates(name, (), ())
        direct = [self._direct_release(name, url) for url in sorted(self._urls.get(name, ()))]
        if direct:
            ordered = sorted([*candidates.releases, *direct], key=lambda r: (r.version, r.url or ""))
            candidates = candidates_of(name, ordered, candidates.excluded)
        count = len(candidates.releases)
        package = Package(
            candidates,
            Steps(lambda i: self._step(name, i), self._solver.add_clause),
            missing=isinstance(found, Missing),
            unknown=found.reason if isinstance(found, Unknown) else None,
        )
        self.packages[name] = package
        self.known.note_listed(name)
        if not count:
            guard = [-self.facts] if package.unknown is not None else []
            self.add([[-package.steps.installed, *guard]])
        self._locks.lock(package, self._lines_on.get(name, ()))
        pending = [(name, i) for i in sorted(bits(candidates.direct))]
        for _, i in pending:
            known = self._store.direct(candidates.releases[i].url or "", name)
            self._keep(name, i, known if isinstance(known, Unknown) else known[0])
        if pending:
            self._encode(pending)

    def _direct_release(self, name: NormalizedName, url: str) -> Release:
        known = self._store.direct(url, name)
        if isinstance(known, Unknown):
            return Release(name, Version("0"), (), (), url=url, any_version=True)
        metadata, file = known
        return Release(name, Version(metadata.version), (file,), (file,), url=url, any_version=metadata.version == "0")

    # -- clauses -----------------------------------------------------------------------------------------------

    def _name_line(self, line: Requirement) -> None:
        """Give a line its position and selector."""
        i = len(self.lines)
        self.lines.append(line)
        self.line_edges.append(None)
        self.selectors.append(self.new_variable())
        self._line_of[self.selectors[i]] = i

    def _place_line(self, i: int) -> None:
        """Note which package a line is about, if it applies here."""
        line = self.lines[i]
        if line.kind is not RequirementKind.PYTHON and self._effective.applies(line):
            self._lines_on[line.name].append(i)
            url = self._effective.line(line).url
            if url is not None:
                self._urls.setdefault(line.name, set()).add(url)

    def _encode_line(self, i: int) -> None:
        line = self.lines[i]
        if line.kind is RequirementKind.PYTHON:
            if not self.target.admits_python(str(line.specifier)):
                self.impossible.add(i)
                self.add([[-self.selectors[i]]])
        elif self._effective.applies(line):
            self.line_edges[i] = self._write_line(i, line)

    def _write_line(self, i: int, line: Requirement) -> Edge | None:
        """A line's clauses: constraints and overrides restrict the package where something else asks for it."""
        condition = [-self.selectors[i]]
        package = self.packages[line.name]
        if line.kind in RESTRICTING:
            condition.append(-package.steps.installed)
        elif self._effective.is_dropped(line):
            return None
        effective = self._effective.line(line)
        mask = package.line_mask(effective)
        self.add([*condition, *part] for part in package.within(mask))
        opens = package.opened_by(effective.specifier, mask, effective.url, line=True)
        extras = () if line.kind is RequirementKind.CONSTRAINT else effective.extras
        self.add([[*condition, self._extra_variable(line.name, extra)] for extra in extras])
        # An override asks for extras alone, a constraint for nothing.
        adds = line.kind is not RequirementKind.REQUIREMENT
        for extra in extras if adds else ("", *extras):
            self.known.note_line((line.name, extra), self.selectors[i], adds=adds)
        return Edge(line.name, mask, extras, line.text, opens)

    def is_overridden(self, i: int) -> bool:
        """Whether an override speaks for a line, which then only says that the package is wanted."""
        return self._effective.is_overridden(self.lines[i])

    def _extra_variable(self, name: NormalizedName, extra: str) -> int:
        """An extra is a package of its own that needs its base; what it needs further depends on the release."""
        package = self.packages[name]
        if extra not in package.extras:
            package.extras[extra] = self.new_variable()
            self.add([[-package.extras[extra], package.steps.installed]])
            if self.loaded[name]:
                self._load_extra(name, extra)
        return package.extras[extra]

    def _note_unusable(self, name: NormalizedName, i: int) -> None:
        loaded = self.loaded[name][i]
        package = self.packages[name]
        if loaded.unusable is not None:
            self.add([package.unless_run(i, i)])
        elif isinstance(loaded.metadata, Unknown):
            self.add([[*package.unless_run(i, i), -self.facts]])

    def _write_edges(self, name: NormalizedName, extra: str, new: Iterable[int]) -> None:
        """Clauses for the dependencies of newly loaded releases; neighbours with the same one share a clause."""
        package = self.packages[name]
        asking = self._asking[name, extra]
        self.known.note_loaded((name, extra))
        added: dict[EdgeKey, int] = defaultdict(int)
        for i in new:
            for edge in self.loaded[name][i].edges[extra]:
                added[edge.name, edge.mask, edge.extras, edge.opens] |= 1 << i
        guard = [-package.extras[extra]] if extra else []
        for key, mine in added.items():
            asking[key] = asking.get(key, 0) | mine
            needed, mask, extras, opens = key
            target = self.packages[needed]
            for low, high in runs(asking[key]):
                if not mine & ((1 << high + 1) - (1 << low)):
                    continue
                condition = [*package.unless_run(low, high), *guard]
                self.add([*condition, *part] for part in target.within(mask))
                self.add([[*condition, self._extra_variable(needed, wanted)] for wanted in extras])
                if opens:
                    self._locks.open(target, opens, [-literal for literal in condition])

    def add(self, clauses: Iterable[Clause]) -> None:
        """Add clauses; they hold from now on."""
        for clause in clauses:
            self._solver.add_clause(clause)

    def _step(self, name: NormalizedName, i: int) -> int:
        variable = self.new_variable()
        self._where[variable] = (name, i)
        return variable

    def new_variable(self) -> int:
        """A variable that nothing says anything about yet."""
        self._last += 1
        return self._last
