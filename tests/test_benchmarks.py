"""What the speed benchmarks stand on: the index server, the made-up companies, and the tables. Nothing is timed."""

from __future__ import annotations

import gzip
import json
import os
import sys
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import figures
import growth
import measuring
import questions
import synthetic
from index_store import DOCUMENT, IndexStore
from plans import plans
from tables import Measured, Row
from tools import Answer, Asking, Conflictcheck

import conflictcheck
from conflictcheck.model import Verdict

NAME = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state with one index of one release."""
    store = IndexStore(tmp_path / "tiny.sqlite")
    wheel = {"filename": NAME, "url": f"../../files/demo/{NAME}", "hashes": {}, "core-metadata": True}
    store.put_page("demo", [{**wheel, "upload-time": "2024-01-01T00:00:00Z"}])
    store.put(f"files/demo/{NAME}.metadata", DOCUMENT, b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\n")
    store.put("files/demo/demo-1.0.tar.gz", DOCUMENT, b"0123456789")
    store.put("simple/gone/", DOCUMENT, None)
    store.close()
    return tmp_path


def get(server: measuring.Server, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    with closing(HTTPConnection(server.root.removeprefix("http://"))) as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response, response.read()


def test_the_index_server_gives_what_is_stored(state: Path) -> None:
    with measuring.Server(state) as server:
        page, body = get(server, "/tiny/simple/demo/", accept_encoding="gzip")
        assert page.headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(body))["files"][0]["filename"] == NAME
        assert "max-age=" in page.headers["cache-control"]
        assert get(server, "/tiny/simple/demo/")[1] == gzip.decompress(body)
        assert get(server, f"/tiny/files/demo/{NAME}.metadata")[1].startswith(b"Metadata-Version")
        again, nothing = get(server, "/tiny/simple/demo/", if_none_match=page.headers["etag"])
        assert (again.status, nothing) == (304, b"")


def test_the_index_server_gives_parts_of_files(state: Path) -> None:
    with measuring.Server(state) as server:
        part, body = get(server, "/tiny/files/demo/demo-1.0.tar.gz", range="bytes=2-4")
        assert (part.status, part.headers["content-range"], body) == (206, "bytes 2-4/10", b"234")
        assert get(server, "/tiny/files/demo/demo-1.0.tar.gz", range="bytes=-3")[1] == b"789"


def test_the_index_server_counts_what_it_is_asked_and_what_it_lacks_and_records_nothing_unasked(state: Path) -> None:
    with measuring.Server(state) as server:
        get(server, "/tiny/simple/demo/")
        assert get(server, "/tiny/simple/gone/")[0].status == 404
        counted = server.tell("count")
        assert (counted["requests"], counted["lacking"]) == (2, 0)
        assert get(server, "/tiny/simple/never-seen/")[0].status == 404
        assert get(server, "/other/simple/demo/")[0].status == 404
        counted = server.tell("count")
        assert (counted["requests"], counted["lacking"]) == (4, 2)
    assert sorted(file.name for file in state.glob("*.sqlite")) == ["tiny.sqlite"]
    store = IndexStore(state / "tiny.sqlite")
    assert store.get("simple/never-seen/") is None
    store.close()


def test_a_tool_is_asked_and_what_it_took_is_known(state: Path) -> None:
    question = questions.Question({"one": ["demo"], "two": ["demo>2"]}, "3.11", "2024-11-01T23:59:59Z", index="tiny")
    files = question.write(state / "specs")
    with measuring.Server(state) as server:
        answer = Conflictcheck().ask(Asking(question, state / "specs", files, state / "cache", False, server, 60))
    assert answer.verdict.startswith("unsatisfiable: 1 clash, ")
    assert answer.usage.requests == 2
    assert answer.usage.wall > 0


def test_what_takes_too_long_is_stopped(state: Path) -> None:
    with measuring.Server(state) as server:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        done = measuring.run(command, folder=state, environ={}, limit=0.1, server=server)
    assert done.code is None


def test_a_made_up_company_needs_as_many_environments_as_eras(tmp_path: Path) -> None:
    company = synthetic.Company(8, 200)
    assert company.specs == synthetic.Company(8, 200).specs
    store = IndexStore(tmp_path / "made-up.sqlite")
    company.store(store)
    store.close()
    question = questions.Question(company.specs, "3.11", "2024-11-01T23:59:59Z", index="made-up")
    files = question.write(tmp_path / "specs")
    with measuring.Server(tmp_path) as server:
        report = conflictcheck.check(
            files,
            cwd=tmp_path / "specs",
            python_versions=[question.python],
            python_platforms=[question.platform],
            exclude_newer=question.exclude_newer,
            index_url=server.index("made-up"),
            cache_dir=tmp_path / "cache",
            environ={"PIP_CONFIG_FILE": os.devnull},
        )
        assert server.tell("count")["lacking"] == 0
    assert report.verdict == Verdict.SPLIT
    assert (len(report.environments), report.minimum.proven) == (len(company.eras), True)


def runs(*walls: float, verdict: str = "compatible") -> list[Answer]:
    return [Answer(verdict, measuring.Usage(wall=wall, cpu=wall, memory=10)) for wall in walls]


def test_a_ratio_is_the_median_of_pairs_made_one_after_the_other() -> None:
    row = Row("row", [Measured("conflictcheck", 60, runs(1, 2, 4)), Measured("uv", 60, runs(3, 2, 16))])
    assert row.ratio("uv", "conflictcheck") == 3
    assert row.lines()[1] == "|  | uv | compatible | 0 | 3.00 | 3.00 | 10 | 3.00 |"


def test_a_tool_that_was_cut_off_has_no_answer_and_a_bound() -> None:
    row = Row("row", [Measured("conflictcheck", 60, runs(1, 2)), Measured("uv", 60, runs(60, verdict=""))])
    assert row.lines()[1] == "|  | uv | none within 60 s | 0 | 60.00 | 60.00 | 10 | > 60.00 |"
    assert row.of("uv", "wall") is None


def test_growth_is_the_slope_of_logarithms() -> None:
    rows = [Row(f"synthetic/{n}", [Measured("conflictcheck", 60, runs(n * n / 100))], size=n) for n in (10, 100, 1000)]
    assert growth.slope(growth.series(rows)["conflictcheck"]) == pytest.approx(2)
    assert growth.plot(rows).count("<circle") == 3


def test_of_the_rows_that_a_figure_is_about_the_worst_counts() -> None:
    rows = [
        Row("one/kedro/warm", [Measured("conflictcheck", 60, runs(1)), Measured("uv", 60, runs(2))]),
        Row("one/airflow/warm", [Measured("conflictcheck", 60, runs(3)), Measured("uv", 60, runs(2))]),
        Row("family/20/warm", [Measured("conflictcheck", 60, runs(3)), Measured("uv, first fit", 60, runs(60))]),
        Row("one/flask/cold", [Measured("conflictcheck", 60, runs(9)), Measured("uv", 60, runs(1))]),
    ]
    assert figures.table(rows)[2:] == [
        "| one hard spec, warm, to uv | at most 1 times | 1.50 times (one/airflow/warm) | no |",
        "| 20 specs, warm, faster than uv's first fit | at least 10 times | 20.00 times (family/20/warm) | yes |",
    ]


def test_figures_name_rows_that_are_measured() -> None:
    names = [plan.name for plan in plans(questions.CASES, Path())]
    assert len(names) == len(set(names))
    assert [figure.case for figure in figures.FIGURES if not any(map(figure.rows, names))] == []
