"""Edits in situations that are rare: what is asked for by another, shared, not editable or not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders import World, line, spec, specs, universe
from msgspec.structs import replace
from test_fixes import NUMPY, find, said

from conflictcheck import fixes as fixes_module
from conflictcheck.corrections import Limits
from conflictcheck.facts import Metadata, Unknown
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    import pytest

XY = {name: {"1.0": [], "2.0": []} for name in "xy"}


def test_an_edit_after_which_a_spec_cannot_be_installed_alone_is_none() -> None:
    releases = {"1.0": Rel(yanked="broken"), "1.1": Rel(yanked="broken")}
    assert find(World(universe({"x": releases}), specs(a=["x==1.0"], b=["x==1.1"]))).run == []


def test_an_edit_that_brings_what_reconciles_others_is_counted_with_them() -> None:
    index = universe(
        {
            "p": {"1.0": [], "2.0": [], "3.0rc1": []},
            "one": {"1.0": ["p!=1.0"]},
            "two": {"1.0": ["p!=2.0"]},
            "y": {"1.0": [], "2.0": ["p>2"]},
        }
    )
    world = World(index, specs(a=["one"], b=["two"], d=["y<2"], f=["-c y>=2"]))
    assert world.clashes() == [("a", "b"), ("d", "f")]
    assert said(find(world).menus[1]) == ["d: y<2 -> y<3 (1)", "f: y>=2 -> y>=1.0 (2)"]


def test_requires_python_is_raised_by_one_minor_version_and_never_emptied() -> None:
    found = find(World(universe(NUMPY), specs(a=["python<3.11", "numpy"], b=["numpy"])))
    assert said(found.run) == ['a: requires-python = "<3.11" -> requires-python = "<3.12" (1)']
    assert find(World(universe(NUMPY), specs(a=["python>=3.12,<3.10", "numpy"]))).run == []


def test_of_as_many_edits_those_that_move_up_come_first() -> None:
    found = find(World(universe(XY), specs(a=["x>=2", "y<2"], b=["x<2", "y>=2"])))
    assert said(found.run)[0] == "a: y<2 -> y<3, b: x<2 -> x<3 (1)"


def test_the_releases_of_every_platform_may_become_a_bound() -> None:
    linux, windows = Rel(tags=("cp311-cp311-manylinux_2_17_x86_64",)), Rel(tags=("cp311-cp311-win_amd64",))
    on_linux = "sys_platform == 'linux'"
    world = World(
        universe({"x": {"1.0": [], "2.0": linux, "0.5": windows}}),
        specs(a=[f"x<2 ; {on_linux}"], b=[f"x>=2 ; {on_linux}", "x ; sys_platform == 'win32'"]),
        platforms=("linux", "windows"),
    )
    assert said(find(world).run)[0] == f"a: x<2 ; {on_linux} -> x<3 ; {on_linux} (1)"


def test_where_too_little_is_known_of_what_wider_lines_lead_to_that_is_said() -> None:
    index = universe(
        XY
        | {
            "m": {"1.0": ["k"]},
            "n": {"1.0": ["j==2"]},
            "k": {"1.0": ["j==1"], "2.0": Unknown("the index answered 503")},
            "j": {"1": [], "2": []},
        }
    )
    found = find(World(index, specs(a=["x<2", "m"], b=["x>=2", "n"])))
    assert found.hopeless == {
        0: "wider specifiers were tried on all of its lines, and no releases were found that fit together"
    }


def test_specs_that_have_to_be_edited_both_are_each_said_to_be_too_little() -> None:
    index = universe(XY | {"m": {"1.0": ["y>=2"]}, "n": {"1.0": ["x>=2"]}})
    found = find(World(index, specs(a=["x<2", "m"], b=["y<2", "n"])))
    assert said(found.run) == ["a: x<2 -> x<3, b: y<2 -> y<3 (1)"]
    assert found.stuck[0] == [("a", "every release of m needs y>=2"), ("b", "every release of n needs x>=2")]


def test_a_spec_whose_lines_cannot_help_is_named_after_one_whose_lines_can() -> None:
    index = universe(NUMPY | {"app": {"1.0": ["numpy<2"]}})
    found = find(World(index, specs(a=["numpy>=2"], b=["app"])))
    assert found.stuck[0] == [("b", "every release of app needs numpy<2")]


def test_a_compiled_file_does_not_help_though_wider_lines_in_it_would() -> None:
    index = universe(NUMPY | {"lib": {"1.0": ["numpy<2"], "2.0": []}})
    found = find(World(index, specs(a=["lib==1.0"], b=["numpy>=2"])), compiled={"a": "a.in"})
    assert said(found.run) == ["b: numpy>=2 -> numpy>=1.26 (1)"]
    why = "a:1 lib==1.0 is not edited: the file is compiled from a.in; edit that and compile it again"
    assert found.stuck[0] == [("a", why)]


def test_a_line_that_is_not_edited_is_no_reason_where_it_is_not_of_the_clash() -> None:
    asked = (f"sha256:{'0' * 64}",)
    packages = {"x": {"1.0": Rel(hashes=asked)}, "old": {"1.0": ["numpy<2"]}, "new": {"1.0": ["numpy>=2"]}}
    index = universe(NUMPY | packages)
    hashed = line("a", "x==1.0", hashes=asked, number=2)
    world = World(index, [spec("a", ["old", hashed]), spec("b", ["new"])])
    assert find(world).hopeless == {0: "every release of new needs numpy>=2 and every release of old needs numpy<2"}


def test_a_name_keeps_its_letters_where_no_specifier_is_left() -> None:
    index = universe({"box": {"1.0": [], "2.0": [], "3.0": []}})
    found = find(World(index, specs(a=["boX!=2.0"], b=["box!=1.0"], c=["box!=3.0"])))
    assert said(found.run)[0] == "a: boX!=2.0 -> boX (1)"


def test_an_edit_of_a_line_that_several_share_may_spare_more_environments_than_asked_for() -> None:
    index = universe(XY | {"q": {"1.0": [], "2.0": []}, "m": {"1.0": ["q<2"], "2.0": ["x>=2"]}, "n": {"1.0": ["q>=2"]}})
    shared = [replace(line(name, "x<2"), file="base.txt") for name in "ab"]
    world = World(index, [spec("a", [shared[0], "m"]), spec("b", [shared[1], "n"]), spec("c", ["x>=2"])])
    assert len(world.split.parts) == 3
    assert said(find(world, target=2).run) == ["a: x<2 -> x<3 (1)", "c: x>=2 -> x>=1.0 (2)"]


URL = "https://files.example/x-2.5-py3-none-any.whl"


def test_a_bound_is_a_release_of_the_index_as_a_direct_reference_need_not_tell_its_version() -> None:
    index = universe({"x": {"1.0": [], "3.0": []}}, direct={URL: Metadata("x", "2.5")})
    found = find(World(index, specs(a=["x<2"], b=[f"x @ {URL}"])))
    assert said(found.run) == ["a: x<2 -> x<4 (1)"]


def test_whatever_the_budget_a_clash_has_edits_or_a_reason_or_was_not_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = specs(a=["x<2", "y<2"], b=["x>=2"], c=["y>=2"])
    most = 0
    for steps in range(0, 130, 3):
        with monkeypatch.context() as patch:
            patch.setattr(fixes_module, "Limits", lambda *_, steps=steps: Limits(steps, 1000, lambda: 0))
            found = find(World(universe(XY), given))
        assert all(found.menus.values())
        here = sum(map(len, found.menus.values()))
        assert here >= most, steps
        most = here


def test_changes_are_told_of_an_environment_that_comes_after_one_of_others() -> None:
    given = specs(a=["x<2"], b=["x>=2", "y<2"], c=["x>=2", "y>=2"])
    fixes = find(World(universe(XY), given), target=2).run
    [raised] = [fix for fix in fixes if [edit.new for edit in fix.edits] == ["y<3"]]
    assert [(one.name, one.environment, one.before, one.after) for one in raised.changes] == [("y", "b", "1.0", "2.0")]
