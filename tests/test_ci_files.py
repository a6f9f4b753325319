"""The files for services of continuous integration: valid by the services' schemas, and run as far as a shell can."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
CI = ROOT / "docs" / "ci"
SNAPSHOT = ROOT / "tests" / "cases" / "U14.snapshot"
FACTS = f"--index-snapshot {SNAPSHOT} --python-version 3.13 --python-platform x86_64-manylinux_2_35"
BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None or sys.platform == "win32", reason="the files are for bash")


def read(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text())


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("action.yml", "vendor.github-actions"),
        ("docs/ci/github-workflow.yml", "vendor.github-workflows"),
        ("docs/ci/gitlab.yml", "vendor.gitlab-ci"),
        ("docs/ci/bitbucket-pipelines.yml", "vendor.bitbucket-pipelines"),
    ],
)
def test_file_follows_the_schema_of_its_service(file: str, schema: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(ROOT / file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two specs that clash, and a job's programs: ours, on facts that were kept, and a ``curl`` that takes notes."""
    (tmp_path / "requirements-a.txt").write_text("grpcio-status==1.71.0\n")
    (tmp_path / "requirements-b.txt").write_text("protobuf==6.30.2\n")
    programs = tmp_path / ".bin"
    programs.mkdir()
    program(programs / "conflictcheck", f'exec "{sys.executable}" -m conflictcheck "$@" {FACTS}')
    program(programs / "python", f'[ "$2" = pip ] || exec "{sys.executable}" "$@"')
    program(
        programs / "curl",
        'for last; do case "$last" in @*) body="${last#@}" ;; esac; done\n'
        'printf "%s\\n" "$*" >> "$CALLS"; [ -z "$body" ] || { cat "$body"; echo; } >> "$CALLS"\n'
        'case "$*" in *DELETE*) exit 22 ;; esac',
    )
    return tmp_path


def program(file: Path, script: str) -> None:
    file.write_text(f"#!/usr/bin/env bash\n{script}\n")
    file.chmod(0o755)


def shell(script: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the services do: bash that ends at the first failure."""
    assert BASH is not None
    return subprocess.run(
        [BASH, "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))},
            "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PIP_CONFIG_FILE": os.devnull,
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def steps() -> Mapping[str, Any]:
    """The steps of the action by name."""
    return {
        step.get("name", step.get("id", step.get("uses"))): step for step in read(ROOT / "action.yml")["runs"]["steps"]
    }


def action_check(folder: Path, arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run the action's check: what was said, and the outputs of the step."""
    temporary = folder / ".temp"
    temporary.mkdir(exist_ok=True)
    outputs = folder / ".outputs"
    outputs.write_text("")
    done = shell(
        steps()["Check"]["run"],
        folder,
        ARGUMENTS=arguments,
        FOLDER=str(temporary),
        CONFLICTCHECK=str(folder / ".bin" / "conflictcheck"),
        CONFLICTCHECK_CACHE_DIR=str(temporary / "cache"),
        GITHUB_ACTIONS="true",
        GITHUB_OUTPUT=str(outputs),
        GITHUB_STEP_SUMMARY=str(folder / ".summary"),
    )
    return done, dict(line.split("=", 1) for line in outputs.read_text().splitlines())


@needs_bash
def test_the_action_annotates_and_leaves_files_to_upload(folder: Path) -> None:
    done, outputs = action_check(folder, "")

    assert done.returncode == 1, done.stderr
    assert "\n::error file=requirements-a.txt,line=1," in done.stdout
    (run,) = json.loads(Path(outputs["sarif-file"]).read_text())["runs"]
    assert len(run["results"]) == 1
    assert Path(outputs["markdown-file"]).read_text() == (folder / ".summary").read_text()


@needs_bash
def test_arguments_of_the_action_are_lines_and_no_shell(folder: Path) -> None:
    (folder / "a b $(touch pwned).txt").write_text("protobuf==6.30.2\n")

    done, _ = action_check(folder, "a b $(touch pwned).txt\n\n--max-environments=2\n")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The spec fits in one environment")
    assert not (folder / "pwned").exists()


@needs_bash
def test_the_action_fails_and_uploads_nothing_on_bad_usage(folder: Path) -> None:
    action_check(folder, "")
    done, outputs = action_check(folder, "no-such-file.txt")

    assert done.returncode == 2
    assert "no-such-file.txt" in done.stderr
    assert outputs == {}


@needs_bash
def test_the_action_installs_from_where_it_is(folder: Path) -> None:
    python = folder / ".bin" / "python3"
    program(
        python,
        'case "$*" in "-m venv "*) mkdir -p "$3/bin"; ln -s "$0" "$3/bin/python" ;; *) echo "$@" >> "$CALLS" ;; esac',
    )
    calls, environment = folder / ".calls", folder / ".environment"

    done = shell(
        steps()["Install conflictcheck"]["run"],
        folder,
        PYTHON=str(python),
        SOURCE="/the/action",
        FOLDER=str(folder / ".temp"),
        GITHUB_ENV=str(environment),
        CALLS=str(calls),
    )

    assert done.returncode == 0, done.stderr
    assert calls.read_text() == "-m pip install --quiet --disable-pip-version-check /the/action\n"
    assert environment.read_text() == f"CONFLICTCHECK={folder}/.temp/venv/bin/conflictcheck\n"


def test_the_action_reads_no_input_as_shell_and_keeps_the_cache_where_the_check_has_it() -> None:
    for step in steps().values():
        assert "${{" not in step.get("run", "")
    assert steps()["actions/cache@v4"]["with"]["path"] == steps()["Check"]["env"]["CONFLICTCHECK_CACHE_DIR"]


def test_the_workflow_uses_inputs_and_outputs_that_the_action_has() -> None:
    action = read(ROOT / "action.yml")
    text = (CI / "github-workflow.yml").read_text()
    (job,) = read(CI / "github-workflow.yml")["jobs"].values()
    (ours,) = [step for step in job["steps"] if step.get("id") == "conflictcheck"]

    assert set(ours["with"]) <= set(action["inputs"])
    assert {one for one in action["outputs"] if f"steps.conflictcheck.outputs.{one}" in text} == {"markdown-file"}


@needs_bash
def test_the_gitlab_job_leaves_both_reports_that_it_names(folder: Path) -> None:
    job = read(CI / "gitlab.yml")["conflictcheck"]

    done = shell("\n".join([*job["before_script"], *job["script"]]), folder, GITLAB_CI="true", CI_PROJECT_DIR=".")

    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("2 environments needed: ")
    reports = job["artifacts"]["reports"]
    found = json.loads((folder / reports["codequality"]).read_text())
    assert [one["location"]["path"] for one in found] == ["requirements-a.txt"]
    assert 'failures="3"' in (folder / reports["junit"]).read_text()
    assert job["cache"]["paths"] == [job["variables"]["CONFLICTCHECK_CACHE_DIR"].replace("$CI_PROJECT_DIR/", "") + "/"]


@needs_bash
@pytest.mark.parametrize(("clashes", "code"), [(True, 1), (False, 0)])
def test_the_bitbucket_step_sends_the_report_and_then_its_annotations(folder: Path, clashes: bool, code: int) -> None:
    if not clashes:
        (folder / "requirements-b.txt").unlink()
    ((pipeline,),) = [read(CI / "bitbucket-pipelines.yml")["pipelines"]["default"]]
    calls = folder / ".calls"

    done = shell(
        "\n".join(pipeline["step"]["script"]),
        folder,
        BITBUCKET_REPO_FULL_NAME="team/app",
        BITBUCKET_COMMIT="abc123",
        CALLS=str(calls),
    )

    assert done.returncode == code, done.stderr
    url = "http://api.bitbucket.org/2.0/repositories/team/app/commit/abc123/reports/conflictcheck"
    made = [line for line in calls.read_text().splitlines() if line.startswith("--")]
    assert all("--proxy http://localhost:29418" in call for call in made)
    assert [call.partition("--request ")[2].split(" --")[0] for call in made] == [
        f"DELETE {url}",
        f"PUT {url}",
        *([f"POST {url}/annotations"] if clashes else []),
    ]
    bodies = [json.loads(line) for line in calls.read_text().splitlines() if not line.startswith("--")]
    assert bodies[0]["result"] == ("FAILED" if clashes else "PASSED")
    assert [one["path"] for batch in bodies[1:] for one in batch] == (["requirements-a.txt"] if clashes else [])


@needs_bash
def test_the_bitbucket_step_ends_as_the_check_does_on_bad_input(folder: Path) -> None:
    (folder / "requirements-b.txt").write_text("no requirement at all\n")
    ((pipeline,),) = [read(CI / "bitbucket-pipelines.yml")["pipelines"]["default"]]

    done = shell("\n".join(pipeline["step"]["script"]), folder, CALLS=str(folder / ".calls"))

    assert done.returncode == 2
    assert not (folder / ".calls").exists()


def screens(folder: Path) -> dict[str, str]:
    """What the services make of the reports on the two specs, as lines."""
    forms = ("github", "markdown", "sarif", "gitlab", "junit", "bitbucket")
    options = " ".join(f"--format {form} -o .{form}" for form in forms)
    assert shell(f"conflictcheck check {options}", folder).returncode == 1
    said = {form: (folder / f".{form}").read_text() for form in forms}
    return {
        "github log": log(said["github"]),
        "github line": annotation(said["github"], folder),
        "markdown": said["markdown"],
        "code scanning": alerts(json.loads(said["sarif"])),
        "gitlab": widget(json.loads(said["gitlab"])),
        "junit": cases(said["junit"]),
        "bitbucket": insights(json.loads(said["bitbucket"])),
    }


def wrapped(text: str, indent: str = "") -> str:
    return "\n".join(
        textwrap.fill(line, 100, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        for line in text.splitlines()
    )


def command(text: str) -> re.Match[str]:
    (found,) = re.finditer(r"^::error file=(.*),line=(.*),title=(.*?)::(.*)$", text, re.MULTILINE)
    return found


def log(text: str) -> str:
    """The runner's log: the text, here its first paragraphs, and each command as a line in red."""
    paragraphs = text.split("\n\n")
    return "\n\n".join([*paragraphs[:3], "[…]", wrapped(f"Error: {unquote(command(text)[4])}")])


def annotation(text: str, folder: Path) -> str:
    file, line, title, message = map(unquote, command(text).groups())
    content = (folder / file).read_text().splitlines()[int(line) - 1]
    return f"{file}\n{line:>4}  {content}\n      x {title}\n{wrapped(message, indent=' ' * 8)}"


def alerts(document: Any) -> str:
    lines = []
    for result in document["runs"][0]["results"]:
        places = [one["physicalLocation"] for one in result["locations"] + result["relatedLocations"]]
        where = [f"{one['artifactLocation']['uri']}:{one['region']['startLine']}" for one in places]
        headline = result["message"]["text"].splitlines()[0]
        lines.append(f"{result['level'].upper()}  {result['ruleId']}  {where[0]}  (and {', '.join(where[1:])})")
        lines.append(wrapped(headline, indent="  "))
    return "\n".join(lines)


def widget(found: Any) -> str:
    lines = [f"Code Quality scans found {len(found)} new finding"]
    for one in found:
        place = f"{one['location']['path']}:{one['location']['lines']['begin']}"
        lines.append(wrapped(f"{one['severity'].title()} - {one['description']} in {place}", indent="  "))
    return "\n".join(lines)


def cases(text: str) -> str:
    (suite,) = ET.fromstring(text)
    lines = [f"{suite.get('name')}: {suite.get('tests')} tests, {suite.get('failures')} failed"]
    for case in suite:
        failure = case.find("failure")
        lines.append(f"  {'passed' if failure is None else 'failed'}  {case.get('classname')}  {case.get('name')}")
        if failure is not None:
            lines.append(wrapped(failure.get("message", ""), indent=" " * 10))
    return "\n".join(lines)


def insights(document: Any) -> str:
    report = document["report"]
    lines = [f"{report['title']}  {report['result']}", wrapped(report["details"], indent="  ")]
    lines += [f"  {one['title']}: {str(one['value']).lower()}" for one in report["data"]]
    for one in document["annotations"][0]:
        lines.append(f"  {one['severity']}  {one['path']}:{one['line']}  {one['title']}")
        lines.append(wrapped(one["summary"], indent=" " * 4))
    return "\n".join(lines)


@needs_bash
def test_the_screens_in_the_documents_are_what_the_reports_hold(folder: Path, request: pytest.FixtureRequest) -> None:
    document = CI / "README.md"
    shown = document.read_text()
    expected = shown
    made = screens(folder)
    for name, text in made.items():
        block = re.compile(rf"(<!-- screen: {name} -->\n```\w+\n).*?(```\n<!-- end -->)", re.DOTALL)
        assert len(block.findall(shown)) == 1, name
        expected = block.sub(lambda match, text=text: f"{match[1]}{text.rstrip()}\n{match[2]}", expected)
    if request.config.getoption("--update-golden"):
        document.write_text(expected)
    assert shown.count("<!-- screen: ") == len(made)
    assert document.read_text() == expected, "pytest --update-golden writes it anew"
