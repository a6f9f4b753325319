"""Requests that run ahead of the solver: what they ask for, and that nothing rests on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
from index_server import Fault, IndexServer
from msgspec.structs import replace

import conflictcheck
from conflictcheck.index import ahead, open_index
from conflictcheck.index.base import Expected
from conflictcheck.index.memory import Rel
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings, Settings
from conflictcheck.solver.scout import Scout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflictcheck.model import Report

PACKAGES: dict[str, dict[str, Rel | list[str]]] = {
    "app": {"1.0": [], "2.0": ["lib[fast]<3", "tool; sys_platform == 'win32'"]},
    "lib": {
        "1.0": [],
        "2.0": Rel(requires=["base>=1", "speed; extra == 'fast'"], extras=["fast"]),
        "2.5": Rel(requires_python=">=3.99"),
        "3.0": [],
    },
    "base": {"1.0": [], "1.1": [], "2.0a1": []},
    "speed": {"1.0": ["base<1.1"]},
    "tool": {"1.0": []},
}


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer(PACKAGES, metadata_files=True) as server:
        yield server


def settings(index: IndexServer, folder: Path, *lines: str, **index_settings: object) -> Settings:
    source = IndexSettings((index.url,), backoff=0, **index_settings)  # type: ignore[arg-type]
    return Settings(folder, source, ("3.11",), ("linux",), with_requirements=lines, paths=())


def plain(report: Report) -> Report:
    return replace(report, stats={})


def run(index: IndexServer, folder: Path, *lines: str, **index_settings: object) -> Report:
    (folder / "requirements.txt").write_text("\n".join(lines))
    return plain(check(settings(index, folder, **index_settings), Progress()))


@pytest.fixture
def _no_scout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scout, "after_listing", lambda *_: Expected())
    monkeypatch.setattr(Scout, "after_metadata", lambda *_: Expected())


def test_each_address_is_asked_for_once_and_none_that_the_target_has_no_use_for(
    index: IndexServer, tmp_path: Path
) -> None:
    run(index, tmp_path, "app")
    assert set(index.requests.values()) == {1}
    assert {path for path in index.requests if "/simple/" in path} == {
        f"/simple/{name}/" for name in ("app", "lib", "base", "speed")
    }
    read = {path.removeprefix("/files/").split("-py3")[0] for path in index.requests if "/files/" in path}
    assert read - {"base-1.1"} == {"app-2.0", "lib-2.0", "base-1.0", "speed-1.0"}


@pytest.mark.parametrize(
    "lines", [("app",), ("app", "lib>=3"), ("app", "base>=1.1"), ("absent",), ("lib", "base==2.0a1")]
)
def test_the_report_is_the_same_without_a_scout(
    lines: tuple[str, ...], index: IndexServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with_scout = run(index, tmp_path, *lines)
    request.getfixturevalue("_no_scout")
    assert run(index, tmp_path, *lines) == with_scout


def test_what_is_expected_is_asked_for_before_the_solver_asks(index: IndexServer) -> None:
    opened = open_index(IndexSettings((index.url,)), Progress())
    names: list[str] = []

    class Guide(Scout):
        def __init__(self) -> None:
            pass

        def after_listing(self, listing: object) -> Expected:
            names.append(listing.name)  # type: ignore[attr-defined]
            return Expected({"app": ["lib"], "lib": ["base"]}.get(names[-1], []))  # type: ignore[arg-type]

    opened.follow(Guide())
    opened.listings(["app"])  # type: ignore[list-item]
    opened.listings(["base"])  # type: ignore[list-item]
    opened.listings(["lib"])  # type: ignore[list-item]
    opened.close()
    assert set(names) == {"app", "base", "lib"}
    assert set(index.requests.values()) == {1}


def test_a_page_that_came_ahead_and_is_recognized_is_among_those_that_an_answer_rests_on(
    index: IndexServer, tmp_path: Path
) -> None:
    opened = open_index(IndexSettings((index.url,), cache_dir=tmp_path), Progress())
    came = Event()

    class Guide(Scout):
        def __init__(self) -> None:
            pass

        def after_listing(self, listing: object) -> Expected:  # noqa: ARG002 - as it is called
            came.set()
            return Expected()

    opened.follow(Guide())
    opened.expect(Expected(["lib"]))  # type: ignore[list-item]
    assert came.wait(60)
    assert opened.stamps(["lib"])  # type: ignore[list-item]
    assert opened.basis is not None
    assert list(opened.basis.pages) == [f"{index.url}/lib/"]
    opened.close()


def test_trouble_with_what_nobody_asked_for_is_forgotten(
    index: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(index, tmp_path, "app")
    index.faults["/simple/tool/"] = Fault(status=500)
    monkeypatch.setattr(Scout, "after_listing", lambda *_: Expected(["tool"]))  # type: ignore[list-item]
    assert run(index, tmp_path, "app", retries=0) == expected
    assert index.requests["/simple/tool/"] == 1


def test_a_scout_that_fails_is_done_without(
    index: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(index, tmp_path, "app")
    monkeypatch.setattr(Scout, "after_listing", lambda *_: 1 // 0)
    assert run(index, tmp_path, "app") == expected


def test_no_more_is_begun_ahead_than_the_bound(
    index: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "MOST_AHEAD", 5)
    endless = Expected([f"x{n}" for n in range(100)])  # type: ignore[misc]
    monkeypatch.setattr(Scout, "after_listing", lambda *_: endless)
    run(index, tmp_path, "app")
    assert len([path for path in index.requests if path.startswith("/simple/x")]) <= 5


def test_a_run_that_finds_all_in_its_cache_expects_nothing(
    index: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.max_age = 3600
    first = run(index, tmp_path, "app", cache_dir=tmp_path / "cache")
    called: list[object] = []
    monkeypatch.setattr(Scout, "after_listing", lambda *given: called.append(given))
    monkeypatch.setattr(Scout, "after_metadata", lambda *given: called.append(given))
    index.requests.clear()
    assert run(index, tmp_path, "app", cache_dir=tmp_path / "cache") == first
    assert (called, dict(index.requests)) == ([], {})


def test_pages_that_are_stale_are_asked_whether_they_have_changed_each_once(index: IndexServer, tmp_path: Path) -> None:
    index.max_age = 0
    first = run(index, tmp_path, "app", cache_dir=tmp_path / "cache")
    index.requests.clear()
    assert run(index, tmp_path, "app", cache_dir=tmp_path / "cache") == first
    assert dict(index.requests) == {f"/simple/{name}/": 1 for name in ("app", "lib", "base", "speed")}
    assert all("if-none-match" in index.headers[path] for path in index.requests)


def test_the_index_is_at_work_before_the_solver_is_imported(index: IndexServer, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "app\nlib; sys_platform == 'win32'\nbase @ https://files.example/b.whl\n"
    )
    program = (
        "import sys\n"
        "from conflictcheck.cli import run\n"
        "from conflictcheck.index.remote import RemoteIndex\n"
        "def expect(self, expected):\n"
        "    if 'conflictcheck.run' not in sys.modules: print(*expected.names)\n"
        "RemoteIndex.expect = expect\n"
        "run(['check', '-q', '--no-cache', '--python-platform', 'linux'])\n"
    )
    environ = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url}
    root = str(Path(conflictcheck.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == "app", done.stderr
