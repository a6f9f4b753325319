"""Conflicts that a project declares for uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Folder

PROJECT = """\
[project]
name = "My.App"
version = "1"
optional-dependencies = { cpu = ["x"], gpu = ["x"], tpu = ["x"] }
[dependency-groups]
dev = ["x"]
docs = ["x", {include-group = "dev"}]
all = [{include-group = "docs"}]
[tool.uv]
"""


def declared(folder: Folder, conflicts: str, *paths: str) -> list[tuple[str, tuple[str, ...]]]:
    folder.write("pyproject.toml", f"{PROJECT}conflicts = {conflicts}\n")
    return [(conflict.file, conflict.specs) for conflict in folder.read(*paths).conflicts]


@pytest.mark.parametrize(
    ("conflicts", "specs"),
    [
        ('[[{extra = "cpu"}, {extra = "GPU"}]]', ("#extra:cpu", "#extra:gpu")),
        ('[[{extra = "cpu"}, {extra = "gpu"}, {extra = "tpu"}]]', ("#extra:cpu", "#extra:gpu", "#extra:tpu")),
        ('[[{package = "my-app", extra = "cpu"}, {extra = "gpu"}]]', ("#extra:cpu", "#extra:gpu")),
        ('[[{package = "my_app"}, {extra = "gpu"}]]', ("", "#extra:gpu")),
        ('[[{group = "docs"}, {extra = "gpu"}]]', ("#extra:gpu", "#group:all", "#group:docs")),
        ('[[{group = "dev"}, {extra = "gpu"}]]', ("#extra:gpu", "#group:all", "#group:dev", "#group:docs")),
        ('[[{package = "elsewhere", extra = "cpu"}, {extra = "gpu"}]]', ("#extra:gpu",)),
    ],
)
def test_the_items_of_a_set_are_sections_and_groups_that_include_them(
    folder: Folder, conflicts: str, specs: tuple[str, ...]
) -> None:
    assert declared(folder, conflicts) == [("pyproject.toml", tuple(f"pyproject.toml{spec}" for spec in specs))]
    assert [note for note in folder.notes() if "not-applied" in note] == []


def test_each_set_is_one_and_said_again_it_is_the_same(folder: Folder) -> None:
    conflicts = '[[{extra="cpu"},{extra="gpu"}], [{extra="gpu"},{extra="cpu"}], [{extra="cpu"},{extra="tpu"}]]'
    assert [specs[1] for _, specs in declared(folder, conflicts)] == [
        "pyproject.toml#extra:gpu",
        "pyproject.toml#extra:tpu",
    ]


def test_a_set_may_name_projects_of_other_files(folder: Folder) -> None:
    folder.write(
        "lib/pyproject.toml", '[project]\nname = "lib"\nversion = "1"\noptional-dependencies = { cpu = ["x"] }\n'
    )
    conflicts = '[[{package = "lib", extra = "cpu"}, {extra = "gpu"}]]'
    assert declared(folder, conflicts) == [
        ("pyproject.toml", ("lib/pyproject.toml#extra:cpu", "pyproject.toml#extra:gpu"))
    ]


def test_a_project_without_a_name_speaks_of_itself(folder: Folder) -> None:
    folder.write(
        "pyproject.toml",
        '[dependency-groups]\na = ["x"]\nb = ["x"]\n[tool.uv]\nconflicts = [[{group = "a"}, {group = "b"}]]\n',
    )
    [conflict] = folder.read().conflicts
    assert conflict.specs == ("pyproject.toml#group:a", "pyproject.toml#group:b")


def test_they_hold_where_one_section_is_named(folder: Folder) -> None:
    assert declared(folder, '[[{extra="cpu"},{extra="gpu"}]]', "pyproject.toml#extra:cpu", "pyproject.toml#extra:gpu")


def test_a_group_that_excludes_the_project_itself_comes_without_its_dependencies(folder: Folder) -> None:
    project = (
        '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["main"]\n'
        'optional-dependencies = { x = ["extra"] }\n[dependency-groups]\nd = ["dev"]\n'
        'with-d = [{include-group = "d"}]\nother = ["docs"]\nitself = ["p[x]"]\n[tool.uv]\n'
    )
    folder.write("pyproject.toml", project + 'conflicts = [[{package = "P"}, {group = "d"}, {group = "itself"}]]\n')
    asked = {spec.id.partition("#")[2]: [r.name for r in spec.requirements] for spec in folder.read().specs}
    assert asked == {
        "": ["python", "main"],
        "extra:x": ["python", "main", "extra"],
        "group:d": ["python", "dev"],
        "group:with-d": ["python", "dev"],
        "group:other": ["python", "main", "docs"],
        "group:itself": ["python", "main", "extra"],
    }
    [named] = folder.read("pyproject.toml#group:d").specs
    assert [r.name for r in named.requirements] == ["python", "dev"]


def test_a_group_that_excludes_another_project_or_a_section_comes_with_its_own(folder: Folder) -> None:
    sets = '[[{package = "q"}, {group = "dev"}], [{package = "my-app", extra = "cpu"}, {group = "dev"}]]'
    folder.write("pyproject.toml", PROJECT.replace('"1"', '"1"\ndependencies = ["main"]') + f"conflicts = {sets}\n")
    [spec] = folder.read("pyproject.toml#group:dev").specs
    assert [r.name for r in spec.requirements] == ["main", "x"]


MEMBER = (
    '[project]\nname = "app"\nversion = "1"\ndependencies = ["main"]\n[dependency-groups]\nd = ["dev"]\n'
    'with-d = [{include-group = "d"}]\nother = ["docs"]\n'
)
ROOT = '[tool.uv]\nconflicts = [[{package = "app"}, {package = "App", group = "d"}]]\n[tool.uv.workspace]\n'


@pytest.mark.parametrize("paths", [(), ("packages/app/pyproject.toml",), ("packages/app/pyproject.toml#group:d",)])
def test_what_the_root_of_a_workspace_declares_holds_for_its_members(folder: Folder, paths: tuple[str, ...]) -> None:
    folder.write("pyproject.toml", ROOT)
    folder.write("packages/app/pyproject.toml", MEMBER)
    found = folder.read(*paths)
    asked = {spec.id.partition("#")[2]: [r.name for r in spec.requirements] for spec in found.specs}
    groups = {"group:d": ["dev"], "group:with-d": ["dev"], "group:other": ["main", "docs"]}
    assert asked.items() <= {"": ["main"], **groups}.items()
    app = "packages/app/pyproject.toml"
    together = (app, f"{app}#group:d", f"{app}#group:with-d")
    assert ("pyproject.toml", together) in [(conflict.file, conflict.specs) for conflict in found.conflicts]


@pytest.mark.parametrize(
    "between",
    [
        {"packages/pyproject.toml": "[tool.ruff]\n"},
        {"pyproject.toml": ROOT.replace("[tool.uv.workspace]", "")},
        {"pyproject.toml": "["},
    ],
)
def test_what_no_root_of_its_workspace_declares_holds_for_no_project(folder: Folder, between: dict[str, str]) -> None:
    for name, content in ({"pyproject.toml": ROOT} | between).items():
        folder.write(name, content)
    folder.write("packages/app/pyproject.toml", MEMBER)
    [spec] = folder.read("packages/app/pyproject.toml#group:d").specs
    assert [r.name for r in spec.requirements] == ["main", "dev"]


@pytest.mark.parametrize(
    "conflicts",
    [
        '"cpu"',
        "[3]",
        "[[]]",
        '[[{extra = "cpu"}]]',
        '[[{extra = "cpu"}, "gpu"]]',
        '[[{extra = "cpu"}, {}]]',
        '[[{extra = "cpu"}, {extra = "gpu", group = "dev"}]]',
        '[[{extra = "cpu"}, {extra = "gpu", more = 1}]]',
        '[[{extra = "cpu"}, {extra = "gpu", package = 1}]]',
        '[[{extra = "cpu"}, {extra = 1}]]',
        '[[{extra = "cpu"}, {extra = "a b"}]]',
    ],
)
def test_what_is_not_understood_is_not_applied_and_a_warning_says_so(folder: Folder, conflicts: str) -> None:
    assert declared(folder, conflicts) == []
    assert [note for note in folder.notes() if "not-applied" in note] == [
        (
            "warning not-applied pyproject.toml:10: a set of tool.uv.conflicts is not applied: it needs two items or "
            "more, each an extra or a group"
        )
    ]
