"""Scripts with metadata: PEP 723, today the specification "Inline script metadata"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conflictcheck.errors import InputErrors

if TYPE_CHECKING:
    from asking import Asker

EXAMPLE = """\
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "requests<3",
#   "rich",
# ]
# ///

import requests
"""


def texts(ask: Asker, script: str) -> list[str]:
    ask.write("script.py", script)
    return [line.text for line in ask.check({}, paths=["script.py"]).specs[0].requirements]


def problem(ask: Asker, script: str) -> str:
    ask.write("script.py", script)
    with pytest.raises(InputErrors) as caught:
        ask.check({}, paths=["script.py"])
    return str(caught.value)


def test_the_documents_example(ask: Asker) -> None:
    assert texts(ask, EXAMPLE) == ['requires-python = ">=3.11"', "requests<3", "rich"]


def test_the_last_possible_closing_line_ends_a_block(ask: Asker) -> None:
    embedded = '# /// script\n# x = """\n# /// <summary>\n# text\n# ///\n# /// </summary>\n# """\n'
    assert texts(ask, f'{embedded}# dependencies = ["a"]\n# ///\n') == ["a"]


def test_a_line_with_nothing_after_the_hash_is_an_empty_line(ask: Asker) -> None:
    assert texts(ask, '# /// script\n#\n# dependencies = ["a"]\n#\n# ///\n') == ["a"]


def test_blocks_of_other_types_are_left_alone(ask: Asker) -> None:
    assert texts(ask, f'# /// pyproject\n# dependencies = ["b"]\n# ///\n\n{EXAMPLE}')[1:] == ["requests<3", "rich"]
    assert problem(ask, '# /// some-toml\n# dependencies = ["b"]\n# ///\n').startswith(
        "script.py: no inline metadata in this script"
    )


def test_two_blocks_of_the_type_are_an_error(ask: Asker) -> None:
    assert problem(ask, EXAMPLE + "\n" + EXAMPLE).startswith("script.py:11: a second block of inline metadata")


@pytest.mark.parametrize(
    "script", ['# /// script\n# dependencies = ["a"]\n', '# /// script\n# dependencies = ["a"]\nimport a\n# ///\n']
)
def test_a_block_that_is_not_closed_is_not_read_and_said_to_be_open(script: str, ask: Asker) -> None:
    # The document would have it ignored in silence; the dependencies in it would be missing from the answer.
    assert problem(ask, script).startswith("script.py:1: the block of inline metadata is not closed")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("dependencies = [", "not valid TOML"),
        ('dependencies = "a"', "dependencies is not a list"),
        ("dependencies = [1]", "a dependency is not a text"),
        ('dependencies = ["a>>1"]', "is not a requirement"),
        ('requires-python = "3.11"', "is not a version specifier"),
        ("requires-python = 3", "requires-python is not a text"),
    ],
)
def test_fields_that_are_not_what_they_must_be_are_errors_with_their_line(
    content: str, message: str, ask: Asker
) -> None:
    found = problem(ask, f"# /// script\n# {content}\n# ///\n")
    assert found.startswith("script.py:2: ")
    assert message in found


def test_the_tool_table_is_free_for_tools(ask: Asker) -> None:
    assert texts(ask, '# /// script\n# dependencies = ["a"]\n# [tool.any]\n# x = 1\n# ///\n') == ["a"]
