"""A specifier's mask is what packaging says about each version, though few versions are put to it."""

from __future__ import annotations

import itertools
from itertools import count

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from conflictcheck.policy import Candidates, Release
from conflictcheck.solver.encoding import Package, Steps

VERSIONS = sorted(
    map(
        Version,
        [
            "0.9", "1.0.dev1", "1.0a1", "1.0a1.post1", "1.0b2.dev3", "1.0rc1", "1.0", "1.0+cpu", "1.0.post1.dev1",
            "1.0.post1", "1.0.post1+local", "1.0.1", "1.1.dev0", "1.1a0", "1.1", "1.4.5", "1.4.5.post2", "1.5rc1",
            "1.5", "1.10", "2.dev0", "2.0a1", "2.0", "2.0+abc", "2.0.1", "10.0", "1!0.5", "1!1.0a1", "1!1.0", "1!1.0+x",
        ],
    )
)  # fmt: skip
TEXTS = [str(version.public) for version in VERSIONS] + ["1", "1.0.0", "1.4", "2.0.0", "3", "0.1", "1!1"]


def package() -> Package:
    releases = tuple(Release(NormalizedName("a"), version, (), ()) for version in VERSIONS)
    fresh = count(1)
    return Package(Candidates(NormalizedName("a"), releases, ()), Steps(lambda _: next(fresh), list))


def is_specifier(text: str) -> bool:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def specifiers() -> list[str]:
    found: list[str] = []
    for operator, text in itertools.product((">=", ">", "<=", "<", "==", "!=", "~=", "==="), TEXTS):
        found.append(f"{operator}{text}")
        if operator in ("==", "!="):
            found.append(f"{operator}{text}.*")
    found = [text for text in found if is_specifier(text)]
    found += ["==1.0+cpu", "!=2.0+abc", ">=1.0,<2", ">1,!=1.4.*,<2.0", "~=1.0,!=1.1", ">=1!0", "<1!1,>=10"]
    return found


@pytest.mark.parametrize("text", specifiers())
def test_a_mask_is_what_packaging_says_of_each_version(text: str) -> None:
    specifier = SpecifierSet(text)
    found = package().mask(specifier, str(specifier))
    expected = sum(1 << i for i, version in enumerate(VERSIONS) if specifier.contains(version, prereleases=True))
    assert found == expected
