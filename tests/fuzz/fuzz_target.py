"""What a fuzz target is, how one input is fed to it under limits, and how inputs are made from others."""

from __future__ import annotations

import atexit
import functools
import os
import random
import signal
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conflictcheck.errors import ConflictCheckError, InputErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

CORPUS = Path(__file__).parent / "corpus"
CPU_SECONDS = 5.0
"""For one input; whatever takes longer counts as a hang. Inputs have a few thousand bytes."""
LONGEST = 6_000
SECRET = "t0p-s3cr3t-w0rd"
"""Stands for a password; wherever it goes in, it may not come out."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that is fed with bytes from outside.

    Attributes:
        name: also that of its folder in the corpus.
        run: takes the input; it fails by raising, and asserts what must hold besides.
        may_raise: the refusals that its interface documents.
        tokens: words of its language, for mutations.
    """

    name: str
    run: Callable[[bytes], None]
    may_raise: tuple[type[Exception], ...] = ()
    tokens: tuple[bytes, ...] = ()


class HangError(BaseException):
    """An input took too long; nothing in the product catches this."""


def feed(target: Target, data: bytes) -> bool:
    """Feed one input.

    Returns:
        Whether it was accepted; a documented refusal is none.

    Raises:
        BaseException: whatever else it does, `HangError` and broken laws among it.
    """
    try:
        with cpu_limit(CPU_SECONDS):
            target.run(data)
    except target.may_raise as refusal:
        hold_refusal(refusal, data)
        return False
    return True


def hold_refusal(refusal: Exception, data: bytes) -> None:
    """A refusal of input says what is wrong, on lines that a terminal may show, and gives no secret away."""
    if not isinstance(refusal, ConflictCheckError):
        return
    for error in refusal.errors if isinstance(refusal, InputErrors) else [refusal]:
        assert error.message
        assert str(error).isprintable(), repr(str(error))
    hold_secret(str(refusal), data)


def hold_secret(shown: str, data: bytes) -> None:
    """The value of a variable is not shown; unless the input itself has it in the open."""
    assert SECRET not in shown or SECRET.encode() in data, f"the secret shows in {shown!r}"


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `HangError` inside after so much processor time."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise HangError(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def in_memory() -> str | None:
    """A folder that is no disk, where the system has one: inputs are written by the million."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None


@functools.cache
def place() -> Path:
    """A folder of this process to write inputs into; it goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-", dir=None if "TMPDIR" in os.environ else in_memory())
    atexit.register(folder.cleanup)
    return Path(folder.name)


def text(data: bytes) -> str:
    """The input as text."""
    return data.decode("utf-8", "replace")


def parts(data: bytes, count: int) -> list[str]:
    """The input as so many texts: its first lines, empty where it has fewer."""
    found = text(data).split("\n", count - 1)
    return found + [""] * (count - len(found))


def seeds(target: Target) -> list[Path]:
    """The kept inputs of a target, in a fixed order."""
    return sorted((CORPUS / target.name).glob("*"))


_EVERYWHERE = (
    *(b"\0", b"\n", b"\r\n", b"\\\n", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[31m", b"9" * 5000, b"1.2.3"),
    *("\N{RIGHT-TO-LEFT OVERRIDE}".encode(), "\N{SUPERSCRIPT TWO}".encode(), "\N{LINE SEPARATOR}".encode(), b"(" * 900),
)


def mutations(target: Target, count: int) -> Iterator[bytes]:
    """So many inputs made from the kept ones: always the same for the same number."""
    kept = [path.read_bytes() for path in seeds(target)] or [b""]
    for number in range(count):
        dice = random.Random(f"{target.name} {number}")
        data = bytearray(dice.choice(kept))
        for _ in range(dice.choice((1, 1, 2, 3, 6))):
            _mutate(data, dice, kept, target.tokens)
        yield bytes(data[: LONGEST * 2])


def _mutate(data: bytearray, dice: random.Random, kept: list[bytes], tokens: tuple[bytes, ...]) -> None:
    at = dice.randint(0, len(data))
    end = min(len(data), at + dice.choice((1, 1, 2, 4, 8, 30)))
    match dice.randrange(8):
        case 0:
            data[at:end] = b""
        case 1 if at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        case 2:
            data[at:end] = dice.randbytes(end - at)
        case 3:
            data[at:at] = data[at:end] * dice.choice((1, 2, 20, 200))
        case 4:
            other = dice.choice(kept)
            start = dice.randint(0, len(other))
            data[at:end] = other[start : start + dice.randint(0, 60)]
        case 5 | 6 if tokens:
            data[at : dice.choice((at, end))] = dice.choice(tokens)
        case _:
            data[at:at] = dice.choice(_EVERYWHERE)
