"""Yanked releases: PEP 592, today the specification "File Yanking"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from asking import warnings
from index_server import Fault, IndexServer

from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from asking import Asker

GONE, SILENT = Rel(yanked="a wheel is broken"), Rel(yanked="")


@pytest.mark.parametrize(
    ("requirement", "releases", "chosen"),
    [
        ("x", {"1.0": [], "2.0": GONE}, "1.0"),
        ("x>=1.0", {"1.0": [], "2.0": SILENT}, "1.0"),
        ("x==2.0", {"1.0": [], "2.0": GONE}, "2.0"),
        ("x==2", {"1.0": [], "2.0": GONE}, "2.0"),
        ("x===2.0", {"1.0": [], "2.0": GONE}, "2.0"),
        ("x==2.*", {"1.0": [], "2.0": GONE}, None),
        ("x~=2.0", {"1.0": [], "2.0": GONE}, None),
        ("x>=2.0,<=2.0", {"1.0": [], "2.0": GONE}, None),
        ("x", {"1.0": GONE, "2.0": SILENT}, None),
        ("x==2.0,>1", {"1.0": [], "2.0": GONE}, "2.0"),
        ("x==2.0", {"2.0": [], "2.0.post1": GONE}, "2.0"),
        ("x==2.0", {"2.0": [], "2.0+local": GONE}, "2.0"),
    ],
)
def test_a_yanked_release_is_taken_only_where_a_specifier_names_exactly_it(
    requirement: str, releases: dict[str, Any], chosen: str | None, ask: Asker
) -> None:
    assert ask.pins({"x": releases}, requirement).get("x") == chosen


def test_a_warning_tells_that_a_release_was_yanked_and_why(ask: Asker) -> None:
    report = ask.check({"x": {"1.0": GONE}, "y": {"1.0": SILENT}}, "x==1.0", "y==1.0")

    assert [each.message for each in report.diagnostics if each.code == "yanked-release"] == [
        "x 1.0 was yanked by its authors: a wheel is broken",
        "y 1.0 was yanked by its authors",
    ]


def test_where_all_releases_are_yanked_the_report_says_so(ask: Asker) -> None:
    [clash] = ask.check({"x": {"1.0": GONE, "2.0": SILENT}}, "x").clashes
    assert clash.summary.endswith("x 1.0 to 2.0 were yanked: only a requirement of exactly such a version takes it.")


def test_a_file_alone_may_be_yanked_and_its_release_stands_by_the_others(ask: Asker) -> None:
    anchors = [
        '<a href="../../files/x-1.0-py3-none-any.whl" data-yanked="">x-1.0-py3-none-any.whl</a>',
        '<a href="../../files/x-1.0.tar.gz">x-1.0.tar.gz</a>',
    ]
    with IndexServer({"x": {"1.0": Rel(sdist=True)}}) as index:
        index.faults["/simple/x/"] = Fault(body=f"<h1>Links for x</h1>{''.join(anchors)}".encode())

        report = ask.check(index, "x")

    [pin] = report.environments[0].packages
    assert [file.filename for file in pin.files] == ["x-1.0.tar.gz"]
    assert warnings(report) == []


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_file_may_be_unyanked(form: Any, ask: Asker) -> None:
    with IndexServer({"x": {"1.0": [], "2.0": GONE}}, form=form) as index:
        assert ask.pins(index, "x") == {"x": "1.0"}
        index.files.clear()
        index.add("x", "2.0", Rel())
        assert ask.pins(index, "x") == {"x": "2.0"}


@pytest.mark.parametrize(
    ("form", "value", "chosen"),
    [
        ("json", "true", {}),
        ("json", '"a reason"', {}),
        ("json", "false", {"x": "1.0"}),
        ("json", "null", {"x": "1.0"}),
        ("json", '""', {"x": "1.0"}),  # PEP 691: yanked if the value is truthy
        ("html", ' data-yanked="a reason"', {}),
        ("html", ' data-yanked=""', {}),
        ("html", " data-yanked", {}),
        ("html", "", {"x": "1.0"}),
    ],
)
def test_how_an_index_says_that_a_file_is_yanked(form: str, value: str, chosen: dict[str, str], ask: Asker) -> None:
    name = "x-1.0-py3-none-any.whl"
    with IndexServer({"x": {"1.0": []}}) as index:
        if form == "json":
            entry = f'{{"filename": "{name}", "url": "../../files/{name}", "hashes": {{}}, "yanked": {value}}}'
            body, kind = f'{{"meta": {{"api-version": "1.0"}}, "name": "x", "files": [{entry}]}}', "application/json"
        else:
            body, kind = f'<h1>Links for x</h1><a href="../../files/{name}"{value}>{name}</a>', "text/html"
        index.faults["/simple/x/"] = Fault(body=body.encode(), content_type=kind)

        assert ask.pins(index, "x") == chosen
