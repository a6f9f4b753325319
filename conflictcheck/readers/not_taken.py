"""Files that say what is installed and that no reader takes, so that a search names them among what it passes over."""

from __future__ import annotations

from fnmatch import fnmatchcase

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


def reason_not_taken(name: str) -> str | None:
    """Why a search passes over a file of a name, though it says what is installed; None where it does not."""
    kind = next((kind for pattern, kind in _KINDS.items() if fnmatchcase(name.lower(), pattern)), None)
    if kind is None:
        return None
    return f"{not_read(kind)}; {INSTEAD}"


def not_read(kind: str) -> str:
    """That a file of a kind is not read."""
    return f"{kind}, which is not read"
