"""Newest first: what would be installed, as pip and uv would choose.

Packages are decided in breadth-first order from the requirement lines. All packages that are needed and not yet
decided are proposed together, each at its newest release that the decided ones leave; their metadata is loaded
together, and the solver is asked about the whole batch. On *no*, the core names whom to put off: the last in
order. When the decided part itself turns out impossible, the last decision in the core is undone. Each core is
kept as a *nogood*, so that the same combination is never proposed twice, which is why the search ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from conflictcheck.facts import Unknown
from conflictcheck.solver.answers import Conflict, Solution, Undecided
from conflictcheck.solver.askers import asked_in
from conflictcheck.solver.at_once import MOST_REFINED, answer_at_once, solution_of
from conflictcheck.solver.completion import Completion, TooMany
from conflictcheck.solver.encoding import bits
from conflictcheck.solver.needs import Needs, collect_needs, offered
from conflictcheck.solver.search_nogoods import SearchNogoods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.solver.answers import Answer
    from conflictcheck.solver.kernel import Kernel

BUDGET = 20_000
"""Solver calls for one question, after which it counts as undecided."""

_PATIENCE = 2
"""How often a package is put off by single releases before its older ones are loaded in bulk."""
_CHUNK = 8
_MOST_PLACES = 4
"""How many packages may step back for one."""
_LITTLE = 50
"""How many releases each of them may have to go back for that."""


class Search:
    """One question to a kernel: can these lines be satisfied together, and how?

    Args:
        kernel: the target's kernel.
        lines: positions of the lines, constraints and overrides included.
        prefer: releases to try first, from an earlier answer: quicker, where only yes or no matters.
        quick: whether any solution will do, as only yes or no matters.
        limit: the number of solver calls of the kernel at which to give up; None for the usual budget from now on.
        known: a solution that is there if nothing newer is, from an earlier search.
        refined: how many releases may be loaded to tell yes from no before packages are decided about.
    """

    def __init__(
        self,
        kernel: Kernel,
        lines: Iterable[int],
        prefer: Mapping[NormalizedName, int] | None = None,
        *,
        quick: bool = False,
        limit: int | None = None,
        known: Solution | None = None,
        refined: int = MOST_REFINED,
    ) -> None:
        self._kernel = kernel
        self._refined = refined
        self._lines = sorted(lines)
        self._prefer = prefer or {}
        self._quick = quick
        self._known = known
        self._last_needs: Needs | None = None
        self._walked: dict[NormalizedName, int] = {}
        self._openings = kernel.openings
        self._decided: dict[NormalizedName, int] = {}
        self._nogoods = SearchNogoods(kernel)
        self._put_off: dict[NormalizedName, int] = {}
        self._late: dict[NormalizedName, None] = {}
        self._changed: set[frozenset[NormalizedName]] = set()
        asked = frozenset(self._lines)
        self._asked = asked
        self._base = [
            kernel.facts,
            *(kernel.selectors[i] for i in self._lines),
            *(-kernel.selectors[i] for i in sorted(kernel.enablers - asked)),
        ]
        self._limit = kernel.calls + BUDGET if limit is None else limit
        edges = [kernel.line_edges[i] for i in self._lines]
        self._fixed = {edge.name for edge in edges if edge is not None and edge.mask.bit_count() == 1}

    def run(self) -> Answer:
        """Find the newest-first solution, or show that there is none."""
        return self._at_once() or self._newest_first()

    def _at_once(self) -> Answer | None:
        """What can be said without deciding about any package, if that is anything."""
        kernel = self._kernel
        if self._quick:
            answer = answer_at_once(kernel, self._lines, self._base, refined=self._refined, limit=self._limit)
            self._notice_openings()
            if answer is not None:
                return answer if isinstance(answer, Solution) else self._conclude(answer)
        elif not kernel.solve(self._base):
            return self._conclude(kernel.core())
        return self._stand_by() if self._prefer else None

    def _newest_first(self) -> Answer:
        while self._kernel.calls < self._limit:
            needs = self._needs()
            self._decided = {name: i for name, i in self._decided.items() if name in needs.domains}
            undecided = [name for name in needs.domains if name not in self._decided]
            open_names = [name for name in undecided if name not in self._late] or [
                name for name in self._late if name in undecided
            ]
            if not open_names:
                solution = self._solution(needs) if self._is_asked_for(needs) else None
                if solution is not None:
                    return solution
                continue
            batch = self._propose(needs, open_names)
            if batch is None:
                conflict = self._backtrack()
                if conflict is not None:
                    return conflict
                continue
            if not batch:
                continue
            self._kernel.load(batch.items())
            self._notice_openings()
            conflict = self._decide(batch)
            if conflict is not None:
                return conflict
        return Undecided(f"the search was given up after {BUDGET} steps")

    def _stand_by(self) -> Solution | None:
        """What earlier answers chose, if these lines can have it as it is; else decide on what of it they can have."""
        kernel, wishes = self._kernel, self._prefer
        if not kernel.impossible.isdisjoint(self._lines):
            return None
        needs = collect_needs(kernel, self._lines, wishes)
        self._decided = {
            name: wish
            for name in needs.domains
            if (wish := wishes.get(name)) in kernel.loaded[name] and offered(self._kernel, needs, name) >> wish & 1
        }
        return self._solution(needs) if len(self._decided) == len(needs.domains) else None

    # -- what is needed ----------------------------------------------------------------------------------------

    def _needs(self) -> Needs:
        """What is needed with what is decided: walked anew only where a decision was undone since the last time."""
        walked, decided = self._walked, self._decided
        if self._last_needs is None or any(decided.get(name) != i for name, i in walked.items()):
            self._last_needs = collect_needs(self._kernel, self._lines, decided)
        else:
            self._last_needs.choose(self._kernel, decided, [name for name in decided if name not in walked])
        self._walked = dict(decided)
        return self._last_needs

    def _is_asked_for(self, needs: Needs) -> bool:
        """Whether each locked release is asked for still, now that all is decided; otherwise one of them goes.

        Who asked for it may have been forgotten since, as nobody needs it any more.
        """
        for name, i in self._decided.items():
            if not offered(self._kernel, needs, name) >> i & 1:
                self._give_up(name)
                return False
        return True

    def _give_up(self, name: NormalizedName) -> None:
        """Undo a decision, and keep that it does not go with the others."""
        i = self._decided.pop(name)
        self._nogoods.rule_out(name, i, self._decision_literals())

    def _notice_openings(self) -> None:
        """What was learned while a lock was closed need not hold once something asks for what it locks."""
        if self._kernel.openings != self._openings:
            self._openings = self._kernel.openings
            self._nogoods.clear()

    # -- proposing ---------------------------------------------------------------------------------------------

    def _propose(self, needs: Needs, names: Sequence[NormalizedName]) -> dict[NormalizedName, int] | None:
        """The newest release of each package that is left; None if some package has none left."""
        batch: dict[NormalizedName, int] = {}
        for name in names:
            if not self._nogoods.left(name, needs.domains[name], self._decided):
                return None
            admitted = offered(self._kernel, needs, name)
            domain = self._nogoods.left(name, admitted, self._decided)
            if not domain:
                # Only locked releases are left; what is decided after this may ask for them.
                continue
            if self._put_off.get(name, 0) > _PATIENCE:
                if self._change_places(name, admitted.bit_length() - 1):
                    return {}
                chosen = self._newest_possible(name, domain)
                if chosen is None:
                    return None
            else:
                chosen = self._favourite(name, domain)
            batch[name] = chosen
        return batch or None

    def _change_places(self, name: NormalizedName, newest: int) -> bool:
        """Before a package falls far back because of others, let those go second if that costs them little.

        Otherwise the newest bokeh, decided first, means a panel of five years ago, where one bokeh back would do.

        Args:
            name: the package.
            newest: the release that it could have without them.

        Returns:
            Whether they changed places; at most once for each two packages.
        """
        kernel = self._kernel
        kernel.load([(name, newest)])
        bounds: dict[NormalizedName, int] = {}
        while True:
            kept = [
                literal
                for other, i in self._decided.items()
                if other not in bounds
                for literal in kernel.packages[other].is_release(i)
            ]
            asked = [*self._base, *kernel.packages[name].is_release(newest), *bounds.values(), *kept]
            if self._kernel.solve(asked):
                break
            core = frozenset(kernel.core())
            blamed = [other for other in reversed(self._decided) if other not in bounds and self._is_in(core, other)]
            if not blamed or len(bounds) == _MOST_PLACES or not self._may_change(name, blamed[0]):
                return False
            package = kernel.packages[blamed[0]]
            bounds[blamed[0]] = package.steps.at(max(0, self._decided[blamed[0]] - _LITTLE))
        for other in bounds:
            self._changed.add(frozenset((name, other)))
            self._late[other] = None
            del self._decided[other]
        self._late.pop(name, None)
        self._put_off[name] = 0
        return bool(bounds)

    def _is_in(self, core: frozenset[int], name: NormalizedName) -> bool:
        return not core.isdisjoint(self._kernel.packages[name].is_release(self._decided[name]))

    def _may_change(self, name: NormalizedName, other: NormalizedName) -> bool:
        return other not in self._fixed and frozenset((name, other)) not in self._changed

    def _favourite(self, name: NormalizedName, domain: int) -> int:
        wish = self._prefer.get(name)
        if wish is not None and domain >> wish & 1:
            return wish
        return domain.bit_length() - 1

    def _newest_possible(self, name: NormalizedName, domain: int) -> int | None:
        """Load older releases in growing chunks and let the solver bound the package, instead of one try each."""
        kernel = self._kernel
        package = kernel.packages[name]
        ordered = bits(domain)
        size = _CHUNK
        start = 0
        while start < len(ordered):
            chunk = ordered[start : start + size]
            kernel.load((name, i) for i in chunk)
            assumed = [*self._base, *self._decision_literals()]
            if not self._kernel.solve([*assumed, package.steps.at(chunk[-1])]):
                self._nogoods.learn(name, kernel.core())
                if not self._is_about(name):
                    return None
                start += len(chunk)
                size *= 2
                continue
            low = kernel.model_release(name)
            while True:
                above = [i for i in chunk if i > low]
                if not above:
                    break
                middle = above[len(above) // 2]
                if self._kernel.solve([*assumed, package.steps.at(middle)]):
                    low = kernel.model_release(name)
                else:
                    self._nogoods.learn(name, kernel.core())
                    chunk = [i for i in chunk if i < middle]
            return low if domain >> low & 1 else domain.bit_length() - 1
        return None

    def _is_about(self, name: NormalizedName) -> bool:
        """Whether the last core was about this package at all, and not about the decided ones alone."""
        return any(
            (found := self._kernel.release_of(literal)) is not None and found[0] == name
            for literal in self._kernel.core()
        )

    # -- deciding ----------------------------------------------------------------------------------------------

    def _decide(self, batch: dict[NormalizedName, int]) -> Answer | None:
        """Ask about the whole batch; put off the last package of each core until the rest holds."""
        kernel = self._kernel
        position = {name: i for i, name in enumerate(batch)}
        while True:
            literals = [literal for name, i in batch.items() for literal in kernel.packages[name].is_release(i)]
            if self._kernel.solve([*self._base, *self._decision_literals(), *literals]):
                self._decided.update(batch)
                return None
            core = kernel.core()
            blamed = [found[0] for literal in core if (found := kernel.release_of(literal)) is not None]
            proposed = [name for name in blamed if name in position and name not in self._decided]
            if not proposed:
                return self._undo(core)
            victim = max(proposed, key=position.__getitem__)
            self._nogoods.learn(victim, core)
            self._put_off[victim] = self._put_off.get(victim, 0) + 1
            del batch[victim]
            del position[victim]
            if not batch:
                return None

    def _backtrack(self) -> Answer | None:
        """Some package has no release left under the decisions: find out whose fault it is."""
        if not self._kernel.solve([*self._base, *self._decision_literals()]):
            return self._undo(self._kernel.core())
        # The solver justifies a locked release by one that is not founded. That is no solution; who is to blame takes
        # more than it knows. Where even that does not tell, all decisions are to blame alike: undo the last.
        core = Completion(self._kernel, self._lines, [*self._base, *self._decision_literals()], closed=True).core()
        if core is not None:
            return self._undo(core) if self._blamed(core) else self._conclude_exactly(core)
        if not self._decided:
            return self._conclude_exactly(None)
        self._give_up(next(reversed(self._decided)))
        return None

    def _undo(self, core: Sequence[int]) -> Answer | None:
        """Undo the last decision of a core; without one, the answer is *no*."""
        name = self._blamed(core)
        if name is None:
            return self._conclude(core)
        self._nogoods.learn(name, core)
        self._put_off[name] = self._put_off.get(name, 0) + 1
        del self._decided[name]
        return None

    def _blamed(self, core: Sequence[int]) -> NormalizedName | None:
        """The package of the last decision in a core."""
        blamed = {found[0] for literal in core if (found := self._kernel.release_of(literal)) is not None}
        return next((name for name in reversed(self._decided) if name in blamed), None)

    def _conclude(self, core: Sequence[int]) -> Answer:
        """The lines alone are impossible, unless that rests on what is not loaded or not known."""
        kernel = self._kernel
        if kernel.facts in core:
            if self._kernel.solve(self._without_facts()):
                return Undecided(self._missing_fact())
            core = kernel.core()
        return self._conclude_exactly(core) if kernel.rests_on_locks() else self._blame(core)

    def _conclude_exactly(self, closed: Sequence[int] | None) -> Answer:
        """Load whatever might ask for locked releases, and see whether the answer is still *no*.

        Args:
            closed: the core while these stay closed; None where it is not known.
        """
        completion = Completion(self._kernel, self._lines, self._base)
        try:
            core = completion.core()
            if core is not None and self._kernel.facts in core:
                completion = Completion(self._kernel, self._lines, self._without_facts())
                core = completion.core()
                if core is None:
                    return Undecided(self._missing_fact())
        except TooMany:
            return self._take_for_granted(closed)
        if core is not None:
            return replace(self._blame(core), leans=completion.leans, lifted_by=completion.lifted_by)
        if self._known is None:
            return Search(self._kernel, self._lines, self._prefer, limit=self._limit, known=completion.solution).run()
        return self._known

    def _take_for_granted(self, closed: Sequence[int] | None) -> Answer:
        """The answer where too much might ask for locked releases to look at it; see `_conclude_exactly`."""
        kernel = self._kernel
        if closed is None:
            return Conflict(self._asked, leans=True, assumed=frozenset(self._needs().domains))
        if kernel.facts in closed and kernel.solve(self._without_facts()):
            return Undecided(self._missing_fact())
        return replace(self._blame(closed), leans=True, assumed=kernel.locks_behind(closed))

    def _without_facts(self) -> list[int]:
        return [-self._kernel.facts, *self._base[1:]]

    def _blame(self, core: Sequence[int]) -> Conflict:
        line_of = self._kernel.line_of
        lines = {line for literal in core if literal > 0 and (line := line_of(literal)) is not None}
        absent = {line for literal in core if literal < 0 and (line := line_of(literal)) is not None}
        return Conflict(frozenset(lines), frozenset(absent))

    def _missing_fact(self) -> str:
        """Which fact the solution just found rests on, that is not known."""
        kernel = self._kernel
        chosen, _ = kernel.model()
        for name in collect_needs(kernel, self._lines, chosen).domains:
            package = kernel.packages[name]
            if package.unknown is not None:
                return f"the releases of {name} are not known: {package.unknown}"
            metadata = kernel.loaded[name][chosen[name]].metadata if chosen[name] in kernel.loaded[name] else None
            if isinstance(metadata, Unknown):
                release = package.releases[chosen[name]]
                what = str(release.version) if release.url is None else self._reference(release.url)
                return f"what {name} {what} needs is not known: {metadata.reason}"
        return "a fact is missing"

    def _reference(self, url: str) -> str:
        """A direct reference, with the line that asks for it."""
        asked = [line for i in self._lines if (line := self._kernel.lines[i]).url == url]
        where = next((f", {line.file}:{line.line}" for line in asked if line.file and line.line), "")
        return f"({url}{where})"

    def _decision_literals(self) -> list[int]:
        packages = self._kernel.packages
        return [literal for name, i in self._decided.items() for literal in packages[name].is_release(i)]

    def _solution(self, needs: Needs) -> Solution | None:
        """What is decided, now that all is; None, and one decision less, if locked releases only ask for each other."""
        asked = asked_in(self._kernel, self._lines, self._decided, needs)
        if not asked.unfounded:
            return solution_of(self._decided, needs, asked.opened)
        self._give_up(next(name for name in reversed(self._decided) if name in asked.unfounded))
        return None
