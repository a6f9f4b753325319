"""Diagrams in the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflictcheck.escaping import visible
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.diagram import draw_clashes, draw_dependencies

if TYPE_CHECKING:
    from conflictcheck.model import Report
    from conflictcheck.reports.diagram import Diagram, Node

_LOOKS = {"spec": "shape=box, style=rounded", "package": "shape=box", "clash": "shape=octagon, color=red"}


class DotReport(ReportFormat):
    """The specs, framed by environment, and the clashes between them."""

    name = "dot"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - one form for all
        """Draw the clashes; `color`, `width` and `verbose` change nothing."""
        return _write(draw_clashes(report), directed=False)


class DotGraph(ReportFormat):
    """The dependencies of each environment."""

    name = "dot"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - one form for all
        """Draw the dependencies; `color`, `width` and `verbose` change nothing."""
        return _write(draw_dependencies(report), directed=True)


def _write(diagram: Diagram, *, directed: bool) -> str:
    arrow = "->" if directed else "--"
    lines = [f"{'digraph' if directed else 'graph'} conflictcheck {{", "  rankdir=LR;"]
    for group in diagram.groups:
        if group.text:
            # Graphviz frames a subgraph when its name begins with "cluster".
            lines += [f"  subgraph cluster_{group.key} {{", f"    label={_quoted(group.text)};"]
            lines += [f"    {_box(node)}" for node in group.nodes]
            lines.append("  }")
        else:
            lines += [f"  {_box(node)}" for node in group.nodes]
    lines += [f"  {start} {arrow} {end};" for start, end in diagram.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _box(node: Node) -> str:
    return f"{node.key} [label={_quoted(node.text)}, {_LOOKS[node.kind]}];"


def _quoted(text: str) -> str:
    """A quoted string; backslashes are doubled, since Graphviz reads escapes of its own inside."""
    escaped = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
