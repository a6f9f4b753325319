"""Real requirement sets, offline: the facts of the day are in snapshots beside their list."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conflictcheck.facts import Metadata
from conflictcheck.index.base import MetadataRequest
from conflictcheck.index.snapshot import SnapshotIndex
from conflictcheck.model import Verdict
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress
from conflictcheck.settings_sources import CommandLine, resolve_settings
from conflictcheck.targets import make_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflictcheck.model import Environment, Pin, Report

CASES = Path(__file__).parent / "cases"
PLATFORM = "x86_64-manylinux_2_35"
SETS: dict[str, dict[str, Any]] = tomllib.loads((CASES / "cases.toml").read_text())


@cache
def report_of(name: str, folder: Path) -> Report:
    """The report about one set, from its snapshot alone."""
    return check_set(name, SETS[name]["specs"], folder)


def check_set(name: str, specs: Iterable[Iterable[str]], folder: Path) -> Report:
    """The report about these specs, by the facts of a set; they are written to the folder."""
    case = SETS[name]
    given = CommandLine(
        paths=write_set(specs, folder),
        python_version=(case["python"],),
        python_platform=(PLATFORM,),
        exclude_newer=f"{case['exclude_newer']}T23:59:59Z",
        index_snapshot=str(CASES / f"{name}.snapshot"),
    )
    settings = resolve_settings(given, cwd=folder, environ={"PIP_CONFIG_FILE": os.devnull})
    return check(settings, Progress())


def write_set(specs: Iterable[Iterable[str]], folder: Path) -> tuple[str, ...]:
    """Write each spec to a file of the folder, and give their names."""
    names = []
    for position, lines in enumerate(specs):
        names.append(f"spec{position}.txt")
        (folder / names[-1]).write_text("".join(f"{line}\n" for line in lines))
    return tuple(names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


def position(spec: str) -> int:
    return int(spec.removeprefix("spec").removesuffix(".txt"))


def test_every_set_has_its_facts_and_all_facts_their_set() -> None:
    assert sorted(path.stem for path in CASES.glob("*.snapshot")) == sorted(SETS)
    assert len(SETS) >= 20


@pytest.mark.parametrize("name", SETS)
def test_a_set_needs_as_many_environments_as_is_known(name: str, folder: Path) -> None:
    case, report = SETS[name], report_of(name, folder)

    assert report.verdict is (Verdict.SPLIT if case["environments"] > 1 else Verdict.COMPATIBLE)
    assert report.minimum.proven
    assert len(report.environments) == case["environments"]
    assert sorted(spec for one in report.environments for spec in one.specs) == sorted(spec.id for spec in report.specs)
    assert sorted([position(spec) for spec in clash.specs] for clash in report.clashes) == case["clashes"]
    assert report.clashes_complete
    assert all(clash.minimal and clash.steps for clash in report.clashes)


@pytest.mark.parametrize("name", SETS)
def test_no_two_clashing_specs_share_an_environment(name: str, folder: Path) -> None:
    report = report_of(name, folder)
    for environment in report.environments:
        assert not any(set(clash.specs) <= set(environment.specs) for clash in report.clashes)


@pytest.mark.parametrize("name", SETS)
def test_an_environment_holds_all_that_is_needed_and_nothing_else(name: str, folder: Path) -> None:
    for environment in report_of(name, folder).environments:
        assert needed_by(environment, name) == {pin.name for pin in environment.packages}


@pytest.mark.parametrize("name", [name for name, case in SETS.items() if "pins" in case])
def test_the_releases_that_a_newest_first_answer_must_have(name: str, folder: Path) -> None:
    chosen = {pin.name: pin.version for one in report_of(name, folder).environments for pin in one.packages}
    assert SETS[name]["pins"].items() <= chosen.items()


def needed_by(environment: Environment, name: str) -> set[str]:
    """Walk from the specs' lines through the metadata, with packaging alone, and check each requirement on the way."""
    case = SETS[name]
    index = SnapshotIndex.read(CASES / f"{name}.snapshot")
    markers = dict(make_target(case["python"], PLATFORM).environment)
    pins = {pin.name: pin for pin in environment.packages}
    waiting = [Requirement(line) for spec in environment.specs for line in case["specs"][position(spec)]]
    done: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        needed = canonicalize_name(requirement.name)
        assert needed in pins, f"{requirement} is not met"
        assert requirement.specifier.contains(pins[needed].version, prereleases=True), requirement
        for extra in {"", *requirement.extras} - {extra for known, extra in done if known == needed}:
            done.add((needed, extra))
            for text in metadata_of(pins[needed], index).requires_dist:
                further = Requirement(text)
                if further.marker is None or further.marker.evaluate({**markers, "extra": extra}):
                    waiting.append(further)
    return {needed for needed, _ in done}


def metadata_of(pin: Pin, index: SnapshotIndex) -> Metadata:
    found = index.metadata([MetadataRequest(pin.name, pin.version, pin.files)])[0]
    assert isinstance(found, Metadata)
    return found
