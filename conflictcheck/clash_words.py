"""From a clash to its words: those whose lines say the same have one argument, which is looked for once.

Where dozens of specs state the same lines, there are thousands of clashes of a dozen kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.explanation import explain_lines
from conflictcheck.sameness import meaning
from conflictcheck.solver.oracle import No
from conflictcheck.wording import join_words, word_clash

if TYPE_CHECKING:
    from conflictcheck.argument import Argument
    from conflictcheck.clashes import Core
    from conflictcheck.solver.kernel import Kernel
    from conflictcheck.solver.oracle import Oracle
    from conflictcheck.wording import Words


class _Explained(Struct, frozen=True):
    """Why a clash is one.

    Attributes:
        core: the first clash of its kind.
        arguments: for each Python version, newest first, the kernel where it fails and the argument about that.
    """

    core: Core
    arguments: dict[str, tuple[Kernel, Argument | None]]


class ClashWriter:
    """Puts clashes into words.

    Args:
        oracle: has answered *no* about each.
    """

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._explained: dict[tuple[object, ...], _Explained] = {}

    def write(self, core: Core) -> Words:
        """A minimal set of lines in words: on each Python, for the platform where it fails."""
        kind = tuple(meaning(self._oracle.lines[i]) for i in core.lines)
        known = self._explained.get(kind)
        if known is None or not self._is_about_these_numbers(known):
            known = self._explained[kind] = self._explain(core)
        lines = dict(zip(known.core.lines, core.lines, strict=True))
        by_python = {
            version: word_clash(kernel, core.lines, argument and argument.about(lines))
            for version, (kernel, argument) in known.arguments.items()
        }
        return join_words(by_python, core.specs)

    def _explain(self, core: Core) -> _Explained:
        reply = self._oracle.ask(frozenset(core.lines))
        failing = {version: place for version, (place, _) in reply.failures.items()} if isinstance(reply, No) else {}
        arguments = {}
        for version, targets in self._oracle.targets.items():
            target = next((target for target in targets if target.platform == failing.get(version)), targets[0])
            kernel = self._oracle.kernel(target)
            arguments[version] = kernel, explain_lines(kernel, core.lines)
        return _Explained(core, arguments)

    def _is_about_these_numbers(self, known: _Explained) -> bool:
        """Whether releases are still numbered as they were."""
        return all(self._oracle.kernel(kernel.target) is kernel for kernel, _ in known.arguments.values())
