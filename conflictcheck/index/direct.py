"""Direct references: an archive behind a URL, an archive or a project folder behind a ``file:`` URL."""

from __future__ import annotations

import tomllib
from functools import cache
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from packaging.utils import canonicalize_name

from conflictcheck.errors import SpecError
from conflictcheck.facts import File, Metadata, Unknown
from conflictcheck.index.addresses import (
    file_path,
    is_address,
    shown,
    shown_address,
    split_credentials,
    without_secrets,
)
from conflictcheck.index.filenames import parse_filename
from conflictcheck.index.files import MAX_SDIST, FileReader, UnreadableError, hash_of, verified
from conflictcheck.index.projects import MAX_TEXT, files_of_setuptools, is_project_file, metadata_of_project
from conflictcheck.index.sdists import SdistError, metadata_of_sdist
from conflictcheck.index.transport import FetchError, explained
from conflictcheck.uv_sources import UvSources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName

    from conflictcheck.index.transport import Transport

VERSION_CONTROL = ("git", "hg", "svn", "bzr")
_WEAK = ("md5", "sha1", "sha224")
_STRONG = ("sha256", "sha384", "sha512")
"""The hashes that a URL may state (PEP 440, direct references); all are checked, the strong ones passed on."""


class DirectReader:
    """Reads direct references.

    Args:
        transport: for archives behind HTTP.
        reader: for wheels.
    """

    def __init__(self, transport: Transport, reader: FileReader) -> None:
        self._transport = transport
        self._reader = reader
        self._document = cache(_document)  # that of a workspace's root is asked for by each member
        self._sources = UvSources(self._document)

    def read(self, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        """See `Index.direct`."""
        address, _, fragment = url.partition("#")
        if address.partition("+")[0] in VERSION_CONTROL:
            return Unknown("a version-control reference; it would have to be cloned and built to be known")
        try:
            return self._read(address, name, dict(parse_qsl(fragment)))
        except (FetchError, UnreadableError) as error:
            return Unknown(str(error))
        except SdistError as error:
            return Unknown(f"{shown_address(address)}: {error}")
        except OSError as error:
            return Unknown(f"{shown_address(address)} cannot be read: {error.strerror}")

    def _read(self, address: str, name: NormalizedName, options: dict[str, str]) -> tuple[Metadata, File] | Unknown:
        if not is_address(address):
            return Unknown(f"{shown(without_secrets(address))} is no address that can be read")
        if address.startswith("file:") and (folder := file_path(address)).is_dir():
            return self._folder(folder / options.get("subdirectory", ""), address, name)
        return self._archive(address, name, options)

    def _folder(self, folder: Path, url: str, name: NormalizedName) -> tuple[Metadata, File] | Unknown:
        if not folder.resolve().is_relative_to(file_path(url).resolve()):
            return Unknown("its subdirectory lies outside of it")
        texts: dict[str, bytes] = {}
        for path in [*folder.iterdir(), *folder.glob("*.egg-info/*"), *folder.glob("*/*.egg-info/*")]:
            inside = path.relative_to(folder).as_posix()
            if is_project_file(inside) and path.is_file():
                texts[inside] = _start_of(path)
        for name_of_file in files_of_setuptools(texts.get("pyproject.toml", b"")):
            path = folder / name_of_file
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                texts[name_of_file] = _start_of(path)
        found = metadata_of_project(texts, folder.name, name, "", source="local", folder=folder)
        if isinstance(found, Unknown):
            return found
        try:
            found = self._placed(found, folder, texts)
        except SpecError as error:
            return Unknown(error.message)
        return found, File(folder.name, url, found.version)

    def _placed(self, found: Metadata, folder: Path, texts: Mapping[str, bytes]) -> Metadata:
        """What a project needs, from where ``[tool.uv.sources]`` says."""
        if "pyproject.toml" not in texts:
            return found
        sources = self._sources.of(folder, self._document(folder / "pyproject.toml"))
        needs = tuple(sources.applied_to(text, canonicalize_name(found.name)) for text in found.requires_dist)
        return msgspec.structs.replace(found, requires_dist=needs)

    def _archive(self, url: str, name: NormalizedName, options: dict[str, str]) -> tuple[Metadata, File] | Unknown:
        filename = unquote(urlsplit(url).path.rpartition("/")[2])
        hashes = tuple(f"{name}:{options[name].lower()}" for name in (*_WEAK, *_STRONG) if name in options)
        file = File(filename, split_credentials(url)[0], "", hashes=hashes)
        if filename.endswith(".whl"):
            parsed = parse_filename(filename, name)
            if parsed is None:
                return Unknown(f"{shown_address(url)} is no wheel of {name} by its name")
            file = msgspec.structs.replace(file, version=parsed.version, tags=parsed.tags, build=parsed.build)
            metadata = self._reader.read(file, name, parsed.version, whole=bool(hashes))
            strong = tuple(value for value in hashes if value.startswith(_STRONG))
            return metadata, msgspec.structs.replace(file, hashes=strong)
        with self._opened(url, file) as archive:
            found = metadata_of_sdist(archive, filename, name, "", subdirectory=options.get("subdirectory", ""))
            if isinstance(found, Unknown):
                return found
            return found, msgspec.structs.replace(file, version=found.version, hashes=(hash_of(archive),))

    def _opened(self, url: str, file: File) -> IO[bytes]:
        if url.startswith("file:"):
            return verified(file_path(url).open("rb"), file)
        answer = self._transport.fetch(url, label=file.filename, limit=MAX_SDIST, archive=True)
        if answer.status != HTTPStatus.OK:
            raise FetchError(f"{shown_address(url)}: {explained(answer.status, 'the server')}")
        return verified(answer.file, file)


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_TEXT)


def _document(path: Path) -> dict[str, Any]:
    """The document in a ``pyproject.toml``.

    Raises:
        SpecError: it cannot be read.
    """
    try:
        return tomllib.loads(_start_of(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"the {path.name} in {shown(path.parent.name)} cannot be read") from error
