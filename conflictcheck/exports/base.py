"""What an export is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from conflictcheck.errors import InternalError
from conflictcheck.own_files import is_made
from conflictcheck.url_paths import path_in_url

if TYPE_CHECKING:
    from conflictcheck.model import Environment, Pin, Report

UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
"""What is replaced in a part of a file name."""

HEAD = 1 << 16
"""Bytes of a file that are looked at to know who made it."""


class Export(ABC):
    """Turns a split into files for another program.

    Attributes:
        name: the value of ``--export`` that chooses it.
        pattern: what its files are called, as a glob.
    """

    name: ClassVar[str]
    pattern: ClassVar[str]

    @abstractmethod
    def render(self, report: Report) -> dict[str, str]:
        """Render the split.

        Returns:
            File name (no path) to text. The same report gives the same text.

        Raises:
            OutputError: the format cannot express it.
        """

    def has_made(self, beginning: bytes) -> bool:
        """Whether a file is one of these, and none that somebody wrote under such a name.

        Args:
            beginning: of the file; `HEAD` bytes are enough.
        """
        return is_made(beginning)


class EnvironmentExport(Export):
    """Files from which an environment can be installed, for each environment of the split."""

    def render(self, report: Report) -> dict[str, str]:
        """Render each environment."""
        texts: dict[str, str] = {}
        for environment in report.environments:
            for filename, text in self.files(environment, report).items():
                if filename in texts:
                    raise InternalError(f"two environments would be written to {filename}")
                texts[filename] = text
        return texts

    @abstractmethod
    def files(self, environment: Environment, report: Report) -> dict[str, str]:
        """Render the environment.

        Args:
            environment: one of the report's.
            report: for what the environment does not say itself, such as the targets.

        Returns:
            File name (no path) to text. The same environment gives the same text.

        Raises:
            OutputError: the format cannot express it.
        """


def stem(environment: Environment) -> str:
    """The environment's name as a part of a file name: letters, digits, ``-`` and ``_`` (PEP 751: no dots)."""
    return UNFIT.sub("-", environment.name).strip("-") or "environment"


def platform_marker(platforms: tuple[str, ...], python_version: str) -> str | None:
    """A marker that is true on these platforms (PEP 508).

    Args:
        platforms: as in `Pin.platforms`; empty for all.
        python_version: any that the platforms are known for.

    Returns:
        The marker's text, or None for no restriction.
    """
    from conflictcheck.targets import make_target  # noqa: PLC0415 - imports packaging's tags

    parts = []
    for platform in platforms:
        values = make_target(python_version, platform).environment
        parts.append(
            f'sys_platform == "{values["sys_platform"]}" and platform_machine == "{values["platform_machine"]}"'
        )
    parts = list(dict.fromkeys(parts))
    return " or ".join(f"({part})" if len(parts) > 1 else part for part in parts) or None


def is_direct(pin: Pin) -> bool:
    """Whether the pin is a direct reference, not a release of an index."""
    return pin.url is not None


def without_query(url: str) -> str:
    """An address without its query, which may be a secret (``?token=…``)."""
    address, hash_sign, fragment = url.partition("#")
    return address.partition("?")[0] + hash_sign + fragment


def local_path(url: str) -> str | None:
    """The path of a ``file:`` URL of this machine, or None for any other."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    return path_in_url(parts.path)
