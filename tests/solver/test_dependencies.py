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


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("pytz (>dev)", "pytz>0.dev0"),
        ("h5py>=1.0.*", "h5py>=1.0"),
        ("b3>=1.0<2.0", "b3<2.0,>=1.0"),
        ('parfive[ftp] (>=1.0.2<1.1.0) ; python_version <= "3.6"', "parfive[ftp]<1.1.0,>=1.0.2"),
        ("core (!=~5.0,>=4.12)", "core!=5.0.*,>=4.12"),
        ("pyzmq (>=2.7,!=3.0*,!=3.1*)", "pyzmq!=3.0.*,!=3.1.*,>=2.7"),
        ("kubernetes (>=9.0.0a1.0) ; extra == 'k'", "kubernetes>=9.0.0a1"),
        ("botocore>=1.3.0,<1.4.0',", "botocore<1.4.0,>=1.3.0"),
    ],
)
def test_a_known_slip_in_what_a_release_says_is_read_as_it_was_meant(text: str, meant: str) -> None:
    dependency = parse_dependency(text)
    assert dependency is not None
    assert dependency.text == meant
    assert dependency.marker_text.replace('"', "'") == text.partition(";")[2].strip().replace('"', "'")


@pytest.mark.parametrize(
    "text", ["grpcio (>=1.34.0Jinja2>=2.0.0)", "future (>+0.16.0)", "pyarrow (<2.0de,>=1.0.0)", "pytz (>=2011k)"]
)
def test_what_nobody_can_know_the_meaning_of_is_no_requirement(text: str) -> None:
    assert parse_dependency(text) is None


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
