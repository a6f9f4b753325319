"""Does uv choose the same releases for the environments that conflictcheck proposes? Needs the package index, and uv.

    python benchmarks/compare_uv.py CASES.toml [NAME…]

For every environment of every set, `uv pip compile` is asked for the same requirements, date, Python and platform.
Prints the packages on which the two differ, and a count. uv builds source distributions where it must, as by default.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from real_sets import PLATFORM, settings_for

from conflictcheck.index import default_index_url
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def compile_with_uv(files: list[Path], case: dict[str, Any]) -> dict[str, str] | str:
    """The pins by package, or uv's complaint."""
    command = [
        "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate",
        "--python-version", case["python"], "--python-platform", PLATFORM,
        "--exclude-newer", f"{case['exclude_newer']}T23:59:59Z", "--default-index", default_index_url(),
        *map(str, files),
    ]  # fmt: skip
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if done.returncode:
        return done.stderr.strip()
    return {canonicalize_name(name): version for name, version in _PIN.findall(done.stdout)}


def compare(name: str, case: dict[str, Any]) -> tuple[int, int]:
    """Print a set's differences; how many packages agree, and how many do not."""
    agree = differ = 0
    with tempfile.TemporaryDirectory() as folder:
        report = check(settings_for(case, Path(folder)), Progress())
        for environment in report.environments:
            ours = {pin.name: pin.version for pin in environment.packages}
            theirs = compile_with_uv([Path(folder) / spec for spec in environment.specs], case)
            if isinstance(theirs, str):
                print(f"{name} {environment.name}: uv has no answer: {theirs.splitlines()[0][:150]}")
                continue
            different = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
            agree += len(ours.keys() | theirs.keys()) - len(different)
            differ += len(different)
            shown = ", ".join(f"{key} {ours.get(key, '-')} (uv {theirs.get(key, '-')})" for key in different[:12])
            print(f"{name} {environment.name}: {len(ours)} packages, {len(different)} differ {shown}".rstrip())
    return agree, differ


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    cases = tomllib.loads(given.cases.read_text())
    totals = [compare(name, cases[name]) for name in given.names or cases]
    print(f"{sum(agree for agree, _ in totals)} packages agree, {sum(differ for _, differ in totals)} differ")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
