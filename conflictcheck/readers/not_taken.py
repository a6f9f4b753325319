"""Files that say what is installed and that no reader takes, so that a search names them among what it passes over."""

from __future__ import annotations

import re
import stat
from fnmatch import fnmatchcase, translate
from typing import TYPE_CHECKING

from conflictcheck.errors import SpecError
from conflictcheck.readers.script import OPENING

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.readers.base import Workspace

INSTEAD = "write what it installs into a requirements file if it is to count"
"""What to do about a file of a kind that no reader takes."""

_KINDS = {
    "*.ipynb": "a notebook",
    "*environment.yaml": "an environment of conda",
    "*environment.yml": "an environment of conda",
    "*.dockerfile": "a Dockerfile",
    "containerfile": "a Dockerfile",
    "containerfile.*": "a Dockerfile",
    "dockerfile": "a Dockerfile",
    "dockerfile.*": "a Dockerfile",
    "environment*.yaml": "an environment of conda",
    "environment*.yml": "an environment of conda",
    "pipfile": "a Pipfile",
    "pixi.toml": "a workspace of pixi",
}
"""What files are called, in lower case, and what they are."""


_BY_ANOTHER_NAME = (
    "*.pip",
    "*dependencies.txt",
    "*deps.txt",
    "*reqs.in",
    "*reqs.txt",
    "*requirement*.in",
    "*requirement*.txt",
    "*requirements*.lock",
    "pip.txt",
)
"""What requirements files are called that a search does not take, in lower case."""

# A search asks about every file of a tree.
_MAY_BE_REQUIREMENTS = re.compile("|".join(map(translate, _BY_ANOTHER_NAME)))
_MAY_BE_OF_A_KIND = re.compile("|".join(map(translate, _KINDS)))

_RUN_BY = b"#!"
"""What a script without an extension begins with."""

_LARGEST_SCRIPT = 1 << 16
"""Bytes of a script that is called otherwise; a larger file is none."""


def may_be_requirements(name: str) -> bool:
    """Whether a file that a search does not take is a requirements file by its name, and read where it is named."""
    return _MAY_BE_REQUIREMENTS.match(name.lower()) is not None


def reason_not_taken(path: Path, workspace: Workspace) -> str | None:
    """Why a search passes over a file, though it says what is installed; None where it does not."""
    name = path.name
    if _MAY_BE_OF_A_KIND.match(name.lower()):
        kind = next(kind for pattern, kind in _KINDS.items() if fnmatchcase(name.lower(), pattern))
    elif ("." not in name or name.endswith(".pyw")) and _is_script(path, workspace):
        kind = "a script with inline metadata without .py at the end of its name"
    else:
        return None
    return f"{not_read(kind)}; {INSTEAD}"


def not_read(kind: str) -> str:
    """That a file of a kind is not read."""
    return f"{kind}, which is not read"


def _is_script(path: Path, workspace: Workspace) -> bool:
    """Whether it is a script with inline metadata; of most files without an extension two bytes are read."""
    try:
        state = path.lstat()
        if not (stat.S_ISREG(state.st_mode) and 0 < state.st_size <= _LARGEST_SCRIPT):
            return False
        with path.open("rb") as stream:
            if not path.suffix and stream.read(len(_RUN_BY)) != _RUN_BY:
                return False
        return OPENING.encode() in workspace.load(path, keep=False).splitlines()
    except (SpecError, OSError):
        return False
