"""Environments that settings declare, from files to a report, on an index in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import universe

from conflictcheck.errors import ConflictCheckError
from conflictcheck.facts import Unknown
from conflictcheck.index.memory import INDEX, MemoryIndex
from conflictcheck.model import Report, Verdict
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress
from conflictcheck.reports.text import TextReport, summarize
from conflictcheck.settings import IndexSettings, Settings
from conflictcheck.settings_file import read_settings_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

THREE: dict[str, list[str]] = {"1.0": [], "2.0": [], "3.0": []}
FILES = {"vision/requirements.txt": "x<2", "shared/requirements.txt": "y", "nlp/requirements.txt": "x>=2"}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Report]:
    """Write files and settings, and check: ``run(FILES, 'exclude = ["a/**"]', "a.txt", max_environments=2)``."""

    def checked(
        files: Mapping[str, str],
        settings: str,
        *paths: str,
        index: MemoryIndex | None = None,
        max_environments: int | None = None,
        ignore: tuple[str, ...] = (),
    ) -> Report:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        (tmp_path / "conflictcheck.toml").write_text(settings)
        file = read_settings_file(tmp_path)
        given = Settings(
            cwd=tmp_path, index=IndexSettings((INDEX,)), python_versions=("3.11",), platforms=("linux",), paths=paths,
            project=file.project, max_environments=max_environments or file.max_environments, ignore=ignore,
        )  # fmt: skip
        return check(given, Progress(), index=index or universe({"x": THREE, "y": THREE, "z": THREE}))

    return checked


def environments(report: Report) -> dict[str, tuple[str, ...]]:
    return {one.name: one.specs for one in report.environments}


def told(report: Report, code: str) -> list[str]:
    return [one.message for one in report.diagnostics if one.code == code]


BOTH = '[environments]\nvision = ["vision/**", "shared/requirements.txt"]\nnlp = ["nlp/**", "shared/*"]\n'


def test_declared_environments_are_built_as_they_are_and_a_spec_may_be_in_several(run: Callable[..., Report]) -> None:
    report = run(FILES, BOTH)

    assert (report.verdict, report.passed) == (Verdict.SPLIT, True)
    assert environments(report) == {
        "vision": ("shared/requirements.txt", "vision/requirements.txt"),
        "nlp": ("nlp/requirements.txt", "shared/requirements.txt"),
    }
    assert [(one.name, one.environments, one.holds) for one in report.declared] == [
        ("vision", ("vision",), True),
        ("nlp", ("nlp",), True),
    ]
    assert (report.minimum.environments, report.minimum.proven) == (2, True)
    assert told(report, "better-split") == []


def test_a_clash_between_declared_environments_is_as_it_should_be(run: Callable[..., Report]) -> None:
    [clash] = run(FILES, BOTH).clashes
    assert clash.specs == ("nlp/requirements.txt", "vision/requirements.txt")
    assert clash.known == "apart in the declared environments"


def test_a_declared_environment_that_clashes_is_split_and_fails(run: Callable[..., Report]) -> None:
    files = FILES | {"vision/train.py": "# /// script\n# dependencies = ['x>=3']\n# ///"}

    report = run(files, '[environments]\nvision = ["vision"]\nother = ["nlp", "shared"]', max_environments=9)

    assert (report.verdict, report.passed) == (Verdict.SPLIT, False)
    assert environments(report) == {
        "vision-1": ("vision/requirements.txt",),
        "vision-2": ("vision/train.py",),
        "other": ("nlp/requirements.txt", "shared/requirements.txt"),
    }
    [vision, _] = report.declared
    assert (vision.environments, vision.holds) == (("vision-1", "vision-2"), False)
    assert told(report, "declared-environment") == [
        "the declared environment vision does not hold its 2 specs: they take 2 environments"
    ]
    inside = next(clash for clash in report.clashes if clash.specs == vision.specs)
    assert inside.known == ""
    assert summarize(report) == "1 of 2 declared environments cannot hold its specs: vision."


def test_a_declared_environment_may_be_split_by_clashes_that_are_known(run: Callable[..., Report]) -> None:
    settings = '[environments]\nall = ["vision", "nlp"]\nother = ["shared"]'
    report = run(FILES, settings)
    [clash] = report.clashes

    ignored = run(FILES, settings, ignore=(clash.id,))

    assert ([one.holds for one in ignored.declared], report.passed, ignored.passed) == ([False, True], False, True)


def test_the_names_of_parts_are_not_those_of_other_declared_environments(run: Callable[..., Report]) -> None:
    files = {"a/requirements.txt": "x<2", "b/requirements.txt": "x>=2", "c/requirements.txt": "y"}

    report = run(files, '[environments]\nall = ["a", "b"]\nALL-1 = ["c"]\nundeclared = ["c"]')

    assert list(environments(report)) == ["all-1-2", "all-2", "ALL-1", "undeclared"]


def test_a_spec_that_cannot_be_installed_leaves_the_others_of_its_environment(run: Callable[..., Report]) -> None:
    files = {"a/requirements.txt": "x>=9", "a/dev-requirements.txt": "x", "b/requirements.txt": "y"}

    report = run(files, '[environments]\na = ["a"]\nb = ["b"]')

    assert (report.verdict, report.passed) == (Verdict.UNSATISFIABLE, False)
    assert environments(report) == {"a": ("a/dev-requirements.txt",), "b": ("b/requirements.txt",)}
    assert [one.holds for one in report.declared] == [False, True]
    assert told(report, "declared-environment") == [
        "the declared environment a does not hold its 2 specs: a/requirements.txt cannot be installed even alone"
    ]


def test_fewer_environments_are_offered_where_they_would_do(run: Callable[..., Report]) -> None:
    files = {f"{name}/requirements.txt": "x" for name in "abc"}

    report = run(files, '[environments]\none = ["a"]\ntwo = ["b", "c"]')

    assert (report.verdict, report.passed, len(report.environments)) == (Verdict.SPLIT, True, 2)
    assert told(report, "better-split") == [
        "1 environment would hold all specs: all (a/requirements.txt, b/requirements.txt and c/requirements.txt)"
    ]


def test_what_is_not_declared_is_split_as_usual_and_may_take_one_more(run: Callable[..., Report]) -> None:
    files = FILES | {"docs/requirements.txt": "z", "jobs/requirements.txt": "z<2"}
    settings = '[environments]\nvision = ["vision", "shared"]'

    report = run(files, settings)
    assert environments(report) == {
        "vision": ("shared/requirements.txt", "vision/requirements.txt"),
        "undeclared": ("docs/requirements.txt", "jobs/requirements.txt", "nlp/requirements.txt"),
    }
    assert report.passed
    assert [one.name for one in report.undeclared] == ["undeclared"]

    report = run(files | {"docs/requirements.txt": "z>2"}, settings)
    assert len(report.undeclared) == 2
    [among_these] = [one for one in report.clashes if one.specs == ("docs/requirements.txt", "jobs/requirements.txt")]
    assert among_these.known == ""
    assert not report.passed
    assert run(files, settings, max_environments=3).passed


def test_max_environments_beats_what_is_declared(run: Callable[..., Report]) -> None:
    assert not run(FILES, BOTH, max_environments=1).passed
    assert not run(FILES | {"nlp/requirements.txt": "x"}, BOTH, max_environments=1).passed
    assert run(FILES, "max-environments = 2").passed


def test_a_file_that_is_named_is_checked_without_what_is_declared(run: Callable[..., Report]) -> None:
    report = run(FILES, BOTH, "vision/requirements.txt", "shared/requirements.txt")
    assert (report.declared, list(environments(report))) == ((), ["all"])


def test_a_folder_that_is_named_keeps_what_is_declared_of_it(run: Callable[..., Report]) -> None:
    report = run(FILES, BOTH, "vision", "nlp")
    assert environments(report) == {"vision": ("vision/requirements.txt",), "nlp": ("nlp/requirements.txt",)}


def test_a_pattern_that_matches_no_spec_is_refused_by_line(run: Callable[..., Report]) -> None:
    settings = 'include = [\n  "*/requirements.txt",\n  "jbos/**"]\n[environments]\nnlp = ["nlp", "npl"]\n'

    with pytest.raises(ConflictCheckError) as caught:
        run(FILES, settings)

    advice = "conflictcheck check -v --no-config lists the specs; a pattern is relative to the folder of this file"
    assert str(caught.value).splitlines() == [
        f'conflictcheck.toml:3: include: "jbos/**" matches no spec that was found; {advice}',
        f'conflictcheck.toml:5: environments.nlp: "npl" matches no spec that was found; {advice}',
    ]
    assert run(FILES, settings, "nlp").passed, "a part of the project need not have it"


def test_missing_facts_leave_declared_environments_undecided(run: Callable[..., Report]) -> None:
    class Broken(MemoryIndex):
        """Knows nothing of any package."""

        def listings(self, names: Sequence[str]) -> list[Unknown]:  # type: ignore[override]
            return [Unknown("it is down") for _ in names]

    index = universe({"x": THREE})
    index.__class__ = Broken
    report = run(FILES, BOTH, index=index)
    assert (report.verdict, report.passed) == (Verdict.UNDECIDED, False)
    assert summarize(report).startswith("Undecided")
    assert told(report, "declared-environment") == []


@pytest.mark.parametrize("verbose", [0, 1])
@pytest.mark.parametrize("case", ["holds", "fails", "more-than-needed"])
def test_the_text_report_tells_of_what_is_declared(
    run: Callable[..., Report], golden: Callable[[str, str], None], case: str, verbose: int
) -> None:
    settings = {
        "holds": BOTH,
        "fails": '[environments]\nall = ["**"]\nnlp = ["nlp"]',
        "more-than-needed": '[environments]\nvision = ["vision"]\nshared = ["shared"]',
    }[case]
    text = TextReport().render(run(FILES, settings), color=False, width=80, verbose=verbose)
    golden(f"text-declared-{case}{'-verbose' * verbose}.txt", text)


def test_the_screen_in_the_documents_is_what_is_printed(run: Callable[..., Report]) -> None:
    files = {"vision/requirements.txt": "x", "shared/requirements.txt": "x"}
    report = run(files, '[environments]\nvision = ["vision"]\nshared = ["shared"]')
    text = TextReport().render(report, color=False, width=80, verbose=0)
    documents = Path(__file__).parent.parent / "docs" / "settings.md"
    assert f"```text\n{text}```\n" in documents.read_text()


def test_what_is_left_out_is_not_read_and_a_note_says_so(run: Callable[..., Report]) -> None:
    files = FILES | {"old/requirements.txt": "no requirement at all ;;", "vision/pyproject.toml": PROJECT}

    report = run(files, 'include = ["*/requirements.txt", "vision/pyproject.toml#extra:*"]\nexclude = ["old", "nlp/*"]')

    assert [spec.id for spec in report.specs] == [
        "shared/requirements.txt",
        "vision/pyproject.toml#extra:gpu",
        "vision/requirements.txt",
    ]
    assert [(one.code, one.file, one.message) for one in report.diagnostics if one.code != "spec-found"] == [
        ("passed-over", "nlp/requirements.txt", "left out by conflictcheck.toml"),
        ("passed-over", "old/requirements.txt", "left out by conflictcheck.toml"),
        ("settings-file", "conflictcheck.toml", "its settings hold for this run: include, exclude"),
    ]


PROJECT = """\
[project]
name = "vision"
version = "1"
dependencies = ["y"]
[project.optional-dependencies]
gpu = ["x<2"]
[dependency-groups]
dev = ["z"]
"""
