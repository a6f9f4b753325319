"""Reads pages in a process beside this one, so that two processors share a run that has hundreds of them to fetch.

Reading is a third of such a run, and all Python, of which the threads of one process do one thing at a time. What comes
back is the page in its compiled form, which the cache keeps and which takes no parsing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import msgspec

import conflictcheck
from conflictcheck.index.compiled import CompiledError, decode_page, encode_page
from conflictcheck.index.links import PageError
from conflictcheck.index.simple_api import MAX_PAGE, Page, parse_page

FEW = 8
"""Pages that are read here first: a process takes as long to start as these to read, and a small run has no more."""
LARGE = 256 << 10
"""Bytes of a page that is worth waiting for, when the process has another one; a smaller one is read here meanwhile."""
PROGRAM = """
import sys
sys.path[:] = sys.argv[2:]
import conflictcheck
if conflictcheck.__file__ == sys.argv[1]:
    from conflictcheck.index.page_reader import serve
    serve()
"""
"""The very code that asks: no variable, folder or start-up file has a say in which it is (-I, -S)."""
_LENGTH = 8
"""Bytes of the number that stands before each message."""
_MOST = 2 * MAX_PAGE
"""Bytes of a message."""


class _Question(msgspec.Struct, array_like=True):
    body: bytes
    content_type: str
    url: str
    name: str
    index: str
    ends: bool


class _Reply(msgspec.Struct, array_like=True):
    """The page as `encode_page` has it, or why there is none; neither where that is for the asker to find out."""

    page: bytes = b""
    reason: str = ""


class PageReader:
    """Reads pages, from the ninth on in another process. May be used by many threads.

    Where there is none, or it is lost, pages are read here: the answers are the same.

    Args:
        beside: whether there may be another process.
    """

    def __init__(self, *, beside: bool) -> None:
        self._beside = beside and hasattr(os, "posix_spawn") and Path(sys.executable).name.startswith("python")
        self._count = 0
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._is_up = False

    def read(
        self, body: bytes, content_type: str, *, url: str, name: str, index: str, ends: bool
    ) -> tuple[Page, bytes]:
        """Read the page of one package; see `parse_page`.

        Returns:
            The page, and what `encode_page` makes of it, where that is at hand, else nothing.

        Raises:
            PageError: if it is no such page.
        """
        reply = self._asked(_Question(body, content_type, url, name, index, ends))
        if reply.reason:
            raise PageError(reply.reason)
        if reply.page:
            with suppress(CompiledError):
                page = decode_page(reply.page)
                if isinstance(page, Page):
                    return page, reply.page
        return parse_page(body, content_type, url=url, name=name, index=index, ends=ends), b""

    def _asked(self, question: _Question) -> _Reply:
        self._count += 1
        if self._count <= FEW or not self._beside:
            return _Reply()
        # While the process starts, only who started it waits for it.
        if not self._lock.acquire(blocking=self._is_up and len(question.body) >= LARGE):
            return _Reply()
        reply = None
        try:
            if self._process is None and self._beside:
                self._process = _Process()
            if self._process is not None:
                reply = self._process.answer(question)
                self._is_up = True
        except (EOFError, OSError, ValueError, msgspec.MsgspecError):
            pass
        finally:
            if reply is None:  # also where this was interrupted: the next answer would be one to this question
                self._lose()
            self._lock.release()
        return reply or _Reply()

    def _lose(self) -> None:
        self._beside = False
        process, self._process = self._process, None
        if process is not None:
            process.end()
            process.close()

    def close(self) -> None:
        """End the process; what is read after that is read here."""
        self._beside = False
        process = self._process
        if process is not None:
            process.end()  # before the lock is asked for, which who waits for an answer has
        with self._lock:
            self._lose()


class _Process:
    """A process that answers one question after the other.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        here, there = os.pipe(), os.pipe()
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", "-c", PROGRAM, str(conflictcheck.__file__), *sys.path],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, here[0], 0),
                    (os.POSIX_SPAWN_DUP2, there[1], 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
            )
        except OSError:
            os.close(here[1])
            os.close(there[0])
            raise
        finally:
            os.close(here[0])
            os.close(there[1])
        self._questions = open(here[1], "wb")  # noqa: SIM115, PTH123 - closed in `close`
        self._answers = open(there[0], "rb")  # noqa: SIM115, PTH123 - as above
        self._ending = threading.Lock()

    def answer(self, question: _Question) -> _Reply:
        """Put a question to it.

        Raises:
            EOFError: it is gone.
            OSError: it is gone, or was when the question came.
            ValueError: it was ended.
            MsgspecError: it says what makes no sense.
        """
        _send(self._questions, msgspec.msgpack.encode(question))
        return msgspec.msgpack.decode(_receive(self._answers), type=_Reply)

    def end(self) -> None:
        """Have it end at once."""
        with self._ending:
            pid, self._pid = self._pid, 0
            if pid:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)

    def close(self) -> None:
        """Close what leads to it, after its end."""
        for pipe in (self._questions, self._answers):
            with suppress(OSError):  # what waits to be sent cannot be
                pipe.close()


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH, "little"))
    pipe.write(message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    length = int.from_bytes(pipe.read(_LENGTH), "little")
    message = pipe.read(length) if length <= _MOST else b""
    if not length or len(message) < length:
        raise EOFError
    return message


def serve() -> None:
    """Answer questions from standard input until there are no more: the life of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is interrupted as well, and ends this
    waiting: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_take, args=(waiting,), daemon=True).start()
    with open(1, "wb") as answers:
        while True:
            _send(answers, msgspec.msgpack.encode(_reply(waiting.get())))


def _take(waiting: SimpleQueue[bytes]) -> None:
    """Take questions, and end with whoever asks, also amid an answer."""
    try:
        with open(0, "rb") as questions:
            while True:
                waiting.put(_receive(questions))
    finally:
        os._exit(0)


def _reply(question: bytes) -> _Reply:
    one = msgspec.msgpack.decode(question, type=_Question)
    try:
        page = parse_page(one.body, one.content_type, url=one.url, name=one.name, index=one.index, ends=one.ends)
        return _Reply(encode_page(page))
    except PageError as error:
        return _Reply(reason=str(error))
    except Exception:  # noqa: BLE001 - it comes up again where it can be told
        return _Reply()
