"""A Python version on a platform: its marker values and its wheel tags.

Platform names and what they stand for follow uv (``--python-platform``), so that both tools mean the same:
``linux`` is x86-64 with glibc 2.28, ``macos`` is Apple silicon with macOS 13.
"""

from __future__ import annotations

import platform as host
import re
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from conflictcheck.errors import UsageError
from conflictcheck.slips import mended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NEWEST_GLIBC_MINOR = 44
_ALIASES = {
    "linux": "x86_64-unknown-linux-gnu",
    "macos": "aarch64-apple-darwin",
    "windows": "x86_64-pc-windows-msvc",
    "x86_64-manylinux2014": "x86_64-manylinux_2_17",
    "aarch64-manylinux2014": "aarch64-manylinux_2_17",
}
_TRIPLES = (
    "x86_64-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
    "i686-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "riscv64-unknown-linux",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "aarch64-linux-android",
    "x86_64-linux-android",
    "arm64-apple-ios",
    "arm64-apple-ios-simulator",
    "x86_64-apple-ios-simulator",
    "wasm32-pyodide2024",
)
PLATFORMS: tuple[str, ...] = (
    *_ALIASES,
    *_TRIPLES,
    *(
        f"{machine}-manylinux_2_{minor}"
        for machine in ("x86_64", "aarch64")
        for minor in (17, 28, *range(31, _NEWEST_GLIBC_MINOR + 1))
    ),
)
"""Every name that ``--python-platform`` takes, besides the running platform's own."""

_MANYLINUX = re.compile(r"(x86_64|aarch64)-manylinux_2_(\d+)")
_PYTHON_3 = re.compile(r"(?:cp|py)3([0-9]{1,3})")
_ANOTHER_MAJOR = 1000
_OLDEST_GLIBC_MINOR = {"x86_64": 5, "i686": 5}
_LEGACY_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def all_platforms() -> str:
    """All names, in short."""
    glibc = f"x86_64-manylinux_2_N and aarch64-manylinux_2_N (N is 17, 28 or 31 to {_NEWEST_GLIBC_MINOR})"
    return f"{', '.join([*_ALIASES, *_TRIPLES])}, {glibc}, and {running_platform()} for the machine this runs on"


def running_platform() -> str:
    """The name that stands for the platform this program runs on: ``linux-x86_64``, ``darwin-arm64``.

    It keeps the running platform's exact wheel tags, such as its glibc version.
    """
    return f"{host.system().lower()}-{host.machine().lower()}"


def running_python() -> str:
    """The running Python's version, ``X.Y.Z``."""
    return ".".join(map(str, sys.version_info[:3]))


class Target(Struct, frozen=True, eq=False, dict=True):
    """One marker environment and set of wheel tags; a run makes each once, and knows it by identity.

    Attributes:
        python_version: as the user gave it.
        platform: as the user gave it.
        environment: values of the PEP 508 marker variables, `extra` aside.
        ranks: wheel tag to preference, 0 the best.
    """

    python_version: str
    platform: str
    environment: Mapping[str, str]
    ranks: Mapping[str, int]

    @cached_property
    def _interpreters(self) -> frozenset[str]:
        """The interpreter and ABI parts of the tags."""
        return frozenset(tag.rpartition("-")[0] for tag in self.ranks)

    @cached_property
    def _platforms(self) -> frozenset[str]:
        """The platform parts of the tags."""
        return frozenset(tag.rpartition("-")[2] for tag in self.ranks)

    # A package index repeats few distinct texts a hundred thousand times: each is looked at once.

    @cached_property
    def _known_ranks(self) -> dict[str, int | None]:
        return {}

    @cached_property
    def _known_platforms(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _known_suiting(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _known_pythons(self) -> dict[str, bool]:
        return {}

    @property
    def name(self) -> str:
        """``Python 3.11 on linux``."""
        return f"Python {self.python_version} on {self.platform}"

    def rank(self, tags: str) -> int | None:
        """The preference of a wheel.

        Args:
            tags: a compressed tag set, as in a filename (PEP 425): ``py2.py3-none-any``.

        Returns:
            The rank of the best of its tags, 0 the best of all; None if the target supports none of them.
        """
        if tags not in self._known_ranks:
            found = [rank for tag in _expand(tags) if (rank := self.ranks.get(tag)) is not None]
            self._known_ranks[tags] = min(found, default=None)
        return self._known_ranks[tags]

    def suits_python(self, tags: str) -> bool:
        """Whether a wheel is for this Python, on whatever platform."""
        if tags not in self._known_suiting:
            suits = any(tag.rpartition("-")[0] in self._interpreters for tag in _expand(tags))
            self._known_suiting[tags] = suits
        return self._known_suiting[tags]

    def distance(self, tags: str) -> int:
        """How far a wheel's Python is from this one, in minor versions: 0 where it suits it, far for another major."""
        if self.suits_python(tags):
            return 0
        own = int(self.python_version.split(".")[1])
        minors = map(int, _PYTHON_3.findall(tags.partition("-")[0]))
        return min((1 + abs(own - minor) for minor in minors), default=_ANOTHER_MAJOR)

    def suits_platform(self, tags: str) -> bool:
        """Whether a wheel is for this platform, on whatever Python."""
        if tags not in self._known_platforms:
            suits = not self._platforms.isdisjoint(tag.rpartition("-")[2] for tag in _expand(tags))
            self._known_platforms[tags] = suits
        return self._known_platforms[tags]

    def admits_python(self, requires_python: str) -> bool:
        """Whether a ``Requires-Python`` admits this target; one that is no valid specifier excludes nothing."""
        if requires_python not in self._known_pythons:
            specifier = _requires_python(requires_python)
            version = self.environment["python_full_version"]
            try:
                admitted = specifier is None or specifier.contains(version, prereleases=True)
            except ValueError:  # a number of more digits than Python reads
                admitted = True
            self._known_pythons[requires_python] = admitted
        return self._known_pythons[requires_python]


def _expand(tags: str) -> tuple[str, ...]:
    interpreters, _, rest = tags.partition("-")
    abis, _, platforms = rest.partition("-")
    return tuple(
        f"{interpreter}-{abi}-{platform}".lower()
        for interpreter in interpreters.split(".")
        for abi in abis.split(".")
        for platform in platforms.split(".")
    )


def _requires_python(text: str) -> SpecifierSet | None:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        try:
            return SpecifierSet(mended(text))
        except InvalidSpecifier:
            return None


def make_target(python_version: str, platform: str) -> Target:
    """The target for a Python version on a platform.

    Args:
        python_version: ``X.Y`` or ``X.Y.Z``; a missing patch number is 0, as in uv.
        platform: one of `PLATFORMS`, or what `running_platform` gives.

    Raises:
        UsageError: for a version or platform that does not exist.
    """
    try:
        version = Version(python_version)
    except InvalidVersion:
        version = None
    if version is None or not re.fullmatch(r"\d+\.\d+(\.\d+\w*)?", python_version):
        raise UsageError(f"{python_version!r} is not a Python version", hint="write it like 3.11 or 3.11.9")
    full = python_version if python_version.count(".") > 1 else f"{python_version}.0"
    major, minor = version.release[:2]
    names, markers = _describe_platform(platform)
    short = f"{major}.{minor}"
    environment = {
        "implementation_name": "cpython",
        "implementation_version": full,
        "platform_python_implementation": "CPython",
        "python_full_version": full,
        "python_version": short,
        **markers,
    }
    interpreter = f"cp{major}{minor}"
    from packaging import tags  # noqa: PLC0415 - whether a platform exists is known without

    found = [
        *tags.cpython_tags((major, minor), abis=[_abi(major, minor)], platforms=names),
        *tags.compatible_tags((major, minor), interpreter, names),
    ]
    return Target(
        python_version=python_version,
        platform=platform,
        environment=environment,
        ranks={str(tag): rank for rank, tag in reversed(list(enumerate(found)))},
    )


def _abi(major: int, minor: int) -> str:
    # Until 3.7 the ABI tag had the flag for pymalloc, which every distributed build has.
    flag = "m" if (major, minor) < (3, 8) else ""
    return f"cp{major}{minor}{flag}"


def _describe_platform(  # noqa: PLR0911 - one return for each kind of platform
    name: str,
) -> tuple[list[str], dict[str, str]]:
    """The platform tags, best first, and the marker values."""
    if name == running_platform():
        from packaging.tags import platform_tags  # noqa: PLC0415 - as above

        return list(platform_tags()), _markers(
            sys.platform, host.system(), host.machine(), host.release(), host.version()
        )
    if name not in PLATFORMS:
        import difflib  # noqa: PLC0415 - only for the message

        near = difflib.get_close_matches(name, PLATFORMS, n=1)
        raise UsageError(
            f"{name!r} is not a platform",
            hint=f"did you mean {near[0]!r}?" if near else "try linux, macos, windows or x86_64-manylinux_2_28",
        )
    triple = _ALIASES.get(name, name)
    if manylinux := _MANYLINUX.fullmatch(triple):
        machine, minor = manylinux[1], int(manylinux[2])
        return list(_glibc_platforms(machine, minor)), _markers("linux", "Linux", machine)
    machine, _, system = triple.partition("-")
    if system.endswith("linux-gnu") or system == "unknown-linux":
        return list(_glibc_platforms(machine, 28 if machine != "riscv64" else 39)), _markers("linux", "Linux", machine)
    if system == "unknown-linux-musl":
        tags = [*(f"musllinux_1_{minor}_{machine}" for minor in (2, 1, 0)), f"linux_{machine}"]
        return tags, _markers("linux", "Linux", machine)
    if system == "pc-windows-msvc":
        tag, marker = {
            "x86_64": ("win_amd64", "AMD64"),
            "aarch64": ("win_arm64", "ARM64"),
            "i686": ("win32", "x86"),
        }[machine]
        return [tag], _markers("win32", "Windows", marker)
    if system == "apple-darwin":
        arch = "arm64" if machine == "aarch64" else machine
        from packaging.tags import mac_platforms  # noqa: PLC0415 - as above

        return list(mac_platforms((13, 0), arch)), _markers("darwin", "Darwin", arch)
    if system == "linux-android":
        arch = {"aarch64": "arm64_v8a"}.get(machine, machine)
        return [f"android_{level}_{arch}" for level in range(24, 15, -1)], _markers("android", "Android", machine)
    if system.startswith("apple-ios"):
        multiarch = f"{machine}-{'iphonesimulator' if system.endswith('simulator') else 'iphoneos'}"
        from packaging.tags import ios_platforms  # noqa: PLC0415 - as above

        return list(ios_platforms((13, 0), multiarch)), _markers("ios", "iOS", machine)
    return ["pyodide_2024_0_wasm32", "emscripten_3_1_58_wasm32"], _markers("emscripten", "Emscripten", "wasm32")


def _glibc_platforms(machine: str, newest: int) -> Iterator[str]:
    """Manylinux tags down to the oldest that the machine has (PEP 600), then plain Linux."""
    for minor in range(newest, _OLDEST_GLIBC_MINOR.get(machine, 17) - 1, -1):
        yield f"manylinux_2_{minor}_{machine}"
        if minor in _LEGACY_MANYLINUX:
            yield f"{_LEGACY_MANYLINUX[minor]}_{machine}"
    yield f"linux_{machine}"


def _markers(sys_platform: str, system: str, machine: str, release: str = "", version: str = "") -> dict[str, str]:
    return {
        "os_name": "nt" if sys_platform == "win32" else "posix",
        "platform_machine": machine,
        "platform_release": release,
        "platform_system": system,
        "platform_version": version,
        "sys_platform": sys_platform,
    }
