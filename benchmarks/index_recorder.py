"""Asks the default package index for what an index store lacks, in the form that `IndexStore` keeps."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import urllib3
from index_store import PAGE

from conflictcheck.index import default_index_url
from conflictcheck.index.wheels import WheelError, metadata_in_tail

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 16
TAIL = 64 << 10
SECONDS = 300


class Upstream:
    """The default package index. Many threads may ask; network trouble is raised as urllib3 has it."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, block=True, timeout=SECONDS)
        self._root = default_index_url().rstrip("/")

    def page(self, name: str) -> tuple[bytes, list[tuple[str, str, bool]]] | None:
        """The page of a package, and where its files come from; None if there is none.

        The page is as it came, but for the addresses of files, which lead to the store, and for the metadata files of
        wheels: all have one, as what the index does not offer is read from the wheel.
        """
        url = f"{self._root}/{name}/"
        answer = self._asked(url, accept=PAGE)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        page = answer.json()
        origins = list(_moved(page, urljoin(url, answer.geturl() or ""), name))
        return json.dumps(page, separators=(",", ":")).encode(), origins

    def metadata(self, name: str, url: str, *, has_metadata: bool) -> bytes | None:
        """The metadata of a wheel, from the file beside it or out of the wheel; None if it has none."""
        if has_metadata:
            return self.file(f"{url}.metadata")
        tail, total = self._range(url, f"bytes=-{TAIL}")
        try:
            return metadata_in_tail(
                tail, total, name, lambda start, end: self._range(url, f"bytes={start}-{end - 1}")[0]
            )
        except WheelError:
            return None

    def file(self, url: str) -> bytes | None:
        """A file as a whole; None if it is gone."""
        answer = self._asked(url)
        return None if answer.status == HTTPStatus.NOT_FOUND else answer.data

    def _range(self, url: str, wanted: str) -> tuple[bytes, int]:
        answer = self._asked(url, range=wanted)
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            return answer.data, len(answer.data)
        return answer.data, int(answer.headers["content-range"].rpartition("/")[2])

    def _asked(self, url: str, **headers: str) -> urllib3.BaseHTTPResponse:
        answer = self._pool.request("GET", url, headers=headers)
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status != HTTPStatus.NOT_FOUND:
            raise urllib3.exceptions.HTTPError(f"{answer.status} {url}")
        return answer


def _moved(page: dict[str, Any], base: str, name: str) -> Iterator[tuple[str, str, bool]]:
    """Give the files of a page addresses in the store; yields path, former address, and whether metadata is offered."""
    for file in page["files"]:
        path = f"files/{name}/{file['filename']}"
        offered = file.get("core-metadata", file.get("data-dist-info-metadata")) or False
        yield path, urljoin(base, file["url"]), bool(offered)
        file["url"] = f"../../{path}"
        if file["filename"].endswith(".whl") and not offered:
            file["core-metadata"] = True
