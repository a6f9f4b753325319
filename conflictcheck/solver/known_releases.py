"""Variables about the releases of which it is known what they need: each is made once, and again as more are loaded."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from conflictcheck.facts import Unknown
from conflictcheck.solver.blocks import Blocks
from conflictcheck.solver.encoding import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.solver.edges import EdgeKey, LoadedRelease, Node
    from conflictcheck.solver.encoding import Clause, Package


class KnownReleases:
    """What a kernel's clauses say of loaded releases, for questions that turn on who needs what.

    Args:
        packages: the kernel's.
        loaded: the loaded releases of each.
        asking: for each package or extra, what its loaded releases need, and which of them, as bits.
        new_variable: makes a variable.
        add: takes clauses.
    """

    def __init__(
        self,
        packages: Mapping[NormalizedName, Package],
        loaded: Mapping[NormalizedName, Mapping[int, LoadedRelease]],
        asking: Mapping[Node, Mapping[EdgeKey, int]],
        new_variable: Callable[[], int],
        add: Callable[[Iterable[Clause]], None],
    ) -> None:
        self._packages = packages
        self._loaded = loaded
        self._asking = asking
        self._new_variable = new_variable
        self._add = add
        self._runs: dict[tuple[Node, int, int], int] = {}
        self._needs: dict[Node, Mapping[Node, list[tuple[int, int]]]] = {}
        self._lines: dict[Node, list[int]] = defaultdict(list)
        self._adding: dict[Node, list[int]] = defaultdict(list)
        self._sources: dict[Node, dict[Node, list[tuple[int, int]]]] = defaultdict(dict)
        self._unread: dict[Node, None] = {}
        self._changed: set[Node] = set()
        self._demands: dict[Node, int] = {}
        self._stranger = 0
        self._told: dict[int, int] = {}
        self._strangers_demand: tuple[list[int], int] | None = None
        self._strangers: dict[NormalizedName, tuple[int, list[int]]] = {}
        self._unbarred: dict[NormalizedName, None] = {}
        self._bars: Blocks[NormalizedName] = Blocks(new_variable, add)

    def needs(self, node: Node) -> Collection[Node]:
        """What loaded releases of a package, or of its extra, need."""
        if node in self._unread or node not in self._needs:
            self._unread.pop(node, None)
            found: dict[Node, list[tuple[int, int]]] = defaultdict(list)
            for (name, _, extras, _), mask in self._asking.get(node, {}).items():
                for extra in ("", *extras):
                    found[name, extra] += runs(mask)
            for needed in {*found, *self._needs.get(node, ())}:
                self._sources[needed][node] = found.get(needed, [])
                self._changed.add(needed)
            self._needs[node] = found
        return self._needs[node]

    def note_listed(self, name: NormalizedName) -> None:
        """Note a package of which no release is loaded yet."""
        self._unbarred[name] = None

    def note_loaded(self, node: Node) -> None:
        """Note that more releases of a package are loaded, or more of them for its extra."""
        self._unread[node] = None
        self._unbarred[node[0]] = None

    def note_line(self, node: Node, selector: int, *, adds: bool = False) -> None:
        """Note that a line needs a package or an extra, or `adds` the extra where something needs the package."""
        (self._adding if adds else self._lines)[node].append(selector)
        self._changed.add(node)

    def selectors(self, node: Node) -> Sequence[int]:
        """The selectors of the lines that need a package or an extra."""
        return [*self._lines[node], *self._adding.get(node, ())]

    def sources(self, node: Node) -> Iterable[Node]:
        """The packages and extras of which a loaded release may need it."""
        self._read_all()
        return self._sources[node]

    def reasons(self, node: Node, besides: Collection[Node] = ()) -> list[int]:
        """Variables one of which holds where a line, or a loaded release of another package or extra, needs it.

        Args:
            node: the package or extra.
            besides: packages and extras whose needs do not count.
        """
        self._read_all()
        return [
            *self._lines[node],
            *(self._adding.get(node, ()) if (node[0], "") not in besides else ()),
            *(
                self.installed_run(source, low, high)
                for source, some in self._sources[node].items()
                if source not in besides
                for low, high in some
            ),
        ]

    def _read_all(self) -> None:
        for source in list(self._unread):
            self.needs(source)

    def asking(self, name: NormalizedName, locked: int, besides: Collection[Node]) -> list[int]:
        """Variables one of which holds where a loaded release, or one of its extras, asks for locked ones of a package.

        Args:
            name: the package.
            locked: the locked releases, as bits.
            besides: packages and extras that do not count.
        """
        self._read_all()
        return [
            self.installed_run(source, low, high)
            for source in self._sources[name, ""]
            if source not in besides
            for (needed, _, _, opens), mask in self._asking[source].items()
            if needed == name and opens & locked
            for low, high in runs(mask)
        ]

    def demands(self, nodes: Iterable[Node]) -> list[int]:
        """Literals that, assumed, let these packages and extras be installed only where something needs them.

        What needs them is a line that holds, or a loaded release that is installed (Clark's completion). Each has a
        clause of its own, which is written anew when more is loaded that may need it.
        """
        self._read_all()
        found = []
        for node in nodes:
            if node in self._changed or node not in self._demands:
                if node in self._demands:
                    self._add([[-self._demands[node]]])
                self._changed.discard(node)
                demand = self._demands[node] = self._new_variable()
                self._add([[-demand, -self.variable(node), *self.reasons(node)]])
            found.append(self._demands[node])
        return found

    def only_strangers_ask(self, keys: Iterable[int]) -> list[int]:
        """Literals that, assumed, let locked releases be asked for only where a stranger is installed.

        Args:
            keys: the variables "something that is not loaded asks for locked releases", a view of those there are.
        """
        # First, as telling releases apart may bring locks, whose keys count as well.
        strangers = [variable for name in self._packages for variable in self.strangers(name)]
        if not self._stranger:
            self._stranger = self._new_variable()
        told = []
        for key in keys:  # one that gives way to another is no longer among them
            if key not in self._told:
                self._told[key] = self._new_variable()
                self._add([[-self._told[key], -key, self._stranger]])
            told.append(self._told[key])
        if self._strangers_demand is None or self._strangers_demand[0] != strangers:
            self._add([[-self._strangers_demand[1]]] if self._strangers_demand else [])
            self._strangers_demand = strangers, self._new_variable()
            self._add([[-self._strangers_demand[1], -self._stranger, *strangers]])
        return [self._strangers_demand[1], *told]

    @property
    def stranger(self) -> int:
        """The variable "a stranger is installed", of `only_strangers_ask`."""
        return self._stranger

    def variable(self, node: Node) -> int:
        """The variable of a package or of one of its extras."""
        package = self._packages[node[0]]
        return package.extras[node[1]] if node[1] else package.steps.installed

    def strangers(self, name: NormalizedName) -> list[int]:
        """Variables one of which holds if a release of a package is installed of which is not known what it needs."""
        package = self._packages[name]
        if package.unknown is not None:
            return [package.steps.installed]
        count = len(self._loaded[name])
        known = self._strangers.get(name)
        if known is None or known[0] != count:
            unknown = package.everything
            for i, release in self._loaded[name].items():
                if not isinstance(release.metadata, Unknown):
                    unknown &= ~(1 << i)
            known = self._strangers[name] = (count, [self.installed_run((name, ""), *run) for run in runs(unknown)])
        return known[1]

    def forget_demands(self) -> None:
        """Take what `demands` and `only_strangers_ask` made out of the solver, which assigns it in every call."""
        demands = [*self._demands.values(), *self._told.values(), *self._runs.values()]
        demands += [self._strangers_demand[1]] if self._strangers_demand else []
        self._add([-variable] for variable in demands)
        self._strangers_demand = None
        for made in (self._demands, self._told, self._runs, self._strangers):
            made.clear()

    def only_known(self) -> list[int]:
        """Literals that, assumed, keep releases out of which it is not known what they need; see `bars_within`."""
        for name in self._unbarred:
            package, bar = self._packages[name], self._new_variable()
            self._add([-bar, *package.unless_run(*run)] for run in runs(package.everything & ~package.loaded))
            old = self._bars.put(name, bar)
            self._add([[-old]] if old else [])
        self._unbarred.clear()
        return self._bars.heads()

    def bars_within(self, literals: Collection[int]) -> Mapping[NormalizedName, int]:
        """What some literals of `only_known` stand for: for each package one that, assumed, does the same for it."""
        return self._bars.within(literals)

    def installed_run(self, node: Node, low: int, high: int) -> int:
        """A variable that implies that one of the releases low..high is installed, with the extra."""
        run = (node, low, high)
        if run not in self._runs:
            variable = self._runs[run] = self._new_variable()
            package = self._packages[node[0]]
            literals = [-literal for literal in package.unless_run(low, high)]
            if node[1]:
                literals.append(package.extras[node[1]])
            self._add([-variable, literal] for literal in literals)
        return self._runs[run]
