"""Requirements that ``[tool.uv.sources]`` takes from the workspace, or from a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Folder

    from conflictcheck.model import Requirement

FROM_WORKSPACE = "{ workspace = true }"


def project(
    folder: Folder,
    name: str,
    *needs: str,
    sources: dict[str, str] | None = None,
    members: list[str] | None = None,
    rest: str = "",
    at: str | None = None,
) -> None:
    text = f'[project]\nname = "{name}"\nversion = "1"\ndependencies = {list(needs)}\n'
    text += "".join(f"[tool.uv.sources]\n{key} = {value}\n" for key, value in (sources or {}).items())
    text += f"[tool.uv.workspace]\nmembers = {members}\n" if members is not None else ""
    folder.write(f"{name if at is None else at}/pyproject.toml", text + rest)


def needs(folder: Folder, spec: str) -> list[Requirement]:
    [found] = folder.read(spec).specs
    return list(found.requirements)


def uri(folder: Folder, name: str) -> str:
    return (folder.path / name).resolve().as_uri()


@pytest.fixture
def workspace(folder: Folder) -> Folder:
    """A root with a member that asks for another, which the root says comes from the workspace."""
    project(folder, "root", "a", sources={"B": FROM_WORKSPACE}, members=["libs/*"], at=".")
    project(folder, "a", "b[x]>=9", at="libs/a")
    project(folder, "b", at="libs/b")
    return folder


def test_a_member_is_taken_from_its_folder_whatever_version_is_asked_for(workspace: Folder) -> None:
    [need] = needs(workspace, "libs/a/pyproject.toml")
    assert (need.name, str(need.specifier), need.extras, need.editable) == ("b", "", ("x",), True)
    assert (need.url, need.text, need.line) == (uri(workspace, "libs/b"), "b[x]>=9", 4)
    assert workspace.notes("libs/a/pyproject.toml") == []


def test_what_no_source_names_is_taken_from_the_index(workspace: Folder) -> None:
    [need] = needs(workspace, "pyproject.toml")
    assert (need.name, need.url) == ("a", None)


def test_the_root_is_a_member_as_well(folder: Folder) -> None:
    project(folder, "root", members=["a"], at=".")
    project(folder, "a", "root", sources={"root": FROM_WORKSPACE})
    [need] = needs(folder, "a/pyproject.toml")
    assert need.url == uri(folder, ".")


def test_a_source_of_the_member_comes_before_that_of_the_root(workspace: Folder) -> None:
    project(workspace, "b", at="elsewhere")
    project(workspace, "a", "b", sources={"b": '{ path = "../../elsewhere" }'}, at="libs/a")
    [need] = needs(workspace, "libs/a/pyproject.toml")
    assert (need.url, need.editable) == (uri(workspace, "elsewhere"), False)


def test_a_path_of_the_root_starts_at_the_root(folder: Folder) -> None:
    project(folder, "root", sources={"b": '{ path = "b", editable = true }'}, members=["libs/*"], at=".")
    project(folder, "a", "b", at="libs/a")
    project(folder, "b")
    [need] = needs(folder, "libs/a/pyproject.toml")
    assert (need.url, need.editable) == (uri(folder, "b"), True)


def test_extras_and_groups_have_the_sources_of_the_project(folder: Folder) -> None:
    rest = '[project.optional-dependencies]\nx = ["b"]\n[dependency-groups]\ndev = ["b>1"]\n'
    project(folder, "a", sources={"b": '{ path = "../b" }'}, rest=rest)
    project(folder, "b")
    for section in ("extra:x", "group:dev"):
        [need] = needs(folder, f"a/pyproject.toml#{section}")
        assert need.url == uri(folder, "b")


def test_lines_of_files_that_setuptools_reads_have_them_too(folder: Folder) -> None:
    folder.write("needs.txt", "c\nb\n")
    project(folder, "b")
    folder.write(
        "pyproject.toml",
        '[project]\nname = "a"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\n'
        'dependencies = { file = "needs.txt" }\n[tool.uv.sources]\nb = { path = "b" }\nc = { workspace = true }\n',
    )
    assert folder.errors("pyproject.toml") == [
        (
            'needs.txt:1: the source of "c" in [tool.uv.sources]: its project is in no workspace; '
            "look at members in [tool.uv.workspace] of the root"
        )
    ]
    folder.write("needs.txt", "b\n")
    assert [need.url for need in needs(folder, "pyproject.toml")] == [uri(folder, "b")]


def test_a_member_of_another_workspace_is_found_by_the_path_of_its_root(folder: Folder) -> None:
    project(folder, "other", members=["lib"])
    project(folder, "b", at="other/lib")
    project(folder, "a", "b", sources={"b": '{ workspace = "../other" }'})
    [need] = needs(folder, "a/pyproject.toml")
    assert need.url == uri(folder, "other/lib")


def test_a_requirement_with_a_url_of_its_own_keeps_it(workspace: Folder) -> None:
    project(workspace, "a", "b @ https://h.example/b.zip", at="libs/a")
    [need] = needs(workspace, "libs/a/pyproject.toml")
    assert need.url == "https://h.example/b.zip"


@pytest.mark.parametrize(
    ("members", "rest", "is_member"),
    [
        (["libs/b"], "", True),
        (["./libs/[ab]/"], "", True),
        (["**/b"], "", True),
        (["libs/**/b"], "", True),
        (["l*/?"], "", True),
        (["libs"], "", False),
        (["/libs/*", "\\u0000", "["], "", False),
        (["libs/*"], 'exclude = ["libs/b"]\n', False),
        (["libs/*"], 'exclude = ["*/b"]\n', False),
        (["libs/*"], 'exclude = ["lib*"]\n', False),
        (["libs/*"], 'exclude = ["libs/**/b"]\n', False),
        (["libs/*"], 'exclude = ["libs/a"]\n', True),
        (["libs/*"], "exclude = 3\n", True),
    ],
)
def test_members_are_what_the_patterns_lead_to_and_none_excludes(
    folder: Folder, members: list[str], rest: str, *, is_member: bool
) -> None:
    members_text = str(members).replace("'", '"').replace("\\\\", "\\")
    text = f'[project]\nname = "root"\ndependencies = ["b"]\n[tool.uv.sources]\nb = {FROM_WORKSPACE}\n'
    folder.write("pyproject.toml", f"{text}[tool.uv.workspace]\nmembers = {members_text}\n{rest}")
    project(folder, "b", at="libs/b")
    if is_member:
        [need] = needs(folder, "pyproject.toml")
        assert need.url == uri(folder, "libs/b")
    else:
        assert folder.errors("pyproject.toml") == [
            (
                'pyproject.toml:3: the source of "b" in [tool.uv.sources]: the workspace has no member of that name; '
                "look at members and exclude in [tool.uv.workspace] of the root"
            )
        ]


@pytest.mark.parametrize(
    ("sources", "at"),
    [
        (FROM_WORKSPACE, "libs/left-out"),
        (FROM_WORKSPACE, "libs/a/below"),
        (FROM_WORKSPACE, "apps/a"),
    ],
)
def test_a_project_that_no_workspace_holds_has_no_members(workspace: Folder, sources: str, at: str) -> None:
    root = workspace.path / "pyproject.toml"
    root.write_text(root.read_text() + 'exclude = ["libs/left-out"]\n')
    project(workspace, "c", "b", sources={"b": sources}, at=at)
    [error] = workspace.errors(f"{at}/pyproject.toml")
    assert "its project is in no workspace" in error


def test_a_project_that_uv_does_not_manage_is_no_member(workspace: Folder) -> None:
    project(workspace, "b", rest="[tool.uv]\nmanaged = false\n", at="libs/b")
    [error] = workspace.errors("libs/a/pyproject.toml")
    assert "the workspace has no member of that name" in error


def test_members_that_cannot_be_read_are_passed_over(workspace: Folder) -> None:
    workspace.write("libs/broken/pyproject.toml", "[")
    workspace.write("libs/no-project/readme.txt")
    workspace.write("libs/nameless/pyproject.toml", "[project]\n")
    [need] = needs(workspace, "libs/a/pyproject.toml")
    assert need.url == uri(workspace, "libs/b")


def test_a_root_outside_of_the_working_tree_is_not_read(workspace: Folder) -> None:
    project(workspace, "a", "b", "c", sources={"b": FROM_WORKSPACE}, at="libs/a")
    workspace.path /= "libs/a"
    assert workspace.errors("pyproject.toml") == [
        (
            'pyproject.toml:4: the source of "b" in [tool.uv.sources]: the pyproject.toml above its project: '
            "outside of the working tree; name it as a SPEC, too, or give --allow-outside"
        )
    ]


@pytest.mark.parametrize(
    ("root", "cwd", "named", "why"),
    [
        (None, "libs/a", "pyproject.toml", "outside of the working tree; with --allow-outside it is"),
        ("[", ".", "libs/a/pyproject.toml", "not valid TOML: "),
    ],
)
def test_what_may_be_a_root_and_cannot_be_looked_at_is_a_warning(
    workspace: Folder, root: str | None, cwd: str, named: str, why: str
) -> None:
    if root is not None:
        workspace.write("pyproject.toml", root)
    workspace.path /= cwd
    [note] = workspace.notes(named)
    what = "the pyproject.toml above, which may be the root of a workspace, is not looked at"
    assert f"{named}: {what}: {why}" in note


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{ path = "../no" }', 'the source of "b" in [tool.uv.sources]: no such file or folder;'),
        ('{ path = "../empty" }', 'the source of "b" in [tool.uv.sources]: the folder is no Python project;'),
        ('{ path = "../c" }', 'the source of "b" in [tool.uv.sources] is of c'),
        ('{ path = "a\\u0000b" }', 'the source of "b" in [tool.uv.sources]: no such file or folder;'),
        ('{ workspace = "../no" }', 'the source of "b" in [tool.uv.sources]: no such file'),
    ],
)
def test_a_source_that_leads_nowhere_is_an_error(folder: Folder, source: str, message: str) -> None:
    folder.write("empty/readme.txt")
    project(folder, "c")
    project(folder, "a", "b", sources={"b": source})
    [error] = folder.errors("a/pyproject.toml")
    assert error.startswith(f"a/pyproject.toml:4: {message}")


def test_a_source_that_nothing_asks_for_is_not_looked_up(folder: Folder) -> None:
    project(folder, "a", sources={"b": FROM_WORKSPACE})
    assert needs(folder, "a/pyproject.toml") == []


@pytest.mark.parametrize(
    "source",
    [
        '{ git = "https://h.example/b.git" }',
        '{ index = "own" }',
        "{ workspace = false }",
        "{ workspace = true, marker = \"os_name == 'nt'\" }",
        '{ path = "../b", group = "dev" }',
        '[{ path = "../b" }, { index = "own" }]',
        '{ path = "../b", workspace = true }',
    ],
)
def test_other_sources_are_a_warning_each(folder: Folder, source: str) -> None:
    project(folder, "b")
    project(folder, "c")
    project(folder, "a", "b", "c", rest=f'[tool.uv.sources]\nc = {{ path = "../c" }}\nb = {source}\n')
    assert [need.url for need in needs(folder, "a/pyproject.toml")] == [None, uri(folder, "c")]
    assert folder.notes("a/pyproject.toml") == [
        "warning not-applied a/pyproject.toml:7: tool.uv.sources.b is not applied: the package is taken from the index"
    ]


def test_those_of_the_root_are_told_where_a_member_is_named(workspace: Folder) -> None:
    root = workspace.path / "pyproject.toml"
    root.write_text(root.read_text().replace("B = ", 'c = { index = "own" }\nB = '))
    assert workspace.notes("libs/a/pyproject.toml") == [
        "warning not-applied pyproject.toml:6: tool.uv.sources.c is not applied: the package is taken from the index"
    ]
