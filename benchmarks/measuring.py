"""Runs programs and says what they took; and the index server that they ask."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVER = Path(__file__).parent / "index_server.py"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program took.

    Attributes:
        wall: seconds.
        cpu: seconds, of it and the programs that it ran.
        memory: its largest resident size, in MB. Linux counts from that of the program that starts it, so a few MB
            more or less at the lower end say nothing.
        requests: that reached the index.
    """

    wall: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    requests: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Both, one after the other."""
        return Usage(
            self.wall + other.wall,
            self.cpu + other.cpu,
            max(self.memory, other.memory),
            self.requests + other.requests,
        )


@dataclass(frozen=True, slots=True)
class Done:
    """A program's end.

    Attributes:
        usage: what it took.
        code: its exit code; None where it was stopped as its time was up.
        output: what it wrote to standard output.
        errors: the end of what it wrote to standard error.
    """

    usage: Usage
    code: int | None
    output: str
    errors: str


class Server:
    """The index server over a folder of stores, in a process of its own, while it is entered."""

    def __init__(self, state: Path, *, record: bool = False, max_age: int = 86_400) -> None:
        self._command = [sys.executable, str(SERVER), str(state), "--max-age", str(max_age)]
        self._command += ["--record"] if record else []

    def __enter__(self) -> Self:
        """Serve."""
        # The server ends with its standard input, hence with this program, whatever becomes of it.
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.root = self._process.stdout.readline().strip()
        self._connection = http.client.HTTPConnection(self.root.removeprefix("http://"))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._connection.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def tell(self, what: str) -> dict[str, int]:
        """Send a word to the server (``count``, ``delay/20``, ``record/off``); what it has counted so far."""
        self._connection.request("GET", f"/-/{what}")
        counted: dict[str, int] = json.loads(self._connection.getresponse().read())
        return counted

    def index(self, name: str) -> str:
        """The address of one of its indexes."""
        return f"{self.root}/{name}/simple"


def run(command: Sequence[str], *, folder: Path, environ: Mapping[str, str], limit: float, server: Server) -> Done:
    """Run a program to its end.

    Args:
        command: program and arguments.
        folder: to run it in.
        environ: what is set besides `plain_environ`.
        limit: seconds after which it is stopped.
        server: whose requests are counted.
    """
    before = server.tell("count")["requests"]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
            env=plain_environ() | environ, start_new_session=True,
        )  # fmt: skip
        stopped = threading.Event()
        timer = threading.Timer(max(limit, 0.1), _stop, (process.pid, stopped))
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        except BaseException:  # interrupted: nothing goes on behind
            _stop(process.pid, stopped)
            raise
        finally:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        took = Usage(
            wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, server.tell("count")["requests"] - before
        )
        code = None if stopped.is_set() else process.returncode
        return Done(took, code, output.read().decode(errors="replace"), errors.read().decode(errors="replace")[-2000:])


def _stop(pid: int, stopped: threading.Event) -> None:
    """Stop a program and those it runs: they are in a group of its own."""
    stopped.set()
    with suppress(ProcessLookupError):
        os.killpg(pid, 9)


def plain_environ() -> dict[str, str]:
    """The environment without what configures pip, uv and conflictcheck."""
    dropped = ("PIP_", "UV_", "CONFLICTCHECK_", "CTM_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
