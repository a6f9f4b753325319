"""Folders and pages with links: find-links places, and indexes in folders."""

from __future__ import annotations

import stat
from pathlib import Path

from conflictcheck.errors import UsageError
from conflictcheck.facts import Missing
from conflictcheck.fingerprints import UNREADABLE, fingerprint
from conflictcheck.index.addresses import (
    file_path,
    file_url,
    is_address,
    plain_place,
    shown,
    shown_address,
    without_secrets,
)
from conflictcheck.index.filenames import is_archive
from conflictcheck.index.links import Link, LinkPage, PageError, link_to
from conflictcheck.index.simple_api import MAX_PAGE, Page, to_page

_PAGE = "index.html"
_NO_INDEX = "the folder of the index is not there"


def place_url(place: str) -> str:
    """The address of a find-links place, which may be given as a path."""
    if place.startswith(("http://", "https://", "file:")):
        return place
    try:
        return file_url(Path(place).expanduser())
    except (RuntimeError, ValueError):  # the home folder of nobody, or a null character
        return file_url(Path(place))


def check_place(place: str) -> None:
    """Hold that a find-links place has an address, and that there is something behind it if it is local.

    Raises:
        UsageError: if not.
    """
    url = place_url(place)
    if not is_address(url):
        raise UsageError(f"--find-links: {shown(without_secrets(url))} is no address that can be read")
    if url.startswith("file:"):
        try:
            file_path(url).stat()
        except OSError as error:
            what = shown_address(url) if place.startswith("file:") else shown(plain_place(place))
            raise UsageError(f"--find-links: {what} cannot be read: {error.strerror}") from error


def look_at(place: str, name: str) -> dict[str, str]:
    """What a local page is made of, as `read_place` and `read_file_index` would find it: nothing of it is read.

    Args:
        place: the ``file:`` URL of a find-links place or an index.
        name: the package; empty for a find-links place.

    Returns:
        The fingerprint of each file and folder that counts, by its path.

    Raises:
        PageError: as these.
    """
    try:
        root = file_path(place)
        if not name:
            found = {str(root): fingerprint(str(root))}
        elif _is_folder(root):
            found = {str(each): fingerprint(str(each)) for each in (root / name, root / name / _PAGE)}
        else:
            raise PageError(_NO_INDEX)
    except OSError as error:
        raise PageError(f"it cannot be read: {error.strerror}") from error
    if UNREADABLE in found.values():
        raise PageError("it cannot be read")
    return found


def read_place(url: str) -> LinkPage:
    """The links of a local place: a folder of files, an HTML page, or a single file.

    Raises:
        PageError: if it cannot be read.
    """
    try:
        path = file_path(url)
        if path.is_dir():
            return LinkPage(file_url(path) + "/", _in_folder(path))
        if is_archive(path.name) and path.is_file():
            return LinkPage(file_url(path), [link_to(file_url(path))])
        return _page(path)
    except OSError as error:
        raise PageError(f"it cannot be read: {error.strerror}") from error


def read_file_index(index: str, name: str) -> Page | Missing:
    """What an index in a folder lists for a package: the links in ``NAME/index.html``, or the files in ``NAME/``.

    Args:
        index: the ``file:`` URL of the index.
        name: the package, normalized and checked to be a package name.

    Raises:
        PageError: if it cannot be read, or the index is not there: what is not mounted may have any package.
    """
    try:
        root = file_path(index)
        if not _is_folder(root):
            raise PageError(_NO_INDEX)
        folder = root / name
        if not _is_folder(folder):
            return Missing(name)
        page = folder / _PAGE
        found = _page(page) if page.is_file() else LinkPage(file_url(folder) + "/", _in_folder(folder))
    except OSError as error:
        raise PageError(f"it cannot be read: {error.strerror}") from error
    return to_page(found.links, url=found.url, name=name, index=index)


def links_of_page(body: bytes, url: str, *, ends: bool = True) -> LinkPage:
    """The links to distribution files in a find-links page; `ends` as in `parse_html`.

    Raises:
        PageError: if it is cut off.
    """
    from conflictcheck.index.html_page import parse_html  # noqa: PLC0415 - few runs have such a page

    page = parse_html(body, ends=ends)
    return LinkPage(page.base_for(url), [link for link in page.links if is_archive(link.filename)])


def _is_folder(path: Path) -> bool:
    """As `Path.is_dir`, which newer versions of Python make False also where nothing can be known.

    Raises:
        OSError: if it is not known.
    """
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _page(path: Path) -> LinkPage:
    with path.open("rb") as file:
        body = file.read(MAX_PAGE + 1)
    if len(body) > MAX_PAGE:
        raise PageError("it is too large")
    return links_of_page(body, file_url(path))


def _in_folder(folder: Path) -> list[Link]:
    return [link_to(file_url(path)) for path in sorted(folder.iterdir()) if is_archive(path.name) and path.is_file()]
