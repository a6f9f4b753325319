"""The baseline file, and the ids that it lives on."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import universe
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from report_builders import clash, environment, line, report, spec

from conflictcheck.baseline import read_baseline, write_baseline
from conflictcheck.cli import ExitCode
from conflictcheck.cli import run as run_command
from conflictcheck.errors import BaselineError, InputErrors
from conflictcheck.index.memory import INDEX, MemoryIndex
from conflictcheck.model import IN_BASELINE, Verdict
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conflictcheck.model import Report

    Run = Callable[..., Report]

ONE = clash("0123456789ab", 'a "quoted" \x1b[31m clash\u202e \ud800', line("a.txt:1", "x<2"), line("b.txt:1", "x>2"))
TWO = clash("00aa00aa00aa", "another", line("a.txt:1", "y<2"), line("b.txt:1", "y>2"))
PACKAGES = {"x": {"1.0": [], "2.0": []}, "y": {"1.0": [], "2.0": []}, "app": {"1.0": ["x>=2"]}}


def found(*clashes: object) -> Report:
    specs = (spec("a.txt"), spec("b.txt"))
    return report("split", specs=specs, environments=(environment("a", "a.txt"),), clashes=clashes)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Check files of these texts: ``run({"a.txt": "x\\n"}, baseline=Path("known.toml"))``."""

    def checked(files: Mapping[str, str], index: MemoryIndex | None = None, **more: object) -> Report:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        plain = Settings(
            cwd=tmp_path, index=IndexSettings((INDEX,)), python_versions=("3.11",), platforms=("linux",),
            paths=tuple(files),
        )  # fmt: skip
        return check(replace(plain, **more), Progress(), index=index or universe(PACKAGES))  # type: ignore[arg-type]

    return checked


# -- the file ----------------------------------------------------------------------------------------------------------


def test_the_file_is_sorted_and_says_what_it_is(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    write_baseline(tmp_path / "known.toml", found(ONE, TWO))
    golden("baseline.toml", (tmp_path / "known.toml").read_text("utf-8"))
    assert list(read_baseline(tmp_path / "known.toml", "known.toml")) == [TWO.id, ONE.id]


@given(st.text(st.characters()))
def test_whatever_a_summary_holds_the_file_can_be_read(tmp_path_factory: pytest.TempPathFactory, summary: str) -> None:
    path = tmp_path_factory.mktemp("baseline") / "known.toml"
    write_baseline(path, found(replace(ONE, summary=summary)))
    assert list(read_baseline(path, "known.toml")) == [ONE.id]
    assert "\n" not in tomllib.loads(path.read_text("utf-8"))["clashes"][0]["summary"]


def test_what_is_expected_for_another_reason_is_not_written(tmp_path: Path) -> None:
    given = found(replace(ONE, known="ignored"), replace(TWO, known=IN_BASELINE))
    written = write_baseline(tmp_path / "known.toml", given)
    assert list(read_baseline(tmp_path / "known.toml", "known.toml")) == [TWO.id]
    assert [one.known for one in written.clashes] == ["ignored", IN_BASELINE]


def test_an_undecided_run_writes_nothing(tmp_path: Path) -> None:
    write_baseline(tmp_path / "known.toml", replace(found(ONE), verdict=Verdict.UNDECIDED))
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_without_clashes_is_one(tmp_path: Path) -> None:
    write_baseline(tmp_path / "known.toml", found())
    assert read_baseline(tmp_path / "known.toml", "known.toml") == {}


WRITES = "conflictcheck check --write-baseline FILE writes one"
AGAIN = "take it out, or write the baseline anew with --write-baseline"
TOP = (
    'a baseline has no "{}" at its top, only version and clashes; each clash is a table, below a line "[[clashes]]"; '
    "or write the baseline anew with --write-baseline"
)
ENTRY = "an entry of clashes needs an id as the report tells it, and a summary that is a text"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\x00\x01", f"k.toml: not a baseline: a binary file, not text; {WRITES}"),
        (b"version = 1\nclashes = [", f"k.toml:2: not a baseline: not valid TOML: invalid value; {WRITES}"),
        (b"", f"k.toml: not a baseline: it states no version; {WRITES}"),
        (b'version = "1"', f"k.toml: not a baseline: it states no version; {WRITES}"),
        (b"version = true", f"k.toml: not a baseline: it states no version; {WRITES}"),
        (
            b"# later\nversion = 2",
            (
                "k.toml:2: a baseline of version 2, and this conflictcheck reads version 1; use a newer conflictcheck, "
                "or write it anew with --write-baseline"
            ),
        ),
        (b'version = 1\n\nid = "0123456789ab"\n[[clashes]]\nid = "0123456789ab"', f"k.toml:3: {TOP.format('id')}"),
        (b"version = 1\n[[clash]]\n", f"k.toml:2: {TOP.format('clash')}"),
        (b"version = 1\nclashes = 3", f"k.toml:2: clashes is not a list of tables; {WRITES}"),
        (b"version = 1\nclashes = [3]", f"k.toml:2: {ENTRY}; {AGAIN}"),
        (b'version = 1\n\n[[clashes]]\nid = "0123"', f"k.toml:3: {ENTRY}; {AGAIN}"),
        (b'version = 1\n[[clashes]]\nid = "0123456789ab"\nsummary = 1', f"k.toml:2: {ENTRY}; {AGAIN}"),
    ],
)
def test_what_is_no_baseline_is_told_with_the_line_and_what_to_do(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "k.toml").write_bytes(text)
    with pytest.raises(BaselineError) as caught:
        read_baseline(tmp_path / "k.toml", "k.toml")
    assert str(caught.value) == message


def test_a_missing_baseline_is_told_with_the_problems_of_the_specs(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputErrors) as caught:
        run({"a.txt": "x>>1\n"}, baseline=tmp_path / "nope.toml")
    assert [error.file for error in caught.value.errors] == [f"{tmp_path.as_posix()}/nope.toml", "a.txt"]
    assert "the baseline cannot be read: No such file or directory" in str(caught.value)


# -- ids ---------------------------------------------------------------------------------------------------------------

FILES = {"a.txt": "y\nx<2\n", "b.txt": "app\n"}
REVISED = {
    "lines move": {"a.txt": "\n\nx<2\n# a remark\ny\n", "b.txt": "\napp\n"},
    "comments and spaces": {"a.txt": "y\n  x  <  2   # why\n", "b.txt": "app # that\n"},
    "other lines": {"a.txt": "y>=1\nx<2\n", "b.txt": "y\napp\n"},
    "another spec": {"a.txt": "y\nx<2\n", "b.txt": "app\n", "c.txt": "x>=2\ny<2\n", "0.txt": "y\n"},
}


@pytest.mark.parametrize("files", REVISED.values(), ids=REVISED)
def test_a_clash_keeps_its_id(run: Run, files: dict[str, str]) -> None:
    [clash] = run(FILES).clashes
    [again] = [one for one in run(files).clashes if one.specs == clash.specs]
    assert clash.specs == ("a.txt", "b.txt")
    assert again.id == clash.id


def test_a_clash_keeps_its_id_when_the_index_gives_another_reason_for_it(run: Run) -> None:
    [clash] = run(FILES).clashes
    later = {**PACKAGES, "x": {"1.0": [], "1.5": [], "3.0": []}, "app": {"1.0": ["x>=3"], "1.1": ["x>=3"]}}
    [again] = run(FILES, universe(later)).clashes
    assert again.summary != clash.summary or again.steps != clash.steps
    assert again.id == clash.id


@pytest.mark.parametrize(
    "files",
    [{"a.txt": "y\nx<1.5\n", "b.txt": "app\n"}, {"c.txt": "y\nx<2\n", "b.txt": "app\n"}],
    ids=["other text", "other file"],
)
def test_another_clash_has_another_id(run: Run, files: dict[str, str]) -> None:
    assert run(files).clashes[0].id != run(FILES).clashes[0].id


def test_of_several_reasons_the_same_is_told_wherever_the_lines_stand(run: Run) -> None:
    one = run({"a.txt": "x<2\ny<2\n", "b.txt": "x>=2\ny>=2\n"})
    other = run({"a.txt": "y<2\nx<2\n", "b.txt": "y>=2\nx>=2\n"})
    assert [clash.id for clash in one.clashes] == [clash.id for clash in other.clashes]


# -- a run with one ----------------------------------------------------------------------------------------------------


def test_a_run_with_the_baseline_that_another_wrote_passes_until_there_is_a_new_clash(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    assert run(FILES, write_baseline=path).passed
    assert run(FILES, baseline=path).passed
    report = run({**FILES, "c.txt": "x<1.5\n"}, baseline=path)
    assert not report.passed
    assert [(clash.specs, clash.known) for clash in report.clashes] == [
        (("a.txt", "b.txt"), IN_BASELINE),
        (("b.txt", "c.txt"), ""),
    ]


def test_reading_and_writing_the_same_baseline_leaves_out_what_is_gone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    run(FILES, baseline=path, write_baseline=path)
    before = path.read_bytes()
    run(FILES, baseline=path, write_baseline=path)
    assert path.read_bytes() == before
    report = run({"a.txt": "y\n", "b.txt": "app\n"}, baseline=path, write_baseline=path)
    assert [gone.was for gone in report.gone] == ["in the baseline before"]
    assert [one.code for one in report.diagnostics if one.code.startswith("baseline")] == []
    assert read_baseline(path, "known.toml") == {}


def test_declared_conflicts_pass_without_any_option(run: Run) -> None:
    project = '[project]\nname = "p"\nversion = "1"\n[project.optional-dependencies]\ncpu = ["x<2"]\ngpu = ["x>=2"]\n'
    assert not run({"pyproject.toml": project}).passed
    report = run({"pyproject.toml": project + '[tool.uv]\nconflicts = [[{extra = "cpu"}, {extra = "gpu"}]]\n'})
    assert report.passed
    assert [clash.known for clash in report.clashes] == ["declared in [tool.uv] conflicts of pyproject.toml"]


@pytest.mark.parametrize(("options", "said"), [((), "Wrote known.toml\n"), (("-q",), "")])
def test_the_command_says_that_it_wrote_a_baseline(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "a.txt").write_text("boto3>=1.42,<2\n")
    (tmp_path / "b.txt").write_text("boto3>=1.41,<1.42\n")
    snapshot = Path(__file__).parent / "cases" / "U02.snapshot"
    target = ["--python-version", "3.13", "--python-platform", "x86_64-manylinux_2_35"]
    code = run_command(
        [
            "check",
            "a.txt",
            "b.txt",
            *target,
            "--index-snapshot",
            str(snapshot),
            "--write-baseline",
            "known.toml",
            *options,
        ]
    )

    assert code is ExitCode.PASSED
    assert capsys.readouterr().err == said
    assert (tmp_path / "known.toml").is_file()
