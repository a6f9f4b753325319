"""``python -m conflictcheck``, and what the command ``conflictcheck`` starts.

Nothing is imported here but what the interpreter has loaded already: Ctrl-C at any time after that ends the same way.
"""

import os
import sys


def main() -> None:
    """Run the command line and end the process."""
    try:
        from conflictcheck.cli import main as run_and_exit  # noqa: PLC0415 - see above

        run_and_exit()
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("interrupted\n")
            sys.stderr.flush()
        os._exit(130)


if __name__ == "__main__":
    main()
