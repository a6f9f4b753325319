"""An index that fails at random: nothing is said that would not be said of it when it is well."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faulty_runs import run, shown
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from index_server import HTML, JSON, Fault, IndexServer

from conflictcheck.index.memory import Rel
from conflictcheck.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflictcheck.model import Report

pytestmark = pytest.mark.property

PACKAGES = {
    "app": {"1.0": ["lib<2"], "2.0": ["lib>=2"], "3.0": ["lib>=2", "deep"]},
    "lib": {"1.0": [], "2.0": [], "2.1": Rel(requires=["deep<2"])},
    "tool": {"1.0": ["lib<2"], "1.1": Rel(requires=["lib<2"], sdist=True)},
    "deep": {"1.0": [], "2.0": ["deeper"]},
    "deeper": {"1.0": Rel(tags=(), sdist=True)},
}
SPECS: tuple[dict[str, str], ...] = (
    {"one.txt": "app", "two.txt": "tool"},
    {"one.txt": "app>=2", "two.txt": "tool"},
    {"one.txt": "app>=3", "two.txt": "deep>=2", "three.txt": "tool"},
    {"one.txt": "app>=3", "two.txt": "tool>2"},
)
ANYWHERE: tuple[dict[str, Any], ...] = (
    *({"status": status} for status in (204, 304, 400, 401, 403, 418, 429, 500, 503)),
    {"status": 302, "headers": {"Location": "/simple/app/"}},
    {"raw": b""},
    {"raw": b"", "reset": True},
    {"raw": b"what?\r\n\r\n"},
    {"raw": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
    {"cut": 30},
    {"cut": 30, "reset": True},
    {"headers": {"Content-Length": "60"}},
    {"headers": {"Content-Length": "99999"}},
    {"headers": {"Content-Length": None}, "cut": 60},
    {"headers": {"Content-Encoding": "gzip"}},
    {"body": b""},
    {"body": b"<html>Log in</html>", "content_type": HTML},
    {"body": b"{}", "content_type": JSON},
    {"body": b"\0\xff" * 99, "content_type": "application/octet-stream"},
)
"""What no client can take for a right answer."""
ON_FILES = (
    *ANYWHERE,
    {"status": 404},
    {"status": 410},
    {"status": 302, "headers": {"Location": "/nowhere"}},
    {"headers": {"Content-Range": "bytes 0-9/10"}},
)
"""Of pages, 404 is an answer."""


class Failing(IndexServer):
    """An index with a list of faults for each path, of which each request for it meets the next."""

    plan: dict[str, list[dict[str, Any] | None]]

    def fault_for(self, path: str) -> Fault | None:
        planned = self.plan.get(path)
        fault = planned.pop(0) if planned else None
        return None if fault is None else Fault(**fault)


def healthy(server: Failing, specs: Mapping[str, str], folder: Path) -> Report:
    server.plan = {}
    return run(folder, (server.url,), specs, timeout=5)


def core_of(report: dict[str, Any]) -> dict[str, Any]:
    """What does not rest on which releases are chosen."""
    return {
        "verdict": report["verdict"],
        "minimum": report["minimum"],
        "clashes": [(clash["id"], clash["specs"]) for clash in report["clashes"]],
        "environments": [environment["specs"] for environment in report["environments"]],
    }


@pytest.mark.parametrize("metadata_files", [True, False])
def test_a_report_from_an_index_that_fails_is_the_right_one_or_undecided(
    request: pytest.FixtureRequest, *, metadata_files: bool
) -> None:
    with Failing(PACKAGES, metadata_files=metadata_files, max_age=0) as server:
        pages = [f"/simple/{name}/" for name in PACKAGES]
        files = [f"/files/{name}" for name in server.files]
        files += [f"{name}.metadata" for name in files if metadata_files and name.endswith(".whl")]

        with tempfile.TemporaryDirectory() as place:
            rights = {str(specs): shown(healthy(server, specs, Path(place))) for specs in SPECS}

        def plans(paths: list[str], faults: tuple[dict[str, Any], ...]) -> st.SearchStrategy[Any]:
            one = st.none() | st.sampled_from(faults)
            several = st.lists(one, min_size=1, max_size=3) | one.map(lambda fault: [fault] * 50)
            return st.dictionaries(st.sampled_from(paths), several, max_size=4)

        @settings(
            max_examples=request.config.getoption("--property-examples"),
            derandomize=request.config.getoption("--property-examples") <= 100,
            deadline=None,
            database=None,
            phases=(
                Phase.generate,
            ),  # a run for each step of shrinking takes long, and the plans are short as they are
            suppress_health_check=list(HealthCheck),
        )
        @given(specs=st.sampled_from(SPECS), first=plans(pages, ANYWHERE), then=plans(files, ON_FILES))
        def law(specs: dict[str, str], first: dict[str, Any], then: dict[str, Any]) -> None:
            with tempfile.TemporaryDirectory() as place:
                right = rights[str(specs)]
                server.plan = {path: list(faults) for path, faults in (first | then).items()}
                report = run(Path(place), (server.url,), specs, timeout=5)
                event(f"{right['verdict']} -> {report.verdict}")
                if report.verdict is Verdict.UNDECIDED:
                    assert {"undecided-spec", "undecided-split"} & {note.code for note in report.diagnostics}
                elif any(note.code == "index-problem" for note in report.diagnostics):
                    assert core_of(shown(report)) == core_of(right)  # with other releases or fixes, and said so
                else:
                    assert shown(report) == right
                assert shown(healthy(server, specs, Path(place))) == right

        law()
