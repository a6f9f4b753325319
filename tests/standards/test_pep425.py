"""Wheel tags: PEP 425 and 600, today the specification "Platform compatibility tags"."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from asking import Asker

PREFERRED = [
    "cp33-cp33m-linux_x86_64",
    "cp33-abi3-linux_x86_64",
    "cp33-none-linux_x86_64",
    "py33-none-linux_x86_64",
    "py3-none-linux_x86_64",
    "cp33-none-any",
    "py33-none-any",
    "py3-none-any",
    "py32-none-any",
    "py31-none-any",
    "py30-none-any",
]
"""PEP 425, "Use", without the tags cp3-abi3 and cp3-none, which no installer has had."""


def test_of_the_documents_list_the_tag_that_comes_first_is_preferred(ask: Asker) -> None:
    pairs = list(pairwise(PREFERRED))
    packages = {f"p{number}": {"1": Rel(tags=pair[::-1])} for number, pair in enumerate(pairs)}

    [environment] = ask.check(packages, *packages, python_versions=["3.3"]).environments

    chosen = {pin.name: pin.files[0].tags for pin in environment.packages}
    assert chosen == {f"p{number}": better for number, (better, _) in enumerate(pairs)}


WHEELS = [
    # Compressed tag sets
    ("py2.py3-none-any", "linux", "3.11", True),
    ("cp310.cp311-cp310.cp311-win32.win_amd64", "windows", "3.11", True),
    ("py2-none-any", "linux", "3.11", False),
    # Python and ABI tags
    ("cp311-cp311-linux_x86_64", "linux", "3.11", True),
    ("cp310-cp310-linux_x86_64", "linux", "3.11", False),
    ("cp38-abi3-linux_x86_64", "linux", "3.11", True),
    ("cp312-abi3-linux_x86_64", "linux", "3.11", False),
    ("cp38-none-linux_x86_64", "linux", "3.11", False),
    ("py38-none-any", "linux", "3.11", True),
    ("py312-none-any", "linux", "3.11", False),
    ("pp310-pypy310_pp73-linux_x86_64", "linux", "3.11", False),
    ("cp33-cp31u-win64", "windows", "3.3", False),
    # PEP 600, core definition: the glibc of the tag or a newer one, on that architecture
    ("cp311-cp311-manylinux_2_17_x86_64", "x86_64-manylinux_2_17", "3.11", True),
    ("cp311-cp311-manylinux_2_17_x86_64", "x86_64-manylinux_2_28", "3.11", True),
    ("cp311-cp311-manylinux_2_28_x86_64", "x86_64-manylinux_2_17", "3.11", False),
    ("cp311-cp311-manylinux_2_17_aarch64", "x86_64-manylinux_2_17", "3.11", False),
    ("cp311-cp311-manylinux_2_17_x86_64", "x86_64-unknown-linux-musl", "3.11", False),
    ("cp311-cp311-musllinux_1_1_x86_64", "x86_64-unknown-linux-musl", "3.11", True),
    ("cp311-cp311-musllinux_1_1_x86_64", "linux", "3.11", False),
    # PEP 600, legacy manylinux tags
    ("cp311-cp311-manylinux1_x86_64", "x86_64-manylinux_2_17", "3.11", True),
    ("cp311-cp311-manylinux2010_x86_64", "x86_64-manylinux_2_17", "3.11", True),
    ("cp311-cp311-manylinux2014_x86_64", "x86_64-manylinux_2_17", "3.11", True),
    ("cp311-cp311-manylinux2014_aarch64", "aarch64-manylinux_2_17", "3.11", True),
    ("cp311-cp311-manylinux1_aarch64", "aarch64-manylinux_2_17", "3.11", False),
    # macOS, Windows
    ("cp311-cp311-macosx_11_0_arm64", "macos", "3.11", True),
    ("cp311-cp311-macosx_14_0_arm64", "macos", "3.11", False),
    ("cp311-cp311-macosx_10_9_universal2", "macos", "3.11", True),
    ("cp311-cp311-macosx_10_9_intel", "macos", "3.11", False),
    ("cp311-cp311-macosx_10_9_universal2", "x86_64-apple-darwin", "3.11", True),
    ("cp311-cp311-macosx_10_9_x86_64", "x86_64-apple-darwin", "3.11", True),
    ("cp311-cp311-win_amd64", "windows", "3.11", True),
    ("cp311-cp311-win32", "windows", "3.11", False),
    ("cp311-cp311-android_24_arm64_v8a", "aarch64-linux-android", "3.11", True),
    ("cp311-cp311-android_27_arm64_v8a", "aarch64-linux-android", "3.11", False),
    ("cp311-cp311-ios_13_0_arm64_iphoneos", "arm64-apple-ios", "3.11", True),
    ("cp311-cp311-ios_13_0_arm64_iphonesimulator", "arm64-apple-ios", "3.11", False),
]


@pytest.mark.parametrize(("tags", "platform", "python", "fits"), WHEELS)
def test_a_wheel_fits_where_one_of_its_tags_is_supported(
    tags: str, platform: str, python: str, *, fits: bool, ask: Asker
) -> None:
    pins = ask.pins({"x": {"1": Rel(tags=(tags,))}}, "x", python_versions=[python], python_platforms=[platform])
    assert bool(pins) is fits


def test_the_manylinux_wheel_with_the_newest_glibc_that_fits_is_preferred(ask: Asker) -> None:
    tags = [f"cp311-cp311-manylinux_2_{minor}_x86_64" for minor in (5, 17, 24, 31)]

    [environment] = ask.check({"x": {"1": Rel(tags=tuple(tags))}}, "x", python_platforms=["linux"]).environments

    assert environment.packages[0].files[0].tags == "cp311-cp311-manylinux_2_24_x86_64"


def test_a_newer_release_without_a_fitting_wheel_gives_way_to_an_older_one(ask: Asker) -> None:
    packages = {"beaglevote": {"1.1.0": Rel(), "1.2.0": Rel(requires_python=">=3.12")}}
    assert ask.pins(packages, "beaglevote") == {"beaglevote": "1.1.0"}
    packages = {"beaglevote": {"1.1.0": Rel(), "1.2.0": Rel(tags=("cp312-cp312-linux_x86_64",))}}
    assert ask.pins(packages, "beaglevote") == {"beaglevote": "1.1.0"}
