"""Paths in ``file:`` URLs."""

from __future__ import annotations

import os
from urllib.parse import unquote


def path_in_url(path: str) -> str:
    """The path of this machine that the path of a ``file:`` URL stands for, as `urllib.request.url2pathname` has it.

    Where URLs have paths as they are, that function would only import an HTTP client, which takes longer than to read a
    requirements file.
    """
    if os.name != "nt":
        return unquote(path)
    from urllib.request import url2pathname  # noqa: PLC0415 - see above

    return url2pathname(path)
