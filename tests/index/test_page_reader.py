"""Pages are read in a process beside this one, and whatever becomes of that, the answers are the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from index_server import HTML, JSON, IndexServer

from conflictcheck.index import page_reader
from conflictcheck.index.links import PageError
from conflictcheck.index.page_reader import FEW, PageReader

if TYPE_CHECKING:
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
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were started."""
    begun = []
    spawn = os.posix_spawn

    def noted(*given: Any, **options: Any) -> int:
        begun.append(spawn(*given, **options))
        return begun[-1]

    monkeypatch.setattr(os, "posix_spawn", noted)
    return begun


def started(read_here: list[str]) -> PageReader:
    """One whose process is up, after pages that were read here."""
    reader = PageReader(beside=True)
    for number in range(FEW + 1):
        read(reader, f"first{number}")
    read_here.clear()
    return reader


def is_running(pid: int) -> bool:
    """Whether a process is there and more than an entry that nobody has read yet (on Linux)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def serving(code: str) -> str:
    """The program of the process, with some code before it serves."""
    return page_reader.PROGRAM.replace("    serve()", f"    {code}; serve()")


NAMES = [f"n{number}" for number in range(12)]


def test_from_the_ninth_on_pages_are_read_in_another_process_which_ends_with_the_reader(
    read_here: list[str], begun: list[int]
) -> None:
    with closing(PageReader(beside=True)) as reader:
        found = [read(reader, name) for name in NAMES]
        assert (read_here, len(begun), is_running(begun[0])) == (NAMES[:FEW], 1, True)
    assert not is_running(begun[0])
    assert found == [read(PageReader(beside=False), name) for name in NAMES]
    read_here.clear()
    assert read(reader, "later").files[0].filename == "later-1.0.tar.gz"
    assert read_here == ["later"]


@pytest.mark.parametrize("executable", ["/usr/bin/editor", ""])
def test_with_one_job_or_inside_of_another_program_pages_are_read_here(
    executable: str, read_here: list[str], begun: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(PageReader(beside=False)) as alone:
        for name in NAMES:
            read(alone, name)
    monkeypatch.setattr(sys, "executable", executable)
    with closing(PageReader(beside=True)) as inside:
        for name in NAMES:
            read(inside, name)
    assert (read_here, begun) == (NAMES * 2, [])


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
    with closing(started(read_here)) as reader:
        with pytest.raises(PageError, match=f"^{reason}$"):
            read(reader, "bad", body, kind)
        assert read(reader, "good").files[0].filename == "good-1.0.tar.gz"
    assert read_here == []


@pytest.fixture
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_reader, "LARGE", 0)


@pytest.mark.usefixtures("_all_are_large")
def test_pages_are_read_from_many_threads(read_here: list[str]) -> None:
    found: dict[str, Page] = {}
    names = [f"n{number}" for number in range(60)]
    with closing(started(read_here)) as reader:

        def work(some: list[str]) -> None:
            found.update((name, read(reader, name, page_of(name, 500))) for name in some)

        threads = [threading.Thread(target=work, args=(names[start::12],)) for start in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert read_here == []
    assert {name: page.files[499].filename for name, page in found.items()} == {
        name: f"{name}-1.499.tar.gz" for name in names
    }


def test_when_the_process_is_killed_pages_are_read_here(read_here: list[str], begun: list[int]) -> None:
    with closing(started(read_here)) as reader:
        read(reader, "x")
        os.kill(begun[0], signal.SIGKILL)
        assert [read(reader, name).files[0].filename for name in ("y", "z")] == ["y-1.0.tar.gz", "z-1.0.tar.gz"]
    assert (read_here, len(begun)) == (["y", "z"], 1)


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit",
        "print('no answer')",
        "import os; os.write(1, (4).to_bytes(8, 'little') + b'page'); input()",
        "import os; os.write(1, (3).to_bytes(8, 'little') + b'\\x92\\x01\\x02'); input()",
        "import sys; sys.argv[1] = 'elsewhere'" + page_reader.PROGRAM,
    ],
)
def test_a_process_that_makes_no_sense_is_done_without(
    program: str, read_here: list[str], begun: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_reader, "PROGRAM", program)
    with closing(PageReader(beside=True)) as reader:
        for name in NAMES:
            assert read(reader, name).files[0].filename == f"{name}-1.0.tar.gz"
    assert (read_here, len(begun), is_running(begun[0])) == (NAMES, 1, False)


SLOW = "from conflictcheck.index import page_reader as p; import time; p._reply = lambda _: time.sleep(600)"


def test_a_small_page_does_not_wait_for_another_one(read_here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    slow = f"from conflictcheck.index import page_reader as p; once = p._reply; {SLOW}; later = p._reply"
    slow += "; p._reply = lambda one: setattr(p, '_reply', later) or once(one)"
    monkeypatch.setattr(page_reader, "PROGRAM", serving(slow))
    reader = started(read_here)
    waiting = threading.Thread(target=read, args=(reader, "slow"))
    waiting.start()
    while not reader._lock.locked():  # noqa: SLF001
        time.sleep(0.01)
    assert read(reader, "small").files[0].filename == "small-1.0.tar.gz"
    assert read_here == ["small"]
    reader.close()
    waiting.join()


@pytest.mark.usefixtures("_all_are_large")
def test_who_waits_for_an_answer_is_let_go_when_the_reader_is_closed(
    read_here: list[str], begun: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_reader, "PROGRAM", serving(SLOW))
    reader = PageReader(beside=True)
    for name in NAMES[:FEW]:
        read(reader, name)
    waiting = [threading.Thread(target=read, args=(reader, name)) for name in ("x", "y")]
    for thread in waiting:
        thread.start()
    time.sleep(0.5)
    reader.close()
    for thread in waiting:
        thread.join()
    assert sorted(read_here[FEW:]) == ["x", "y"]
    assert not is_running(begun[0])


def test_an_answer_to_a_question_that_was_interrupted_is_not_taken_for_the_next_one(
    read_here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(started(read_here)) as reader:
        with monkeypatch.context() as interrupted:
            interrupted.setattr(page_reader, "_receive", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                read(reader, "x")
        assert read(reader, "y").files[0].filename == "y-1.0.tar.gz"
    assert read_here == ["y"]


def test_the_process_ends_with_one_that_is_killed_amid_a_page() -> None:
    program = (
        "import os\n"
        "from conflictcheck.index import page_reader as p\n"
        f"p.PROGRAM = {serving(SLOW)!r}\n"
        "p.FEW = 0\n"
        "spawn = os.posix_spawn\n"
        "os.posix_spawn = lambda *given, **options: print(pid := spawn(*given, **options), flush=True) or pid\n"
        "p.PageReader(beside=True).read(b'', '', url='', name='', index='', ends=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        assert is_running(pid)
        parent.kill()
    deadline = time.monotonic() + 60
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


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
