"""Reports made by hand: the language in which tests of reports and of the command line say what was found."""

from __future__ import annotations

from typing import Any

from packaging.requirements import Requirement as Line
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from conflictcheck.facts import File
from conflictcheck.model import (
    Clash,
    ClashKind,
    Diagnostic,
    Environment,
    Minimum,
    Pin,
    Report,
    Requirement,
    RequirementKind,
    Severity,
    Spec,
    SpecId,
    TargetName,
    Verdict,
)


def line(place: str, text: str, *, spec: str | None = None, kind: str = "requirement") -> Requirement:
    """``line("nlp.txt:3", "numpy>=2")``; a place without a number is a spec without a file."""
    file, colon, number = place.rpartition(":")
    if not colon:
        file, number = place, ""
    if kind == "python":
        name, specifier = canonicalize_name("python"), SpecifierSet(text.split("=", 1)[1].strip(' "'))
    else:
        parsed = Line(text)
        name, specifier = canonicalize_name(parsed.name), parsed.specifier
    return Requirement(
        spec=SpecId(spec or file),
        text=text,
        name=name,
        specifier=specifier,
        file=file if number else None,
        line=int(number) if number else None,
        kind=RequirementKind(kind),
    )


def spec(spec_id: str, *requirements: str) -> Spec:
    """A spec whose lines are counted from 1."""
    file = spec_id.partition("#")[0]
    lines = tuple(line(f"{file}:{number}", text, spec=spec_id) for number, text in enumerate(requirements, start=1))
    return Spec(id=SpecId(spec_id), path=None if spec_id.startswith("--") else file, requirements=lines)


def pin(name: str, version: str = "1.0", *requested_by: str, **more: Any) -> Pin:
    """A pin; ``requires`` and the other fields by name."""
    return Pin(name=canonicalize_name(name), version=version, requested_by=requested_by, **more)


def environment(name: str, *specs: str, pins: tuple[Pin, ...] = (), python: str = "3.11.7") -> Environment:
    return Environment(name=name, specs=tuple(map(SpecId, specs)), python_version=python, packages=pins)


def clash(
    clash_id: str,
    summary: str,
    *requirements: Requirement,
    steps: tuple[str, ...] = (),
    kind: str = "version",
    minimal: bool = True,
    packages: tuple[str, ...] = (),
    known: str = "",
) -> Clash:
    return Clash(
        id=clash_id,
        kind=ClashKind(kind),
        specs=tuple(sorted({one.spec for one in requirements})),
        requirements=requirements,
        packages=packages,
        minimal=minimal,
        summary=summary,
        steps=steps,
        known=known,
    )


def note(
    code: str, message: str, file: str | None = None, line: int | None = None, severity: str = "note"
) -> Diagnostic:
    return Diagnostic(Severity(severity), code, message, file, line)


def wheel(name: str, version: str, *, digest: str = "a", tags: str = "py3-none-any", **more: Any) -> File:
    """A wheel on an example index; its sha256 is one letter repeated."""
    filename = f"{name.replace('-', '_')}-{version}-{tags}.whl"
    facts: dict[str, Any] = {
        "filename": filename,
        "url": f"https://files.example/{filename}",
        "version": version,
        "tags": tags,
        "hashes": (f"sha256:{digest * 64}",),
        "index": "https://index.example/simple",
    }
    return File(**(facts | more))


def sdist(name: str, version: str, *, digest: str = "f", **more: Any) -> File:
    filename = f"{name.replace('-', '_')}-{version}.tar.gz"
    return wheel(
        name,
        version,
        digest=digest,
        **({"filename": filename, "tags": "", "url": f"https://files.example/{filename}"} | more),
    )


def report(
    verdict: str,
    *,
    specs: tuple[Spec, ...],
    environments: tuple[Environment, ...] = (),
    minimum: Minimum | None = None,
    clashes: tuple[Clash, ...] = (),
    diagnostics: tuple[Diagnostic, ...] = (),
    **more: Any,
) -> Report:
    return Report(
        **{
            "verdict": Verdict(verdict),
            "passed": verdict == "compatible",
            "targets": (TargetName("3.11.7", "linux"),),
            "specs": specs,
            "environments": environments,
            "minimum": minimum or Minimum(len(environments), proven=True, lower_bound=len(environments)),
            "clashes": clashes,
            "clashes_complete": True,
            "diagnostics": diagnostics,
        }
        | more
    )
