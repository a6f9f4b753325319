"""What is known to be the reason of real clashes stands in their steps, and what to do about them is said."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from test_real_sets import CASES, PLATFORM, SETS, check_set, position, report_of, write_set

from conflictcheck.cli import ExitCode, run

DOCUMENT = Path(__file__).parent.parent / "docs" / "explanations.md"
APART = [name for name, case in SETS.items() if case["environments"] > 1]
MOST_STEPS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


def shows(steps: str, text: str) -> bool:
    """Whether a text stands there as a whole: ``pydantic<2`` is not in ``pydantic<2.5``."""
    return re.search(rf"(?<![\w.-]){re.escape(text)}(?!\w|[.-]\w)", steps, re.IGNORECASE) is not None


def test_every_set_that_needs_several_environments_says_what_its_steps_must_show() -> None:
    assert len(APART) >= 23
    assert [name for name in APART if not SETS[name].get("shows")] == []


@pytest.mark.parametrize("name", APART)
def test_the_argument_of_a_clash_is_short(name: str, folder: Path) -> None:
    report = report_of(name, folder)
    assert report.clashes
    for clash in report.clashes:
        assert 2 <= len(clash.steps) <= MOST_STEPS, clash.summary


@pytest.mark.parametrize("name", APART)
def test_the_known_reason_is_in_the_steps(name: str, folder: Path) -> None:
    steps = "\n".join(step for clash in report_of(name, folder).clashes for step in clash.steps)
    assert [text for text in SETS[name]["shows"] if not shows(steps, text)] == [], steps


@pytest.mark.parametrize("name", APART)
def test_a_clash_has_fixes_or_says_why_there_are_none(name: str, folder: Path) -> None:
    for clash in report_of(name, folder).clashes:
        assert clash.fixes or clash.no_fix, clash.summary


@pytest.mark.parametrize("name", APART)
def test_after_the_edits_of_a_fix_the_clash_is_gone_and_as_many_environments_are_needed_as_it_says(
    name: str, folder: Path, tmp_path: Path
) -> None:
    for clash in report_of(name, folder).clashes:
        fix = clash.fixes[0]
        texts = [list(lines) for lines in SETS[name]["specs"]]
        for edit in fix.edits:
            lines = texts[position(edit.spec)]
            lines[lines.index(edit.old)] = edit.new

        after = check_set(name, texts, tmp_path)

        assert clash.specs not in [one.specs for one in after.clashes]
        assert after.minimum.proven
        assert len(after.environments) == fix.environments_after


def test_whole_ranges_are_looked_for() -> None:
    assert shows("lib 1.0 needs pydantic<2.", "pydantic<2")
    assert not shows("lib 1.0 needs pydantic<2.5.", "pydantic<2")
    assert not shows("lib 1.0 needs my-pydantic<2.", "pydantic<2")
    assert shows("needs protobuf<5.0dev,>=3.20.1 (protobuf 3.20.1 to 4.21.6)", ">=3.20.1")


def shown_by_conflictcheck() -> list[tuple[str, list[str], str]]:
    """For each set of the document: its name, the command's arguments, and what it is said to print."""
    found = re.findall(
        r"^### (\w+): .*?^\$ conflictcheck (.*?)\n(.*?)\n```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE
    )
    return [(name, command.split(), shown) for name, command, shown in found]


def test_twelve_sets_stand_side_by_side() -> None:
    names = [name for name, _, _ in shown_by_conflictcheck()]
    assert len(set(names)) == len(names) == 12
    assert set(names) <= set(APART)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with no settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for variable in (
        "PIP_FIND_LINKS",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_NO_INDEX",
        "FORCE_COLOR",
        "COLUMNS",
    ):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.mark.parametrize("entry", shown_by_conflictcheck(), ids=lambda entry: entry[0])
def test_the_document_shows_what_conflictcheck_prints(
    entry: tuple[str, list[str], str],
    own_folder: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    name, command, shown = entry
    write_set(SETS[name]["specs"], own_folder)

    code = run([*command, "--python-platform", PLATFORM, "--index-snapshot", str(CASES / f"{name}.snapshot")])

    assert code == ExitCode.FAILED
    printed = capsys.readouterr().out.split("\n\n")
    first = next(i for i, text in enumerate(printed) if text.startswith("Clash"))
    after = next(i for i, text in enumerate(printed) if i > first and text.startswith(("Clash", "Environment")))
    expected = "\n\n".join([printed[0], *(["[…]"] if first > 1 else []), *printed[first:after], "[…]"])
    if request.config.getoption("--update-golden"):
        DOCUMENT.write_text(
            DOCUMENT.read_text().replace(f"{' '.join(command)}\n{shown}", f"{' '.join(command)}\n{expected}")
        )
    else:
        assert shown == expected, "pytest --update-golden writes it anew"
