"""A process may be killed at any moment: what it leaves behind is whole, and the next run is right."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from cache_runs import ARGUMENTS, FAILED, PACKAGES, checked, claims, environment, is_whole, outcome, start, write_specs
from index_server import IndexServer

from conflictcheck.cache_file import FILENAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 20


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer(PACKAGES) as server:
        yield server


def test_a_run_that_is_killed_at_any_moment_leaves_a_whole_cache_and_nothing_wrong_in_it(
    server: IndexServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write_specs(tmp_path)
    cache = tmp_path / "cache"
    expected, _ = checked(server, tmp_path / "first", tmp_path)
    requests = server.requests.total()
    begin = time.monotonic()
    assert outcome(start(server, cache, tmp_path)) == (FAILED, expected, [])
    seconds = time.monotonic() - begin
    choice = random.Random(SEED)
    unfinished = 0
    for _ in range(request.config.getoption("--kills")):
        if choice.random() < 0.3:
            for path in cache.iterdir():
                path.unlink()
        # Half of the moments are drawn evenly from the time, half from the work, which is only a part of the time.
        server.requests.clear()
        process = start(server, cache, tmp_path, *ARGUMENTS, *choice.choice(([], ["--refresh"])))
        if choice.random() < 0.5:
            time.sleep(choice.uniform(0, seconds))
        else:
            wanted = choice.randrange(requests)
            while server.requests.total() < wanted and process.poll() is None:
                time.sleep(0.001)
            time.sleep(choice.uniform(0, 0.02))
        process.kill()
        process.communicate()
        unfinished += process.returncode == -signal.SIGKILL

        assert not (cache / FILENAME).exists() or is_whole(cache)
        offline, problems = checked(server, cache, tmp_path, offline=True)
        assert problems == []
        assert offline["verdict"] == "undecided" or claims(offline) == claims(expected)
        assert checked(server, cache, tmp_path) == (expected, [])
        assert checked(server, cache, tmp_path, offline=True) == (expected, [])
    assert unfinished > 0


def test_of_eight_processes_on_one_cache_half_are_killed_and_half_are_right(
    server: IndexServer, tmp_path: Path
) -> None:
    write_specs(tmp_path)
    cache = tmp_path / "cache"
    expected, _ = checked(server, tmp_path / "first", tmp_path)
    server.requests.clear()
    killed, left = ([start(server, cache, tmp_path) for _ in range(4)] for _ in "ab")
    for wanted, process in enumerate(killed, 1):
        while server.requests.total() < 8 * wanted and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()

    assert [outcome(process) for process in left] == [(FAILED, expected, [])] * 4
    assert is_whole(cache)
    assert checked(server, cache, tmp_path, offline=True) == (expected, [])


KILLED_AT_EACH_STEP = """
import json, os, pathlib, signal, sys
from itertools import count
from conflictcheck.cli import main
import conflictcheck.cli.commands, conflictcheck.cli.environments, conflictcheck.cli.fixing, conflictcheck.pipeline

STEPS = {"os.mkdir", "tempfile.mkstemp", "os.chmod", "os.rename", "os.remove"}

def contents():
    return {str(path): path.read_bytes().decode("latin-1") for path in pathlib.Path().rglob("*") if path.is_file()}

def run(step):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event in STEPS or event == "open" and str(arguments[0]).endswith(".tmp"):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    main(sys.argv[1:])

before = contents()
states = []
for step in count(1):
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        run(step)
    _, status = os.waitpid(child, 0)
    states.append(contents())
    if not os.WIFSIGNALED(status):
        assert os.WEXITSTATUS(status) in (0, 1), status
        break
    for name, text in before.items():
        pathlib.Path(name).write_bytes(text.encode("latin-1"))
    if step % 2:  # what is left behind stays there every other time, and must confuse nobody
        for name in states[-1].keys() - before.keys():
            os.remove(name)
print(json.dumps([before, *states]))
"""


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["check", "-o", "report.json", "--format", "json"], {"report.json"}),
        (["snapshot", "-o", "facts"], {"facts"}),
        (["split", "-o", "out"], {"out/requirements.site.txt", "out/requirements.texts.txt"}),
        (["fix", "--write"], {"site/requirements.txt"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_killed_at_each_step_of_writing_a_file_is_the_old_one_or_the_new_one(
    server: IndexServer, tmp_path: Path, arguments: list[str], written: set[str]
) -> None:
    folder = tmp_path / "project"
    write_specs(folder)
    for name in written - {"site/requirements.txt"}:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("# Made by conflictcheck last week")
    checked(server, tmp_path / "cache", folder)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EACH_STEP, arguments[0], "site", "texts", *arguments[1:]],
        capture_output=True,
        text=True,
        env=environment(server, tmp_path / "cache"),
        cwd=folder,
        check=True,
        timeout=60,
    )
    before, *killed, complete = json.loads(done.stdout)

    assert len(killed) >= 3 * len(written)
    assert {name for name in complete if complete[name] != before.get(name) and not name.endswith(".tmp")} == written
    for state in killed:
        kept = {name: text for name, text in state.items() if not name.endswith(".tmp")}
        assert kept.keys() == before.keys()
        for name, text in kept.items():
            assert text in {before[name], complete[name]} or _is_a_whole_document(text)
    leftovers = {name for state in killed for name in state if name.endswith(".tmp")}
    assert all(os.path.basename(name).startswith(".") for name in leftovers)  # noqa: PTH119 - names, not paths


def _is_a_whole_document(text: str) -> bool:
    """Reports and snapshots say when they were made or what that took, and so differ from run to run."""
    data = text.encode("latin-1")
    return isinstance(json.loads(gzip.decompress(data) if data[:1] == b"\x1f" else data), dict)
