"""The ways a report can be written: one file a format, and one list."""

from __future__ import annotations

from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.bitbucket import BitbucketReport
from conflictcheck.reports.dot import DotGraph, DotReport
from conflictcheck.reports.explanation import ExplanationText
from conflictcheck.reports.github import GithubReport
from conflictcheck.reports.gitlab import GitlabReport
from conflictcheck.reports.html import HtmlReport
from conflictcheck.reports.json import JsonReport
from conflictcheck.reports.junit import JunitReport
from conflictcheck.reports.markdown import MarkdownReport
from conflictcheck.reports.mermaid import MermaidGraph, MermaidReport
from conflictcheck.reports.sarif import SarifReport
from conflictcheck.reports.text import TextReport
from conflictcheck.reports.tree import TreeGraph

FORMATS: tuple[ReportFormat, ...] = (
    TextReport(),
    JsonReport(),
    MarkdownReport(),
    HtmlReport(),
    SarifReport(),
    GithubReport(),
    GitlabReport(),
    BitbucketReport(),
    JunitReport(),
    MermaidReport(),
    DotReport(),
)
"""What ``--format`` takes: the verdict and the clashes."""

EXPLANATIONS: tuple[ReportFormat, ...] = (ExplanationText(), JsonReport())
"""What ``explain --format`` takes."""

GRAPHS: tuple[ReportFormat, ...] = (TreeGraph(), MermaidGraph(), DotGraph())
"""What ``graph --format`` takes: the dependencies in each environment."""

__all__ = ["EXPLANATIONS", "FORMATS", "GRAPHS", "ReportFormat"]
