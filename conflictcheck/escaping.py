r"""Makes text from outside harmless to show.

Names, versions, file names and an index's messages may hold terminal escapes, line breaks, letters that turn
the reading direction around, or orders to the service that runs a check. Whatever is shown passes through here
once, and what is hidden is shown as ``\x1b`` or ``\u202e``.
"""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters, C0 and C1, the escape character among them
    "\u2028\u2029\ufff9-\ufffb"  # line breaks, annotations
    # Invisible by default, the reading direction among them (Unicode, DerivedCoreProperties, Default_Ignorable).
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff]"  # bytes of a file name that are no UTF-8
)
"""A character that is not seen, or changes how others are seen."""
_ORDERS = re.compile(
    r"(?:^|(?<=\s)):(?=:)"  # ::error::, wherever a line may be broken
    r"|#(?=#\w*\[)"  # ##[group], ##vso[…], ##teamcity[…], anywhere in a line
)
"""What services for continuous integration take for an order when a program prints it (their "workflow commands")."""


def visible(text: str) -> str:
    """Show characters that would not show themselves, and take the meaning from orders.

    Args:
        text: anything.

    Returns:
        One line that does nothing to a terminal or a service that reads it, and can be encoded as UTF-8.
    """
    shown = HIDDEN.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
    return _ORDERS.sub(lambda match: f"\\x{ord(match[0]):02x}", shown)
