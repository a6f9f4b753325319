"""Direct references: URLs, archives, version control, local projects, and the names of the packages behind them.

Sources: PEP 508 for ``name @ url``; pip's documentation, "Requirement Specifiers" and "VCS Support", for the rest.
"""

from __future__ import annotations

import ast
import re
import tomllib
import warnings
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from msgspec import Struct
from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from conflictcheck.errors import SpecError
from conflictcheck.text import SIZE_LIMIT, has_controls, variables_in, without_credentials
from conflictcheck.url_paths import path_in_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz")
PROJECT_FILES = ("pyproject.toml", "setup.py")
"""One of them is in every folder that pip and uv install."""

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: one is a drive
_VCS = ("git", "hg", "svn", "bzr")
_FETCHED = ("http", "https", "ftp", "file")
_EXTRAS = re.compile(r"\s*\[(?P<extras>[^\[\]]*)\]\s*$")
_EGG = re.compile(r"^(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[(?P<extras>[^\]]*)\])?$")
_STRONG_HASHES = ("sha256", "sha384", "sha512")
_LONGEST_HOST = 253
_LONGEST_LABEL = 63
_MOST_PARTS = 8
_ASK_FOR_NAME = 'write it as "name @ URL"'


HIDDEN = "a character in the URL that does not show"


class Reference(Struct, frozen=True):
    """What a direct reference says.

    Attributes:
        name: the package, where the reference or what it points to tells.
        url: without credentials, ``#egg=`` taken off; a local path as a ``file:`` URL.
        extras: as written.
        hashes: ``sha256:…`` from the URL's fragment.
    """

    name: NormalizedName | None
    url: str
    extras: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()


def is_reference(text: str) -> bool:
    """Whether a line names a place, not a package; `text` may have a marker."""
    bare = _EXTRAS.sub("", split_marker(text)[0])
    return (
        is_url(bare)
        or bare in (".", "..")
        or bare.startswith(("./", "../", "/", "~/", ".\\", "..\\"))
        or bool(re.match(r"[A-Za-z]:[\\/]", bare))
        or (bare.lower().endswith(ARCHIVES) and not re.search(r"[<>=!~@]", bare))
        or ("/" in bare and bool(re.fullmatch(r"[\w.+-]+(/[\w.+-]+)*/?", bare)))
    )


def is_url(text: str) -> bool:
    """Whether `text` begins with a scheme: ``https:``, ``git+ssh:``, ``file:``."""
    found = _SCHEME.match(text)
    return found is not None and (found[0][:-1].split("+")[0].lower() in (*_VCS, *_FETCHED) or "://" in text)


def is_of_version_control(url: str) -> bool:
    """Whether a URL is of a repository: ``git+https:``, ``hg+ssh:``, ``git:``."""
    return url.partition(":")[0].partition("+")[0].lower() in _VCS


def check_address(url: str) -> None:
    """Refuse a URL that no connection can be made to.

    Source: RFC 3986 and, for the lengths, RFC 1035.

    Raises:
        SpecError: with what is wrong with it; it quotes nothing of the URL.
    """
    if has_controls(url):
        raise SpecError("the URL has a control character", hint="take it out")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise SpecError("the URL names no host") from None
    if not host:
        raise SpecError("the URL names no host")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 and "+" not in parts.scheme:  # what version control is given is its own affair
        raise SpecError("the port of the URL is no number from 1 to 65535")
    labels = host.removesuffix(".").split(".")
    if ":" not in host and (len(host) > _LONGEST_HOST or not all(0 < len(x) <= _LONGEST_LABEL for x in labels)):
        raise SpecError("the host of the URL is no usable name")


def split_marker(text: str) -> tuple[str, str]:
    """A line's reference and its marker; a URL may hold a semicolon, so there a space has to precede or follow it."""
    separator = r"\s;|;\s" if is_url(text) or " @ " in text else ";"
    parts = re.split(separator, text, maxsplit=1)
    return parts[0].strip(), parts[1].strip() if len(parts) > 1 else ""


def parse_reference(text: str, folders: Sequence[Path]) -> Reference:
    """The meaning of a URL or path, extras in brackets after it, without marker.

    Args:
        text: the URL or path.
        folders: absolute; a relative path is looked for in each, and the first that has it counts.

    Raises:
        SpecError: it makes no sense, or a local path does not exist; without file and line.
    """
    extras: tuple[str, ...] = ()
    if found := _EXTRAS.search(text):
        extras = tuple(e.strip() for e in found["extras"].split(",") if e.strip())
        text = text[: found.start()]
    if unset := variables_in(text):
        if not variables_in(text.partition("#")[0]):
            raise SpecError("no variable is expanded after the # of a URL", hint="write what it stands for")
        raise SpecError(f"the environment variable {unset[0]} is not set")
    if has_controls(text):  # in a URL it would be hidden by percent signs
        raise SpecError("a control character in the place", hint="take it out")
    path, _, fragment = text.partition("#")
    options = dict(parse_qsl(fragment, keep_blank_values=True))
    name, more = _egg(options.pop("egg", None))
    hashes = tuple(f"{key}:{value.lower()}" for key, value in options.items() if key in _STRONG_HASHES)
    kept = f"#{urlencode(options, safe='/:')}" if options else ""
    extras += more
    scheme = path.partition(":")[0].lower() if is_url(path) else ""
    if scheme in ("", "file"):
        place = _local(path, scheme, folders)
        name = name or _local_name(place / options.get("subdirectory", "") if place.is_dir() else place)
        return Reference(name, place.as_uri() + kept, extras, hashes)
    if not text.isprintable():
        raise SpecError(HIDDEN, hint="take it out")
    vcs, plus, transport = scheme.partition("+")
    if scheme not in _FETCHED and (vcs not in _VCS or not ((plus and transport) or vcs == "git")):
        raise SpecError("the scheme of the URL is not known", hint="http, https, file, or git+https and the like")
    check_address(path)
    if name is None and vcs not in _VCS:
        name = archive_name(unquote(PurePosixPath(urlsplit(path).path).name))
    return Reference(name, without_credentials(path) + kept, extras, hashes)


def local_place(line: str, folders: Sequence[Path]) -> Path | None:
    """The local project or archive that a line means by its path, or None.

    Args:
        line: a requirement, as in a requirements file after ``-e``.
        folders: as for `parse_reference`.
    """
    text = split_marker(line)[0]
    text = text if is_reference(text) or "@" not in text else text.partition("@")[2].strip()
    path = _EXTRAS.sub("", text).partition("#")[0]
    scheme = path.partition(":")[0].lower() if is_url(path) else ""
    try:
        place = _local(path, scheme, folders) if scheme in ("", "file") else None
    except SpecError:
        return None
    return place if place is not None and (place.is_file() or _is_project(place)) else None


def archive_name(filename: str) -> NormalizedName | None:
    """The package that a wheel or source distribution is of, by its filename; None where that does not tell."""
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[0]
        return parse_sdist_filename(re.sub(r"\.(tgz|tar\.bz2|tbz|tar\.xz|txz|tar)$", ".tar.gz", filename))[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _egg(egg: str | None) -> tuple[NormalizedName | None, tuple[str, ...]]:
    if egg is None:
        return None, ()
    if not (found := _EGG.match(egg)):
        raise SpecError("what follows #egg= is not a name", hint=_ASK_FOR_NAME)
    return canonicalize_name(found["name"]), tuple(e.strip() for e in (found["extras"] or "").split(",") if e.strip())


def _local(path: str, scheme: str, folders: Sequence[Path]) -> Path:
    """The absolute path of something that exists."""
    if scheme:
        host, path = "", path[len("file:") :]
        if path.startswith("//"):
            host, _, rest = path[2:].partition("/")
            path = f"/{rest}"
        if host not in ("", "localhost"):
            raise SpecError("a file: URL with a host cannot be read", hint="write file:///path")
        path = path_in_url(path)
    try:
        # A folder that is no project is worth less than a project elsewhere: "-e ." in a folder of requirements files.
        places = [Path(_normal(folder / Path(path).expanduser())) for folder in folders]
        found = [p for p in places if p.is_file() or _is_project(p)]
        found += [p for p in places if p.exists()]
    except (OSError, ValueError, RuntimeError):
        raise SpecError("not a usable path") from None
    if not found:
        raise SpecError("no such file or folder", hint="a relative path starts at the file's folder, or where you are")
    return found[0]


def _is_project(place: Path) -> bool:
    return place.is_dir() and any((place / file).is_file() for file in PROJECT_FILES)


def _normal(path: Path) -> str:
    import os.path  # noqa: PLC0415 - one name of it, and pathlib has none for it

    return os.path.normpath(path)


def _local_name(place: Path) -> NormalizedName | None:
    if place.is_file():
        if not place.name.lower().endswith(ARCHIVES):
            raise SpecError("neither a project folder nor an archive")
        return archive_name(place.name)
    if not _is_project(place):
        raise SpecError("the folder is no Python project", hint="pip and uv look for a pyproject.toml or a setup.py")
    return project_name(place)


def project_name(folder: Path) -> NormalizedName | None:
    """The name of a local project, read from what it states without running its code; None where nothing does."""
    from configparser import Error  # noqa: PLC0415 - where a line names a project

    for file, read in _STATED_IN:
        try:
            if not (folder / file).is_file():
                continue
            with (folder / file).open("rb") as stream:
                text = stream.read(SIZE_LIMIT).decode()
            name = read(text)
            if isinstance(name, str):
                return canonicalize_name(name.strip(), validate=True)
        # A broken file is not what the user asked about; the next may tell.
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError, Error, InvalidName):
            continue
    return None


def _from_pyproject(text: str) -> Any:
    document = tomllib.loads(text)
    for table in (document.get("project"), _get(_get(document, "tool"), "poetry")):
        if isinstance(name := _get(table, "name"), str):
            return name
    return None


def _get(table: Any, key: str) -> Any:
    return table.get(key) if isinstance(table, dict) else None


def _from_setup_cfg(text: str) -> Any:
    from configparser import RawConfigParser  # noqa: PLC0415 - as above

    parser = RawConfigParser()
    parser.read_string(text)
    return parser.get("metadata", "name", fallback=None)


def _from_pkg_info(text: str) -> Any:
    from email.parser import HeaderParser  # noqa: PLC0415 - as above

    return HeaderParser().parsestr(text).get("Name")


def _from_setup_py(text: str) -> Any:
    with warnings.catch_warnings(action="ignore"):  # about its style
        tree = ast.parse(text)
    names = _given_once(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="setup") | ast.Attribute(attr="setup"), keywords=keywords):
                for keyword in keywords:
                    if keyword.arg == "name" and (name := _text_of(keyword.value, names)) is not None:
                        return name
            case _:
                pass
    return None


def _given_once(module: ast.Module) -> dict[str, ast.expr]:
    """The names that a module gives a value in one place, among its statements, with what that is."""
    given: dict[str, int] = {}
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                given[name] = given.get(name, 0) + 1
            case ast.alias(name=imported, asname=asname):
                name = asname or imported.partition(".")[0]
                given[name] = given.get(name, 0) + 1
            case _:
                pass
    found = {}
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if given[name] == 1 and "*" not in given:
                found[name] = value
            case _:
                pass
    return found


def _text_of(expression: ast.expr, names: dict[str, ast.expr], hops: int = 2) -> str | None:
    """The text that an expression has whatever happens: a constant, a name of one, or f"…" of a few such."""
    match expression:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if hops and name in names:
            return _text_of(names[name], names, hops - 1)
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _text_of(value, names, hops)
        case ast.JoinedStr(values=parts) if len(parts) <= _MOST_PARTS:
            texts = [_text_of(part, names, hops) for part in parts]
            return None if None in texts else "".join(filter(None, texts))
        case _:
            return None


_STATED_IN = (
    ("pyproject.toml", _from_pyproject),
    ("setup.cfg", _from_setup_cfg),
    ("PKG-INFO", _from_pkg_info),
    ("setup.py", _from_setup_py),
)
