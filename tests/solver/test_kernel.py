"""What the kernel does with facts that are missing, odd or only there when asked for."""

from __future__ import annotations

from builders import World, constraints, line, name, overrides, specs, universe

from conflictcheck.facts import Metadata, Unknown
from conflictcheck.index.memory import Rel
from conflictcheck.model import RequirementKind
from conflictcheck.solver.oracle import Maybe, No, Yes

GONE = Unknown("the index answered 503")


def test_answer_that_rests_on_unknown_metadata_is_undecided() -> None:
    world = World(universe({"x": {"1.0": GONE}}), specs(a=["x"]))
    assert world.ask() == Maybe("what x 1.0 needs is not known: the index answered 503")


def test_unknown_metadata_of_the_newest_release_does_not_matter_if_an_older_one_will_do() -> None:
    world = World(universe({"x": {"1.0": [], "2.0": GONE}}), specs(a=["x"]))
    assert world.pins() == {"x": "1.0"}


def test_clash_that_does_not_rest_on_the_unknown_fact_is_a_clash() -> None:
    world = World(universe({"x": {"1.0": [], "2.0": GONE}, "y": {"1.0": GONE}}), specs(a=["x<2", "y"], b=["x>=2"]))
    reply = world.oracle.ask(frozenset({0, 2}))
    assert isinstance(reply, No)
    assert isinstance(world.ask(), No)


def test_clash_that_an_unknown_release_might_resolve_is_undecided() -> None:
    index = universe({"x": {"1.0": [], "2.0": []}, "lib": {"1.0": ["x<2"], "2.0": GONE}})
    world = World(index, specs(a=["lib"], b=["x>=2"]))
    assert isinstance(world.ask("a"), Yes)
    assert isinstance(world.ask(), Maybe)
    assert not world.findings.complete
    assert world.clashes() == []


def test_package_whose_listing_is_not_known_is_undecided_not_missing() -> None:
    assert World(universe({"x": GONE}), specs(a=["x>=1"])).ask() == Maybe(
        "the releases of x are not known: the index answered 503"
    )
    assert isinstance(World(universe({}), specs(a=["x>=1"])).ask(), No)


def test_metadata_that_is_no_metadata_leaves_the_release_out() -> None:
    world = World(universe({"x": {"1.0": [], "2.0": ["y (one of"]}}), specs(a=["x"]))
    assert world.pins() == {"x": "1.0"}
    assert isinstance(World(universe({"x": {"2.0": ["y (one of"]}}), specs(a=["x"])).ask(), No)


def test_old_star_after_an_order_is_read_as_pip_reads_it() -> None:
    world = World(universe({"x": {"1.0": ["y>=1.0.*"]}, "y": {"1.0": [], "0.9": []}}), specs(a=["x"]))
    assert world.pins() == {"x": "1.0", "y": "1.0"}


def test_extra_adds_what_it_needs_and_an_unknown_one_nothing() -> None:
    index = universe({"x": {"1.0": Rel(requires=['y ; extra == "fast"'], extras=("fast",))}, "y": {"1.0": []}})
    assert World(index, specs(a=["x[fast]"])).pins() == {"x": "1.0", "y": "1.0"}
    assert World(index, specs(a=["x[Slow]"])).pins() == {"x": "1.0"}
    assert World(index, specs(a=["x"])).pins() == {"x": "1.0"}


def test_extra_may_ask_for_another_extra_of_its_own_package() -> None:
    index = universe(
        {"x": {"1.0": ['x[fast] ; extra == "all"', 'y ; extra == "fast"']}, "y": {"1.0": []}},
    )
    assert World(index, specs(a=["x[all]"])).pins() == {"x": "1.0", "y": "1.0"}


def test_constraint_restricts_and_asks_for_nothing() -> None:
    index = universe({"x": {"1.0": [], "2.0": []}, "y": {"1.0": []}})
    assert World(index, specs(a=["x"]), constraints("x<2", "y==1.0", "z")).pins() == {"x": "1.0"}


def test_override_speaks_for_lines_and_releases_alike() -> None:
    index = universe({"x": {"1.0": [], "2.0": []}, "lib": {"1.0": ["x<2"]}})
    assert World(index, specs(a=["x<2", "lib"]), overrides("x>=2")).pins() == {"lib": "1.0", "x": "2.0"}


def test_override_whose_marker_does_not_hold_takes_the_requirement_away() -> None:
    index = universe({"x": {"1.0": []}, "lib": {"1.0": ["x"]}})
    assert World(index, specs(a=["lib"]), overrides("x ; sys_platform == 'win32'")).pins() == {"lib": "1.0"}


def test_several_overrides_of_a_package_all_hold() -> None:
    index = universe({"x": {"1.0": [], "2.0": [], "3.0": []}})
    assert World(index, specs(a=["x==1.0"]), overrides("x>=2", "x<3")).pins() == {"x": "2.0"}


def test_override_may_ask_for_an_extra() -> None:
    index = universe({"x": {"1.0": ['y ; extra == "fast"']}, "y": {"1.0": []}, "lib": {"1.0": ["x"]}})
    assert World(index, specs(a=["lib"]), overrides("x[fast]")).pins() == {"lib": "1.0", "x": "1.0", "y": "1.0"}


def test_direct_reference_is_taken_only_where_it_is_asked_for() -> None:
    url = "https://files.example/x-9.0.tar.gz"
    index = universe({"x": {"1.0": []}}, direct={url: Metadata("x", "9.0")})
    world = World(index, specs(a=[f"x @ {url}"], b=["x"], c=["x>=5"]))
    assert world.pins("a", "b") == {"x": url}
    assert world.pins("b") == {"x": "1.0"}
    assert isinstance(world.ask("c"), No)
    assert isinstance(world.ask("a", "c"), Yes)


def test_direct_reference_of_a_release_is_found_on_the_way() -> None:
    url = "https://files.example/x-9.0.tar.gz"
    index = universe({"lib": {"1.0": [f"x @ {url}"]}, "y": {"1.0": []}}, direct={url: Metadata("x", "9.0", ("y",))})
    assert World(index, specs(a=["lib"])).pins() == {"lib": "1.0", "x": url, "y": "1.0"}


def test_direct_reference_that_cannot_be_read_is_undecided() -> None:
    world = World(universe({}), specs(a=["x @ git+https://example/x.git"]))
    assert isinstance(world.ask(), Maybe)


def test_line_whose_marker_does_not_hold_asks_for_nothing() -> None:
    world = World(universe({"x": {"1.0": []}}), specs(a=["x", "gone ; sys_platform == 'win32'"]))
    assert world.pins() == {"x": "1.0"}


def test_line_added_later_is_asked_about_like_the_others() -> None:
    world = World(universe({"x": {"1.0": [], "2.0": []}}), specs(a=["x>=2"], b=["x<2"]))
    kernel = world.kernel
    kernel.add_line(world.lines[0])
    assert kernel.lines[2].kind is RequirementKind.REQUIREMENT
    x = kernel.packages[name("x")]
    assert kernel.solve([kernel.selectors[2], x.steps.at(1)])
    assert not kernel.solve([kernel.selectors[1], kernel.selectors[2]])
    assert {kernel.line_of(literal) for literal in kernel.core()} == {1, 2}


def test_facts_are_asked_for_once_in_a_run() -> None:
    index = universe({"x": {"1.0": ["y"], "2.0": ["y"]}, "y": {"1.0": []}})
    world = World(index, specs(a=["x"], b=["x<2"], c=["y"]), pythons=("3.12", "3.11"), platforms=("linux", "windows"))
    assert world.findings.complete
    assert max(index.listings_asked.values()) == 1
    assert max(index.metadata_asked.values()) == 1


def test_override_takes_the_place_of_the_whole_requirement_but_for_its_extra() -> None:
    """As uv does: of specifier, marker and extras, only the extra that a requirement belongs to is left."""
    index = universe(
        {
            "x": {"1.0": [], "2.0": Rel(requires=['y ; extra == "fast"'], extras=("fast",))},
            "y": {"1.0": []},
            "lib": {"1.0": Rel(requires=["x<2 ; sys_platform == 'win32'"])},
            "other": {"1.0": Rel(requires=["x<2 ; extra == 'more' and sys_platform == 'win32'"], extras=("more",))},
        }
    )
    for asked, pins in (
        ("x[fast]<2 ; sys_platform == 'win32'", {"x": "2.0"}),
        ("lib", {"lib": "1.0", "x": "2.0"}),
        ("other", {"other": "1.0"}),
        ("other[more]", {"other": "1.0", "x": "2.0"}),
    ):
        assert World(index, specs(a=[asked]), overrides("x>=2")).pins() == pins


def test_hashes_of_another_algorithm_than_the_index_lists_exclude_nothing() -> None:
    index = universe({"x": {"1.0": Rel(hashes=("sha256:" + "0" * 64,))}})
    for wanted, works in ((["sha512:" + "0" * 128], True), (["sha256:" + "1" * 64], False)):
        given = line("a", "x==1.0", hashes=tuple(wanted))
        assert isinstance(World(index, specs(a=[given])).ask(), Yes) == works


def test_lines_that_leave_only_a_prerelease_together_ask_for_it() -> None:
    """As in pip and uv, which look at all requirements of a package at once."""
    index = universe({"x": {"1.0": [], "1.5rc1": [], "2.0": []}})
    world = World(index, specs(a=["x>1.0"], b=["x<2.0"], c=["x"]))
    assert world.pins() == {"x": "1.5rc1"}
    assert world.pins("a", "c") == {"x": "2.0"}
    assert world.pins("b", "c") == {"x": "1.0"}
    assert world.clashes() == []


def test_range_in_three_lines_is_the_range_in_one() -> None:
    """1.1 is source alone, and older than the first wheel for this Python, 1.2."""
    wheel, source = Rel(tags=("cp311-cp311-manylinux_2_17_x86_64",)), Rel(tags=(), sdist=True)
    index = universe({"x": {"1.0": source, "1.1": source, "1.2": wheel, "1.3": wheel}})
    for given in (["x>=1.1,<1.3,!=1.2"], ["x>=1.1", "x<1.3", "x!=1.2"]):
        assert World(index, specs(a=given)).pins() == {"x": "1.1"}
    assert World(index, specs(a=["x>=1.1", "x<1.3"])).pins() == {"x": "1.2"}


def test_more_lines_may_leave_only_what_has_to_be_asked_for() -> None:
    """The newest final release clashes with y, and the pre-release may be chosen once c rules out all finals."""
    index = universe({"x": {"1.0": ["y<1"], "1.5rc1": [], "2.0": ["y<1"]}, "y": {"1.0": []}})
    world = World(index, specs(a=["x>=1.0", "y"], b=["x>1.0"], c=["x<2.0"]))
    assert isinstance(world.ask("a", "b"), No)
    assert world.pins("a", "b", "c") == {"x": "1.5rc1", "y": "1.0"}


def test_locked_releases_that_stand_among_others_take_no_variables_of_their_own() -> None:
    versions = {f"{major}.{minor}": [] for major in range(1, 40) for minor in ("0rc1", "0", "1")}
    yanked = {f"{major}.5": Rel(yanked="broken") for major in range(1, 40)}
    world = World(universe({"x": {**versions, **yanked}}), specs(a=["x>=2", "x<30"]))
    assert world.pins() == {"x": "29.1"}
    assert world.kernel.new_variable() < 30  # the next number


def test_neighbours_that_are_locked_for_different_reasons_are_told_apart() -> None:
    index = universe({"x": {"1.0": [], "2.0": Rel(yanked="broken"), "2.1rc1": [], "3.0": []}})
    assert World(index, specs(a=["x>1.0,<3.0"])).pins() == {"x": "2.1rc1"}
    assert World(index, specs(a=["x==2.0"])).pins() == {"x": "2.0"}
    assert isinstance(World(index, specs(a=["x>1.0,<2.1rc0"])).ask(), No)


def test_a_release_that_parts_a_locked_one_from_others_after_the_first_answer_leaves_it_locked() -> None:
    index = universe({"x": {"1.0": [], "1.5rc1": [], "2.0": []}, "lib": {"1.0": ["x<2.0"]}})
    world = World(index, specs(a=["x>1.0"], b=["lib"]))
    assert world.pins("a") == {"x": "2.0"}
    assert isinstance(world.ask("a", "b"), No)
