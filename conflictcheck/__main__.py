"""``python -m conflictcheck``, and what the command ``conflictcheck`` starts.

Nothing is imported here but what the interpreter has loaded already: Ctrl-C at any time after that ends the same way.
"""

import os
import sys


def start() -> None:
    """As `main`, and end without taking apart, object by object, what the run made: that takes a fifth of it."""
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        _leave(end.code)


def main() -> None:
    """Run the command line and end the process."""
    try:
        if __name__ == "__main__":
            _leave_working_directory()
        from conflictcheck.instant import Lookout, is_kept, recall  # noqa: PLC0415 - see above

        arguments = sys.argv[1:]
        said = recall(arguments)
        if said is not None and _print(said[0]):
            sys.exit(said[1])
        lookout = Lookout(arguments) if is_kept(arguments) else None
        from conflictcheck.cli import main as run_and_exit  # noqa: PLC0415 - see above

        run_and_exit(arguments, lookout)
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("interrupted\n")
            sys.stderr.flush()
        os._exit(130)


def _leave(code: int) -> None:
    """End the process as the interpreter does, up to where it begins to free memory.

    Args:
        code: the exit code.
    """
    import atexit  # noqa: PLC0415 - see above

    try:
        if (threading := sys.modules.get("threading")) is not None:
            for thread in threading.enumerate():
                if not (thread.daemon or thread is threading.current_thread()):
                    thread.join()  # it may have to write what it got to the cache
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no other way to have them run
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        pass  # whoever reads has gone; that was told where it mattered
    except KeyboardInterrupt:
        code = 130
    os._exit(code)


def _print(text: str) -> bool:
    """Whether a text could be printed; where not, whoever makes the run anew says so."""
    try:
        text.encode(sys.stdout.encoding)
        sys.stdout.write(text)
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):
        return False
    return True


def _leave_working_directory() -> None:
    """Do not look for modules where "python -m" looks first: what is checked there is not to be run."""
    try:
        here = os.getcwd()  # noqa: PTH109 - see above
    except OSError:  # it was deleted, and holds nothing
        return
    if not sys.flags.safe_path and sys.path[:1] == [here]:
        del sys.path[0]


if __name__ == "__main__":
    start()
