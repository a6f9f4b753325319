"""No code of what is checked is run: every place that an installer would run code from leaves no mark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import artifacts
from index_server import IndexServer

import conflictcheck
from conflictcheck.index.memory import Rel

SHADOWS = (
    "sitecustomize",
    "usercustomize",
    "click",
    "packaging",
    "tomllib",
    "urllib3",
    "msgspec",
    "keyring",
    "conftest",
)
"""Modules that the interpreter or conflictcheck would import, were the working directory on its path."""


def mark(folder: Path, name: str) -> str:
    """Code that leaves a file behind, first of all."""
    return f"open({str(folder / 'marks' / name)!r}, 'w').close()\n"


def test_nothing_that_an_installer_would_run_is_run(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (tmp_path / "marks").mkdir()

    def write(path: str, text: str) -> None:
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_text(text)

    write("setup.py", mark(tmp_path, "setup.py") + "from setuptools import setup\nsetup(name='here', version='1')\n")
    write("tool.py", f"# /// script\n# dependencies = ['lib']\n# ///\n{mark(tmp_path, 'script')}")
    write("old/setup.py", mark(tmp_path, "old-setup.py") + "from setuptools import setup\nsetup(name='old')\n")
    write("new/pyproject.toml", '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n')
    write("new/backend.py", mark(tmp_path, "backend"))
    write(
        "new/pyproject.toml",
        (clone / "new/pyproject.toml").read_text() + '[project]\nname="new"\ndynamic=["version"]\n',
    )
    write("evil.pth", "import os; " + mark(tmp_path, "pth"))
    write("evil.egg-link", str(clone / "old"))
    write("git/hooks/post-checkout", "#!/bin/sh\ntouch " + str(tmp_path / "marks" / "hook"))
    for name in SHADOWS:
        write(f"{name}.py", mark(tmp_path, name))
    write("requirements.txt", "-e .\nold @ file:old\n./new\nlib\n")
    write("requirements-built.txt", "built\n")
    with IndexServer({"lib": {"1.0": Rel(requires=[])}}) as index:
        for form in ("setup.py", "dynamic"):
            name = "built" if form == "setup.py" else "lib"
            files = {
                f"{name}-9/setup.py": (
                    mark(tmp_path, f"sdist-{form}") + "from setuptools import setup\nsetup()"
                ).encode(),
                f"{name}-9/pyproject.toml": b'[build-system]\nrequires=[]\nbuild-backend="b"\nbackend-path=["."]\n',
                f"{name}-9/b.py": mark(tmp_path, f"sdist-backend-{form}").encode(),
                f"{name}-9/PKG-INFO": artifacts.core_metadata(
                    name, "9", metadata_version="2.2", dynamic=["Requires-Dist"]
                ),
            }
            index.store(f"{name}-9.tar.gz", artifacts.tarred(files), name=name)
        wheel = {
            "lib-8.dist-info/METADATA": artifacts.core_metadata("lib", "8"),
            "lib/__init__.py": mark(tmp_path, "wheel").encode(),
            "lib-8.data/scripts/lib": mark(tmp_path, "script-of-wheel").encode(),
            "lib.pth": b"import lib",
        }
        index.store("lib-8-py3-none-any.whl", artifacts.zipped(wheel), name="lib")
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_", "PYTHON"))}
        environ |= {
            "PYTHONPATH": str(Path(conflictcheck.__file__).parent.parent),
            "PIP_INDEX_URL": index.url,
            "PIP_CONFIG_FILE": os.devnull,
            "CONFLICTCHECK_CACHE_DIR": str(tmp_path / "c"),
        }
        for arguments in (
            ["check", "-v"],
            ["check", "tool.py", "requirements-built.txt"],
            ["split", "requirements.txt", "-o", "out"],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "conflictcheck", *arguments],
                cwd=clone, env=environ, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert "Traceback" not in done.stderr, done.stderr
            assert done.returncode in {0, 1, 3}, done.stderr
            assert done.stdout, done.stderr
        assert index.requests["/files/built-9.tar.gz"], "the sources of a package were read"

    assert sorted(path.name for path in (tmp_path / "marks").iterdir()) == []
