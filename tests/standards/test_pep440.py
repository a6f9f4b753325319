"""Versions and specifiers: PEP 440, today the specification "Version specifiers"."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from artifacts import sdist
from index_server import IndexServer

from conflictcheck.errors import InputErrors

if TYPE_CHECKING:
    from asking import Asker

ORDERED = [
    ("final releases", "0.9 0.9.1 0.9.2 0.9.10 0.9.11 1.0 1.0.1 1.1 2.0 2.0.1"),
    ("final releases, by date", "2012.4 2012.7 2012.10 2013.1 2013.6"),
    ("version epochs", "1.0 1.1 2.0 2013.10 2014.04"),
    ("version epochs", "2013.10 2014.04 1!1.0 1!1.1 1!2.0"),
    ("compliant schemes, pre-releases", "0.9 1.0a1 1.0a2 1.0b1 1.0rc1 1.0 1.1a1"),
    (
        "compliant schemes, developmental releases",
        "0.9 1.0.dev1 1.0.dev2 1.0.dev3 1.0.dev4 1.0rc1 1.0rc2 1.0 1.0.post1 1.1.dev1",
    ),
    ("compliant schemes, dates", "2012.1 2012.2 2012.3 2012.15 2013.1 2013.2"),
    (
        "permitted suffixes and relative ordering",
        (
            "1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 "
            "1.0b2.post345 1.0rc1.dev456 1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0.post456.dev34 1.0.post456 1.0.15 "
            "1.1.dev1"
        ),
    ),
    ("local version identifiers", "1.0 1.0+a 1.0+a.b 1.0+b 1.0+1 1.0+1.a 1.0+1.0 1.0+10"),
]


@pytest.mark.parametrize(("section", "chain"), ORDERED)
def test_of_two_releases_the_one_that_is_later_in_the_order_is_preferred(section: str, chain: str, ask: Asker) -> None:
    pairs = list(pairwise(chain.split()))
    packages = {f"p{number}": {version: [] for version in pair} for number, pair in enumerate(pairs)}

    pins = ask.pins(packages, *packages, prerelease="allow")

    assert pins == {f"p{number}": newer.replace("2014.04", "2014.4") for number, (_, newer) in enumerate(pairs)}, (
        section
    )


NORMALIZED = [
    ("case sensitivity", "1.1RC1", "1.1rc1"),
    ("integer normalization", "00", "0"),
    ("integer normalization", "09000", "9000"),
    ("integer normalization", "1.0+foo0100", "1.0+foo0100"),
    ("pre-release separators", "1.1.a1", "1.1a1"),
    ("pre-release separators", "1.1-a1", "1.1a1"),
    ("pre-release separators", "1.0a.1", "1.0a1"),
    ("pre-release spelling", "1.1alpha1", "1.1a1"),
    ("pre-release spelling", "1.1beta2", "1.1b2"),
    ("pre-release spelling", "1.1c3", "1.1rc3"),
    ("pre-release spelling", "1.1pre3", "1.1rc3"),
    ("pre-release spelling", "1.1preview3", "1.1rc3"),
    ("implicit pre-release number", "1.2a", "1.2a0"),
    ("post release separators", "1.2-post2", "1.2.post2"),
    ("post release separators", "1.2post2", "1.2.post2"),
    ("post release separators", "1.2.post-2", "1.2.post2"),
    ("post release spelling", "1.0-r4", "1.0.post4"),
    ("post release spelling", "1.0rev4", "1.0.post4"),
    ("implicit post release number", "1.2.post", "1.2.post0"),
    ("implicit post releases", "1.0-1", "1.0.post1"),
    ("development release separators", "1.2-dev2", "1.2.dev2"),
    ("development release separators", "1.2dev2", "1.2.dev2"),
    ("implicit development release number", "1.2.dev", "1.2.dev0"),
    ("local version segments", "1.0+ubuntu-1", "1.0+ubuntu.1"),
    ("preceding v character", "v1.0", "1.0"),
    ("leading and trailing whitespace", " 1.0\t", "1.0"),
]


@pytest.fixture(scope="module")
def spelled(ask_at_once: Asker) -> dict[str, str]:
    """What is installed for each spelling, asked for as one requirement; the index spells it in the normal form."""
    packages = {f"p{number}": {normal: []} for number, (_, _, normal) in enumerate(NORMALIZED)}
    lines = [f"p{number}=={spelling}" for number, (_, spelling, _) in enumerate(NORMALIZED)]
    return ask_at_once.pins(packages, *lines)


@pytest.mark.parametrize(("section", "spelling", "normal"), NORMALIZED)
def test_a_version_in_a_requirement_may_be_spelled_in_any_way_that_is_allowed(
    section: str, spelling: str, normal: str, spelled: dict[str, str]
) -> None:
    assert spelled[f"p{NORMALIZED.index((section, spelling, normal))}"] == normal


@pytest.fixture(scope="module")
def listed(ask_at_once: Asker) -> dict[str, str]:
    """What is installed where an index lists a source distribution under each spelling."""
    with IndexServer({}) as index:
        for number, (_, spelling, normal) in enumerate(NORMALIZED):
            index.store(f"p{number}-{spelling.strip()}.tar.gz", sdist(f"p{number}", normal), name=f"p{number}")
        return ask_at_once.pins(index, *(f"p{number}" for number in range(len(NORMALIZED))))


@pytest.mark.parametrize(("section", "spelling", "normal"), NORMALIZED)
def test_a_version_in_a_filename_may_be_spelled_in_any_way_that_is_allowed(
    section: str, spelling: str, normal: str, listed: dict[str, str]
) -> None:
    assert listed[f"p{NORMALIZED.index((section, spelling, normal))}"] == normal


MATCHES = [
    ("compatible release", "~=2.2", "2.2 2.9 2.2.post3", "2.1 3.0 3.0.dev1"),
    ("compatible release", "~=1.4.5", "1.4.5 1.4.99", "1.4.4 1.5 1.5.dev1"),
    ("compatible release", "~=2.2.post3", "2.2.post3 2.3", "2.2 2.2.post2 3.0"),
    ("compatible release", "~=1.4.5a4", "1.4.5a4 1.4.5 1.4.6", "1.4.5a3 1.5"),
    ("compatible release", "~=2.2.0", "2.2 2.2.1", "2.3 2.1.9"),
    ("compatible release", "~=1.4.5.0", "1.4.5 1.4.5.9", "1.4.6 1.4.4"),
    ("version matching", "==1.1", "1.1 1.1.0 1.1+local", "1.1.post1 1.1a1 1.1.dev1 1.1.1"),
    ("version matching", "==1.1.0", "1.1", "1.1.0.1"),
    ("version matching", "==1.1.post1", "1.1.post1", "1.1"),
    ("version matching", "==1.1.dev1", "1.1.dev1", "1.1"),
    ("version matching", "==1.1a1", "1.1a1", "1.1"),
    ("version matching", "==1.1.*", "1.1 1.1.post1 1.1a1 1.1.9", "1.11 1.10 1.2"),
    ("version matching", "==1.1+abc.1", "1.1+abc.1 1.1.0+abc.1", "1.1 1.1+abc.2 1.1+abc"),
    ("version exclusion", "!=1.1", "1.1.post1 1.1a1", "1.1 1.1.0 1.1+local"),
    ("version exclusion", "!=1.1.post1", "1.1", "1.1.post1"),
    ("version exclusion", "!=1.1.*", "1.2 1.0", "1.1.post1 1.1 1.1.9 1.1a1"),
    ("inclusive ordered comparison", "<=1.7", "1.7 1.7.0 1.7+local 1.7rc1 1.6.post9", "1.7.post1 1.7.1"),
    ("inclusive ordered comparison", ">=1.7", "1.7 1.7.0 1.7+local 1.7.post1", "1.7rc1 1.7.dev1 1.6"),
    ("exclusive ordered comparison", ">1.7", "1.7.1", "1.7.0.post1 1.7 1.7+local 1.7.0+local"),
    ("exclusive ordered comparison", ">1.7.post2", "1.7.1 1.7.0.post3", "1.7.0 1.7.post2"),
    ("exclusive ordered comparison", "<1.7", "1.6 1.6.post1", "1.7 1.7rc1 1.7.dev1 1.7.0a1"),
    ("exclusive ordered comparison", "<1.7rc1", "1.7b1 1.7.dev1 1.6", "1.7rc1 1.7rc2 1.7"),
    ("arbitrary equality", "===1.0", "1.0", "1.0+downstream1 1.0.0"),
    ("arbitrary equality", "===1.0+DownStream1", "1.0+downstream1", "1.0"),
    # The document's own example admits nothing: ~=0.9 ends before 1.0.
    ("version specifiers", "~= 0.9, >= 1.0, != 1.3.4.*, < 2.0", "", "0.9 1.0 1.3.3 1.3.4 2.0"),
    ("version specifiers", "~= 1.0, >= 1.0, != 1.3.4.*, < 2.0", "1.0 1.3.3 1.3.5 1.99", "0.9 1.3.4 1.3.4.1 2.0"),
    ("examples", "~=3.1", "3.1 3.99", "3.0 4.0"),
    ("examples", "~=3.1.2", "3.1.2 3.1.3", "3.1.1 3.2.0"),
    ("examples", "~=3.1a1", "3.1a1 3.1 3.9", "3.0 4.0"),
    ("examples", "== 3.1", "3.1 3.1.0", "3.1rc1 3.1.post1 3.1.dev1 3.1.1"),
    ("examples", "== 3.1.*", "3.1 3.1.0 3.1.9", "3.10 3.2"),
    ("examples", "~=3.1.0, != 3.1.3", "3.1.0 3.1.2 3.1.4", "3.1.3 3.2.0"),
]
CASES = [
    (section, specifier, version, matches)
    for section, specifier, matching, others in MATCHES
    for matches, versions in ((True, matching), (False, others))
    for version in versions.split()
]


@pytest.fixture(scope="module")
def matching(ask_at_once: Asker) -> list[bool]:
    """Whether a package of that one version can be installed for the specifier."""
    packages = {f"m{number}": {version: []} for number, (_, _, version, _) in enumerate(CASES)}
    return ask_at_once.placed(packages, [f"m{number}{case[1]}" for number, case in enumerate(CASES)])


@pytest.mark.parametrize(("section", "specifier", "version", "matches"), CASES)
def test_a_specifier_admits_the_versions_that_it_should(
    section: str, specifier: str, version: str, *, matches: bool, matching: list[bool]
) -> None:
    assert matching[CASES.index((section, specifier, version, matches))] is matches


PRERELEASES = [
    ("no final release satisfies", "x", "2.0rc1", "2.0rc1"),
    ("no final release satisfies", "x>1.0", "1.0 2.0b1", "2.0b1"),
    ("excluded otherwise", "x", "1.0 2.0rc1", "1.0"),
    ("excluded otherwise", "x>=1.0", "1.0 2.0rc1", "1.0"),
    ("developmental releases are pre-releases", "x", "1.0 1.1.dev1", "1.0"),
    ("developmental releases are pre-releases", "x", "1.0 1.0.post1.dev2", "1.0"),
    ("explicitly requested", "x>=2.0rc1", "1.0 2.0rc1", "2.0rc1"),
    ("explicitly requested", "x==2.0rc1", "1.0 2.0rc1 2.0", "2.0rc1"),
    ("excluded otherwise", "x==1.1.*", "1.1 1.1.1a1", "1.1"),
    ("no final release satisfies", "x==1.1.*", "1.0 1.1a1", "1.1a1"),
    ("post-releases are not special", "x", "1.0 1.0.post1", "1.0.post1"),
    ("post-releases are not special", "x>=1.0", "1.0 1.0.post1", "1.0.post1"),
    ("local versions", "x==1.0", "1.0 1.0+downstream1", "1.0+downstream1"),
    ("local versions", "x===1.0", "1.0 1.0+downstream1", "1.0"),
]


@pytest.mark.parametrize(("rule", "requirement", "releases", "chosen"), PRERELEASES)
def test_handling_of_prereleases(rule: str, requirement: str, releases: str, chosen: str, ask: Asker) -> None:
    assert ask.pins({"x": {version: [] for version in releases.split()}}, requirement) == {"x": chosen}, rule


@pytest.mark.parametrize(("policy", "chosen"), [("allow", {"x": "2.0rc1"}), ("disallow", {"x": "1.0"})])
def test_prereleases_may_be_asked_for_or_excluded_everywhere(policy: str, chosen: dict[str, str], ask: Asker) -> None:
    assert ask.pins({"x": {"1.0": [], "2.0rc1": []}}, "x", prerelease=policy) == chosen


def test_where_prereleases_are_excluded_a_requirement_that_only_they_satisfy_cannot_be_met(ask: Asker) -> None:
    assert ask.pins({"x": {"1.0": [], "2.0rc1": []}}, "x>1.0", prerelease="disallow") == {}


def test_what_is_no_version_is_ignored(ask: Asker) -> None:
    with IndexServer({"x": {"1.0": []}}) as index:
        index.store("x-2013b.0.tar.gz", b"", name="x")
        index.store("x-foobar.tar.gz", b"", name="x")

        assert ask.pins(index, "x") == {"x": "1.0"}
        # The document calls === an escape hatch to what is no version; such files are ignored here all the same.
        assert ask.pins(index, "x===foobar") == {}


@pytest.mark.parametrize(
    ("section", "requirement"),
    [
        ("compatible release", "x~=1"),
        ("compatible release", "x~=1.0+local"),
        ("compatible release", "x~=1.0.*"),
        ("version matching", "x==1.0.dev1.*"),
        ("version matching", "x==1.0+foo1.*"),
        ("inclusive ordered comparison", "x>=1.0+local"),
        ("inclusive ordered comparison", "x<=1.0.*"),
        ("exclusive ordered comparison", "x>1.0+local"),
        ("exclusive ordered comparison", "x<1.0+local"),
        ("implicit post releases", "x==1.0-"),
    ],
)
def test_what_the_document_forbids_is_no_requirement(section: str, requirement: str, ask: Asker) -> None:
    with pytest.raises(InputErrors, match=r"requirements\.txt:1: .* is not a requirement") as caught:
        ask.check({}, requirement)
    assert len(caught.value.errors) == 1, section
