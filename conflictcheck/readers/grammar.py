"""The grammar of requirements files: logical lines, and the options on them.

Source: pip's documentation, "Requirements File Format".
"""

from __future__ import annotations

import optparse
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from msgspec import Struct

from conflictcheck.errors import SpecError
from conflictcheck.readers.hints import command_hint
from conflictcheck.text import expand, expand_addresses, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_QUOTING = re.compile(r"['\"\\]")
_WORD = re.compile(r"[^ \t\r\n]+")
_COMMENT_ALONE = re.compile(r"\s*#")
# What -e is given may have a marker, whose quotes are not those of a shell.
_EDITABLE = re.compile(r"(?:-e\s*|--editable(?:\s+|=))(?P<place>[^\s'\"](?:(?!\s--).)*)(?P<rest>.*)")
_HASH = re.compile(r"(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")

_TAKING_A_VALUE = (
    ("-r", "--requirement"),
    ("-c", "--constraint"),
    ("-e", "--editable"),
    ("-i", "--index-url", "--pypi-url"),
    ("--extra-index-url",),
    ("-f", "--find-links"),
    ("--only-binary",),
    ("--no-binary",),
    ("--all-releases",),
    ("--only-final",),
    ("--trusted-host",),
    ("--use-feature",),
    ("--hash",),
    ("--config-settings", "-C", "--config-setting"),
    ("--global-option",),
    ("--build-option",),
    ("--install-option",),
)
_SWITCHES = (("--no-index",), ("--pre",), ("--prefer-binary",), ("--require-hashes",), ("--no-require-hashes",))

LONGEST = 200_000
"""Characters of one logical line, hashes and all."""

INCLUDES = ("--requirement", "--constraint")
_ADDRESSES = ("--index-url", "--extra-index-url", "--find-links")
WITHOUT_EFFECT = {
    "--trusted-host": "how the index is reached does not change what it offers",
    "--use-feature": "it concerns how pip works, not what fits together",
    "--config-settings": "it concerns building, not what fits together",
    "--global-option": "it concerns building, not what fits together",
    "--build-option": "it concerns building, not what fits together",
    "--install-option": "it concerns building, not what fits together",
    "--prefer-binary": "the newest release is preferred, whatever its files",
    "--only-final": "whether pre-releases may be chosen is an option of the run",
}
"""Options that change nothing about the answer, and why."""
HASH_MODES = {"--require-hashes": True, "--no-require-hashes": False}
"""Options about what pip refuses to install, and whether that is all that has no hash."""


class LogicalLine(Struct, frozen=True):
    """A line with its continuations, without its comment.

    Attributes:
        number: that of its first line, counted from 1.
        text: what is left of it; never empty.
    """

    number: int
    text: str


class Option(NamedTuple):
    """An option with its value, ``""`` for a switch: as written, for messages, and with a URL's variables expanded."""

    name: str
    written: str
    value: str


class ParsedLine(Struct, frozen=True):
    """What a logical line says.

    Attributes:
        requirement: the requirement as written, or an empty string.
        value: the same, with the variables of its URL expanded.
        editable: whether it was given with ``-e``.
        hashes: ``sha256:…`` values.
        options: the other options in order.
    """

    requirement: str
    value: str
    editable: bool
    hashes: tuple[str, ...]
    options: tuple[Option, ...]


def iter_lines(content: str) -> Iterator[LogicalLine]:
    """The logical lines of a file: continuations joined, comments and empty lines left out."""
    joined: list[str] = []
    first = 0
    for number, line in _physical_lines(content):
        alone = _COMMENT_ALONE.match(line)
        if not joined:
            first = number
        if line.endswith("\\") and not alone:
            joined.append(line.strip("\\"))
            continue
        joined.append(f" {line}" if alone else line)
        if text := _COMMENT.sub("", "".join(joined)).strip():
            yield LogicalLine(first, text)
        joined = []
    if text := _COMMENT.sub("", "".join(joined)).strip():
        yield LogicalLine(first, text)


def _physical_lines(content: str) -> Iterator[tuple[int, str]]:
    """Lines with numbers as editors count them, each cut further where pip cuts it (form feeds and the like)."""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", content), start=1):
        for part in line.splitlines() or [""]:
            yield number, part


def parse_line(text: str, variables: dict[str, str]) -> ParsedLine:
    """What a logical line says.

    Raises:
        SpecError: an option is unknown, lacks its value, or is in the wrong place; without file and line.
    """
    if len(text) > LONGEST:
        raise SpecError(f"{quote(text)} is longer than {LONGEST} characters")
    if hint := command_hint(text):
        raise SpecError(f"{quote(text)} is not a requirement", hint=hint)
    # The requirement ends where the first option begins; only options are quoted as in a shell.
    start = found.start() if (found := re.search(r"(?:^|(?<=\s))-(?=\S)", text)) else len(text)
    requirement, rest = text[:start].strip(), text[start:]
    editable = False
    if not requirement and (found := _EDITABLE.fullmatch(rest)):
        editable, requirement, rest = True, found["place"].strip(), found["rest"]
    options = [
        Option(name, written, expand(written, variables) if name in _ADDRESSES else written)
        for name, written in _parse_options(rest)
    ]
    for given in (option for option in options if option.name == "--editable"):
        if requirement:
            raise SpecError(f"{quote(text)} holds two requirements", hint="write one requirement a line")
        editable, requirement = True, given.written
    given_hashes = [option for option in options if option.name == "--hash"]
    hashes = tuple(option.value.strip().lower() for option in given_hashes)
    for option, digest in zip(given_hashes, hashes, strict=True):
        if not _HASH.fullmatch(digest):
            raise SpecError(
                f"{quote(option.written)} is not a hash",
                hint="write sha256:, sha384: or sha512: and the digest in hexadecimal",
            )
    if hashes and not requirement:
        raise SpecError(f"{quote(text)} belongs to no requirement", hint="end the line before it with a backslash")
    others = tuple(option for option in options if option.name not in ("--editable", "--hash"))
    includes = [option.name for option in others if option.name in INCLUDES]
    if includes and (requirement or len(includes) > 1):
        raise SpecError(f"{quote(text)}: {includes[-1]} has to stand on a line of its own", hint="pip would ignore it")
    return ParsedLine(requirement, expand_addresses(requirement, variables), editable, hashes, others)


def _parse_options(text: str) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        # Where nothing is quoted, as in lines with dozens of hashes, shlex says the same letter by letter.
        words = shlex.split(text) if _QUOTING.search(text) else _WORD.findall(text)
    except ValueError:
        raise SpecError(f"{quote(text)} has a quote that is not closed") from None
    given: list[tuple[str, str]] = []
    _, rest = _option_parser().parse_args(words, optparse.Values({"given": given}))
    if rest:
        what = "a backslash with a space after it joins no lines" if rest == [" "] else "write it on a line of its own"
        raise SpecError(f"{quote(' '.join(rest))} follows the options of {quote(text)}", hint=what)
    return given


class _OptionParser(optparse.OptionParser):
    def error(self, msg: str) -> NoReturn:
        option = msg.rpartition(" ")[2]
        if not msg.startswith("no such option"):
            raise SpecError(msg.replace("requires 1 argument", "needs a value"))
        known = [name for names in (*_TAKING_A_VALUE, *_SWITCHES) for name in names]
        from difflib import get_close_matches  # noqa: PLC0415 - only for this message

        close = get_close_matches(option, known, n=1, cutoff=0.75)
        raise SpecError(
            f"{quote(option)} is not an option of requirements files",
            hint=f"did you mean {close[0]}?" if close else None,
        )


@cache
def _option_parser() -> _OptionParser:
    """A parser that accepts what pip's does, abbreviations included, and appends (name, value) to the values' `given`.

    Made once: a file may have options on a thousand lines.
    """
    parser = _OptionParser(add_help_option=False)
    for names, takes_value in [(n, True) for n in _TAKING_A_VALUE] + [(n, False) for n in _SWITCHES]:
        canonical = next(name for name in names if name.startswith("--"))

        def record(_option: object, _as: str, value: str | None, using: Any, name: str = canonical) -> None:
            using.values.given.append((name, value or ""))

        parser.add_option(*names, action="callback", callback=record, type="string" if takes_value else None)
    return parser
