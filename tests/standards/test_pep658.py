"""Metadata files beside wheels: PEP 658, with the names that PEP 714 gave them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from artifacts import core_metadata
from asking import reasons
from index_server import JSON, Fault, IndexServer

if TYPE_CHECKING:
    from asking import Asker

WHEEL = "x-1.0-py3-none-any.whl"
METADATA = f"/files/{WHEEL}.metadata"
DOCUMENT = core_metadata("x", "1.0", requires=["from-metadata-file"])
RIGHT = hashlib.sha256(DOCUMENT).hexdigest()
WRONG = hashlib.sha256(b"").hexdigest()
PACKAGES = {"x": {"1.0": ["from-wheel"]}, "from-metadata-file": {"1": []}, "from-wheel": {"1": []}}


def index_with(form: str, keys: dict[str, Any]) -> IndexServer:
    """An index whose wheel and metadata file say different things, so that it shows which was read."""
    index = IndexServer(PACKAGES)
    if form == "json":
        file = {"filename": WHEEL, "url": f"../../files/{WHEEL}", "hashes": {}, **keys}
        body, kind = json.dumps({"meta": {"api-version": "1.1"}, "name": "x", "files": [file]}), JSON
    else:
        attributes = "".join(f' {key}="{value}"' for key, value in keys.items())
        body, kind = f'<h1>Links for x</h1><a href="../../files/{WHEEL}"{attributes}>{WHEEL}</a>', "text/html"
    index.faults["/simple/x/"] = Fault(body=body.encode(), content_type=kind)
    index.faults[METADATA] = Fault(body=DOCUMENT, content_type="application/octet-stream")
    return index


@pytest.mark.parametrize(
    ("form", "keys", "read"),
    [
        ("json", {}, "from-wheel"),
        ("json", {"core-metadata": True}, "from-metadata-file"),
        ("json", {"core-metadata": {"sha256": RIGHT}}, "from-metadata-file"),
        ("json", {"core-metadata": {"sha512": hashlib.sha512(DOCUMENT).hexdigest()}}, "from-metadata-file"),
        ("json", {"core-metadata": {}}, "from-wheel"),  # falsy: it is not there
        ("json", {"core-metadata": False}, "from-wheel"),
        ("json", {"dist-info-metadata": True}, "from-metadata-file"),
        ("json", {"dist-info-metadata": {"sha256": RIGHT}}, "from-metadata-file"),
        ("json", {"core-metadata": {"sha256": RIGHT}, "dist-info-metadata": {"sha256": WRONG}}, "from-metadata-file"),
        ("json", {"core-metadata": False, "dist-info-metadata": True}, "from-wheel"),
        ("json", {"data-dist-info-metadata": {"sha256": RIGHT}}, "from-metadata-file"),
        ("html", {}, "from-wheel"),
        ("html", {"data-core-metadata": "true"}, "from-metadata-file"),
        ("html", {"data-core-metadata": f"sha256={RIGHT}"}, "from-metadata-file"),
        ("html", {"data-core-metadata": f"sha512={hashlib.sha512(DOCUMENT).hexdigest()}"}, "from-metadata-file"),
        ("html", {"data-dist-info-metadata": f"sha256={RIGHT}"}, "from-metadata-file"),
        ("html", {"data-dist-info-metadata": "true"}, "from-metadata-file"),
        (
            "html",
            {"data-dist-info-metadata": f"sha256={WRONG}", "data-core-metadata": f"sha256={RIGHT}"},
            "from-metadata-file",
        ),
        ("html", {"data-core-metadata": "false", "data-dist-info-metadata": "true"}, "from-wheel"),
    ],
)
def test_the_metadata_file_is_read_where_the_page_says_that_there_is_one_the_new_name_first(
    form: str, keys: dict[str, Any], read: str, ask: Asker
) -> None:
    with index_with(form, keys) as index:
        assert ask.pins(index, "x") == {"x": "1.0", read: "1"}
        assert index.requests[METADATA] == (read == "from-metadata-file")


@pytest.mark.parametrize(
    ("form", "keys"),
    [
        ("json", {"core-metadata": {"sha256": WRONG}}),
        ("json", {"core-metadata": {"sha512": hashlib.sha512(b"").hexdigest()}}),
        ("json", {"dist-info-metadata": {"sha256": WRONG}}),
        ("html", {"data-core-metadata": f"sha256={WRONG}"}),
        ("html", {"data-dist-info-metadata": f"sha384={hashlib.sha384(b'').hexdigest()}"}),
    ],
)
def test_a_metadata_file_with_another_hash_is_not_believed(form: str, keys: dict[str, Any], ask: Asker) -> None:
    with index_with(form, keys) as index:
        report = ask.check(index, "x")
    assert report.verdict == "undecided"
    assert f"the metadata file of {WHEEL} does not have the hash that the index lists" in "".join(reasons(report))


def test_a_metadata_file_that_is_announced_and_not_there_gives_way_to_the_wheel(ask: Asker) -> None:
    with index_with("json", {"core-metadata": True}) as index:
        index.faults[METADATA] = Fault(status=404)
        assert ask.pins(index, "x") == {"from-wheel": "1", "x": "1.0"}
