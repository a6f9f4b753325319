"""Statements that hold between answers, whatever the right answer is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.version import Version
from random_universes import FLAVOURS, Case, cases
from test_fixes_by_brute_force import assert_fix_holds
from truth import Truth

from conflictcheck.disguise import Disguise
from conflictcheck.facts import Listing, Metadata, Missing, Unknown
from conflictcheck.given import Given
from conflictcheck.index.memory import INDEX, MemoryIndex, Rel
from conflictcheck.index.simple_api import parse_page
from conflictcheck.index.snapshot import RecordingIndex, SnapshotIndex, write_snapshot
from conflictcheck.model import ReadResult, Report, RequirementKind, Verdict
from conflictcheck.pipeline import check_files
from conflictcheck.progress import Progress
from conflictcheck.reports.json import JsonReport
from conflictcheck.settings import IndexSettings, Policy, Settings
from conflictcheck.solver.oracle import Maybe, Yes
from examples import part_of_examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from conflictcheck.index.base import Index, MetadataRequest
    from conflictcheck.model import Requirement

LOCKING = [flavour for flavour in FLAVOURS if flavour in ("prereleases", "yanked", "wheels", "mixed", "all")]
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
MORNING, AFTERNOON = "2024-01-01T08:00:00Z", "2024-01-01T16:00:00Z"


def check(case: Case, index: Index | None = None, policy: Policy | None = None) -> Report:
    settings = Settings(Path("/nowhere"), IndexSettings(()), case.pythons, case.platforms, policy=policy or Policy())
    # The specs are not read from files, as nothing is held here about readers.
    read = Given(ReadResult(tuple(case.specs)), tuple(case.shared), {}, Disguise({}))
    report = check_files(settings, Progress(), index=index or MemoryIndex(case.packages), given=read).report
    return replace(report, stats={})


def written(report: Report) -> str:
    return JsonReport().render(report, color=False, width=80, verbose=0)


def good_sets(case: Case, *, afresh: bool = False) -> set[frozenset[str]]:
    """The sets of specs that can share an environment; `afresh`: each asked about as if there were no others."""
    ids = [spec.id for spec in case.specs]
    groups = (frozenset(group) for size in range(1, len(ids) + 1) for group in combinations(ids, size))
    world = case.world()
    return {group for group in groups if isinstance((case.world() if afresh else world).ask(*group), Yes)}


# -- the same again ----------------------------------------------------------------------------------------------------


@given(cases("mixed"))
def test_a_repeated_check_gives_the_same_bytes(case: Case) -> None:
    assert written(check(case)) == written(check(case))


def test_another_process_with_another_order_of_hashes_gives_the_same_bytes() -> None:
    code = (
        "import hashlib, random_universes, test_laws as laws\n"
        "cases = [random_universes.make_case('mixed', seed) for seed in range(20)]\n"
        "reports = [laws.written(laws.check(case)) for case in cases]\n"
        "print(hashlib.sha256(''.join(reports).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


@given(cases("mixed"))
def test_a_snapshot_gives_the_same_report(case: Case) -> None:
    index = RecordingIndex(MemoryIndex(case.packages))
    report = check(case, index)
    kept = {(pin.name, pin.version) for environment in report.environments for pin in environment.packages}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts"
        write_snapshot(index.facts, path, created=NOON, version="1", keep_files=kept)
        again = check(case, SnapshotIndex.read(path))
    assert written(again) == written(report)
    assert again.environments == report.environments, "which hold what exports need"


# -- order -------------------------------------------------------------------------------------------------------------


class ShuffledIndex(MemoryIndex):
    """Gives the files of each package through a page that lists them in an order of its own."""

    def __init__(self, case: Case, order: int) -> None:
        super().__init__(case.packages)
        self._order = order

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        return [
            self._through_a_page(answer) if isinstance(answer, Listing) else answer
            for answer in super().listings(names)
        ]

    def _through_a_page(self, listing: Listing) -> Listing:
        files = [
            {"filename": file.filename, "url": file.url, "hashes": {}, "yanked": file.yanked or False}
            | ({"requires-python": file.requires_python} if file.requires_python else {})
            for file in listing.files
        ]
        turn = self._order % (len(files) or 1)
        files = [*files[turn:], *files[:turn]][:: -1 if self._order & 1 else 1]
        body = json.dumps({"meta": {"api-version": "1.0"}, "name": listing.name, "files": files}).encode()
        content_type = "application/vnd.pypi.simple.v1+json"
        page = parse_page(body, content_type, url=f"{INDEX}/{listing.name}/", name=listing.name, index=INDEX)
        return Listing(listing.name, page.files)


@given(cases("mixed"), st.integers(0, 7), st.data())
def test_the_order_of_specs_and_of_index_files_does_not_matter(case: Case, order: int, data: st.DataObject) -> None:
    report = check(case)
    other = replace(case, specs=data.draw(st.permutations(case.specs)))
    assert written(check(other)) == written(report)
    assert written(check(case, ShuffledIndex(case, order))) == written(report)


@given(cases("mixed"), st.data())
def test_what_specs_are_called_does_not_matter(case: Case, data: st.DataObject) -> None:
    names = [spec.id for spec in case.specs]
    renamed = dict(zip(names, data.draw(st.permutations(names)), strict=True))

    def rename(line: Requirement) -> Requirement:
        return replace(line, spec=renamed[line.spec], file=renamed[line.spec])

    specs = [
        replace(spec, id=renamed[spec.id], path=renamed[spec.id], requirements=tuple(map(rename, spec.requirements)))
        for spec in case.specs
    ]
    report, other = check(case), check(replace(case, specs=specs))
    assert (other.verdict, other.minimum.environments) == (report.verdict, report.minimum.environments)
    said = {frozenset(renamed[spec] for spec in clash.specs) for clash in report.clashes}
    assert {frozenset(clash.specs) for clash in other.clashes} == said


# -- more and less -----------------------------------------------------------------------------------------------------


@given(cases("monotone"), st.data())
def test_a_subset_of_a_good_set_is_good(case: Case, data: st.DataObject) -> None:
    """Where no release is chosen only because something asks for it; there, fewer specs may ask for less."""
    good = good_sets(case, afresh=True)
    if good:
        group = data.draw(st.sampled_from(sorted(good, key=sorted)))
        subsets = (frozenset(some) for size in range(1, len(group)) for some in combinations(group, size))
        assert good.issuperset(subsets)


@given(cases("monotone"), st.data())
def test_one_more_release_creates_no_clash(case: Case, data: st.DataObject) -> None:
    """Whatever it needs, it need not be chosen.

    Pre-releases, yanked releases and compiled wheels are aside: next to a first final release the pre-releases are
    chosen only on request, and so are those older than a first compiled wheel for this Python.
    """
    name = data.draw(st.sampled_from(sorted(case.packages) or ["a"]))
    known = [rel for releases in case.packages.values() for rel in releases.values()]
    needed = data.draw(st.sampled_from(known or [Rel()])).requires
    version = data.draw(st.sampled_from(("0.5", "1.5", "9.0")))
    releases = {**case.packages.get(name, {}), version: Rel(requires=needed, extras=("p", "q"))}
    more = replace(case, packages={**case.packages, name: releases})
    assert good_sets(case) <= good_sets(more)


@given(cases("monotone"), st.data())
def test_one_requirement_less_creates_no_clash(case: Case, data: st.DataObject) -> None:
    """Overrides are aside, which take requirements away themselves."""
    specs = list(case.specs)
    lines = [(i, k) for i, spec in enumerate(specs) for k in range(len(spec.requirements))]
    constraints = [line for line in case.shared if line.kind is RequirementKind.CONSTRAINT]
    needs = [
        (name, version, k)
        for name, releases in case.packages.items()
        for version, rel in releases.items()
        for k in range(len(rel.requires))
    ]
    for i, k in [data.draw(st.sampled_from(lines))] if lines else []:
        kept = specs[i].requirements
        specs[i] = replace(specs[i], requirements=kept[:k] + kept[k + 1 :])
    less = [replace(case, specs=specs)]
    less += [replace(case, shared=[line for line in case.shared if line is not each]) for each in constraints[:1]]
    for name, version, k in [data.draw(st.sampled_from(needs))] if needs else []:
        rel = case.packages[name][version]
        fewer = replace(rel, requires=[*rel.requires[:k], *rel.requires[k + 1 :]])
        packages = {**case.packages, name: {**case.packages[name], version: fewer}}
        less.append(replace(case, packages=packages))
    good = good_sets(case)
    for other in less:
        assert good <= good_sets(other)


LEFT_OUT = {
    "disallow": (Policy(prerelease="disallow"), lambda version, _: Version(version).is_prerelease),
    "exclude-newer": (Policy(exclude_newer=NOON), lambda _, rel: rel.upload_time == AFTERNOON),
    "only-binary": (Policy(only_binary=frozenset((":all:",))), lambda _, rel: not rel.tags),
}


@pytest.mark.parametrize("option", LEFT_OUT)
@given(cases("mixed"), st.integers(1, 4))
def test_what_an_option_leaves_out_might_as_well_not_exist(option: str, case: Case, often: int) -> None:
    packages = {
        name: {
            version: replace(rel, upload_time=(MORNING if (i + ord(name)) % often else AFTERNOON))
            for i, (version, rel) in enumerate(releases.items())
        }
        for name, releases in case.packages.items()
    }
    policy, is_left_out = LEFT_OUT[option]
    left = {
        name: {
            version: replace(rel, sdist=rel.sdist and option != "only-binary")
            for version, rel in releases.items()
            if not is_left_out(version, rel)
        }
        for name, releases in packages.items()
    }
    found = check(replace(case, packages=packages), policy=policy)
    expected = check(replace(case, packages=left))
    assert found.verdict is expected.verdict
    assert pins(found) == pins(expected)
    assert lines_of_clashes(found) == lines_of_clashes(expected)


def pins(report: Report) -> list[object]:
    return [
        (environment.specs, environment.python_version, [(pin.name, pin.version) for pin in environment.packages])
        for environment in report.environments
    ]


def lines_of_clashes(report: Report) -> list[object]:
    return [(clash.specs, [line.text for line in clash.requirements]) for clash in report.clashes]


# -- what is known -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", ["monotone", *LOCKING])
@part_of_examples(3)
@given(st.data())
def test_loading_everything_first_gives_the_same_answers(flavour: str, data: st.DataObject) -> None:
    case = data.draw(cases(flavour))
    eager, lazy = case.world(), case.world()
    for targets in eager.targets.values():
        for target in targets:
            kernel = eager.oracle.kernel(target)
            while new := [
                (name, i)
                for name, package in kernel.packages.items()
                for i in range(len(package.releases))
                if i not in kernel.loaded[name]
            ]:
                assert eager.oracle.load(target, new[0][0], [i for name, i in new if name == new[0][0]])
    for group in Truth(case).works:
        if group:
            assert type(eager.ask(*group)) is type(lazy.ask(*group)), sorted(group)
    assert eager.clashes() == lazy.clashes()
    assert len(eager.split.parts) == len(lazy.split.parts)


class ForgetfulIndex(MemoryIndex):
    """Does not know the files of some packages, nor what some releases need."""

    def __init__(self, case: Case, forgotten: set[str]) -> None:
        super().__init__(case.packages)
        self._forgotten = forgotten

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        return [
            Unknown("forgotten") if name in self._forgotten else answer
            for name, answer in zip(names, super().listings(names), strict=True)
        ]

    def metadata(self, requests: Sequence[MetadataRequest]) -> list[Metadata | Unknown]:
        return [
            Unknown("forgotten") if f"{request.name} {request.version}" in self._forgotten else answer
            for request, answer in zip(requests, super().metadata(requests), strict=True)
        ]


@pytest.mark.parametrize("flavour", ["monotone", *LOCKING])
@part_of_examples(3)
@given(st.data())
def test_what_is_not_known_never_becomes_an_answer(flavour: str, data: st.DataObject) -> None:
    case = data.draw(cases(flavour))
    truth = Truth(case)
    facts = [*case.packages, *(f"{name} {version}" for name in case.packages for version in case.packages[name])]
    forgotten = data.draw(st.sets(st.sampled_from(facts or ["none"]), max_size=3))
    world = replace(case.world(), index=ForgetfulIndex(case, forgotten))
    for group, works in truth.works.items():
        if group:
            reply = world.ask(*group)
            assert isinstance(reply, Maybe) or isinstance(reply, Yes) == works, sorted(group)
    report = check(case, ForgetfulIndex(case, forgotten))
    if report.verdict is not Verdict.UNDECIDED:
        assert report.verdict is check(case).verdict
        assert report.minimum.lower_bound <= truth.fewest <= len(report.environments)
        for fix in report.fixes:
            assert_fix_holds(case, fix)
    clashing = [clash for clash in report.clashes if clash.minimal]
    assert {tuple(clash.specs) for clash in clashing} <= set(truth.clashes)
