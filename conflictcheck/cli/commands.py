"""The commands. Each reads like the sentence in its help; the work is done elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conflictcheck import __version__
from conflictcheck.cli.options import Terminal, output_options, resolving_options, terminal_options, width

if TYPE_CHECKING:
    from conflictcheck.model import Report
    from conflictcheck.reports.base import ReportFormat
    from conflictcheck.settings import Settings

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
_FORMATS = ("text", "json")


@click.group(invoke_without_command=True, context_settings=_HELP)
@click.version_option(__version__, prog_name="conflictcheck", message="%(prog)s %(version)s")
@click.pass_context
def root(context: click.Context) -> None:
    """Say which Python specs cannot share an environment and why, and find the
    fewest environments that hold them all.

    A SPEC is a requirements file, a pyproject.toml, a script with inline
    metadata, a section of one (pyproject.toml#extra:gpu), or a folder, which is
    searched.
    """  # noqa: D205 - click reads the paragraphs
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@root.command()
@resolving_options
@output_options(_FORMATS)
@terminal_options
def check(settings: Settings, terminal: Terminal, format_name: str, output: str | None) -> Report:
    """Find every clash, and the fewest environments. Writes nothing.

    \b
    Examples:
      conflictcheck check
      conflictcheck check api/requirements.txt pyproject.toml#extra:gpu
      conflictcheck check services/ --python-version 3.11 --python-platform linux
      conflictcheck check --with 'numpy<2' --exclude-newer 2024-11-02
      conflictcheck check --format json -o report.json

    Exit code: 0 when --max-environments suffice, 1 when not or when a spec
    cannot be installed at all, 2 for bad usage or input, 3 when undecided.
    """  # noqa: D301 - \b is click's mark for lines to keep
    report = _checked(settings, terminal)
    _deliver(_format(format_name), report, terminal, output)
    return report


def _checked(settings: Settings, terminal: Terminal) -> Report:
    from conflictcheck.pipeline import check as check_specs  # noqa: PLC0415 - the solver and the index are heavy
    from conflictcheck.progress import Progress  # noqa: PLC0415

    return check_specs(settings, Progress())


def _format(name: str) -> ReportFormat:
    from conflictcheck.reports import FORMATS  # noqa: PLC0415

    return next(report_format for report_format in FORMATS if report_format.name == name)


def _deliver(chosen: ReportFormat, report: Report, terminal: Terminal, output: str | None) -> None:
    import sys  # noqa: PLC0415

    from conflictcheck.cli.output import print_report, write_file  # noqa: PLC0415

    to_terminal = output is None and sys.stdout.isatty()
    text = chosen.render(
        report, color=terminal.colors(to_terminal=to_terminal), width=width(), verbose=terminal.verbose
    )
    if output is not None:
        write_file(Path(output), text)
    elif terminal.quiet < 2:  # noqa: PLR2004 - -qq
        print_report(text)
