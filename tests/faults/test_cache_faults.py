"""A full disk, a cache that is read-only, damaged, of another version, gone or shared: the answer stays right."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cache_contents import METADATA, PAGES, fill, is_filled
from cache_runs import (
    ARGUMENTS,
    FAILED,
    LIBRARIES,
    NO_MORE_THAN,
    PACKAGES,
    checked,
    claims,
    environment,
    is_whole,
    outcome,
    parts,
    start,
    write_specs,
)
from index_server import IndexServer

from conflictcheck.cache_file import FILENAME
from conflictcheck.errors import CacheError
from conflictcheck.facts import Metadata
from conflictcheck.index import database
from conflictcheck.index.cache import Cache, StoredPage
from conflictcheck.index.database import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SEED = 20
NOBODY = 65534


@pytest.fixture(scope="module")
def server() -> Iterator[IndexServer]:
    with IndexServer(PACKAGES, max_age=3600) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_specs(tmp_path)
    return tmp_path


@pytest.fixture
def expected(server: IndexServer, project: Path) -> dict[str, Any]:
    """The right answer; `project / "full"` is a cache that holds it."""
    answer, problems = checked(server, project / "full", project)
    assert (answer["verdict"], problems) == ("split", [])
    return answer


# Flipped bits


def test_wherever_a_bit_flips_nothing_else_is_believed_and_the_cache_can_be_filled_again(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with closing(Cache.open(tmp_path / "whole")) as cache:
        fill(cache)
        with closing(sqlite3.connect(cache.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint")
        for key in list(PAGES)[:5]:
            cache.put_page(key, PAGES[key])
        cache.flush()
        shutil.copytree(tmp_path / "whole", tmp_path / "copy")  # with rows in the log, as after a kill
    choice = random.Random(SEED)
    missing = emptied = 0
    for number in range(10 * request.config.getoption("--kills")):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "copy", folder)
        path = folder / choice.choice((FILENAME, FILENAME, FILENAME, FILENAME + "-wal"))
        data = bytearray(path.read_bytes())
        page = choice.randrange(0, len(data), 4096)
        for _ in range(choice.choice((1, 1, 2, 20))):
            # The beginning of a page says what is where; damage of the rest is mostly damage of a row.
            data[min(page + choice.randrange(choice.choice((100, 4096))), len(data) - 1)] ^= 1 << choice.randrange(8)
        path.write_bytes(data)

        with closing(Cache.open(folder)) as cache:
            pages, metadata = cache.pages(PAGES), cache.metadata(METADATA)
            assert pages.items() <= PAGES.items()
            assert metadata.items() <= METADATA.items()
            missing += len(PAGES) + len(METADATA) - len(pages) - len(metadata)
            fill(cache)
            if not is_filled(cache):  # what was stored before the damage was met went with it
                assert cache.problems
                fill(cache)
            assert is_filled(cache)
            emptied += any("was damaged and has been emptied" in problem for problem in cache.problems)
            assert all(problem.startswith(f"the cache {cache.path} was damaged") for problem in cache.problems)
        shutil.rmtree(folder)
    assert missing > 0
    assert emptied > 0


@pytest.mark.parametrize("what", ["header", "tables", "rows"])
def test_a_damaged_cache_is_replaced_and_the_report_says_so(
    server: IndexServer, project: Path, expected: dict[str, Any], what: str
) -> None:
    path = project / "full" / FILENAME
    data = bytearray(path.read_bytes())
    if what == "header":
        data[:16] = bytes(16)
    elif what == "tables":
        data[100:110] = b"\xff" * 10
    else:
        for at in range(8192, len(data), 4096):
            data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)

    answer, problems = checked(server, project / "full", project)

    assert answer == expected
    [problem] = problems
    assert problem.startswith(f"the cache {path} was damaged and has been emptied: ")
    assert is_whole(project / "full")
    assert checked(server, project / "full", project, offline=True) == (expected, [])


def test_a_column_that_lost_its_name_is_noticed(server: IndexServer, project: Path, expected: dict[str, Any]) -> None:
    path = project / "full" / FILENAME
    data = path.read_bytes()
    path.write_bytes(data.replace(b"fresh_until INTEGER", b"fresh_untim INTEGER", 1))

    assert checked(server, project / "full", project) == (expected, [])
    assert checked(server, project / "full", project, offline=True) == (expected, [])


def test_a_damaged_text_costs_its_own_row_alone(tmp_path: Path) -> None:
    with closing(Cache.open(tmp_path)) as cache:
        fill(cache)
    path = tmp_path / FILENAME
    path.write_bytes(path.read_bytes().replace(b'"7"', b'"\xff"'))

    with closing(Cache.open(tmp_path)) as cache:
        assert cache.pages(PAGES) == {key: page for key, page in PAGES.items() if page.etag != '"7"'}
        assert cache.problems == []


def test_damage_that_is_met_while_offline_is_undecided_and_never_an_answer(
    server: IndexServer, project: Path, expected: dict[str, Any]
) -> None:
    with closing(sqlite3.connect(project / "full" / FILENAME)) as connection, connection:
        connection.execute("DELETE FROM answers")  # what was made of the pages, which would do without them
        rows = connection.execute("SELECT key, data FROM pages").fetchall()
        for key, data in rows:
            if key.endswith("/core/"):  # as if there were another release that would let both share
                connection.execute("UPDATE pages SET data = ? WHERE key = ?", (data.replace(b"2.0", b"1.9"), key))
    answer, _ = checked(server, project / "full", project, offline=True)

    assert answer["verdict"] == "undecided"
    assert checked(server, project / "full", project) == (expected, [])


def test_whichever_fact_is_missing_while_offline_the_claims_are_the_right_ones_or_none(
    server: IndexServer, project: Path, expected: dict[str, Any]
) -> None:
    with closing(sqlite3.connect(project / "full" / FILENAME)) as connection:
        rows = [
            (table, key)
            for table in ("pages", "metadata")
            for (key,) in connection.execute(f"SELECT key FROM {table}").fetchall()
        ]
    undecided = 0
    for number, (table, key) in enumerate(rows):
        folder = project / f"without-{number}"
        shutil.copytree(project / "full", folder)
        with closing(sqlite3.connect(folder / FILENAME)) as connection, connection:
            connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))
        answer, _ = checked(server, folder, project, offline=True)
        undecided += answer["verdict"] == "undecided"
        assert answer["verdict"] == "undecided" or claims(answer) == claims(expected)
    assert 0 < undecided < len(rows)


# Other things in its place


def other_version(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE pages (url TEXT, body BLOB)")
        connection.execute("INSERT INTO pages VALUES ('https://index.example/simple/core/', 'old')")
        connection.execute(f"PRAGMA user_version = {number}")


@pytest.mark.parametrize("number", [0, 1, 2, 1000])
def test_the_cache_of_another_version_is_replaced_without_a_word(
    server: IndexServer, project: Path, expected: dict[str, Any], number: int
) -> None:
    (project / "cache").mkdir()
    other_version(project / "cache" / FILENAME, number)

    assert checked(server, project / "cache", project) == (expected, [])
    assert is_whole(project / "cache")
    assert checked(server, project / "cache", project, offline=True) == (expected, [])


@pytest.mark.parametrize("what", ["a database", "a text"])
def test_a_file_of_someone_else_behind_a_link_is_left_alone(
    server: IndexServer, project: Path, expected: dict[str, Any], what: str
) -> None:
    theirs = project / "precious"
    if what == "a database":
        other_version(theirs, 7)
    else:
        theirs.write_text("dear diary " * 500)
    before = theirs.read_bytes()
    (project / "cache").mkdir()
    (project / "cache" / FILENAME).symlink_to(theirs)

    assert checked(server, project / "cache", project)[0] == expected
    assert theirs.read_bytes() == before
    assert checked(server, project / "cache", project, offline=True) == (expected, [])


def test_a_link_to_a_cache_elsewhere_stays(server: IndexServer, project: Path, expected: dict[str, Any]) -> None:
    (project / "cache").mkdir()
    (project / "cache" / FILENAME).symlink_to(project / "full" / FILENAME)

    assert checked(server, project / "cache", project, offline=True) == (expected, [])
    assert (project / "cache" / FILENAME).is_symlink()


@pytest.mark.parametrize("what", ["a folder", "a pipe", "a link to nowhere", "a folder for the log"])
def test_what_cannot_be_a_cache_is_done_without(
    server: IndexServer, project: Path, expected: dict[str, Any], what: str
) -> None:
    (project / "cache").mkdir()
    path = project / "cache" / FILENAME
    if what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    elif what == "a link to nowhere":
        path.symlink_to(project / "no" / "where")
    else:
        path.with_name(FILENAME + "-wal").mkdir()

    answer, problems = checked(server, project / "cache", project)

    assert answer == expected
    [problem] = problems
    assert problem.startswith(f"the cache {path} cannot be used: ")
    assert checked(server, project / "cache", project, offline=True)[0]["verdict"] == "undecided"
    with closing(Cache.open(project / "cache")) as cache:
        if "folder" in what:
            with pytest.raises(CacheError, match=r"cannot be emptied: .* Is a directory"):
                cache.clear()
        else:
            cache.clear()
            assert checked(server, project / "cache", project) == (expected, [])


# Read-only


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """The superuser may write everything; anybody else is as good as another."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that others than the owner can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="conflictcheck-tests-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("modes", [(0o555, 0o444), (0o555, 0o666), (0o777, 0o444)])
def test_a_cache_that_cannot_be_written_is_read(
    server: IndexServer, project: Path, reachable: Path, expected: dict[str, Any], modes: tuple[int, int]
) -> None:
    folder = reachable / "cache"
    shutil.copytree(project / "full", folder)
    (folder / FILENAME).chmod(modes[1])
    folder.chmod(modes[0])
    before = (folder / FILENAME).read_bytes()

    with as_somebody_else():
        with closing(Cache.open(folder)) as cache:
            assert cache.info().listings > len(LIBRARIES)
            assert cache.problems == []
            cache.put_page("new", StoredPage("", "", 0, b""))
            cache.put_page("newer", StoredPage("", "", 0, b""))
            cache.flush()
            assert cache.problems == [
                f"the cache {folder / FILENAME} cannot be written: attempt to write a readonly database"
            ]
            assert cache.pages(["new"]) == {}
        with closing(Cache.open(folder)) as cache:
            assert cache.metadata(["no such"]) == {}
    assert (folder / FILENAME).read_bytes() == before
    shutil.rmtree(project / "full")
    shutil.copytree(folder, project / "full")
    assert checked(server, project / "full", project, offline=True) == (expected, [])


@pytest.mark.parametrize("what", ["nothing", "damage", "another version"])
def test_where_nothing_can_be_written_there_is_no_new_cache(reachable: Path, what: str) -> None:
    path = reachable / "cache" / FILENAME
    path.parent.mkdir()
    if what == "damage":
        path.write_bytes(b"damaged" * 5000)
    elif what == "another version":
        other_version(path, 2)
    path.parent.chmod(0o555)

    with as_somebody_else(), closing(Cache.open(path.parent)) as cache:
        fill(cache)
        assert cache.pages(PAGES) == {}
        [problem] = cache.problems
        with pytest.raises(CacheError, match="cannot be emptied"):
            cache.clear()

    reason = {
        "nothing": "unable to open database file",
        "damage": "file is not a database",
        "another version": "it is of another version",
    }[what]
    assert problem == f"the cache {path} cannot be used: {reason}"


# A full disk


@pytest.mark.parametrize("blocks", [0, 64])
def test_files_that_may_not_grow_cost_the_cache_and_not_the_answer(
    server: IndexServer, project: Path, expected: dict[str, Any], blocks: int
) -> None:
    code, answer, problems = outcome(start(server, project / "cache", project, before=f"ulimit -f {blocks}"))

    assert (code, answer) == (FAILED, expected)
    [problem] = problems
    assert problem.startswith(f"the cache {project / 'cache' / FILENAME} cannot be ")
    assert checked(server, project / "cache", project) == (expected, [])
    assert is_whole(project / "cache")
    assert checked(server, project / "cache", project, offline=True) == (expected, [])


def small_disk(size: str, then: str) -> list[str]:
    """A shell command on a file system of its own at `$DISK`, which vanishes with the process."""
    script = f'mount -t tmpfs -o size={size} none "$DISK" && {then}'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]


def may_mount(folder: Path) -> bool:
    """Whether this system lets us; containers often do not."""
    try:
        given = os.environ | {"DISK": str(folder)}
        return subprocess.run(small_disk("4k", "true"), env=given, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("size", ["48k", "160k"])
def test_a_disk_that_is_full_costs_the_cache_and_not_the_answer(
    server: IndexServer, project: Path, expected: dict[str, Any], size: str
) -> None:
    """Each size leaves room for less or more of the cache, which can be read and emptied all the same."""
    disk = project / "disk"
    disk.mkdir()
    if not may_mount(disk):
        pytest.skip("needs a system that lets users mount")
    program = f"{sys.executable} -m conflictcheck"
    check = f"{program} {' '.join(ARGUMENTS)}"
    fill_up = 'head -c 9M /dev/zero > "$DISK/filler" 2> /dev/null'
    clear = f'{program} cache clear > 3; rm -f "$DISK/filler"; {program} cache info > 4'
    script = f"{check} > 1; {fill_up}; {check} > 2; {clear}"
    done = subprocess.run(
        small_disk(size, script),
        env=environment(server, disk) | {"DISK": str(disk)},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=NO_MORE_THAN,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in "12":
        answer, problems = parts((project / name).read_text())
        assert answer == expected
        assert all(problem.startswith(f"the cache {disk / FILENAME} cannot be ") for problem in problems)
        assert problems
    assert (project / "3").read_text().startswith(("Cleared ", "Nothing was cached in "))
    assert "Problem: " not in (project / "4").read_text()


# A cache that goes away, time that jumps


@pytest.mark.parametrize(
    "how", ["the folder is removed", "the file is removed", "another takes its place", "it is cut"]
)
def test_a_cache_that_goes_away_during_a_run_changes_nothing(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "cache"
    with closing(Cache.open(folder)) as cache:
        fill(cache)
        if how == "the folder is removed":
            shutil.rmtree(folder)
        elif how == "the file is removed":
            cache.path.unlink()
        elif how == "another takes its place":
            cache.path.unlink()
            with closing(Cache.open(folder)) as other:
                other.put_page("other", StoredPage("", "", 0, b"other"))
        else:
            os.truncate(cache.path, 4096)
        assert cache.pages(PAGES).items() <= PAGES.items()
        assert cache.metadata(METADATA).items() <= METADATA.items()
        fill(cache)
        assert cache.pages(PAGES).items() <= PAGES.items()
    with closing(Cache.open(folder)) as cache:
        fill(cache)
        assert is_filled(cache)
    assert is_whole(folder)


@pytest.mark.parametrize("years", [-100, -1, 1, 100])
def test_a_clock_that_jumps_makes_old_pages_asked_for_and_not_believed_for_ever(
    server: IndexServer, project: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    real = time.time
    asked = server.requests["/simple/core/"]
    monkeypatch.setattr(time, "time", lambda: real() + years * 365 * 86400)
    assert checked(server, project / "full", project) == (expected, [])
    assert server.requests["/simple/core/"] == asked + 1
    monkeypatch.undo()
    assert checked(server, project / "full", project) == (expected, [])
    assert server.requests["/simple/core/"] == asked + 2
    assert checked(server, project / "full", project) == (expected, [])
    assert server.requests["/simple/core/"] == asked + 2


# Its size


def test_a_cache_that_has_grown_to_its_bound_forgets_what_is_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MAX_SIZE", 2_000_000)
    with closing(Cache.open(tmp_path)) as cache:
        for number in range(300):
            cache.put_page(f"{number:03}", StoredPage("", "", number, os.urandom(20_000)))
            cache.put_metadata(f"{number:03}", Metadata("a", str(number), ("b" * 1000,)))
        kept = sorted(cache.pages([f"{number:03}" for number in range(300)]))
        assert cache.problems == []
        assert 20 < len(kept) < 100
        assert kept == [f"{number:03}" for number in range(300 - len(kept), 300)]
        assert 0 < cache.info().metadata < 300
    assert (tmp_path / FILENAME).stat().st_size <= 2_000_000
    assert is_whole(tmp_path)


# Many at once

ONE_OF_MANY = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from cache_contents import Cache, METADATA, PAGES, fill
cache = Cache.open(Path(sys.argv[1]))
for _ in range(5):
    assert cache.pages(PAGES).items() <= PAGES.items()
    assert cache.metadata(METADATA).items() <= METADATA.items()
    fill(cache)
cache.close()
"""


@pytest.mark.parametrize("what", ["nothing", "garbage", "damaged rows", "another version"])
def test_eight_processes_that_find_a_cache_agree_on_one(tmp_path: Path, what: str) -> None:
    path = tmp_path / "cache" / FILENAME
    path.parent.mkdir()
    if what == "garbage":
        path.write_bytes(b"damaged" * 5000)
    elif what == "another version":
        other_version(path, 2)
    elif what == "damaged rows":
        with closing(Cache.open(path.parent)) as cache:
            fill(cache)
        data = bytearray(path.read_bytes())
        for at in range(8192, len(data), 4096):
            data[at : at + 8] = b"\xff" * 8
        path.write_bytes(data)
    here = Path(__file__).parent
    many = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_OF_MANY, str(path.parent), str(here), str(here.parents[1])],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    ends = [process.communicate(timeout=NO_MORE_THAN)[1] for process in many]

    assert ends == [""] * 8
    assert is_whole(path.parent)
    with closing(Cache.open(path.parent)) as cache:
        assert is_filled(cache)
        assert cache.problems == []
    assert {found.name for found in path.parent.iterdir()} <= {FILENAME, LOCK}
