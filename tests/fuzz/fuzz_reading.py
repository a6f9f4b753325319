"""Fuzz targets of the readers: files and lines that users write, and edits of them."""

from __future__ import annotations

import tomllib
from typing import Any
from warnings import catch_warnings

from fuzz_target import SECRET, Target, hold_secret, parts, place, text
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from pathspec import GitIgnoreSpec

from conflictcheck.corrections import find_sites
from conflictcheck.errors import ConflictCheckError, SpecError
from conflictcheck.model import Edit, ReadResult, Requirement, RequirementKind, SpecId
from conflictcheck.poetry import specifier, to_pep508
from conflictcheck.readers import READERS, read_restrictions, read_specs
from conflictcheck.readers.base import Workspace
from conflictcheck.readers.discovery import find_files
from conflictcheck.readers.editing import edit_content
from conflictcheck.readers.grammar import iter_lines, parse_line
from conflictcheck.readers.ignore_patterns import parse_patterns
from conflictcheck.readers.lines import Origin, parse_requirement
from conflictcheck.readers.references import parse_reference, project_name
from conflictcheck.readers.toml_document import parse_toml
from conflictcheck.solver.dependencies import MarkerEvaluator
from conflictcheck.specifier_text import specifier_span, with_specifier
from conflictcheck.targets import make_target
from conflictcheck.text import decode

VARIABLES = {"TOKEN": SECRET, "HOST": "index.example"}
EVALUATOR = MarkerEvaluator(dict(make_target("3.11", "linux").environment))
VERSIONS = [Version(one) for one in ("1.0a1", "2!1.0.post1+local")]

REQUIREMENT_WORDS = (
    *(b"==", b">=", b"~=", b"===", b"!=", b"<", b",", b"[extra]", b" ; ", b"python_version", b"extra == 'x'", b" and "),
    *(b" or ", b"not in", b"@ https://host.example/a-1.0.zip", b"#sha256=", b"#egg=", b"-e ", b"-r ", b"-c ", b".*"),
    *(b"--hash=sha256:", b"${TOKEN}", b"${HOST}", b"git+ssh://git@", b"file:", b"(", b")", b"1.0.dev1", b"+local"),
)
TOML_WORDS = (
    *(b"[project]\n", b"dependencies = [", b'"', b'"""', b"'''", b"]", b"[[", b"{", b"}", b"= ", b",", b"\\u202e"),
    *(b"[project.optional-dependencies]\n", b"[dependency-groups]\n", b'{include-group = "dev"}', b"dynamic = ["),
    *(b"[tool.poetry.dependencies]\n", b"[tool.poetry.group.x.dependencies]\n", b'"^1.2"', b'"~1"', b"optional = true"),
    *(b"[tool.setuptools.dynamic]\n", b'dependencies = {file = "a.txt"}\n', b"requires-python = ", b"version = "),
)


def hold_requirement(requirement: Requirement, data: bytes) -> None:
    """What was read can be shown, printed, compared and evaluated."""
    assert requirement.text
    assert requirement.text.isprintable(), repr(requirement.text)
    for shown in (requirement.text, requirement.name, *requirement.extras, *requirement.hashes):
        hold_secret(shown, data)
    assert requirement.line is None or requirement.line >= 1
    assert SpecifierSet(str(requirement.specifier)) == requirement.specifier
    for version in VERSIONS:
        requirement.specifier.contains(version, prereleases=True)
    EVALUATOR.holds(requirement.marker, str(requirement.marker or ""), "x")
    if requirement.url is not None:
        assert requirement.url.isprintable(), repr(requirement.url)


def hold_read(result: ReadResult, data: bytes) -> None:
    """Every spec, line and note can be shown."""
    for spec in result.specs:
        for requirement in spec.requirements:
            hold_requirement(requirement, data)
    for note in result.diagnostics:
        assert note.message.isprintable(), repr(note.message)
        hold_secret(note.message, data)


def read_file(name: str, data: bytes) -> ReadResult:
    """Read a file of this name and content."""
    (place() / name).write_bytes(data)
    return read_specs([name], cwd=place(), variables=VARIABLES)


def standard_input(data: bytes) -> None:
    hold_read(read_specs(["-"], cwd=place(), variables=VARIABLES, standard_input=data), data)


def requirements(data: bytes) -> None:
    hold_read(read_file("requirements.txt", data), data)


def constraints(data: bytes) -> None:
    (place() / "constraints.txt").write_bytes(data)
    kind = RequirementKind.OVERRIDE if data[:1] == b"o" else RequirementKind.CONSTRAINT
    for requirement in read_restrictions("constraints.txt", kind, cwd=place(), variables=VARIABLES):
        assert requirement.kind is kind
        hold_requirement(requirement, data)


def pyproject(data: bytes) -> None:
    hold_read(read_file("pyproject.toml", data), data)


def script(data: bytes) -> None:
    hold_read(read_file("script.py", data), data)


def gitignore(data: bytes) -> None:
    folder = place() / "tree"
    if not folder.is_dir():
        for name in ("requirements.txt", f"{'a' * 90}/{'b' * 90}/requirements.txt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("numpy\n")
        (folder / ".git").mkdir()
    (folder / ".gitignore").write_bytes(data)
    workspace = Workspace(folder, {})
    found = [path for path, _ in find_files(folder, READERS, workspace)]
    assert len(found) == len(set(found))
    for problem in workspace.problems:
        assert str(problem).isprintable()
    if len(data) <= SHORT and data.count(b"*") <= FEW and b"[" not in data and not workspace.problems:
        with catch_warnings(action="ignore"):
            usual = GitIgnoreSpec.from_lines(decode(data).splitlines(), backend="simple")
        quick = parse_patterns(decode(data).splitlines())
        for path in PATHS:
            assert quick.check_file(path).include == usual.check_file(path).include, path


SHORT, FEW = 40, 6
"""Bytes and stars of patterns that match fast enough without what is done about stars."""
PATHS = ("a", "ab/", "a/b/a.b", "ba/ab/aab/b", "aabab", "a/a/a/b/a/b/", ".a/b b/*", "requirements.txt")


def requirement_line(data: bytes) -> None:
    for line in list(iter_lines(text(data)))[:4]:
        parsed = parse_line(line.text, VARIABLES)
        if parsed.requirement:
            origin = Origin(SpecId("a.txt"), "a.txt", line.number, (place(),))
            found = parse_requirement(
                parsed.requirement, origin, value=parsed.value, editable=parsed.editable, hashes=parsed.hashes
            )
            hold_requirement(found, data)


def references(data: bytes) -> None:
    reference = parse_reference(text(data), (place(),))
    assert reference.url.isprintable()


def projects_of_others(data: bytes) -> None:
    """What names a local project: four forms of file."""
    names = ("pyproject.toml", "setup.cfg", "PKG-INFO", "setup.py")
    folder = place() / "project"
    folder.mkdir(exist_ok=True)
    chosen = names[int.from_bytes(data[:1]) % len(names)]
    for name in names:
        (folder / name).unlink(missing_ok=True)
    (folder / chosen).write_bytes(data[1:])
    name = project_name(folder)
    assert name is None or name.isprintable()


def toml_document(data: bytes) -> None:
    """The text at each place means the value at that place."""
    document = parse_toml(text(data))
    for at, (start, end) in document.spans.items():
        assert 0 <= start <= end <= len(document.source)
        assert 1 <= document.line(*at) <= document.source.count("\n") + 1
        hold_value(document.text(*at), document.get(*at))


def hold_value(written: str, value: Any) -> None:
    """A text, number or list; tables may have further parts elsewhere."""
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value)):
        return
    assert repr(tomllib.loads(f"key = {written}")["key"]) == repr(value)


def poetry(data: bytes) -> None:
    name, version, python, markers = parts(data, 4)
    assert specifier(version) is not None
    entry = {
        "version": version,
        "python": python,
        "markers": markers,
        "extras": ["x"],
        "git": "https://git.example/a.git",
        "rev": version,
    }
    for kept in (("version", "markers"), ("version", "python", "extras"), ("git", "rev")):
        for line in to_pep508(name, {key: entry[key] for key in kept}):
            parse_requirement(line, Origin(SpecId("a"), "a", 1, (place(),)))


def spans(data: bytes) -> None:
    written = text(data)
    found = specifier_span(written)
    if found is not None:
        assert 0 <= found[0] < found[1] <= len(written)


NEW_SPECIFIERS = (">=1.0", "<9", "~=2.1", ">=1,<3,!=2.0", "==4.*", "")


def edited_requirements(data: bytes) -> None:
    edited("requirements.txt", data)


def edited_pyproject(data: bytes) -> None:
    edited("pyproject.toml", data)


def edited_script(data: bytes) -> None:
    edited("script.py", data)


def edited(file: str, data: bytes) -> None:
    """An edited file can be read, and says the new thing, and the rest as before."""
    before = [line for spec in read_file(file, data).specs for line in spec.requirements]
    new = NEW_SPECIFIERS[len(data) % len(NEW_SPECIFIERS)]
    for line in [line for line in before if can_be_edited(line, file, new)][:3]:
        edit = edit_of(line, new)
        try:
            after = edit_content(file, data, [edit])
        except SpecError:
            continue  # it says that it has to be done by hand
        try:
            again = [line for spec in read_file(file, after).specs for line in spec.requirements]
        except ConflictCheckError as error:
            raise AssertionError(f"{edit} breaks the file: {error}") from error
        expected = [edit.new if (other.line, other.text) == (edit.line, edit.old) else other.text for other in before]
        assert [other.text for other in again] == expected
        assert [other.line for other in again] == [other.line for other in before]


def can_be_edited(line: Requirement, file: str, new: str) -> bool:
    """What is asked of a line before a fix edits it."""
    if line.file != file or (not new and line.kind is RequirementKind.PYTHON):
        return False
    [site] = find_sites([line], {})
    return site.can_be_relaxed


def edit_of(line: Requirement, new: str) -> Edit:
    """The edit of a line that gives it another specifier, as a fix writes it."""
    return Edit(line.spec, line.file, line.line, line.text, with_specifier(line.text, new))


TARGETS = (
    Target("standard-input", standard_input, (ConflictCheckError,), REQUIREMENT_WORDS),
    Target("requirements", requirements, (ConflictCheckError,), REQUIREMENT_WORDS),
    Target("constraints", constraints, (ConflictCheckError,), REQUIREMENT_WORDS),
    Target("pyproject", pyproject, (ConflictCheckError,), TOML_WORDS + REQUIREMENT_WORDS),
    Target("script", script, (ConflictCheckError,), (b"# /// script\n", b"# ///\n", b"# ", *TOML_WORDS)),
    Target("gitignore", gitignore, (), (b"*", b"**", b"/", b"!", b"[a-z]", b"?", b"\\", b"#", b"requirements.txt\n")),
    Target("requirement-line", requirement_line, (SpecError,), REQUIREMENT_WORDS),
    Target("references", references, (SpecError,), REQUIREMENT_WORDS),
    Target(
        "project-name", projects_of_others, (), (b"[metadata]\nname = ", b"setup(name='", b"Name: ", b"[project]\n")
    ),
    Target("toml-document", toml_document, (SpecError,), TOML_WORDS),
    Target("poetry", poetry, (SpecError,), (b"^", b"~", b"*", b"1.x", b"||", b" - ", *REQUIREMENT_WORDS)),
    Target("specifier-span", spans, (), REQUIREMENT_WORDS),
    Target("edited-requirements", edited_requirements, (ConflictCheckError,), REQUIREMENT_WORDS),
    Target("edited-pyproject", edited_pyproject, (ConflictCheckError,), TOML_WORDS + REQUIREMENT_WORDS),
    Target("edited-script", edited_script, (ConflictCheckError,), TOML_WORDS + REQUIREMENT_WORDS),
)
