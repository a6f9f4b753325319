"""How fixes read in the text report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from report_builders import clash, environment, line, report, spec

from conflictcheck.model import Edit, Fix, SpecId
from conflictcheck.reports.text import TextReport, describe_outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflictcheck.model import Report


def edit(place: str, old: str, new: str, *also: str) -> Edit:
    file, _, number = place.rpartition(":")
    return Edit(SpecId(file or place), file or None, int(number) if file else None, old, new, tuple(map(SpecId, also)))


UP = Fix((edit("a.txt:3", "numpy <1.24", "numpy <2"),), 1)
DOWN = Fix((edit("base.txt:1", "numpy>=2", "numpy>=1.26", "c.txt"),), 1)


def text(given: Report) -> str:
    return TextReport().render(given, color=False, width=80, verbose=0)


def two_clashes() -> Report:
    specs = (spec("a.txt", "x", "y", "numpy <1.24"), spec("base.txt", "numpy>=2"), spec("c.txt", "doctran"))
    first = clash("1", "a.txt and base.txt clash over numpy.", line("a.txt:3", "numpy <1.24"), steps=("They do.",))
    second = clash("2", "c.txt and --with clash.", line("c.txt:1", "doctran"), line("--with", "pydantic>=2"))
    given_there = edit("--with", "pydantic>=2", "pydantic>=1.10")
    return report(
        "split",
        specs=specs,
        environments=(environment("a", "a.txt"), environment("b", "base.txt", "c.txt")),
        clashes=(
            replace(first, fixes=(replace(UP, environments_after=2), replace(DOWN, environments_after=2))),
            replace(
                second,
                fixes=(Fix((given_there,), 2),),
                remarks=("No edit of c.txt alone resolves it: every release of doctran needs pydantic<2.",),
            ),
        ),
        fixes=(Fix((*UP.edits, given_there), 1),),
    )


def test_each_clash_has_its_menu_and_the_run_one_fix_for_all(golden: Callable[[str, str], None]) -> None:
    golden("text-fixes.txt", text(two_clashes()))


def test_a_clash_that_no_edit_resolves_says_why(golden: Callable[[str, str], None]) -> None:
    given = two_clashes()
    hopeless = replace(
        given.clashes[0],
        fixes=(),
        no_fix="every release of old needs numpy<2",
        remarks=("lib 2.0 is the oldest release that would not need numpy<2.",),
    )
    golden("text-no-fix.txt", text(replace(given, clashes=(hopeless,), fixes=())))


def test_what_the_menu_of_the_only_clash_says_is_not_repeated() -> None:
    given = two_clashes()
    only = replace(given, clashes=(replace(given.clashes[0], fixes=(UP, DOWN)),), fixes=(UP, DOWN))
    assert text(only).count("numpy <2") == 1


@pytest.mark.parametrize(("number", "who"), [(0, ""), (1, "s0"), (3, "s0, s1 and s2"), (4, "4 specs")])
def test_of_many_specs_that_an_edit_does_not_help_the_number_is_told(number: int, who: str) -> None:
    fix = Fix((), 2, left_out=tuple(SpecId(f"s{i}") for i in range(number)))
    said = f", and {who} still cannot be installed" if who else ""
    assert describe_outcome(fix) == f"2 environments then{said}"
