"""Reads pages in a process beside this one, so that two processors share a run that has hundreds of them to fetch.

Reading is a third of such a run, and all Python, of which the threads of one process do one thing at a time. What comes
back is the page in its compiled form, which the cache keeps and which takes no parsing.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import IO

import msgspec

from conflictcheck.index.compiled import CompiledError, decode_page, encode_page
from conflictcheck.index.links import PageError
from conflictcheck.index.simple_api import Page, parse_page

_LENGTH = 8
"""Bytes of the number that stands before each message."""


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
    """Reads pages, in another process once there is one. May be used by many threads.

    Where there is none, or it is lost, pages are read here: the answers are the same.

    Args:
        beside: whether there may be another process.
    """

    def __init__(self, *, beside: bool) -> None:
        self._beside = beside
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def start(self) -> None:
        """Split off the process, if there may be one and there are no threads yet, which that would cut off."""
        if self._beside and threading.active_count() == 1 and hasattr(os, "fork"):
            self._beside = False
            with suppress(OSError):
                self._process = _Process()

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
        process = self._process
        if process is None:
            return _Reply()
        with self._lock:
            reply = None
            try:
                reply = process.answer(question)
            except (EOFError, OSError, ValueError, msgspec.MsgspecError):
                pass
            finally:
                if reply is None:  # also where this was interrupted: the next answer would be one to this question
                    self._process = None
                    process.end()
                    process.close()
        return reply or _Reply()

    def close(self) -> None:
        """End the process; what is read after that is read here."""
        self._beside = False
        process, self._process = self._process, None
        if process is not None:
            process.end()  # first, so that who waits for it with the lock does so no longer
            with self._lock:
                process.close()


class _Process:
    """A process that is split off and answers one question after the other."""

    def __init__(self) -> None:
        here, there = os.pipe(), os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _be_beside(questions=here[0], answers=there[1], others=(here[1], there[0]))
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
    message = pipe.read(length)
    if not length or len(message) < length:
        raise EOFError
    return message


def _be_beside(*, questions: int, answers: int, others: tuple[int, int]) -> None:
    """Answer questions until there are no more, or nobody is left to ask: the life of the process, which ends here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is interrupted as well, and ends this
        for descriptor in others:
            os.close(descriptor)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nothing, standard)
        waiting: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=_take, args=(questions, waiting), daemon=True).start()
        with open(answers, "wb") as pipe:
            while True:
                _send(pipe, msgspec.msgpack.encode(_reply(waiting.get())))
    finally:
        os._exit(0)


def _take(questions: int, waiting: SimpleQueue[bytes]) -> None:
    """Take questions, and end the process with whoever asks, also amid an answer."""
    try:
        with open(questions, "rb") as pipe:
            while True:
                waiting.put(_receive(pipe))
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
