"""Runs of the program on one index, whose answer is known, for tests of what happens to the cache."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import conflictcheck
from conflictcheck.cache_file import FILENAME
from conflictcheck.index.cache import Cache
from conflictcheck.reports import FORMATS

if TYPE_CHECKING:
    from index_server import IndexServer

    from conflictcheck.model import Report

LIBRARIES = [f"lib-{number}" for number in range(8)]
PACKAGES = {
    "web": {"1.0": ["core<2", *LIBRARIES], "2.0": ["core>=2"]},
    "nlp": {"3.0": ["core>=2"]},
    "core": {"1.0": [], "1.5": [], "2.0": []},
    **{name: {f"{version}.0": ["core"] for version in range(1, 31)} for name in LIBRARIES},
}
"""`web<2` and `nlp` clash; the libraries are there so that there is something to store."""
ARGUMENTS = ["check", "site", "texts", "--format", "json"]
FAILED, UNDECIDED = 1, 3
NO_MORE_THAN = 60
"""Seconds until a run counts as hanging."""


def write_specs(folder: Path) -> None:
    """The two specs of a project."""
    for name, line in (("site", "web<2"), ("texts", "nlp")):
        (folder / name).mkdir(parents=True)
        (folder / name / "requirements.txt").write_text(f"{line}\n")


def environment(server: IndexServer, cache: Path) -> dict[str, str]:
    """The variables of a run; nothing of who runs the tests gets in but what Python needs."""
    root = str(Path(conflictcheck.__file__).parents[1])
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {
        "PYTHONPATH": root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": server.url,
    }
    return kept | own | {"CONFLICTCHECK_CACHE_DIR": str(cache)}


def start(server: IndexServer, cache: Path, folder: Path, *arguments: str, before: str = "") -> subprocess.Popen[str]:
    """Start the program on the two specs of a folder; `before` are commands of the shell that starts it."""
    program = [sys.executable, "-m", "conflictcheck", *(arguments or ARGUMENTS)]
    return subprocess.Popen(
        ["sh", "-c", f'{before}\nexec "$@"', "sh", *program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(server, cache),
        cwd=folder,
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], list[str]]:
    """Wait for a run: its code, its answer, and what went wrong on the way."""
    out, err = process.communicate(timeout=NO_MORE_THAN)
    assert err == ""
    return process.returncode, *parts(out)


def checked(server: IndexServer, cache: Path, folder: Path, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The same in this process: the answer, and what went wrong on the way."""
    report = conflictcheck.check(
        ["site", "texts"], cwd=folder, index_url=server.url, cache_dir=cache, environ={}, **options
    )
    return parts(_as_json(report))


def _as_json(report: Report) -> str:
    form = FORMATS["json"]
    return form.render(report, color=False, width=80, verbose=False)


def parts(text: str) -> tuple[dict[str, Any], list[str]]:
    """A report: its answer, and what went wrong on the way."""
    document = json.loads(text)
    del document["stats"]
    problems = [found["message"] for found in document.pop("diagnostics") if found["code"] == "index-problem"]
    return document, problems


def claims(answer: dict[str, Any]) -> list[Any]:
    """What an answer claims; how well it explains that, and which fixes it finds, may hang on what else is known."""
    clashes = [(clash["id"], clash["specs"]) for clash in answer["clashes"]]
    return [answer["verdict"], answer["passed"], answer["environments"], answer["minimum"], clashes]


def is_whole(cache: Path) -> bool:
    """Whether a cache opens without complaint, and SQLite itself finds nothing wrong with the file."""
    with closing(Cache.open(cache)) as opened:
        complaints = opened.problems
    with closing(sqlite3.connect(cache / FILENAME)) as connection:
        return not complaints and connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
