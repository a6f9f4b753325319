"""The exact words of clashes: one file a situation, ``tests/golden/explain-*.txt``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from builders import World, constraints, line, overrides, specs, universe
from msgspec.structs import replace
from msgspec.structs import replace as replace_fields

from conflictcheck import clash_words
from conflictcheck.clash_words import ClashWriter
from conflictcheck.environments import build_environment, notice_oddities
from conflictcheck.explanation import explain_lines
from conflictcheck.facts import Listing, Metadata
from conflictcheck.index.memory import MemoryIndex, Rel
from conflictcheck.settings import Policy
from conflictcheck.solver.oracle import Yes
from conflictcheck.solver.store import FactStore
from conflictcheck.wording import word_clash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.argument import Argument
    from conflictcheck.facts import Missing, Unknown
    from conflictcheck.model import Diagnostic, Spec

WINDOWS = "cp311-cp311-win_amd64"
LINUX = "cp311-cp311-manylinux_2_17_x86_64"
VERSIONS = ["1.0", "1.1", "1.2", "2.0", "2.1", "3.0"]


def plain(*versions: str) -> dict[str, list[str]]:
    return {version: [] for version in versions or VERSIONS}


def each(text: str, *versions: str) -> dict[str, list[str]]:
    return {version: [text] for version in versions}


def direct_ranges() -> World:
    return World(universe({"x": plain()}), specs(a=["x>=2"], b=["x<2"]))


def chain_of_one() -> World:
    return World(universe({"x": plain(), "lib": each("x<2", "1.0")}), specs(a=["x>=2"], b=["lib"]))


def chain_of_three() -> World:
    index = universe(
        {"x": plain(), "one": each("two", "1.0"), "two": each("three>=1", "1.0"), "three": each("x<2", "1.0")}
    )
    return World(index, specs(a=["x>=2"], b=["one"]))


def every_release_needs() -> World:
    lib = each("x>=1.1,<2", "1.0", "1.1", "1.2")
    return World(universe({"x": plain(), "lib": lib}), specs(a=["x>=2"], b=["lib"]))


def several_alternatives() -> World:
    lib = {"1.0": ["x==1.0"], "1.1": ["x==1.1"], "1.2": ["x==1.2"], "1.3": ["x==2.0"]}
    return World(universe({"x": plain(), "lib": lib}), specs(a=["x>=2.1"], b=["lib"]))


def several_alternatives_none_of_which_exists() -> World:
    lib = {"1.0": ["x==1.3"], "1.1": ["x==1.4"], "1.2": ["x==1.5"], "1.3": ["missing"]}
    web = {"1.0": ["missing<1"], "1.1": ["missing==1"], "1.2": ["missing>1"]}
    return World(universe({"x": plain(), "lib": lib, "web": web}), specs(a=["lib<1.3"], b=["web"]))


def rule_out() -> World:
    lib = {"1.0": ["x<1.1", "y<2"], "2.0": ["x>=3", "y<2"], "3.0": ["x>=3", "y>=2"]}
    return World(universe({"x": plain(), "y": plain(), "lib": lib}), specs(a=["x<3", "y>=2"], b=["lib"]))


def exclusions_that_nothing_turns_on() -> World:
    lib = each("x[fast]!=1.0,!=1.1,!=1.2,<3", "1.0")
    return World(universe({"x": plain(), "lib": lib}), specs(a=["x>=3"], b=["lib"]))


def exclusions_that_are_the_cause() -> World:
    lib = each("x!=1.0,!=1.1,!=1.2,<3", "1.0")
    return World(universe({"x": plain(), "lib": lib}), specs(a=["x==1.1"], b=["lib"]))


def exclusions_alone() -> World:
    lib = each("x!=2.0,!=2.1,!=3.0", "1.0")
    return World(universe({"x": plain(), "lib": lib}), specs(a=["x>=2"], b=["lib"]))


def two_libraries() -> World:
    index = universe({"x": plain(), "left": each("x<2", "1.0", "1.1"), "right": each("x>=2", "5.0", "5.1")})
    return World(index, specs(a=["left"], b=["right"]))


def case_distinction() -> World:
    index = universe(
        {"lib": {"1.0": ["x==1.0", "y==1.0"], "2.0": ["x==2.0", "y==2.0"]}, "x": plain("1.0", "2.0"),
         "y": plain("1.0", "2.0"), "left": {"1.0": ["x==1.0", "y==2.0"], "2.0": ["x==2.0", "y==1.0"]}}
    )  # fmt: skip
    return World(index, specs(a=["lib"], b=["left"]))


def python_line() -> World:
    return World(universe({"x": plain()}), specs(a=["x", "python>=3.12"]))


def python_of_releases() -> World:
    releases = {"1.0": Rel(), "2.0": Rel(requires_python=">=3.12"), "3.0": Rel(requires_python=">=3.13")}
    return World(universe({"x": releases}), specs(a=["x>=2"]))


def python_of_releases_between_specs() -> World:
    releases = {"1.0": Rel(), "2.0": Rel(), "3.0": Rel(requires_python=">=3.12")}
    lib = each("x>=3", "1.0")
    return World(universe({"x": releases, "lib": lib}), specs(a=["x<3"], b=["lib"]))


def python_of_wheels() -> World:
    return World(universe({"x": {"1.0": Rel(tags=("cp38-cp38-manylinux_2_17_x86_64",))}}), specs(a=["x"]))


def wheels_of_several_pythons_and_one_platform() -> World:
    linux = ("cp39-cp39-manylinux_2_17_x86_64", "cp310-cp310-manylinux_2_17_x86_64")
    windows = tuple(f"cp{minor}-cp{minor}-win_amd64" for minor in (36, 37, 38, 39, 310))
    releases = {
        "1.0": Rel(tags=linux[:1]),
        "2.0": Rel(tags=windows),
        "3.0": Rel(tags=linux),
        "4.0": Rel(tags=(WINDOWS, *linux)),
    }
    return World(universe({"x": releases}), specs(a=["x==1.0"], b=["x==2.0"], c=["x>=3"], d=["x"]))


def too_new_and_for_another_platform() -> World:
    before, after = "2023-01-01T00:00:00Z", "2025-01-01T00:00:00Z"
    releases = {
        "1.0": Rel(tags=(WINDOWS,), upload_time=before),
        "2.0": Rel(tags=(WINDOWS,), upload_time=after),
        "3.0": Rel(tags=(LINUX,), upload_time=after),
    }
    policy = Policy(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC))
    return World(universe({"x": releases}), specs(a=["x<3"], b=["x"]), policy=policy)


def platform() -> World:
    releases = {"1.0": Rel(tags=(WINDOWS,)), "1.1": Rel(tags=(WINDOWS,))}
    return World(universe({"x": releases}), specs(a=["x"]), platforms=("linux", "windows"))


def platform_between_specs() -> World:
    releases = {"1.0": Rel(tags=(LINUX,)), "2.0": Rel(tags=(WINDOWS,))}
    return World(universe({"x": releases}), specs(a=["x>=2 ; sys_platform == 'linux'"], b=["x"]))


def missing_package() -> World:
    return World(universe({}), specs(a=["nothing-like-this>=1"]))


def missing_package_deep() -> World:
    return World(universe({"lib": each("gone", "1.0", "1.1")}), specs(a=["lib"]))


def missing_version() -> World:
    return World(universe({"x": plain()}), specs(a=["x>=9"]))


def missing_version_deep() -> World:
    return World(universe({"x": plain(), "lib": each("x==2.5", "1.0")}), specs(a=["lib"]))


def too_new() -> World:
    releases = {
        "1.0": Rel(upload_time="2023-01-01T00:00:00Z"),
        "2.0": Rel(upload_time="2024-06-01T00:00:00Z"),
    }
    return World(
        universe({"x": releases}), specs(a=["x>=2"]), policy=Policy(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC))
    )


def only_binary() -> World:
    releases = {"1.0": Rel(), "2.0": Rel(tags=(), sdist=True)}
    return World(universe({"x": releases}), specs(a=["x>=2"]), policy=Policy(only_binary=frozenset({":all:"})))


def two_urls() -> World:
    urls = ["https://files.example/x-1.0.tar.gz", "https://files.example/x-2.0.tar.gz"]
    direct = {url: Metadata("x", version) for url, version in zip(urls, ["1.0", "2.0"], strict=True)}
    return World(universe({"x": plain()}, direct=direct), specs(a=[f"x @ {urls[0]}"], b=[f"x @ {urls[1]}"]))


def url_and_range() -> World:
    url = "https://files.example/x-1.0.tar.gz"
    return World(universe({"x": plain()}, direct={url: Metadata("x", "1.0")}), specs(a=[f"x @ {url}"], b=["x>=2"]))


def hashes() -> World:
    asked = line("a", "x==1.0", hashes=("sha256:" + "0" * 64,))
    return World(universe({"x": {"1.0": Rel(hashes=("sha256:" + "f" * 64,))}}), specs(a=[asked]))


def constraint() -> World:
    return World(universe({"x": plain(), "lib": each("x>=2", "1.0")}), specs(a=["lib"]), constraints("x<2"))


def constraint_in_a_spec() -> World:
    return World(universe({"x": plain()}), specs(a=["x", "-c x<2"], b=["x>=2"]))


def override() -> World:
    return World(universe({"x": plain(), "lib": each("x<2", "1.0")}), specs(a=["lib"]), overrides("x>=9"))


def only_prereleases() -> World:
    return World(
        universe({"x": plain("1.0", "2.0rc1"), "lib": each("x>=1.5,!=2.0rc1", "1.0")}), specs(a=["lib"], b=["x<2"])
    )


def prerelease_nobody_asks_for() -> World:
    return World(universe({"x": plain("1.0", "2.0rc1")}), specs(a=["x>=1"], b=["x!=1.0"], c=["x>1.0,<2.0"]))


def yanked() -> World:
    return World(universe({"x": {"1.0": Rel(), "2.0": Rel(yanked="broken")}}), specs(a=["x>=2"]))


def extra_chain() -> World:
    lib = {"1.0": Rel(requires=['x<2 ; extra == "fast"'], extras=("fast",))}
    return World(universe({"x": plain(), "lib": lib}), specs(a=["lib[fast]"], b=["x>=2"]))


def extra_of_a_dependency() -> World:
    lib = {"1.0": Rel(requires=['x<2 ; extra == "fast"'], extras=("fast",))}
    return World(
        universe({"x": plain(), "lib": lib, "top": each("lib[fast]", "1.0", "2.0")}), specs(a=["top"], b=["x>=2"])
    )


def alone() -> World:
    return World(universe({"x": plain(), "lib": each("x<2", "1.0")}), specs(a=["lib", "x>=2"]))


def several_pythons() -> World:
    return World(universe({"x": plain()}), specs(a=["x>=2"], b=["x<2"]), pythons=("3.12", "3.11"))


def one_reason_for_each_python() -> World:
    releases = {"1.0": Rel(requires_python=">=3.12")}
    return World(universe({"x": releases}), specs(a=["python<3.12"], b=["x"]), pythons=("3.12", "3.11"))


def no_python_in_common() -> World:
    return World(universe({}), specs(a=["python<3.12"], b=["python>=3.12"]), pythons=("3.12", "3.11"))


def prerelease_in_the_middle() -> World:
    index = universe({"x": plain("1.0", "2.0", "3.0rc1"), "lib": {"1.0": ["x!=1.0"]}})
    return World(index, specs(a=["lib"], b=["x!=2.0"]))


class QuietIndex(MemoryIndex):
    """Lists files without what they require of Python, as old indexes do."""

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        return [
            replace(found, files=tuple(replace(file, requires_python=None) for file in found.files))
            if isinstance(found, Listing)
            else found
            for found in super().listings(names)
        ]


def python_in_metadata_alone() -> World:
    return World(QuietIndex({"lib": {"1.0": Rel(requires_python=">=3.12")}}), specs(a=["lib"]))


def predates_the_python() -> World:
    releases = {"1.0": Rel(tags=(), sdist=True), "2.0": Rel(tags=(LINUX,)), "3.0": Rel(tags=(LINUX,))}
    return World(universe({"x": releases, "lib": {"1.0": ["x!=2.0"]}}), specs(a=["lib"], b=["x!=3.0"]))


def missing_version_near_one_that_predates_the_python() -> World:
    return World(universe({"x": _OLD_AND_NEW}), specs(a=["x==1.5"]))


def missing_version_beyond_what_can_be_used() -> World:
    return World(universe({"x": _OLD_AND_NEW}), specs(a=["x>9"]))


_OLD_AND_NEW = {
    "1.0": Rel(tags=(), sdist=True),
    "2.0": Rel(tags=(LINUX,)),
    "3.0": Rel(tags=(LINUX,)),
    "4.0": Rel(tags=(LINUX,), requires_python=">=3.12"),
}


def prerelease_disallowed() -> World:
    return World(universe({"x": plain("1.0", "2.0rc1")}), specs(a=["x>=2.0rc1"]), policy=Policy(prerelease="disallow"))


def only_source() -> World:
    return World(universe({"x": plain("1.0")}), specs(a=["x"]), policy=Policy(no_binary=frozenset({"x"})))


def two_restrictions() -> World:
    return World(
        universe({"x": plain(), "lib": each("x", "1.0")}), specs(a=["lib"]), [*constraints("x>=2"), *overrides("x<2")]
    )


def three_specs() -> World:
    return World(universe({"x": plain("1.0", "2.0", "3.0")}), specs(a=["x!=1.0"], b=["x!=2.0"], c=["x!=3.0"]))


def unusable_metadata() -> World:
    return World(universe({"x": plain(), "lib": each("x (one of", "1.0")}), specs(a=["lib"]))


def no_release_at_all() -> World:
    return World(universe({"x": {}}), specs(a=["x"]))


def missing_package_near_another() -> World:
    return World(universe({"requests": plain()}), specs(a=["reqeusts"], b=["requests>=2"]))


def missing_package_near_another_deep() -> World:
    return World(universe({"pyyaml": plain(), "lib": each("py-yml", "1.0")}), specs(a=["lib"], b=["pyyaml"]))


def missing_version_between_two() -> World:
    return World(universe({"x": plain("1.2.1", "1.2.2", "1.2.4", "1.3.0")}), specs(a=["x==1.2.3"]))


def missing_version_beyond_the_last() -> World:
    return World(universe({"x": plain()}), specs(a=["x==9.0"]))


def missing_versions_of_a_series() -> World:
    return World(universe({"x": plain()}), specs(a=["x==2.5.*"]))


def extra_chain_of_three() -> World:
    top = {"1.0": Rel(requires=['lib[fast]>=1 ; extra == "all"'], extras=("all",))}
    lib = {"1.0": Rel(requires=['x<2 ; extra == "fast"'], extras=("fast",))}
    return World(universe({"x": plain(), "lib": lib, "top": top}), specs(a=["top[all]"], b=["x>=2"]))


def extra_that_no_release_has_in_a_clash() -> World:
    return World(universe({"x": plain(), "lib": each("x<2", "1.0")}), specs(a=["lib[turbo]"], b=["x>=2"]))


def override_against_a_line() -> World:
    index = universe({"x": {"1.0": ["y<2"], "2.0": ["y>=2"]}, "y": plain()})
    return World(index, specs(a=["x<2", "y<2"]), overrides("x>=2"))


def two_overrides() -> World:
    return World(universe({"x": plain()}), specs(a=["x"]), overrides("x>=2", "x<2"))


def two_constraints() -> World:
    return World(universe({"x": plain(), "lib": each("x", "1.0")}), specs(a=["lib"]), constraints("x>=2", "x<2"))


def constraint_against_a_pin() -> World:
    return World(universe({"x": plain()}), specs(a=["x==2.1"], b=["x"]), constraints("x<2"))


def marker_on_one_of_two_platforms() -> World:
    given = specs(a=['x<2 ; sys_platform == "win32"'], b=["x>=2"])
    return World(universe({"x": plain()}), given, platforms=("linux", "windows"))


def marker_of_a_dependency() -> World:
    lib = each('x<2 ; python_version < "3.12"', "1.0")
    return World(universe({"x": plain(), "lib": lib}), specs(a=["lib"], b=["x>=2"]))


def three_specs_whose_pairs_are_fine() -> World:
    libraries = {f"lib{n}": each(f"x!={n}.0", "1.0") for n in (1, 2, 3)}
    index = universe({"x": plain("1.0", "2.0", "3.0"), **libraries})
    return World(index, specs(a=["lib1"], b=["lib2"], c=["lib3"]))


def three_specs_through_releases() -> World:
    lib = {"1.0": ["x<2"], "2.0": ["x>=2", "y>=2"]}
    return World(universe({"x": plain(), "y": plain(), "lib": lib}), specs(a=["lib"], b=["x>=2"], c=["y<2"]))


def python_in_the_middle() -> World:
    middle = {"1.0": Rel(requires=["x<2"]), "2.0": Rel(requires=["x>=2"], requires_python=">=3.12")}
    index = universe({"x": plain(), "lib": each("middle", "1.0"), "middle": middle})
    return World(index, specs(a=["lib"], b=["x>=2"]))


def python_in_the_middle_of_one_chain() -> World:
    middle = {"1.0": Rel(requires=["x"], requires_python=">=3.12"), "1.1": Rel(requires_python=">=3.12")}
    return World(universe({"x": plain(), "lib": each("middle", "1.0"), "middle": middle}), specs(a=["lib"]))


def python_that_is_too_new() -> World:
    releases = {"1.0": Rel(requires_python="<3.8"), "1.1": Rel(requires_python="<3.8")}
    return World(universe({"x": releases}), specs(a=["x"]))


def platform_in_the_middle() -> World:
    middle = {"1.0": Rel(requires=["x<2"], tags=(LINUX,)), "2.0": Rel(tags=(WINDOWS,))}
    return World(universe({"x": plain(), "lib": each("middle>=2", "1.0"), "middle": middle}), specs(a=["lib"]))


def editable_project() -> World:
    url = "file:///work/shop"
    project = Metadata("shop", "0.1", ("x<2",), source="local")
    asked = replace_fields(line("a", f"shop @ {url}"), text="-e ./shop", editable=True)
    return World(universe({"x": plain()}, direct={url: project}), specs(a=[asked], b=["x>=2"]))


PROJECT = "file:///srv/shop"
NEWER_PROJECT = universe({}, direct={PROJECT: Metadata("shop", "0.1", (), ">=3.12", source="local")})


def project_for_another_python() -> World:
    asked = replace_fields(line("a", f"shop @ {PROJECT}"), text="-e ./shop", editable=True)
    return World(NEWER_PROJECT, specs(a=[asked]))


def project_beside_a_line_that_names_it_alone() -> World:
    return World(NEWER_PROJECT, specs(a=[f"shop @ {PROJECT}"], b=["shop"]))


def project_and_range_of_what_no_index_has() -> World:
    index = universe({}, direct={PROJECT: Metadata("shop", "0.1", (), source="local")})
    return World(index, specs(a=[f"shop @ {PROJECT}"], b=["shop>=2"]))


def alternatives_cut_with_a_count() -> World:
    lib = {f"1.{n}": [f"x==2.{n}"] for n in range(6)}
    x = plain("1.0", *(f"2.{n}" for n in range(6)))
    return World(universe({"x": x, "lib": {**lib, "0.1": ["y<2"]}, "y": plain()}), specs(a=["x<2", "y>=2"], b=["lib"]))


def ranges_cut_with_a_count() -> World:
    x = plain(*(f"1.{n}" for n in range(12)))
    odd = ",".join(f"!=1.{n}" for n in range(0, 12, 2))
    even = ",".join(f"!=1.{n}" for n in range(1, 12, 2))
    return World(universe({"x": x}), specs(a=[f"x{odd}"], b=[f"x{even}"]))


def url_of_a_dependency_and_range() -> World:
    url = "https://files.example/x-1.0.tar.gz"
    index = universe({"x": plain(), "lib": each(f"x @ {url}", "1.0")}, direct={url: Metadata("x", "1.0")})
    return World(index, specs(a=["lib"], b=["x>=2"]))


def url_and_constraint() -> World:
    url = "https://files.example/x-1.0.tar.gz"
    return World(
        universe({"x": plain()}, direct={url: Metadata("x", "1.0")}), specs(a=[f"x @ {url}"]), constraints("x>=2")
    )


def yanked_between_specs() -> World:
    releases = {"1.0": Rel(), "2.0": Rel(yanked="broken"), "3.0": Rel()}
    return World(universe({"x": releases}), specs(a=["x>=2"], b=["x<3"]))


def too_new_between_specs() -> World:
    releases = {version: Rel(upload_time=f"{year}-01-01T00:00:00Z") for version, year in
                (("1.0", 2022), ("3.0", 2023), ("1.5", 2025), ("1.6", 2025))}  # fmt: skip
    given = specs(a=["x>=1.2"], b=["x<2"])
    return World(universe({"x": releases}), given, policy=Policy(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC)))


def everything_is_too_new() -> World:
    releases = {version: Rel(upload_time="2025-01-01T00:00:00Z") for version in VERSIONS}
    return World(
        universe({"x": releases}), specs(a=["x"]), policy=Policy(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC))
    )


def no_upload_date() -> World:
    return World(
        universe({"x": plain("1.0")}), specs(a=["x"]), policy=Policy(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC))
    )


SITUATIONS = [
    direct_ranges, chain_of_one, chain_of_three, every_release_needs, several_alternatives, rule_out, two_libraries,
    case_distinction, python_line, python_of_releases, python_of_releases_between_specs, python_of_wheels, platform,
    platform_between_specs, missing_package, missing_package_deep, missing_version, missing_version_deep, too_new,
    only_binary, two_urls, url_and_range, hashes, constraint, constraint_in_a_spec, override, only_prereleases,
    prerelease_nobody_asks_for, yanked, extra_chain, extra_of_a_dependency, alone, several_pythons, three_specs,
    one_reason_for_each_python, no_python_in_common, prerelease_in_the_middle, python_in_metadata_alone,
    predates_the_python, prerelease_disallowed, only_source, two_restrictions, unusable_metadata, no_release_at_all,
    missing_package_near_another, missing_package_near_another_deep, missing_version_between_two,
    missing_version_beyond_the_last, missing_versions_of_a_series, extra_chain_of_three,
    extra_that_no_release_has_in_a_clash, override_against_a_line, two_overrides, two_constraints,
    constraint_against_a_pin, marker_on_one_of_two_platforms, marker_of_a_dependency,
    three_specs_whose_pairs_are_fine, three_specs_through_releases, python_in_the_middle,
    python_in_the_middle_of_one_chain, python_that_is_too_new, platform_in_the_middle, editable_project,
    alternatives_cut_with_a_count, ranges_cut_with_a_count, url_of_a_dependency_and_range, url_and_constraint,
    yanked_between_specs, too_new_between_specs, everything_is_too_new, no_upload_date,
    exclusions_that_nothing_turns_on, exclusions_that_are_the_cause, exclusions_alone,
    several_alternatives_none_of_which_exists, missing_version_near_one_that_predates_the_python,
    missing_version_beyond_what_can_be_used, project_for_another_python, project_beside_a_line_that_names_it_alone,
    project_and_range_of_what_no_index_has, wheels_of_several_pythons_and_one_platform,
    too_new_and_for_another_platform,
]  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_clash_in_words(situation: Callable[[], World], golden: Callable[[str, str], None]) -> None:
    world = situation()
    shown = []
    for core in world.findings.cores:
        words = world.words(core)
        shown += [
            f"[{words.kind}] {', '.join(words.packages)}",
            words.summary,
            *(f"- {step}" for step in words.steps),
            "",
        ]
        assert len(words.steps) <= 8
        assert words.summary.endswith(".")
    assert shown
    golden(f"explain-{situation.__name__.replace('_', '-')}.txt", "\n".join(shown))


def test_argument_that_is_too_long_to_print(golden: Callable[[str, str], None]) -> None:
    world = direct_ranges()
    words = word_clash(world.kernel, world.findings.cores[0].lines, None)

    golden("explain-no-argument.txt", "\n".join([words.summary, *(f"- {step}" for step in words.steps), ""]))


def test_extra_that_no_release_has(golden: Callable[[str, str], None]) -> None:
    lib = {"1.0": Rel(extras=("fast",)), "1.1": Rel(extras=("fast",))}
    given = specs(a=["lib[turbo]"])
    report = report_on(universe({"lib": lib}), given)

    golden("explain-unknown-extra.txt", "".join(f"{one.file}:{one.line}: {one.message}\n" for one in report))


def report_on(index: MemoryIndex, given: list[Spec]) -> list[Diagnostic]:
    """What is noticed about the environment of some specs that fit."""
    world = World(index, given)
    names = tuple(spec.id for spec in world.specs)
    answer = world.oracle.resolve(world.lines_of())
    assert isinstance(answer, Yes)
    environment = build_environment(world.oracle, "all", names, world.lines_of(), answer)
    return notice_oddities(world.oracle, FactStore(index), [environment], world.lines)


def argument_of(index: MemoryIndex, *lines: str) -> str:
    world = World(index, specs(w=list(lines)))
    [core] = world.findings.cores
    return "\n".join(world.words(core).steps)


def four_that_all_differ() -> MemoryIndex:
    """Four packages with three versions each, no two of the same version together."""
    names, versions = "abcd", ("1.0", "2.0", "3.0")
    return universe(
        {name: {one: [f"{other}!={one}" for other in names if other != name] for one in versions} for name in names}
    )


def test_case_inside_of_a_case_says_what_it_supposes() -> None:
    steps = argument_of(four_that_all_differ(), *"abcd")
    assert "With a 3.0: a 3.0 needs " in steps
    assert "Suppose b 2.0. b 2.0 needs " in steps


def test_a_distinction_that_takes_no_other_inside_is_preferred() -> None:
    index = universe(
        {
            "a": {"1.0": ["b[q]>=3.0"], "3.0": ["b>=2.0"]},
            "b": {"2.0": ["c>=3.0"], "3.0": ["c[p]!=2.0"]},
            "c": {"1.0": Rel(requires=["d[q]<=1.0 ; extra == 'p'"], extras=("p",)), "3.0": ["d"]},
            "d": {"2.0": ["e[p]<2.0"]},
        }
    )
    steps = argument_of(index, "a[q]>=1.0")
    assert "Suppose" not in steps
    assert steps.endswith("So no release of b is left.")


def test_what_is_needed_in_every_case_is_said_once() -> None:
    index = universe(
        {"lib": {"1.0": ["x==1.0", "far"], "2.0": ["x==2.0", "far"]}, "x": {"1.0": ["y==2.0"], "2.0": ["y==1.0"]},
         "y": plain("1.0", "2.0"), "far": {"1.0": ["near"]}, "near": {"1.0": ["x", "z"]},
         "z": {"1.0": ["x==1.0", "y==1.0"], "2.0": ["x==2.0", "y==2.0"]}}
    )  # fmt: skip
    steps = argument_of(index, "lib")
    assert steps.count("near 1.0, the only") + steps.count("near 1.0 needs") == 1


def test_an_argument_of_too_many_cases_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflictcheck.explanation._BUDGET", 2)
    assert argument_of(four_that_all_differ(), *"abcd").endswith("the argument is too long to print.")


def test_clashes_by_the_same_lines_have_one_argument_and_each_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = {"web": {"1.0": ["core<2"]}, "nlp": {"3.0": ["core>=2"]}, "core": {"1.0": [], "2.0": []}}
    stated = {"a": "web", "b": "nlp", "c": "core>=2"}
    named = {f"{name}{i}": [text, f"x>={i}"] for name, text in stated.items() for i in "12"}
    world = World(universe(packages | {"x": {"9": []}}), specs(**named))
    cores = world.findings.cores
    alone = [word_clash(world.kernel, core.lines, explain_lines(world.kernel, core.lines)) for core in cores]
    explained: list[object] = []

    def explain(*given: Any) -> Argument | None:
        explained.append(given)
        return explain_lines(*given)

    monkeypatch.setattr(clash_words, "explain_lines", explain)
    writer = ClashWriter(world.oracle)
    assert [writer.write(core) for core in cores] == alone
    assert (len(cores), len({words.summary for words in alone}), len(explained)) == (8, 8, 2)
