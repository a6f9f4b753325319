"""Questions that do not depend on each other, put to several processes.

What is known by now is at hand in a process that is split off (``fork``), so that nothing but the answers crosses.
Where a system has no such thing, or threads are under way that the split would cut off, the questions are answered
here: the answers are the same.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

_work: tuple[Callable[[Any], Any], Sequence[Any]]
"""The function and its items, for the processes that are split off."""


def begin_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Callable[[], list[Result]]:
    """Have `function` called on each item while the caller does something else; with one job, all is done first.

    Args:
        function: changes nothing that anything after it depends on, and depends on nothing that the caller changes
            meanwhile: where processes cannot be had after all, it is called here when the results are wanted.
        items: any.
        jobs: how many processes there may be; 1 does without further ones.

    Returns:
        What gives the results in order, and raises what the first item that failed raised.
    """
    if jobs > 1 and items and threading.active_count() == 1:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - costly, and not needed for one job
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - as above
        from multiprocessing import get_all_start_methods, get_context  # noqa: PLC0415 - as above

        if "fork" in get_all_start_methods():
            global _work  # noqa: PLW0603 - what is split off finds it there
            _work = function, items
            pool = ProcessPoolExecutor(min(jobs, len(items)), get_context("fork"), _end_with_parent)
            try:
                begun = [pool.submit(_answer, number) for number in range(len(items))]
            except (BrokenProcessPool, OSError):
                begun = []
            finally:
                del _work

            def results() -> list[Result]:
                with suppress(BrokenProcessPool, OSError), pool:  # a process was killed, or there is no room for one
                    if begun:
                        return [one.result() for one in begun]
                return list(map(function, items))

            return results
    done = list(map(function, items))
    return lambda: done


def jobs_for(jobs: int | None, *, worth_it: bool) -> int:
    """How many processes there are to be.

    Args:
        jobs: how many were asked for; None for as many as there are processors, where a process is split off cheaply.
        worth_it: whether there is so much to do that a further process pays.
    """
    if jobs is not None:
        return jobs
    return len(os.sched_getaffinity(0)) if worth_it and sys.platform == "linux" else 1


def _end_with_parent() -> None:
    """Have this process end when the one ends that it was split off from: nobody else tells it to."""
    from multiprocessing import parent_process  # noqa: PLC0415 - at hand in such a process

    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _answer(number: int) -> Any:
    function, items = _work
    return function(items[number])
