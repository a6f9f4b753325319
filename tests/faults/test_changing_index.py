"""An index that contradicts itself: between two requests, two runs, two files of a release, or two hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import artifacts
import pytest
from faulty_runs import doubt, run, shown
from index_server import Fault, IndexServer

from conflictcheck.index.memory import Rel
from conflictcheck.model import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conflictcheck.model import Report


ANY, LINUX = "app-1.0-py3-none-any.whl", "app-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
APP = {"one.txt": "app"}


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer({"app": {"1.0": ["lib>=2"]}, "lib": {"1.0": [], "2.0": []}}, max_age=0) as server:
        yield server


def pins(report: Report) -> dict[str, str]:
    return {pin.name: pin.version for environment in report.environments for pin in environment.packages}


def told(report: Report, code: str) -> list[tuple[Severity, str]]:
    return [(note.severity, note.message) for note in report.diagnostics if note.code == code]


def test_of_wheels_that_differ_the_one_that_would_be_installed_counts(index: IndexServer, tmp_path: Path) -> None:
    index.store(LINUX, artifacts.wheel("app", "1.0", requires=["lib<2"]), name="app")
    assert pins(run(tmp_path, (index.url,), APP)) == {"app": "1.0", "lib": "1.0"}
    assert pins(run(tmp_path, (index.url,), APP, platform="windows")) == {"app": "1.0", "lib": "2.0"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=404), f"{LINUX}: the server answered 404"),
        (Fault(status=500), f"{LINUX}: the server answered 500"),
        (Fault(body=b"?"), f"{LINUX} does not have the hash that is stated for it"),
    ],
)
def test_no_other_file_speaks_for_the_wheel_that_would_be_installed(
    index: IndexServer, tmp_path: Path, fault: Fault, reason: str
) -> None:
    index.store(LINUX, artifacts.wheel("app", "1.0", requires=["lib<2"]), name="app")
    index.faults[f"/files/{LINUX}"] = fault
    report = run(tmp_path, (index.url,), APP)
    assert report.verdict is Verdict.UNDECIDED
    assert doubt(report) == f"what app 1.0 needs is not known: {reason}"


def test_a_wheel_of_another_platform_that_is_gone_leaves_it_to_the_sdist_that_would_be_built(
    index: IndexServer, tmp_path: Path
) -> None:
    foreign = "new-1-cp311-cp311-win_amd64.whl"
    index.store(foreign, artifacts.wheel("new", "1", requires=["lib<2"]), name="new")
    index.add("new", "1", Rel(requires=["lib>=2"], tags=(), sdist=True))
    new = {"one.txt": "new"}
    index.faults[f"/files/{foreign}"] = Fault(status=500)
    assert run(tmp_path, (index.url,), new).verdict is Verdict.UNDECIDED
    index.faults[f"/files/{foreign}"] = Fault(status=404)
    report = run(tmp_path, (index.url,), new)
    assert (pins(report), told(report, "index-problem")) == ({"new": "1", "lib": "2.0"}, [])


def test_a_release_that_could_not_be_looked_at_is_told_where_an_older_one_takes_its_place(
    index: IndexServer, tmp_path: Path
) -> None:
    index.add("app", "1.1", Rel())
    index.faults["/files/app-1.1-*"] = Fault(status=500)
    report = run(tmp_path, (index.url,), APP)
    assert (report.verdict, pins(report)) == (Verdict.COMPATIBLE, {"app": "1.0", "lib": "2.0"})
    reason = "app-1.1-py3-none-any.whl: the server answered 500"
    assert told(report, "index-problem") == [(Severity.WARNING, f"what app 1.1 needs is not known: {reason}")]


def test_of_many_facts_that_could_not_be_had_a_few_are_told(index: IndexServer, tmp_path: Path) -> None:
    for minor in range(10, 20):
        index.add("app", f"1.{minor}", Rel())
    index.faults["/files/app-1.1?-*"] = Fault(status=403)
    report = run(tmp_path, (index.url,), APP)
    assert pins(report) == {"app": "1.0", "lib": "2.0"}
    problems = [message for _, message in told(report, "index-problem")]
    assert problems[:2] == [
        "5 facts could not be had besides those that are named",
        "what app 1.10 needs is not known: app-1.10-py3-none-any.whl: the server refused access (403)",
    ]
    assert len(problems) == 6


def test_a_page_that_is_gone_is_an_answer_for_as_long_as_it_says(index: IndexServer, tmp_path: Path) -> None:
    index.faults["/simple/app/"] = Fault(status=404, headers={"Cache-Control": "max-age=900"})
    assert run(tmp_path, (index.url,), APP).verdict is Verdict.UNSATISFIABLE
    index.faults.clear()
    assert run(tmp_path, (index.url,), APP).verdict is Verdict.UNSATISFIABLE
    assert run(tmp_path, (index.url,), APP, refresh=True).verdict is Verdict.COMPATIBLE


def test_a_release_that_is_dropped_is_not_chosen_again(index: IndexServer, tmp_path: Path) -> None:
    assert pins(run(tmp_path, (index.url,), APP)) == {"app": "1.0", "lib": "2.0"}
    del index.files["lib-2.0-py3-none-any.whl"]
    assert run(tmp_path, (index.url,), APP).verdict is Verdict.UNSATISFIABLE


def test_a_file_that_is_replaced_is_read_anew(index: IndexServer, tmp_path: Path) -> None:
    assert pins(run(tmp_path, (index.url,), APP)) == {"app": "1.0", "lib": "2.0"}
    index.store(ANY, artifacts.wheel("app", "1.0", requires=["lib<2"]), name="app")
    assert pins(run(tmp_path, (index.url,), APP)) == {"app": "1.0", "lib": "1.0"}


def test_a_file_without_hash_is_read_anew_by_each_run_but_those_that_are_offline(
    index: IndexServer, tmp_path: Path
) -> None:
    index.faults["/simple/*"] = Fault(edit=lambda page: page.replace(b'"sha256"', b'"none"'))
    assert pins(run(tmp_path, (index.url,), APP)) == {"app": "1.0", "lib": "2.0"}
    index.store(ANY, artifacts.wheel("app", "1.0", requires=["lib<2"]), name="app")
    assert pins(run(tmp_path, (index.url,), APP, offline=True)) == {"app": "1.0", "lib": "2.0"}
    assert pins(run(tmp_path, (index.url,), APP)) == {"app": "1.0", "lib": "1.0"}


def test_a_page_that_is_said_to_be_unchanged_and_lists_what_is_not_there_is_asked_for_as_a_whole(
    index: IndexServer, tmp_path: Path
) -> None:
    index.faults[f"/files/{ANY}"] = Fault(status=500, times=2)
    assert run(tmp_path, (index.url,), APP).verdict is Verdict.UNDECIDED  # which keeps the page alone
    index.ranges = "refused"
    index.store(ANY, artifacts.wheel("app", "1.0", requires=["lib<2"]), name="app")
    right = run(tmp_path, (index.url,), APP, cache=False)
    index.faults["/simple/app/"] = Fault(status=304)
    assert doubt(run(tmp_path, (index.url,), APP)) == (
        f"what app 1.0 needs is not known: {ANY} does not have the hash that is stated for it"
    )
    del index.faults["/simple/app/"]
    assert shown(run(tmp_path, (index.url,), APP)) == shown(right)
    assert "if-none-match" not in index.headers["/simple/app/"]


def test_a_host_that_is_redirected_to_and_down_is_given_up_and_no_other(index: IndexServer, tmp_path: Path) -> None:
    index.faults["/simple/app/"] = Fault(status=302, headers={"Location": "http://127.0.0.1:1/app/"})
    report = run(tmp_path, (index.url,), {"one.txt": "app", "two.txt": "lib"})
    assert doubt(report) == (
        "the releases of app are not known: http://127.0.0.1:1: the connection failed: connection refused"
    )


def test_a_name_on_two_indexes_is_reported_also_where_it_clashes(index: IndexServer, tmp_path: Path) -> None:
    with IndexServer({"app": {"9": []}}) as public:
        urls = (index.url, public.url)
        where = f"app is on {' and '.join(sorted(urls))}, which list different files"
        expected = [(Severity.WARNING, f"{where}; releases of all of them are considered, as in pip")]
        assert told(run(tmp_path, urls, APP), "several-indexes") == expected
        assert told(run(tmp_path, urls, {"one.txt": "app>9"}), "several-indexes") == expected


def test_where_a_private_index_fails_the_public_one_does_not_stand_in_for_it(
    index: IndexServer, tmp_path: Path
) -> None:
    with IndexServer({"app": {"9": []}}) as public:
        index.faults["/simple/app/"] = Fault(status=403)
        report = run(tmp_path, (index.url, public.url), APP)
        assert doubt(report) == (f"the releases of app are not known: {index.url}/app/: the index refused access (403)")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=500), "the index answered 500"),
        (Fault(delay=60), "no answer within 0.3 s"),
        (Fault(body=b"PK", content_type="application/zip"), "it is application/zip, not a page with links"),
        (Fault(headers={"Content-Length": None}, cut=-10), "the page is cut off"),
    ],
)
def test_without_a_page_of_find_links_nothing_is_known(
    index: IndexServer, tmp_path: Path, fault: Fault, reason: str
) -> None:
    index.faults["/links/"] = fault
    report = run(tmp_path, (index.url,), APP, find_links=(index.links_url,))
    assert report.verdict is Verdict.UNDECIDED
    assert doubt(report) == f"the releases of app are not known: {index.links_url}: {reason}"


def test_a_page_of_find_links_without_files_is_told(index: IndexServer, tmp_path: Path) -> None:
    index.faults["/links/"] = Fault(body=b"<html>Log in to see the files</html>")
    report = run(tmp_path, (index.url,), APP, find_links=(index.links_url,))
    assert report.verdict is Verdict.COMPATIBLE
    assert told(report, "index-problem") == [
        (Severity.WARNING, f"the --find-links page {index.links_url} lists no files")
    ]
