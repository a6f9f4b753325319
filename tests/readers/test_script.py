from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Folder

SCRIPT = """\
#!/usr/bin/env python
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "httpx",
#
#   "rich>1", # why
# ]
# ///
import httpx
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_script_is_a_spec_with_the_lines_of_its_block(folder: Folder, newline: str) -> None:
    folder.write("tools/s.py", SCRIPT.replace("\n", newline))
    [spec] = folder.read("tools/s.py").specs
    assert (spec.id, spec.path, spec.requires_python) == ("tools/s.py", "tools/s.py", ">=3.11")
    assert folder.lines("tools/s.py") == [
        'tools/s.py:3: requires-python = ">=3.11"',
        "tools/s.py:5: httpx",
        "tools/s.py:7: rich>1",
    ]


def test_a_variable_in_a_url_of_a_script_is_expanded(folder: Folder) -> None:
    folder.write("s.py", '# /// script\n# dependencies = ["a @ https://${HOST}/a-1.zip"]\n# ///\n')
    [spec] = folder.read("s.py", variables={"HOST": "h.example"}).specs
    assert [requirement.url for requirement in spec.requirements] == ["https://h.example/a-1.zip"]


def test_a_block_of_another_type_is_none(folder: Folder) -> None:
    folder.write("s.py", "# /// other\n# x = 1\n# ///\n")
    assert folder.errors("s.py") == [
        's.py: no inline metadata in this script; PEP 723: it begins with the line "# /// script"'
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{SCRIPT}\n{SCRIPT}", ":13: a second block of inline metadata; the first is at line 2"),
        ("# /// script\n# x = 1\n", ':1: the block of inline metadata is not closed; end it with "# ///"'),
        (
            "# /// script\n# x = 1\n#y\nz = 1\n# ///\n",
            ':1: the block of inline metadata is not closed; end it with "# ///"',
        ),
        (
            'x = 1\n# /// script\n# x = [\n#  "a",\n#]\n# y = 1\n# ///\n',
            ':5: a line of inline metadata is "#" alone, or has a space after its "#"; write "# ]"',
        ),
        ("\n# /// script\n# x = \n# ///\n", ":3: not valid TOML: invalid value"),
        ("# /// script\n# dependencies = 'a'\n# ///\n", ":2: dependencies is not a list"),
        ("# /// script\n# dependencies = [\n# 1]\n# ///\n", ":3: a dependency is not a text; put it in quotes"),
        (
            "# /// script\n# dependencies = ['a>>1']\n# ///\n",
            ':2: "a>>1" is not a requirement; did you mean "a>1"?',
        ),
        ("# /// script\n# requires-python = 3\n# ///\n", ":2: requires-python is not a text; put it in quotes"),
    ],
)
def test_a_broken_block_is_an_error_with_its_line(folder: Folder, content: str, message: str) -> None:
    folder.write("s.py", content)
    assert folder.errors("s.py") == [f"s.py{message}"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{SCRIPT}\n{SCRIPT}", "s.py:13: a second block of inline metadata; the first is at line 2"),
        (
            "# /// script\n# x = 1\n# ///\n\n# /// script\n# x = 2\n# ///\n",
            "s.py:5: a second block of inline metadata; the first is at line 1",
        ),
        (
            "# /// script\n#dependencies = ['a']\n# ///\n",
            (
                's.py:2: a line of inline metadata is "#" alone, or has a space after its "#"; '
                """write "# dependencies = ['a']\""""
            ),
        ),
        (
            "# /// script\n#\n# dependencies = ['a']\n",
            's.py:1: the block of inline metadata is not closed; end it with "# ///"',
        ),
    ],
)
def test_a_broken_block_is_an_error_in_a_folder_search_too(folder: Folder, content: str, message: str) -> None:
    folder.write("requirements.txt", "a")
    folder.write("s.py", content)
    assert folder.errors() == [message]


def test_a_comment_that_looks_like_an_opening_line_breaks_no_search(folder: Folder) -> None:
    folder.write("requirements.txt", "a")
    folder.write("s.py", "# /// script\n# is how a block begins, and dependencies = [] may follow\n")
    assert [spec.id for spec in folder.read().specs] == ["requirements.txt"]


def test_a_script_has_no_sections(folder: Folder) -> None:
    folder.write("s.py", SCRIPT)
    assert folder.errors("s.py#extra:x") == ["s.py: a script has no sections; name the file alone: s.py"]


def test_tables_that_are_not_applied_are_a_warning_as_in_a_pyproject(folder: Folder) -> None:
    folder.write(
        "s.py",
        "# /// script\n# dependencies = ['a']\n# [tool.uv]\n# exclude-newer = '2024-01-01'\n"
        "# [tool.uv.sources]\n# a = {path = 'a'}\n# ///\n",
    )
    notes = [
        "warning not-applied s.py:4: tool.uv.exclude-newer is not applied: give it with --exclude-newer",
        "warning not-applied s.py:5: tool.uv.sources is not applied: the packages are taken from the index",
    ]
    assert folder.notes("s.py") == notes
    assert folder.notes()[:2] == notes
