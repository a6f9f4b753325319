"""Environments that rest on very old releases, and lines without bounds."""

from __future__ import annotations

import pytest
from builders import World, constraints, line, spec, specs, universe
from msgspec.structs import replace

from conflictcheck.cautions import notice_missing_hashes, notice_old_releases, notice_unbounded
from conflictcheck.environments import build_environment
from conflictcheck.index.memory import Rel
from conflictcheck.model import (
    Clash,
    ClashKind,
    Environment,
    IndexOptions,
    Requirement,
    RequirementKind,
    Severity,
    SpecId,
)
from conflictcheck.solver.oracle import Yes


def dated(**releases: tuple[str, list[str]]) -> dict[str, Rel]:
    """``v1=("2019", ["a<2"])``: releases with the year of their upload and what they need."""
    return {
        version[1:].replace("_", "."): Rel(requires=needs, upload_time=f"{year}-06-01T00:00:00Z")
        for version, (year, needs) in releases.items()
    }


def environments_of(world: World) -> list[Environment]:
    environments = []
    for part in world.split.parts:
        lines = world.lines_of(*part)
        answer = world.oracle.resolve(lines)
        assert isinstance(answer, Yes)
        assert isinstance(world.oracle.ask(lines), Yes)
        environments.append(build_environment(world.oracle, "all", part, lines, answer))
    return environments


def warned(world: World) -> list[str]:
    world.findings  # noqa: B018 - asks about each spec alone
    environments = environments_of(world)
    found = notice_old_releases(world.oracle, environments, world.finder.lines_of)
    assert all((one.severity, one.code) == (Severity.WARNING, "old-release") for one in found)
    return [f"{one.file}:{one.line}: {one.message}" for one in found]


def test_an_unbounded_requirement_that_falls_far_back_for_another_spec() -> None:
    numba = dated(v0_53=("2019", []), v0_60=("2024", ["numpy<2.1"]))
    index = universe({"numba": numba, "numpy": dated(v2_0=("2024", []), v2_1=("2024", []))})
    assert warned(World(index, specs(a=["numba"], b=["numpy>=2.1"]))) == [
        (
            "a:1: numba 0.53 in environment all is 5 years older than 0.60, which a:1 admits: numba 0.60 needs "
            "numpy<2.1, and numpy 2.1 is in the environment; a lower bound in that line would rule it out"
        )
    ]


def test_a_dependency_that_a_spec_would_get_newer_alone() -> None:
    index = universe(
        {
            "lib": dated(v1=("2018", []), v2=("2023", [])),
            "app": dated(v1=("2023", ["lib"])),
            "tool": dated(v1=("2023", ["lib<2"])),
        }
    )
    assert warned(World(index, specs(a=["app"], b=["tool"]))) == [
        "None:None: lib 1 in environment all is 5 years older than 2, which a would get alone: tool 1 needs lib<2"
    ]


def test_a_line_that_holds_a_package_back_is_named() -> None:
    index = universe({"lib": dated(v1=("2018", []), v2=("2023", [])), "app": dated(v1=("2023", ["lib"]))})
    assert warned(World(index, specs(a=["app"], b=["lib<2"]))) == [
        "None:None: lib 1 in environment all is 5 years older than 2, which a would get alone: b:1 asks for lib<2"
    ]


def test_a_release_that_is_a_little_older_or_asked_for_is_no_surprise() -> None:
    index = universe({"lib": dated(v1=("2022", []), v2=("2023", [])), "app": dated(v1=("2023", ["lib<2"]))})
    assert warned(World(index, specs(a=["app"], b=["lib"]))) == []
    index = universe({"lib": dated(v1=("2010", []), v2=("2023", []))})
    assert warned(World(index, specs(a=["lib<2"]))) == []


def test_without_dates_the_releases_between_count() -> None:
    many = {f"{n}.0": ["numpy<2"] for n in range(2, 30)}
    index = universe({"lib": {"1.0": []} | many, "numpy": {"1.0": [], "2.0": []}})
    (message,) = warned(World(index, specs(a=["lib"], b=["numpy>=2"])))
    assert "lib 1.0 in environment all is 28 releases older than 29.0" in message


def test_only_the_first_few_are_told_in_full() -> None:
    packages = {f"p{n}": dated(v1=("2010", []), v2=("2023", [])) for n in range(6)}
    index = universe(packages | {"holder": dated(v1=("2023", [f"p{n}<2" for n in range(6)]))})
    found = warned(World(index, specs(a=["holder"], b=[f"p{n}" for n in range(6)])))
    assert len(found) == 4
    assert found[-1] == "None:None: p3, p4 and p5 in environment all are of very old releases as well"


def test_a_requirement_without_bound_in_a_clash_is_noted_once() -> None:
    lines = (line("a", "doctran"), line("b", "pydantic>=2"))
    clash = Clash("x", ClashKind.VERSION, (SpecId("a"), SpecId("b")), lines, ("pydantic",), True, "", ())
    (note,) = notice_unbounded([clash, clash])
    assert (note.code, note.severity, note.file, note.line) == ("unbounded-requirement", Severity.NOTE, "a", 1)
    assert note.message == "`doctran` is part of a clash and has no bound, so every release of doctran was considered"


LAYERS = universe({"app": {"1": ["lib"]}, "lib": {"1": ["core"], "2": ["core"]}, "core": {"1": []}, "other": {"1": []}})
HASH = f"sha256:{'a' * 64}"


def hashed(text: str, kind: RequirementKind = RequirementKind.REQUIREMENT) -> Requirement:
    # No file of a made-up index has a hash: the release is chosen without, and the hash put to the line afterwards.
    return line("a", text, kind, hashes=(HASH,))


def without_hashes(given: Requirement) -> Requirement:
    return replace(given, hashes=())


def missing(
    *lines: Requirement | str, shared: tuple[Requirement, ...] = (), required: bool | None = None, beside: str = "other"
) -> list[str]:
    asked = replace(spec("a", lines), index=IndexOptions(require_hashes=required))
    plain = replace(asked, requirements=tuple(map(without_hashes, asked.requirements)))
    world = World(LAYERS, [plain, spec("b", [beside])], tuple(map(without_hashes, shared)))
    found = notice_missing_hashes(environments_of(world), [asked, spec("b", [beside])], shared)
    assert all((one.severity, one.code) == (Severity.WARNING, "hashes-incomplete") for one in found)
    return [f"{one.file}:{one.line}: {one.message}" for one in found]


def none_of(names: str, why: str = "a:1: app==1 has a hash") -> list[str]:
    return [f"{why}, so pip asks for a pin with a hash of all that a needs, and {names}"]


def test_a_hash_asks_for_one_of_all_that_the_spec_needs_and_of_nothing_else() -> None:
    assert missing(hashed("app==1")) == none_of("core and lib have none")
    assert missing(hashed("app==1"), hashed("lib==1")) == none_of("core has none")
    assert missing(hashed("app==1"), hashed("lib==1"), "core==1") == none_of("core has none")
    assert missing(hashed("app==1"), hashed("lib==1"), hashed("core===1")) == []
    assert missing(hashed("core==1"), beside="app") == []


def test_a_range_with_a_hash_is_no_pin() -> None:
    for text in ("core>=1", "core==1.*", "core"):
        assert missing(hashed("app==1"), hashed("lib==1"), hashed(text)) == none_of("core has none")


def test_constraints_may_have_the_hashes() -> None:
    in_file = hashed("core==1", RequirementKind.CONSTRAINT)
    assert missing(hashed("app==1"), hashed("lib==1"), in_file) == []
    assert missing("core==1", in_file) == []
    assert missing("lib==1", in_file) == none_of("lib has none", "a:1: core==1 has a hash")
    of_the_run = replace(constraints("core==1")[0], hashes=(HASH,))
    # As pip has it, the hash of a constraint asks for one of all that is installed with it: for the other spec as well.
    why = "constraints.txt:1: core==1 has a hash, so pip asks for a pin with a hash of all that"
    other = f"{why} b needs, and other has none"
    assert missing(hashed("app==1"), hashed("lib==1"), shared=(of_the_run,)) == [other]
    assert missing("lib==1", shared=(of_the_run,)) == [f"{why} a needs, and lib has none", other]
    override = replace(of_the_run, kind=RequirementKind.OVERRIDE)
    assert missing(hashed("app==1"), hashed("lib==1"), shared=(override,)) == none_of("core has none")


@pytest.mark.parametrize(("required", "names"), [(True, "core has none"), (False, ""), (None, "")])
def test_an_option_says_whether_hashes_are_asked_for(required: bool | None, names: str) -> None:
    why = "a:None: it has --require-hashes"
    assert missing("core==1", required=required) == (none_of(names, why) if names else [])
    assert bool(missing(hashed("app==1"), required=required)) is (required is not False)


def test_a_hash_in_a_url_asks_for_no_others_and_is_one() -> None:
    url = f"https://files.example/core-1-py3-none-any.whl#sha256={'a' * 64}"
    direct = replace(hashed("core==1"), url=url)
    found = Environment("all", (SpecId("a"),), "3.11", environments_of(World(LAYERS, specs(a=["lib==1"])))[0].packages)
    assert notice_missing_hashes([found], [spec("a", [line("a", "lib==1"), direct])], ()) == []
    (note,) = notice_missing_hashes([found], [spec("a", [hashed("other==1"), direct])], ())
    assert note.message.endswith("lib has none")
