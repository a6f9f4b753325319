"""Pages are read in a process beside this one, and whatever becomes of that, the answers are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from index_server import HTML, JSON, IndexServer

from conflictcheck.index import page_reader
from conflictcheck.index.links import PageError
from conflictcheck.index.page_reader import MANY, PageReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflictcheck.index.simple_api import Page

ROOT = Path(__file__).parent.parent.parent


def page_of(name: str, count: int = 3) -> bytes:
    files = [
        {"filename": f"{name}-1.{number}.tar.gz", "url": f"../../files/{name}-1.{number}.tar.gz", "hashes": {}}
        for number in range(count)
    ]
    return json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": files}).encode()


def read(reader: PageReader, name: str, body: bytes | None = None, kind: str = JSON) -> Page:
    url = f"https://index.example/simple/{name}/"
    body = page_of(name) if body is None else body
    return reader.read(body, kind, url=url, name=name, index="https://index.example/simple", ends=True)[0]


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names whose pages were read in this process."""
    here = []
    parse = page_reader.parse_page

    def noted(body: bytes, content_type: str, **about: Any) -> Page:
        here.append(about["name"])
        return parse(body, content_type, **about)

    monkeypatch.setattr(page_reader, "parse_page", noted)
    return here


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """What was started."""
    started: list[subprocess.Popen[bytes]] = []
    start = page_reader.start_process

    def noted() -> subprocess.Popen[bytes]:
        started.append(start())
        return started[-1]

    monkeypatch.setattr(page_reader, "start_process", noted)
    return started


NAMES = [f"n{number}" for number in range(MANY + 4)]


def test_of_many_pages_all_but_the_first_are_read_in_another_process(
    read_here: list[str], processes: list[subprocess.Popen[bytes]]
) -> None:
    with closing(PageReader(beside=True)) as reader:
        found = [read(reader, name) for name in NAMES]
        assert read_here == NAMES[:MANY]
        assert [process.poll() for process in processes] == [None]
    assert [process.returncode is None for process in processes] == [False]
    assert found == [read(PageReader(beside=False), name) for name in NAMES]


def test_few_pages_and_pages_of_a_run_with_one_job_are_read_here(
    read_here: list[str], processes: list[subprocess.Popen[bytes]]
) -> None:
    with closing(PageReader(beside=True)) as few, closing(PageReader(beside=False)) as alone:
        for name in NAMES[:MANY]:
            read(few, name)
        for name in NAMES:
            read(alone, name)
    assert (read_here, processes) == (NAMES[:MANY] + NAMES, [])


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"{", JSON, "the index answered with unusable JSON: Input data was truncated"),
        (b"<a href='/login'>log in</a>", HTML, "the index answered with a page that lists no files"),
        (page_of("other"), JSON, "the index answered with the page of other"),
    ],
)
def test_what_is_wrong_with_a_page_is_said_as_it_is_here(
    body: bytes, kind: str, reason: str, read_here: list[str]
) -> None:
    with closing(PageReader(beside=True)) as reader:
        for name in NAMES:
            read(reader, name)
        with pytest.raises(PageError, match=f"^{reason}$"):
            read(reader, "bad", body, kind)
    assert "bad" not in read_here


def test_pages_are_read_from_many_threads(read_here: list[str]) -> None:
    found: dict[str, Page] = {}
    names = [f"n{number}" for number in range(60)]
    with closing(PageReader(beside=True)) as reader:
        for name in NAMES:
            read(reader, name)

        def work(some: list[str]) -> None:
            found.update((name, read(reader, name, page_of(name, 500))) for name in some)

        threads = [threading.Thread(target=work, args=(names[start::12],)) for start in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert read_here == NAMES[:MANY]
    assert {name: page.files[499].filename for name, page in found.items()} == {
        name: f"{name}-1.499.tar.gz" for name in names
    }


def killed(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "lose", [killed, lambda process: process.stdin.close(), lambda process: process.stdout.close()]
)
def test_when_the_process_is_lost_pages_are_read_here(
    lose: Callable[[subprocess.Popen[bytes]], None], read_here: list[str], processes: list[subprocess.Popen[bytes]]
) -> None:
    with closing(PageReader(beside=True)) as reader:
        for name in NAMES:
            read(reader, name)
        lose(processes[0])
        assert [read(reader, name).files[0].filename for name in ("x", "y")] == ["x-1.0.tar.gz", "y-1.0.tar.gz"]
    assert read_here == [*NAMES[:MANY], "x", "y"]
    assert len(processes) == 1


@pytest.mark.parametrize("script", ["raise SystemExit", "print('no answer')", "import os; os.write(1, b'x' * 99)"])
def test_a_process_that_makes_no_sense_is_done_without(
    script: str, read_here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(page_reader, "start_process", start)
    with closing(PageReader(beside=True)) as reader:
        for name in NAMES:
            read(reader, name)
    assert read_here == NAMES


def test_a_report_does_not_depend_on_who_reads_the_pages(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"{name}\n" for name in NAMES))
    (tmp_path / "b.txt").write_text("n0<1\n")
    said = []
    packages = {name: {"1": ["n0>=1"]} for name in NAMES} | {"n0": {"1": [], "0.5": []}}
    with IndexServer(packages) as server:
        command = [sys.executable, "-P", "-m", "conflictcheck", "check", "a.txt", "b.txt", "--format", "json"]
        command += ["--no-config", "--index-url", server.url, "--no-progress"]
        environ = os.environ | {"PIP_CONFIG_FILE": os.devnull, "PYTHONPATH": str(ROOT)}
        for jobs in ("1", "2"):
            cache = ["--cache-dir", str(tmp_path / f"cache{jobs}")]
            for _ in range(2):  # the second time from what the cache has
                done = subprocess.run(
                    [*command, *cache, "--jobs", jobs],
                    cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert done.stderr == ""
                report = json.loads(done.stdout)
                del report["stats"]
                said.append(report)
    assert said[0]["verdict"] == "split"
    assert all(report == said[0] for report in said)
