r"""Makes text from outside harmless to show.

Names, versions, file names and an index's messages may hold terminal escapes, line breaks or letters that
turn the reading direction around. Whatever is shown passes through here once, and such characters are shown
as ``\x1b`` or ``\u202e``.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, C0 and C1, the escape character among them
    "\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # invisible, line breaks, reading direction
    "\ud800-\udfff"  # bytes of a file name that are no UTF-8
    "\U000e0000-\U000e007f]"  # tags: letters that nobody sees
)


def visible(text: str) -> str:
    """Show characters that would not show themselves.

    Args:
        text: anything.

    Returns:
        One line that does nothing to a terminal and can be encoded as UTF-8.
    """
    return _HIDDEN.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
