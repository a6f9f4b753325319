"""A Python on a platform: names as uv's, marker values and wheel tags."""

from __future__ import annotations

import sys

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from conflictcheck.errors import UsageError
from conflictcheck.targets import PLATFORMS, make_target, running_platform, running_python


def test_missing_patch_number_is_zero() -> None:
    assert make_target("3.11", "linux").environment["python_full_version"] == "3.11.0"
    assert make_target("3.11.9", "linux").environment["python_full_version"] == "3.11.9"
    assert make_target("3.11.9", "linux").environment["python_version"] == "3.11"
    assert not make_target("3.11", "linux").admits_python(">=3.11.2")
    assert make_target("3.11.9", "linux").admits_python(">=3.11.2")


@pytest.mark.parametrize("version", ["3", "three", "3.x", "3.11.", "", "3.11 ", "v3.11"])
def test_what_is_no_python_version_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match=r"is not a Python version; write it like 3\.11"):
        make_target(version, "linux")


def test_unknown_platform_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="'windws' is not a platform; did you mean 'windows'"):
        make_target("3.11", "windws")
    with pytest.raises(UsageError, match="'zzz' is not a platform; try linux"):
        make_target("3.11", "zzz")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_has_tags_and_all_marker_values(platform: str) -> None:
    target = make_target("3.12", platform)
    assert target.rank("py3-none-any") is not None
    assert set(default_environment()) == set(target.environment)
    assert all("any" in tag or "-none-" in tag or "cp3" in tag for tag in target.ranks)


@pytest.mark.parametrize(
    ("platform", "sys_platform", "machine", "system", "os_name"),
    [
        ("linux", "linux", "x86_64", "Linux", "posix"),
        ("aarch64-unknown-linux-gnu", "linux", "aarch64", "Linux", "posix"),
        ("x86_64-unknown-linux-musl", "linux", "x86_64", "Linux", "posix"),
        ("macos", "darwin", "arm64", "Darwin", "posix"),
        ("x86_64-apple-darwin", "darwin", "x86_64", "Darwin", "posix"),
        ("windows", "win32", "AMD64", "Windows", "nt"),
        ("aarch64-pc-windows-msvc", "win32", "ARM64", "Windows", "nt"),
        ("i686-pc-windows-msvc", "win32", "x86", "Windows", "nt"),
        ("wasm32-pyodide2024", "emscripten", "wasm32", "Emscripten", "posix"),
    ],
)
def test_markers_of_a_platform(platform: str, sys_platform: str, machine: str, system: str, os_name: str) -> None:
    environment = make_target("3.11", platform).environment
    found = [environment[key] for key in ("sys_platform", "platform_machine", "platform_system", "os_name")]
    assert found == [sys_platform, machine, system, os_name]


@pytest.mark.parametrize(
    ("platform", "suits", "does_not"),
    [
        ("linux", "manylinux_2_28_x86_64", "manylinux_2_31_x86_64"),
        ("linux", "manylinux1_x86_64", "musllinux_1_1_x86_64"),
        ("x86_64-manylinux_2_35", "manylinux_2_35_x86_64", "manylinux_2_36_x86_64"),
        ("x86_64-manylinux2014", "manylinux2014_x86_64", "manylinux_2_28_x86_64"),
        ("aarch64-manylinux2014", "manylinux2014_aarch64", "manylinux2014_x86_64"),
        ("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64", "manylinux_2_17_x86_64"),
        ("macos", "macosx_11_0_arm64", "macosx_14_0_arm64"),
        ("macos", "macosx_10_9_universal2", "macosx_10_9_x86_64"),
        ("x86_64-apple-darwin", "macosx_10_9_x86_64", "macosx_11_0_arm64"),
        ("windows", "win_amd64", "win32"),
    ],
)
def test_wheels_that_suit_a_platform(platform: str, suits: str, does_not: str) -> None:
    target = make_target("3.11", platform)
    assert target.rank(f"cp311-cp311-{suits}") is not None
    assert target.rank(f"cp311-cp311-{does_not}") is None


def test_more_specific_tags_are_better() -> None:
    target = make_target("3.11", "linux")
    order = [
        "cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-linux_x86_64",
        "cp311-abi3-manylinux_2_28_x86_64", "cp311-none-manylinux_2_28_x86_64", "cp39-abi3-manylinux_2_17_x86_64",
        "py311-none-manylinux_2_17_x86_64", "py3-none-manylinux_2_17_x86_64", "cp311-none-any", "py311-none-any",
        "py3-none-any", "py30-none-any",
    ]  # fmt: skip
    ranks = [target.rank(tags) for tags in order]
    assert None not in ranks
    assert ranks == sorted(ranks, key=lambda rank: rank or 0)
    assert target.rank("cp310-cp310-manylinux_2_17_x86_64") is None
    assert target.rank("cp312-abi3-manylinux_2_17_x86_64") is None


def test_compressed_tag_set_counts_as_its_best_tag() -> None:
    target = make_target("3.11", "linux")
    assert target.rank("py2.py3-none-any") == target.rank("py3-none-any")
    assert target.rank("cp311-cp311-manylinux_2_5_x86_64.manylinux1_x86_64") == target.rank(
        "cp311-cp311-manylinux_2_5_x86_64"
    )


def test_requires_python_that_is_no_specifier_excludes_nothing() -> None:
    target = make_target("3.11", "linux")
    assert target.admits_python("three or so")
    assert target.admits_python(">=3.6.*")
    assert not target.admits_python(">=3.12.*")
    assert not target.admits_python(">='3.12'")
    assert not target.admits_python(">=3.8<3.11")
    assert not target.admits_python("!=3.11.*,>=3")


def test_wheel_for_the_python_is_known_on_whatever_platform() -> None:
    target = make_target("3.11", "linux")
    assert target.suits_python("cp311-cp311-win_amd64")
    assert not target.suits_python("cp310-cp310-manylinux_2_17_x86_64")


def test_of_wheels_for_other_pythons_those_for_the_next_minor_version_are_nearest() -> None:
    target = make_target("3.9", "linux")
    nearest_first = [
        "cp39-cp39-win_amd64",
        "cp27.cp310-none-any",
        "cp37-cp37m-manylinux1_x86_64",
        "cp313-cp313-win_amd64",
        "cp27-cp27mu-manylinux1_x86_64",
    ]
    assert sorted(sorted(nearest_first), key=target.distance) == nearest_first


def test_running_platform_and_python_are_what_packaging_sees() -> None:
    target = make_target(running_python(), running_platform())
    ours = {key: value for key, value in default_environment().items() if key != "extra"}
    if sys.implementation.name == "cpython" and "+" not in ours["python_full_version"]:
        assert dict(target.environment) == ours
    assert {str(tag) for tag in sys_tags()} <= set(target.ranks)
