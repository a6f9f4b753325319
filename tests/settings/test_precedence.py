"""What counts for more: command line, environment, the settings file, pip's configuration files, default."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from conflictcheck.errors import UsageError
from conflictcheck.settings_sources import CommandLine, resolve_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conflictcheck.settings import Settings


@pytest.fixture
def resolve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """``resolve(FILE, PIP_CONF, {"PIP_INDEX_URL": …}, index_url=…)``: settings from these alone."""

    def resolved(file: str, pip: str = "", environ: dict[str, str] | None = None, **given: Any) -> Settings:
        (tmp_path / "conflictcheck.toml").write_text(file)
        (tmp_path / "constraints.txt").write_text("x\n")
        (tmp_path / "pip.conf").write_text(f"[global]\n{pip}")
        settled = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "HOME": str(tmp_path)} | (environ or {})
        return resolve_settings(CommandLine(**given), cwd=tmp_path, environ=settled)

    monkeypatch.setattr("conflictcheck.pip_configuration._global_files", list)  # whoever runs the tests may have some
    return resolved


def address(name: str) -> str:
    return f"https://{name}.example/simple"


def test_the_default_index(resolve: Callable[..., Settings]) -> None:
    file, pip = f'index-url = "{address("file")}"', f"index-url = {address('pip')}"
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        assert resolve(file, pip, {name: address("env")}).index.index_urls == (address("env"),)
        assert resolve(file, pip, {name: address("env")}, index_url=address("cl")).index.index_urls == (address("cl"),)
    assert resolve(file, pip).index.index_urls == (address("file"),)
    assert resolve("", pip).index.index_urls == (address("pip"),)


def test_further_indexes_and_links_add_up(resolve: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    found = resolve(
        f'index-url = "{address("a")}"\nextra-index-urls = ["{address("file")}"]\nfind-links = ["wheels"]',
        f"extra-index-url = {address('pip')}\nfind-links = {address('pip')}",
        {"UV_INDEX": address("uv")},
        extra_index_url=(address("cl"),),
        find_links=("other",),
    )
    assert found.index.index_urls == tuple(map(address, ("cl", "uv", "pip", "file", "a")))
    assert found.index.find_links == ("other", address("pip"), str(tmp_path / "wheels"))


@pytest.mark.parametrize(
    ("file", "pip", "environ", "given", "none"),
    [
        ("no-index = true", "", {}, {}, True),
        ("no-index = true", "", {"PIP_NO_INDEX": "0"}, {}, False),
        ("no-index = true", "", {"PIP_INDEX_URL": address("env")}, {}, False),
        ("no-index = true", "", {"UV_INDEX": address("env")}, {}, False),
        ("no-index = true", "", {}, {"index_url": address("cl")}, False),
        ("no-index = true", f"index-url = {address('pip')}", {}, {}, True),
        ("no-index = false", "no-index = true", {}, {}, False),
        (f'index-url = "{address("file")}"', "no-index = true", {}, {}, False),
        (f'index-url = "{address("file")}"', "", {"PIP_NO_INDEX": "1"}, {}, True),
        ("no-index = false", "", {}, {"no_index": True}, True),
        ("", "no-index = true", {}, {}, True),
    ],
)
def test_whether_an_index_is_asked(
    resolve: Callable[..., Settings],
    file: str,
    pip: str,
    environ: dict[str, str],
    given: dict[str, Any],
    *,
    none: bool,
) -> None:
    assert (resolve(file, pip, environ, **given).index.index_urls == ()) is none


def test_dates_and_prereleases(resolve: Callable[..., Settings]) -> None:
    file = 'exclude-newer = "2024-01-01T00:00:00Z"\nprerelease = "disallow"'

    assert str(resolve(file).policy.exclude_newer) == "2024-01-01 00:00:00+00:00"
    environ = {"UV_EXCLUDE_NEWER": "2023-01-01T00:00:00Z", "PIP_PRE": "1"}
    assert str(resolve(file, "", environ).policy.exclude_newer) == "2023-01-01 00:00:00+00:00"
    assert str(resolve(file, "", environ, exclude_newer="2022-01-01T00:00:00Z").policy.exclude_newer).startswith("2022")
    assert resolve(file, "pre = true").policy.prerelease == "disallow"
    assert resolve("", "pre = true").policy.prerelease == "allow"
    assert resolve(file, "", environ).policy.prerelease == "allow"
    assert resolve(file, "", environ, prerelease="if-necessary-or-explicit").policy.prerelease.startswith("if")


def test_wheels_and_source_distributions(resolve: Callable[..., Settings]) -> None:
    file = 'only-binary = [":all:"]\nno-binary = ["lxml"]'
    assert resolve(file, "no-binary = numpy").policy.only_binary == {":all:"}
    assert resolve(file, "no-binary = numpy").policy.no_binary == {"lxml"}
    assert resolve(file, "", {"PIP_NO_BINARY": "numpy"}).policy.no_binary == {"lxml", "numpy"}
    assert resolve(file, "", {"PIP_ONLY_BINARY": "lxml"}).policy.no_binary == frozenset()
    assert resolve(file, no_binary=(":all:",)).policy.only_binary == frozenset()


def test_pythons_platforms_and_numbers_are_those_of_the_command_line_where_it_has_some(
    resolve: Callable[..., Settings],
) -> None:
    file = 'python-versions = ["3.12", "3.13"]\nplatforms = ["windows"]\nmax-environments = 4'

    found = resolve(file)
    assert (found.python_versions, found.platforms, found.max_environments) == (("3.12", "3.13"), ("windows",), 4)
    found = resolve(file, python_version=("3.11",), python_platform=("linux",), max_environments=1)
    assert (found.python_versions, found.platforms, found.max_environments) == (("3.11",), ("linux",), 1)
    assert resolve("").max_environments is None


def test_constraints_and_overrides_add_up(resolve: Callable[..., Settings]) -> None:
    file = 'constraints = ["constraints.txt"]\noverrides = ["constraints.txt"]'
    found = resolve(file, constraint=("mine.txt",))
    assert (found.constraints, found.overrides) == (("mine.txt", "constraints.txt"), ("constraints.txt",))


def test_known_clashes_are_handed_on(resolve: Callable[..., Settings]) -> None:
    found = resolve('baseline = "known.json"\nignore = ["0123456789ab"]')
    assert (str(found.baseline), found.ignore) == ("known.json", ("0123456789ab",))


def test_no_config_reads_no_file_and_excludes_naming_one(resolve: Callable[..., Settings], tmp_path: Path) -> None:
    assert resolve('platforms = ["windows"]', no_config=True).platforms != ("windows",)
    assert resolve("broken", no_config=True).project is None
    (tmp_path / "other.toml").write_text('platforms = ["macos"]')
    assert resolve('platforms = ["windows"]', config_file="other.toml").platforms == ("macos",)
    with pytest.raises(UsageError, match="--no-config and --config-file exclude each other"):
        resolve("", no_config=True, config_file="other.toml")
    with pytest.raises(UsageError, match="--config-file: its value is empty"):
        resolve("", config_file="")


def test_the_null_device_is_no_settings_file(resolve: Callable[..., Settings]) -> None:
    with pytest.raises(UsageError, match="not a regular file"):
        resolve("", config_file=os.devnull)
