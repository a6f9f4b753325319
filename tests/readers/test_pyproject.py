from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conflictcheck.readers import pyproject

if TYPE_CHECKING:
    from conftest import Folder

PROJECT = """\
[project]
name = "My.Proj"
requires-python = ">=3.9"
dependencies = [
  "a>1", 'b<2',  # two on a line

  "a>1",
]
optional-dependencies.GPU_x = ["torch", "my-proj[cpu,all]; os_name=='nt'"]
optional-dependencies.cpu = ["x ; python_version<'4'"]
optional-dependencies.all = ["my_proj[gpu-x]"]

[dependency-groups]
Dev = ["pytest", {include-group = "LINT"}]
lint = [
  "ruff",
]
"""
OWN = ['3: requires-python = ">=3.9"', "5: a>1", "5: b<2", "7: a>1"]
TOML = "pyproject.toml"


def section(folder: Folder, name: str = "") -> list[str]:
    return [line.removeprefix("pyproject.toml:") for line in folder.lines(TOML + name)]


def errors(folder: Folder, content: str, name: str = "") -> list[str]:
    folder.write(TOML, content)
    return folder.errors(TOML + name)


def test_the_file_gives_the_project_each_extra_and_each_group(folder: Folder) -> None:
    folder.write(TOML, PROJECT)
    result = folder.read(TOML)
    assert [spec.id for spec in result.specs] == [
        "pyproject.toml",
        "pyproject.toml#extra:gpu-x",
        "pyproject.toml#extra:cpu",
        "pyproject.toml#extra:all",
        "pyproject.toml#group:dev",
        "pyproject.toml#group:lint",
    ]
    assert {(spec.path, spec.requires_python) for spec in result.specs} == {(TOML, ">=3.9")}


def test_a_section_comes_with_the_projects_own_dependencies(folder: Folder) -> None:
    folder.write(TOML, PROJECT)
    assert section(folder, "#extra:cpu") == [*OWN, "10: x ; python_version<'4'"]
    assert section(folder, "#group:dev") == [*OWN, "14: pytest", "16: ruff"]


def test_extras_that_ask_for_the_project_itself_are_followed_round_any_loop(folder: Folder) -> None:
    folder.write(TOML, PROJECT)
    assert section(folder, "#extra:gpu_x") == [*OWN, "9: torch", "10: x ; python_version<'4'"]
    assert section(folder, "#extra:all") == [*OWN, "9: torch", "10: x ; python_version<'4'"]


def test_the_marker_of_a_self_reference_holds_for_what_it_brings(folder: Folder) -> None:
    folder.write(TOML, PROJECT)
    [spec] = folder.read("pyproject.toml#extra:all").specs
    assert str(spec.requirements[-1].marker) == 'os_name == "nt" and python_version < "4"'


def test_groups_do_without_a_project(folder: Folder) -> None:
    folder.write(TOML, '[dependency-groups]\ndev = ["x"]\n')
    assert [spec.id for spec in folder.read(TOML).specs] == ["pyproject.toml#group:dev"]


def test_a_project_without_dependencies_is_still_a_spec_when_it_is_named(folder: Folder) -> None:
    folder.write(TOML, '[project]\nname = "x"\n')
    [spec] = folder.read(TOML).specs
    assert spec.requirements == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("#extra:gpu", 'no extra "gpu"; there are gpu-x, cpu, all; did you mean "gpu-x"?'),
        ("#group:devs", 'no group "devs"; there are dev, lint; did you mean "dev"?'),
        ("#extra:zzz", 'no extra "zzz"; there are gpu-x, cpu, all'),
        ("#gpu", 'unknown section "gpu"; write #extra:NAME or #group:NAME'),
    ],
)
def test_a_section_that_is_not_there_is_an_error_with_the_known_ones(folder: Folder, name: str, message: str) -> None:
    assert errors(folder, PROJECT, name) == [f"pyproject.toml: {message}"]


def test_a_section_of_a_project_without_any_says_so(folder: Folder) -> None:
    assert errors(folder, '[project]\nname = "x"\n', "#extra:a") == ['pyproject.toml: no extra "a"; it has no extras']


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ("[project]\nname = \n", ["2: not valid TOML: invalid value"]),
        ('[project]\nname = "x', ["2: not valid TOML: unterminated string"]),
        ("a = " + "[" * 5000, [": not usable TOML: it is nested too deeply"]),
        ("a = " + "1" * 5000, [": not usable TOML: a number in it is too long"]),
        ('[project]\ndependencies = "a"\n', ["2: project.dependencies is not a list"]),
        ('[project]\ndependencies = [\n1,\n"b>>1"]\n', [
            "3: an item of project.dependencies is not a text; put it in quotes",
            '4: "b>>1" is not a requirement; did you mean "b>1"?',
        ]),
        ('[project]\nrequires-python = "3.9"\n', [('2: requires-python "3.9" is not a version specifier; '
        'did you mean ">=3.9"?')]),
        ('[dependency-groups]\na = ["x", {other = "b"}]\n', [
            '2: an item of the group "a" is neither a requirement nor an include-group']),
        ('[dependency-groups]\na = [{include-group = "b"}]\n', ['2: no group "b"; there are a']),
        ('[dependency-groups]\na = [{include-group = "b"}]\nb = [\n{include-group = "a"}]\n', [
            '4: the group "a" includes itself: a (line 2) -> b (line 4) -> a; take out one of these lines',
        ]),
        ("[dependency-groups]\nA_b = []\na-b = []\n", ['3: "a-b" and "A_b" are the same name']),
        ('[project.optional-dependencies]\n"a b" = []\n', [('2: "a b" is not a usable name in '
        'project.optional-dependencies')]),
        ('[project]\nname = "p"\noptional-dependencies.a = ["p[c]"]\n', ['3: no extra "c"; there are a']),
        ("project = 1\n", ["1: project is not a table"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(folder: Folder, content: str, messages: list[str]) -> None:
    assert errors(folder, content) == [f"pyproject.toml{'' if m[0] == ':' else ':'}{m}" for m in messages]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("latest", 'write it as ">=3.11"'),
        ("3.11 or newer", 'write it as ">=3.11"'),
        ("3.11", 'did you mean ">=3.11"?'),
        ("3.11+", 'did you mean ">=3.11"?'),
        ("3.*", 'did you mean "==3.*"?'),
        ("^3.11", 'did you mean ">=3.11,<4"?'),
        ("=>3.11", 'did you mean ">=3.11"?'),
        (">=3.11.*", 'did you mean ">=3.11"?'),
        (">=3.11 <4", 'did you mean ">=3.11,<4"?'),
        ("python>=3.11", 'did you mean ">=3.11"?'),
    ],
)
def test_a_slip_in_requires_python_gets_a_hint_that_fits_there(folder: Folder, value: str, hint: str) -> None:
    assert errors(folder, f'[project]\nrequires-python = "{value}"\n') == [
        f'pyproject.toml:2: requires-python "{value}" is not a version specifier; {hint}'
    ]


@pytest.mark.parametrize("name", ["other.toml", TOML])
def test_a_named_file_without_a_table_that_states_a_spec_is_an_error(folder: Folder, name: str) -> None:
    folder.write(name, "[tool.black]\nline-length = 99\n")
    assert folder.errors(name) == [
        (
            f"{name}: no spec in this file; looked for pyproject.toml with [project], [dependency-groups], "
            "[tool.poetry] or [tool.flit.metadata]"
        )
    ]


def test_a_named_file_that_is_broken_is_not_said_to_have_no_spec_as_well(folder: Folder) -> None:
    assert errors(folder, "project = 1\n") == ["pyproject.toml:1: project is not a table"]


@pytest.mark.parametrize("content", ['[project]\nname = "x"\n', '[tool.poetry]\nname = "x"\n'])
def test_a_project_that_needs_nothing_is_a_spec_where_it_is_named(folder: Folder, content: str) -> None:
    folder.write(TOML, content)
    assert [(spec.id, spec.requirements) for spec in folder.read(TOML).specs] == [(TOML, ())]
    assert folder.notes(TOML) == []


def test_extras_that_multiply_are_cut_off(folder: Folder) -> None:
    lines = [f"e{n} = [\"p[e{n + 1}] ; os_name=='a'\", \"p[e{n + 1}] ; os_name=='b'\"]" for n in range(30)]
    content = '[project]\nname = "p"\n[project.optional-dependencies]\n' + "\n".join([*lines, "e30 = []", ""])
    assert "the extras include one another too often" in errors(folder, content, "#extra:e0")[0]


def test_sections_that_include_one_another_are_counted_together(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f'e{n} = ["p[e{n + 1}]", "a"]' for n in range(40)]
    content = '[project]\nname = "p"\n[project.optional-dependencies]\n' + "\n".join([*lines, "e40 = []", ""])
    folder.write(TOML, content)
    assert len(folder.read(TOML).specs) == 42
    monkeypatch.setattr(pyproject, "MOST_IN_FILE", 1_000)
    assert "pyproject.toml: more than 1,000 requirements in all sections together" in errors(folder, content)


def test_dynamic_dependencies_are_read_from_the_files_that_setuptools_reads(folder: Folder) -> None:
    folder.write(
        TOML,
        '[project]\nname = "p"\ndynamic = ["dependencies", "optional-dependencies"]\n'
        '[tool.setuptools.dynamic]\ndependencies = {file = "requirements.txt"}\n'
        'optional-dependencies.gpu = {file = ["gpu.txt"]}\n',
    )
    folder.write("requirements.txt", "\na\n")
    folder.write("gpu.txt", "torch\n")
    assert folder.lines("pyproject.toml#extra:gpu") == ["requirements.txt:2: a", "gpu.txt:1: torch"]
    assert [spec.id for spec in folder.read().specs] == ["pyproject.toml", "pyproject.toml#extra:gpu"]


def test_a_missing_file_of_dynamic_dependencies_is_an_error(folder: Folder) -> None:
    content = '[project]\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = {file = "r.txt"}\n'
    assert errors(folder, content) == ['pyproject.toml: the file "r.txt" of [tool.setuptools.dynamic]: no such file']


@pytest.mark.parametrize("key", ["dependencies", "requires-python"])
def test_a_project_that_leaves_its_needs_to_the_build_is_itself_part_of_each_of_its_specs(
    folder: Folder, key: str
) -> None:
    folder.write(
        TOML,
        f'[project]\nname = "P"\ndynamic = ["version",\n"{key}"]\n[project.optional-dependencies]\nx = ["a"]\n'
        '[dependency-groups]\ndev = ["b"]\n',
    )
    itself = (f'dynamic = ["{key}"]', "p", folder.path.as_uri(), 3)
    assert [[(r.text, r.name, r.url, r.line) for r in spec.requirements] for spec in folder.read(TOML).specs] == [
        [itself],
        [itself, ("a", "a", None, 6)],
        [itself, ("b", "b", None, 8)],
    ]
    assert folder.notes(TOML) == []


def test_a_project_without_a_name_is_called_as_its_folder(folder: Folder) -> None:
    folder.write("My_lib/pyproject.toml", '[project]\ndynamic = ["dependencies"]\n')
    [spec] = folder.read("My_lib/pyproject.toml").specs
    assert [r.name for r in spec.requirements] == ["my-lib"]


@pytest.mark.parametrize("backend", ["maturin", "sipbuild.api", "backend:loader"])
def test_a_project_that_only_its_build_backend_knows_is_a_spec(folder: Folder, backend: str) -> None:
    folder.write("pkg/pyproject.toml", f'[build-system]\nrequires = ["{backend}"]\nbuild-backend = "{backend}"\n')
    for paths in ((), ("pkg/pyproject.toml",)):
        [spec] = folder.read(*paths).specs
        [line] = spec.requirements
        assert (line.file, line.line, line.text) == ("pkg/pyproject.toml", 3, f'build-backend = "{backend}"')
        assert (line.name, line.url) == ("pkg", (folder.path / "pkg").as_uri())


@pytest.mark.parametrize(
    "rest", ["flit_core.buildapi", "setuptools.build_meta:__legacy__", "mine'\n[tool.poetry]\nx = '"]
)
def test_a_build_backend_that_knows_of_nothing_else_makes_no_spec(folder: Folder, rest: str) -> None:
    folder.write(TOML, f"[build-system]\nbuild-backend = '{rest}'\n[dependency-groups]\ndev = ['a']\n")
    assert [spec.id for spec in folder.read(TOML).specs] == ["pyproject.toml#group:dev"]
    assert len(folder.lines(TOML)) == 1


@pytest.mark.parametrize("root", ["file:///${PROJECT_ROOT}", "file://${PROJECT_ROOT}", "{root:uri}"])
def test_the_folder_of_the_project_may_stand_in_a_url(folder: Folder, root: str) -> None:
    folder.write("a b/lib/pyproject.toml", '[project]\nname = "lib"\n')
    folder.write("a b/app/pyproject.toml", f'[project]\nname = "app"\ndependencies = ["lib @ {root}/../lib"]\n')
    [spec] = folder.read("a b/app/pyproject.toml").specs
    assert [(r.text, r.url) for r in spec.requirements] == [
        (f"lib @ {root}/../lib", (folder.path / "a b/lib").as_uri())
    ]


def test_variables_are_expanded_in_urls_and_their_values_told_nowhere(folder: Folder) -> None:
    folder.write(
        TOML, '[project]\ndependencies = ["a @ https://${HOST}/a-1.zip", "b @ https://${NONE}/b-1.zip", "c==${V}"]\n'
    )
    found = folder.errors(TOML, variables={"HOST": "h.example", "V": "hunter2"})
    assert [error.partition(": ")[2] for error in found] == [
        '"b @ https://${NONE}/b-1.zip": the environment variable NONE is not set',
        '"c==${V}" is not a requirement: variables are expanded only in URLs; write what it stands for',
    ]
    folder.write(TOML, '[project]\ndependencies = ["a @ https://${HOST}/a-1.zip"]\n')
    result = folder.read(TOML, variables={"HOST": "h.example"})
    assert [(r.text, r.url) for r in result.specs[0].requirements] == [
        ("a @ https://${HOST}/a-1.zip", "https://h.example/a-1.zip")
    ]
    assert result.variables == {"HOST": "h.example"}


FLIT = """[tool.flit.metadata]
module = "My_mod"
requires-python = ">=3.9"
requires = [
    "a (>=2)",
    "b; os_name=='nt'",
]
dev-requires = ["d"]
[tool.flit.metadata.requires-extra]
Test = ["c", "my-mod[all]"]
all = ["e"]
"""


def test_flits_own_tables_are_read(folder: Folder) -> None:
    folder.write(TOML, FLIT)
    own = ['3: requires-python = ">=3.9"', "5: a (>=2)", "6: b; os_name=='nt'"]
    assert section(folder, "")[:3] == own
    assert section(folder, "#extra:test") == [*own, "10: c", "11: e"]
    assert section(folder, "#extra:dev") == [*own, "8: d"]
    assert folder.notes(TOML) == []


def test_of_two_names_that_flit_is_given_the_distributions_counts(folder: Folder) -> None:
    folder.write(TOML, FLIT.replace("My_mod", 'm"\ndist-name = "my.mod'))
    assert section(folder, "#extra:test")[-2:] == ["11: c", "12: e"]


def test_extras_that_only_a_build_knows_are_a_warning(folder: Folder) -> None:
    folder.write(TOML, '[project]\ndynamic = [\n"optional-dependencies"]\n')
    assert folder.lines(TOML) == []
    assert folder.notes(TOML) == [
        (
            "warning dynamic pyproject.toml:2: the optional-dependencies are dynamic: the build states them, "
            "so the extras are not known here"
        )
    ]


def itself(folder: Folder, *paths: str) -> list[tuple[str, str, str | None, int | None]]:
    """The lines that stand for the project of `pkg` as a whole, in whatever spec."""
    place = (folder.path / "pkg").as_uri()
    lines = [line for spec in folder.read(*paths).specs for line in spec.requirements if line.url == place]
    return [(line.spec, line.name, line.file, line.line) for line in lines]


@pytest.mark.parametrize("paths", [(), ("pkg",), ("pkg/pyproject.toml",)])
@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"setup.cfg": "[metadata]\nname = Legacy\n[options]\ninstall_requires =\n    a\n"}, ("setup.cfg", 4)),
        ({"setup.py": "import setuptools\nsetuptools.setup(name='legacy', install_requires=x)\n"}, ("setup.py", 2)),
        ({"setup.cfg": "[flake8]\n", "setup.py": "setup(name='legacy')\n"}, ("setup.py", 1)),
        ({"setup.cfg": "[options]\n", "setup.py": "# install_requires\nsetup(name='legacy')"}, ("setup.cfg", 1)),
        ({"setup.cfg": "[metadata]\nname = legacy\n", "setup.py": "install_requires = []"}, ("setup.py", 1)),
    ],
)
def test_a_project_that_only_the_files_of_setuptools_state_is_a_spec(
    folder: Folder, files: dict[str, str], place: tuple[str, int], paths: tuple[str, ...]
) -> None:
    folder.write("pkg/pyproject.toml", '[build-system]\nrequires = ["setuptools"]\n')
    for name, content in files.items():
        folder.write(f"pkg/{name}", content)
    assert itself(folder, *paths) == [("pkg/pyproject.toml", "legacy", f"pkg/{place[0]}", place[1])]
    assert not [note for note in folder.notes(*paths) if "passed-over" in note]


def test_the_groups_of_a_project_of_setuptools_come_with_it(folder: Folder) -> None:
    folder.write("pkg/setup.py", "setup(name='legacy')\n")
    folder.write("pkg/pyproject.toml", '[dependency-groups]\ndev = ["b"]\n')
    assert [spec for spec, *_ in itself(folder)] == ["pkg/pyproject.toml", "pkg/pyproject.toml#group:dev"]


@pytest.mark.parametrize(
    "table", ['[project]\nname = "x"\n', '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\n']
)
def test_where_a_table_states_the_project_the_files_of_setuptools_have_no_say(folder: Folder, table: str) -> None:
    folder.write("pkg/pyproject.toml", table)
    folder.write("pkg/setup.cfg", "[options]\ninstall_requires = a\n")
    assert itself(folder, "pkg/pyproject.toml") == []


def test_a_setup_cfg_with_the_settings_of_other_tools_alone_states_no_project(folder: Folder) -> None:
    folder.write("requirements.txt", "a\n")
    folder.write("pyproject.toml", "[tool.black]\n")
    folder.write("setup.cfg", "[flake8]\n# [options]\n[tool:pytest]\naddopts = -q\n")
    assert folder.lines() == ["requirements.txt:1: a"]
    assert "note passed-over pyproject.toml: a pyproject.toml that asks for nothing" in folder.notes()


@pytest.mark.parametrize("name", ["setup.cfg", "setup.py"])
def test_a_file_of_setuptools_that_is_named_is_a_spec_of_the_project_itself(folder: Folder, name: str) -> None:
    folder.write(
        "pkg/setup.cfg", "[metadata]\nname = legacy\n[options]\ninstall_requires = a\n[options.extras_require]\n"
    )
    folder.write("pkg/setup.py", "setup()\n")
    [spec] = folder.read(f"pkg/{name}").specs
    [itself] = spec.requirements
    assert (spec.id, itself.name, itself.url) == (f"pkg/{name}", "legacy", (folder.path / "pkg").as_uri())
    assert (itself.file, itself.line, itself.text) == ("pkg/setup.cfg", 4, "the project itself")
    assert folder.notes(f"pkg/{name}") == [
        "warning dynamic pkg/setup.cfg:5: the extras of a project without [project] are not read"
    ]


NOT_INSTALLED = "pip and uv install no project without a pyproject.toml or a setup.py"


@pytest.mark.parametrize(
    ("files", "named", "message"),
    [
        (
            {"setup.cfg": "[flake8]"},
            "",
            "no spec in this file; looked for setup.py, or setup.cfg with [metadata] or [options]",
        ),
        (
            {"setup.cfg": "[options]"},
            "#extra:x",
            "the sections of this file are not read; name the file alone: setup.cfg",
        ),
        (
            {"setup.cfg": "[options]"},
            "",
            f"{NOT_INSTALLED}; write one of the two beside it, or give what it needs in a requirements file",
        ),
        ({"setup.cfg": "[options]", TOML: ""}, "", "not read where there is a pyproject.toml beside it; name that"),
    ],
)
def test_a_file_of_setuptools_that_is_named_and_no_spec_is_an_error(
    folder: Folder, files: dict[str, str], named: str, message: str
) -> None:
    for name, content in files.items():
        folder.write(name, content)
    assert folder.errors(f"setup.cfg{named}") == [f"setup.cfg: {message}"]


@pytest.mark.parametrize("table", ["workspace", "project"])
@pytest.mark.parametrize("name", ["pixi.toml", "mojoproject.toml"])
def test_a_manifest_of_pixi_is_not_taken_for_a_project(folder: Folder, name: str, table: str) -> None:
    folder.write(name, f'[{table}]\nname = "p"\nchannels = ["conda-forge"]\n[pypi-dependencies]\na = "==1"\n')
    [error] = folder.errors(name)
    assert error.startswith(
        f"{name}: a workspace of pixi, which is not read; write what it installs into a requirements"
    )


def test_extras_that_only_the_files_of_setuptools_state_are_a_warning(folder: Folder) -> None:
    folder.write("pyproject.toml", "[build-system]\n")
    folder.write("setup.cfg", "[metadata]\nname = p\n[options.extras_require]\nx = a\n")
    assert folder.notes(TOML) == ["warning dynamic setup.cfg:3: the extras of a project without [project] are not read"]


def test_a_file_of_setuptools_that_cannot_be_read_is_an_error_of_that_file(folder: Folder) -> None:
    folder.write("outside/setup.py")
    folder.write("work/.git/HEAD")
    folder.write("work/pyproject.toml", "[build-system]\n")
    (folder.path / "work/setup.py").symlink_to(folder.path / "outside/setup.py")
    folder.path /= "work"
    assert folder.errors(TOML) == [
        "setup.py: outside of the working tree; name it as a SPEC, too, or give --allow-outside"
    ]


def test_tables_that_are_not_applied_are_a_warning(folder: Folder) -> None:
    folder.write(
        TOML, '[project]\nname = "x"\n[tool.uv]\nconstraint-dependencies = ["a<2"]\n[tool.uv.sources]\na = {}\n'
    )
    assert folder.notes(TOML) == [
        (
            "warning not-applied pyproject.toml:4: tool.uv.constraint-dependencies is not applied: give them "
            "with --constraint"
        ),
        "warning not-applied pyproject.toml:5: tool.uv.sources is not applied: the packages are taken from the index",
    ]


def test_the_environments_of_hatch_are_a_warning_each(folder: Folder) -> None:
    folder.write(
        TOML,
        '[project]\nname = "x"\n[tool.hatch.envs.default]\ndependencies = ["a"]\n[tool.hatch.envs.docs]\n'
        'extra-dependencies = ["b"]\n[tool.hatch.envs.none]\ndependencies = []\n',
    )
    assert folder.notes(TOML) == [
        (
            f"warning not-applied pyproject.toml:{line}: tool.hatch.envs.{name} is not applied: "
            "move them to [dependency-groups]"
        )
        for line, name in ((4, "default.dependencies"), (6, "docs.extra-dependencies"))
    ]


@pytest.mark.parametrize(
    "table",
    ["uv]\nindex-url = 'https://h.example'", "uv]\nfind-links = ['x']", "uv]\nprerelease = 'allow'",
     "uv]\nextra-index-url = ['https://h.example']", "uv]\nindex = [{url = 'https://h.example'}]",
     "uv]\nexclude-newer = '2024-01-01'", "uv]\nexclude-newer-package = {a = '2024-01-01'}",
     "uv]\nexclude-dependencies = ['a']", "uv]\ndependency-metadata = [{name = 'a'}]", "uv]\nno-binary = true",
     "uv]\nno-binary-package = ['a']", "uv]\nno-build = true", "uv]\nno-build-package = ['a']",
     "uv]\nresolution = 'lowest'", "uv]\nfork-strategy = 'fewest'", "uv]\nprerelease-package = {a = 'allow'}",
     "uv]\nenvironments = ['os_name == \"nt\"']", "uv]\nrequired-environments = ['os_name == \"nt\"']",
     "uv]\nindex-strategy = 'first-index'", "uv]\nno-index = true", "uv]\ntorch-backend = 'cpu'",
     "uv]\nminimum-libc-version = {glibc = '2.17'}", "uv]\ndependency-groups = {dev = {requires-python = '>=3'}}",
     "uv.pip]\nexclude-newer = '2024-01-01'", "uv.pip]\nresolution = 'lowest-direct'", "uv.pip]\nno-deps = true",
     "uv.pip]\npython-version = '3.9'", "uv.pip]\npython-platform = 'windows'", "uv.pip]\nonly-binary = [':all:']",
     "rye]\nsources = [{name = 'a'}]", "rye]\nexcluded-dependencies = ['a']",
     "pdm]\nsource = [{url = 'https://h.example'}]", "pdm.resolution]\nexcludes = ['a']",
     "pdm.resolution]\nallow-prereleases = true", "poetry]\nsource = [{name = 'a'}]",
     "pdm]\ndependencies = {a = '*'}", "pdm]\npython_requires = '>=3'", "flit.metadata]\nrequires = ['a']",
     "flit.metadata]\nrequires-extra = {x = ['a']}", "flit.metadata]\nrequires-python = '>=3'",
     "flit.metadata]\ndev-requires = ['a']", "pixi.dependencies]\npython = '3.11.*'",
     "pixi.pypi-dependencies]\na = '*'", "pixi.feature.gpu.pypi-dependencies]\na = {path = '../a'}",
     "pixi.feature.gpu]\ndependencies = {a = '*'}", "pixi.target.win-64.host-dependencies]\na = '*'",
     "pixi.feature.gpu.target.win-64]\nbuild-dependencies = {a = '*'}", "pixi]\nsystem-requirements = {libc = '2.28'}",
     "pixi.environments.gpu]\npypi-dependencies = {a = '*'}", "pixi.constraints]\na = '<2'",
     "pixi.pypi-options]\nindex-url = 'https://h.example'", "pixi.feature.gpu.pypi-options]\nno-build = true",
     "pixi.workspace]\nexclude-newer = '2024-01-01'", "pixi.workspace.pypi-options]\nprerelease-mode = 'allow'",
     "pip-tools]\nextra = ['x']", "pip-tools]\nall-extras = true", "pip-tools]\nconstraint = ['c.txt']",
     "pip-tools]\nindex-url = 'https://h.example'", "pip-tools]\nextra_index_url = ['https://h.example']",
     "pip-tools.compile]\npip-args = '--pre'", "pip-tools.sync]\nfind-links = ['x']", "pip-tools.compile]\npre = true"],
)  # fmt: skip
def test_what_other_tools_are_told_is_not_dropped_in_silence(folder: Folder, table: str) -> None:
    folder.write(TOML, f'[project]\nname = "x"\n[tool.{table}\n')
    [note] = folder.notes(TOML)
    header, _, key = table.partition("]\n")
    line, name = (
        (3, header) if header.endswith("dependencies") or header == "pixi.constraints" else (4, f"{header}.{key}")
    )
    assert note.startswith(
        f"warning not-applied pyproject.toml:{line}: tool.{name.partition(' =')[0]} is not applied: "
    )


def test_settings_that_change_nothing_or_ask_for_what_is_done_are_not_told(folder: Folder) -> None:
    folder.write(
        TOML,
        '[project]\nname = "x"\n[tool.uv]\nresolution = "highest"\nindex-strategy = "unsafe-best-match"\n'
        'prerelease = "if-necessary-or-explicit"\nfork-strategy = "requires-python"\nno-build = false\n'
        'no-build-isolation-package = ["a"]\ncache-dir = "x"\nlink-mode = "copy"\ndefault-groups = "all"\n'
        '[tool.uv.workspace]\nmembers = ["a"]\n[tool.uv.pip]\ngenerate-hashes = true\n'
        '[tool.pixi.pypi-dependencies]\nx = {path = ".", editable = true}\n[tool.pixi.tasks]\ntest = "pytest"\n'
        '[tool.pixi.workspace]\nplatforms = ["linux-64"]\n[tool.pixi.pypi-options]\nno-build-isolation = true\n'
        "[tool.pip-tools]\nstrip-extras = true\ngenerate-hashes = true\n[tool.pip-tools.sync]\nask = true\n",
    )
    assert folder.notes(TOML) == []


def test_a_uv_toml_beside_the_file_takes_the_place_of_the_settings_that_it_may_hold(folder: Folder) -> None:
    folder.write(
        TOML,
        '[project]\nname = "x"\n[tool.uv]\nresolution = "lowest"\nindex = [{url = "https://h.example"}]\n'
        'constraint-dependencies = ["a<2"]\nconflicts = [[{extra = "a"}, {extra = "b"}]]\n'
        "[tool.uv.sources]\na = {}\n[tool.uv.pip]\nno-deps = true\n",
    )
    folder.write(
        "uv.toml",
        'exclude-newer = "2024-01-01"\nlink-mode = "copy"\noverride-dependencies = ["a<2"]\nprerelease = '
        '"if-necessary-or-explicit"\n[[index]]\nurl = "https://h.example"\n[pip]\npython-version = "3.9"\n',
    )
    assert folder.notes(TOML) == [
        (
            "warning not-applied pyproject.toml:6: tool.uv.constraint-dependencies is not applied: give them "
            "with --constraint"
        ),
        "warning not-applied pyproject.toml:8: tool.uv.sources is not applied: the packages are taken from the index",
        "warning not-applied uv.toml:1: exclude-newer is not applied: give it with --exclude-newer",
        "warning not-applied uv.toml:3: override-dependencies is not applied: give them with --override",
        "warning not-applied uv.toml:5: index is not applied: give their addresses with --extra-index-url",
        "warning not-applied uv.toml:8: pip.python-version is not applied: give it with --python-version",
    ]
    assert len(folder.read(TOML).conflicts) == 1


def test_a_uv_toml_above_the_file_holds_up_to_where_uv_is_told_otherwise(folder: Folder) -> None:
    folder.write("uv.toml", 'resolution = "lowest"\n')
    folder.write("api/pyproject.toml", '[project]\nname = "x"\n[tool.uv]\nno-build = true\n')
    folder.write("api/v2/pyproject.toml", '[project]\nname = "y"\n')
    folder.write("api/v2/uv.toml", "no-index = true\n")
    folder.write("web/pyproject.toml", '[project]\nname = "z"\n')
    assert folder.notes("api/pyproject.toml") == [
        "warning not-applied api/pyproject.toml:4: tool.uv.no-build is not applied: give it with --only-binary"
    ]
    assert folder.notes("api/v2/pyproject.toml") == [
        "warning not-applied api/v2/uv.toml:1: no-index is not applied: give it with --no-index"
    ]
    assert folder.notes("web/pyproject.toml") == [
        "warning not-applied uv.toml:1: resolution is not applied: the newest releases are preferred"
    ]


@pytest.mark.parametrize(
    ("name", "content", "place", "why"),
    [
        ("work/uv.toml", "x = 1\nno-index = yes\n", "uv.toml:2", "not valid TOML: invalid value"),
        (
            *("uv.toml", "no-index = true\n", "../uv.toml"),
            "outside of the working tree; with --allow-outside they are",
        ),
    ],
)
def test_a_uv_toml_that_is_not_read_is_a_warning(folder: Folder, name: str, content: str, place: str, why: str) -> None:
    folder.write(name, content)
    folder.write("work/pyproject.toml", '[project]\nname = "x"\n')
    folder.path /= "work"
    assert folder.notes(TOML) == [f"warning not-applied {place}: the settings of uv are not looked at: {why}"]


def test_poetrys_package_sources_are_a_warning_and_its_prereleases_are_asked_for(folder: Folder) -> None:
    folder.write(
        TOML,
        '[tool.poetry.dependencies]\na = {version = "^1", source = "own"}\n'
        'b = {version = "^1", allow-prereleases = true}\nc = {version = "*", allow-prereleases = true}\n'
        'd = {version = "^1", allow-prereleases = false}\n',
    )
    [spec] = folder.read(TOML).specs
    assert [(str(r.specifier), bool(r.specifier.prereleases)) for r in spec.requirements] == [
        ("<2,>=1", False),
        ("<2,>=0.dev0,>=1", True),
        (">=0.dev0", True),
        ("<2,>=1", False),
    ]
    assert folder.notes(TOML) == [
        'warning not-applied pyproject.toml:2: the source "own" of "a" is not applied: the indexes of the run are asked'
    ]


POETRY = """\
[tool.poetry]
name = "po"
[tool.poetry.dependencies]
python = "^3.9"
numpy = "^1.2"
pandas = {version = "~2.1", extras=["x"], python = "<3.12", markers = "os_name == 'nt'"}
opt = {version="*", optional=true}
g = {git = "git@h.example:a/b.git", tag="v1"}
many = [{version="1.*", python="<3.10"}, {version=">=2 <3", platform="linux"}]
dotted.version = "0.0.3"
[tool.poetry.dependencies.tab]
version = "1.2.3"
[tool.poetry.extras]
e = ["opt"]
[tool.poetry.group.dev.dependencies]
pytest = "^0.7"
"""


def test_poetrys_tables_are_read_as_the_ranges_they_stand_for(folder: Folder) -> None:
    folder.write(TOML, POETRY)
    main, extra, group = folder.read(TOML).specs
    assert [(r.line, r.name, str(r.specifier), str(r.marker or ""), r.url) for r in main.requirements] == [
        (4, "python", "<4,>=3.9", "", None),
        (5, "numpy", "<2,>=1.2", "", None),
        (6, "pandas", "<2.2,>=2.1", 'python_full_version < "3.12" and os_name == "nt"', None),
        (8, "g", "", "", "git+ssh://git@h.example/a/b.git@v1"),
        (9, "many", "==1.*", 'python_full_version < "3.10"', None),
        (9, "many", "<3,>=2", 'sys_platform == "linux"', None),
        (10, "dotted", "==0.0.3", "", None),
        (11, "tab", "==1.2.3", "", None),
    ]
    assert [requirement.text for requirement in main.requirements[:2]] == ['python = "^3.9"', 'numpy = "^1.2"']
    assert main.requires_python == ">=3.9,<4"
    assert (extra.id, extra.requirements[-1].name) == ("pyproject.toml#extra:e", "opt")
    assert (group.id, str(group.requirements[-1].specifier)) == ("pyproject.toml#group:dev", "<0.8,>=0.7")


def test_alternatives_of_poetry_for_python_are_a_marker(folder: Folder) -> None:
    folder.write(
        TOML,
        '[tool.poetry.dependencies]\npython = ">=3.8,<4.0 || ^4"\n'
        'a = {version = "^1 || ^2", python = "<3.8 || 3.10.*"}\n'
        'b = {version = "1", python = "^3.8 | *", platform = "linux"}\n',
    )
    [spec] = folder.read(TOML).specs
    assert spec.requires_python == ">=3.8,<5"
    assert [(str(r.specifier), str(r.marker or "")) for r in spec.requirements[1:]] == [
        ("<3,>=1", 'python_full_version < "3.8" or python_version == "3.10.*"'),
        ("==1", 'sys_platform == "linux"'),
    ]


def test_alternatives_of_poetry_are_optional_one_by_one(folder: Folder) -> None:
    folder.write(
        TOML,
        '[tool.poetry.dependencies]\na = [{version = "1", python = "<3.11", optional = true},\n'
        '{version = "2", python = ">=3.11", optional = true}]\n'
        'b = [{version = "3"}, {version = "4", optional = true}]\n'
        '[tool.poetry.extras]\nx = ["a", "b"]\n',
    )
    main, extra = folder.read(TOML).specs
    assert [(r.name, str(r.specifier)) for r in main.requirements] == [("b", "==3")]
    asked = [(r.name, str(r.specifier)) for r in extra.requirements]
    assert asked == [("b", "==3"), ("a", "==1"), ("a", "==2"), ("b", "==4")]


@pytest.mark.parametrize(
    ("platform", "marker"),
    [
        ("linux", 'sys_platform == "linux"'),
        ("!=win32", 'sys_platform != "win32"'),
        ("!=win32,!=cygwin", 'sys_platform != "win32" and sys_platform != "cygwin"'),
        ("linux || ==darwin", 'sys_platform == "linux" or sys_platform == "darwin"'),
    ],
)
def test_platforms_of_poetry_are_a_marker(folder: Folder, platform: str, marker: str) -> None:
    folder.write(TOML, f'[tool.poetry.dependencies]\na = {{version = "*", platform = "{platform}"}}\n')
    [spec] = folder.read(TOML).specs
    assert str(spec.requirements[0].marker) == marker


@pytest.mark.parametrize(
    ("written", "specifier"),
    [("~=1", "<1.1,>=1"), ("~=1.2", "~=1.2"), ("~=1.2.3", "~=1.2.3"), ("~=1.2.3.4", "<1.3,>=1.2.3.4")],
)
def test_a_compatible_release_of_poetry_keeps_two_numbers_at_most(folder: Folder, written: str, specifier: str) -> None:
    folder.write(TOML, f'[tool.poetry.dependencies]\na = "{written}"\n')
    [spec] = folder.read(TOML).specs
    assert str(spec.requirements[0].specifier) == specifier


BUILT_BY_POETRY = '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'


@pytest.mark.parametrize(
    ("project", "build", "names"),
    [
        ("", BUILT_BY_POETRY, ["a"]),
        ("dependencies = []\n", BUILT_BY_POETRY, ["a"]),
        ('dependencies = ["b"]\n', BUILT_BY_POETRY, ["b"]),
        ('optional-dependencies = {x = ["b"]}\n', BUILT_BY_POETRY, []),
        ("", '[build-system]\nbuild-backend = "hatchling.build"\n', []),
    ],
)
def test_poetry_takes_its_own_dependencies_where_project_states_none(
    folder: Folder, project: str, build: str, names: list[str]
) -> None:
    folder.write(TOML, f'[project]\nname = "x"\n{project}[tool.poetry.dependencies]\na = "1"\n{build}')
    assert [r.name for r in folder.read(TOML).specs[0].requirements] == names


def test_a_project_of_poetry_may_be_for_python_2_as_well(folder: Folder) -> None:
    folder.write(TOML, '[tool.poetry.dependencies]\npython = "~2.7 || ^3.4"\na = "*"\n')
    [spec] = folder.read(TOML).specs
    assert spec.requires_python == ">=2.7,<4,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*"
    assert spec.requirements[0].text == 'python = "~2.7 || ^3.4"'


def test_a_bound_of_poetry_with_a_star_is_the_bound_without(folder: Folder) -> None:
    folder.write(TOML, '[tool.poetry.dependencies]\na = ">=2.9.*,<3.*"\n')
    [spec] = folder.read(TOML).specs
    assert str(spec.requirements[0].specifier) == "<3,>=2.9"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('a = "~=2.*"', ("'a = \"~=2.*\"' is not a requirement: expected semicolon (after name with no version"
         " specifier) or end")),
        ('a = "^1 || ^2.1.3"', ('the constraint "^1 || ^2.1.3" joins several ranges, which no requirement can say;'
         " write one range, and leave out versions with !=")),
        ('a = "^1 ||"', '"^1 ||" is not a version constraint'),
        ('a = "^x"', '"^x" is not a version constraint'),
        ("a = 1", 'the dependency "a" is neither a version nor a table'),
        ('a = {version = "1", platform = ">=3"}', 'the platform ">=3" is not understood'),
        ('a = {version = "1", platform = 3}', 'the platform "3" is not understood'),
        ("a = {version = 1}", 'version of "a" is not a text'),
        ('a = {path = "./nope"}', ("'a = {path = \"./nope\"}': no such file or folder;"
         " a relative path starts at the file's folder, or where you are")),
    ],
)  # fmt: skip
def test_a_dependency_of_poetry_that_is_not_understood_is_an_error(folder: Folder, entry: str, message: str) -> None:
    assert errors(folder, f"[tool.poetry.dependencies]\n{entry}\n") == [f"pyproject.toml:2: {message}"]
