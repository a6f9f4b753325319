"""A fuzz target that goes through everything: made-up specs and a made-up index become a report in every form."""

from __future__ import annotations

from unicodedata import category

from fuzz_target import Target, place, text
from packaging.utils import InvalidName, canonicalize_name

from conflictcheck import pipeline
from conflictcheck.errors import ConflictCheckError
from conflictcheck.exports import EXPORTS
from conflictcheck.index.filenames import version_of
from conflictcheck.index.memory import MemoryIndex, Rel
from conflictcheck.progress import Progress
from conflictcheck.reports import EXPLANATIONS, FORMATS, GRAPHS
from conflictcheck.settings_sources import CommandLine, resolve_settings

MOST_LINES = 24
LONGEST_LINE = 200
WORDS = (
    *(
        b"a ",
        b"b ",
        b"c ",
        b"= ",
        b"lib 1.0 ",
        b"lib 2.0 ",
        b"lib>=2",
        b"lib<2",
        b"lib[x]",
        b"app==1.0",
        b" | ",
        b"1.0a1",
    ),
    *(
        b"; extra == 'x'",
        b"; python_version < '3.9'",
        b"; sys_platform == 'win32'",
        b"=== ",
        b"~=1.0",
        b"!=1.*",
        b"app ",
    ),
    *(b"!python <3.9 | ", b"!yanked | ", b"!extra x | ", b"!unknown | ", b"+local", b"1!", b".post1", b".dev1", b"<x>"),
)


def whole_run(data: bytes) -> None:
    """``a REQUIREMENT`` is a line of the spec a; ``NAME VERSION REQUIREMENT | …`` is a release."""
    specs: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    packages: dict[str, dict[str, Rel]] = {}
    for line in text(data).splitlines()[:MOST_LINES]:
        first, _, rest = line[:LONGEST_LINE].partition(" ")
        if first in specs:
            specs[first].append(rest)
        else:
            _add_release(packages, first, rest)
    for name, lines in specs.items():
        (place() / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    given = CommandLine(paths=("a.txt", "b.txt", "c.txt"), python_version=("3.11",), python_platform=("linux",))
    settings = resolve_settings(given, cwd=place(), environ={"PIP_CONFIG_FILE": "/dev/null"})
    report = pipeline.check(settings, Progress(), index=MemoryIndex(packages))
    for form in (*FORMATS.values(), *EXPLANATIONS.values(), *GRAPHS.values()):
        hold_output(form.render(report, color=False, width=80, verbose=2))
    for export in EXPORTS:
        for name, content in export.render(report).items():
            hold_output(name + content)


def _add_release(packages: dict[str, dict[str, Rel]], name: str, rest: str) -> None:
    version, _, needs = rest.partition(" ")
    try:
        canonicalize_name(name, validate=True)
    except InvalidName:
        return
    if version_of(version) is None:
        return
    requires, extras, python, yanked = [], [], None, None
    for need in (one.strip() for one in needs.split("|")):
        key, _, value = need.partition(" ")
        if key == "!python":
            python = value
        elif key == "!yanked":
            yanked = value
        elif key == "!extra":
            extras.append(value)
        elif need:
            requires.append(need)
    hashes = (f"sha256:{'a' * 64}",)
    release = Rel(requires=requires, requires_python=python, yanked=yanked, extras=extras, hashes=hashes)
    packages.setdefault(canonicalize_name(name), {})[str(version_of(version))] = release


def hold_output(output: str) -> None:
    """Nothing in it acts on a terminal."""
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {category(letter) for letter in set(output) - {"\n"}}, repr(output)


TARGETS = (Target("whole-run", whole_run, (ConflictCheckError,), WORDS),)
