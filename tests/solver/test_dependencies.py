"""Which requirements of a release hold for itself and for its extras."""

from __future__ import annotations

import pytest

from conflictcheck.facts import Metadata
from conflictcheck.solver.dependencies import MarkerEvaluator, parse_dependency
from conflictcheck.solver.effective import EffectiveRequirements
from conflictcheck.targets import make_target


@pytest.mark.parametrize(
    ("marker", "extra"),
    [
        ("", ""),
        ("; python_version < '3'", ""),
        ("; extra == 'fast'", "fast"),
        ("; python_version > '3' and extra == 'A_b'", "a-b"),
        ("; (python_version > '3' or sys_platform == 'linux') and extra == 'fast'", "fast"),
        ("; extra == 'fast' or extra == 'slow'", None),
        ("; extra != 'fast'", None),
        ("; 'fast' == extra", None),
    ],
)
def test_the_extra_that_a_requirement_is_for_is_told_where_it_is_one(marker: str, extra: str | None) -> None:
    dependency = parse_dependency(f"lib>=1{marker}")
    assert dependency is not None
    assert dependency.extra == extra


def test_markers_of_extras_that_nobody_asked_for_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"lib{n} ; extra == 'e{n}'" for n in range(100)]
    asked: list[str] = []
    holds = MarkerEvaluator.holds
    monkeypatch.setattr(
        MarkerEvaluator, "holds", lambda self, marker, text, *x: asked.append(text) or holds(self, marker, text, *x)
    )
    metadata = Metadata("app", "1", requires_dist=(*texts, "base", "both; extra == 'e1' or extra == 'e2'"))

    found, unusable = EffectiveRequirements(make_target("3.11", "linux"), ()).dependencies(metadata, ["", "e1"])

    assert unusable is None
    assert {extra: [need.name for need in needs] for extra, needs in found.items()} == {
        "": ["base"],
        "e1": ["lib1", "both"],
    }
    assert len(asked) < 10
