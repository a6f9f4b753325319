"""What the documents say is what the program does."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from urllib.parse import urlsplit

import pytest

import conflictcheck
from conflictcheck.cli import ExitCode, run
from conflictcheck.cli.commands import root
from conflictcheck.exports import EXPORTS
from conflictcheck.index import default_index_url
from conflictcheck.model import ClashKind
from conflictcheck.readers.grammar import HASH_MODES, WITHOUT_EFFECT
from conflictcheck.reports import FORMATS
from conflictcheck.settings import PrereleasePolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text()
CUT = "[…]"
SNAPSHOT = ("--index-snapshot", "examples/ml-team.snapshot", "--python-version", "3.11.7", "--python-platform", "linux")


def marked(mark: str) -> str:
    """What is inside the fences that follow a mark in the README."""
    found = re.findall(rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)```\n<!-- end -->", README, re.DOTALL)
    assert len(found) == 1, f"the README has {len(found)} blocks marked {mark!r}"
    return str(found[0])


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the repository, with no settings from outside."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def excerpt(report: str) -> str:
    """What the README shows of the example's report: the headline, the clash through a chain of two, and the end."""
    paragraphs = report.split("\n\n")
    chain = next(i for i, text in enumerate(paragraphs) if "mlflow 2.19.0 needs mlflow-skinny==2.19.0." in text)
    after = next(i for i, text in enumerate(paragraphs) if i > chain and text.startswith("Clash "))
    end = next(i for i, text in enumerate(paragraphs) if text.startswith("Environment "))
    shown = [paragraphs[0], CUT, *paragraphs[chain - 1 : after], CUT, *paragraphs[end:]]
    return "\n\n".join(shown)


@pytest.mark.usefixtures("at_root")
def test_the_first_screen_of_the_readme_is_what_the_program_prints_with_clashes_of_every_kind(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    command, _, shown = marked("example: check examples/ml-team").partition("\n")
    assert command == "$ conflictcheck check examples/ml-team"

    assert run([*command.split()[2:], *SNAPSHOT]) == ExitCode.FAILED

    out = capsys.readouterr().out
    assert "asks for numpy>=1.26,<2.\n" in out, "two lines of the team's own"
    assert "mlflow 2.19.0 needs mlflow-skinny==2.19.0.\n" in out, "a chain of two"
    assert (
        "Clash 7 of 7: examples/ml-team/dashboard/requirements.txt,\nexamples/ml-team/tools/replay_tickets.py and"
        in out
    ), "three specs"
    expected = excerpt(out)
    if request.config.getoption("--update-golden"):
        (ROOT / "README.md").write_text(README.replace(shown, expected))
    else:
        assert shown == expected, "pytest --update-golden writes it anew"


def test_both_commands_of_the_readme_are_what_ci_runs() -> None:
    tests = marked("command: tests").strip()
    check = marked("command: check").strip()
    script = (ROOT / ".ci" / "run").read_text()

    assert "\n" not in tests + check
    assert tests.endswith(".venv/bin/python -m pytest -q -n 2")
    assert check.endswith(" && .venv/bin/conflictcheck check examples/ml-team")
    assert 'tests="$(readme_command tests)"' in script
    assert 'check="$(readme_command check)"' in script
    assert "pytest" not in script, "the README's command is the only one"


def test_ci_reads_the_readme_as_this_test_does() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    function = re.search(r"^readme_command\(\) \{\n.*?^\}$", script, re.DOTALL | re.MULTILINE)
    assert function is not None
    for name in ("tests", "check"):
        done = subprocess.run(
            ["bash", "-c", f"{function[0]}\nreadme_command {name}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == marked(f"command: {name}")


def test_the_readme_names_every_command_format_and_exit_code() -> None:
    for name in root.commands:
        assert f"| `conflictcheck {name}" in README, name
    *names, last = (f"`{name}`" for name in FORMATS)
    assert f"`--format` is {', '.join(names)} or {last}; " in README
    for code in ExitCode:
        assert f"\n| {code} | " in README, code


def test_options_in_the_documents_exist() -> None:
    known = {option for command in root.commands.values() for parameter in command.params for option in parameter.opts}
    known |= {"--help", "--version"}
    elsewhere = {
        "--group",
        "--only-group",
        "--upgrade",
        "--pre",
        "--hash",
        "--uploaded-prior-to",
        "--python",
        *WITHOUT_EFFECT,
        *HASH_MODES,
    }
    elsewhere |= {"--property-examples", "--kills", "--fuzz-inputs", "--unshallow"}
    for document in DOCUMENTS:
        # What pip and uv were asked and said is theirs.
        own = re.sub(r"```text\n\$ (?:pip|uv) .*?\n```\n", "", document.read_text(), flags=re.DOTALL)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"<!--|-->", "", own)):
            assert option in known | elsewhere, f"{document.name}: {option}"


def test_the_python_example_runs() -> None:
    tree = ast.parse(marked("example: python"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    check = next(call for call in calls if call.func.attr == "check")  # type: ignore[attr-defined]
    assert {keyword.arg for keyword in check.keywords} <= set(conflictcheck.check.__annotations__)


@pytest.mark.usefixtures("at_root")
def test_the_python_example_says_what_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    source = marked("example: python")
    source = source.replace(
        'check(["services/", "jobs/requirements.txt"], python_versions=["3.11"])',
        'check(["examples/ml-team"], python_versions=["3.11.7"], python_platforms=["linux"],'
        ' index_snapshot="examples/ml-team.snapshot")',
    )

    exec(compile(source, "README.md", "exec"), {})

    out = capsys.readouterr().out
    assert out.count(" clash over ") == 7
    assert "service ('examples/ml-team/service/pyproject.toml',) 34\n" in out


def links() -> Iterator[tuple[Path, str]]:
    """Every relative link of the documents."""
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if not target.startswith(("http://", "https://")):
                yield document, target


@pytest.mark.parametrize(
    ("document", "target"), [pytest.param(*link, id=f"{link[0].name}-{link[1]}") for link in links()]
)
def test_a_link_leads_somewhere(document: Path, target: str) -> None:
    path, _, fragment = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    assert file.is_relative_to(ROOT)
    assert file.exists()
    if fragment:
        headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
        assert fragment in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_the_documents_explain_every_kind_of_clash_and_every_form() -> None:
    text = (ROOT / "docs" / "reports.md").read_text()
    for name in [*ClashKind, *FORMATS, *(one.name for one in EXPORTS)]:
        assert f"`{name}`" in text, name


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    decisions = (ROOT / "docs" / "decisions.md").read_text()
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    for line in [*project["dependencies"], *extras]:
        name = re.split(r"[<>=!~ ]", line)[0]
        assert f"**{name}**" in decisions, name


def test_every_test_that_the_guarantees_name_exists() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)

    assert len(named) == text.count(".py::test_") > 30
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(), f"{file}::{name}"


def text_files() -> list[Path]:
    """What is in the repository: no folder of a tool, an environment or a build, and no packed facts."""
    hidden = [*(ROOT / ".ci").rglob("*"), ROOT / ".gitignore", ROOT / ".pre-commit-hooks.yaml"]
    found = [path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
    return [path for path in (*hidden, *found) if path.is_file() and path.suffix not in (".snapshot", ".pyc")]


def test_no_file_names_the_host_of_a_package_registry() -> None:
    hosts = [f"py{'pi'}.org", f"pytho{'nhosted'}.org", f"ana{'conda'}.org", f"npm{'js'}.com", f"crate{'s'}.io"]
    files = text_files()
    assert {ROOT / "README.md", ROOT / ".ci" / "run"} <= set(files), "the search for files itself works"
    for path in files:
        text = path.read_text(errors="replace").lower()
        for host in hosts:
            assert host not in text, f'{path.relative_to(ROOT)} names {host}; say "the package index" or index.example'


def test_the_default_index_is_the_one_of_pip() -> None:
    address = urlsplit(default_index_url())
    assert address.scheme == "https"
    assert address.path.rstrip("/") == "/simple"


def test_kinds_of_prerelease_policies_are_those_of_the_help() -> None:
    option = next(one for one in root.commands["check"].params if one.name == "prerelease")
    assert tuple(option.type.choices) == get_args(PrereleasePolicy)  # type: ignore[attr-defined]
