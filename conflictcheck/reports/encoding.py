"""A document as JSON that is safe to show: ASCII alone, and no order to a service that prints it."""

from __future__ import annotations

import json
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(document: Any) -> str:
    """Encode a document.

    Args:
        document: made of dictionaries, lists, texts, numbers, booleans and None.

    Returns:
        JSON (RFC 8259), ending in a line break.
    """
    text = json.dumps(_encodable(document), indent=2) + "\n"
    # A service that prints the document takes what follows ## for an order to itself.
    return text.replace("##", "#\\u0023")


def _encodable(value: Any) -> Any:
    """The value without lone surrogates, which are no text (RFC 8259, section 8.2): bytes of a file name."""
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", value)
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
