"""Real wheels and source distributions, made on the spot, as bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SdistForm = Literal["static", "dynamic", "pyproject", "requires.txt", "pkg-info", "setup.py"]

_DATE = (2024, 1, 1, 0, 0, 0)


def core_metadata(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extras: Sequence[str] = (),
    metadata_version: str = "2.1",
    dynamic: Sequence[str] = (),
) -> bytes:
    """A ``METADATA`` or ``PKG-INFO`` document."""
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}", "Summary: for tests"]
    lines += [f"Dynamic: {field}" for field in dynamic]
    lines += [f"Requires-Python: {requires_python}"] if requires_python is not None else []
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return ("\n".join(lines) + "\n\nRequires-Dist: this line is part of the description\n").encode()


def wheel_filename(name: str, version: str, tags: str = "py3-none-any", build: str = "") -> str:
    """The filename that a wheel should have."""
    return "-".join(part for part in (name.replace("-", "_"), version, build, tags) if part) + ".whl"


def wheel(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extras: Sequence[str] = (),
    document: bytes | None = None,
    padding: int = 0,
    members: int = 0,
) -> bytes:
    """A wheel.

    Args:
        name: of the package.
        version: of the package.
        requires: its requirements.
        requires_python: a specifier.
        extras: that it provides.
        document: METADATA to use as it is.
        padding: bytes of payload before the metadata.
        members: how many empty files to add, for a large directory.
    """
    if document is None:
        document = core_metadata(name, version, requires=requires, requires_python=requires_python, extras=extras)
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    contents = {
        f"{module}/data.bin": b"\0" * padding,
        f"{info}/METADATA": document,
        f"{info}/WHEEL": b"Wheel-Version: 1.0",
    }
    contents |= {f"{module}/m{number}.py": b"" for number in range(members)}
    return zipped(contents, stored=f"{module}/data.bin")


def sdist_filename(name: str, version: str, suffix: str = ".tar.gz") -> str:
    """The filename that a source distribution should have."""
    return f"{name.replace('-', '_')}-{version}{suffix}"


def sdist(
    name: str,
    version: str,
    *,
    form: SdistForm = "static",
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extras: Sequence[str] = (),
    requires_txt: str = "",
    pyproject: str | None = None,
    suffix: str = ".tar.gz",
) -> bytes:
    """A source distribution.

    Args:
        name: of the package.
        version: of the package.
        form: what tells its requirements: a static PKG-INFO (metadata 2.2), one that calls them dynamic, a static
            ``pyproject.toml``, a ``requires.txt``, an old PKG-INFO, or nothing but ``setup.py``.
        requires: its requirements, where the form has them in PKG-INFO or ``pyproject.toml``.
        requires_python: a specifier.
        extras: that it provides.
        requires_txt: the text of ``requires.txt``, for that form.
        pyproject: a ``pyproject.toml`` to add.
        suffix: the kind of archive.
    """
    root, egg = f"{name}-{version}", f"{name.replace('-', '_')}.egg-info"
    said = {"requires": requires, "requires_python": requires_python, "extras": extras}
    plain = core_metadata(name, version, requires_python=requires_python, metadata_version="1.2")
    contents: dict[str, bytes] = {"setup.py": b"raise SystemExit('this must never run')\n"}
    match form:
        case "static":
            contents["PKG-INFO"] = core_metadata(name, version, **said, metadata_version="2.2")
        case "dynamic":
            contents["PKG-INFO"] = core_metadata(
                name, version, **said, metadata_version="2.2", dynamic=["Requires-Dist"]
            )
        case "pyproject":
            contents["PKG-INFO"] = plain
            lines = ["[project]", f'name = "{name}"', f'version = "{version}"', f"dependencies = {list(requires)!r}"]
            lines += [f"requires-python = {requires_python!r}"] if requires_python is not None else []
            contents["pyproject.toml"] = "\n".join(lines).encode()
        case "requires.txt":
            contents["PKG-INFO"] = contents[f"{egg}/PKG-INFO"] = plain
            contents[f"{egg}/requires.txt"] = requires_txt.encode()
        case "pkg-info":
            contents["PKG-INFO"] = core_metadata(name, version, **said, metadata_version="2.1")
        case "setup.py":
            pass
    if pyproject is not None:
        contents["pyproject.toml"] = pyproject.encode()
    contents = {f"{root}/{path}": data for path, data in contents.items()}
    return zipped(contents) if suffix == ".zip" else tarred(contents, suffix)


def zipped(contents: Mapping[str, bytes], *, stored: str = "") -> bytes:
    """A zip archive; the member `stored` is not compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in contents.items():
            packing = zipfile.ZIP_STORED if path == stored else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(path, _DATE), data, packing)
    return buffer.getvalue()


def tarred(contents: Mapping[str, bytes], suffix: str = ".tar.gz") -> bytes:
    """A tar archive, compressed as its suffix says."""
    buffer = io.BytesIO()
    mode: Literal["w:bz2", "w:xz", "w"] = "w:bz2" if suffix == ".tar.bz2" else "w:xz" if suffix == ".tar.xz" else "w"
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for path, data in contents.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0) if mode == "w" else buffer.getvalue()
