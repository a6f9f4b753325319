"""Patterns as ``.gitignore`` files have them (gitignore(5)); imported where there is one, as that takes a while."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, AnyStr

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_PATTERN = 4_096
_FOLDERS_BEFORE_FOLDERS = re.compile(r"\(\?:/\.\+\)\?((?:(?!\(\?:/).)*)(?=\(\?:/\.\+\)\?)", re.DOTALL)
_STAR_BEFORE_STAR = re.compile(r"\[\^/\]\*((?:\\.|(?!\[\^/\]\*)\[\^?\]?[^\]]*\]|[^/(\[\\])*)(?=\[\^/\]\*)", re.DOTALL)


class _Pattern(GitIgnoreSpecPattern):
    """A pattern that takes no longer to match for all its stars.

    What stands between two stars is looked for where it comes first, and not again further on: where the rest does not
    match after the first place, it does not match after a later one. The same holds for ``**``.
    """

    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: AnyStr) -> tuple[AnyStr | None, bool | None]:
        """See `GitIgnoreSpecPattern.pattern_to_regex`; a range that runs backwards matches nothing, as in git."""
        regex, include = super().pattern_to_regex(pattern)
        if not isinstance(regex, str):
            return regex, include
        regex = _FOLDERS_BEFORE_FOLDERS.sub(r"(?>(?:/.+?)??\1(?=/))", regex)
        regex = _STAR_BEFORE_STAR.sub(r"(?>[^/]*?\1)", regex)
        try:
            with warnings.catch_warnings(action="ignore"):  # about brackets in brackets
                re.compile(regex)
        except re.error:
            return None, None
        return regex, include  # type: ignore[return-value]  # text is what was asked about


def parse_patterns(lines: Iterable[str]) -> GitIgnoreSpec:
    """The patterns of an ignore file, but for those that are longer than any path.

    Raises:
        ValueError: one of them is none.
    """
    usable = (line for line in lines if len(line) <= _LONGEST_PATTERN)
    # Not whatever backend is installed: their regular expressions are of another kind.
    return GitIgnoreSpec.from_lines(usable, _Pattern, backend="simple")
