"""Lock files after PEP 751."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urldefrag

from conflictcheck.errors import InternalError, OutputError
from conflictcheck.escaping import HIDDEN
from conflictcheck.exports.base import EnvironmentExport, local_path, platform_marker, stem, without_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflictcheck.facts import File
    from conflictcheck.model import Environment, Pin, Report

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MADE = re.compile(rb'^created-by = "conflictcheck"\r?$', re.MULTILINE)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class PylockExport(EnvironmentExport):
    """``pylock.ENVIRONMENT.toml``: each package with its files, their addresses and hashes."""

    name = "pylock"
    pattern = "pylock.*.toml"

    def files(self, environment: Environment, report: Report) -> dict[str, str]:
        """Render one file, and read it back.

        Raises:
            OutputError: a package has no file with a hash, or is a direct reference that cannot be locked.
            InternalError: what was rendered is no lock file.
        """
        filename = f"pylock.{stem(environment)}.toml"
        platforms = tuple(dict.fromkeys(target.platform for target in report.targets))
        document: dict[str, Any] = {"lock-version": "1.0"}
        if marker := platform_marker(platforms, environment.python_version):
            document["environments"] = marker.removeprefix("(").removesuffix(")").split(") or (")
        minor = ".".join(environment.python_version.split(".")[:2])
        # The markers were evaluated for this Python alone.
        document["requires-python"] = f"=={minor}.*"
        document["created-by"] = "conflictcheck"
        document["packages"] = [_package(pin, environment, filename) for pin in environment.packages]
        text = _document(document)
        _check(text, filename)
        return {filename: text}

    def has_made(self, beginning: bytes) -> bool:
        """By the tool that the lock file names, before its packages."""
        return _MADE.search(beginning.partition(b"\n[[")[0]) is not None


def _check(text: str, filename: str) -> None:
    import tomllib  # noqa: PLC0415 - only where a lock file is asked for

    from packaging.pylock import Pylock, PylockValidationError  # noqa: PLC0415

    try:
        Pylock.from_dict(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, PylockValidationError) as error:
        raise InternalError(f"the rendered {filename} is no lock file: {error}") from error


def _package(pin: Pin, environment: Environment, filename: str) -> dict[str, Any]:
    package: dict[str, Any] = {"name": pin.name}
    if pin.url is None or any(file.is_wheel for file in pin.files):
        package["version"] = pin.version
    if marker := platform_marker(pin.platforms, environment.python_version):
        package["marker"] = marker
    if pin.requires_python and _is_specifier(pin.requires_python):
        package["requires-python"] = pin.requires_python
    if pin.requires:
        package["dependencies"] = [{"name": name} for name in pin.requires]
    return package | (_release(pin, filename) if pin.url is None else _direct(pin, pin.url, filename))


def _release(pin: Pin, filename: str) -> dict[str, Any]:
    hashed = sorted((file for file in pin.files if file.hashes), key=lambda file: file.filename)
    wheels = [file for file in hashed if file.is_wheel]
    archives = [file for file in hashed if not file.is_wheel]
    if not hashed:
        raise OutputError(
            f"{pin.name} {pin.version} has no file with a hash, which a lock file needs",
            file=filename,
            hint="use --export requirements",
        )
    if any("${" in file.url for file in hashed):
        raise _cannot_lock(pin, filename, "its address holds the value of a variable, which is not written anywhere")
    release: dict[str, Any] = {}
    if hashed[0].index.startswith(("https://", "http://")):
        release["index"] = hashed[0].index
    if archives:
        release["sdist"] = _file(archives[0])
    if wheels:
        release["wheels"] = [_file(file) for file in wheels]
    return release


def _file(file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": file.filename}
    if instant := _instant(file.upload_time):
        entry["upload-time"] = instant
    entry["url"] = without_query(file.url)
    if file.size is not None:
        entry["size"] = file.size
    entry["hashes"] = _hashes(file.hashes)
    return entry


def _hashes(values: tuple[str, ...]) -> dict[str, str]:
    return dict(sorted(value.split(":", 1) for value in values))


def _direct(pin: Pin, url: str, filename: str) -> dict[str, Any]:
    """A direct reference: a version-control checkout, a folder or an archive (PEP 751, packages.vcs and following)."""
    if "${" in url or without_query(url) != url:
        raise _cannot_lock(pin, filename, "its address holds what may be a secret, which is not written anywhere")
    plain, fragment = urldefrag(url)
    fragments = {key: found[0] for key, found in parse_qs(fragment).items()}
    subdirectory = {"subdirectory": fragments["subdirectory"]} if fragments.get("subdirectory") else {}
    tool, plus, rest = plain.partition("+")
    if plus and tool in {"git", "hg", "bzr", "svn"}:
        address, at, commit = rest.rpartition("@")
        if not at or not _COMMIT.fullmatch(commit):
            raise _cannot_lock(pin, filename, "its commit is not given in full")
        return {"vcs": {"type": tool, "url": address, "commit-id": commit} | subdirectory}
    hashes = _hashes(tuple(sorted({digest for file in pin.files for digest in file.hashes})))
    hashes |= {name: digest for name, digest in fragments.items() if name == "sha256"}
    path = local_path(plain)
    if path is not None and (pin.editable or not hashes):
        return {
            "directory": {"path": path.replace("\\", "/")} | ({"editable": True} if pin.editable else {}) | subdirectory
        }
    if not hashes:
        raise _cannot_lock(pin, filename, "its hash is not known", "add #sha256=… to its address, or ")
    place = {"url": plain} if path is None else {"path": path.replace("\\", "/")}
    return {"archive": place | {"hashes": hashes} | subdirectory}


def _cannot_lock(pin: Pin, filename: str, reason: str, remedy: str = "") -> OutputError:
    return OutputError(
        f"{pin.name} cannot be put into a lock file: {reason}", file=filename, hint=f"{remedy}use --export requirements"
    )


def _is_specifier(text: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


class _Literal(str):
    """Text that stands in TOML without quotes."""

    __slots__ = ()


def _instant(text: str | None) -> _Literal | None:
    """An RFC 3339 timestamp as TOML writes it, or None where there is none; checked, for it comes from an index."""
    from datetime import UTC, datetime  # noqa: PLC0415

    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return _Literal(instant.astimezone(UTC).isoformat().replace("+00:00", "Z"))


def _document(values: Mapping[str, Any]) -> str:
    """TOML with a table for each package and a line for each file, so that changes read well in a diff."""
    lines = [f"{key} = {_value(value)}" for key, value in values.items() if key != "packages"]
    if not values["packages"]:
        lines.append("packages = []")
    for package in values["packages"]:
        lines += ["", "[[packages]]"]
        lines += [f"{key} = {_value(value)}" for key, value in package.items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, _Literal):
        return str(value)
    if isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's as well; what JSON leaves as it is and nobody would see gets TOML's long ones.
        text = HIDDEN.sub(lambda match: f"\\U{ord(match[0]):08x}", json.dumps(value, ensure_ascii=False))
        return text.replace("##", "#\\u0023")  # see `conflictcheck.escaping`
    if isinstance(value, dict):
        pairs = ", ".join(
            f"{key if _BARE_KEY.fullmatch(key) else _value(key)} = {_value(item)}" for key, item in value.items()
        )
        return f"{{ {pairs} }}"
    return "[\n" + "".join(f"    {_value(item)},\n" for item in value) + "]"
