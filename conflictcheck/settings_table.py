"""The table of a settings file: its values by kind, and every problem on the way with its line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflictcheck.errors import ConflictCheckError, SpecError, UsageError
from conflictcheck.readers.base import Workspace
from conflictcheck.text import printable, quote, redact, variables_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conflictcheck.readers.toml_document import Place, TomlDocument

MOST_TEXTS = 5_000
"""Patterns and the like in one file; every spec is compared with each."""
_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}


class SettingsTable:
    """The values of a settings file, and what is wrong with them.

    A value of the wrong kind, or one that a check refuses, becomes a problem and counts as not given.

    Args:
        path: of the file, absolute.
        document: what it says.
        place: of the table in it.
        cwd: the working directory, which names and paths are relative to.
        allow_outside: whether it may lead to files outside of its working tree.
    """

    def __init__(self, path: Path, document: TomlDocument, place: Place, cwd: Path, *, allow_outside: bool) -> None:
        self.problems: list[ConflictCheckError] = []
        self.folder = path.parent
        self.file = Workspace(cwd, {}).name(path)
        self._document = document
        self._place = place
        self._cwd = cwd
        self._texts = 0
        self._tree = Workspace(path.parent, {}, allow_outside=allow_outside)

    def get(self, *place: str | int) -> Any:
        """The value at a place of the table."""
        return self._document.get(*self._place, *place)

    def line(self, *place: str | int) -> int:
        """The line that a value stands on."""
        return self._document.line(*self._place, *place)

    def problem(self, message: str, *place: str | int, hint: str | None = None) -> None:
        """Note what is wrong with the value at a place."""
        shown = None if hint is None else printable(hint)
        self.problems.append(UsageError(printable(message), file=self.file, line=self.line(*place), hint=shown))

    def of_kind(self, kind: type, wanted: str, *place: str | int) -> Any:
        """The value at a place, if it is of a kind (true is no number)."""
        value = self.get(*place)
        if type(value) is kind:
            return value
        key = ".".join(part for part in place if isinstance(part, str))
        self.problem(f"{key} has {_KINDS.get(type(value), 'a date')}", *place, hint=f"write {wanted}")
        return None

    def flag(self, key: str) -> bool | None:
        """True or false."""
        found: bool | None = self.of_kind(bool, "true or false", key)
        return found

    def number(self, key: str) -> int | None:
        """A whole number above 0."""
        found: int | None = self.of_kind(int, "a whole number above 0", key)
        if found is not None and found < 1:
            self.problem(f"{key} is {found}", key, hint="write a whole number above 0")
            return None
        return found

    def text(self, key: str, check: Callable[[str], Any]) -> Any:
        """A text, as a check returns it."""
        text = self.of_kind(str, "a text in quotes", key)
        return None if text is None else self._tried(check, text, (key,))

    def texts(self, check: Callable[[str], Iterable[Any]], *place: str) -> tuple[Any, ...]:
        """A list of texts, each as what a check makes of it."""
        return tuple(one for _, found in self.located(check, *place) for one in found)

    def located(self, check: Callable[[str], Any], *place: str) -> list[tuple[int, Any]]:
        """As `texts`, each with its line."""
        number = len(self.of_kind(list, "a list of texts", *place) or ())
        self._texts += number
        if self._texts > MOST_TEXTS:
            self.problem(f"more than {MOST_TEXTS:,} texts in all lists", *place, hint="name folders, not files")
            return []
        found = []
        for i in range(number):
            text = self.of_kind(str, "a text in quotes", *place, i)
            if text is not None and (value := self._tried(check, text, (*place, i))) is not None:
                found.append((self.line(*place, i), value))
        return found

    def _tried(self, check: Callable[[str], Any], text: str, place: Place) -> Any:
        try:
            return check(text)
        except UsageError as error:  # names its source itself
            self.problem(redact(error.message), *place, hint=error.hint)
        except SpecError as error:
            key = ".".join(part for part in place if isinstance(part, str))
            self.problem(f"{key}: {error.message}", *place, hint=error.hint)
        return None

    # -- checks of texts that name files -------------------------------------------------------------------------

    def path(self, text: str) -> str:
        """A file below the working tree, relative to the working directory.

        Raises:
            SpecError: it is none.
        """
        if "://" in text or not text or not text.isprintable():
            raise SpecError(f"{quote(text)} is no path of a file", hint="a path starts at the folder of the settings")
        return Path(os.path.relpath(self._inside(text), self._cwd)).as_posix()

    def existing(self, text: str) -> str:
        """As `path`, of a file that is there."""
        path = self.path(text)
        if not os.path.isfile(self._cwd / path):  # noqa: PTH113 - pathlib's question fails on a name that is too long
            raise SpecError(f"there is no file {quote(text)}", hint="a path starts at the folder of the settings")
        return path

    def address(self, text: str) -> str:
        """An address of a server as it is; a folder below the working tree as an absolute path.

        Raises:
            SpecError: it is neither.
        """
        if variables_in(text):
            raise SpecError(
                f"{quote(text)}: no variable is expanded in settings",
                hint="put what is secret into a netrc file, or the whole address into PIP_EXTRA_INDEX_URL",
            )
        if text.lower().startswith("file:"):
            raise SpecError(f"{quote(text)}: a folder is named by its path here", hint="such as wheels/")
        if "://" in text:
            return text
        if not text or not text.isprintable():
            raise SpecError(f"{quote(text)} is neither an address nor a folder", hint="write https://… or wheels/")
        path = self._inside(text)
        if not os.path.exists(path):  # noqa: PTH110 - pathlib's question fails on a name that is too long
            raise SpecError(
                f"{quote(text)} is neither an address nor a folder that exists",
                hint="an address starts with https://, a path at the folder of the settings",
            )
        return str(path)

    def _inside(self, text: str) -> Path:
        path = Path(os.path.normpath(self.folder / text))
        try:
            self._tree.check_inside(path)
        except SpecError:
            raise SpecError(
                f"{quote(text)} is outside of the working tree", hint="give it on the command line, or --allow-outside"
            ) from None
        return path


def say_unknown(table: SettingsTable, key: str, known: Sequence[str]) -> None:
    """Note a key that there is none of, with the nearest one that there is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for this message

    near = get_close_matches(key.replace("_", "-").lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
    if key == "tool":
        hint = "here the settings stand at the top, not below [tool.conflictcheck]"
    table.problem(f"no setting is called {quote(key)}", key, hint=hint)
