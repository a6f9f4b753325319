"""The command line: the only place that prints or exits."""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from conflictcheck.cli.exit_codes import ExitCode, exit_code
from conflictcheck.cli.streams import replace_closed, silence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.instant import Lookout
    from conflictcheck.model import Report


__all__ = ["ExitCode", "exit_code", "main", "run"]

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def main(arguments: Sequence[str] | None = None, lookout: Lookout | None = None) -> NoReturn:
    """Run the command line and end the process.

    Args:
        arguments: what follows the program's name; the process's own by default.
        lookout: what notes what the process looks at; None where its answer is not to be kept with that.
    """
    # A run makes millions of small objects and hardly a cycle; looking for cycles is a tenth of it and frees nothing.
    gc.disable()
    try:
        replace_closed()
        code = run(sys.argv[1:] if arguments is None else arguments, lookout)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
        _say("interrupted")
    if code is ExitCode.INTERRUPTED:
        # Threads may be waiting for an index; leaving the usual way would wait for them.
        os._exit(code)
    _flush()
    sys.exit(code)


def run(arguments: Sequence[str], lookout: Lookout | None = None) -> ExitCode:
    """Run the command line.

    Args:
        arguments: what follows the program's name.
        lookout: see `main`.

    Returns:
        The exit code; everything there is to say has been said.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    from click import ClickException  # noqa: PLC0415 - inside the reach of main()'s "interrupted"
    from click.exceptions import Exit  # noqa: PLC0415

    from conflictcheck.errors import ConflictCheckError  # noqa: PLC0415

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that lacks a letter shows its number instead of ending the program.
            stream.reconfigure(errors="backslashreplace")
    outcome: Report | ExitCode | BaseException | None
    try:
        outcome = _invoke(arguments, lookout)
    except Exit as end:
        return ExitCode(end.exit_code)
    except ClickException as error:
        _usage(error)
        return ExitCode.USAGE
    except ConflictCheckError as error:
        outcome = error
        _errors(error)
    except BrokenPipeError as error:
        # Whoever reads has enough. (A report that nobody reads to its end is `print_report`'s matter.)
        outcome = error
        silence()
    except OSError as error:
        outcome = error
        if error.errno in _NO_ROOM:
            # Help and version go to standard output, archives to the folder for temporary files.
            silence()
            _say(f"error: nothing more can be written ({error.strerror})")
            return ExitCode.USAGE
        _bug(error)
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, it is no verdict
        outcome = error
        _bug(error)
    return outcome if isinstance(outcome, ExitCode) else exit_code(outcome)


def _invoke(arguments: Sequence[str], lookout: Lookout | None) -> Report | ExitCode | None:
    """What the command comes to; or the answer to a shell that asks how a command line may go on."""
    from conflictcheck.cli.commands import root  # noqa: PLC0415
    from conflictcheck.cli.completion import VARIABLE, complete  # noqa: PLC0415

    if asked := os.environ.get(VARIABLE):
        return complete(root, asked)
    with root.make_context("conflictcheck", list(arguments), obj=lookout) as context:
        outcome: Report | ExitCode | None = root.invoke(context)
        return outcome


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the place that prints
    except OSError:
        silence()


def _errors(error: BaseException) -> None:
    from conflictcheck.errors import InputErrors  # noqa: PLC0415
    from conflictcheck.escaping import visible  # noqa: PLC0415

    for one in error.shown if isinstance(error, InputErrors) else (str(error),):
        _say(f"error: {visible(one)}")


def _usage(error: Exception) -> None:
    from click import ClickException, UsageError  # noqa: PLC0415

    from conflictcheck.escaping import visible  # noqa: PLC0415

    message = error.format_message() if isinstance(error, ClickException) else str(error)
    path = error.ctx.command_path if isinstance(error, UsageError) and error.ctx else "conflictcheck"
    _say(f"error: {visible(message).rstrip('.')}; '{path} --help' shows what there is")


def _bug(error: Exception) -> None:
    import traceback  # noqa: PLC0415

    from conflictcheck import __version__  # noqa: PLC0415
    from conflictcheck.escaping import visible  # noqa: PLC0415
    from conflictcheck.text import redact  # noqa: PLC0415

    _say(
        f"error: conflictcheck {__version__} failed, and claims nothing about your specs; this is a mistake of ours: "
        "please report it with the lines below and the command you ran"
    )
    for line in "".join(traceback.format_exception(error)).splitlines():
        _say(visible(redact(line)))


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        silence()
