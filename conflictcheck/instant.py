"""The same command in the same place, with nothing changed since: what it said then, before anything is imported.

A run keeps what it printed together with everything that it looked at: the command line, the environment variables,
the folder, each file that it opened, each folder that it listed, the places where a settings file or a working tree's
mark would count, the program's own files, and the state of each page of the index that the answer rests on. All of it
has to be as it was; files are compared by a hash of their content. Otherwise the run is made as usual, and decides for
itself.
"""
# ruff: noqa: PTH100, PTH109, PTH111, PTH113, PTH116, PTH118, PTH120, PTH122 - pathlib takes longer

from __future__ import annotations

import os
import stat
import sys
import time
from hashlib import sha256

import conflictcheck
from conflictcheck.cache_file import (
    CACHE_DIR_VARIABLE,
    FILENAME,
    SCHEMA,
    SELECT_ANSWERS,
    SELECT_STATES,
    page_state,
    row_checksum,
    row_number,
)
from conflictcheck.fingerprints import fingerprint

TYPE_CHECKING = False  # as in typing, which takes longer to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from sqlite3 import Connection

    from conflictcheck.facts import Basis

_MARKS = (
    *(".git", ".git/info/exclude", ".hg", ".svn", ".gitignore"),
    *("conflictcheck.toml", "pyproject.toml", "uv.toml", "hatch.toml", ".pip-tools.toml"),
)
"""What counts where a spec is, and in the folders above it."""
_BESIDE = {"pyproject.toml": ("setup.cfg", "setup.py"), "setup.cfg": ("setup.py",), "setup.py": ("setup.cfg",)}
"""What counts beside a file of a name."""
_UNNOTICED = frozenset({"_"})
"""Variables that each command sets anew."""
_TICK = 10_000_000
"""Nanoseconds: a change is dated by the last tick of the system's clock."""
_COARSE = 2_000_000_000
"""The same on file systems that keep no fractions of seconds."""
_END = "\0"
_EXISTENCE = ("?", "!")
"""That there is nothing at a place, and that there is something."""


class Lookout:
    """Notes what a process looks at, from when it is made.

    Python tells of every file that is opened and every folder that is listed (PEP 578), whoever does it.

    Attributes:
        arguments: of the command.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = list(arguments)
        self._started = time.time_ns()
        self._opened: set[str] = set()
        self._listed: set[str] = set()
        self._is_told_all = True
        sys.addaudithook(self._notice)

    def keep(self, text: str, code: int, basis: Basis, *, offline: bool) -> tuple[str, bytes] | None:
        """What the same command can be answered with the next time.

        Args:
            text: what was printed.
            code: the exit code.
            basis: what it rests on.
            offline: whether a page is good however old it is.

        Returns:
            The key and the data of an answer in the cache; None where something was looked at that cannot be compared,
            or that may have changed during the run.
        """
        whole, marks = self._watched([*basis.places, *basis.told])
        if not self._is_told_all or _END in text or not all(map(self._is_settled, {*whole, *basis.places})):
            return None
        watched = {place: _existence(place) for place in marks} | {place: fingerprint(place) for place in whole}
        if any(watched.setdefault(place, state) != state for place, state in basis.places.items()):
            return None
        parts = [str(code), str(int(offline)), str(len(watched)), str(len(basis.pages))]
        for each in (watched, basis.pages):
            for name, content in each.items():
                parts += [name, content]
        return _key(self.arguments), _END.join([*parts, text]).encode("utf-8", "surrogateescape")

    def _notice(self, event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            self._take(self._opened, given[0])
        elif event in ("os.listdir", "os.scandir"):
            self._take(self._listed, given[0])
        elif event == "subprocess.Popen":  # what another program looks at, nobody tells
            self._is_told_all = False

    @staticmethod
    def _take(places: set[str], path: object) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            places.add(os.path.abspath(os.fsdecode(path)))

    def _watched(self, packages: Collection[str]) -> tuple[set[str], set[str]]:
        """What was read besides what has packages, and where it matters whether there is something."""
        own, apart = _program_folders(), {os.devnull, *packages}
        whole = {
            place
            for place in self._opened | self._listed
            if not place.startswith(own) and "__pycache__" not in place and place not in apart
        }
        folders = {os.getcwd(), *whole, *map(os.path.dirname, whole)}
        folders |= set(map(os.path.realpath, folders))
        above = {place for folder in folders for place in _above(folder)}
        marks = {os.path.join(place, mark) for place in above for mark in _MARKS}
        for place in self._opened & whole:
            folder, name = os.path.split(place)
            marks |= {os.path.join(folder, beside) for beside in _BESIDE.get(name, ())}
            marks.add(os.path.splitext(place)[0] + ".in")
        return whole, marks | _configuration()

    def _is_settled(self, place: str) -> bool:
        """Whether a place cannot have changed since the run began to look at it."""
        try:
            found = os.stat(place)
        except OSError:
            return True
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            return False
        changed = max(found.st_mtime_ns, found.st_ctime_ns)
        return changed + (_TICK if changed % 1_000_000_000 else _COARSE) < self._started


def recall(arguments: Sequence[str]) -> tuple[str, int] | None:
    """What the same command said the last time, if nothing has changed since.

    Args:
        arguments: what follows the program's name.

    Returns:
        What to print, and the exit code; None where the run has to be made.
    """
    if list(arguments) == ["--version"]:
        return f"conflictcheck {conflictcheck.__version__}\n", 0
    if not is_kept(arguments):
        return None
    import sqlite3  # noqa: PLC0415 - not needed for what is above

    try:
        file = os.path.join(_cache_folder(arguments), FILENAME)
        if not os.path.isfile(file):
            return None
        connection = sqlite3.connect(file, timeout=0.2, isolation_level=None)
        try:
            return _recalled(connection, _key(arguments))
        finally:
            connection.close()
    except (OSError, ValueError, sqlite3.Error):
        # Whatever it is, the run that is made now has a better message for it.
        return None


def is_kept(arguments: Sequence[str]) -> bool:
    """Whether a command is one whose answer may be kept here: a check that prints, and reads no standard input."""
    if not arguments or arguments[0] != "check" or "-" in arguments:
        return False
    files = (
        given
        for given in arguments
        if given.startswith("--output") or (given[0:1] == "-" != given[1:2] and "o" in given)
    )
    return not any(files)


def _recalled(connection: Connection, key: str) -> tuple[str, int] | None:
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
        return None
    rows = connection.execute(SELECT_ANSWERS, (f"[{row_number(key)}]",)).fetchall()
    found = [data for name, crc, data in rows if name == key and row_checksum(key, data) == crc]
    if not found:
        return None
    parts = found[0].decode("utf-8", "surrogateescape").split(_END)
    code, offline, watched, pages = map(int, parts[:4])
    middle, end = 4 + 2 * watched, 4 + 2 * (watched + pages)
    for place, content in _pairs(parts[4:middle]):
        if (_existence(place) if content in _EXISTENCE else fingerprint(place)) != content:
            return None
    states = dict(_pairs(parts[middle:end]))
    numbers = ",".join(str(row_number(page)) for page in states)
    now = time.time()
    held = {
        page: page_state(etag, modified, size, crc)
        for page, etag, modified, size, crc, until in connection.execute(SELECT_STATES, (f"[{numbers}]",))
        if page in states and (offline or now < until)
    }
    return (parts[end], code) if held == states else None


def _pairs(parts: Sequence[str]) -> Iterable[tuple[str, str]]:
    return zip(parts[::2], parts[1::2], strict=True)


def _key(arguments: Sequence[str]) -> str:
    """Of a command, where and by what it is run."""
    streams = [_terminal(stream) for stream in (sys.stdout, sys.stderr)]
    environ = sorted((name, value) for name, value in os.environ.items() if name not in _UNNOTICED)
    said = (list(arguments), os.getcwd(), environ, streams, sys.version, sys.prefix, program_files(), _installed())
    return "instant " + sha256(repr(said).encode("utf-8", "surrogateescape")).hexdigest()


def _terminal(stream: object) -> object:
    """What a stream's reader can show."""
    if stream is None:
        return None
    try:
        return stream.encoding, tuple(os.get_terminal_size(stream.fileno()))  # type: ignore[attr-defined]
    except (OSError, ValueError):
        return stream.encoding  # type: ignore[attr-defined]


def program_files() -> list[tuple[str, int, int]]:
    """The program's own files, each with its size and when it changed: another version, or an edited one, differs."""
    found = []
    folders = [os.path.dirname(conflictcheck.__file__)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    known = entry.stat()
                    found.append((entry.path, known.st_size, known.st_mtime_ns))
                elif entry.name != "__pycache__" and entry.is_dir():
                    folders.append(entry.path)
    return sorted(found)


def _installed() -> list[tuple[str, int]]:
    """When something was last installed where Python looks for modules."""
    found = []
    for place in sys.path:
        try:
            found.append((place, os.stat(place).st_mtime_ns))
        except OSError:
            continue
    return found


def _program_folders() -> tuple[str, ...]:
    """Where Python's own and installed modules are, and this one: `_key` tells of these."""
    places = [place for place in sys.path if place.endswith(("site-packages", "dist-packages"))]
    roots = [os.path.dirname(conflictcheck.__file__), os.path.dirname(os.__file__), *places]
    return tuple(root + os.sep for root in roots)


def _cache_folder(arguments: Sequence[str]) -> str:
    """As `settings_sources.cache_dir`, as far as it can be told at once."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    for position, given in enumerate(arguments):
        name, _, value = given.partition("=")
        if name == "--cache-dir":
            chosen = value if "=" in given else "".join(arguments[position + 1 : position + 2])
    if chosen:
        return os.path.expanduser(chosen)
    from platformdirs import user_cache_dir  # noqa: PLC0415 - not needed where the folder is given

    return user_cache_dir("conflictcheck", appauthor=False)


def _configuration() -> set[str]:
    """The files of pip's configuration and of uv's, whether or not they are there."""
    from conflictcheck.pip_configuration import configuration_files  # noqa: PLC0415 - only where something is kept
    from conflictcheck.readers.tool_settings import uv_places  # noqa: PLC0415 - as above

    users, systems = uv_places(os.environ)
    return {os.path.abspath(path) for path in (*configuration_files(os.environ), *users, *systems)}


def _above(folder: str) -> Iterable[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _existence(place: str) -> str:
    return _EXISTENCE[os.path.lexists(place)]
