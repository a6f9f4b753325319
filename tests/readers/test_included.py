"""Patterns of settings: which specs they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from conflictcheck.errors import SpecError
from conflictcheck.readers import read_specs
from conflictcheck.readers.included import Selection, check_pattern, group_specs
from conflictcheck.settings import DeclaredEnvironment, ProjectSettings, SpecPattern

FOLDER = Path("/project")


def selection(include: str = "", exclude: str = "", folder: Path = FOLDER) -> Selection:
    def patterns(text: str) -> tuple[SpecPattern, ...]:
        return tuple(SpecPattern(one) for one in text.split())

    return Selection(ProjectSettings("conflictcheck.toml", folder, patterns(include), patterns(exclude)))


@pytest.mark.parametrize(
    ("pattern", "takes", "leaves"),
    [
        ("requirements.txt", ["requirements.txt"], ["api/requirements.txt", "requirements.txt.in"]),
        ("./requirements.txt", ["requirements.txt"], ["api/requirements.txt"]),
        ("api", ["api/requirements.txt", "api/deep/pyproject.toml"], ["api.txt", "old/api/requirements.txt"]),
        ("api/", ["api/requirements.txt"], ["old/api/requirements.txt"]),
        ("api/**", ["api/requirements.txt", "api/deep/pyproject.toml"], ["apis/requirements.txt"]),
        ("*.txt", ["requirements.txt"], ["api/requirements.txt"]),
        ("*/requirements.txt", ["api/requirements.txt"], ["requirements.txt", "api/deep/requirements.txt"]),
        ("**/requirements.txt", ["requirements.txt", "api/deep/requirements.txt"], ["api/pyproject.toml"]),
        ("**", ["requirements.txt", "api/deep/requirements.txt"], []),
        (".", ["requirements.txt", "api/deep/requirements.txt"], []),
        ("api/r?quirements-[ab].txt", ["api/requirements-a.txt"], ["api/requirements-c.txt"]),
        ("!api", ["!api/requirements.txt"], ["api/requirements.txt"]),
        (r"\*.txt", ["*.txt"], ["a.txt"]),
    ],
)
def test_a_pattern_is_relative_to_the_folder_and_stars_stay_within_a_name(
    pattern: str, takes: list[str], leaves: list[str]
) -> None:
    assert check_pattern(pattern) == pattern
    for name in takes:
        assert selection(include=pattern).takes_file(FOLDER / name), name
        assert not selection(exclude=pattern).takes_file(FOLDER / name), name
    for name in leaves:
        assert not selection(include=pattern).takes_file(FOLDER / name), name
        assert selection(exclude=pattern).takes_file(FOLDER / name), name


@pytest.mark.parametrize(
    ("pattern", "takes", "leaves"),
    [
        ("pyproject.toml", ["", "extra:gpu", "group:dev"], []),
        ("pyproject.toml#", [""], ["extra:gpu", "group:dev"]),
        ("pyproject.toml#extra:gpu", ["extra:gpu"], ["", "extra:gpu2", "group:gpu"]),
        ("*#group:*", ["group:dev"], ["", "extra:gpu"]),
    ],
)
def test_what_follows_a_hash_is_the_section(pattern: str, takes: list[str], leaves: list[str]) -> None:
    file = FOLDER / "pyproject.toml"
    assert selection(exclude=pattern).takes_file(file) == bool(leaves), "a file is read if any section of it is taken"
    for section in takes:
        assert selection(include=pattern).takes(file, section)
        assert not selection(exclude=pattern).takes(file, section)
    for section in leaves:
        assert not selection(include=pattern).takes(file, section)
        assert selection(exclude=pattern).takes(file, section)


def test_what_is_excluded_stays_out_though_it_is_included() -> None:
    chosen = selection(include="api/**", exclude="api/old/** **/pyproject.toml#group:*")
    assert chosen.takes_file(FOLDER / "api" / "pyproject.toml")
    assert not chosen.takes(FOLDER / "api" / "pyproject.toml", "group:dev")
    assert not chosen.takes_file(FOLDER / "api" / "old" / "requirements.txt")


def test_patterns_say_nothing_about_files_outside_of_their_folder() -> None:
    assert selection(include="api").takes_file(Path("/elsewhere/requirements.txt"))
    assert selection(exclude="**").takes(Path("/elsewhere/requirements.txt"), "")


@pytest.mark.parametrize("pattern", ["/etc/**", "../x", "a/../../x", "a/..", "~/x", "C:/x", "#extra:a", "", "a\nb"])
def test_a_pattern_that_leads_outside_or_names_no_file_is_refused(pattern: str) -> None:
    with pytest.raises(SpecError):
        check_pattern(pattern)


def test_a_file_that_is_included_by_name_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps" / "prod.list").write_text("x\n")
    (tmp_path / "deps" / "prod.txt").write_text("y\n")
    (tmp_path / "requirements.txt").write_text("z\n")
    chosen = selection(include="deps/prod.txt requirements.txt", folder=tmp_path)

    def ids(*paths: str) -> list[str]:
        return [spec.id for spec in read_specs(paths, cwd=tmp_path, variables={}, selection=chosen).specs]

    assert ids() == ["requirements.txt", "deps/prod.txt"]
    assert ids("deps") == ["deps/prod.txt"]
    assert ids("deps/prod.txt", "requirements.txt") == ["deps/prod.txt", "requirements.txt"]


def test_what_conflictcheck_made_is_read_where_it_is_included_by_name(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in ("requirements.a.txt", "requirements.b.txt"):
        (tmp_path / "out" / name).write_text("# Made by conflictcheck for Python 3.11\nx\n")
    chosen = selection(include="out/requirements.a.txt out/*.txt", folder=tmp_path)

    read = read_specs([], cwd=tmp_path, variables={}, selection=chosen)

    assert [spec.id for spec in read.specs] == ["out/requirements.a.txt"]
    assert [note.file for note in read.diagnostics if note.code == "passed-over"] == ["out/requirements.b.txt"]


def test_nothing_left_is_said_with_what_leaves_it_out(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("x\n")
    with pytest.raises(Exception, match=r"include and exclude of conflictcheck\.toml count"):
        read_specs([], cwd=tmp_path, variables={}, selection=selection(exclude="**", folder=tmp_path))


def test_a_file_that_is_named_is_read_although_it_is_excluded(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("x\n")
    chosen = selection(exclude="**", folder=tmp_path)
    read = read_specs(["requirements.txt"], cwd=tmp_path, variables={}, selection=chosen)
    assert [spec.id for spec in read.specs] == ["requirements.txt"]


def test_specs_are_grouped_by_patterns_relative_to_the_settings_wherever_one_stands(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "requirements.txt").write_text("x\n")
    (tmp_path / "api" / "dev-requirements.txt").write_text("x\n")
    declared = (
        DeclaredEnvironment("api", (SpecPattern("api/requirements.txt", 2), SpecPattern("api/*", 2)), 2),
        DeclaredEnvironment("none", (SpecPattern("jobs", 3),), 3),
    )
    project = ProjectSettings("../conflictcheck.toml", tmp_path, environments=declared)
    specs = read_specs([], cwd=tmp_path / "api", variables={}).specs

    groups, problems = group_specs(project, specs, tmp_path / "api", whole=False)

    assert (groups, problems) == ({"api": ("dev-requirements.txt", "requirements.txt")}, [])
    [problem] = group_specs(project, specs, tmp_path / "api", whole=True)[1]
    assert str(problem).startswith('../conflictcheck.toml:3: environments.none: "jobs" matches no spec')
