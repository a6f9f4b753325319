from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from conflictcheck.cli.commands import root
from conflictcheck.cli.completion import VARIABLE
from conflictcheck.exports import EXPORTS
from conflictcheck.reports import EXPLANATIONS, FORMATS, GRAPHS
from conflictcheck.targets import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAM = Path(sys.executable).parent / "conflictcheck"


def ask(instruction: str, **words: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a shell does."""
    return subprocess.run(
        [sys.executable, "-m", "conflictcheck"],
        env=os.environ | {VARIABLE: instruction, **words},
        capture_output=True,
        text=True,
        check=False,
    )


def answer(line: str, shell: str = "bash") -> list[str]:
    """What the program answers a shell about a line; the last word of it is being written."""
    words = line.split(" ")
    # bash and zsh hand over all words and the number of the one at the cursor, fish the word itself.
    cursor = words[-1] if shell == "fish" else str(len(words) - 1)
    done = ask(f"{shell}_complete", COMP_WORDS=line.strip(), COMP_CWORD=cursor)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def names(registered: Iterable[str]) -> list[str]:
    return [f"plain,{name}" for name in registered]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("conflictcheck ", [f"plain,{name}" for name in sorted(root.commands)]),
        ("conflictcheck sn", ["plain,snapshot"]),
        ("conflictcheck cache i", ["plain,info"]),
        ("conflictcheck check --index-s", ["plain,--index-snapshot"]),
        ("conflictcheck check --format ", names(FORMATS)),
        ("conflictcheck explain --format ", names(EXPLANATIONS)),
        ("conflictcheck graph --format ", names(GRAPHS)),
        ("conflictcheck split --export ", names(export.name for export in EXPORTS)),
        ("conflictcheck check --python-platform windo", ["plain,windows"]),
        ("conflictcheck check --python-platform aarch64-m", [f"plain,{n}" for n in PLATFORMS if "aarch64-m" in n]),
        ("conflictcheck check requ", ["file,requ"]),
        ("conflictcheck fix -c con", ["file,con"]),
    ],
)
def test_bash_is_told_what_may_follow(line: str, expected: list[str]) -> None:
    assert answer(line) == expected


def test_zsh_and_fish_are_told_the_same_with_the_help() -> None:
    told = "Keep the facts of a run in one file for later."
    assert answer("conflictcheck sn", "zsh") == ["plain", "snapshot", told]
    assert answer("conflictcheck sn", "fish") == [f"plain,snapshot\t{told}"]
    assert answer("conflictcheck graph --format m", "zsh") == ["plain", "mermaid", "_"]
    assert answer("conflictcheck graph --format m", "fish") == ["plain,mermaid"]


def test_every_file_and_folder_is_completed() -> None:
    for command in root.commands.values():
        for parameter in command.params:
            if parameter.metavar in ("FILE", "DIR", "DIR_OR_URL", "[SPEC]..."):
                context = click.Context(command)
                (found,) = parameter.shell_complete(context, "na")
                assert (found.value, found.type) == ("na", "file"), f"{command.name} {parameter.opts}: type=PATH"


@pytest.mark.skipif(shutil.which("bash") is None or not PROGRAM.exists(), reason="needs bash and the installed command")
def test_bash_completes_a_line_with_the_script_that_it_evaluated() -> None:
    press = (
        f'eval "$({VARIABLE}=bash_source conflictcheck)"; COMP_WORDS=(conflictcheck split --export p); COMP_CWORD=3; '
        '_conflictcheck_completion conflictcheck; printf "%s\\n" "${COMPREPLY[@]}"; complete -p conflictcheck'
    )
    environ = os.environ | {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "--norc", "-c", press], env=environ, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["pylock", "complete -o nosort -F _conflictcheck_completion conflictcheck"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    done = ask(f"{shell}_source")
    assert f"{VARIABLE}={shell}_complete" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)


def test_another_shell_is_refused_with_those_that_there_are() -> None:
    done = ask("tcsh_source")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {VARIABLE}: there is no completion called 'tcsh_source'; use one of bash_source, zsh_source, "
        "fish_source\n"
    )
