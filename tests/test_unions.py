"""Unions of version ranges, held against each of the ranges."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from packaging.specifiers import SpecifierSet

from conflictcheck.unions import united


@pytest.mark.parametrize(
    ("ranges", "specifier"),
    [
        ([">=1.26,<2", ">=2.0,<3"], ">=1.26,<3"),
        ([">=3,<4", ">=1,<2"], ">=1,<4,!=2.*"),
        (["<2", ">=3"], "!=2.*"),
        (["<2", ">2"], "!=2"),
        ([">=1,<2", ">=5"], ">=1,!=2.*,!=3.*,!=4.*"),
        ([">=1.2,<2", ">=2.1,<3"], ">=1.2,<3,!=2.0.*"),
        (["==1.2.*", "~=1.3.0"], ">=1.2,<1.4"),
        (["==2", ">2"], ">=2"),
        ([">1,<=3", "<2"], "<=3"),
        ([">=1!1,<1!2", ">=1!3"], ">=1!1,!=1!2.*"),
        ([">=1", ""], ""),
        (["<2", ">=2"], ""),
    ],
)
def test_ranges_that_one_specifier_says(ranges: list[str], specifier: str) -> None:
    assert united(ranges) == specifier
    assert united(ranges[::-1]) == specifier


@pytest.mark.parametrize(
    ("ranges", "specifier"),
    [
        ([">=2.7,<2.8", ">=3.4,<4"], ">=2.7,<4,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*"),
        (["==2.7.*", ">=3"], ">=2.7"),
        ([">=2.6,<2.7", ">=3"], None),
    ],
)
def test_ranges_of_python_have_no_version_between_two_and_three(ranges: list[str], specifier: str | None) -> None:
    assert united(ranges, of_python=True) == specifier
    assert united(ranges) is None


@pytest.mark.parametrize(
    "ranges",
    [
        ["<1.3", ">=2"],
        ["==1.2.3", "==1.2.4"],
        [">1,<=2", ">=2.5"],
        [">=1,!=1.5", ">=3"],
        [">=1,<1", ">=2"],
        [">=1,<1!2", ">=2!1"],
        ["<1", ">=99"],
        ["==1+a", ">=1"],
        ["<2rc1", ">=3"],
        ["===1", ">=1"],
        [">=1.*", ">=2"],
    ],
)
def test_ranges_that_no_specifier_says(ranges: list[str]) -> None:
    assert united(ranges) is None


def test_what_is_said_of_two_ranges_holds_for_just_what_one_of_them_admits() -> None:
    bounds = ["1", "1.2", "2", "2.1", "3"]
    ranges = [f"{a}{low},{b}{high}" for low, high in product(bounds, bounds) for a in (">", ">=") for b in ("<", "<=")]
    ranges += ["<2", "<=2.1", ">1.2", ">=2", "==2.1", "==2.*", "~=1.2"]
    versions = ["0.9", "1", "1.1", "1.2", "1.2.1", "1.9", "2", "2.0.1", "2.1", "2.1.1", "2.2", "3", "3.0.1", "4"]
    admitted = {one: set(SpecifierSet(one).filter(versions)) for one in ranges}
    said = 0
    for one, other in combinations(ranges, 2):
        found = united([one, other])
        if found is not None:
            said += 1
            assert set(SpecifierSet(found).filter(versions)) == admitted[one] | admitted[other], (one, other, found)
    assert said > 1000
