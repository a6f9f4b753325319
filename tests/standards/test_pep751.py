"""Lock files: PEP 751, today the "``pylock.toml`` Specification"."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from artifacts import sdist, wheel
from index_server import IndexServer
from packaging.pylock import Pylock, is_valid_pylock_path
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

from conflictcheck.cli import ExitCode, run
from conflictcheck.index.memory import Rel
from conflictcheck.targets import make_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINUX, WINDOWS = "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"
PACKAGES = {
    "App.Core": {"1.0": Rel(requires=["Lib_A>=1", "posixonly; os_name == 'posix'", "lib-a[fast]"])},
    "lib-a": {
        "1.0": Rel(extras=("fast",), requires=["quick; extra == 'fast'"]),
        "2.0": Rel(
            tags=(LINUX, WINDOWS), sdist=True, extras=("fast",), requires=["quick; extra == 'fast'"],
            requires_python=">=3.9", upload_time="2024-01-02T03:04:05.678Z",
        ),
    },
    "posixonly": {"1": Rel(tags=(LINUX,))},
    "quick": {"1": Rel(tags=(), sdist=True)},
    "old": {"1": ["lib-a<2"]},
}  # fmt: skip
TOP = ["lock-version", "environments", "requires-python", "extras", "dependency-groups", "default-groups", "created-by",
       "packages", "tool"]  # fmt: skip
OF_A_PACKAGE = ["name", "version", "marker", "requires-python", "dependencies", "vcs", "directory", "archive", "index",
                "sdist", "wheels", "attestation-identities", "tool"]  # fmt: skip
OF_A_FILE = ["name", "upload-time", "url", "path", "size", "hashes", "subdirectory"]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    with IndexServer(PACKAGES) as server:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        yield server


def split(folder: Path, *options: str, **specs: str) -> dict[str, dict[str, Any]]:
    """The lock files of the environments that hold these specs, by filename."""
    for name, lines in specs.items():
        (folder / f"{name}-requirements.txt").write_text(lines)
    platforms = ["--python-version", "3.11", "--python-platform", "linux", *options]
    code = run(["split", "-o", "locks", "--export", "pylock", "--no-cache", "-q", *platforms])
    assert code in {ExitCode.PASSED, ExitCode.FAILED}
    return {path.name: tomllib.loads(path.read_text()) for path in sorted((folder / "locks").iterdir())}


@pytest.fixture
def locks(index: IndexServer, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Those of two specs that cannot share an environment, for two platforms."""
    assert index.url
    return split(tmp_path, "--python-platform", "windows", web="app-core\nlib-a>=2\n", batch="app-core\nold\n")


def in_order(keys: list[str], order: list[str]) -> bool:
    return keys == sorted(keys, key=order.index)


def test_file_name(locks: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    assert len(locks) == 2
    for name in locks:
        assert re.fullmatch(r"pylock\.([^.]+)\.toml", name)
        assert is_valid_pylock_path(tmp_path / "locks" / name)


def test_every_file_is_valid(locks: dict[str, dict[str, Any]]) -> None:
    for lock in locks.values():
        Pylock.from_dict(lock)


def test_required_keys_and_their_order(locks: dict[str, dict[str, Any]]) -> None:
    for lock in locks.values():
        assert lock["lock-version"] == "1.0"
        assert lock["created-by"] == "conflictcheck"
        assert in_order(list(lock), TOP)
        assert [package["name"] for package in lock["packages"]] == sorted(
            canonicalize_name(package["name"]) for package in lock["packages"]
        )
        for package in lock["packages"]:
            assert in_order(list(package), OF_A_PACKAGE)
            for file in [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]:
                assert in_order(list(file), OF_A_FILE)


def test_requires_python_and_environments_are_those_that_the_file_was_made_for(
    locks: dict[str, dict[str, Any]],
) -> None:
    for lock in locks.values():
        assert SpecifierSet(lock["requires-python"]).contains("3.11.9")
        assert not SpecifierSet(lock["requires-python"]).contains("3.12.0")
        markers = Pylock.from_dict(lock).environments or ()
        for platform, fitting in (("linux", 1), ("windows", 1), ("macos", 0)):
            environment = dict(make_target("3.11", platform).environment)
            assert sum(marker.evaluate(environment) for marker in markers) == fitting


def test_a_package_with_files_has_its_version_and_exactly_these_files(
    index: IndexServer, locks: dict[str, dict[str, Any]]
) -> None:
    for lock in locks.values():
        for package in lock["packages"]:
            files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
            assert files
            assert package["version"]
            assert package["index"] == index.url
            for file in files:
                data = index.files[file["name"]].data
                assert file["url"] == f"{index.root}/files/{file['name']}"
                assert file["hashes"] == {"sha256": hashlib.sha256(data).hexdigest()}
                assert file["size"] == len(data)
                assert isinstance(file.get("upload-time", datetime.now().astimezone()), datetime)


def test_a_dependency_tells_which_entry_it_is(locks: dict[str, dict[str, Any]]) -> None:
    for lock in locks.values():
        names = [package["name"] for package in lock["packages"]]
        wanted = {each["name"] for package in lock["packages"] for each in package.get("dependencies", ())}
        assert wanted
        assert all(names.count(name) == 1 for name in wanted)


@pytest.mark.parametrize(
    ("platform", "lib_a"), [("linux", f"lib_a-2.0-{LINUX}.whl"), ("windows", f"lib_a-2.0-{WINDOWS}.whl")]
)
def test_an_installer_selects_from_the_file_what_was_resolved_for_its_platform(
    platform: str, lib_a: str, locks: dict[str, dict[str, Any]]
) -> None:
    target = make_target("3.11", platform)
    tags = [tag for text in target.ranks for tag in parse_tag(text)]
    selected = {}
    for name, lock in locks.items():
        pylock = Pylock.from_dict(lock)
        found = pylock.select(environment=target.environment, tags=tags)  # type: ignore[arg-type]
        selected[name] = {package.name: file.filename for package, file in found}  # type: ignore[union-attr]

    posix = {"posixonly": f"posixonly-1-{LINUX}.whl"} if platform == "linux" else {}
    common = {"app-core": "App.Core-1.0-py3-none-any.whl", "quick": "quick-1.tar.gz", **posix}
    assert sorted(selected.values(), key=len) == [
        {**common, "lib-a": lib_a},
        {**common, "lib-a": "lib_a-1.0-py3-none-any.whl", "old": "old-1-py3-none-any.whl"},
    ]


def test_direct_references_are_archives_and_directories(index: IndexServer, tmp_path: Path) -> None:
    index.store("wheeled-1-py3-none-any.whl", wheel("wheeled", "1"), name="wheeled")
    index.store("packed-1.tar.gz", sdist("packed", "1"), name="packed")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pyproject.toml").write_text('[project]\nname = "mine"\nversion = "1"\n')
    digest = hashlib.sha256(index.files["wheeled-1-py3-none-any.whl"].data).hexdigest()

    [lock] = split(
        tmp_path,
        all=f"wheeled @ {index.root}/files/wheeled-1-py3-none-any.whl#sha256={digest}\n"
        f"packed @ {index.root}/files/packed-1.tar.gz\n-e ./mine\n",
    ).values()

    packages = {package["name"]: package for package in lock["packages"]}
    Pylock.from_dict(lock)
    assert packages["wheeled"]["version"] == "1"
    assert packages["wheeled"]["archive"]["hashes"] == {"sha256": digest}
    assert packages["packed"]["archive"]["url"] == f"{index.root}/files/packed-1.tar.gz"
    # A version must not be stated where a source tree may come to have another one.
    assert "version" not in packages["mine"]
    assert packages["mine"]["directory"]["editable"] is True
    assert not any({"index", "sdist", "wheels"} & packages[name].keys() for name in packages)
