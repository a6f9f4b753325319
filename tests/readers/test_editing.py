"""Requirement lines rewritten in place; everything else stays, byte by byte."""

from __future__ import annotations

import codecs

import pytest

from conflictcheck.errors import SpecError
from conflictcheck.model import Edit, SpecId
from conflictcheck.readers.editing import edit_content


def edited(file: str, content: bytes | str, line: int, old: str, new: str) -> str:
    data = content.encode() if isinstance(content, str) else content
    return edit_content(file, data, [Edit(SpecId(file), file, line, old, new)]).decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("written", "old", "new", "becomes"),
    [
        ("numpy<1.24", "numpy<1.24", "numpy<2", "numpy<2"),
        ("  numpy <1.24   # old <1.24", "numpy <1.24", "numpy <2", "  numpy <2   # old <1.24"),
        (
            "numpy[x]>=1.2,  <1.24 ; python_version<'3.12'",
            "numpy[x]>=1.2, <1.24 ; python_version<'3.12'",
            "numpy[x]>=1.2, <2 ; python_version<'3.12'",
            "numpy[x]>=1.2, <2 ; python_version<'3.12'",
        ),
        ("numpy (<1.24)", "numpy (<1.24)", "numpy (<2)", "numpy (<2)"),
        ("numpy (<1.24) # why", "numpy (<1.24)", "numpy", "numpy # why"),
        ("numpy==1 ;python_version>'3'", "numpy==1 ;python_version>'3'", "numpy ;python_version>'3'", None),
        ("numpy==1", "numpy==1", "numpy", "numpy"),
    ],
)
def test_a_line_of_a_requirements_file(written: str, old: str, new: str, becomes: str | None) -> None:
    text = f"# first\n{written}\nlast==1\n"
    assert edited("requirements.txt", text, 2, old, new) == f"# first\n{becomes or new}\nlast==1\n"


def test_a_requirement_over_several_lines() -> None:
    text = "numpy \\\n   >=1.2, \\\n   <1.24  # old\nlast\n"
    assert edited("a.txt", text, 1, "numpy >=1.2, <1.24", "numpy >=1.2, <2") == "numpy \\\n   >=1.2, <2  # old\nlast\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_kept(end: str) -> None:
    text = end.join(["# a", "numpy<1.24", "last"])
    assert edited("a.txt", text, 2, "numpy<1.24", "numpy<2") == end.join(["# a", "numpy<2", "last"])


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_a_byte_order_mark_and_its_encoding_are_kept(mark: bytes, encoding: str) -> None:
    before = mark + "# ü\r\nnumpy<1.24\r\n".encode(encoding)
    after = edit_content("a.txt", before, [Edit(SpecId("a.txt"), "a.txt", 2, "numpy<1.24", "numpy<2")])
    assert after == mark + "# ü\r\nnumpy<2\r\n".encode(encoding)


def test_bytes_of_another_encoding_come_out_as_they_went_in() -> None:
    before = b"# coding: latin-1\n# \xe9t\xe9\nnumpy<1.24\n"
    after = edit_content("a.txt", before, [Edit(SpecId("a.txt"), "a.txt", 3, "numpy<1.24", "numpy<2")])
    assert after == b"# coding: latin-1\n# \xe9t\xe9\nnumpy<2\n"


def test_several_edits_of_one_file() -> None:
    edits = [Edit(SpecId("a.txt"), "a.txt", n, f"p{n}<1", f"p{n}<2000") for n in (1, 3)]
    assert edit_content("a.txt", b"p1<1\np2<1\np3<1\n", edits) == b"p1<2000\np2<1\np3<2000\n"


PROJECT = """\
[project]
name = "x"
requires-python = '>=3.12'  # "why"
dependencies = ["numpy<1.24", 'pandas<1' , "numpy<1.24"]  # not "numpy<1.24"
[project.optional-dependencies]
gpu = [
  "torch [cuda] == 2.1.0 ; sys_platform == 'linux'",\t# pinned
]
"""


@pytest.mark.parametrize(
    ("line", "old", "new", "before", "after"),
    [
        (3, 'requires-python = ">=3.12"', 'requires-python = ">=3.11"', "'>=3.12'", "'>=3.11'"),
        (4, "pandas<1", "pandas<2", "'pandas<1'", "'pandas<2'"),
        (
            4,
            "numpy<1.24",
            "numpy<2",
            '"numpy<1.24", \'pandas<1\' , "numpy<1.24"]  # not',
            '"numpy<2", \'pandas<1\' , "numpy<2"]  # not',
        ),
        (
            7,
            "torch [cuda] == 2.1.0 ; sys_platform == 'linux'",
            "torch [cuda] >= 2.1.0,< 3 ; sys_platform == 'linux'",
            "== 2.1.0 ;",
            ">= 2.1.0,< 3 ;",
        ),
    ],
)
def test_pyproject(line: int, old: str, new: str, before: str, after: str) -> None:
    assert PROJECT.count(before) == 1
    assert edited("pyproject.toml", PROJECT, line, old, new) == PROJECT.replace(before, after)
    windows = PROJECT.replace("\n", "\r\n")
    assert edited("pyproject.toml", windows, line, old, new) == windows.replace(before, after)


POETRY = """\
[tool.poetry.dependencies]
python="^3.9"  # python = "^3.9"
pydantic="~1.10"
"numpy" = { extras = ["~1.10"], version = '~1.10' }  # as pydantic
[tool.poetry.dependencies.pandas]
# version = "~1.10", once
optional = true
version = "^2.0"
[tool.poetry.group.dev.dependencies]
pandas.version = "^1.0"
numpy = ">=2,<2.1 || >=2.2,<2.2.2"
"""


@pytest.mark.parametrize(
    ("line", "old", "new", "before", "after"),
    [
        (3, 'pydantic = "~1.10"', 'pydantic = ">=1.10,<3"', 'pydantic="~1.10"', 'pydantic=">=1.10,<3"'),
        (
            4,
            "numpy = { extras = [\"~1.10\"], version = '~1.10' }",
            "numpy = { extras = [\"~1.10\"], version = '*' }",
            "version = '~1.10'",
            "version = '*'",
        ),
        (
            5,
            'pandas = {optional = true, version = "^2.0"}',
            'pandas = {optional = true, version = ">=1.5,<3"}',
            'version = "^2.0"',
            'version = ">=1.5,<3"',
        ),
        (
            11,
            'numpy = ">=2,<2.1 || >=2.2,<2.2.2"',
            'numpy = ">=2,<3,!=2.1.*"',
            ">=2,<2.1 || >=2.2,<2.2.2",
            ">=2,<3,!=2.1.*",
        ),
        (10, 'pandas = {version = "^1.0"}', 'pandas = {version = ">=1.0,<3"}', '"^1.0"', '">=1.0,<3"'),
    ],
)
def test_poetrys_tables(line: int, old: str, new: str, before: str, after: str) -> None:
    assert POETRY.count(before) == 1
    assert edited("pyproject.toml", POETRY, line, old, new) == POETRY.replace(before, after)
    windows = POETRY.replace("\n", "\r\n")
    assert edited("pyproject.toml", windows, line, old, new) == windows.replace(before, after)


@pytest.mark.parametrize(
    "written",
    [
        'a = {numpy = {version = "^1"}, pandas = {version = "^1"}}',
        'numpy = {version = """^1"""} # version = "^1"',
        'numpy = {version = "^2"}',
    ],
)
def test_an_entry_of_poetrys_that_is_not_found_without_doubt_is_refused(written: str) -> None:
    with pytest.raises(SpecError, match="is not written here in a form that can be edited"):
        edited("pyproject.toml", written, 1, 'numpy = {version = "^1"}', 'numpy = {version = "<3"}')


@pytest.mark.parametrize("name", ["tool.py", "tool.pyw", "tool"])
def test_a_script_with_inline_metadata(name: str) -> None:
    text = '#!/usr/bin/env python\n# /// script\n# dependencies = ["numpy<1.24"]  # old\n# ///\nprint("numpy<1.24")\n'
    after = edited(name, text, 3, "numpy<1.24", "numpy<2")
    assert after == text.replace('["numpy<1.24"]', '["numpy<2"]')


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        ("a.txt", "other<1.24\n", 1),
        ("a.txt", "numpy<1.23\n", 1),
        ("a.txt", "numpy<1.24\n", 2),
        ("a.txt", "numpy<1.24\n", 9),
        ("a.txt", "-e numpy<1.24\n", 1),
        ("a.txt", "numpy${BOUND}\n", 1),
        ("pyproject.toml", 'numpy = "^1.23"\n', 1),
        ("pyproject.toml", 'd = ["numpy\\u003c1.24"]\n', 1),
        ("pyproject.toml", '# "numpy<1.24"\n', 1),
        ("pyproject.toml", "\n", 1),
    ],
)
def test_a_line_that_is_not_what_the_edit_says_is_refused(file: str, content: str, line: int) -> None:
    with pytest.raises(SpecError) as caught:
        edited(file, content, line, "numpy<1.24", "numpy<2")
    assert str(caught.value) == (
        f'{file}:{line}: "numpy<1.24" is not written here in a form that can be edited; change it to "numpy<2" by hand'
    )
