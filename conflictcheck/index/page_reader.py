"""Reads pages in a process beside this one, so that two processors share a run that has hundreds of them to fetch.

Reading is a third of such a run, and all Python, of which the threads of one process do one thing at a time. What comes
back is the page in its compiled form, which the cache keeps and which takes no parsing.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import msgspec

from conflictcheck.index.compiled import CompiledError, decode_page, encode_page
from conflictcheck.index.links import PageError
from conflictcheck.index.simple_api import Page, parse_page

if TYPE_CHECKING:
    import subprocess

MANY = 8
"""Pages after which a process is started: it takes as long to start as these to read."""
_MARK = b"\0page\0"
"""Begins each message, and nothing that the start of an interpreter may print."""
_LENGTH = 8
"""Bytes of the number that comes next."""


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


class _LostError(Exception):
    """The process is gone, or says what makes no sense."""


class PageReader:
    """Reads pages, from the ninth on in another process. May be used by many threads.

    Where there is no such process, or it is lost, pages are read here: the answers are the same.

    Args:
        beside: whether there may be another process.
    """

    def __init__(self, *, beside: bool) -> None:
        self._beside = beside and bool(sys.executable)
        self._count = 0
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_up = False

    def read(
        self, body: bytes, content_type: str, *, url: str, name: str, index: str, ends: bool
    ) -> tuple[Page, bytes]:
        """Read the page of one package; see `parse_page`.

        Returns:
            The page, and what `encode_page` makes of it.

        Raises:
            PageError: if it is no such page.
        """
        reply = self._asked(_Question(body, content_type, url, name, index, ends))
        if reply.reason:
            raise PageError(reply.reason)
        with suppress(CompiledError):
            page = decode_page(reply.page)
            if isinstance(page, Page):
                return page, reply.page
        page = parse_page(body, content_type, url=url, name=name, index=index, ends=ends)
        return page, encode_page(page)

    def close(self) -> None:
        """End the process; what is read after that is read here."""
        with self._lock:
            self._beside = False
            self._end()

    def _asked(self, question: _Question) -> _Reply:
        self._count += 1
        if self._count <= MANY or not self._lock.acquire(blocking=self._is_up):
            return _Reply()
        try:
            if self._process is None and self._beside:
                self._process = start_process()
            if self._process is None or self._process.stdin is None or self._process.stdout is None:
                return _Reply()
            _send(self._process.stdin, msgspec.msgpack.encode(question))
            reply = msgspec.msgpack.decode(_receive(self._process.stdout), type=_Reply)
            self._is_up = True
        except (_LostError, OSError, ValueError, msgspec.MsgspecError):
            self._beside = False
            self._end()
            return _Reply()
        else:
            return reply
        finally:
            self._lock.release()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            with suppress(OSError), self._process:  # what waits to be sent cannot be
                pass
            self._process = None


def start_process() -> subprocess.Popen[bytes]:
    """A process that answers questions on its standard input until that ends."""
    import subprocess  # noqa: PLC0415 - costly, and not needed for few pages

    # -P: what lies in the working directory is no part of the program.
    command = [sys.executable, "-P", "-m", "conflictcheck.index.page_reader"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_MARK + len(message).to_bytes(_LENGTH, "little"))
    pipe.write(message)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    head = pipe.read(len(_MARK) + _LENGTH)
    if len(head) < len(_MARK) + _LENGTH or not head.startswith(_MARK):
        raise _LostError
    length = int.from_bytes(head[len(_MARK) :], "little")
    message = pipe.read(length)
    if len(message) < length:
        raise _LostError
    return message


def serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer questions until there are no more."""
    with suppress(_LostError, BrokenPipeError):
        while True:
            one = msgspec.msgpack.decode(_receive(questions), type=_Question)
            try:
                page = parse_page(
                    one.body, one.content_type, url=one.url, name=one.name, index=one.index, ends=one.ends
                )
                reply = _Reply(encode_page(page))
            except PageError as error:
                reply = _Reply(reason=str(error))
            except Exception:  # noqa: BLE001 - it will come up where it can be told
                reply = _Reply()
            _send(answers, msgspec.msgpack.encode(reply))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is interrupted as well, and ends this
    with open(0, "rb") as questions, open(1, "wb") as answers:
        serve(questions, answers)
