"""Write the snapshots that the tests answer from: tests/cases/*.snapshot and examples/ml-team.snapshot.

    python benchmarks/keep_facts.py [NAME…]

A NAME is a set of tests/cases/cases.toml, or `ml-team`; none means all. Needs the package index.

A snapshot holds what one run used, so a change of the search could ask for something that is not in it. Kept are
therefore the metadata of further releases of each package as well: those between the ones that were used, and the
newest. On the other hand a listing names every file that an index has, most of them for other Pythons and platforms:
kept are source distributions and wheels that suit the target and the set's date, and of each release one other file,
which says that there are others.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import tomllib
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace
from packaging.utils import NormalizedName

from conflictcheck import __version__
from conflictcheck.index import open_index
from conflictcheck.index.base import MetadataRequest
from conflictcheck.index.snapshot import RecordingIndex, SnapshotIndex, write_snapshot
from conflictcheck.pipeline import check, make_targets
from conflictcheck.policy import select_releases
from conflictcheck.progress import Progress
from conflictcheck.reports.json import JsonReport
from conflictcheck.settings_sources import CommandLine, resolve_settings
from conflictcheck.solver.dependencies import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from conflictcheck.facts import File, Listing
    from conflictcheck.model import Report
    from conflictcheck.settings import Settings
    from conflictcheck.targets import Target

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "cases"
EXAMPLE = "ml-team"
NEWEST = 10
"""Releases of each package, besides those between the ones that were used."""
BETWEEN = 40
NEWEST_OF_OTHERS = 2
"""Releases of packages that only the further releases need."""


def keep(settings: Settings, output: Path) -> None:
    """Check, and write what the run used and what a slightly different one would use."""
    (target,) = next(iter(make_targets(settings).values()))
    recording = RecordingIndex(open_index(settings.index, Progress()))
    try:
        report = check(settings, Progress(), index=recording)
        used = set(recording.facts.listings)
        _widen(recording, used, target, settings, NEWEST)
        _widen(recording, set(recording.facts.listings) - used, target, settings, NEWEST_OF_OTHERS)
    finally:
        recording.close()
    facts = recording.facts
    chosen = {(pin.name, pin.version) for environment in report.environments for pin in environment.packages}
    facts.listings = {name: _trimmed(listing, target, settings, chosen) for name, listing in facts.listings.items()}
    created = datetime.now(UTC).replace(microsecond=0)
    write_snapshot(facts, output, created=created, version=__version__, keep_files=chosen)
    again = check(settings, Progress(), index=SnapshotIndex.read(output))
    assert _text(again) == _text(report), "the snapshot must say what the index said"


def _text(report: Report) -> str:
    return JsonReport().render(replace(report, stats={}), color=False, width=80, verbose=0)


def _widen(recording: RecordingIndex, names: Iterable[str], target: Target, settings: Settings, newest: int) -> None:
    """Ask for the metadata of further releases, and for the listings of what they name."""
    requests = []
    for name in sorted(names):
        releases = select_releases(recording.facts.listings[name], target, settings.policy).releases
        known = recording.facts.metadata.get(name, {})
        used = [i for i, release in enumerate(releases) if str(release.version) in known]
        wanted = {*range(len(releases))[-newest:], *(range(used[0], used[-1])[-BETWEEN:] if used else ())}
        requests += [
            MetadataRequest(NormalizedName(name), str(releases[i].version), releases[i].sources)
            for i in sorted(wanted)
            if str(releases[i].version) not in known and releases[i].files[0].is_wheel
        ]
    recording.metadata(requests)
    further = {
        dependency.name
        for request in requests
        for metadata in recording.facts.metadata.get(request.name, {}).get(request.version, ())
        for text in metadata.requires_dist
        if (dependency := parse_dependency(text))
        and (dependency.marker is None or "extra" not in dependency.marker_text)
    }
    recording.listings(sorted(further - set(recording.facts.listings) - set(recording.facts.missing)))


def _trimmed(listing: Listing, target: Target, settings: Settings, chosen: Container[tuple[str, str]]) -> Listing:
    files: list[File] = []
    cutoff = settings.policy.exclude_newer
    end = "9999" if cutoff is None else cutoff.astimezone(UTC).isoformat()[:19]
    for _, release in groupby(listing.files, key=attrgetter("version")):
        has_other = False
        for file in release:
            suits = (file.upload_time or "")[:19] <= end and (not file.is_wheel or target.rank(file.tags) is not None)
            if suits or not has_other:
                files.append(file if (listing.name, file.version) in chosen else _shortened(file))
            has_other = has_other or not suits
    return msgspec.structs.replace(listing, files=tuple(files))


def _shortened(file: File) -> File:
    """Without what only the files of chosen releases need, for a lock file."""
    stamp = file.upload_time and f"{file.upload_time[:19]}Z"
    return msgspec.structs.replace(file, upload_time=stamp, size=None)


def settings_for(name: str, folder: Path) -> Settings:
    """What a set, or the example, is checked with; for a set its specs are written to the folder."""
    environ = {"PIP_CONFIG_FILE": os.devnull}
    if name == EXAMPLE:
        given = CommandLine(paths=("examples/ml-team",), python_version=("3.11.7",), python_platform=("linux",))
        return resolve_settings(given, cwd=ROOT, environ=environ)
    case: dict[str, Any] = tomllib.loads((CASES / "cases.toml").read_text())[name]
    for position, lines in enumerate(case["specs"]):
        (folder / f"spec{position}.txt").write_text("".join(f"{line}\n" for line in lines))
    given = CommandLine(
        paths=tuple(f"spec{position}.txt" for position in range(len(case["specs"]))),
        python_version=(case["python"],),
        python_platform=("x86_64-manylinux_2_35",),
        exclude_newer=f"{case['exclude_newer']}T23:59:59Z",
    )
    return resolve_settings(given, cwd=folder, environ=environ)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names or [EXAMPLE, *tomllib.loads((CASES / "cases.toml").read_text())]
    for name in names:
        output = ROOT / "examples" / "ml-team.snapshot" if name == EXAMPLE else CASES / f"{name}.snapshot"
        with tempfile.TemporaryDirectory() as folder:
            keep(settings_for(name, Path(folder)), output)
        print(f"{output.relative_to(ROOT)}: {output.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
