"""One name on several indexes: PEP 708, "Extending the Repository API to Mitigate Dependency Confusion Attacks"."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from index_server import JSON, Fault, IndexServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asking import Asker

    from conflictcheck.model import Report


@pytest.fixture
def indexes() -> Iterator[tuple[IndexServer, IndexServer]]:
    """Two indexes with other releases of one name."""
    with ExitStack() as stack:
        owner, other = (stack.enter_context(IndexServer({"holygrail": {version: []}})) for version in ("1.0", "2.0"))
        yield owner, other


def address(index: IndexServer) -> str:
    return f"{index.url}/holygrail/"


def state(
    index: IndexServer, form: str, *, tracks: list[str] | None = None, alternates: list[str] | None = None
) -> None:
    """Have an index say on its page what else belongs to the project."""
    links = index.links("holygrail")
    if form == "json":
        document: dict[str, Any] = {"meta": {"api-version": "1.2"}, "name": "holygrail", "files": links}
        document["meta"] |= {} if tracks is None else {"tracks": tracks}
        document |= {} if alternates is None else {"alternate-locations": alternates}
        body, kind = json.dumps(document), JSON
    else:
        stated = [("repository-version", "1.2")]
        stated += [("tracks", each) for each in tracks or ()] + [
            ("alternate-locations", each) for each in alternates or ()
        ]
        head = "".join(f'<meta name="pypi:{key}" content="{value}">' for key, value in stated)
        anchors = "".join(f'<a href="{link["url"]}">{link["filename"]}</a>' for link in links)
        body, kind = f"<!DOCTYPE html><html><head>{head}</head><body>{anchors}</body></html>", "text/html"
    index.faults["/simple/holygrail/"] = Fault(body=body.encode(), content_type=kind)


def said(report: Report) -> list[tuple[str, str]]:
    return [
        (each.severity.value, each.message.partition(", ")[2].partition(";")[0])
        for each in report.diagnostics
        if each.code == "several-indexes"
    ]


def ask_both(ask: Asker, indexes: tuple[IndexServer, IndexServer], **options: Any) -> Report:
    owner, other = indexes
    report = ask.check(owner, "holygrail", extra_index_urls=[other.url], **options)
    assert [pin.version for pin in report.environments[0].packages] == ["2.0"]
    return report


UNRELATED = [("warning", "which list different files")]
RELATED = [("note", "which say that it is one project")]


def test_a_warning_tells_that_a_name_may_stand_for_two_projects(
    indexes: tuple[IndexServer, IndexServer], ask: Asker
) -> None:
    assert said(ask_both(ask, indexes)) == UNRELATED


@pytest.mark.parametrize("form", ["json", "html"])
def test_an_index_may_say_that_it_tracks_the_project_of_the_other(
    form: str, indexes: tuple[IndexServer, IndexServer], ask: Asker
) -> None:
    owner, other = indexes
    state(other, form, tracks=["https://index.example/simple/holygrail/", address(owner)])

    assert said(ask_both(ask, indexes)) == RELATED


@pytest.mark.parametrize("form", ["json", "html"])
def test_alternate_locations_count_where_all_places_agree_on_them(
    form: str, indexes: tuple[IndexServer, IndexServer], ask: Asker
) -> None:
    owner, other = indexes
    third = "https://index.example/simple/holygrail/"
    state(owner, form, alternates=[address(other), third])
    state(other, form, alternates=[third, address(other), address(owner)])
    assert said(ask_both(ask, indexes)) == RELATED

    state(other, form, alternates=[address(owner)])
    assert said(ask_both(ask, indexes)) == UNRELATED


def test_what_one_place_alone_claims_of_alternate_locations_counts_for_nothing(
    indexes: tuple[IndexServer, IndexServer], ask: Asker
) -> None:
    owner, other = indexes
    state(other, "json", alternates=[address(owner)])
    assert said(ask_both(ask, indexes)) == UNRELATED


@pytest.mark.parametrize("tracked", ["{url}/", "{url}/other/", "https://index.example/simple/holygrail/"])
def test_tracking_something_else_than_the_projects_own_address_counts_for_nothing(
    tracked: str, indexes: tuple[IndexServer, IndexServer], ask: Asker
) -> None:
    owner, other = indexes
    state(other, "json", tracks=[tracked.format(url=owner.url)])
    assert said(ask_both(ask, indexes)) == UNRELATED


def test_a_later_run_says_the_same_from_the_cache(indexes: tuple[IndexServer, IndexServer], ask: Asker) -> None:
    owner, other = indexes
    state(other, "json", tracks=[address(owner)])
    cache = {"no_cache": False, "cache_dir": ask.folder / "cache"}

    assert said(ask_both(ask, indexes, **cache)) == RELATED
    assert said(ask_both(ask, indexes, **cache, offline=True)) == RELATED


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        ({"sha256": "1" * 64}, [("note", "which list the same files")]),
        ({"sha512": "2" * 128}, [("note", "which list the same files")]),
        ({}, [("note", "which list the same files")]),
        ({"sha256": "3" * 64, "sha512": "2" * 128}, UNRELATED),
    ],
)
def test_a_mirror_may_state_other_kinds_of_hashes_and_no_other_values(
    hashes: dict[str, str], expected: list[tuple[str, str]], ask: Asker
) -> None:
    with IndexServer({"holygrail": {"2.0": []}}) as owner, IndexServer({"holygrail": {"2.0": []}}) as other:
        for index, stated in ((owner, {"sha256": "1" * 64}), (other, hashes)):
            [link] = index.links("holygrail")
            document = {"meta": {"api-version": "1.0"}, "name": "holygrail", "files": [link | {"hashes": stated}]}
            index.faults["/simple/holygrail/"] = Fault(body=json.dumps(document).encode(), content_type=JSON)

        assert said(ask_both(ask, (owner, other))) == expected
