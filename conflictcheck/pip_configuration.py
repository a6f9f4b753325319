"""pip's configuration files and ``PIP_…`` variables, read as pip reads them.

Files, from weak to strong: global, user, virtual environment, ``PIP_CONFIG_FILE``; within all of them the
section ``[install]`` beats ``[global]``, and variables beat files. ``PIP_CONFIG_FILE`` set to the null device
turns the files off, and where it names a file that exists the user's files are not read. See pip's
documentation, "Configuration".
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from conflictcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTIONS = ("global", "install")
_BASENAME = "pip.ini" if os.name == "nt" else "pip.conf"
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


class _Value(Struct, frozen=True):
    text: str
    source: str
    from_environment: bool


class PipConfiguration:
    """What pip was told, without a command line.

    Keys are the long names of pip's options without dashes before them: ``index-url``.
    """

    def __init__(self, values: Mapping[str, _Value]) -> None:
        self._values = values

    def text(self, key: str) -> str | None:
        """The value, or None where there is none."""
        value = self._values.get(key)
        return value.text.strip() if value else None

    def words(self, key: str) -> list[str]:
        """A list: the words of the value, on one line or several."""
        return (self.text(key) or "").split()

    def flag(self, key: str) -> bool:
        """A yes or no; False where there is none.

        Raises:
            UsageError: it is neither.
        """
        text = (self.text(key) or "no").lower()
        if text not in _TRUE | _FALSE:
            raise UsageError(f"{self.source(key)}: {text!r} is neither true nor false", hint="use 1 or 0")
        return text in _TRUE

    def number(self, *keys: str) -> float | None:
        """A positive number: the first key that has one.

        Raises:
            UsageError: it is none.
        """
        for key in keys:
            text = self.text(key)
            if text is None:
                continue
            try:
                number = float(text)
            except ValueError:
                number = 0.0
            if not 0 < number < float("inf"):
                raise UsageError(
                    f"{self.source(key)}: {text!r} is not a number of seconds", hint="use a number above 0"
                )
            return number
        return None

    def source(self, key: str) -> str:
        """What to call the place the value was found at: a file and key, or a variable."""
        value = self._values.get(key)
        return value.source if value else key

    def from_environment(self, key: str) -> bool:
        """Whether it was a variable."""
        value = self._values.get(key)
        return bool(value and value.from_environment)


def read_pip_configuration(environ: Mapping[str, str]) -> PipConfiguration:
    """Read the files and variables.

    Args:
        environ: the environment variables.

    Raises:
        UsageError: a file cannot be read.
    """
    sections: dict[str, dict[str, _Value]] = {name: {} for name in _SECTIONS}
    for path in configuration_files(environ):
        for section, key, text in _read(path):
            if section in sections:
                sections[section][key] = _Value(text, f"{path} ({key})", from_environment=False)
    variables = {
        name[4:].lower().replace("_", "-"): _Value(text, name, from_environment=True)
        for name, text in environ.items()
        if name.startswith("PIP_")
    }
    # An empty value hides one of the same section in a weaker file, but not one of another section.
    layers = (*sections.values(), variables)
    return PipConfiguration({key: value for layer in layers for key, value in layer.items() if value.text.strip()})


def configuration_files(environ: Mapping[str, str]) -> list[Path]:
    """The files that pip would read if they exist, weakest first."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    files = _global_files()
    if not (named and os.path.exists(named)):  # noqa: PTH110 - pathlib's fails on a name that is too long
        files += _user_files(environ)
    files.append(Path(sys.prefix, _BASENAME))
    if named:
        files.append(Path(named))
    return files


def _global_files() -> list[Path]:
    from platformdirs import site_config_dir, site_data_dir  # noqa: PLC0415 - not needed where files are off

    if sys.platform == "darwin":
        folders = site_data_dir("pip", appauthor=False, multipath=True).split(os.pathsep)
    elif sys.platform == "win32":
        folders = [site_config_dir("pip", appauthor=False)]
    else:
        folders = [*site_config_dir("pip", appauthor=False, multipath=True).split(os.pathsep), "/etc"]
    return [Path(folder, _BASENAME) for folder in folders]


def _user_files(environ: Mapping[str, str]) -> list[Path]:
    from platformdirs import user_config_dir, user_data_dir  # noqa: PLC0415 - not needed where files are off

    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - pathlib's fails where there is none
    legacy = home / ("pip" if os.name == "nt" else ".pip") / _BASENAME
    folder = user_config_dir("pip", appauthor=False, roaming=True)
    if sys.platform == "darwin" and Path(data := user_data_dir("pip", appauthor=False, roaming=True)).is_dir():
        folder = data
    elif sys.platform == "darwin":
        folder = str(home / ".config" / "pip")
    return [legacy, Path(folder, _BASENAME)]


def _read(path: Path) -> list[tuple[str, str, str]]:
    if not os.path.exists(path):  # noqa: PTH110 - see above
        return []
    from configparser import Error as ParserError  # noqa: PLC0415 - there is no such file, as a rule
    from configparser import RawConfigParser  # noqa: PLC0415

    parser = RawConfigParser()
    parser.optionxform = lambda optionstr: optionstr.lower().replace("_", "-").removeprefix("--")  # type: ignore[method-assign]
    try:
        with path.open(encoding="locale") as file:
            parser.read_file(file, source=str(path))
    except (ParserError, UnicodeDecodeError, OSError) as error:
        raise UsageError(
            f"pip's configuration cannot be read ({_reason(error)})",
            file=str(path),
            line=_line(error),
            hint=f"mend it, or set PIP_CONFIG_FILE={os.devnull} to leave pip's files out",
        ) from None
    return [(section, key, text) for section in parser.sections() for key, text in parser.items(section)]


def _reason(error: Exception) -> str:
    """What is wrong, without the line itself: it may hold a password."""
    if isinstance(error, OSError):
        return error.strerror or "no reason given"
    return "it is not text in the system's encoding" if isinstance(error, UnicodeDecodeError) else "not a pip.conf file"


def _line(error: Exception) -> int | None:
    number = getattr(error, "lineno", None)
    if number is None and (lines := getattr(error, "errors", None)):
        number = lines[0][0]
    return number if isinstance(number, int) else None
