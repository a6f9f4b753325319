"""Why two resolvers answer one question differently, by the rules of resolver_rules.py.

Every answer, the same or not, has to follow from the rules of the resolver that gave it: an environment that meets
them, or none where the search finds none. Two answers that differ are explained by the fewest rules that turn one into
the other, or by what each prefers where both would do for both. Anything else is unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from typing import TYPE_CHECKING

from packaging.version import Version
from resolver_rules import OURS, THEIRS, Place, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from made_up_indexes import Universe
    from resolver_rules import Pins

SAME = "the same"
UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Reply:
    """What a resolver says to one question.

    Attributes:
        pins: what it chose on each target, by Python and platform with a space between; empty if it found none.
        trouble: what it said where that is neither an environment nor "there is none".
        accepts: whether it found none, and takes conflictcheck's when it is given that as constraints.
    """

    pins: Mapping[str, Pins] = field(default_factory=dict)
    trouble: str = ""
    accepts: bool = False

    @property
    def python(self) -> str:
        """The Python that was chosen, empty for none."""
        return min(self.pins, default="").partition(" ")[0]


class Question:
    """Some specs of a universe, to be installed together.

    Args:
        universe: what there is.
        files: the specs.
    """

    def __init__(self, universe: Universe, files: Sequence[str]) -> None:
        self.universe = universe
        self.files = files
        self.places = {
            (python, platform): Place(universe, files, python, platform)
            for python in universe.pythons
            for platform in universe.platforms
        }

    def works_on(self, python: str, rules: Rules) -> bool:
        """Whether there is an environment on every platform."""
        return all(self.places[python, platform].possible(rules) is not None for platform in self.universe.platforms)

    def works(self, rules: Rules) -> bool:
        """Whether there is one for any Python."""
        return any(self.works_on(python, rules) for python in self.universe.pythons)

    def follows(self, reply: Reply, rules: Rules) -> bool:
        """Whether a reply follows from rules: right pins on the newest Python that works, or none that works."""
        for python in self.universe.pythons:
            if python == reply.python:
                return all(
                    self.places[python, platform].is_environment(reply.pins[f"{python} {platform}"], rules)
                    for platform in self.universe.platforms
                )
            if self.works_on(python, rules):
                return False
        return True

    def needs_company(self) -> bool:
        """Whether one of the specs works with the others and not alone, for conflictcheck.

        The others' lines may ask for a pre-release or a yanked release that it needs. The report calls it impossible.
        """
        return self.works(OURS) and not all(Question(self.universe, [file]).works(OURS) for file in self.files)


def judge(question: Question, peer: str, ours: Reply, theirs: Reply) -> str:
    """`SAME`, what differs and the rules that explain it, or `UNEXPLAINED` and what is wrong.

    Args:
        question: what was asked.
        peer: ``uv`` or ``pip``.
        ours: what conflictcheck said.
        theirs: what the peer said.
    """
    if ours.trouble or (theirs.trouble and not _is_known_crash(theirs)):
        return f"{UNEXPLAINED}: {ours.trouble[:300] or theirs.trouble[:300]}"
    alone = not ours.pins and question.needs_company()
    if not alone and not question.follows(ours, OURS):
        return f"{UNEXPLAINED}: {dict(ours.pins)} does not follow from conflictcheck's rules"
    if theirs.trouble:
        return f"no answer: {peer} crashes"
    rules = next((rules for rules in THEIRS[peer] if question.follows(theirs, rules)), None)
    if rules is None:
        gives_up = theirs.accepts and all(question.follows(ours, rules) for rules in THEIRS[peer])
        found = f"{dict(theirs.pins)} does not follow from {peer}'s rules"
        return f"works, only conflictcheck: {peer} gives up" if gives_up else f"{UNEXPLAINED}: {found}"
    if alone and theirs.pins:
        return f"works, only {peer}: each spec alone"
    same_python = ours.python == theirs.python
    return (_explain_choices if same_python else _explain_verdict)(question, peer, rules, ours, theirs)


def _is_known_crash(reply: Reply) -> bool:
    """Whether pip ran in circles at its end, among packages that it had given up and that need each other."""
    return "_has_route_to_root" in reply.trouble and "RecursionError" in reply.trouble


def _explain_verdict(question: Question, peer: str, rules: Rules, ours: Reply, theirs: Reply) -> str:
    found = changing(rules, question.works)
    if ours.pins and theirs.pins:
        newest = max(ours.python, theirs.python, key=Version)
        found = changing(rules, lambda some: question.works_on(newest, some))
        return f"Python: {_and(found)}" if found else UNEXPLAINED
    side = "conflictcheck" if ours.pins else peer
    return f"works, only {side}: {_and(found)}" if found else f"{UNEXPLAINED}: only {side}"


def _explain_choices(question: Question, peer: str, rules: Rules, ours: Reply, theirs: Reply) -> str:
    found: set[str] = set()
    for (python, platform), place in question.places.items():
        if python == ours.python:
            target = f"{python} {platform}"
            found.update(explain_choice(place, peer, rules, ours=ours.pins[target], theirs=theirs.pins[target]))
    return f"versions: {_and(sorted(found))}" if found else SAME


def explain_choice(place: Place, peer: str, rules: Rules, *, ours: Pins, theirs: Pins) -> tuple[str, ...]:
    """Why a peer chose other releases; empty if it did not.

    A rule explains it if one of the two environments is none under the rules of the other resolver. Else both are for
    both: each is newer somewhere, or one is older somewhere and newer nowhere, and its resolver could have done better.
    """
    if ours == theirs:
        return ()
    for pins in (theirs, ours):
        if found := changing(rules, lambda some, pins=pins: place.is_environment(pins, some)):
            return found
    newer, older = _compare(ours, theirs, Version)
    if newer and older:
        return ("which gives way",)
    if rules.prereleases == "fallback" and _compare(ours, theirs, _final_and_version)[1]:
        return ("final releases first",)
    return (f"{peer if newer else 'conflictcheck'} is older than need be",)


def changing(theirs: Rules, decide: Callable[[Rules], bool]) -> tuple[str, ...] | None:
    """The fewest rules of theirs that give the opposite of what ours give; None if none do."""
    names = [each.name for each in fields(Rules) if getattr(OURS, each.name) != getattr(theirs, each.name)]
    ours = decide(OURS)
    for size in range(1, len(names) + 1):
        for group in combinations(names, size):
            if decide(replace(OURS, **{name: getattr(theirs, name) for name in group})) != ours:
                return group
    return None


def _compare(ours: Pins, theirs: Pins, order: Callable[[str], object]) -> tuple[bool, bool]:
    """Whether some package is newer in ours, and whether some is older."""
    pairs = [(order(ours[name]), order(theirs[name])) for name in ours.keys() & theirs.keys()]
    return any(one > other for one, other in pairs), any(one < other for one, other in pairs)


def _final_and_version(text: str) -> tuple[bool, Version]:
    version = Version(text)
    return not version.is_prerelease, version


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)
