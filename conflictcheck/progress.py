"""What the core tells about its progress: an observer whose methods do nothing."""

from __future__ import annotations


class Progress:
    """Called by the core while it works; the terminal fills it in."""

    def phase(self, name: str) -> None:
        """A phase of the run begins: ``reading``, ``resolving``, ``clashes``, ``split``."""

    def fetching(self, label: str) -> None:
        """A request is under way."""

    def fetched(self, label: str, *, size: int) -> None:
        """A request has ended, with so many bytes."""

    def asked(self, specs: int) -> None:
        """The solver is asked about that many specs."""
