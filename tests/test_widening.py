"""Specifiers, widened as little as is needed, in the style they were written in."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from conflictcheck.specifier_text import specifier_span
from conflictcheck.widening import Written, widen

VERSIONS = ["0.1", "0.2.0", "0.2.5", "0.3.0", "1.0", "1.2.2", "1.2.3", "1.2.4", "1.15.0", "1.15.4", "1.16.0", "1.26.4"]
VERSIONS += ["2.0.0", "2.1.3", "3.0"]


def widened(old: str, works: str, versions: list[str] | None = None, *, by_minor: bool = False) -> str | None:
    """The new specifier where exactly these versions would work."""
    known = versions or VERSIONS
    working = [Version(version) for version in works.split()]

    def admits(specifier: str) -> bool:
        return any(SpecifierSet(specifier).contains(version, prereleases=True) for version in working)

    assert not admits(old), "there would be nothing to widen"
    return widen(Written(old, by_minor=by_minor), [Version(version) for version in known], admits)


@pytest.mark.parametrize(
    ("old", "works", "new"),
    [
        ("<1.16", "1.26.4", "<2"),
        ("<1.16", "2.0.0 3.0", "<3"),
        ("<=1.15.0", "1.15.4", "<2"),
        (">=1.0,<1.16", "2.1.3", ">=1.0,<3"),
        ("<0.2", "0.2.5", "<0.3"),
        ("==1.2.3", "1.2.4", ">=1.2.3,<2"),
        ("==1.2.3", "3.0", ">=1.2.3,<4"),
        ("===1.2.3", "1.2.4", ">=1.2.3,<2"),
        ("==1.2.*", "1.16.0", ">=1.2,<2"),
        ("~=1.15.0", "1.16.0", ">=1.15,<2"),
        ("~=1.15", "2.0.0", ">=1.15,<3"),
        ("<1.16,<1.2.4", "1.26.4", "<2"),
    ],
)
def test_upwards_to_the_next_boundary_that_lets_a_working_release_in(old: str, works: str, new: str) -> None:
    assert widened(old, works) == new


@pytest.mark.parametrize(
    ("old", "works", "new"),
    [
        (">=2", "1.26.4", ">=1.26"),
        (">2", "1.26.4 1.0", ">=1.26"),
        (">1.2.3", "1.2.3 1.2.2", ">=1.2.3"),
        (">1.2.3,<1.2.4", "1.2.3", ">=1.2.3,<1.2.4"),
        (">1.2.3", "1.2.3+local", ">=1.2.3"),
        (">=1.0.0,>1.2.3", "1.2.3", ">=1.2.3"),
        (">1.2.3,>=1.2.3", "1.2.3", ">=1.2.3"),
        (">=2.0.0", "1.26.4", ">=1.26.4"),
        (">=2,<3", "1.15.4", ">=1.15,<3"),
        ("==2.1.3", "1.26.4 1.0", ">=1.26.4,<=2.1.3"),
        ("==2.1.*", "2.0.0", ">=2.0,<2.2"),
        ("~=2.1.3", "2.0.0", ">=2.0,<2.2"),
        ("~=2.1", "2.0.0", ">=2.0,<3"),
    ],
)
def test_downwards_to_the_highest_release_that_works(old: str, works: str, new: str) -> None:
    assert widened(old, works) == new


def test_upwards_is_preferred() -> None:
    assert widened("==1.2.3", "1.2.2 2.0.0") == ">=1.2.3,<3"


def test_only_the_exclusion_that_is_in_the_way_goes() -> None:
    assert widened(">=1,!=1.2.3,!=1.15.0,<2", "1.15.0", ["1.2.3", "1.15.0"]) == ">=1,!=1.2.3,<2"


def test_no_specifier_where_neither_direction_alone_will_do() -> None:
    def admits(specifier: str) -> bool:
        return all(SpecifierSet(specifier).contains(version) for version in ("1.0", "3.0"))

    assert widen(Written("==2.0.0"), [Version(v) for v in VERSIONS], admits) == ""


def test_nothing_helps() -> None:
    assert widen(Written("==2.0.0"), [Version(v) for v in VERSIONS], lambda _: False) is None


def test_an_arbitrary_equality_that_is_no_version_gives_way_to_no_specifier() -> None:
    assert widen(Written("===what-ever"), [Version("1.0")], lambda text: not text) == ""


@pytest.mark.parametrize(
    ("old", "works", "new"),
    [
        (">= 1.0, < 1.16", "2.0.0", ">= 1.0, < 3"),
        (">=1.0, <1.16", "2.0.0", ">=1.0, <3"),
        ("== 1.2.3", "1.2.4", ">= 1.2.3,< 2"),
        ("<1.16 , >=1.0", "2.0.0", "<3, >=1.0"),
    ],
)
def test_the_spacing_of_the_line_is_kept(old: str, works: str, new: str) -> None:
    assert widened(old, works) == new


def test_a_local_version_gives_bounds_without_it() -> None:
    versions = ["2.0.1", "2.1.0+cu118", "2.2.0"]
    assert widened("==2.1.0+cu118", "2.0.1", versions) == ">=2.0.1,<=2.1.0"
    assert widened("==2.1.0+cu118", "2.2.0", versions) == ">=2.1.0,<3"


def test_an_epoch_stays() -> None:
    assert widened("<1!2", "1!2.5", ["1!1.0", "1!2.5"]) == "<1!3"


def test_pre_releases_can_be_what_works() -> None:
    assert widened("<2.0a1", "2.0rc1", ["1.0", "2.0rc1"]) == "<3"


def test_python_moves_by_minor_versions() -> None:
    pythons = ["3.10", "3.11", "3.12"]
    assert widened(">=3.12", "3.11", pythons, by_minor=True) == ">=3.11"
    assert widened("<3.11", "3.11.7", ["3.11.7"], by_minor=True) == "<3.12"
    assert widened("==3.10.*", "3.12", pythons, by_minor=True) == ">=3.10,<3.13"


@pytest.mark.parametrize("old", ["<1.16", "==1.2.3", "~=1.15.0", ">=2,<3", "==1.2.*", "!=1.0,>=1.0,<1.2"])
@pytest.mark.parametrize("works", VERSIONS)
def test_the_new_specifier_lets_in_all_that_the_old_one_did_and_what_works(old: str, works: str) -> None:
    before = SpecifierSet(old)
    if before.contains(works):
        return
    new = widened(old, works)
    assert new is not None
    after = SpecifierSet(new)
    assert after.contains(works)
    assert all(after.contains(version) for version in VERSIONS if before.contains(version))


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 1000])
def test_few_questions_are_asked(count: int) -> None:
    asked = []
    versions = [Version(f"{n}.0") for n in range(count + 2)]

    def admits(specifier: str) -> bool:
        asked.append(specifier)
        return Version(f"{count}.0") in SpecifierSet(specifier)

    assert widen(Written("<1"), versions, admits) == f"<{count + 1}"
    assert len(asked) <= 2 * count.bit_length() + 3


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("numpy<2", "<2"),
        ("numpy [a, b] >=1, <2 ; python_version < '3.12'", ">=1, <2"),
        ("numpy (>=1,<2)", ">=1,<2"),
        ("numpy==1.* # why", "==1.*"),
        ("numpy \\\n  >=1, \\\n <2 --hash=x", ">=1, \\\n <2"),
        ("numpy", None),
        ("numpy ; python_version < '3.12'", None),
        ("numpy @ https://example.invalid/numpy.whl", None),
        ('requires-python = ">=3.11,<4"', ">=3.11,<4"),
        ("./folder<2", None),
        ('numpy = "^1.20 || ^2"', "^1.20 || ^2"),
        ('numpy = {extras = [\'version = "1"\'], version = "~1.20"}', "~1.20"),
        ('numpy = [{version = "1"}, {version = "2"}]', None),
        ('numpy = {git = "1"}', None),
        ('numpy = {file-version = "1"}', None),
        ('numpy = ""', None),
    ],
)
def test_where_the_specifier_stands(text: str, specifier: str | None) -> None:
    span = specifier_span(text)
    assert (None if span is None else text[slice(*span)]) == specifier
