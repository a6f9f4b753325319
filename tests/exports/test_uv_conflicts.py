"""The list of what uv is to keep apart."""

from __future__ import annotations

import tomllib
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from packaging.utils import canonicalize_name
from report_builders import clash, line, report, spec

from conflictcheck.exports.uv_conflicts import UvConflictsExport
from conflictcheck.model import SpecId

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflictcheck.model import Report, Requirement

SECTIONS = ("", "#extra:cpu", "#extra:gpu", "#extra:npu", "#extra:tpu", "#group:dev", "#group:docs")


def found(*clashes: str, files: tuple[str, ...] = ("pyproject.toml",)) -> Report:
    """A report with these clashes, each the ids of its specs."""
    specs = [f"{file}{section}" for file in files for section in SECTIONS] + ["jobs/requirements.txt"]
    return report(
        "split",
        specs=tuple(spec(one, "numpy") for one in specs),
        clashes=tuple(
            clash(str(i), "clash", *(line(f"{one}:1", "numpy", spec=one) for one in ids.split()))
            for i, ids in enumerate(clashes)
        ),
    )


def listed(text: str) -> list[list[dict[str, str]]]:
    conflicts: list[list[dict[str, str]]] = tomllib.loads(text)["tool"]["uv"]["conflicts"]
    return conflicts


def only(result: Report) -> str:
    [(name, text)] = UvConflictsExport().render(result).items()
    assert name == "uv-conflicts.toml"
    return text


P = "pyproject.toml"


def test_two_sections_that_clash_are_an_entry() -> None:
    text = only(found(f"{P}#extra:cpu {P}#extra:gpu", f"{P}#extra:tpu {P}#group:dev"))
    assert listed(text) == [[{"extra": "cpu"}, {"extra": "gpu"}], [{"extra": "tpu"}, {"group": "dev"}]]
    assert "Not here" not in text


def test_sections_that_clash_each_with_each_are_one_entry_and_no_pair_is_made_up() -> None:
    pairs = [f"{P}#extra:cpu {P}#extra:gpu", f"{P}#extra:cpu {P}#extra:tpu", f"{P}#extra:gpu {P}#extra:tpu"]

    assert listed(only(found(*pairs))) == [[{"extra": "cpu"}, {"extra": "gpu"}, {"extra": "tpu"}]]
    assert listed(only(found(*pairs[:2]))) == [[{"extra": "cpu"}, {"extra": one}] for one in ("gpu", "tpu")]
    assert listed(only(found(*pairs, f"{P}#extra:tpu {P}#group:dev"))) == [
        [{"extra": "cpu"}, {"extra": "gpu"}, {"extra": "tpu"}],
        [{"extra": "tpu"}, {"group": "dev"}],
    ]


def test_an_entry_whose_pairs_are_all_in_others_is_left_out() -> None:
    middle = ("extra:tpu", "group:dev", "group:docs")
    sides = (("extra:cpu", *middle[:2]), ("extra:gpu", middle[0], middle[2]), ("extra:npu", *middle[1:]))
    pairs = {pair for side in (middle, *sides) for pair in combinations(side, 2)}

    entries = listed(only(found(*(f"{P}#{one} {P}#{other}" for one, other in sorted(pairs)))))

    assert [[f"{kind}:{name}" for item in entry for kind, name in item.items()] for entry in entries] == [
        list(side) for side in sides
    ]


def test_what_no_entry_can_say_is_said(golden: Callable[[str, str], None]) -> None:
    text = only(
        found(
            f"{P}#extra:cpu {P}#extra:gpu",
            f"{P}#extra:cpu {P}#extra:tpu {P}#group:dev",
            f"{P}#group:docs",
            f"{P}#extra:gpu jobs/requirements.txt",
            f"{P} jobs/requirements.txt",
        )
    )
    assert listed(text) == [[{"extra": "cpu"}, {"extra": "gpu"}]]
    golden("uv-conflicts.toml", text)


def of_project(*clashes: tuple[Requirement, ...], groups: tuple[str, ...] = ("dev",)) -> Report:
    """A report about a project that asks for numpy<2, and its groups, which do as well."""
    specs = [replace(spec(f"{P}{section}", "numpy<2"), project=canonicalize_name("app")) for section in ("", *groups)]
    return report(
        "unsatisfiable",
        specs=tuple(specs),
        clashes=tuple(clash(str(i), "clash", *one) for i, one in enumerate(clashes)),
    )


def of(section: str, *lines: int) -> tuple[Requirement, ...]:
    return tuple(line(f"{P}:{at}", "numpy<2" if at == 1 else "numpy>=2", spec=f"{P}{section}") for at in lines)


def test_a_group_that_clashes_with_the_projects_own_dependencies_is_an_entry_with_the_project(
    golden: Callable[[str, str], None],
) -> None:
    text = only(of_project(of("#group:dev", 1, 2), groups=("#group:dev",)))
    assert listed(text) == [[{"group": "dev"}, {"package": "app"}]]
    golden("uv-conflicts-project.toml", text)
    apart = of_project((*of("", 1), *of("#group:dev", 2)), groups=("#group:dev",))
    assert only(apart) == text


@pytest.mark.parametrize(
    ("section", "clashes"),
    [
        ("#extra:gpu", [(1, 2)]),
        ("#group:dev", [(2, 3)]),
        ("#group:dev", [(1, 2), (2, 3)]),
        ("#group:dev", [(2, 3), (1, 2)]),
    ],
)
def test_what_cannot_be_installed_without_the_project_either_is_no_entry(
    section: str, clashes: list[tuple[int, ...]]
) -> None:
    text = only(of_project(*(of(section, *lines) for lines in clashes), groups=(section,)))
    assert listed(text) == []
    assert "Not here, as it clashes with nothing but itself" in text


def test_a_group_that_clashes_with_the_pythons_of_the_project_is_no_entry_as_it_keeps_these() -> None:
    python = line(f"{P}:4", 'requires-python = ">=3.13"', spec=f"{P}#group:dev", kind="python")
    of_group = of_project((python, *of("#group:dev", 2)), groups=("#group:dev",))
    main = replace(of_group.specs[0], requirements=(replace(python, spec=SpecId(P)),))
    assert listed(only(replace(of_group, specs=(main, *of_group.specs[1:])))) == []


def test_where_the_project_cannot_be_installed_its_groups_are_no_entries() -> None:
    assert listed(only(of_project(of("", 1), of("#group:dev", 1, 2), groups=("#group:dev",)))) == []


def test_each_pyproject_has_a_file_of_its_own() -> None:
    files = (P, "libs/a/pyproject.toml", "libs-a/pyproject.toml")
    texts = UvConflictsExport().render(found(f"{files[1]}#extra:cpu {files[1]}#group:dev", files=files))

    assert list(texts) == ["uv-conflicts.libs-a.toml", "uv-conflicts.libs-a-2.toml", "uv-conflicts.toml"]
    assert [len(listed(text)) for text in texts.values()] == [0, 1, 0]


def test_without_sections_there_is_nothing_to_keep_apart() -> None:
    text = only(report("compatible", specs=(spec("a.txt", "x"), spec("pyproject.toml#extra:a"))))
    assert tomllib.loads(text) == {}
    assert text == "# Made by conflictcheck: no pyproject.toml has two extras or groups that could clash.\n"
