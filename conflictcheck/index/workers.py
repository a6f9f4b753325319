"""Threads that do blocking work side by side."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """A pool of daemon threads.

    Unlike `concurrent.futures.ThreadPoolExecutor`, whose threads are waited for when the program ends: an interrupted
    run ends at once, whatever a server keeps a thread waiting for.

    Args:
        count: how many threads there may be; they are started as work comes.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._threads = 0
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[Any], Any], Any] | None] = SimpleQueue()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call `function` on each item and return the results in order; not to be called from a worker.

        Raises:
            Exception: what the first item that failed raised.
        """
        futures: list[Future[Result]] = []
        for item in items:
            future: Future[Result] = Future()
            futures.append(future)
            self._jobs.put((future, function, item))
        while self._threads < min(self._count, len(futures)):
            self._threads += 1
            threading.Thread(target=self._work, name=f"index-{self._threads}", daemon=True).start()
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Let the threads end once they are idle."""
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads = 0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function, item = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function(item))
            except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                future.set_exception(error)
