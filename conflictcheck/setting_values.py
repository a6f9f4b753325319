"""What the values of settings may be, wherever they are given: each check names the place in its message."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from conflictcheck.errors import UsageError
from conflictcheck.settings import PrereleasePolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

_PYTHON_VERSION = re.compile(r"3\.(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2}))?", re.ASCII)
_OTHER_PYTHON = re.compile(r"(?!3(\.|$))(0|[1-9][0-9]{0,2})(\.[0-9]{1,3}){0,2}", re.ASCII)
_CLASH_ID = re.compile(r"[0-9a-f]{6,12}", re.ASCII | re.IGNORECASE)
_INDEX_NAME = re.compile(r"[A-Za-z0-9._-]+=(?=[A-Za-z])")


def empty_value(source: str) -> UsageError:
    """The error that a value is empty."""
    return UsageError(f"{source}: its value is empty", hint="give one, or leave the option out")


def read_timestamp(text: str, *, source: str) -> datetime:
    """Read a date or timestamp as uv does (``--exclude-newer``).

    Args:
        text: RFC 3339 with an offset, or a date, which means the whole day in the local time zone.
        source: the option or variable it was given with.

    Returns:
        The first instant that is left out, in UTC.

    Raises:
        UsageError: it is neither.
    """
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time()).astimezone().astimezone(UTC)
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            instant = instant.astimezone(UTC)  # the first and last day there are may have none in UTC
    except (ValueError, OverflowError):
        instant = None
    if instant is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt ][0-9:.,+Zz-]+", text, re.ASCII):
        raise UsageError(
            f"{source}: {text!r} is neither a date nor a timestamp",
            hint="write a date like 2024-11-02 or a timestamp like 2024-11-02T15:30:00Z",
        )
    if instant.tzinfo is None:
        raise UsageError(
            f"{source}: the timestamp {text!r} has no time zone", hint=f"write {text}Z for UTC, or add an offset"
        )
    return instant


def check_python_versions(given: Sequence[str], source: str) -> tuple[str, ...]:
    """Python versions, each once.

    Raises:
        UsageError: one of them is none.
    """
    for version in given:
        if _OTHER_PYTHON.fullmatch(version):
            raise UsageError(f"{source}: Python {version} is not supported", hint="use Python 3, such as 3.12")
        if not _PYTHON_VERSION.fullmatch(version):
            raise UsageError(f"{source}: {version!r} is not a Python version", hint="write it like 3.12 or 3.12.4")
    return tuple(dict.fromkeys(given))


def check_platforms(given: Sequence[str], source: str) -> tuple[str, ...]:
    """Names of platforms, each once.

    Raises:
        UsageError: one of them is none.
    """
    from conflictcheck.targets import PLATFORMS, all_platforms, running_platform  # noqa: PLC0415 - imports packaging's tags

    running = running_platform()
    for name in given:
        if name not in PLATFORMS and name != running:
            from difflib import get_close_matches  # noqa: PLC0415 - only for this message

            near = get_close_matches(name, PLATFORMS, n=1)
            hint = f"did you mean {near[0]!r}? All names are {all_platforms()}" if near else f"use {all_platforms()}"
            raise UsageError(f"{source}: no platform is called {name!r}", hint=hint)
    return tuple(dict.fromkeys(given))


def check_indexes(urls: Sequence[str], source: str) -> list[str]:
    """Index addresses without the names that uv allows before them (``name=https://…``), and not obviously wrong."""
    from conflictcheck.index.addresses import plain_place  # noqa: PLC0415 - keeps start-up short

    found = []
    for given in urls:
        url = _INDEX_NAME.sub("", given, count=1) if "=" in given.split("://", 1)[0] else given
        if not url.lower().startswith(("https://", "http://", "file:")):
            folder = _folder(url)
            if folder is None:
                raise UsageError(
                    f"{source}: {plain_place(url)!r} is not the address of an index",
                    hint="use one that starts with https://, or a folder that exists",
                )
            url = folder.as_uri()
        found.append(_readable(url, source).rstrip("/"))
    return found


def _folder(name: str) -> Path | None:
    """The absolute path of a folder that exists; None for any other text."""
    folder = expand_user(name)
    return folder.absolute() if os.path.isdir(folder) else None  # noqa: PTH112 - pathlib's fails on some names


def expand_user(name: str) -> Path:
    """A path with the home folder in place of ``~``; what names no user's stays as it is."""
    return Path(name if "\0" in name else os.path.expanduser(name))  # noqa: PTH111 - pathlib's fails there


def check_links(places: Sequence[str], source: str) -> list[str]:
    """Folders, and addresses of pages that can be read as such."""
    return [_readable(one, source) if "://" in one or one.lower().startswith("file:") else one for one in places]


def _readable(url: str, source: str) -> str:
    from conflictcheck.index.addresses import is_address, plain_place  # noqa: PLC0415 - keeps start-up short

    if not is_address(url) or not url.isprintable():
        raise UsageError(
            f"{source}: {plain_place(url)!r} is not an address that can be read",
            hint="check its scheme, host and port; a whole one is https://host.example/simple",
        )
    return url


def package_names(lists: Sequence[str], source: str) -> tuple[set[str], bool]:
    """The names in comma-separated lists, and whether they replace configured ones (by ``:all:`` or ``:none:``)."""
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415 - keeps start-up short

    names: set[str] = set()
    reset = False
    for name in (item.strip() for text in lists for item in text.split(",")):
        if name in (":all:", ":none:"):
            reset = True
            names.clear()
        if name == ":all:":
            names.add(name)
        elif name and name != ":none:":
            try:
                names.add(canonicalize_name(name, validate=True))
            except InvalidName:
                raise UsageError(
                    f"{source}: {name!r} is not the name of a package", hint="use names, :all: or :none:"
                ) from None
    return names, reset


def check_prerelease(value: str, source: str) -> PrereleasePolicy:
    """One of the policies.

    Raises:
        UsageError: it is none.
    """
    if value not in get_args(PrereleasePolicy):
        raise UsageError(
            f"{source}: {value!r} is no policy", hint=f"use one of {', '.join(get_args(PrereleasePolicy))}"
        )
    return cast("PrereleasePolicy", value)


def check_clash_id(text: str, source: str) -> str:
    """The id of a clash, or its beginning, in the letters that ids have.

    Raises:
        UsageError: it is none.
    """
    if not _CLASH_ID.fullmatch(text):
        raise UsageError(
            f"{source}: {text!r} is not the id of a clash", hint="-v shows ids; the first 6 letters or more are enough"
        )
    return text.lower()
