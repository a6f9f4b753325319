"""Threads that do blocking work side by side."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue
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
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._left = 0
        self._closing: Callable[[], None] | None = None
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[Any], Any], Any] | None] = SimpleQueue()

    def submit(self, function: Callable[[Item], Result], item: Item, future: Future[Result]) -> None:
        """Have `function` called on an item, for a future that nothing was done with yet; may be called from a worker.

        Once this is closed, the future is cancelled.
        """
        with self._lock:
            if self._closing is not None:
                future.cancel()
                return
            self._left += 1
            self._jobs.put((future, function, item))
            if len(self._threads) < min(self._count, self._left):
                name = f"index-{len(self._threads) + 1}"
                self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._threads[-1].start()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call `function` on each item and return the results in order; not to be called from a worker.

        Raises:
            Exception: what the first item that failed raised.
        """
        futures: list[Future[Result]] = []
        for item in items:
            futures.append(Future())
            self.submit(function, item, futures[-1])
        return [future.result() for future in futures]

    def rest(self) -> None:
        """Let the threads end if nothing is left to do; they are started again as work comes."""
        with self._lock:
            ending = [] if self._left or self._closing is not None else self._threads
            if ending:
                self._threads = []
                for _ in ending:
                    self._jobs.put(None)
        for thread in ending:
            thread.join()

    def close(self, then: Callable[[], None]) -> None:
        """Drop what was not begun, let the threads end, and call `then` once none of them does anything any more.

        That is at once, or from the last thread: what they use must not go while a server keeps one waiting.
        """
        with self._lock:
            self._closing = then
            try:
                while (job := self._jobs.get_nowait()) is not None:
                    job[0].cancel()
                    self._left -= 1
            except Empty:
                pass
            for _ in self._threads:
                self._jobs.put(None)
            is_idle = not self._left
        if is_idle:
            then()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function, item = job
            if future.set_running_or_notify_cancel():
                try:
                    result = function(item)
                except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                    future.set_exception(error)
                else:
                    future.set_result(result)
            with self._lock:
                self._left -= 1
                then = None if self._left else self._closing
            if then is not None:
                then()
