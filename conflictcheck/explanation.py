"""Why lines cannot be satisfied together: the argument as data, before any words.

The argument is found by propagation over the facts that the kernel has loaded: a line narrows a package to some of
its releases; if every release that is left needs another package, that narrows the other; a release that needs
something already impossible is ruled out; it ends where a package has no release left. What the end does not rest on
is left out. A clash that propagation alone does not reach gets a case distinction over the releases of one package.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from msgspec import Struct, field

from conflictcheck.argument import Argument, Asked, Needed, RuledOut
from conflictcheck.model import RequirementKind
from conflictcheck.solver.edges import RESTRICTING
from conflictcheck.solver.encoding import bits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.argument import Node
    from conflictcheck.solver.edges import Edge
    from conflictcheck.solver.kernel import Kernel

_MOST_ROUNDS = 400
_MOST_CASES = 60
_MOST_SPLITS = 3
"""How many distinctions may be inside of each other, the outermost included; deeper is more than anybody reads."""
_BUDGET = 300
"""How many cases are looked at for one argument."""


def explain_lines(kernel: Kernel, lines: Iterable[int]) -> Argument | None:
    """The argument why these lines cannot be satisfied together on the kernel's target.

    Args:
        kernel: has answered *no* for exactly these lines, so that the facts are loaded.
        lines: positions.

    Returns:
        The argument; None if it was not found within bounds.
    """
    chosen = sorted(lines)
    python = tuple(
        i
        for i in chosen
        if kernel.lines[i].kind is RequirementKind.PYTHON
        and not kernel.target.admits_python(str(kernel.lines[i].specifier))
    )
    if python:
        return Argument(None, (), (), python_lines=python[:1])
    return _Propagation(kernel, chosen).run()


class _Shared(Struct):
    """What all cases of one argument have in common.

    Attributes:
        usable: the releases of each package that no fact about it alone rules out, as bits.
        looked_at: how many cases were looked at.
        splits: how many distinctions may be inside of each other.
    """

    usable: dict[NormalizedName, int] = field(default_factory=dict)
    looked_at: int = 0
    splits: int = 0


class _Propagation(Struct):
    """The state of one derivation: for each package, what narrows it."""

    kernel: Kernel
    lines: Sequence[int]
    shared: _Shared = field(default_factory=_Shared)
    nodes: dict[NormalizedName, list[Node]] = field(default_factory=lambda: defaultdict(list))
    extras: dict[NormalizedName, dict[str, Node]] = field(default_factory=lambda: defaultdict(dict))
    followed: set[tuple[NormalizedName, str, int]] = field(default_factory=set)
    depth: int = 0

    def run(self) -> Argument | None:
        for i in self.lines:
            edge = self.kernel.line_edges[i]
            if edge is not None and self.kernel.lines[i].kind not in RESTRICTING:
                self._add(Asked(i, edge.name, edge.mask, edge.extras))
        return self._close()

    def _close(self) -> Argument | None:
        for _ in range(_MOST_ROUNDS):
            self._add_constraints()
            if (end := self._empty()) is not None:
                return end
            if not self._forward() and not self._backward():
                return self._distinguish() if self.depth else self._distinguish_deeper_and_deeper()
        return None

    # -- domains -----------------------------------------------------------------------------------------------

    def _usable(self, name: NormalizedName) -> int:
        """Releases of a package that no fact about it alone rules out."""
        mask = self.shared.usable.get(name)
        if mask is None:
            mask = self.kernel.packages[name].unlocked | self._opened(name)
            for i, loaded in self.kernel.loaded[name].items():
                if loaded.unusable is not None:
                    mask &= ~(1 << i)
            self.shared.usable[name] = mask
        return mask

    def _opened(self, name: NormalizedName) -> int:
        """Locked releases that something among the lines, or a release that was loaded, asks for."""
        opened = 0
        for i in self.lines:
            edge = self.kernel.line_edges[i]
            if edge is not None and edge.name == name:
                opened |= edge.opens
        return opened | self.kernel.opened_by_releases.get(name, 0)

    def _domain(self, name: NormalizedName, nodes: Iterable[Node]) -> int:
        mask = self._usable(name)
        for node in nodes:
            mask &= node.mask
        return mask

    def _add(self, node: Node) -> bool:
        """Take in a node if it says something new."""
        known = self.nodes[node.name]
        new_extras = [] if isinstance(node, RuledOut) else [e for e in node.extras if e not in self.extras[node.name]]
        if known and not new_extras:
            domain = self._domain(node.name, known)
            if domain & node.mask == domain:
                return False
        known.append(node)
        for extra in new_extras:
            self.extras[node.name][extra] = node
        return True

    def _add_constraints(self) -> None:
        for i in self.lines:
            edge = self.kernel.line_edges[i]
            if (
                edge is not None
                and self.kernel.lines[i].kind in RESTRICTING
                and self.nodes.get(edge.name)
                and not any(isinstance(node, Asked) and node.line == i for node in self.nodes[edge.name])
            ):
                node = Asked(i, edge.name, edge.mask, edge.extras)
                self.nodes[edge.name].append(node)
                for extra in edge.extras:
                    self.extras[edge.name].setdefault(extra, node)

    def _empty(self) -> Argument | None:
        for name, nodes in list(self.nodes.items()):
            if nodes and not self._domain(name, nodes):
                ends = self._fewest(name, nodes)
                if any(map(self._wants, ends)):
                    return Argument(name, ends, _ordered(ends))
                # It is a clash only because somebody wants the package; a constraint speaks for itself at the end.
                want = min(filter(self._wants, nodes), key=lambda node: len(_ordered((node,))))
                alone = all(map(self._is_constraint, ends))
                return Argument(name, ends if alone else (want, *ends), _ordered((want, *ends)))
        return None

    def _fewest(self, name: NormalizedName, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Few nodes that leave nothing of a package together."""
        for size in (1, 2, 3):
            fitting = [group for group in combinations(nodes, size) if not self._domain(name, group)]
            if fitting:
                return min(fitting, key=lambda group: len(_ordered(group)))
        return self._needed_for(name, nodes, lambda mask: not mask)

    def _needed_for(self, name: NormalizedName, nodes: Sequence[Node], holds: object) -> tuple[Node, ...]:
        """A minimal choice of nodes after which a condition on the domain still holds; the costliest go first."""
        assert callable(holds)  # noqa: S101 - narrows the type
        kept = list(nodes)
        for node in sorted(nodes, key=lambda node: -len(_ordered((node,)))):
            rest = [other for other in kept if other is not node]
            # The package must still be wanted by somebody.
            if any(map(self._wants, rest)) and holds(self._domain(name, rest)):
                kept = rest
        return tuple(kept)

    def _wants(self, node: Node) -> bool:
        return not isinstance(node, RuledOut) and not self._is_constraint(node)

    def _is_constraint(self, node: Node) -> bool:
        return isinstance(node, Asked) and self.kernel.lines[node.line].kind in RESTRICTING

    # -- rules -------------------------------------------------------------------------------------------------

    def _edges(self, name: NormalizedName, extra: str, mask: int) -> dict[NormalizedName, dict[int, list[Edge]]] | None:
        """What the releases of a mask need, by package and release; None if one of them is not loaded."""
        loaded = self.kernel.loaded[name]
        found: dict[NormalizedName, dict[int, list[Edge]]] = defaultdict(dict)
        for i in bits(mask):
            if i not in loaded or extra not in loaded[i].edges:
                return None
            for edge in loaded[i].edges[extra]:
                found[edge.name].setdefault(i, []).append(edge)
        return found

    def _forward(self) -> bool:
        """What every release that is left needs."""
        changed = False
        for name in list(self.nodes):
            nodes = list(self.nodes[name])
            domain = self._domain(name, nodes)
            for extra in ["", *self.extras[name]]:
                # Whatever follows of the same releases is known, and stays so as others get fewer.
                if (name, extra, domain) in self.followed:
                    continue
                self.followed.add((name, extra, domain))
                found = self._edges(name, extra, domain)
                for needed, by_release in (found or {}).items():
                    if len(by_release) == domain.bit_count() and self._infer(name, extra, needed, by_release):
                        changed = True
        return changed

    def _infer(
        self,
        name: NormalizedName,
        extra: str,
        needed: NormalizedName,
        by_release: Mapping[int, Sequence[Edge]],
    ) -> bool:
        masks = {i: _joint(edges) for i, edges in by_release.items()}
        union = 0
        for mask in masks.values():
            union |= mask
        extras = frozenset.intersection(
            *(frozenset(x for e in edges for x in e.extras) for edges in by_release.values())
        )
        before = self._domain(needed, self.nodes.get(needed, ()))
        known_extras = self.extras.get(needed, {})
        if self.nodes.get(needed) and before & union == before and extras.issubset(known_extras):
            return False

        def holds(mask: int) -> bool:
            return all(
                (edges := self._edges_to(name, extra, i, needed)) and not _joint(edges) & ~union for i in bits(mask)
            )

        nodes = self.nodes[name]
        parents = self._needed_for(name, nodes, holds)
        if extra:
            asking = self.extras[name][extra]
            parents = (*(node for node in parents if node is not asking), asking)
        releases = self._domain(name, parents)
        texts = _texts({i: self._edges_to(name, extra, i, needed) for i in bits(releases)})
        return self._add(Needed(name, extra, releases, needed, union, texts, tuple(sorted(extras)), tuple(parents)))

    def _edges_to(self, name: NormalizedName, extra: str, i: int, needed: NormalizedName) -> list[Edge]:
        loaded = self.kernel.loaded[name].get(i)
        return [edge for edge in loaded.edges.get(extra, ()) if edge.name == needed] if loaded else []

    def _backward(self) -> bool:
        """Releases that need what cannot be."""
        for name in list(self.nodes):
            domain = self._domain(name, self.nodes[name])
            for extra in ["", *self.extras[name]]:
                for i in bits(domain):
                    loaded = self.kernel.loaded[name].get(i)
                    for edge in loaded.edges.get(extra, ()) if loaded else ():
                        if self._impossible(edge) and self._rule_out(name, extra, domain, edge.name):
                            return True
        return False

    def _impossible(self, edge: Edge) -> bool:
        return not self._domain(edge.name, self.nodes.get(edge.name, ())) & edge.mask

    def _rule_out(self, name: NormalizedName, extra: str, domain: int, needed: NormalizedName) -> bool:
        reach = self._domain(needed, self.nodes.get(needed, ()))
        by_release = {}
        for i in bits(domain):
            loaded = self.kernel.loaded[name].get(i)
            edges = [e for e in (loaded.edges.get(extra, ()) if loaded else ()) if e.name == needed]
            if edges and not _joint(edges) & reach:
                by_release[i] = edges
        out = sum(1 << i for i in by_release)
        union = 0
        for edges in by_release.values():
            union |= _joint(edges)
        nodes = self.nodes.get(needed, [])
        parents = self._needed_for_rule(needed, nodes, union)
        if extra:
            parents = (*parents, self.extras[name][extra])
        everything = self.kernel.packages[name].everything
        return self._add(RuledOut(name, out, everything & ~out, needed, _texts(by_release), parents))

    def _needed_for_rule(self, name: NormalizedName, nodes: Sequence[Node], union: int) -> tuple[Node, ...]:
        kept = list(nodes)
        for node in sorted(nodes, key=lambda node: -len(_ordered((node,)))):
            rest = [other for other in kept if other is not node]
            if not self._domain(name, rest) & union:
                kept = rest
        return tuple(kept)

    # -- cases -------------------------------------------------------------------------------------------------

    def _distinguish_deeper_and_deeper(self) -> Argument | None:
        """With as few distinctions inside of each other as there can be: one that takes none is far shorter to read."""
        for self.shared.splits in range(1, _MOST_SPLITS + 1):
            if (argument := self._distinguish()) is not None:
                return argument
        return None

    def _distinguish(self) -> Argument | None:
        """Take the releases of one package one by one; neighbours with the same argument are one case."""
        if self.depth == self.shared.splits:
            return None
        sizes = {name: self._domain(name, nodes).bit_count() for name, nodes in self.nodes.items() if nodes}
        names = sorted((size, name) for name, size in sizes.items() if 1 < size <= _MOST_CASES)
        for _, name in names[:8]:
            cases: list[tuple[int, Argument]] = []
            for i in bits(self._domain(name, self.nodes[name])):
                argument = self._case(name, i)
                if argument is None:
                    break
                cases.append((1 << i, argument))
            else:
                used = [
                    node for _, argument in cases for node in argument.steps if node.parents or isinstance(node, Asked)
                ]
                nodes = _ordered((*self.nodes[name], *used))
                return Argument(None, (), nodes, split_on=name, cases=tuple(cases))
        return None

    def _case(self, name: NormalizedName, i: int) -> Argument | None:
        self.shared.looked_at += 1
        if self.shared.looked_at > _BUDGET:
            return None
        copy = _Propagation(self.kernel, self.lines, self.shared, followed=set(self.followed), depth=self.depth + 1)
        for package, nodes in self.nodes.items():
            copy.nodes[package] = list(nodes)
            copy.extras[package] = dict(self.extras[package])
        everything = self.kernel.packages[name].everything
        copy.nodes[name].append(RuledOut(name, everything & ~(1 << i), 1 << i, name, ()))
        return copy._close()


def _joint(edges: Sequence[Edge]) -> int:
    mask = edges[0].mask
    for edge in edges[1:]:
        mask &= edge.mask
    return mask


def _texts(by_release: Mapping[int, Sequence[Edge]]) -> tuple[tuple[str, int], ...]:
    """The requirements, each with the releases that state it, newest first."""
    found: dict[str, int] = {}
    for i in sorted(by_release, reverse=True):
        text = ", ".join(edge.text for edge in by_release[i])
        found[text] = found.get(text, 0) | 1 << i
    return tuple(found.items())


def _ordered(ends: Iterable[Node]) -> tuple[Node, ...]:
    """All nodes behind some, each after its parents, without repeats."""
    found: dict[int, Node] = {}

    def visit(node: Node) -> None:
        if id(node) in found:
            return
        for parent in node.parents:
            visit(parent)
        found[id(node)] = node

    for node in ends:
        visit(node)
    return tuple(found.values())
