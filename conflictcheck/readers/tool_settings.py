"""Files of settings of uv, Hatch and pip-tools that hold for a spec: where these tools look, and what is not applied.

Sources: uv's documentation (Configuration files), Hatch's (Introduction, Configuration) and pip-tools' (Configuration).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from conflictcheck.errors import SpecError
from conflictcheck.readers.not_applied import warn_of_settings
from conflictcheck.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflictcheck.readers.base import Workspace

_UV_TOML = "uv.toml"
"""uv's settings; beside a ``pyproject.toml`` it takes the place of ``[tool.uv]``."""

_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})


def warn_of_project_settings(folder: Path, workspace: Workspace) -> frozenset[str]:
    """Say which settings of the files beside a ``pyproject.toml`` or above it are not applied.

    Args:
        folder: of the file, absolute.
        workspace: takes the warnings.

    Returns:
        The tools whose table in that ``pyproject.toml`` does not count, since such a file takes its place.
    """
    hatch = warn_of_settings(folder / "hatch.toml", "hatch", workspace)
    told = {
        "uv": warn_of_uv_toml(folder, workspace),
        "hatch": hatch is not None and hatch.get("envs") is not None,
        "pip-tools": warn_of_pip_tools(folder, workspace),
    }
    return frozenset(tool for tool, is_replaced in told.items() if is_replaced)


def warn_of_pip_tools(folder: Path, workspace: Workspace) -> bool:
    """Say which settings of pip-tools for files in a folder are not applied; whether they have a file of their own."""
    own, pyproject = folder / ".pip-tools.toml", folder / "pyproject.toml"
    has_own = os.path.isfile(own)  # noqa: PTH113 - may not look
    warn_of_settings(own if has_own else pyproject, "pip-tools", workspace)
    return has_own


def warn_of_uv_toml(folder: Path, workspace: Workspace) -> bool:
    """Say which settings of uv that hold for a spec are not applied: in its folder, or above it.

    As in uv, these are in the nearest ``uv.toml`` or ``pyproject.toml`` with a table ``[tool.uv]``, unless a variable
    says otherwise.

    Args:
        folder: of the spec, absolute.
        workspace: takes the warnings.

    Returns:
        Whether something takes the place of the settings in ``[tool.uv]`` of a ``pyproject.toml`` in the folder.
    """
    if _is_told_otherwise(workspace.variables):
        return True
    return _holding_uv_toml(folder, workspace) == folder / _UV_TOML


def warn_of_user_settings(workspace: Workspace) -> None:
    """Say which settings of uv that hold for every spec are not applied: the user's and the system's."""
    for places in uv_places(workspace.variables):
        for path in [*filter(os.path.isfile, map(workspace.locate, places))][:1]:
            workspace.trust(path)
            warn_of_settings(path, "uv", workspace, name=printable(path.as_posix()))


def uv_places(variables: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Where a user's ``uv.toml`` may be, and where the system's; of each the first counts that is there."""
    if named := variables.get("UV_CONFIG_FILE"):
        return [Path(named)], []
    if _is_told_otherwise(variables):
        return [], []
    if os.name == "nt":
        user = variables.get("APPDATA")
        system = [Path(variables.get("SYSTEMDRIVE") or "C:", "\\ProgramData")]
    else:
        home = variables.get("HOME")
        user = variables.get("XDG_CONFIG_HOME") or (home and os.path.join(home, ".config"))  # noqa: PTH118 - a text
        shared = variables.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        system = [*map(Path, filter(None, shared.split(":"))), Path("/etc")]
    return [Path(user) / "uv" / _UV_TOML] if user else [], [place / "uv" / _UV_TOML for place in system]


def _is_told_otherwise(variables: Mapping[str, str]) -> bool:
    """Whether uv looks for no file of settings: it is given one, or is to do without."""
    return bool(variables.get("UV_CONFIG_FILE")) or variables.get("UV_NO_CONFIG", "").lower() in _TRUE


def _holding_uv_toml(folder: Path, workspace: Workspace) -> Path | None:
    """The file that holds in a folder; each folder is looked into once, however many specs are below it."""
    if folder not in workspace.uv_tomls:
        found: Path | None = None
        if os.path.isfile(folder / _UV_TOML):  # noqa: PTH113 - may not look
            found = folder / _UV_TOML
            warn_of_settings(found, "uv", workspace)
        elif _has_settings(folder / "pyproject.toml", workspace):
            warn_of_settings(folder / "pyproject.toml", "uv", workspace, table=("tool", "uv"))
        elif folder != folder.parent:
            found = _holding_uv_toml(folder.parent, workspace)
        workspace.uv_tomls[folder] = found
    return workspace.uv_tomls[folder]


def _has_settings(path: Path, workspace: Workspace) -> bool:
    """Whether a ``pyproject.toml`` has a table for uv, as far as it may and can be read."""
    if not os.path.isfile(path):  # noqa: PTH113 - may not look
        return False
    try:
        return b"uv" in workspace.load(path) and workspace.load_toml(path).get("tool", "uv") is not None
    except SpecError:
        return False
