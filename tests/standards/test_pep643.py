"""What a release says of itself: PEP 643 (dynamic fields), 685 (names of extras), and "Core metadata"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from artifacts import core_metadata, sdist, tarred, wheel
from asking import reasons, versions, warnings
from index_server import IndexServer

from conflictcheck.errors import InputErrors
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from asking import Asker


def archive(document: bytes, pyproject: str | None = None) -> bytes:
    """A source distribution with this ``PKG-INFO`` and a ``setup.py`` that must not run."""
    contents = {"x-1/PKG-INFO": document, "x-1/setup.py": b"raise SystemExit('this must never run')\n"}
    return tarred(contents | ({} if pyproject is None else {"x-1/pyproject.toml": pyproject.encode()}))


@pytest.mark.parametrize(
    ("version", "dynamic", "final"),
    [
        ("2.2", [], True),
        ("2.3", [], True),
        ("2.4", ["Summary", "License"], True),
        ("2.1", [], False),
        ("2.2", ["Requires-Dist"], False),
        ("2.2", ["requires-dist"], False),
        ("2.2", ["Requires-Python"], False),
        ("2.2", ["Provides-Extra"], False),
    ],
)
def test_a_field_of_a_source_distribution_is_final_unless_it_is_dynamic_and_else_a_hint_that_is_told(
    version: str, dynamic: list[str], *, final: bool, ask: Asker
) -> None:
    document = core_metadata("x", "1", requires=["dep"], metadata_version=version, dynamic=dynamic)
    with IndexServer({"dep": {"1": []}}) as index:
        index.store("x-1.tar.gz", archive(document), name="x")
        report = ask.check(index, "x")

    assert versions(report.environments) == {"dep": "1", "x": "1"}
    assert warnings(report) == ([] if final else ["inferred-metadata"])


def test_a_field_that_is_absent_and_not_dynamic_is_absent_for_good(ask: Asker) -> None:
    with IndexServer({}) as index:
        index.store("x-1.tar.gz", archive(core_metadata("x", "1", metadata_version="2.2")), name="x")
        report = ask.check(index, "x")
    assert (report.verdict, warnings(report)) == ("compatible", [])


@pytest.mark.parametrize(
    ("dynamic", "inferred"), [("", False), ('dynamic = ["readme"]', False), ('dynamic = ["dependencies"]', True)]
)
def test_a_project_table_holds_where_its_dependencies_are_not_dynamic(
    dynamic: str, *, inferred: bool, ask: Asker
) -> None:
    stated = 'dependencies = ["dep"]' if "dependencies" not in dynamic else ""
    pyproject = f'[project]\nname = "x"\nversion = "1"\n{stated}\n{dynamic}\n'
    with IndexServer({"dep": {"1": []}}) as index:
        index.store("x-1.tar.gz", archive(core_metadata("x", "1", requires=["dep"]), pyproject), name="x")
        report = ask.check(index, "x")
    assert warnings(report) == (["inferred-metadata"] if inferred else [])
    assert [pin.name for pin in report.environments[0].packages] == ["dep", "x"]


def test_in_a_wheel_a_dynamic_field_is_as_final_as_any(ask: Asker) -> None:
    document = core_metadata("x", "1", requires=["dep"], metadata_version="2.2", dynamic=["Requires-Dist"])
    with IndexServer({"dep": {"1": []}}) as index:
        index.store("x-1-py3-none-any.whl", wheel("x", "1", document=document), name="x")
        report = ask.check(index, "x")
    assert (report.verdict, warnings(report)) == ("compatible", [])


@pytest.mark.parametrize(("version", "decided"), [("1.0", True), ("2.1", True), ("2.99", True), ("3.0", False)])
def test_metadata_of_a_newer_major_version_is_not_read(version: str, *, decided: bool, ask: Asker) -> None:
    document = core_metadata("x", "1", metadata_version=version)
    with IndexServer({}) as index:
        index.store("x-1-py3-none-any.whl", wheel("x", "1", document=document), name="x")
        report = ask.check(index, "x")
    assert (report.verdict == "compatible") is decided
    assert decided or "its metadata is of version 3.0, which is not known here" in "".join(reasons(report))


@pytest.mark.parametrize("asked", ["dev-test", "dev_test", "dev.test", "Dev--Test", "DEV_.test"])
@pytest.mark.parametrize("provided", ["dev-test", "Dev_Test", "dev.test"])
def test_names_of_extras_are_compared_in_their_normal_form(asked: str, provided: str, ask: Asker) -> None:
    requires = [f"dep; extra == '{provided}'"]
    packages = {"x": {"1": Rel(requires=requires, extras=(provided,))}, "dep": {"1": []}}

    report = ask.check(packages, f"x[{asked}]")

    assert [pin.name for pin in report.environments[0].packages] == ["dep", "x"]
    assert warnings(report) == []


def test_extras_of_one_name_in_a_project_are_an_error(ask: Asker) -> None:
    ask.write(
        "pyproject.toml", "[project]", 'name = "p"', "[project.optional-dependencies]", 'dev_test = ["a"]',
        'dev-test = ["b"]',
    )  # fmt: skip
    with pytest.raises(InputErrors, match=r"^pyproject\.toml:5: .dev-test. and .dev_test. are the same name"):
        ask.check({})


def test_the_source_distribution_itself_is_named_in_its_metadata(ask: Asker) -> None:
    with IndexServer({}) as index:
        index.store("x-1.tar.gz", sdist("y", "1"), name="x")
        report = ask.check(index, "x")
    assert report.verdict == "undecided"
    assert "its metadata is about y" in "".join(reasons(report))
