"""The options that commands share, and what becomes of them."""

from __future__ import annotations

import os
import sys
from functools import wraps
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Literal, cast

import click
from msgspec import Struct
from msgspec.structs import replace

from conflictcheck.cli.completion import platform_names
from conflictcheck.errors import UsageError
from conflictcheck.settings_sources import CommandLine, resolve_settings, use_color

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflictcheck.settings import Settings
    from conflictcheck.settings_sources import ColorChoice

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
"""The settings of a group's context."""
ORDER = "conflictcheck.order"
"""Where a context keeps the names of the parameters in the order they were given."""
PATH = click.Path(readable=False)
"""A file or folder, for completion; what it has to be is checked where it is used, with a message of its own."""

_NARROWEST = 40
_WIDEST = 100
_WIDTH = 80


class Terminal(Struct, frozen=True):
    """How to write to whom.

    Attributes:
        color: ``--color``.
        quiet: how many ``-q``: one leaves messages out, two the report as well.
        verbose: how many ``-v``.
        progress: whether ``--no-progress`` was left out.
    """

    color: ColorChoice
    quiet: int
    verbose: int
    progress: bool

    def colors(self, *, to_terminal: bool) -> bool:
        """Whether to colour what is written there."""
        return use_color(self.color, terminal=to_terminal, environ=os.environ)

    @property
    def prints(self) -> bool:
        """Whether reports are wanted on standard output."""
        return self.quiet < 2  # noqa: PLR2004 - -qq

    @property
    def shows_progress(self) -> bool:
        """Whether somebody watches standard error."""
        return self.progress and not self.quiet and sys.stderr.isatty()


def report_width() -> int:
    """Columns for prose: what COLUMNS says, else the terminal's, within reason; 80 where there is none."""
    return max(_NARROWEST, min(get_terminal_size((_WIDTH, 0)).columns, _WIDEST))


def _stacked(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """One decorator for several, whose help appears in the order given."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def terminal_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--color``, ``-q``, ``-v`` and ``--no-progress``; the command gets a `Terminal` named `terminal`."""

    @wraps(command)
    def with_terminal(*, color: str, quiet: int, verbose: int, no_progress: bool, **rest: Any) -> Any:
        terminal = Terminal(cast("ColorChoice", color), quiet, verbose, not no_progress)
        return command(terminal=terminal, **rest)

    return cast("Callable[..., Any]", _TERMINAL(with_terminal))


def resolving_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of all commands that resolve; the command gets `Settings` named `settings`."""
    names = CommandLine.__struct_fields__

    @wraps(command)
    def with_settings(**values: Any) -> Any:
        given = CommandLine(**{name: values.pop(name) for name in names})
        settings: Settings = resolve_settings(given, cwd=_working_directory(), environ=os.environ)
        if not values["quiet"]:
            _tell_unasked(given, is_diff="new" in values)
        return command(settings=_with_standard_input(settings), **values)

    return cast("Callable[..., Any]", _RESOLVING(with_settings))


def _tell_unasked(given: CommandLine, *, is_diff: bool) -> None:
    """Say of options that name an index that it is not asked, where snapshots answer.

    The report says nothing of it: it is to be the same as when the index was asked.
    """
    if given.index_snapshot is None and not is_diff:
        return
    from conflictcheck.cli.output import print_message  # noqa: PLC0415 - keeps start-up short

    where = "in diff, where two snapshots answer alone" if is_diff else "beside --index-snapshot, which answers alone"
    named = {
        "--index-url": given.index_url,
        "--extra-index-url": given.extra_index_url,
        "--find-links": given.find_links,
    }
    for option in filter(named.get, named):
        print_message(f"warning: {option} has no effect {where}")


def _with_standard_input(settings: Settings) -> Settings:
    from conflictcheck.readers import names_standard_input  # noqa: PLC0415 - keeps start-up short
    from conflictcheck.text import SIZE_LIMIT  # noqa: PLC0415

    if not names_standard_input(settings.paths):
        return settings
    try:
        return replace(settings, standard_input=sys.stdin.buffer.read(SIZE_LIMIT + 1))
    except (OSError, ValueError) as error:
        raise UsageError(f"-: standard input cannot be read: {getattr(error, 'strerror', None) or 'closed'}") from None


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the working directory cannot be used ({error.strerror}); it may have been deleted",
            hint="change to another folder",
        ) from None


class _Registered(click.Choice):  # type: ignore[type-arg] # click 8.1 knows no click.Choice[str]
    """The names that `conflictcheck.reports` registers under a constant; it is imported when they are looked at."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        super().__init__(())

    @property
    def choices(self) -> tuple[str, ...]:
        """The names."""
        import conflictcheck.reports  # noqa: PLC0415 - keeps start-up short

        return tuple(getattr(conflictcheck.reports, self._registry))

    @choices.setter
    def choices(self, value: object) -> None:
        """Takes the nothing that it was made with."""


class InOrder(click.Command):
    """A command that remembers in which order its options were given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual, once more for the order alone."""
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            ctx.meta[ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


_LISTS = {"reports": "FORMATS", "explanations": "EXPLANATIONS", "graphs": "GRAPHS"}


def output_options(*, of: Literal["reports", "explanations", "graphs"], to_file: bool = True) -> Callable[[Any], Any]:
    """``--format`` with the registered choices, and ``-o`` for a file."""
    form = click.option(
        "--format",
        "format_name",
        type=_Registered(_LISTS[of]),
        default="text",
        show_default=True,
        help="The form of the graph." if of == "graphs" else "The form of the report.",
    )
    return _stacked(form, _OUTPUT) if to_file else form


outputs_options = _stacked(
    click.option(
        "--format",
        "formats",
        type=_Registered("FORMATS"),
        multiple=True,
        help="The form of the report; repeat for more, each with -o. Default: text; github in a job of GitHub Actions.",
    ),
    click.option(
        "-o",
        "--output",
        "outputs",
        metavar="FILE",
        type=PATH,
        multiple=True,
        help="Write the report of the --format before it to this file; - is standard output.",
    ),
)
"""``--format`` and ``-o`` of a command that writes several reports, an `InOrder`: ``formats`` and ``outputs``."""

cache_dir_option = click.option(
    "--cache-dir",
    metavar="DIR",
    type=PATH,
    help="Keep facts about packages there. Default: a folder among the user's caches, which conflictcheck cache dir "
    "prints. [env: CONFLICTCHECK_CACHE_DIR]",
)

_OUTPUT = click.option(
    "-o", "--output", metavar="FILE", type=PATH, help="Write the report there. Default: -, which is standard output."
)

_TERMINAL = _stacked(
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="When to use colour; auto is on a terminal. [env: NO_COLOR, FORCE_COLOR]",
    ),
    click.option("-q", "--quiet", count=True, help="No messages and no progress; twice: no report either."),
    click.option("-v", "--verbose", count=True, help="Show pins, notes and long lists in full."),
    click.option("--no-progress", is_flag=True, help="No progress bar on standard error."),
)

_RESOLVING = _stacked(
    click.argument("paths", metavar="[SPEC]...", nargs=-1, type=PATH),
    click.option(
        "--with",
        "with_requirements",
        metavar="REQUIREMENT",
        multiple=True,
        help="One more spec, made of the requirements given so.",
    ),
    click.option(
        "--python-version",
        metavar="X.Y",
        multiple=True,
        help="A Python that an environment may use; repeat for more, one that works is enough, the newest is "
        "preferred. Default: the running one.",
    ),
    click.option(
        "--python-platform",
        metavar="NAME",
        multiple=True,
        shell_complete=platform_names,
        help="A platform that every environment must work on, by uv's name (linux, macos, windows, "
        "x86_64-manylinux_2_28, ...); repeat for more. Default: the running one.",
    ),
    click.option(
        "--index-url",
        metavar="URL",
        help="The package index. Default: what pip's configuration files say, or pip's own. [env: PIP_INDEX_URL, "
        "UV_DEFAULT_INDEX, UV_INDEX_URL]",
    ),
    click.option(
        "--extra-index-url",
        metavar="URL",
        multiple=True,
        help="A further index, asked as well; repeat for more. [env: PIP_EXTRA_INDEX_URL, UV_INDEX, "
        "UV_EXTRA_INDEX_URL]",
    ),
    click.option(
        "--find-links",
        metavar="DIR_OR_URL",
        type=PATH,
        multiple=True,
        help="A folder of files, or a page with links to them; repeat for more. [env: PIP_FIND_LINKS, UV_FIND_LINKS]",
    ),
    click.option("--no-index", is_flag=True, help="Ask no index, only --find-links. [env: PIP_NO_INDEX]"),
    click.option("--offline", is_flag=True, help="Answer from the cache alone. [env: UV_OFFLINE]"),
    click.option(
        "--index-snapshot",
        metavar="FILE",
        type=PATH,
        help="Answer from this snapshot alone, which conflictcheck snapshot has written.",
    ),
    click.option(
        "--exclude-newer",
        metavar="DATE_OR_TIMESTAMP",
        help="Leave out files uploaded later: 2024-11-02 (that day included, local time) or 2024-11-02T15:30:00Z. "
        "Default: none. [env: UV_EXCLUDE_NEWER]",
    ),
    click.option(
        "--prerelease",
        type=click.Choice(["allow", "disallow", "if-necessary-or-explicit"]),
        help="Which pre-releases may be chosen. Default: if-necessary-or-explicit. [env: PIP_PRE]",
    ),
    click.option(
        "--only-binary",
        metavar="NAME|:all:",
        multiple=True,
        help="Use no source distributions of these packages (commas between names). [env: PIP_ONLY_BINARY]",
    ),
    click.option(
        "--no-binary",
        metavar="NAME|:all:",
        multiple=True,
        help="Use no wheels of these packages (commas between names). [env: PIP_NO_BINARY]",
    ),
    click.option(
        "-c",
        "--constraint",
        metavar="FILE",
        type=PATH,
        multiple=True,
        help="Restrict versions in every environment; repeat for more. [env: PIP_CONSTRAINT, UV_CONSTRAINT]",
    ),
    click.option(
        "--override",
        metavar="FILE",
        type=PATH,
        multiple=True,
        help="Replace what anything asks of these packages; repeat for more. [env: UV_OVERRIDE]",
    ),
    click.option(
        "--max-environments",
        metavar="N",
        type=click.IntRange(min=1),
        help="How many environments are acceptable. Default: 1, or as many as the settings declare.",
    ),
    click.option(
        "-j",
        "--jobs",
        metavar="N",
        type=click.IntRange(min=1),
        help="How many processes read pages, and look at environments and clashes, side by side; the report does not "
        "depend on it. Default: as many as there are processors, where that pays.",
    ),
    click.option(
        "--baseline", metavar="FILE", type=PATH, help="The clashes listed there are known; only others count."
    ),
    click.option(
        "--write-baseline", metavar="FILE", type=PATH, help="Write the clashes that there are to this baseline."
    ),
    click.option(
        "--ignore", metavar="ID", multiple=True, help="A clash that is known, by its id (-v shows it); repeat for more."
    ),
    click.option(
        "--since",
        metavar="REV",
        help="Only clashes that were not there at this git revision count. Both are resolved with the same index.",
    ),
    click.option(
        "--allow-outside",
        is_flag=True,
        help="Read included files and links outside of the working tree, too.",
    ),
    click.option(
        "--config-file",
        metavar="FILE",
        type=PATH,
        help="Read these settings. Default: the nearest conflictcheck.toml, or pyproject.toml with "
        "[tool.conflictcheck], here or in a folder above.",
    ),
    click.option("--no-config", is_flag=True, help="Read no settings file."),
    cache_dir_option,
    click.option("--no-cache", is_flag=True, help="Neither read nor write the cache."),
    click.option("--refresh", is_flag=True, help="Ask the index again, whatever the cache knows."),
)
