"""Files that say what is installed and that no reader takes, so that a search names them among what it passes over."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase, translate

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


def may_be_requirements(name: str) -> bool:
    """Whether a file that a search does not take is a requirements file by its name, and read where it is named."""
    return _MAY_BE_REQUIREMENTS.match(name.lower()) is not None


def reason_not_taken(name: str) -> str | None:
    """Why a search passes over a file, though it says what is installed; None where it does not."""
    name = name.lower()
    if not _MAY_BE_OF_A_KIND.match(name):
        return None
    kind = next(kind for pattern, kind in _KINDS.items() if fnmatchcase(name, pattern))
    return f"{not_read(kind)}; {INSTEAD}"


def not_read(kind: str) -> str:
    """That a file of a kind is not read."""
    return f"{kind}, which is not read"
