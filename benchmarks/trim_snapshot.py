"""Make a snapshot small enough to keep in a repository, without changing what it says about one target.

    python benchmarks/trim_snapshot.py IN OUT --python-version 3.11 --python-platform linux [--until 2024-11-02]

A listing names every file that an index has, most of them wheels for other Pythons and platforms. Kept are source
distributions, wheels that suit the target, and one other wheel of each release, which says that there are others. With
--until, files uploaded after that day are left out, for a set that is always asked with that date.
"""

from __future__ import annotations

import argparse
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from conflictcheck.index.snapshot import SnapshotIndex, write_snapshot
from conflictcheck.targets import make_target

if TYPE_CHECKING:
    from conflictcheck.facts import File, Listing
    from conflictcheck.targets import Target


def trim(source: Path, output: Path, target: Target, until: date | None) -> None:
    """Write the part of a snapshot that matters for a target."""
    index = SnapshotIndex.read(source)
    facts = index._facts  # noqa: SLF001 - there is no other way to a snapshot's contents
    facts.listings = {name: _trimmed(listing, target, until) for name, listing in facts.listings.items()}
    kept = {(name, file.version) for name, listing in facts.listings.items() for file in listing.files if file.url}
    created = datetime.fromisoformat(index.created)
    write_snapshot(facts, output, created=created, version=index.tool_version, keep_files=kept)


def _trimmed(listing: Listing, target: Target, until: date | None) -> Listing:
    files: list[File] = []
    end = (until + timedelta(days=1)).isoformat() if until else "9999"
    for _, release in groupby(listing.files, key=attrgetter("version")):
        others: list[File] = []
        for file in release:
            if (file.upload_time or "") >= end:
                continue
            if not file.is_wheel or target.rank(file.tags) is not None:
                files.append(_short(file))
            elif not others:
                others.append(file)
                files.append(_short(file))
    return msgspec.structs.replace(listing, files=tuple(files))


def _short(file: File) -> File:
    """Without what only the files of chosen releases need, for a lock file."""
    return file if file.url else msgspec.structs.replace(file, upload_time=_to_seconds(file.upload_time), size=None)


def _to_seconds(stamp: str | None) -> str | None:
    return stamp and f"{stamp[:19]}Z"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("output", type=Path, metavar="OUT")
    parser.add_argument("--python-version", required=True)
    parser.add_argument("--python-platform", required=True)
    parser.add_argument("--until", type=date.fromisoformat)
    given = parser.parse_args()
    trim(given.source, given.output, make_target(given.python_version, given.python_platform), given.until)


if __name__ == "__main__":
    main()
