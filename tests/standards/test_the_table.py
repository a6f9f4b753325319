"""The table in ``docs/standards.md`` names tests that exist, and leaves out no file of them."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = (HERE.parent.parent / "docs" / "standards.md").read_text()


def test_every_test_that_the_table_names_exists_and_every_pep_with_tests_has_a_row() -> None:
    tests = {
        name: path.stem
        for path in HERE.glob("test_pep*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", TABLE))

    assert named <= tests.keys()
    assert {tests[name] for name in named} == set(tests.values())
