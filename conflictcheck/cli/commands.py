"""The commands. Each reads like the sentence in its help; the work is done elsewhere.

What is heavy is imported where it is needed: ``--version`` and ``--help`` answer at once.
"""
# ruff: noqa: PLC0415, D301 - imports inside functions for that reason; \b is click's mark for lines to keep

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conflictcheck import __version__
from conflictcheck.cli.cache_commands import cache
from conflictcheck.cli.completion import export_names
from conflictcheck.cli.exit_codes import ExitCode, exit_code
from conflictcheck.cli.options import (
    CONTEXT,
    PATH,
    InOrder,
    Terminal,
    output_options,
    outputs_options,
    report_width,
    resolving_options,
    terminal_options,
)
from conflictcheck.cli.running import checked_report, deliver_report, progress_on, read_sparing, say_why

if TYPE_CHECKING:
    from conflictcheck.model import Report
    from conflictcheck.settings import Settings


@click.group(invoke_without_command=True, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="conflictcheck", message="%(prog)s %(version)s")
@click.pass_context
def root(context: click.Context) -> None:
    """Say which Python specs cannot share an environment and why, and find the fewest environments that hold them all.

    A SPEC is a requirements file, a pyproject.toml, a setup.cfg or setup.py, a script with inline metadata, a section
    of one (pyproject.toml#extra:gpu), or a folder, which is searched; - is a requirements file on standard input. With
    no SPEC the working directory is searched.

    \b
    Examples:
      conflictcheck check
      conflictcheck check api/requirements.txt nlp/requirements.txt
      conflictcheck split -o environments/
      conflictcheck check --help

    Completion, with bash_source, zsh_source or fish_source:

    \b
      eval "$(_CONFLICTCHECK_COMPLETE=bash_source conflictcheck)"

    What the codes in a report mean is in docs/diagnostics.md of the repository.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@root.command(cls=InOrder)
@resolving_options
@outputs_options
@terminal_options
def check(settings: Settings, terminal: Terminal, formats: tuple[str, ...], outputs: tuple[str, ...]) -> ExitCode:
    """Find every clash, and the fewest environments. Writes nothing but a baseline that is asked for.

    \b
    Examples:
      conflictcheck check
      conflictcheck check api/requirements.txt pyproject.toml#extra:gpu
      conflictcheck check services/ --python-version 3.11 --python-platform linux
      conflictcheck check --with 'numpy<2' --exclude-newer 2024-11-02
      conflictcheck check --format json -o report.json
      conflictcheck check --format sarif -o a.sarif --format markdown -o b.md
      conflictcheck check --write-baseline known-clashes.toml
      conflictcheck check --baseline known-clashes.toml
      conflictcheck check --since origin/main

    Exit code: 0 when --max-environments suffice or every clash is known, 1 when not or when a spec cannot be
    installed at all, 2 for bad usage or input, 3 when undecided, 130 when interrupted.
    """
    from conflictcheck.cli.output import print_message
    from conflictcheck.cli.outputs import deliver, given_outputs, with_step_summary
    from conflictcheck.cli.remembered import Memory, check_or_recall
    from conflictcheck.reports import FORMATS
    from conflictcheck.settings_sources import default_form

    default = default_form(os.environ, terminal=sys.stdout.isatty())
    wanted = with_step_summary(given_outputs(formats, outputs, default), os.environ)
    given = read_sparing(settings, *(output.file for output in wanted if not output.appended))
    memory = Memory(settings, given)
    with progress_on(terminal) as progress:
        checked = check_or_recall(memory, progress)
    texts = [
        FORMATS[output.form].render(
            checked.report, color=output.color(terminal), width=report_width(), verbose=terminal.verbose
        )
        for output in wanted
    ]
    code = exit_code(checked.report)
    deliver(wanted, texts, printed=terminal.prints)
    lookout = click.get_current_context().obj
    if lookout is not None and terminal.prints and len(texts) == 1 and code is not ExitCode.UNDECIDED:
        memory.keep_instantly(texts[0], code, checked, lookout)
    if settings.write_baseline is not None and code is not ExitCode.UNDECIDED and not terminal.quiet:
        print_message(f"Wrote {settings.write_baseline}")
    return code


@root.command()
@resolving_options
@click.option(
    "-o", "--output", metavar="DIR", type=PATH, required=True, help="The folder to write to; made if it is not there."
)
@click.option(
    "--export",
    "export_names",
    metavar="FORMAT",
    multiple=True,
    shell_complete=export_names,
    help="What to write: requirements (default) or pylock for each environment, or uv-conflicts for the extras and "
    "groups that clash; repeat for more.",
)
@output_options(of="reports", to_file=False)
@terminal_options
def split(
    settings: Settings, terminal: Terminal, format_name: str, output: str, export_names: tuple[str, ...]
) -> Report:
    """Find the fewest environments, and write each of them into DIR.

    \b
    Examples:
      conflictcheck split -o environments/
      conflictcheck split services/ -o locks/ --export pylock --max-environments 3
      conflictcheck split -o out/ --export requirements --export pylock

    Specs that cannot be installed at all are left out; nothing is written when undecided, or where a file would be
    replaced that conflictcheck did not make.
    Exit code: as conflictcheck check.
    """
    from conflictcheck.cli.environments import (
        checked_folder,
        chosen_exports,
        keep_baseline_apart,
        left_behind,
        write_environments,
    )
    from conflictcheck.cli.output import print_message
    from conflictcheck.cli.remembered import Memory, check_or_recall
    from conflictcheck.given import files_read, read_input
    from conflictcheck.model import Verdict
    from conflictcheck.phrases import and_list
    from conflictcheck.reports import FORMATS

    exports = chosen_exports(export_names)
    folder = checked_folder(output)
    keep_baseline_apart(settings.write_baseline, folder, exports)
    with progress_on(terminal) as progress:
        progress.phase("reading")
        given = read_input(settings)
        report = check_or_recall(Memory(settings, given), progress).report
    deliver_report(FORMATS[format_name], report, terminal, None)
    written = write_environments(report, exports, folder, files_read(settings, given))
    if not terminal.quiet:
        for path in written:
            print_message(f"Wrote {path}")
        if not written:
            print_message(f"Wrote nothing to {folder}: there is no environment to write")
        if report.verdict is not Verdict.UNDECIDED and (left := left_behind(exports, folder, written)):
            print_message(f"Left from an earlier run: {and_list([str(path) for path in left])}")
    return report


@root.command(short_help="Say of each clash in full why it is one.")
@resolving_options
@output_options(of="explanations")
@terminal_options
def explain(settings: Settings, terminal: Terminal, format_name: str, output: str | None) -> Report:
    """Say of each clash in full why it is one: the argument, a tree for each side, and what resolves it.

    With two or more SPECs: why these cannot share an environment, or that they can.

    \b
    Examples:
      conflictcheck explain
      conflictcheck explain vision/requirements.txt nlp/pyproject.toml
      conflictcheck explain --format json -o clashes.json

    Exit code: as conflictcheck check.
    """
    from conflictcheck.reports import EXPLANATIONS

    report = checked_report(settings, terminal, output)
    deliver_report(EXPLANATIONS[format_name], report, terminal, output)
    return report


@root.command(short_help="Show the smallest edits that let the specs share environments.")
@resolving_options
@click.option("--write", is_flag=True, help="Apply the edits to the files, then check again. Default: only show them.")
@click.option(
    "--target-environments",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many environments the specs are to fit into. Default: as few as up to 6 edits can reach.",
)
@output_options(of="reports", to_file=False)
@terminal_options
def fix(
    settings: Settings, terminal: Terminal, format_name: str, target_environments: int | None, *, write: bool
) -> Report:
    """Show the smallest edits after which the specs share environments, as a diff.

    Every fix is resolved again before it is shown. Standard error says what it changes, and what else would do.

    \b
    Examples:
      conflictcheck fix
      conflictcheck fix services/ --target-environments 2
      conflictcheck fix > fix.patch
      conflictcheck fix --write

    Only version specifiers change; comments and layout stay. Lines that name URLs or hashes, overrides, compiled files
    and entries of Poetry's tables that are lists are not edited.
    Exit code: as conflictcheck check; with --write, of the files as they are then.
    """
    from conflictcheck.cli.fixing import plan_fix, show_diff, teller, write_files
    from conflictcheck.cli.remembered import Memory, check_or_recall
    from conflictcheck.given import read_input
    from conflictcheck.model import Verdict
    from conflictcheck.reports import FORMATS

    with progress_on(terminal) as progress:
        progress.phase("reading")
        memory = Memory(settings, read_input(settings), target_environments)
        checked = check_or_recall(memory, progress)
    report = checked.report
    if report.verdict is Verdict.UNDECIDED:
        say_why(report, terminal)
        return report
    say = teller(quiet=bool(terminal.quiet))
    if format_name != "text" and not write:
        deliver_report(FORMATS[format_name], report, terminal, None)
        return report
    files = plan_fix(checked, target_environments, say, to_write=write)
    if format_name == "text":
        to_terminal = sys.stdout.isatty()
        show_diff(files, color=terminal.colors(to_terminal=to_terminal), to_terminal=to_terminal)
    if write:
        write_files(files, say)
        report = checked_report(settings, terminal) if files else report
        deliver_report(FORMATS[format_name], report, terminal, None)
    return report


@root.command()
@resolving_options
@click.option(
    "--environment",
    "environment_name",
    metavar="NAME",
    help="Only this environment, by its name in the report. Default: all.",
)
@output_options(of="graphs")
@terminal_options
def graph(
    settings: Settings, terminal: Terminal, format_name: str, output: str | None, environment_name: str | None
) -> Report:
    """Show the dependency graph of each environment.

    \b
    Examples:
      conflictcheck graph requirements.txt
      conflictcheck graph services/ --environment env-2
      conflictcheck graph --format mermaid -o graph.mmd
      conflictcheck graph --format dot | dot -Tsvg -o graph.svg

    Exit code: as conflictcheck check.
    """
    from conflictcheck.cli.environments import only_environment
    from conflictcheck.model import Verdict
    from conflictcheck.reports import GRAPHS

    report = checked_report(settings, terminal, output)
    if report.verdict is Verdict.UNDECIDED or not report.environments:
        say_why(report, terminal)
        return report
    shown = report if environment_name is None else only_environment(report, environment_name)
    deliver_report(GRAPHS[format_name], shown, terminal, output)
    return report


@root.command(short_help="Keep the facts of a run in one file for later.")
@resolving_options
@click.option("-o", "--output", metavar="FILE", type=PATH, required=True, help="The snapshot to write.")
@terminal_options
def snapshot(settings: Settings, terminal: Terminal, output: str) -> Report:
    """Keep the facts of a run in one file for later.

    With it the same report comes out without any network, whatever the index says then.

    \b
    Examples:
      conflictcheck snapshot -o facts.snapshot
      conflictcheck check --index-snapshot facts.snapshot

    Nothing is written when undecided. Exit code: as conflictcheck check.
    """
    from conflictcheck.cli.output import check_output, print_message
    from conflictcheck.model import Verdict
    from conflictcheck.phrases import size_of
    from conflictcheck.pipeline import write_snapshot
    from conflictcheck.reports.text import summarize

    check_output(output, streams=False)
    path = Path(output)
    with progress_on(terminal) as progress:
        progress.phase("reading")
        report = write_snapshot(settings, path, progress, given=read_sparing(settings, path))
    if report.verdict is Verdict.UNDECIDED:
        say_why(report, terminal)
    elif not terminal.quiet:
        print_message(summarize(report))
        print_message(f"Wrote {path} ({size_of(path.stat().st_size)})")
    return report


@root.command(short_help="Say which clashes are new, and gone, between two snapshots.")
@click.argument("old", metavar="OLD_SNAPSHOT", type=PATH)
@click.argument("new", metavar="NEW_SNAPSHOT", type=PATH)
@resolving_options
@output_options(of="reports")
@terminal_options
def diff(settings: Settings, terminal: Terminal, format_name: str, output: str | None, *, old: str, new: str) -> Report:
    """Say which clashes are new, and which are gone, between two snapshots: the specs are the same, the index is not.

    \b
    Examples:
      conflictcheck diff monday.snapshot friday.snapshot
      conflictcheck diff monday.snapshot friday.snapshot services/ --format json

    Exit code: 0 when no clash is new, 1 when one is and --max-environments do not suffice, 2 for bad usage or input,
    3 when a snapshot lacks facts about a spec, 130 when interrupted.
    """
    from conflictcheck.cli.output import check_output
    from conflictcheck.cli.snapshots import between
    from conflictcheck.pipeline import check_between
    from conflictcheck.reports import FORMATS

    check_output(output, streams=True)
    newer, older = between(settings, old, new)
    with progress_on(terminal) as progress:
        progress.phase("reading")
        given = read_sparing(newer, output, more=[older])
        report = check_between(newer, older, progress, given)
    deliver_report(FORMATS[format_name], report, terminal, output)
    return report


@root.command(short_help="Write a settings file with every setting explained.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=PATH,
    default="conflictcheck.toml",
    show_default=True,
    help="The settings file to write; - is standard output.",
)
def init(output: str) -> None:
    """Write a settings file with every setting explained, and examples from the specs in the working directory.

    All of it is commented out, so that nothing changes before it is edited. A file that exists stays as it is.

    \b
    Examples:
      conflictcheck init
      conflictcheck init -o -
    """
    from conflictcheck.cli.starting import write_first_settings

    write_first_settings(output)


root.add_command(cache)
