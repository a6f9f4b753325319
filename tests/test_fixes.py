"""Edits that let specs share fewer environments: which are found, and that each of them holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import World, constraints, line, overrides, spec, specs, universe
from msgspec.structs import replace
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import SpecifierSet

from conflictcheck import corrections
from conflictcheck import fixes as fixes_module
from conflictcheck.corrections import Limits
from conflictcheck.environments import build_environment
from conflictcheck.facts import Metadata, Unknown
from conflictcheck.fixes import Fixer, Fixes
from conflictcheck.index.memory import Rel
from conflictcheck.model import DeclaredConflict, Fix, RequirementKind, SpecId
from conflictcheck.poetry import specifier as poetry_specifier
from conflictcheck.solver import completion
from conflictcheck.solver.oracle import Oracle, Yes
from conflictcheck.specifier_text import poetry_entry
from conflictcheck.splitting import name_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conflictcheck.model import Requirement

NUMPY = {"numpy": {version: [] for version in ("1.20.0", "1.23.5", "1.24.0", "1.26.4", "2.0.0", "2.1.0")}}


def find(
    world: World,
    target: int = 1,
    compiled: Mapping[str, str] | None = None,
    conflicts: Sequence[DeclaredConflict] = (),
) -> Fixes:
    """What the fixer finds in a world, each edit tried once more in a world of its own."""
    cores = [*world.findings.cores, *world.split.cores]
    environments = []
    for name, part in zip(name_parts(world.split.parts), world.split.parts, strict=True):
        answer = world.oracle.resolve(world.lines_of(*part))
        assert isinstance(answer, Yes)
        environments.append(build_environment(world.oracle, name, part, world.lines_of(*part), answer))
    fixer = Fixer(
        world.oracle,
        world.positions,
        world.shared_positions,
        cores=cores,
        placed=world.findings.placeable,
        environment_count=len(environments),
        environments=lambda: environments,
        compiled=compiled or {},
        conflicts=conflicts,
    )
    found = fixer.find(target)
    for fix in [*found.run, *(fix for menu in found.menus.values() for fix in menu)]:
        assert_holds(world, fix)
    return found


def assert_holds(world: World, fix: Fix) -> None:
    """A fix, applied to the specs, gives as many environments as it says."""
    edited = World(
        world.index,
        [replace(each, requirements=tuple(apply(one, fix) for one in each.requirements)) for each in world.given],
        [apply(one, fix) for one in world.shared],
        world.pythons,
        world.platforms,
        world.policy,
    )
    assert len(edited.split.parts) == fix.environments_after
    assert edited.split.proven
    assert len(edited.findings.placeable) >= len(world.findings.placeable)


def apply(one: Requirement, fix: Fix) -> Requirement:
    for edit in fix.edits:
        if (one.file, one.line, one.text) == (edit.file, edit.line, edit.old):
            if one.kind is RequirementKind.PYTHON:
                specifier = SpecifierSet(edit.new.partition(" = ")[2].strip('"'))
            elif entry := poetry_entry(edit.new):
                specifier = SpecifierSet(poetry_specifier(entry.constraint))
            else:
                parsed = Parsed(edit.new)
                assert sorted(parsed.extras) == sorted(one.extras)
                assert parsed.marker == one.marker
                specifier = parsed.specifier
            return replace(one, text=edit.new, specifier=specifier)
    return one


def said(fixes: list[Fix]) -> list[str]:
    """Each fix in short: its edits, and the environments needed then."""
    return [
        ", ".join(f"{edit.spec}: {edit.old} -> {edit.new}" for edit in fix.edits) + f" ({fix.environments_after})"
        for fix in fixes
    ]


def test_two_direct_ranges_the_one_that_moves_up_first() -> None:
    found = find(World(universe(NUMPY), specs(a=["numpy<1.24"], b=["numpy>=1.26"])))
    assert said(found.run) == ["a: numpy<1.24 -> numpy<2 (1)", "b: numpy>=1.26 -> numpy>=1.23 (1)"]
    assert said(found.menus[0]) == said(found.run)
    assert found.complete


def test_the_one_that_moves_up_comes_first_wherever_it_stands() -> None:
    found = find(World(universe(NUMPY), specs(a=["numpy>=1.26"], b=["numpy<1.24"])))
    assert said(found.run) == ["b: numpy<1.24 -> numpy<2 (1)", "a: numpy>=1.26 -> numpy>=1.23 (1)"]


def test_a_bound_may_become_the_yanked_release_that_another_line_asks_for() -> None:
    index = universe({"x": {"1.0": [], "2.0": [], "3.0": Rel(yanked="broken"), "4.0": []}})
    found = find(World(index, specs(a=["x==3.0"], b=["x>3.0"])))
    assert said(found.run) == ["a: x==3.0 -> x>=3.0,<5 (1)", "b: x>3.0 -> x>=3.0 (1)"]


def test_a_bound_may_become_source_that_predates_the_python_where_another_line_asks_for_it() -> None:
    wheel, source = Rel(tags=("cp311-cp311-manylinux_2_17_x86_64",)), Rel(tags=(), sdist=True)
    releases = {"1.22.4": source, "1.23.0": source, "1.23.1": source, "1.23.2": wheel, "1.24.0": wheel}
    found = find(World(universe({"numpy": releases}), specs(a=["numpy<1.23.2"], b=["numpy>=1.24.0"])))
    assert said(found.run) == ["a: numpy<1.23.2 -> numpy<2 (1)", "b: numpy>=1.24.0 -> numpy>=1.23.1 (1)"]


def test_what_changes_against_the_split_is_named() -> None:
    found = find(World(universe(NUMPY), specs(a=["numpy<1.24"], b=["numpy>=1.26"])))
    assert [(one.name, one.environment, one.before, one.after) for one in found.run[0].changes] == [
        ("numpy", "a", "1.23.5", "1.26.4"),
        ("numpy", "b", "2.1.0", "1.26.4"),
    ]


def test_only_packages_that_are_in_both_and_differ_have_changed() -> None:
    lib = {"1.0": ["numpy<2", "old"], "2.0": ["numpy>=2"]}
    index = universe(NUMPY | {"lib": lib, "old": {"1.0": []}, "y": {"1.0": []}})
    found = find(World(index, specs(a=["lib==1.0", "y"], b=["numpy>=2", "y"])))
    assert said(found.run)[0] == "a: lib==1.0 -> lib>=1.0,<3 (1)"
    assert [(one.name, one.environment, one.before, one.after) for one in found.run[0].changes] == [
        ("lib", "a", "1.0", "2.0"),
        ("numpy", "a", "1.26.4", "2.1.0"),
    ]
    assert not any(fix.changes for menu in found.menus.values() for fix in menu)


def test_changes_are_told_of_every_environment_that_loses_a_spec() -> None:
    index = universe(NUMPY | {"x": {"1.0": [], "2.0": []}})
    given = specs(a=["numpy<1.24", "x<2"], b=["x>=2", "numpy<1.24"], c=["numpy>=2", "x<2"], d=["x>=2", "numpy>=2"])
    found = find(World(index, given), target=3)
    assert said(found.run)[0] == "a: numpy<1.24 -> numpy<3 (3)"
    assert [(one.name, one.environment, one.before, one.after) for one in found.run[0].changes] == [
        ("numpy", "a", "1.23.5", "2.1.0")
    ]


def test_an_edit_that_resolves_two_clashes_is_proposed_once() -> None:
    index = universe({"x": {"1.0": [], "2.0": []}, "y": {"1.0": []}, "z": {"1.0": []}})
    found = find(World(index, specs(a=["x<2"], b=["x>=2"], c=["x>=2", "y"], e=["z>=9"])))
    assert said(found.run).count("a: x<2 -> x<3 (1)") == 1
    assert len({fix.edits for fix in found.run}) == len(found.run)


def test_of_many_fixes_the_first_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixes_module, "MOST_FIXES", 1)
    assert len(find(World(universe(NUMPY), specs(a=["numpy<1.24"], b=["numpy>=1.26"]))).run) == 1


def test_nothing_is_proposed_where_nothing_clashes() -> None:
    assert find(World(universe(NUMPY), specs(a=["numpy<1.24"], b=["numpy>=1.20"]))) == Fixes()


def test_a_clash_through_dependencies_is_fixed_on_either_side() -> None:
    index = universe(NUMPY | {"app": {"1.0": ["lib"]}, "lib": {"1.0": ["numpy<2"], "2.0": ["numpy<1.27"]}})
    found = find(World(index, specs(a=["app"], b=["numpy>=2"])))
    assert said(found.run) == ["b: numpy>=2 -> numpy>=1.26 (1)"]
    assert found.stuck[0] == [("a", "every release of lib needs numpy<1.27 or numpy<2")]


def test_an_upper_release_of_the_pinned_package_lifts_it() -> None:
    index = universe(NUMPY | {"lib": {"1.0": ["numpy<2"], "1.5": ["numpy<2"], "2.0": ["numpy>=2"], "3.0": []}})
    found = find(World(index, specs(a=["lib==1.0"], b=["numpy>=2"])))
    assert said(found.run) == ["a: lib==1.0 -> lib>=1.0,<3 (1)", "b: numpy>=2 -> numpy>=1.26 (1)"]


def test_extras_and_markers_stay() -> None:
    index = universe({"lib": {"1.0": ["numpy<2 ; extra == 'x'"], "2.0": ["numpy ; extra == 'x'"]}} | NUMPY)
    found = find(World(index, specs(a=["lib[x] == 1.0 ; python_version > '3'"], b=["numpy>=2"])))
    assert said(found.run)[0] == (
        "a: lib[x] == 1.0 ; python_version > '3' -> lib[x] >= 1.0,< 3 ; python_version > '3' (1)"
    )


@pytest.mark.parametrize(
    ("written", "edited"),
    [
        ("x!=2.0", "x"),
        ("x (!=2.0)", "x"),
        ("x !=2.0", "x"),
        ("x!=2.0; python_version > '3'", "x ; python_version > '3'"),
        ("x[y] (!=2.0) ; python_version > '3'", "x[y] ; python_version > '3'"),
    ],
)
def test_a_line_of_which_no_specifier_is_left_is_still_one(written: str, edited: str) -> None:
    index = universe({"x": {version: ["z ; extra == 'y'"] for version in ("1.0", "2.0", "3.0")}, "z": {"1.0": []}})
    found = find(World(index, specs(a=[written], b=["x!=1.0"], c=["x!=3.0"])))
    assert said(found.run)[0] == f"a: {written} -> {edited} (1)"


def test_two_lines_of_one_spec_that_both_stand_in_the_way() -> None:
    index = universe({"x": {"1.0": [], "2.0": []}, "y": {"1.0": [], "2.0": []}, "both": {"1.0": ["x>=2", "y>=2"]}})
    found = find(World(index, specs(a=["x<2", "y<2"], b=["both"])))
    assert said(found.run) == ["a: x<2 -> x<3, a: y<2 -> y<3 (1)"]


def test_one_edit_is_preferred_to_two() -> None:
    index = universe(
        {"x": {"1.0": [], "2.0": []}, "y": {"1.0": [], "2.0": []}, "z": {"1.0": ["x<2", "y<2"], "2.0": []}}
    )
    found = find(World(index, specs(a=["x>=2", "y>=2"], b=["z<2"])))
    assert said(found.run) == ["b: z<2 -> z<3 (1)"]


def test_lines_of_one_spec_are_preferred() -> None:
    index = universe({name: {"1.0": [], "2.0": []} for name in "xy"})
    found = find(World(index, specs(a=["x<2", "y<2"], b=["x>=2"], c=["y>=2"])))
    assert said(found.run)[0] == "a: x<2 -> x<3, a: y<2 -> y<3 (1)"


def test_each_of_several_clashes_has_a_menu_and_the_run_a_fix_for_all() -> None:
    index = universe({name: {"1.0": [], "2.0": []} for name in "xy"})
    found = find(World(index, specs(a=["x<2", "y<2"], b=["x>=2"], c=["y>=2"])))
    assert [said(found.menus[place]) for place in (0, 1)] == [
        ["a: x<2 -> x<3 (2)", "b: x>=2 -> x>=1.0 (2)"],
        ["a: y<2 -> y<3 (2)", "c: y>=2 -> y>=1.0 (2)"],
    ]
    assert {fix.environments_after for fix in found.run} == {1}


def test_two_environments_may_be_the_aim() -> None:
    world = World(universe(NUMPY), specs(a=["numpy<1.24"], b=["numpy>=1.24,<2"], c=["numpy>=2"]))
    assert len(world.split.parts) == 3
    found = find(world, target=2)
    assert said(found.run)[0] == "a: numpy<1.24 -> numpy<2 (2)"
    assert {fix.environments_after for fix in found.run} == {2}
    assert [fix.environments_after for fix in found.run] == sorted(fix.environments_after for fix in found.run)
    further = find(world, target=1).run
    assert said(further)[0].endswith("(1)")
    assert {fix.environments_after for fix in further} == {1, 2}


def test_a_clash_of_three_specs() -> None:
    index = universe(
        {"x": {"1.0": ["z<3"], "2.0": []}, "y": {"1.0": ["z>1"], "2.0": []}, "z": {"1.0": [], "2.0": [], "3.0": []}}
    )
    found = find(World(index, specs(a=["x==1.0"], b=["y==1.0"], c=["z!=2.0"])))
    assert found.menus.keys() == {0}
    assert said(found.run) == [
        "a: x==1.0 -> x>=1.0,<3 (1)",
        "b: y==1.0 -> y>=1.0,<3 (1)",
        "c: z!=2.0 -> z (1)",
    ]


def test_no_edit_helps_where_every_release_needs_the_blocked_range() -> None:
    index = universe(NUMPY | {"old": {"1.0": ["numpy<2"], "1.1": ["numpy<2"]}, "new": {"1.0": ["numpy>=2"]}})
    found = find(World(index, specs(a=["old==1.1"], b=["new>=1"])))
    assert found.run == []
    assert found.hopeless == {0: "every release of new needs numpy>=2 and every release of old needs numpy<2"}


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        ({"1.0rc1": []}, "pre-releases aside, every release of lib needs numpy<2"),
        ({"1.0": Rel(yanked="")}, "every usable release of lib needs numpy<2"),
        ({"1.0": Rel(yanked=""), "1.5rc1": []}, "pre-releases aside, every usable release of lib needs numpy<2"),
        ({"1.0": ["numpy<2"]}, "every release of lib needs numpy<2"),
    ],
)
def test_what_every_release_needs_is_not_said_of_those_that_wait_to_be_asked_for(
    other: dict[str, Rel | list[str]], fact: str
) -> None:
    index = universe(NUMPY | {"lib": {**other, "2.0": ["numpy<2"]}})
    found = find(World(index, specs(a=["lib==2.0"], b=["numpy>=2"])))
    assert found.stuck[0] == [("a", fact)]


def test_a_release_of_the_dependency_that_would_not_block_is_named() -> None:
    index = universe(
        NUMPY | {"app": {"1.0": ["lib==1.0", "free"]}, "free": {"1.0": ["lib"]}, "lib": {"1.0": ["numpy<2"], "2.0": []}}
    )
    world = World(index, specs(a=["app"], b=["numpy>=2"], c=["lib"]))
    found = find(world)
    assert found.upstream[0] == ["lib 2.0 is the oldest release that would not need numpy<2"]


URL = "https://files.example/numpy-1.20.0-py3-none-any.whl"
HASH = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("blocked", "why"),
    [
        (line("a", f"numpy @ {URL}"), "a URL or path stands for it, not versions"),
        (line("a", "numpy==1.20.0", hashes=(HASH,)), "its hashes belong to these versions"),
        (replace(line("a", "numpy<1.24"), text="numpy = ^1.20"), "it is written in a form that is not edited here"),
    ],
)
def test_a_line_that_cannot_be_edited_is_said_to_be_so(blocked: Requirement, why: str) -> None:
    index = universe(
        {"numpy": {"1.20.0": Rel(hashes=(HASH,)), "2.0.0": []}, "core": {"1": ["numpy>=2"]}},
        direct={URL: Metadata("numpy", "1.20.0")},
    )
    found = find(World(index, [spec("a", [blocked]), spec("b", ["core"])]))
    assert found.run == []
    assert found.hopeless == {0: f"a:1 {blocked.text} is not edited: {why}"}


def test_a_compiled_file_is_not_edited() -> None:
    index = universe(NUMPY | {"core": {"1": ["numpy>=2"]}})
    found = find(World(index, specs(a=["numpy==1.20.0"], b=["core"])), compiled={"a": "a.in"})
    assert found.hopeless == {
        0: "a:1 numpy==1.20.0 is not edited: the file is compiled from a.in; edit that and compile it again"
    }


def test_a_spec_with_a_line_that_is_not_edited_is_not_said_to_be_stuck_for_another_reason() -> None:
    web = {"1.0": ["core>=1"], "2.0": ["core>=2"]}
    index = universe({"core": {"1.0": [], "2.0": []}, "web": web})
    found = find(World(index, specs(a=["core<2"], b=["web>=2", "core>=2"])), compiled={"a": "a.in"})
    assert said(found.menus[0]) == ["b: web>=2 -> web>=1.0, b: core>=2 -> core>=1.0 (1)"]
    why = "a:1 core<2 is not edited: the file is compiled from a.in; edit that and compile it again"
    assert found.stuck == {0: [("a", why)]}


@pytest.mark.parametrize(
    ("written", "specifier", "edited"),
    [
        ('numpy = "~1.20"', ">=1.20,<1.21", 'numpy = ">=1.20,<3"'),
        ('numpy = {markers="a == \'3\'", version="<2"}', "<2", 'numpy = {markers="a == \'3\'", version="<3"}'),
        ('numpy = "!=2.0.0"', "!=2.0.0", 'numpy = "*"'),
        ('numpy = ">=1.18,<1.19 || >=1.20,<2"', ">=1.18,<2,!=1.19.*", 'numpy = ">=1.18,<3,!=1.19.*"'),
    ],
)
def test_an_entry_of_one_of_poetrys_tables_is_edited(written: str, specifier: str, edited: str) -> None:
    index = universe({"numpy": {"1.20.0": [], "2.0.0": []}, "core": {"1": ["numpy>=2"]}})
    poetry = replace(line("a", f"numpy{specifier}"), text=written)
    found = find(World(index, [spec("a", [poetry]), spec("b", ["core"])]))
    assert [edit.new for fix in found.run for edit in fix.edits] == [edited]


@pytest.mark.parametrize(
    ("written", "specifier"),
    [
        ('numpy = {version = "<2", allow-prereleases = true}', "<2,>=0.dev0"),
        ('numpy = [{version = "<2", python = ">=3.9"}]', "<2"),
    ],
)
def test_an_entry_of_poetrys_that_says_more_than_one_range_is_not_edited(written: str, specifier: str) -> None:
    index = universe({"numpy": {"1.20.0": [], "2.0.0": []}, "core": {"1": ["numpy>=2"]}})
    poetry = replace(line("a", f"numpy{specifier}"), text=written)
    found = find(World(index, [spec("a", [poetry]), spec("b", ["core"])]))
    assert found.hopeless == {0: f"a:1 {poetry.text} is not edited: it is written in a form that is not edited here"}


def test_each_line_that_is_not_edited_is_named() -> None:
    world = World(universe(NUMPY), specs(a=["numpy==1.20.0"], b=["numpy>=2"]))
    why = "is not edited: the file is compiled from"
    assert find(world, compiled={"a": "a.in", "b": "b.in"}).hopeless == {
        0: f"a:1 numpy==1.20.0 {why} a.in; edit that and compile it again; "
        f"b:1 numpy>=2 {why} b.in; edit that and compile it again"
    }


def test_a_constraint_of_the_run_is_edited_only_where_nothing_else_helps() -> None:
    index = universe(NUMPY | {"core": {"1": ["numpy>=2"]}})
    found = find(World(index, specs(a=["core"]), constraints("numpy<2")))
    assert said(found.run) == ["constraints.txt: numpy<2 -> numpy<3 (1)"]
    assert found.stuck == {0: []}
    found = find(World(index, specs(a=["numpy>=1.26"], b=["numpy<1.24"]), constraints("numpy<1.24", "numpy<1.25")))
    assert said(found.run)[0].startswith("a: numpy>=1.26 -> numpy>=1.23")


def test_an_override_is_never_edited() -> None:
    index = universe(NUMPY | {"core": {"1": ["numpy"]}})
    found = find(World(index, specs(a=["core"]), overrides("numpy>9")))
    assert found.run == []
    assert "an override is meant to hold whatever others say" in found.hopeless[0]


def test_a_spec_that_cannot_be_installed_alone_is_mended() -> None:
    found = find(World(universe(NUMPY), specs(a=["numpy>=3"], b=["numpy<2"])))
    assert said(found.menus[0]) == ["a: numpy>=3 -> numpy>=2.1 (2)"]
    assert said(found.run)[0] == "a: numpy>=3 -> numpy>=1.26 (1)"


def test_a_spec_that_nothing_mends_does_not_stand_in_the_way_of_a_fix_for_the_others() -> None:
    index = universe({"x": {"1.0": [], "2.0": []}})
    found = find(World(index, specs(a=["gone"], b=["x<2"], c=["x>=2"])))
    assert said(found.run) == ["b: x<2 -> x<3 (1)", "c: x>=2 -> x>=1.0 (1)"]
    assert [one.name for one in found.run[0].changes] == ["x"]


def test_who_can_be_installed_as_well_after_an_edit_counts() -> None:
    index = universe({"a": {"1.0": ["c"]}, "b": {"1.0": [], "2.0": []}, "c": {"2.0": []}})
    found = find(World(index, specs(w=["b>=2"], x=["b<2", "a"], z=["c"]), constraints("c<2")))
    menus = [said(menu) for menu in found.menus.values()]
    assert menus == [["constraints.txt: c<2 -> c<3 (2)"]] * 2


def test_requires_python_is_lowered_to_a_python_that_is_asked_for() -> None:
    found = find(World(universe(NUMPY), specs(a=["python>=3.12", "numpy"], b=["numpy"])))
    assert said(found.run) == ['a: requires-python = ">=3.12" -> requires-python = ">=3.11" (1)']
    pythons = ("3.12.4", "3.11.7", "3.10.2")
    found = find(World(universe(NUMPY), specs(a=["python>=3.13", "numpy"], b=["numpy"]), pythons=pythons))
    assert said(found.run) == ['a: requires-python = ">=3.13" -> requires-python = ">=3.12" (1)']


def test_fewer_edits_are_preferred_though_they_are_of_lines_that_others_rely_on() -> None:
    lines = {f"py{i}": ["python>=3.12"] for i in range(4)} | {f"pin{i}": [f"lib{i}==1.0"] for i in range(5)}
    index = universe({f"lib{i}": {"1.0": Rel(requires_python="<3.12"), "2.0": []} for i in range(5)})
    found = find(World(index, specs(**lines), pythons=("3.12.4", "3.11.7")))
    assert [len(fix.edits) for fix in found.run] == [4]


def test_a_line_shared_by_several_specs_is_edited_once_and_all_are_named() -> None:
    shared = line("base.txt", "numpy<1.24", number=3)
    given = [
        spec("a", [replace(shared, spec="a")]),
        spec("b", [replace(shared, spec="b")]),
        spec("c", ["core"]),
    ]
    found = find(World(universe(NUMPY | {"core": {"1": ["numpy>=2"]}}), given))
    assert said(found.run) == ["a: numpy<1.24 -> numpy<3 (1)"]
    assert found.run[0].edits[0].also == ("b",)


def test_a_pre_release_that_is_asked_for_stays_possible() -> None:
    index = universe({"x": {"1.0": [], "2.0b1": [], "2.0b2": []}, "y": {"1": ["x>=2.0b2"]}})
    found = find(World(index, specs(a=["x==2.0b1"], b=["y"])))
    assert said(found.run) == ["a: x==2.0b1 -> x>=2.0b1,<3 (1)"]


def test_it_must_work_on_all_platforms() -> None:
    index = universe(
        {
            "x": {"1.0": [], "2.0": [], "3.0": []},
            "y": {"1": ["x>=2; sys_platform == 'linux'", "x>=3; sys_platform == 'win32'"]},
        }
    )
    found = find(World(index, specs(a=["x<2"], b=["y"]), platforms=("linux", "windows")))
    assert said(found.run) == ["a: x<2 -> x<4 (1)"]


def test_missing_facts_give_no_fix() -> None:
    index = universe({"x": {"1.0": Unknown("the index answered 503"), "2.0": []}})
    found = find(World(index, specs(a=["x>=2"], b=["x<2.0", "x>=2"])))
    assert all(fix.edits[0].new != "x>=1.0" for fix in found.run)


def test_a_spent_budget_is_said_and_what_was_found_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixes_module, "Limits", lambda *_: Limits(-1, 0, lambda: 0))
    found = find(World(universe(NUMPY), specs(a=["numpy<1.24"], b=["numpy>=1.26"])))
    assert not found.complete
    assert found.run == []


def test_with_any_budget_what_was_found_in_it_stays_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    index = universe({name: {"1.0": [], "2.0": []} for name in "xy"})
    given = specs(a=["x<2", "y<2"], b=["x>=2"], c=["y>=2"])
    everything = find(World(index, given))
    some = 0
    for steps in range(0, 60, 2):
        with monkeypatch.context() as patch:
            patch.setattr(fixes_module, "Limits", lambda *_, steps=steps: Limits(steps, 1000, lambda: 0))
            found = find(World(index, given))
        for place, menu in found.menus.items():
            assert set(said(menu)) <= set(said(everything.menus[place]))
        if found.complete:
            assert said(found.run) == said(everything.run)
        some += bool(found.menus) and not found.complete
    assert some


def test_of_many_clashes_the_first_have_menus(monkeypatch: pytest.MonkeyPatch) -> None:
    index = universe({name: {"1.0": [], "2.0": []} for name in "xy"})
    given = specs(a=["x<2", "y<2"], b=["x>=2"], c=["y>=2"])
    for most, menus in ((1, [0]), (2, [0, 1]), (3, [0, 1])):
        monkeypatch.setattr(fixes_module, "MOST_CLASHES", most)
        found = find(World(index, given))
        assert (list(found.menus), found.complete) == (menus, True)


def test_of_clashes_that_say_the_same_the_first_has_a_menu_before_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    index = universe({name: {"1.0": [], "2.0": []} for name in "xy"})
    world = World(index, specs(a=["x<2"], b=["x<2"], c=["x>=2", "y<2"], d=["y>=2"]))
    assert world.clashes() == [("a", "c"), ("b", "c"), ("c", "d")]
    for most, menus in ((1, [0]), (2, [0, 2]), (3, [0, 2, 1])):
        monkeypatch.setattr(fixes_module, "MOST_CLASHES", most)
        assert list(find(world).menus) == menus


def test_where_it_is_too_hard_to_tell_which_lines_are_fewest_that_is_said_and_nothing_else_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = universe({name: {"1.0": [], "2.0": []} for name in "xy"})
    given = specs(a=["x<2", "y<2"], b=["x>=2"], c=["y>=2"])
    whole = find(World(index, given))
    assert (whole.complete, bool(whole.run)) == (True, True)
    monkeypatch.setattr(corrections, "_MOST_STEPS", 0)
    cut = find(World(index, given))
    assert (cut.complete, cut.menus, cut.run, cut.hopeless) == (False, {}, [], {})


def test_what_leaves_fewer_environments_comes_before_what_mends_a_spec() -> None:
    index = universe({"x": {"1.0": [], "2.0": []}, "z": {"1.0": []}})
    found = find(World(index, specs(a=["x<2"], b=["x>=2"], e=["z>=9"])))
    assert said(found.run)[2:] == [
        "a: x<2 -> x<3 (1)",
        "b: x>=2 -> x>=1.0 (1)",
        "e: z>=9 -> z>=1.0 (2)",
    ]


def test_a_fix_may_take_twice_the_work_that_the_clashes_took_and_a_little_in_any_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed: list[tuple[int, int]] = []

    def limits(steps: int, reads: int, read: Callable[[], int]) -> Limits:
        allowed.append((steps, reads))
        return Limits(steps, reads, read)

    monkeypatch.setattr(fixes_module, "Limits", limits)
    world = World(universe(NUMPY), specs(a=["numpy<1.24"], b=["numpy>=1.26"]))
    for calls, reads in ((0, 0), (1501, 251), (4000, 900)):
        monkeypatch.setattr(Oracle, "calls", calls)
        Fixer(
            world.oracle, world.positions, world.shared_positions,
            cores=(), placed=(), environment_count=0, environments=tuple, compiled={}, read=lambda reads=reads: reads,
        )  # fmt: skip
    assert allowed == [(3000, 500), (3002, 502), (8000, 1800)]


def test_the_same_fixes_come_out_of_specs_in_any_order() -> None:
    given = specs(a=["x<2", "y<2"], b=["x>=2"], c=["y>=2"], d=["x<2"])
    packages = {name: {"1.0": [], "2.0": []} for name in "xy"}
    first = find(World(universe(packages), given))
    second = find(World(universe(packages), given[::-1]))
    assert said(first.run) == said(second.run)


TAKEN_FOR_GRANTED = {
    "helper": {"1.0": ["x==2.0"], "1.1": [], "1.2": [], "2.0": []},
    "x": {"1.0": ["y<2"], "2.0": Rel(yanked="broken")},
    "y": {"1.0": [], "2.0": []},
    "z": {"1.0": [], "2.0": []},
}
"""X and y 2.0 clash unless something asks for the yanked x, for which helper would have to be read to the end."""


def test_a_clash_that_rests_on_what_is_taken_for_granted_is_in_the_way_of_edits_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(completion, "MOST_RELEASES", 1)
    world = World(universe(TAKEN_FOR_GRANTED), specs(a=["helper", "x", "z>=2"], b=["y>=2", "z>=2"], c=["z<2"]))
    assert len(world.split.parts) == 3
    assert world.oracle.assumed
    world.oracle.assume_locked()
    assert [edit.old for edit in find(world, target=2).run[0].edits] == ["z<2"]


def test_so_is_one_that_edits_bring_to_light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "MOST_RELEASES", 1)
    world = World(universe(TAKEN_FOR_GRANTED), specs(a=["helper", "x", "z>=2"], b=["y>=2", "z<2"]))
    world.oracle.assume_locked()
    [menu] = find(world).menus.values()
    assert [[edit.old for edit in fix.edits] for fix in menu] == [["y>=2", "z<2"], ["z>=2", "y>=2"]]


@pytest.mark.parametrize(
    ("asking", "old", "new"),
    [
        ("x==2.5rc1", "x==2.4", "x>=2.4,<3"),
        ("x>=2.5b1", "x<2.5,>=2.0,!=2.3", "x<3,>=2.0,!=2.3"),
        ("x>=2.5b1", "x~=2.4.0", "x>=2.4,<3"),
        ("y==0.2rc1", "y<0.2", "y<0.3"),
    ],
)
def test_a_line_makes_room_for_the_pre_release_that_another_one_asks_for_and_keeps_its_bounds(
    asking: str, old: str, new: str
) -> None:
    packages = {"x": {"2.0": [], "2.3": [], "2.4": [], "2.5b1": [], "2.5rc1": []}, "y": {"0.1": [], "0.2rc1": []}}
    found = find(World(universe(packages), specs(a=[asking], b=[old])))
    assert [edit.new for fix in found.run for edit in fix.edits if edit.old == old] == [new]


def test_a_fix_says_which_specs_cannot_be_installed_even_then() -> None:
    world = World(universe({"x": {"1.0": [], "2.0": []}}), specs(a=["x<2"], b=["x>=2"], c=["missing"]))
    assert {fix.left_out for fix in find(world).run} == {("c",)}


def test_specs_that_are_meant_to_be_apart_are_not_brought_together() -> None:
    packages = {name: {"1.0": [], "2.0": []} for name in ("numpy", "torch")}
    lines = specs(cpu=["torch==1.0", "numpy<2"], gpu=["torch==2.0", "numpy<2"], other=["numpy>=2"])
    apart = DeclaredConflict("pyproject.toml", (SpecId("cpu"), SpecId("gpu")))
    found = find(World(universe(packages), lines), conflicts=[apart])
    assert {fix.environments_after for fix in found.run} == {2}
    assert not any("torch" in edit.old for fix in found.run for edit in fix.edits)
