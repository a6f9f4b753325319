"""What decides in benchmarks/compare_resolvers.py: the rules of each resolver, and when a difference is explained."""

from __future__ import annotations

import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import World, specs, universe

from conflictcheck.index.memory import Rel
from conflictcheck.settings import Policy

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from compare_resolvers import Resolvers, ask, judge_all, table
from index_server import IndexServer
from made_up_indexes import FLAVOURS, Universe, make_universe
from resolver_differences import SAME, UNEXPLAINED, Question, Reply, changing, judge
from resolver_rules import HERE, OURS, THEIRS, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from resolver_rules import Pins

UV = THEIRS["uv"][0]
TARGET = "3.11 linux"


def question(
    packages: Mapping[str, Mapping[str, Rel | Sequence[str]]],
    *specs: Sequence[str],
    constraints: Iterable[str] = (),
    overrides: Iterable[str] = (),
    pythons: tuple[str, ...] = ("3.11",),
) -> Question:
    """Everything that these specs ask of these packages, on Linux."""
    releases = {
        name: {version: given if isinstance(given, Rel) else Rel(requires=given) for version, given in found.items()}
        for name, found in packages.items()
    }
    files = {f"{letter}.txt": lines for letter, lines in zip("xyz", specs, strict=False)}
    universe = Universe(0, "plain", releases, files, list(constraints), list(overrides), pythons, ("linux",))
    return Question(universe, list(files))


def pins(**chosen: str) -> Reply:
    """An environment on the one target; keywords are packages, ``_`` stands for a dot in a version."""
    return Reply({TARGET: {name: version.replace("_", ".") for name, version in chosen.items()}})


NONE = Reply()

# -- the rules ---------------------------------------------------------------------------------------------------------

RULES = {
    "a requirement that no final release satisfies": (
        question({"a": {"1.0": [], "2.0rc1": []}, "b": {"1.0": ["a>=1"]}, "c": {"1.0": ["a!=1.0"]}}, ["b", "c"]),
        "uv", pins(a="2_0rc1", b="1_0", c="1_0"), pins(a="2_0rc1", b="1_0", c="1_0"), SAME,
    ),
    "no single line rules out every final release, all together do": (
        question({"a": {"1.0": [], "1.5rc1": [], "2.0": []}}, ["a>1.0", "a<2.0"]),
        "uv", pins(a="1_5rc1"), pins(a="1_5rc1"), SAME,
    ),
    "a line and a release rule out every final release together": (
        question({"a": {"1.0": [], "1.5rc1": [], "2.0": []}, "b": {"1.0": ["a<2.0"]}}, ["a>1.0", "b"]),
        "uv", NONE, pins(a="1_5rc1", b="1_0"), "works, only uv: prereleases",
    ),
    "pip looks at all requirements together as well": (
        question({"a": {"1.0": [], "1.5rc1": [], "2.0": []}, "b": {"1.0": ["a<2.0"]}}, ["a>1.0", "b"]),
        "pip", NONE, pins(a="1_5rc1", b="1_0"), "works, only pip: prereleases",
    ),
    "for pip a release may name a pre-release": (
        question({"a": {"1.0": [], "2.0rc1": []}, "b": {"1.0": ["a>=1.0rc1"]}}, ["b"]),
        "pip", pins(a="1_0", b="1_0"), pins(a="2_0rc1", b="1_0"), "versions: prereleases",
    ),
    "pip takes a pre-release that a release asked for which it gave up": (
        question(
            {"a": {"1.0": ["c"], "2.0rc1": []}, "b": {"1.0": []}, "c": {"1.0": ["a>=2.0rc1", "b>1.0"]}}, ["a", "b!=0"]
        ),
        "pip", NONE, pins(a="2_0rc1", b="1_0"), "works, only pip: prereleases",
    ),
    "a yanked release is pinned by another release": (
        question({"a": {"1.0": Rel(yanked=""), "2.0": []}, "b": {"1.0": ["a==1.0"]}}, ["b"]),
        "uv", pins(a="1_0", b="1_0"), NONE, "works, only conflictcheck: yanked",
    ),
    "a yanked release is pinned by a line that says nothing else": (
        question({"a": {"1.0": Rel(yanked=""), "2.0": []}}, ["a==1.0"]), "uv", pins(a="1_0"), pins(a="1_0"), SAME,
    ),
    "a yanked release is pinned by a line that says more": (
        question({"a": {"1.0": Rel(yanked=""), "2.0": []}}, ["a==1.0,>0"]),
        "uv", pins(a="1_0"), NONE, "works, only conflictcheck: yanked",
    ),
    "pip meets a requirement that only the yanked release satisfies before it meets the pin": (
        question({"a": {"1.0": Rel(yanked=""), "2.0": []}, "b": {"1.0": ["a<2.0"]}}, ["b", "a==1.0"]),
        "pip", pins(a="1_0", b="1_0"), NONE, "works, only conflictcheck: yanked",
    ),
    "pip meets a requirement that a final release satisfies before it meets one that names the pre-release": (
        question({"a": {"1.0": ["c>1.0"], "2.0rc1": []}, "b": {"1.0": ["a>=2.0rc1"]}, "c": {"1.0": []}}, ["a", "b"]),
        "pip", pins(a="2_0rc1", b="1_0"), NONE, "works, only conflictcheck: prereleases",
    ),
    "pip meets the requirement that names the pre-release first": (
        question({"a": {"1.0": ["c>1.0"], "2.0rc1": []}, "b": {"1.0": ["a>=2.0rc1"]}, "c": {"1.0": []}}, ["a", "b"]),
        "pip", pins(a="2_0rc1", b="1_0"), pins(a="2_0rc1", b="1_0"), SAME,
    ),
    "pip meets the pin of the yanked release first": (
        question({"a": {"1.0": Rel(yanked=""), "2.0": []}, "b": {"1.0": ["a<2.0"]}}, ["b", "a==1.0"]),
        "pip", pins(a="1_0", b="1_0"), pins(a="1_0", b="1_0"), SAME,
    ),
    "a source distribution from before the package's wheels for this Python": (
        question(
            {
                "a": {"1.0": Rel(tags=(), sdist=True), "2.0": Rel(["b>1.0"], tags=("cp311-cp311-win_amd64",))},
                "b": {"1.0": []},
            },
            ["a", "a<9"],
        ),
        "uv", pins(a="1_0"), pins(a="1_0"), SAME,
    ),
    "it is taken to get around a bound": (
        question(
            {
                "a": {
                    "1.0": Rel(tags=(), sdist=True),
                    "2.0": Rel(["b>1.0"], tags=("cp311-cp311-manylinux_2_17_x86_64",)),
                },
                "b": {"1.0": []},
            },
            ["a", "b"],
        ),
        "uv", NONE, pins(a="1_0", b="1_0"), "works, only uv: old_sources",
    ),
    "uv does not look at the upper bound of Requires-Python": (
        question({"a": {"1.0": [], "2.0": Rel(requires_python=">=3.8,<3.11")}}, ["a"]),
        "uv", pins(a="1_0"), pins(a="2_0"), "versions: requires_python",
    ),
    "the lower bound of Requires-Python counts for all": (
        question({"a": {"1.0": [], "2.0": Rel(requires_python=">=3.12")}}, ["a"]),
        "uv", pins(a="1_0"), pins(a="1_0"), SAME,
    ),
    "a yanked release is pinned, and a standing one with a local version is the same pin's": (
        question({"a": {"1.0": Rel(yanked=""), "1.0+local": ["b>1.0"]}, "b": {"1.0": []}}, ["a==1.0", "b"]),
        "uv", NONE, pins(a="1_0", b="1_0"), "works, only uv: yanked",
    ),
    "an override replaces the marker": (
        question({"a": {"1.0": []}}, ["a<1 ; sys_platform == 'win32'"], overrides=["a>=1"]),
        "uv", pins(a="1_0"), pins(a="1_0"), SAME,
    ),
    "an override replaces the extras": (
        question({"a": {"1.0": ["b ; extra == 'p'"]}}, ["a[p]<1"], overrides=["a>=1"]),
        "uv", pins(a="1_0"), pins(a="1_0"), SAME,
    ),
    "an override of what an extra needs holds for that extra": (
        question({"a": {"1.0": ["b<1 ; extra == 'p'"]}, "b": {"1.0": []}}, ["a"], overrides=["b>=1"]),
        "uv", pins(a="1_0"), pins(a="1_0"), SAME,
    ),
    "a constraint names a pre-release": (
        question({"a": {"1.0": [], "2.0rc1": []}}, ["a"], constraints=["a>=2.0rc1"]),
        "pip", pins(a="2_0rc1"), pins(a="2_0rc1"), SAME,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "peer", "ours", "theirs", "found"), RULES.values(), ids=RULES)
def test_each_rule_says_where_it_makes_a_difference(
    asked: Question, peer: str, ours: Reply, theirs: Reply, found: str
) -> None:
    assert judge(asked, peer, ours, theirs) == found


def test_every_rule_that_differs_has_a_situation() -> None:
    named = {rule for *_, found in RULES.values() for rule in found.partition(": ")[2].split(" and ") if rule}

    assert named == {field.name for field in fields(Rules)}


# -- what is explained -------------------------------------------------------------------------------------------------

DIAMOND = {"a": {"1.0": ["c==2.0"], "2.0": ["c==1.0"]}, "b": {"1.0": ["c"]}, "c": {"1.0": [], "2.0": []}}


def test_two_packages_cannot_both_be_at_their_newest_and_each_resolver_chooses_one() -> None:
    ours, theirs = pins(a="2_0", b="1_0", c="1_0"), pins(a="1_0", b="1_0", c="2_0")

    assert judge(question(DIAMOND, ["a", "b"]), "uv", ours, theirs) == "versions: which gives way"


def test_a_peer_chooses_something_older_for_nothing() -> None:
    asked = question({"a": {"1.0": [], "2.0": []}}, ["a"])

    assert judge(asked, "pip", pins(a="2_0"), pins(a="1_0")) == "versions: pip is older than need be"


def test_conflictcheck_chooses_something_older_for_nothing() -> None:
    asked = question({"a": {"1.0": [], "2.0": []}}, ["a"])

    assert judge(asked, "pip", pins(a="1_0"), pins(a="2_0")) == "versions: conflictcheck is older than need be"


def test_pip_finds_nothing_and_takes_what_conflictcheck_found() -> None:
    asked = question({"a": {"1.0": []}}, ["a"])

    assert judge(asked, "pip", pins(a="1_0"), Reply(accepts=True)) == "works, only conflictcheck: pip gives up"
    assert judge(asked, "pip", pins(a="1_0"), NONE).startswith(UNEXPLAINED)
    assert judge(asked, "pip", NONE, Reply(accepts=True)).startswith(UNEXPLAINED)


def test_uv_prefers_a_final_release_where_a_line_names_a_pre_release() -> None:
    asked = question({"a": {"1.0": [], "2.0rc1": []}}, ["a>=1.0rc1"])

    assert judge(asked, "uv", pins(a="2_0rc1"), pins(a="1_0")) == "versions: final releases first"
    assert judge(asked, "pip", pins(a="2_0rc1"), pins(a="1_0")) == "versions: pip is older than need be"


WRONG = {
    "an environment where there is none": ({"a": {"1.0": []}}, ["a>1"], pins(a="1_0")),
    "none where there is one": ({"a": {"1.0": []}}, ["a"], NONE),
    "a package that nobody asked for": ({"a": {"1.0": []}, "b": {"1.0": []}}, ["a"], pins(a="1_0", b="1_0")),
    "a package that is missing": ({"a": {"1.0": ["b"]}, "b": {"1.0": []}}, ["a"], pins(a="1_0")),
    "a release that is too old": ({"a": {"1.0": ["b>1"]}, "b": {"1.0": [], "2.0": []}}, ["a"], pins(a="1_0", b="1_0")),
    "a release that does not exist": ({"a": {"1.0": []}}, ["a"], pins(a="3_0")),
    "a release for another platform": (
        {"a": {"1.0": [], "2.0": Rel(tags=("cp311-cp311-win_amd64",))}}, ["a"], pins(a="2_0"),
    ),
    "a yanked release that nobody pins": ({"a": {"1.0": Rel(yanked=""), "2.0": []}}, ["a<2"], pins(a="1_0")),
    "an extra that is left out": ({"a": {"1.0": ["b ; extra == 'p'"]}, "b": {"1.0": []}}, ["a[p]"], pins(a="1_0")),
    "trouble": ({"a": {"1.0": []}}, ["a"], Reply(trouble="no route to host")),
}  # fmt: skip


@pytest.mark.parametrize(("packages", "lines", "wrong"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_never_explained_whoever_gives_it(
    packages: Mapping[str, Mapping[str, Rel | Sequence[str]]], lines: Sequence[str], wrong: Reply
) -> None:
    asked = question(packages, lines)
    found = asked.places["3.11", "linux"].possible(OURS)
    right = NONE if found is None else Reply({TARGET: found})

    assert judge(asked, "uv", right, right) == SAME
    assert judge(asked, "uv", right, wrong).startswith(UNEXPLAINED)
    assert judge(asked, "pip", wrong, right).startswith(UNEXPLAINED)
    assert judge(asked, "uv", wrong, wrong).startswith(UNEXPLAINED)


def test_a_spec_that_works_only_in_company_is_impossible_for_the_report() -> None:
    packages = {"a": {"1.0": [], "2.0rc1": []}, "b": {"1.0": ["a>=1", "a!=1.0"], "2.0": ["a>1.0", "a<1.5"]}}
    asked = question({**packages, "a": {"1.0": [], "1.2rc1": [], "2.0": []}}, ["b==2.0"], ["a>=1.2rc1"])

    assert judge(asked, "uv", NONE, pins(a="1_2rc1", b="2_0")) == "works, only uv: each spec alone"
    assert judge(asked, "uv", NONE, NONE).startswith(UNEXPLAINED)


def test_uv_works_on_a_newer_python() -> None:
    asked = question({"a": {"1.0": Rel(requires_python="<3.12")}}, ["a"], pythons=("3.12", "3.11"))
    ours, theirs = Reply({"3.11 linux": {"a": "1.0"}}), Reply({"3.12 linux": {"a": "1.0"}})

    assert judge(asked, "uv", ours, theirs) == "Python: requires_python"


def test_pip_runs_in_circles() -> None:
    asked = question({"a": {"1.0": []}}, ["a"])
    crash = "  File resolution.py, line 624, in _has_route_to_root\nRecursionError: maximum recursion depth exceeded"

    assert judge(asked, "pip", pins(a="1_0"), Reply(trouble=crash)) == "no answer: pip crashes"
    assert judge(asked, "pip", NONE, Reply(trouble=crash)).startswith(UNEXPLAINED)


def test_the_fewest_rules_are_named() -> None:
    assert changing(UV, lambda _: True) is None
    assert changing(UV, lambda rules: rules.yanked == "requirement") == ("yanked",)
    assert changing(UV, lambda rules: rules.yanked == "line" and rules.requires_python == "lower") == (
        "yanked",
        "requires_python",
    )


def test_a_pre_release_that_a_line_and_a_release_leave_is_chosen_where_a_line_names_it_or_all_are_allowed() -> None:
    index = universe({"a": {"1.0": [], "1.5rc1": [], "2.0": []}, "b": {"1.0": ["a<2.0"]}})
    apart, named = specs(x=["a>1.0"], y=["b"]), specs(x=["a>=1.5rc1"], y=["b"])

    assert World(index, apart).clashes() == [("x", "y")]
    assert World(index, named).clashes() == []
    assert World(index, apart, policy=Policy(prerelease="allow")).clashes() == []


# -- the run -----------------------------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_universe_every_time() -> None:
    assert make_universe(7, here=False) == make_universe(7, here=False)
    assert make_universe(7, here=False) != make_universe(17, here=False)


def test_the_universes_have_something_to_find() -> None:
    universes = [make_universe(seed, here=False) for seed in range(60)]
    asked = [Question(universe, files) for universe in universes for files in universe.questions()]
    works = sum(each.works(OURS) for each in asked)

    assert {universe.flavour for universe in universes} == set(FLAVOURS)
    assert len(asked) / 4 < works < len(asked) * 0.9
    assert any(len(universe.pythons) > 1 for universe in universes)
    assert any(len(universe.platforms) > 1 for universe in universes)
    assert any(universe.overrides for universe in universes)
    assert sum(len(universe.packages) > 6 for universe in universes) > 3
    assert not any(make_universe(seed, here=True).overrides for seed in range(60))
    assert make_universe(0, here=True).pythons == (HERE,)


def test_the_table_counts_and_says_what_is_left() -> None:
    found = [("uv", SAME), ("uv", SAME), ("uv", f"{UNEXPLAINED}: one"), ("uv", f"{UNEXPLAINED}: two"), ("pip", SAME)]

    assert table(found) == (
        "5 questions\n\n| peer | answers | times |\n| --- | --- | --- |\n| uv | the same | 2 |\n"
        "| uv | unexplained | 2 |\n| pip | the same | 1 |\n\nleft unexplained: 2"
    )


@pytest.mark.parametrize("peer", ["uv", "pip"])
def test_a_few_universes_leave_nothing_unexplained(peer: str, tmp_path: Path) -> None:
    uv = pytest.importorskip("uv").find_uv_bin() if peer == "uv" else ""
    here = peer == "pip"
    with IndexServer({}, metadata_files=True, max_age=600) as index, Resolvers(tmp_path, index, uv) as resolvers:
        answers = {seed: ask(make_universe(seed, here=here), resolvers, [peer]) for seed in (3, 8)}

    found = [each for seed, given in answers.items() for each in judge_all(seed, given, here=here)]

    assert len(found) >= 10
    assert [said for _, said in found if said.startswith(UNEXPLAINED)] == []
    assert any(answer["replies"][peer]["pins"] for given in answers.values() for answer in given)


def test_a_peer_whose_answer_is_known_is_not_asked_again(tmp_path: Path) -> None:
    universe = make_universe(3, here=False)
    said = {"uv": asdict(Reply(trouble="as before"))}
    known = [{"files": list(files), "replies": said} for files in universe.questions()]
    with IndexServer({}, metadata_files=True) as index, Resolvers(tmp_path, index, "no-such-command") as resolvers:
        answers = ask(universe, resolvers, ["uv"], known)

    assert [answer["replies"]["uv"] for answer in answers] == [said["uv"]] * len(known)
    assert any(answer["replies"]["conflictcheck"]["pins"] for answer in answers)


def test_pip_is_given_the_environment_where_it_found_none(tmp_path: Path) -> None:
    # Its search gives up on the pair, and on the second spec alone (pip 26.3).
    universe = make_universe(439, here=True)
    with IndexServer({}, metadata_files=True) as index, Resolvers(tmp_path, index, "") as resolvers:
        resolvers.serve(universe)
        ours = resolvers.conflictcheck(universe, ["y.txt"])

        assert resolvers.pip_accepts(universe, ["y.txt"], ours)
        assert not resolvers.pip_accepts(universe, ["y.txt"], Reply({f"{HERE} {HERE}": {"u439h-d": "1.0"}}))


def test_a_wrong_pin_would_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    universe = make_universe(3, here=False)
    files = next(iter(universe.questions()))
    chosen: dict[str, Pins] = {f"{python} linux": {} for python in universe.pythons}
    replies = {"conflictcheck": {"pins": chosen, "trouble": ""}, "uv": {"pins": chosen, "trouble": ""}}

    (found,) = judge_all(3, [{"files": files, "replies": replies}], here=False)

    assert found[1].startswith(UNEXPLAINED)
    assert capsys.readouterr().out.startswith("3 uv x.txt unexplained")
