"""Arrows point down: the command line, the wiring, the kinds and the algorithms, the base modules, the nouns."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "conflictcheck"

LAYERS = (
    (
        "cache_file",
        "errors",
        "fingerprints",
        "facts",
        "lazy",
        "progress",
        "escaping",
        "disguise",
        "own_files",
        "slips",
        "text",
        "unions",
        "url_paths",
    ),
    (
        *("model", "codes", "settings", "targets", "phrases", "poetry", "side_by_side", "specifier_text"),
        *("uv_sources", "writing"),
    ),
    ("policy", "selection", "pip_configuration", "file_options", "checked", "numbering", "sameness"),
    ("readers", "index", "exports", "reports"),
    (
        *("solver", "setting_values", "settings_table", "settings_file", "settings_sources", "settings_template"),
        *("given", "known", "baseline", "revisions"),
    ),
    ("clashes", "environments", "argument", "explanation", "release_ranges", "widening"),
    (
        *(
            "splitting",
            "declared",
            "hindrances",
            "wording",
            "cheapest",
            "corrections",
            "blockers",
            "cautions",
            "doubts",
        ),
        *("verification", "evidence"),
    ),
    ("fixes", "edits", "clash_words"),
    ("remarks", "outcome"),
    ("run",),
    ("pipeline",),
    ("", "cli", "instant", "__main__"),
)
"""What stands on what, lowest first; a part may import from its own layer where no circle comes of it. `""` is the
package itself."""

KINDS = {"readers", "index", "exports", "reports"}
"""Folders of kinds; nothing in one imports from another."""

LAZY_CIRCLES = {("conflictcheck.index.transport", "conflictcheck.index.http_client")}
"""Imports inside a function, of what costs time and is not always needed, that lead back to the module itself."""

PRINTS = {"cli", "instant", "__main__"}
READS_ENVIRONMENT = {
    "conflictcheck": "the default of check(environ=…)",
    "conflictcheck.cli": "whether a shell asks for completions",
    "conflictcheck.cli.cache_commands": "hands it to settings_sources",
    "conflictcheck.cli.commands": "hands it to settings_sources",
    "conflictcheck.cli.options": "hands it to settings_sources",
    "conflictcheck.instant": "all of it is part of the command, and the default cache folder",
    "conflictcheck.index.http_client": "SSL_CERT_FILE and SSL_CERT_DIR, which are OpenSSL's own variables",
    "conflictcheck.index.page_reader": "hands it to another process of its own",
    "conflictcheck.index.credentials": "NETRC, which is the netrc file's own variable",
    "conflictcheck.revisions": "hands it to git, without what names another repository",
    "conflictcheck.readers": "the default of read_specs(variables=…)",
}
"""Modules that read `os.environ`, and why; everything else is handed what it needs."""


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {module_name(file): ast.parse(file.read_text()) for file in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str) -> set[str]:
    """The modules that a module imports anywhere in it; names from the package itself count as the package."""
    found: set[str] = set()
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module is not None
            deeper = {f"{node.module}.{name.name}" for name in node.names}
            found |= deeper & set(trees()) or {node.module}
    return found


def part(module: str) -> str:
    return [*module.split("."), ""][1]


def own_imports() -> list[tuple[str, str]]:
    return sorted((a, b) for a in trees() for b in imports(a) if b.partition(".")[0] == "conflictcheck")


def test_every_part_of_the_package_has_its_layer() -> None:
    placed = [name for layer in LAYERS for name in layer]
    assert len(placed) == len(set(placed))
    assert {part(module) for module in trees()} <= set(placed)
    assert len(own_imports()) > 100, "the search for imports itself works"


def test_arrows_point_down() -> None:
    level = {name: n for n, layer in enumerate(LAYERS) for name in layer}
    # The version, which stands in the package itself, is all that lower parts may want of it.
    up = [(a, b) for a, b in own_imports() if level[part(a)] < level[part(b)] and b != "conflictcheck"]
    assert up == []


def test_no_circle_of_imports() -> None:
    below: dict[str, set[str]] = {module: set() for module in trees()}
    for a, b in own_imports():
        if b != "conflictcheck" and (a, b) not in LAZY_CIRCLES:
            below[a].add(b)
    while free := [module for module, needs in below.items() if not needs & set(below)]:
        for module in free:
            del below[module]
    assert sorted(below) == []


def test_the_package_itself_is_imported_for_its_version_alone() -> None:
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "conflictcheck":
                names = {name.name for name in node.names}
                assert {name for name in names if f"conflictcheck.{name}" not in trees()} <= {"__version__"}, module


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_folders_of_kinds_do_not_import_each_other(kind: str) -> None:
    assert [(a, b) for a, b in own_imports() if part(a) == kind and part(b) in KINDS - {kind}] == []


def test_the_solver_knows_of_an_index_what_can_be_asked() -> None:
    wanted = {b for a, b in own_imports() if part(a) == "solver" and part(b) == "index"}
    assert wanted <= {"conflictcheck.index.base"}


def test_a_kind_imports_the_base_of_its_folder_and_not_the_folder() -> None:
    for a, b in own_imports():
        assert not (b.count(".") == 1 and part(b) in KINDS and part(a) == part(b)), f"{a} imports {b}"


def test_only_the_command_line_prints() -> None:
    for module, tree in trees().items():
        if part(module) in PRINTS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert not (isinstance(node.func, ast.Name) and node.func.id in ("print", "input", "exit")), module
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
                assert node.attr not in ("stdout", "stderr", "stdin", "exit"), f"{module}:{node.lineno}"


def test_only_settings_are_made_from_the_environment() -> None:
    readers = set()
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("environ", "getenv")
                and isinstance(node.value, ast.Name)
            ):
                readers |= {module} if node.value.id == "os" else set()
    assert readers - {"conflictcheck.settings_sources"} == set(READS_ENVIRONMENT)


def test_what_is_imported_is_what_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for some in project["optional-dependencies"].values() for line in some)]
    declared = {canonicalize_name(re.split(r"[<>=!~ ]", line)[0]) for line in lines}
    names = {name.partition(".")[0] for module in trees() for name in imports(module)}
    outside = names - set(sys.stdlib_module_names) - {"conflictcheck"}
    provided = {
        name: {canonicalize_name(one) for one in packages} for name, packages in packages_distributions().items()
    }
    # keyring is optional, and need not be installed.
    used = {next(iter(provided.get(name, {canonicalize_name(name)}) & declared), name) for name in outside}
    assert used == declared
