"""Text from files that nobody vouches for: decoding it, and making it fit for a message."""

from __future__ import annotations

import codecs
import re
from unicodedata import category

from conflictcheck.disguise import COVER
from conflictcheck.errors import SpecError

SIZE_LIMIT = 10 * 1024 * 1024
"""Bytes of one file; a spec is far smaller, and whatever is larger was named by mistake."""

# UTF-32's little-endian mark begins with UTF-16's, so it has to be tried first.
UTF_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING_LINE = re.compile(rb"^#.*?coding[:=][ \t]*([-\w.]+)")
_LONGEST_QUOTE = 200
_LONGEST_COVERED = 10_000
# The authority ends at the first slash, and the user information at the last @ before it; whatever a password holds.
_USER_INFO = re.compile(r"(?<=://)(?P<user>[^/?#]*)@")
# What is no authority, because no number follows the colon, is a password with a slash or the like in it.
_BROKEN_USER_INFO = re.compile(r"(?<=://)(?!\[)[^\s/?#@:]*+:(?!\d{0,5}(?:[/?#\s]|$))[^\s/?#@]*+[/?#]\S*@")
_BARE_LOGIN = re.compile(r"(?<![\w/:@.%+~-])[\w.%+~-]+:[^\s/\\@]+@(?=[\w\[])")
_QUERY = re.compile(r"(://[^\s?#]*\?)([^\s#]+)")
_QUERY_VALUE = re.compile(r"(?P<key>[^&;=]*=)?(?P<value>[^&;]+)")
_HARMLESS_USER = re.compile(r"git|(\$\{[A-Z0-9_]+\}|:)+")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
# A word that begins with a scheme, or what follows the @ of "name @ address"; up to what names packages and extras.
_ADDRESS = re.compile(r"(?:(?<!\S)|(?<=@))(?:[A-Za-z][A-Za-z0-9+.-]*:|(?<=@)\s*\$\{|(?<=@ )\$\{)[^\s#\[]*")
ONLY_IN_URLS = "variables are expanded only in URLs"


def decode(data: bytes) -> str:
    """The text of a file, decoded as pip does: a byte order mark, a PEP 263 line, UTF-8.

    pip falls back to the encoding of the locale. Here the answer may not depend on the machine, so that is an error.

    Raises:
        SpecError: the file is binary, or in another encoding; it carries the line, not the file.
    """
    for mark, encoding in UTF_MARKS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding)
    if b"\0" in data:
        raise SpecError("a binary file, not text")
    for number, line in enumerate(data.split(b"\n", 2)[:2], start=1):
        if found := _CODING_LINE.match(line):
            encoding = found[1].decode("ascii")
            if not _is_text_encoding(encoding):
                raise SpecError(f"unknown encoding {quote(encoding)}", line=number)
            return _decode_as(data, encoding)
    return _decode_as(data, "utf-8")


def _is_text_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - no public way tells text from bytes-to-bytes codecs
    except LookupError:
        return False


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        raise SpecError(
            f"not {encoding.upper()} text (byte {start})",
            line=data.count(b"\n", 0, start) + 1,
            hint='save it as UTF-8, or name its encoding in a first line such as "# coding: latin-1"',
        ) from None


def printable(text: str) -> str:
    """`text` with every character that could move the cursor or hide written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def has_controls(text: str) -> bool:
    """Whether a character of it moves the cursor, hides, or is none; spaces of any kind do not."""
    return not text.isprintable() and any(category(c)[0] == "C" or category(c) in ("Zl", "Zp") for c in text)


def collapse(text: str) -> str:
    """`text` with each run of whitespace made one space, and no control characters."""
    return printable(" ".join(text.split()))


def quote(text: str) -> str:
    """`text` in quotes for a message: short, without credentials and control characters."""
    text = redact(collapse(text))
    mark = "'" if '"' in text and "'" not in text else '"'
    return f"{mark}{text[:_LONGEST_QUOTE]}{'…' if len(text) > _LONGEST_QUOTE else ''}{mark}"


def redact(text: str) -> str:
    """`text` with what may be secret in each URL covered: user, password and query; ``${VARIABLES}`` stay.

    An ``@`` in the path is none of it (``git+https://host.example/project@v1``), unless what stands before the path
    cannot be a host and port. A text that is longer than any address is cut before its first colon, as looking for the
    ends of so many takes too long.
    """
    if len(text) > _LONGEST_COVERED:
        text = f"{text[:_LONGEST_COVERED].partition(':')[0]}…"
    if "@" in text:
        text = _BARE_LOGIN.sub(f"{COVER}@", text)
    if "://" not in text:
        return text
    text = _BROKEN_USER_INFO.sub(f"{COVER}@", text)
    text = _USER_INFO.sub(lambda m: m[0] if _HARMLESS_USER.fullmatch(m["user"]) else f"{COVER}@", text)
    return _QUERY.sub(lambda m: m[1] + _QUERY_VALUE.sub(_covered, m[2]), text)


def _covered(pair: re.Match[str]) -> str:
    """A part of a query without its value, or without all of it where it has no name."""
    harmless = _HARMLESS_USER.fullmatch(pair["value"]) and pair["value"] != "git"
    return pair[0] if harmless else f"{pair['key'] or ''}{COVER}"


def without_credentials(url: str) -> str:
    """`url` without user and password, but for the ``git@`` that SSH needs."""
    return _USER_INFO.sub(lambda m: m[0] if m["user"] == "git" else "", url)


def variables_in(text: str) -> list[str]:
    """The names of the ``${VARIABLES}`` in a text; in one that was expanded, of those that are not set."""
    return _VARIABLE.findall(text)


def expand(text: str, variables: dict[str, str]) -> str:
    """`text` with ``${VARIABLES}`` replaced as pip does: upper-case names in braces, where set and not empty."""
    return _VARIABLE.sub(lambda m: variables.get(m[1]) or m[0], text)


def expand_addresses(text: str, variables: dict[str, str]) -> str:
    """The text of a requirement with the ``${VARIABLES}`` of its URL replaced.

    pip replaces them anywhere. Here a file must not be able to turn a secret of whoever runs the check into the name
    of a package, which every index is asked about.
    """
    return _ADDRESS.sub(lambda m: expand(m[0], variables), text)
