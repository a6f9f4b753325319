"""The commands about the cache of facts."""
# ruff: noqa: PLC0415, D301 - imports inside functions, and \b, as in `commands`

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from conflictcheck.cli.options import CONTEXT, cache_dir_option

if TYPE_CHECKING:
    from pathlib import Path


@click.group(invoke_without_command=True, context_settings=CONTEXT)
@click.pass_context
def cache(context: click.Context) -> None:
    """Show or clear the cache of facts about packages.

    \b
    Examples:
      conflictcheck cache dir
      conflictcheck cache info
      conflictcheck cache clear
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cache.command("dir")
@cache_dir_option
def cache_folder(cache_dir: str | None) -> None:
    """Print the cache's folder.

    \b
    Examples:
      conflictcheck cache dir
      du -sh "$(conflictcheck cache dir)"
    """
    from conflictcheck.cli.output import print_report

    print_report(f"{_cache_dir(cache_dir)}\n")


@cache.command("info")
@cache_dir_option
def cache_info(cache_dir: str | None) -> None:
    """Say what the cache holds.

    \b
    Examples:
      conflictcheck cache info
    """
    from conflictcheck.cli.facts_cache import describe_cache
    from conflictcheck.cli.output import print_report

    print_report(f"{describe_cache(_cache_dir(cache_dir))}\n")


@cache.command("clear")
@cache_dir_option
def cache_clear(cache_dir: str | None) -> None:
    """Forget everything in the cache.

    \b
    Examples:
      conflictcheck cache clear
    """
    from conflictcheck.cli.facts_cache import clear_cache
    from conflictcheck.cli.output import print_report

    print_report(f"{clear_cache(_cache_dir(cache_dir))}\n")


def _cache_dir(given: str | None) -> Path:
    from conflictcheck.settings_sources import cache_dir

    return cache_dir(given, os.environ)
