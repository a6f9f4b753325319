"""What does a commit cost that changes one line of one spec of 40? Needs the package index once, to fill the cache.

    python benchmarks/hook_runs.py [--runs N]

Prints the medians of wall and CPU time: of the check that the hook runs where nothing has changed, and after a change
of a line, with the cache and with a snapshot; and of `git commit` with each hook, pre-commit's own time included.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

SPECS = 40
PROGRAM = [sys.executable, "-m", "conflictcheck"]
TARGET = ["--python-version", "3.11", "--python-platform", "linux", "--exclude-newer", "2025-06-01T00:00:00Z"]
SNAPSHOT = ["--index-snapshot", "conflictcheck.snapshot"]
POOL = [
    "aiohttp", "attrs", "boto3", "celery", "click", "cryptography", "django", "fastapi", "flask", "gunicorn", "httpx",
    "jinja2", "jsonschema", "marshmallow", "matplotlib", "networkx", "numpy", "openpyxl", "opentelemetry-sdk",
    "orjson", "pandas", "pillow", "protobuf", "psutil", "psycopg2-binary", "pydantic", "pyjwt", "pyyaml", "redis",
    "requests", "rich", "scikit-learn", "scipy", "sentry-sdk", "sqlalchemy", "starlette", "tenacity", "typer",
    "urllib3", "uvicorn",
]  # fmt: skip
CHANGES = count()
"""Each change is a new one: what was asked before is remembered."""


def write_specs(folder: Path) -> None:
    """Each spec asks for four packages of the pool, with bounds that leave a choice."""
    for number in range(SPECS):
        place = folder / f"service{number:02}"
        place.mkdir()
        lines = [POOL[(number * step + step) % len(POOL)] for step in (1, 3, 7, 11)]
        (place / "requirements.txt").write_text("\n".join(sorted({*lines, "click"})) + "\n")


def change(folder: Path) -> None:
    """Give one line of one spec other bounds."""
    path = folder / "service07" / "requirements.txt"
    new = f"click>=7,!=7.{next(CHANGES)}.99"
    path.write_text("".join(f"{new if line.startswith('click') else line}\n" for line in path.read_text().splitlines()))


def run(folder: Path, *command: str) -> tuple[float, float, str]:
    """Wall seconds, CPU seconds, and the first line that was printed."""
    started, before = time.perf_counter(), os.times()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, (done.stdout + done.stderr).strip().partition("\n")[0]


def row(name: str, folder: Path, runs: int, *command: str, changing: bool = True) -> None:
    """Print the medians of several runs, and what the last one said."""
    results = []
    for _ in range(runs):
        if changing:
            change(folder)
        results.append(run(folder, *command))
    wall, cpu = (statistics.median(result[i] for result in results) for i in range(2))
    print(f"{name:22} {wall:6.2f} s wall {cpu:6.2f} s CPU  {results[-1][2]}", flush=True)


def switch_on(folder: Path, hook: str, args: list[str]) -> None:
    """A hook as .pre-commit-hooks.yaml has it, but for this very program."""
    shown = ", ".join(f'"{arg}"' for arg in args)
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: local\n  hooks:\n  - {{id: {hook}, name: {hook}, entry: '{' '.join(PROGRAM)} check', "
        f"args: [{shown}], language: system, files: '\\.txt$', pass_filenames: false}}\n"
    )
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--no-verify", "-m", "The hook")
    run(folder, sys.executable, "-m", "pre_commit", "install")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "team"
        folder.mkdir()
        os.environ |= {"CONFLICTCHECK_CACHE_DIR": f"{root}/cache", "PRE_COMMIT_HOME": f"{root}/pre-commit"}
        os.environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
        os.environ |= {f"GIT_{who}_{what}": "dev" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        write_specs(folder)
        options = ["--max-environments", "5", *TARGET]
        check, commit = [*PROGRAM, "check", *options], ["git", "commit", "--quiet", "--all", "-m", "A line"]
        row("cold", folder, 1, *check)
        run(folder, *PROGRAM, "snapshot", "-o", "conflictcheck.snapshot", *TARGET)
        row("nothing changed", folder, runs, *check, changing=False)
        row("one line, cache", folder, runs, *check)
        row("one line, snapshot", folder, runs, *check, *SNAPSHOT)
        run(folder, "git", "init", "--quiet")
        switch_on(folder, "conflictcheck", options)
        row("git commit, cache", folder, runs, *commit)
        switch_on(folder, "conflictcheck-offline", [*options, *SNAPSHOT])
        row("git commit, snapshot", folder, runs, *commit)


if __name__ == "__main__":
    main()
