"""Diagrams in Mermaid's language, which code hosts draw inside a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.escaping import visible
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.diagram import draw_clashes, draw_dependencies

if TYPE_CHECKING:
    from conflictcheck.model import Report
    from conflictcheck.reports.diagram import Diagram, Node

_HARMLESS = frozenset(" ._-/:,=()+[]!~*")
_BRACKETS = {"spec": ('(["', '"])'), "package": ('["', '"]'), "clash": ('{{"', '"}}')}


class MermaidReport(ReportFormat):
    """The specs, framed by environment, and the clashes between them."""

    name = "mermaid"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - one form for all
        """Draw the clashes; `color`, `width` and `verbose` change nothing."""
        return _write(draw_clashes(report), arrow="---")


class MermaidGraph(ReportFormat):
    """The dependencies of each environment."""

    name = "mermaid"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - one form for all
        """Draw the dependencies; `color`, `width` and `verbose` change nothing."""
        return _write(draw_dependencies(report), arrow="-->")


def _write(diagram: Diagram, *, arrow: str) -> str:
    lines = ["flowchart LR"]
    for group in diagram.groups:
        if group.text:
            lines.append(f'  subgraph {group.key}["{_quoted(group.text)}"]')
            lines += [f"    {_box(node)}" for node in group.nodes]
            lines.append("  end")
        else:
            lines += [f"  {_box(node)}" for node in group.nodes]
    lines += [f"  {start} {arrow} {end}" for start, end in diagram.edges]
    return "\n".join(lines) + "\n"


def _box(node: Node) -> str:
    before, after = _BRACKETS[node.kind]
    return f"{node.key}{before}{_quoted(node.text)}{after}"


def _quoted(text: str) -> str:
    """Letters by number (``#60;``) where they could mean something to Mermaid or HTML."""
    return "".join(
        letter if letter.isalnum() or letter in _HARMLESS else f"#{ord(letter)};" for letter in visible(text)
    )
