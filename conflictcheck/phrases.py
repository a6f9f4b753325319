"""Small phrases that reports, exports and messages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflictcheck.model import Edit, Report, Requirement


_MOST_ITEMS = 3


def count(number: int, one: str, many: str | None = None) -> str:
    """A number and its noun: ``1 spec``, ``2 specs``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def and_list(names: Sequence[str], *, more: int = 0) -> str:
    """Names as a sentence lists them: ``a, b and c``; `more` counts those that are left out."""
    items = [*names, f"{more} more"] if more > 0 else list(names)
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def or_list(names: Sequence[str]) -> str:
    """Names as a sentence offers them: ``a, b or c``."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def cut_list(items: Sequence[str], last: str = " and ") -> str:
    """A list in words, cut with a count where it is long: ``a, b, c and 4 others``."""
    if len(items) > _MOST_ITEMS + 1:
        return f"{', '.join(items[:_MOST_ITEMS])}{last}{len(items) - _MOST_ITEMS} others"
    return last.join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def place(line: Requirement | Edit) -> str:
    """Where a line stands: ``api/requirements.txt:3``, or its spec where there is no file."""
    if line.file is None:
        return line.spec
    return line.file if line.line is None else f"{line.file}:{line.line}"


def targets_of(report: Report) -> str:
    """What the report's environments are for: ``Python 3.11 on linux and windows``."""
    versions = list(dict.fromkeys(environment.python_version for environment in report.environments))
    if not versions:
        versions = list(dict.fromkeys(target.python_version for target in report.targets))
    platforms = list(dict.fromkeys(target.platform for target in report.targets))
    return f"Python {and_list(versions)} on {and_list(platforms)}"


def size_of(number: int) -> str:
    """A number of bytes for people: ``812 B``, ``3.4 MB``."""
    amount = float(number)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004 - what the unit's letter stands for
            return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
