"""Several processes give the answers of one, in the same order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from conflictcheck.index.workers import Workers

ROOT = Path(__file__).parent.parent


def run(program: str) -> str:
    """What a program prints; in a process of its own, as threads of the tests' keep one from being split off."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


@pytest.mark.parametrize(("jobs", "here"), [(1, True), (3, False)])
def test_with_several_jobs_other_processes_do_the_tasks_and_the_order_stays(jobs: int, here: bool) -> None:
    program = f"""
        import os
        from functools import partial
        from conflictcheck.side_by_side import begin_in_processes
        me = os.getpid()
        tasks = [partial(lambda n: (n, os.getpid() == me), n) for n in range(6)]
        answers = [result() for result in begin_in_processes(tasks, {jobs})]
        print([n for n, _ in answers], {{here for _, here in answers}})
    """
    assert run(program) == f"[0, 1, 2, 3, 4, 5] {{{here}}}\n"


def test_what_a_task_raises_is_raised() -> None:
    program = """
        from conflictcheck.side_by_side import begin_in_processes
        fine, failing = begin_in_processes([lambda: 1, lambda: 1 // 0], 2)
        try:
            failing()
        except ZeroDivisionError as error:
            print(error, fine())
    """
    assert run(program) == "integer division or modulo by zero 1\n"


def test_a_process_that_is_killed_is_told_of_by_each_task_that_has_no_result() -> None:
    program = """
        import os, signal
        from conflictcheck.side_by_side import begin_in_processes
        from conflictcheck.side_by_side import ProcessLostError
        for result in begin_in_processes(2 * [lambda: os.kill(os.getpid(), signal.SIGKILL)], 2):
            try:
                result()
            except ProcessLostError:
                print("lost")
    """
    assert run(program) == "lost\nlost\n"


def test_an_interruption_while_others_begin_is_one() -> None:
    said = run("""
        from concurrent.futures import ProcessPoolExecutor
        from conflictcheck.side_by_side import begin_in_processes

        def interrupt(*_):
            raise KeyboardInterrupt

        ProcessPoolExecutor.submit = interrupt
        try:
            begin_in_processes([int], 2)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert said == "interrupted\n"


def test_threads_under_way_keep_the_work_here() -> None:
    program = """
        import os, threading
        from conflictcheck.side_by_side import begin_in_processes
        stop = threading.Event()
        threading.Thread(target=stop.wait).start()
        me = os.getpid()
        print([result() for result in begin_in_processes(2 * [lambda: os.getpid() == me], 2)])
        stop.set()
    """
    assert run(program) == "[True, True]\n"


def test_the_caller_goes_on_while_others_answer() -> None:
    program = """
        import os
        from conflictcheck.side_by_side import begin_in_processes
        read, write = os.pipe()
        results = begin_in_processes(2 * [lambda: os.read(read, 1)], 3)
        os.write(write, b"ab")  # none of them has an answer before this
        print(sorted(result() for result in results))
    """
    assert run(program) == "[b'a', b'b']\n"


def test_no_process_is_left_where_the_one_that_waits_is_killed() -> None:
    program = """
        import os, signal, time
        from conflictcheck.side_by_side import begin_in_processes
        begin_in_processes(6 * [lambda: time.sleep(0.1)], 3)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, check=False, cwd=ROOT, timeout=60
    )
    # All of them have the pipes, which are read until nobody has them any more.
    assert done.returncode == -signal.SIGKILL


def test_idle_threads_of_an_index_end_for_that_and_begin_again() -> None:
    others = set(threading.enumerate())
    workers = Workers(2)
    assert workers.map(str, range(5)) == list("01234")
    own = set(threading.enumerate()) - others
    assert own
    while any(thread.is_alive() for thread in own):
        workers.rest()  # a thread that has just handed over its last answer is not idle yet
    assert workers.map(str, range(5)) == list("01234")
    workers.close(lambda: None)


def test_a_report_does_not_depend_on_the_jobs() -> None:
    command = [
        *(sys.executable, "-m", "conflictcheck", "check", "examples/ml-team", "--no-config", "--format", "json"),
        *("--index-snapshot", "examples/ml-team.snapshot", "--python-version", "3.11.7", "--python-platform", "linux"),
    ]
    reports = []
    for jobs in ("1", "3"):
        done = subprocess.run([*command, "--jobs", jobs], capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 1, done.stderr
        reports.append({key: value for key, value in json.loads(done.stdout).items() if key != "stats"})
    assert reports[0] == reports[1]


def test_a_run_that_loses_a_process_reports_what_one_process_does() -> None:
    program = """
        import os, signal, sys
        from conflictcheck.cli import main
        from conflictcheck.outcome import Outcome
        me, build = os.getpid(), Outcome._build
        lost = []
        def built(self, placed):
            if os.getpid() != me:
                os.kill(os.getpid(), signal.SIGKILL)
            lost.append(placed.name)
            return build(self, placed)
        Outcome._build = built
        try:
            main([*"check examples/ml-team --no-config --index-snapshot examples/ml-team.snapshot --jobs 2".split(),
                  *"--python-version 3.11.7 --python-platform linux --no-progress".split()])
        except SystemExit as end:
            print(end.code, lost)
    """
    lost = run(program)
    assert lost == run(program.replace("--jobs 2", "--jobs 1"))
    assert lost.startswith("3 environments needed")
    assert lost.splitlines()[-1].startswith("1 [")
