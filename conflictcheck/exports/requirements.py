"""Pinned requirements files, as pip-compile and uv write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.escaping import visible
from conflictcheck.exports.base import EnvironmentExport, local_path, platform_marker, stem, without_query
from conflictcheck.own_files import MADE
from conflictcheck.phrases import and_list

if TYPE_CHECKING:
    from conflictcheck.model import Environment, Pin, Report


class RequirementsExport(EnvironmentExport):
    """``requirements.ENVIRONMENT.txt``: a line for each package, with its hashes and who asks for it."""

    name = "requirements"
    pattern = "requirements.*.txt"

    def files(self, environment: Environment, report: Report) -> dict[str, str]:
        """Render one file."""
        filename = f"requirements.{stem(environment)}.txt"
        unhashed: list[str] = [pin.name for pin in environment.packages if not _hashes(pin)]
        lines = _header(environment, report, filename, unhashed)
        for pin in environment.packages:
            lines += _lines(pin, environment, hashes=[] if unhashed else _hashes(pin))
        return {filename: "\n".join(lines) + "\n"}


def _header(environment: Environment, report: Report, filename: str, unhashed: list[str]) -> list[str]:
    platforms = and_list(list(dict.fromkeys(target.platform for target in report.targets)))
    lines = [
        f"{MADE} for Python {visible(environment.python_version)} on {visible(platforms)}, from",
        *(f"#   {visible(spec)}" for spec in environment.specs),
        f"# To install it: python -m pip install -r {filename}",
    ]
    if unhashed:
        # With one hash in the file pip demands one for every line (pip's documentation, "Hash-checking Mode").
        lines.append(f"# Without hashes, because there is none for {and_list(unhashed[:3], more=len(unhashed) - 3)}.")
    lines += [
        f"# To be completed: the address of {pin.name} had a query (?...), which may be a secret."
        for pin in environment.packages
        if pin.url is not None and without_query(pin.url) != pin.url
    ]
    return lines


def _hashes(pin: Pin) -> list[str]:
    if pin.editable:
        return []
    return sorted({digest for file in pin.files for digest in file.hashes})


def _lines(pin: Pin, environment: Environment, *, hashes: list[str]) -> list[str]:
    requirement = _requirement(pin)
    if marker := platform_marker(pin.platforms, environment.python_version):
        requirement += f" ; {marker}"
    lines = [requirement, *(f"    --hash={digest}" for digest in hashes)]
    lines = [f"{line} \\" for line in lines[:-1]] + lines[-1:]
    if len(pin.requested_by) == 1:
        lines.append(f"    # via {visible(pin.requested_by[0])}")
    elif pin.requested_by:
        lines += ["    # via", *(f"    #   {visible(name)}" for name in pin.requested_by)]
    return lines


def _requirement(pin: Pin) -> str:
    extras = f"[{','.join(pin.extras)}]" if pin.extras else ""
    if pin.url is None:
        return f"{pin.name}{extras}=={pin.version}"
    if pin.editable and (path := local_path(pin.url)):
        return f"-e {visible(path)}{extras}"
    return f"{pin.name}{extras} @ {visible(without_query(pin.url))}"
