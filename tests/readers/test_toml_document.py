from __future__ import annotations

import pytest

from conflictcheck.readers.toml_document import parse_toml

SOURCE = '''\
# comment with [brackets] and "quotes"
top = 1
dotted.key . "quoted.\\u0061" = 'x' # comment
"""no""" = 2
[a.b]
list = [ "one", 'two', # "not this"
  """three
more""", [ 4, 1979-05-27 07:32:00 ],
  """four""""",
]
table = { x = "1", y = { z = ["]", "}"] } }
[[aot]]
name = "first"
[[aot]]
name = "second"
[aot.sub]
deep = true
'''.replace('"""no"""', '"no"')


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("place", "line", "text"),
    [
        (("top",), 2, "1"),
        (("dotted", "key", "quoted.a"), 3, "'x'"),
        (("a", "b"), 5, "[a.b]"),
        (("a", "b", "list", 0), 6, '"one"'),
        (("a", "b", "list", 1), 6, "'two'"),
        (("a", "b", "list", 2), 7, '"""three\nmore"""'),
        (("a", "b", "list", 3, 1), 8, "1979-05-27 07:32:00"),
        (("a", "b", "list", 4), 9, '"""four"""""'),
        (("a", "b", "table", "y", "z", 1), 11, '"}"'),
        (("aot", 0, "name"), 13, '"first"'),
        (("aot", 1, "name"), 15, '"second"'),
        (("aot", 1, "sub", "deep"), 17, "true"),
    ],
)
def test_every_value_has_its_line_and_its_text(
    newline: str, place: tuple[str | int, ...], line: int, text: str
) -> None:
    document = parse_toml(SOURCE.replace("\n", newline))
    assert (document.line(*place), document.text(*place)) == (line, text)


def test_every_value_that_the_parser_knows_has_a_place() -> None:
    document = parse_toml(SOURCE)
    for place in document.spans:
        assert document.get(*place) is not None


def test_a_table_made_of_dotted_keys_begins_at_its_first_key() -> None:
    assert parse_toml("x = 1\na.b = 1\na.c = 2\n").line("a") == 2


def test_the_line_of_what_is_not_there_is_that_of_what_would_hold_it() -> None:
    assert parse_toml("x = 1\n[a]\n").line("a", "nope") == 2
    assert parse_toml("").line("a") == 1
