"""The rows of the tables: what is asked of whom, in which state of the caches and of the index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from questions import Question, family, sets, single
from synthetic import SIZES, company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ONE = ("conflictcheck", "uv", "pip", "resolvelib")
EXACT = ("conflictcheck", "uv, first fit", "can-they-merge")
SPLIT = ("conflictcheck", "uv, first fit")
OURS = ("conflictcheck",)
FAMILIES = (10, 20, 40)
LARGEST_FOR_UV = 100
"""Made-up specs up to which the loop over uv is asked: its calls grow with specs times environments."""


@dataclass(frozen=True)
class Plan:
    """A row to be measured.

    Attributes:
        name: of the row.
        title: of the table it stands in.
        question: gives what is asked; None asks for the version.
        tools: names of those who are asked, ours first.
        cold: whether each run begins with an empty cache.
        delay: milliseconds before each answer of the index.
        unchanged: whether each run asks just what was asked before.
        changed: whether each run asks for a line more than what was asked before.
    """

    name: str
    title: str
    question: Callable[[], Question] | None
    tools: tuple[str, ...]
    cold: bool = False
    delay: float = 0
    unchanged: bool = False
    changed: bool = False


def plans(cases: Path, state: Path) -> Iterator[Plan]:
    """All rows.

    Args:
        cases: the sets that people reported.
        state: where the indexes of made-up specs are, or will be.
    """
    for name in single():
        title, one = "One spec", partial(_single, name)
        yield Plan(f"one/{name}/warm", title, one, ONE)
        yield Plan(f"one/{name}/cold", title, one, ONE, cold=True)
        yield Plan(f"one/{name}/cold-20ms", title, one, ONE, cold=True, delay=20)
        yield Plan(f"one/{name}/unchanged", title, one, ONE[:2], unchanged=True)
    for count in FAMILIES:
        title, some = "Families of real specs", partial(_family, count)
        yield Plan(f"family/{count}/warm", title, some, EXACT if count == FAMILIES[0] else SPLIT)
        yield Plan(f"family/{count}/cold", title, some, SPLIT, cold=True)
        yield Plan(f"family/{count}/cold-20ms", title, some, SPLIT, cold=True, delay=20)
        yield Plan(f"family/{count}/unchanged", title, some, (*OURS, "conflictcheck explain"), unchanged=True)
        yield Plan(f"family/{count}/changed", title, some, OURS, changed=True)
    for name, reported in sets(cases).items():
        yield Plan(f"sets/{name}/warm", "Sets that people reported", partial(_same, reported), EXACT)
    for count in SIZES:
        tools = SPLIT if count <= LARGEST_FOR_UV else OURS
        yield Plan(f"synthetic/{count}/warm", "Made-up specs", partial(company, state, count), tools)
    yield Plan("version", "Start-up", None, ("conflictcheck", "uv", "pip"))


def _single(name: str) -> Question:
    return single()[name]


def _family(count: int) -> Question:
    return family().first(count)


def _same(question: Question) -> Question:
    return question
