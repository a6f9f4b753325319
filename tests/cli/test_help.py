"""What ``--help`` says of every command and option, whatever commands there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import conflictcheck
from conflictcheck.cli import ExitCode, run
from conflictcheck.cli.commands import root

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(conflictcheck.__file__).parent


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))


COMMANDS = dict(commands(root))
OPTIONS = {
    f"{' '.join(path)} {option.opts[-1]}".strip(): option
    for path, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option)
}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_examples_that_could_be_run(path: tuple[str, ...]) -> None:
    text = COMMANDS[path].help or ""
    examples = re.findall(r"^ *(conflictcheck .+)$", text.partition("Examples:\n")[2], re.MULTILINE)

    assert examples
    assert any(example.startswith(" ".join(["conflictcheck", *path])) for example in examples)
    for example in examples:
        words = shlex.split(re.split(r" [|>] ", example)[0])[1:]
        command: click.Command = root
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        if words[:1] != ["--help"]:
            command.make_parser(click.Context(command)).parse_args(words)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_says_what_it_does_and_its_default(name: str) -> None:
    option = OPTIONS[name]
    text = option.help or ""

    assert re.match(r"[A-Z]", text), "a sentence"
    assert re.search(r"\.( \[env: [^\]]+\])?$", text), "a sentence, and then the variables that say the same"
    takes_one = not (option.is_flag or option.count or option.multiple or option.required)
    if takes_one and isinstance(option.type, click.Choice | click.IntRange):
        assert option.show_default or "Default: " in text


def test_the_variables_that_the_help_names_are_those_that_are_read() -> None:
    named = {
        variable
        for option in OPTIONS.values()
        for listed in re.findall(r"\[env: ([^\]]+)\]", option.help or "")
        for variable in listed.split(", ")
    }
    source = "".join(
        (PACKAGE / name).read_text() for name in ("cache_file.py", "settings_sources.py", "pip_configuration.py")
    )
    of_pip = {name for name in named if name.startswith("PIP_")}
    assert len(of_pip) > 5
    for name in of_pip:
        assert f'"{name.removeprefix("PIP_").lower().replace("_", "-")}"' in source, name
    read = set(re.findall(r'"((?:UV|CONFLICTCHECK)_[A-Z_]+|NO_COLOR|FORCE_COLOR)"', source))
    assert named - of_pip == read - {"UV_KEYRING_PROVIDER"}, "that one has no option"


def test_every_command_is_summed_up_in_a_whole_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for path, command in COMMANDS.items():
        if isinstance(command, click.Group):
            assert run([*path, "--help"]) == ExitCode.PASSED
            listed = capsys.readouterr().out.partition("\nCommands:\n")[2].splitlines()
            assert len(listed) == len(command.commands)
            assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []
