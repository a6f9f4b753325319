"""Questions that do not depend on each other, put to several processes.

What is known by now is at hand in a process that is split off (``fork``), so that nothing but the answers crosses.
Where a system has no such thing, or threads are under way that the split would cut off, the questions are answered
here: the answers are the same.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

_work: tuple[Callable[[Any], Any], Sequence[Any]]
"""The function and its items, for the processes that are split off."""


def map_in_processes(function: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> list[Result]:
    """Call `function` on each item and return the results in order.

    Args:
        function: changes nothing that anything after it depends on.
        items: any.
        jobs: how many processes there may be; 1 does without further ones.

    Raises:
        Exception: what the first item that fails raises.
    """
    if min(jobs, len(items)) > 1 and threading.active_count() == 1:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - costly, and not needed for one job
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - as above
        from multiprocessing import get_all_start_methods, get_context  # noqa: PLC0415 - as above

        if "fork" in get_all_start_methods():
            global _work  # noqa: PLW0603 - what is split off finds it there
            _work = function, items
            try:
                with ProcessPoolExecutor(min(jobs, len(items)), get_context("fork")) as pool:
                    return list(pool.map(_answer, range(len(items))))
            except (BrokenProcessPool, OSError):
                pass  # a process was killed, or there is no room for one
            finally:
                del _work
    return list(map(function, items))


def _answer(number: int) -> Any:
    function, items = _work
    return function(items[number])
