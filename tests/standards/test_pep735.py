"""Dependency groups: PEP 735, today the specification "Dependency Groups"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conflictcheck.errors import InputErrors

if TYPE_CHECKING:
    from asking import Asker


def texts(ask: Asker, group: str, *table: str) -> list[str]:
    """The requirements of one group, in order."""
    ask.write("pyproject.toml", "[dependency-groups]", *table)
    report = ask.check({}, paths=[f"pyproject.toml#group:{group}"])
    return [line.text for line in report.specs[0].requirements]


def problems(ask: Asker, path: str, *table: str) -> list[str]:
    ask.write("pyproject.toml", "[dependency-groups]", *table)
    with pytest.raises(InputErrors) as caught:
        ask.check({}, paths=[path])
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("group", "table", "expected"),
    [
        ("docs", ['docs = ["sphinx"]', 'test = ["pytest>7", "coverage"]'], ["sphinx"]),
        ("test", ['docs = ["sphinx"]', 'test = ["pytest>7", "coverage"]'], ["pytest>7", "coverage"]),
        (
            "test",
            ['coverage = ["coverage[toml]"]', 'test = ["pytest>7", {include-group = "coverage"}]'],
            ["pytest>7", "coverage[toml]"],
        ),
        ("bar", ['foo = ["a", "b"]', 'bar = ["c", {include-group = "foo"}, "d"]'], ["c", "a", "b", "d"]),
        (
            "all",
            [
                'group-a = ["foo"]',
                'group-b = ["foo>1.0"]',
                'group-c = ["foo<1.0"]',
                'all = ["foo", {include-group = "group-a"}, {include-group = "group-b"}, {include-group = "group-c"}]',
            ],
            ["foo", "foo", "foo>1.0", "foo<1.0"],
        ),
        (
            "one",
            ['three = ["c"]', 'two = ["b", {include-group = "three"}]', 'one = ["a", {include-group = "two"}]'],
            ["a", "b", "c"],
        ),
        ("none", ["none = []"], []),
    ],
)
def test_the_documents_examples(group: str, table: list[str], expected: list[str], ask: Asker) -> None:
    assert texts(ask, group, *table) == expected


@pytest.mark.parametrize("asked", ["Dev_Tools", "dev.tools", "DEV--tools"])
def test_names_of_groups_are_compared_in_their_normal_form(asked: str, ask: Asker) -> None:
    table = ['"Dev.Tools" = ["a"]', 'more = [{include-group = "dev_tools"}]']
    assert texts(ask, asked, *table) == ["a"]
    assert texts(ask, "more", *table) == ["a"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (['Dev = ["a"]', 'dev = ["b"]'], "pyproject.toml:3: 'dev' and 'Dev' are the same name"),
        (['dev = [{include-group = "other"}]'], "pyproject.toml:2: no group 'other'; there are dev"),
        (
            ['dev = [{include-group = "two"}]', 'two = [{include-group = "dev"}]'],
            "pyproject.toml:3: the group 'dev' includes itself: dev (line 2) -> two (line 3) -> dev; take out one of",
        ),
        (
            ['dev = [{include-group = "Dev"}]'],
            "pyproject.toml:2: the group 'dev' includes itself: dev (line 2) -> dev; take out one of these lines",
        ),
        (['dev = [{set-phasers-to = "stun"}]'], "pyproject.toml:2: an item of the group 'dev' is neither a"),
        (['dev = [{include-group = "a", other = "b"}]'], "pyproject.toml:2: an item of the group 'dev' is neither a"),
        (["dev = [{include-group = 1}]"], "pyproject.toml:2: an item of the group 'dev' is neither a"),
        (["dev = [1]"], "pyproject.toml:2: an item of the group 'dev' is neither a requirement nor"),
        (['dev = ["a>>1"]'], "pyproject.toml:2: 'a>>1' is not a requirement"),
        (['dev = "a"'], "pyproject.toml:2: dependency-groups.dev is not a list"),
        (['"-dev" = ["a"]'], "pyproject.toml:2: '-dev' is not a usable name in dependency-groups"),
    ],
)
def test_what_the_document_forbids_is_an_error_with_its_line(table: list[str], message: str, ask: Asker) -> None:
    found = problems(ask, "pyproject.toml", *table)
    assert [line.replace('"', "'")[: len(message)] for line in found[:1]] == [message]


def test_a_group_may_be_used_although_another_holds_what_is_not_known(ask: Asker) -> None:
    table = ['foo = ["pyparsing"]', 'bar = [{set-phasers-to = "stun"}]']
    assert texts(ask, "foo", *table) == ["pyparsing"]
    assert len(problems(ask, "pyproject.toml#group:bar", *table)) == 1
    assert len(problems(ask, "pyproject.toml", *table)) == 1


def test_a_group_that_includes_one_with_what_is_not_known_is_an_error(ask: Asker) -> None:
    table = ['foo = [{include-group = "bar"}]', 'bar = [{set-phasers-to = "stun"}]']
    assert len(problems(ask, "pyproject.toml#group:foo", *table)) == 1


def test_an_extra_may_have_the_name_of_a_group(ask: Asker) -> None:
    ask.write(
        "pyproject.toml",
        "[project]", 'name = "p"', 'optional-dependencies.dev = ["a"]', "[dependency-groups]", 'dev = ["b"]',
    )  # fmt: skip
    report = ask.check({"a": {"1": []}, "b": {"1": []}})
    assert {spec.id: [line.text for line in spec.requirements] for spec in report.specs} == {
        "pyproject.toml#extra:dev": ["a"],
        "pyproject.toml#group:dev": ["b"],
    }
