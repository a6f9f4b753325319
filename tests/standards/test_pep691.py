"""Pages of an index: PEP 503, 629, 691 and 700, today the specification "Simple repository API"."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from asking import reasons
from index_server import JSON, Fault, IndexServer

from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from asking import Asker

    from conflictcheck.model import Report

WHEEL = "holygrail-1.0-py3-none-any.whl"
HTML = "application/vnd.pypi.simple.v1+html"


def answer(ask: Asker, body: str, kind: str = JSON, *, status: int = 200, name: str = "holygrail") -> Report:
    """The report where the index answers with this page."""
    with IndexServer({"holygrail": {"1.0": []}}) as index:
        index.faults["/simple/holygrail/"] = Fault(status=status, body=body.encode(), content_type=kind)
        return ask.check(index, name)


def detail(**more: Any) -> str:
    """A page in the JSON form with one wheel; `more` replaces or adds keys."""
    file = {"filename": WHEEL, "url": f"../../files/{WHEEL}", "hashes": {}} | more.pop("file", {})
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "holygrail", "files": [file]} | more)


def page(head: str = "", attributes: str = "", *, href: str = f"../../files/{WHEEL}") -> str:
    """A page in the HTML form with one wheel."""
    return f'<!DOCTYPE html><html><head>{head}</head><body><a href="{href}"{attributes}>{WHEEL}</a></body></html>'


def newer(report: Report) -> list[str]:
    return [each.message.partition(" speaks ")[2] for each in report.diagnostics if each.code == "newer-index"]


# -- PEP 503: names and links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "friendly-bard",
        "Friendly-Bard",
        "FRIENDLY-BARD",
        "friendly.bard",
        "friendly_bard",
        "friendly--bard",
        "FrIeNdLy-._.-bArD",
    ],
)
def test_all_spellings_of_a_name_are_one_name_and_the_normal_one_is_asked_for(written: str, ask: Asker) -> None:
    with IndexServer({"friendly-bard": {"1.0": []}}) as index:
        assert ask.pins(index, written) == {"friendly-bard": "1.0"}
        assert index.requests["/simple/friendly-bard/"] == 1


@pytest.mark.parametrize(
    "body",
    [
        page(href=f"../../files/{WHEEL}"),
        page(href=f"/files/{WHEEL}"),
        page(href=f"ROOT/files/{WHEEL}"),
        page(href=f"../../files/{WHEEL}#sha256=HASH"),
        page(href=f"../../files/{WHEEL}#sha512=HASH"),
        page(head='<base href="/files/">', href=WHEEL),
        page(attributes=' data-gpg-sig="true" rel="internal" data-provenance="https://index.example/p"'),
        page().replace("</body>", "<p>other <b>elements</b><a href='../'>up</a></body>"),
    ],
)
def test_links_may_be_absolute_or_relative_with_a_hash_or_without(body: str, ask: Asker) -> None:
    with IndexServer({"holygrail": {"1.0": []}}, ranges="refused") as index:
        data = index.files[WHEEL].data
        body = body.replace("sha256=HASH", f"sha256={hashlib.sha256(data).hexdigest()}").replace("ROOT", index.root)
        body = body.replace("sha512=HASH", f"sha512={hashlib.sha512(data).hexdigest()}")
        index.faults["/simple/holygrail/"] = Fault(body=body.encode(), content_type="text/html")

        assert ask.pins(index, "HolyGrail") == {"holygrail": "1.0"}


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("form", ["json", "html"])
def test_a_file_with_another_hash_than_the_page_states_is_not_believed(algorithm: str, form: str, ask: Asker) -> None:
    wrong = hashlib.new(algorithm, b"another file").hexdigest()
    with IndexServer({"holygrail": {"1.0": []}}, ranges="refused") as index:
        body = (
            detail(file={"hashes": {algorithm: wrong}})
            if form == "json"
            else page(href=f"../../files/{WHEEL}#{algorithm}={wrong}")
        )
        kind = JSON if form == "json" else HTML
        index.faults["/simple/holygrail/"] = Fault(body=body.encode(), content_type=kind)
        report = ask.check(index, "holygrail")

    assert report.verdict == "undecided"
    assert f"{WHEEL} does not have the hash that is stated for it" in "".join(reasons(report))


def test_a_line_with_a_hash_of_a_kind_that_the_page_does_not_have_says_nothing_against_a_file(ask: Asker) -> None:
    with IndexServer({"holygrail": {"1.0": []}}) as index:
        digest = hashlib.sha512(index.files[WHEEL].data).hexdigest()
        assert ask.pins(index, f"holygrail==1.0 --hash=sha512:{digest}") == {"holygrail": "1.0"}


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_line_with_a_hash_takes_the_file_that_has_it_on_the_page(algorithm: str, ask: Asker) -> None:
    with IndexServer({"holygrail": {"1.0": []}}) as index:
        digest = hashlib.new(algorithm, index.files[WHEEL].data).hexdigest()
        body = detail(file={"hashes": {"sha256": "0" * 64, algorithm: digest}}).encode()
        index.faults["/simple/holygrail/"] = Fault(body=body, content_type=JSON)

        assert ask.pins(index, f"holygrail==1.0 --hash={algorithm}:{digest}") == {"holygrail": "1.0"}
        assert ask.pins(index, f"holygrail==1.0 --hash={algorithm}:{'f' * len(digest)}") == {}


def test_an_unnormalized_address_is_never_asked_for_nor_one_without_the_slash_at_its_end(ask: Asker) -> None:
    with IndexServer({"holygrail": {"1.0": ["Silly_Walk"]}, "silly-walk": {"1": []}}) as index:
        ask.check(index, "HolyGrail")
        pages = {path for path in index.requests if path.startswith("/simple/")}
    assert pages == {"/simple/holygrail/", "/simple/silly-walk/"}


# -- Requires-Python -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "admitted"), [(">=3", True), (">=3.12", False), ("<3.11", False), (">=2.7, !=3.0.*", True), ("", True)]
)
@pytest.mark.parametrize("form", ["json", "html"])
def test_a_file_for_another_python_is_left_out(stated: str, form: str, *, admitted: bool, ask: Asker) -> None:
    escaped = stated.replace("<", "&lt;").replace(">", "&gt;")
    report = (
        answer(ask, detail(file={"requires-python": stated}))
        if form == "json"
        else answer(ask, page(attributes=f' data-requires-python="{escaped}"'), HTML)
    )
    assert (report.verdict == "compatible") is admitted


# -- PEP 629: versions of the API ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.0", "2", "10.0", "0.9"])
def test_a_page_of_another_major_version_is_refused(version: str, ask: Asker) -> None:
    html = page(head=f'<meta name="pypi:repository-version" content="{version}">')
    for report in (answer(ask, detail(meta={"api-version": version})), answer(ask, html, HTML)):
        assert report.verdict == "undecided"
        assert f"the index speaks version {version} of the Simple API, not 1" in "".join(reasons(report))


@pytest.mark.parametrize(
    ("version", "said"),
    [("1.0", []), ("1.4", []), ("1.5", ["version 1.5 of the Simple API; what is new in it is not looked at"])],
)
def test_a_page_of_a_newer_minor_version_is_read_with_a_warning(version: str, said: list[str], ask: Asker) -> None:
    html = page(head=f'<meta name="pypi:repository-version" content="{version}">')
    for report in (answer(ask, detail(meta={"api-version": version})), answer(ask, html, HTML)):
        assert report.verdict == "compatible"
        assert newer(report) == said


def test_a_page_that_states_no_version_is_of_version_1_0(ask: Asker) -> None:
    for body, kind in ((detail(meta={}), JSON), (page(), HTML)):
        report = answer(ask, body, kind)
        assert (report.verdict, newer(report)) == ("compatible", [])


# -- PEP 691: the JSON form and content types ------------------------------------------------------------------------


def test_what_a_client_asks_for_prefers_json_and_legacy_html_least(ask: Asker) -> None:
    with IndexServer({"holygrail": {"1.0": []}}) as index:
        ask.check(index, "holygrail")
        accepted = {
            part.strip().partition(";q=")[0]: float(part.partition(";q=")[2] or 1)
            for part in index.headers["/simple/holygrail/"]["accept"].split(",")
        }
    assert accepted["application/vnd.pypi.simple.v1+json"] == 1
    assert accepted[HTML] > accepted["text/html"]
    assert not any("latest" in kind for kind in accepted)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, detail()),
        ("Application/vnd.PyPI.simple.v1+JSON; charset=utf-8", detail()),
        ("application/json", detail()),
        (HTML, page()),
        ("text/html", page()),
        ("text/html; charset=UTF-8", page()),
    ],
)
def test_the_content_type_of_the_answer_decides_how_it_is_read(kind: str, body: str, ask: Asker) -> None:
    assert answer(ask, body, kind).verdict == "compatible"


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("application/vnd.pypi.simple.v2+json", 200, "answered with application/vnd.pypi.simple.v2+json, not with a"),
        ("application/vnd.pypi.simple.latest+json", 200, "answered with application/vnd.pypi.simple.latest+json, not"),
        ("text/plain", 200, "the index answered with text/plain, not with a list of files"),
        (JSON, 406, "the index answered 406"),
        (JSON, 300, "the index answered 300"),
    ],
)
def test_an_answer_of_another_kind_is_undecided(kind: str, status: int, reason: str, ask: Asker) -> None:
    report = answer(ask, detail(), kind, status=status)
    assert report.verdict == "undecided"
    assert reason in "".join(reasons(report))


def test_keys_that_are_not_known_are_ignored_and_optional_ones_may_be_missing(ask: Asker) -> None:
    unknown = {"_private": [1], "project-status": {"status": "archived"}, "versions": ["1.0", "2.0", "2013b"]}
    full = {
        "hashes": {"sha256": "...", "blake2b": "..."}, "requires-python": ">=3.7", "yanked": False, "gpg-sig": True,
        "size": 1337, "provenance": None, "dist-info-metadata": False, "new-key": {},
    }  # fmt: skip
    assert answer(ask, detail(file=full, **unknown)).verdict == "compatible"
    assert answer(ask, detail()).verdict == "compatible"


@pytest.mark.parametrize("body", ["[]", '"files"', "{}", '{"files": {}}', '{"files": [{}]}'])
def test_what_is_not_an_object_with_files_is_undecided(body: str, ask: Asker) -> None:
    report = answer(ask, body)
    assert report.verdict == "undecided"
    assert "the index answered with unusable JSON" in "".join(reasons(report))


# -- PEP 700: upload times -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "kept"),
    [
        ("2024-01-31T23:59:59.999999Z", True),
        ("2024-01-31T23:59:59Z", True),
        ("2024-01-31T23:59:59.5Z", True),
        ("2024-02-01T00:00:00.000001Z", False),
        ("2024-02-01T00:00:00Z", False),
        (None, False),  # a file without one is not known to be that old
    ],
)
def test_upload_times_may_have_a_fraction_or_none(stamp: str | None, *, kept: bool, ask: Asker) -> None:
    with IndexServer({"x": {"1.0": Rel(upload_time=stamp)}}) as index:
        report = ask.check(index, "x", exclude_newer="2024-02-01T00:00:00Z")
    assert bool(report.environments) is kept
