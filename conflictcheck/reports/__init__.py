"""The ways a report can be written: one file a format, and one list."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from conflictcheck.lazy import LazyMapping
from conflictcheck.reports.base import ReportFormat

if TYPE_CHECKING:
    from collections.abc import Mapping


def _registered(**places: str) -> Mapping[str, ReportFormat]:
    """Formats by their names, from the class of each; imported when it is used, as a run writes one of them."""

    def load(name: str) -> ReportFormat:
        module, _, kind = places[name].partition(".")
        return cast("ReportFormat", getattr(import_module(f"{__name__}.{module}"), kind)())

    return LazyMapping(places, load)


FORMATS = _registered(
    text="text.TextReport",
    json="json.JsonReport",
    markdown="markdown.MarkdownReport",
    html="html.HtmlReport",
    sarif="sarif.SarifReport",
    github="github.GithubReport",
    gitlab="gitlab.GitlabReport",
    bitbucket="bitbucket.BitbucketReport",
    junit="junit.JunitReport",
    mermaid="mermaid.MermaidReport",
    dot="dot.DotReport",
)
"""What ``--format`` takes: the verdict and the clashes."""

EXPLANATIONS = _registered(text="explanation.ExplanationText", json="json.JsonReport")
"""What ``explain --format`` takes."""

GRAPHS = _registered(text="tree.TreeGraph", mermaid="mermaid.MermaidGraph", dot="dot.DotGraph")
"""What ``graph --format`` takes: the dependencies in each environment."""

__all__ = ["EXPLANATIONS", "FORMATS", "GRAPHS", "ReportFormat"]
