"""Completion in bash, zsh and fish: what follows on a command line that is being written.

click does the work. Its scripts, which a shell evaluates once, call the program with `VARIABLE` set at each press of
the key: ``_CONFLICTCHECK_COMPLETE=bash_source`` prints the script, ``bash_complete`` answers.
"""
# ruff: noqa: PLC0415 - nothing is imported before a shell asks

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.cli.exit_codes import ExitCode
from conflictcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click
    from click.shell_completion import CompletionItem

VARIABLE = "_CONFLICTCHECK_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


def complete(root: click.Command, instruction: str) -> ExitCode:
    """Print a shell's script, or what it asks for.

    Args:
        root: the whole command line.
        instruction: the value of `VARIABLE`.

    Raises:
        UsageError: it is none.
    """
    shell, _, what = instruction.partition("_")
    if shell not in _SHELLS or what not in ("source", "complete"):
        known = ", ".join(f"{name}_source" for name in _SHELLS)
        raise UsageError(f"{VARIABLE}: there is no completion called {instruction!r}", hint=f"use one of {known}")
    from click.shell_completion import shell_complete

    return ExitCode(shell_complete(root, {}, "conflictcheck", VARIABLE, instruction))


def export_names(_context: click.Context, _option: click.Parameter, start: str) -> list[CompletionItem]:
    """The registered exports."""
    from conflictcheck.exports import EXPORTS

    return _beginning(start, (export.name for export in EXPORTS))


def platform_names(_context: click.Context, _option: click.Parameter, start: str) -> list[CompletionItem]:
    """The platforms that have a name."""
    from conflictcheck.targets import PLATFORMS

    return _beginning(start, PLATFORMS)


def _beginning(start: str, names: Iterable[str]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(start)]
