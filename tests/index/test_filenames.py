from __future__ import annotations

import pytest
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from conflictcheck.facts import File
from conflictcheck.index.filenames import Parsed, in_order, parse_filename


@pytest.mark.parametrize(
    ("filename", "name", "expected"),
    [
        ("a-1.0-py3-none-any.whl", "a", Parsed("1.0", "py3-none-any", "")),
        ("Foo.Bar-1.0-py3-none-any.whl", "foo-bar", Parsed("1.0", "py3-none-any", "")),
        ("a-1.0-2b-cp311-cp311-win_amd64.whl", "a", Parsed("1.0", "cp311-cp311-win_amd64", "2b")),
        ("a-01.0.RC1+CU_118-py2.py3-none-any.whl", "a", Parsed("1.0rc1+cu.118", "py2.py3-none-any", "")),
        ("foo-bar-1.0.zip", "foo-bar", Parsed("1.0", "", "")),
        ("foo_bar-1.0.tar.gz", "foo-bar", Parsed("1.0", "", "")),
        ("foo--bar-1.0.tar.bz2", "foo-bar", Parsed("1.0", "", "")),
        ("foo-2-1.tgz", "foo", Parsed("2.post1", "", "")),
        ("pytz-2004d.tar.gz", "pytz", None),
        ("foo-bar-1.0.tar.gz", "foo", None),
        ("foo-1.0.tar.gz", "foo-bar", None),
        ("a-1.0-x-py3-none-any.whl", "a", None),
        ("a-1.0--py3-none-any.whl", "a", None),
        ("a-1.0-none-any.whl", "a", None),
        ("../a-1.0.tar.gz", "a", None),
        ("a-1.0\x1b[31m.tar.gz", "a", None),
        ("a-1.0.tar.gz" + "x" * 400, "a", None),
        ("a-1.0.exe", "a", None),
    ],
)
def test_a_filename_says_version_and_tags_or_is_of_no_use(filename: str, name: str, expected: Parsed | None) -> None:
    assert parse_filename(filename, name) == expected


@pytest.mark.parametrize(
    "filename", ["a-1.0-py3-none-any.whl", "foo_bar-1!2.0.post3.dev4+x.1-7-cp311-abi3-manylinux_2_17_x86_64.whl"]
)
def test_wheels_are_read_as_packaging_reads_them(filename: str) -> None:
    name, version, build, _ = parse_wheel_filename(filename)
    found = parse_filename(filename, name)
    assert found is not None
    assert (found.version, found.build) == (str(version), "".join(map(str, build)))


@pytest.mark.parametrize("filename", ["a-1.0.tar.gz", "foo_bar-2.0b1.zip", "foo-bar-1.0.tar.gz"])
def test_sdists_are_read_as_packaging_reads_them(filename: str) -> None:
    name, version = parse_sdist_filename(filename)
    assert parse_filename(filename, name) == Parsed(str(version), "", "")


def test_files_are_ordered_by_version_and_then_by_filename() -> None:
    files = [
        File(name, "", version) for name, version in [("c", "1.10"), ("b", "1.9"), ("a", "1.10"), ("d", "1.10rc1")]
    ]
    assert [file.filename for file in in_order(files)] == ["b", "d", "a", "c"]
