from __future__ import annotations

import pytest
from artifacts import core_metadata
from packaging.metadata import parse_email

from conflictcheck.facts import Metadata, Unknown
from conflictcheck.index.core_metadata import parse_document


def test_the_few_fields_that_matter_are_read_as_packaging_reads_them() -> None:
    data = core_metadata(
        "A.b", "1.0", requires=["x>=1", "y"], requires_python=">=3.9", extras=["t"], dynamic=["License"]
    )
    expected, _ = parse_email(data)
    found = parse_document(data)
    assert found.requires_dist == expected["requires_dist"] == ["x>=1", "y"]
    assert found.requires_python == expected["requires_python"]
    assert (found.provides_extra, found.dynamic) == (["t"], ["License"])


def test_what_the_description_says_is_no_requirement() -> None:
    assert parse_document(b"Name: a\r\nVersion: 1\r\n\r\nRequires-Dist: b\r\n").requires_dist == []


def test_folded_lines_are_joined_and_cases_do_not_matter() -> None:
    assert parse_document(b"REQUIRES-dist: b>=1,\n  <2\nName: a\n").requires_dist == ["b>=1, <2"]


def test_a_line_that_is_no_header_hides_no_requirement_after_it() -> None:
    assert parse_document(b"License: MIT\nand more of it\nRequires-Dist: b\n").requires_dist == ["b"]


@pytest.mark.parametrize(
    ("version", "dynamic", "static"),
    [
        ("2.1", [], False),
        ("2.2", [], True),
        ("2.4", ["License"], True),
        ("2.2", ["requires-dist"], False),
        ("x", [], False),
    ],
)
def test_requirements_are_final_since_metadata_2_2_unless_they_are_called_dynamic(
    version: str, dynamic: list[str], static: bool
) -> None:
    assert parse_document(core_metadata("a", "1", metadata_version=version, dynamic=dynamic)).is_static is static


def test_metadata_of_another_package_or_version_is_not_taken() -> None:
    document = parse_document(core_metadata("b\x1b", "1.0"))
    assert document.to_metadata("a", "1.0", "wheel", "f") == Unknown("its metadata is about b\N{REPLACEMENT CHARACTER}")
    document = parse_document(core_metadata("A", "1.0"))
    assert document.to_metadata("a", "2", "wheel", "f") == Unknown("its metadata is about version 1.0")
    assert document.to_metadata("a", "", "wheel", "f") == Metadata("a", "1.0", filename="f")
