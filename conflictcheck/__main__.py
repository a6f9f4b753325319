"""``python -m conflictcheck``."""

from conflictcheck.cli import main

main()
