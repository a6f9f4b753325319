"""Questions that do not depend on each other, put to several processes.

What is known by now is at hand in a process that is split off (``fork``), so that nothing but the answers crosses.
Where a system has no such thing, or threads are under way that the split would cut off, the questions are answered
here: the answers are the same.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

Result = TypeVar("Result")

_tasks: Sequence[Callable[[], Any]]
"""For the processes that are split off."""


class ProcessLostError(Exception):
    """A process that was split off ended before its work did: it was killed, as where there is no room for it."""


def begin_in_processes(tasks: Sequence[Callable[[], Result]], jobs: int) -> list[Callable[[], Result]]:
    """Have tasks done in order while the caller does something else; without another process, all are done first.

    Args:
        tasks: they change nothing that anything after them depends on.
        jobs: how many processes there may be, this one included.

    Returns:
        For each task what gives its result, or raises what it raised, or `ProcessLostError`.

    Raises:
        Exception: what a task raises that is done here.
    """
    if jobs > 1 and tasks and threading.active_count() == 1:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - costly, and not needed for one job
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - as above
        from multiprocessing import get_all_start_methods, get_context  # noqa: PLC0415 - as above

        if "fork" in get_all_start_methods():
            global _tasks  # noqa: PLW0603 - what is split off finds it there
            _tasks = tasks
            pool = ProcessPoolExecutor(min(jobs - 1, len(tasks)), get_context("fork"), _end_with_parent)
            begun: list[Future[Any]] = []
            try:
                begun += [pool.submit(_do, number) for number in range(len(tasks))]
            except (BrokenProcessPool, OSError):
                pass
            finally:
                del _tasks
                pool.shutdown(wait=False, cancel_futures=not begun)

            def result(number: int) -> Result:
                try:
                    return cast("Result", begun[number].result())
                except BrokenProcessPool as error:
                    raise ProcessLostError from error
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)  # nobody waits for the rest
                    raise

            if begun:
                return [partial(result, number) for number in range(len(tasks))]
    return [partial(_just, task()) for task in tasks]


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


def _do(number: int) -> Any:
    return _tasks[number]()


def _just(result: Result) -> Result:
    return result
