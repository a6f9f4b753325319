"""Projects that Poetry would build, of which its tables tell what they need."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from artifacts import core_metadata, tarred
from packaging.utils import canonicalize_name

from conflictcheck.facts import Metadata, Unknown
from conflictcheck.index import open_index
from conflictcheck.index.sdists import metadata_of_sdist
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    from pathlib import Path

A = canonicalize_name("a")
BUILD = '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'
NAMED = '[tool.poetry]\nname = "A"\nversion = "1.2"\n'
LEFT_TO_BUILD = Unknown("its dependencies are only known to its build backend, which is not run")


def read(folder: Path, document: str) -> Metadata | Unknown:
    (folder / "pyproject.toml").write_text(document)
    found = open_index(IndexSettings(()), Progress()).direct(folder.as_uri(), A)
    return found if isinstance(found, Unknown) else found[0]


def needs(folder: Path, dependencies: str, *, rest: str = "") -> tuple[str, ...]:
    found = read(folder, f"{NAMED}[tool.poetry.dependencies]\n{dependencies}\n{rest}{BUILD}")
    assert isinstance(found, Metadata), found
    return found.requires_dist


def test_a_folder_of_a_poetry_project_is_known(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        f'{NAMED}[tool.poetry.dependencies]\npython = "^3.9"\nb = "^1.2"\nc = {{version = "~2", optional = true}}\n'
        f'[tool.poetry.extras]\nX_y = ["c"]\n[tool.poetry.group.dev.dependencies]\nd = "*"\n{BUILD}',
    )
    assert found == Metadata(
        "a", "1.2", ("b>=1.2,<2", 'c<3,>=2; extra == "x-y"'), ">=3.9,<4", ("x-y",), "local", tmp_path.name
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('b = "*"', ("b",)),
        ('B_c = "1.*"', ("B_c==1.*",)),
        ('b = {version = "1", extras = ["x"], markers = "os_name == \'nt\'"}', ("b[x]==1 ; (os_name == 'nt')",)),
        (
            'b = [{version = "1", python = "<3.11"}, {version = "2", python = ">=3.11"}]',
            ('b==1 ; python_full_version < "3.11"', 'b==2 ; python_full_version >= "3.11"'),
        ),
        ('b = {git = "https://h.example/b.git", rev = "x"}', ("b @ git+https://h.example/b.git@x",)),
        ('b = {url = "https://h.example/b.zip"}', ("b @ https://h.example/b.zip",)),
        ('b = {version = "1", source = "own"}', ("b==1",)),
        ('b = {version = "1", allow-prereleases = true}', ("b==1",)),
        ('b = {version = "1", optional = true}', ()),
    ],
)
def test_each_kind_of_entry_is_what_a_build_makes_of_it(tmp_path: Path, entry: str, expected: tuple[str, ...]) -> None:
    assert needs(tmp_path, entry) == expected


def test_a_path_starts_at_the_folder_of_the_project(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    expected = (f"b @ {(tmp_path / 'b c').as_uri()}", f'd @ {(tmp_path / "d.zip").as_uri()} ; sys_platform == "linux"')
    entries = 'b = {path = "../b c", develop = true}\nd = {file = "../d.zip", platform = "linux"}'
    assert needs(folder, entries) == expected


def test_an_entry_that_extras_name_is_asked_for_by_these_alone(tmp_path: Path) -> None:
    extras = '[tool.poetry.extras]\nx = ["B", "c", "unknown"]\ny = ["b"]\n'
    assert needs(tmp_path, 'b = "1"\nc = {version = "2", optional = true}\nd = "3"', rest=extras) == (
        'b==1; extra == "x"',
        'b==1; extra == "y"',
        'c==2; extra == "x"',
        "d==3",
    )


@pytest.mark.parametrize(
    ("project", "expected", "python"),
    [
        ('dynamic = ["dependencies"]', ("c==1", 'd==1; extra == "px"'), ">=3.8"),
        ("dependencies = []", ("c==1", 'd==1; extra == "px"'), ">=3.8"),
        ('dependencies = ["b"]', ("b",), ">=3.8"),
        ('dependencies = ["b"]\nrequires-python = ">=3.10"', ("b",), ">=3.10"),
        ('optional-dependencies = {x = ["b"]}', ('b; extra == "x"',), ">=3.8"),
        ('dynamic = ["dependencies"]\noptional-dependencies = {x = ["b"]}', ("c==1", 'b; extra == "x"'), ">=3.8"),
    ],
)
def test_what_project_states_comes_first(tmp_path: Path, project: str, expected: tuple[str, ...], python: str) -> None:
    found = read(
        tmp_path,
        f'[project]\nname = "a"\nversion = "3"\n{project}\n[tool.poetry.dependencies]\npython = ">=3.8"\nc = "1"\n'
        f'd = {{version = "1", optional = true}}\n[tool.poetry.extras]\npx = ["d"]\n{BUILD}',
    )
    assert isinstance(found, Metadata)
    assert (found.version, found.requires_dist, found.requires_python) == ("3", expected, python)


@pytest.mark.parametrize(
    ("build", "rest"),
    [
        ('[build-system]\nbuild-backend = "poetry_dynamic_versioning.backend"\n', ""),
        (BUILD, "[tool.poetry-dynamic-versioning]\nenable = true\n"),
    ],
)
def test_a_version_from_version_control_is_any(tmp_path: Path, build: str, rest: str) -> None:
    found = read(tmp_path, f'{NAMED}[tool.poetry.dependencies]\nb = "1"\n{rest}{build}')
    assert isinstance(found, Metadata)
    assert (found.version, found.requires_dist) == ("0", ("b==1",))


@pytest.mark.parametrize(
    "build",
    ["", '[build-system]\nbuild-backend = "mine"\n', f'{BUILD}backend-path = ["."]\n'],
)
def test_what_poetry_does_not_build_is_left_to_the_build(tmp_path: Path, build: str) -> None:
    assert read(tmp_path, f'{NAMED}[tool.poetry.dependencies]\nb = "1"\n{build}') == LEFT_TO_BUILD


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        (f"{NAMED}package-mode = false\n", "its package-mode is off, so nothing can be built of it"),
        (
            f'{NAMED}[tool.poetry.dependencies]\nb = "^1 || ^3.1"\n',
            'the constraint "^1 || ^3.1" joins several ranges, which no requirement can say',
        ),
        (f'{NAMED}[tool.poetry.dependencies]\nb = "nonsense"\n', '"nonsense" is not a version constraint'),
        (f"{NAMED}[tool.poetry.dependencies]\npython = 3\n", "python is not a text"),
        (f'{NAMED}[tool.poetry.dependencies]\n"b c" = "1"\n', 'the dependency "b c" is not understood'),
        (
            f'{NAMED}[tool.poetry.dependencies]\nb = {{version = "1", markers = "extra == \'x\'"}}\n',
            'the markers of "b" name an extra',
        ),
        (f'{NAMED}extras = ["b"]\n', "extras is not a table"),
        (f'{NAMED}[tool.poetry.extras]\nx = "b"\n', "x is not a list of texts"),
        (
            '[project]\ndependencies = ["b"]\ndynamic = ["optional-dependencies"]\n[tool.poetry.extras]\nx = ["c"]\n',
            "its optional-dependencies are in [project] and in [tool.poetry]",
        ),
        ('[project]\nname = "a"\ndependencies = "b"\n[tool.poetry]\n', "dependencies is not a list of texts"),
    ],
)
def test_what_is_not_understood_is_unknown_with_its_reason(tmp_path: Path, tables: str, why: str) -> None:
    assert read(tmp_path, f"{tables}{BUILD}") == Unknown(f"its [tool.poetry] does not tell what it needs: {why}")


def read_sdist(document: str, *, pkg_info: bytes = b"") -> Metadata | Unknown:
    files = {"a-1.2/pyproject.toml": document.encode()} | ({"a-1.2/PKG-INFO": pkg_info} if pkg_info else {})
    return metadata_of_sdist(io.BytesIO(tarred(files)), "a-1.2.tar.gz", A, "1.2")


SDIST = f'{NAMED}[tool.poetry.dependencies]\nb = "^1"\n'
OLD_PKG_INFO = core_metadata("a", "1.2", requires=["b (>=1,<2)"], metadata_version="2.1")


def test_a_source_distribution_is_known_by_the_same_tables() -> None:
    known = Metadata("a", "1.2", ("b>=1,<2",), None, (), "pyproject", "a-1.2.tar.gz")
    assert read_sdist(f"{SDIST}{BUILD}") == known
    assert read_sdist(f"{SDIST}{BUILD}", pkg_info=OLD_PKG_INFO) == known


@pytest.mark.parametrize("document", [f'{SDIST}c = {{path = "../c"}}\n{BUILD}', f"{SDIST.replace('1.2', '0')}{BUILD}"])
def test_where_they_do_not_tell_what_a_build_left_in_it_does(document: str) -> None:
    inferred = Metadata("a", "1.2", ("b (>=1,<2)",), None, (), "inferred", "a-1.2.tar.gz")
    assert read_sdist(document, pkg_info=OLD_PKG_INFO) == inferred


def test_a_path_in_a_source_distribution_leads_nowhere() -> None:
    assert read_sdist(f'{SDIST}c = {{path = "../c"}}\n{BUILD}') == Unknown(
        'its [tool.poetry] does not tell what it needs: "c" is at a path that is not in the archive'
    )
