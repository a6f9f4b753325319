"""Progress on a terminal's standard error."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Self

from conflictcheck.phrases import count, size_of
from conflictcheck.progress import Progress

if TYPE_CHECKING:
    from types import TracebackType

    from rich.status import Status

_PATIENCE = 0.3
"""Seconds that a run may take before it shows anything, so that short runs do not flicker, nor pay for rich."""
_PHASES = {
    "reading": "Reading the specs",
    "resolving": "Resolving",
    "clashes": "Finding out why",
    "split": "Looking for the fewest environments",
}


class ProgressBar(Progress):
    """One line that says what goes on; it vanishes at the end. Its methods may be called from any thread."""

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._lock = Lock()
        self._started = time.monotonic()
        self._status: Status | None = None
        self._phase = ""
        self._waiting = 0
        self._requests = 0
        self._bytes = 0
        self._questions = 0

    def __enter__(self) -> Self:
        """Nothing is shown yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the line."""
        with self._lock:
            if self._status is not None:
                self._status.stop()
                self._status = None
            # A thread that is still under way must not begin a new line below the report.
            self._started = float("inf")

    def phase(self, name: str) -> None:
        """Begin another sentence."""
        with self._lock:
            self._phase = _PHASES.get(name, name.capitalize())
            self._show()

    def fetching(self, label: str) -> None:  # noqa: ARG002 - the number says enough
        """Count a request that is under way."""
        with self._lock:
            self._waiting += 1
            self._show()

    def fetched(self, label: str, *, size: int) -> None:  # noqa: ARG002 - the number says enough
        """Count a request that has ended."""
        with self._lock:
            self._waiting = max(0, self._waiting - 1)
            self._requests += 1
            self._bytes += size
            self._show()

    def asked(self, specs: int) -> None:  # noqa: ARG002 - the number says enough
        """Count a question to the solver."""
        with self._lock:
            self._questions += 1
            self._show()

    def _show(self) -> None:
        if self._status is None:
            if time.monotonic() - self._started < _PATIENCE or self._started == float("inf"):
                return
            from rich.console import Console  # noqa: PLC0415 - takes longer to import than a short run takes
            from rich.text import Text  # noqa: PLC0415

            console = Console(stderr=True, no_color=not self._color, highlight=False)
            self._status = console.status(Text(self._sentence()))
            self._status.start()
            return
        from rich.text import Text  # noqa: PLC0415

        self._status.update(Text(self._sentence()))

    def _sentence(self) -> str:
        parts = []
        if self._requests:
            parts.append(f"{count(self._requests, 'answer')} from the index, {size_of(self._bytes)}")
        if self._waiting:
            parts.append(f"{self._waiting} under way")
        if self._questions:
            parts.append(f"{count(self._questions, 'set')} of specs tried")
        return f"{self._phase or 'Working'} ({', '.join(parts)})" if parts else self._phase or "Working"
