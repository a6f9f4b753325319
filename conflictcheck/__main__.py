"""``python -m conflictcheck``, and what the command ``conflictcheck`` starts.

Nothing is imported here but what the interpreter has loaded already: Ctrl-C at any time after that ends the same way.
"""

import os
import sys


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
    main()
