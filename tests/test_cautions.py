"""Environments that rest on very old releases, and lines without bounds."""

from __future__ import annotations

from builders import World, line, specs, universe

from conflictcheck.cautions import notice_old_releases, notice_unbounded
from conflictcheck.environments import build_environment
from conflictcheck.index.memory import Rel
from conflictcheck.model import Clash, ClashKind, Severity, SpecId
from conflictcheck.solver.oracle import Yes


def dated(**releases: tuple[str, list[str]]) -> dict[str, Rel]:
    """``v1=("2019", ["a<2"])``: releases with the year of their upload and what they need."""
    return {
        version[1:].replace("_", "."): Rel(requires=needs, upload_time=f"{year}-06-01T00:00:00Z")
        for version, (year, needs) in releases.items()
    }


def warned(world: World) -> list[str]:
    world.findings  # noqa: B018 - asks about each spec alone
    environments = []
    for part in world.split.parts:
        lines = world.lines_of(*part)
        answer = world.oracle.resolve(lines)
        assert isinstance(answer, Yes)
        assert isinstance(world.oracle.ask(lines), Yes)
        environments.append(build_environment(world.oracle, "all", part, lines, answer))
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
