"""The JSON report, which ``report.schema.json`` beside this file describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conflictcheck import __version__
from conflictcheck.model import RequirementKind
from conflictcheck.reports.base import ReportFormat
from conflictcheck.reports.encoding import to_json

if TYPE_CHECKING:
    from conflictcheck.model import Clash, Declared, Diagnostic, Environment, Fix, Pin, Report, Requirement, Spec

_ASKED = (RequirementKind.REQUIREMENT, RequirementKind.CONSTRAINT)


def read_schema() -> dict[str, Any]:
    """The JSON schema of the report."""
    from importlib.resources import files  # noqa: PLC0415 - for this alone

    schema: dict[str, Any] = json.loads(files(__package__).joinpath("report.schema.json").read_text("utf-8"))
    return schema


class JsonReport(ReportFormat):
    """One document for other programs, ASCII alone, so that it is safe to show as well."""

    name = "json"

    def render(self, report: Report, *, color: bool, width: int, verbose: int) -> str:  # noqa: ARG002 - one form for all
        """Encode the report; `color`, `width` and `verbose` change nothing."""
        return to_json(_report(report))


def _report(report: Report) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "tool": {"name": "conflictcheck", "version": __version__},
        "verdict": report.verdict.value,
        "passed": report.passed,
        "targets": [
            {"python_version": target.python_version, "platform": target.platform} for target in report.targets
        ],
        "specs": [_spec(spec) for spec in report.specs],
        "environments": [_environment(environment) for environment in report.environments],
        "declared": [_declared(declared) for declared in report.declared],
        "minimum": {
            "environments": report.minimum.environments,
            "proven": report.minimum.proven,
            "lower_bound": report.minimum.lower_bound,
            "why": report.minimum.why,
        },
        "clashes": [_clash(clash) for clash in report.clashes],
        "clashes_complete": report.clashes_complete,
        "gone": [{"id": clash.id, "summary": clash.summary, "was": clash.was} for clash in report.gone],
        "compared_with": report.compared_with,
        "fixes": [_fix(fix) for fix in report.fixes],
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in report.diagnostics],
        "stats": dict(sorted(report.stats.items())),
    }


def _spec(spec: Spec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "path": spec.path,
        "requires_python": spec.requires_python,
        "requirements": [_requirement(line) for line in spec.requirements if line.kind in _ASKED],
    }


def _requirement(line: Requirement) -> dict[str, Any]:
    return {"spec": line.spec, "requirement": line.text, "file": line.file, "line": line.line}


def _environment(environment: Environment) -> dict[str, Any]:
    return {
        "name": environment.name,
        "specs": list(environment.specs),
        "python_version": environment.python_version,
        "packages": [_pin(pin) for pin in environment.packages],
    }


def _declared(declared: Declared) -> dict[str, Any]:
    return {
        "name": declared.name,
        "specs": list(declared.specs),
        "environments": list(declared.environments),
        "holds": declared.holds,
    }


def _pin(pin: Pin) -> dict[str, Any]:
    package: dict[str, Any] = {"name": pin.name, "version": pin.version}
    if pin.extras:
        package["extras"] = list(pin.extras)
    if pin.platforms:
        package["platforms"] = list(pin.platforms)
    package["requested_by"] = list(pin.requested_by)
    return package


def _clash(clash: Clash) -> dict[str, Any]:
    return {
        "id": clash.id,
        "kind": clash.kind.value,
        "specs": list(clash.specs),
        "requirements": [_requirement(line) for line in clash.requirements],
        "packages": list(clash.packages),
        "minimal": clash.minimal,
        "summary": clash.summary,
        "steps": list(clash.steps),
        "sides": [list(side) for side in clash.sides],
        "fixes": [_fix(fix) for fix in clash.fixes],
        "no_fix": clash.no_fix,
        "remarks": list(clash.remarks),
        "known": clash.known,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "edits": [
            {
                "spec": edit.spec,
                "file": edit.file,
                "line": edit.line,
                "old": edit.old,
                "new": edit.new,
                "also": list(edit.also),
            }
            for edit in fix.edits
        ],
        "environments_after": fix.environments_after,
        "left_out": list(fix.left_out),
        "changes": [
            {"name": change.name, "environment": change.environment, "before": change.before, "after": change.after}
            for change in fix.changes
        ],
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": diagnostic.file,
        "line": diagnostic.line,
    }
