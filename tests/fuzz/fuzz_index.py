"""Fuzz targets of index data: pages, metadata, archives, the cache's form and snapshots."""

from __future__ import annotations

import gzip
import io
import tarfile
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fuzz_target import Target, parts, place, text
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from conflictcheck.errors import SnapshotError
from conflictcheck.facts import Listing, Metadata, Unknown
from conflictcheck.index.addresses import is_address, origin_of, root_of, shown_address
from conflictcheck.index.compiled import CompiledError, decode_page, encode_page
from conflictcheck.index.core_metadata import MAX_DOCUMENT, parse_document
from conflictcheck.index.filenames import MAX_LENGTH, parse_filename
from conflictcheck.index.find_links import links_of_page
from conflictcheck.index.http_client import _retry_after
from conflictcheck.index.links import LinkPage, PageError
from conflictcheck.index.projects import is_project_file, metadata_of_project
from conflictcheck.index.sdists import SdistError, metadata_of_sdist
from conflictcheck.index.simple_api import Page, parse_page, to_page
from conflictcheck.index.snapshot import SnapshotIndex
from conflictcheck.index.wheels import WheelError, metadata_in_file, metadata_in_tail
from conflictcheck.policy import select_releases
from conflictcheck.settings import Policy
from conflictcheck.solver.dependencies import MarkerEvaluator, parse_dependency
from conflictcheck.targets import make_target

if TYPE_CHECKING:
    from conflictcheck.facts import File

NAME = canonicalize_name("demo")
PAGE = "https://index.example/simple/demo/"
TARGET = make_target("3.11", "linux")
EVALUATOR = MarkerEvaluator(dict(TARGET.environment))
POLICIES = (Policy(), Policy(exclude_newer=datetime(2024, 3, 1, 12, 0, 0, 500_000, UTC), prerelease="disallow"))
MUCH = 64 << 20

PAGE_WORDS = (
    *(b'{"filename": "demo-1.0-py3-none-any.whl", "url": "a.whl", "hashes": {}}', b'"requires-python": ">=3.8"'),
    *(b'"yanked": true', b'"upload-time": "2024-03-01T12:00:00.000000Z"', b'"core-metadata": {"sha256": ""}', b"null"),
    *(
        b'"0001-01-01T00:00:00+14:00"',
        b'"api-version": "1.1"',
        b'"size": ',
        b"[",
        b"{",
        b"}",
        b"]",
        b",",
        b'"',
        b"1e999",
    ),
    *(
        b"https://",
        b"http://[::1",
        b"//host:99999/",
        b"\\ud800",
        b"\\u001b",
        b"user:pw@",
        b"file:///",
        b"../",
        b"#sha256=",
    ),
)
HTML_WORDS = (
    *(b'<a href="', b"</a>", b'"', b">", b"<base href=", b"<!--", b"<![CDATA[", b"</", b"&#0;", b"&amp;", b"<title>"),
    *(b"demo-1.0.tar.gz", b"demo-1.0-py3-none-any.whl", b" data-yanked=", b" data-requires-python=", b"#sha256="),
    *(b" data-core-metadata=", b"<meta name='pypi:repository-version' content='1.0'>", b"https://", b"file:///"),
)
METADATA_WORDS = (
    *(b"Metadata-Version: 2.2\n", b"Requires-Dist: ", b"Provides-Extra: ", b"Requires-Python: ", b"Dynamic: ", b"\n "),
    *(b" ; extra == 'x'", b"python_version < '3.9'", b" (>=1.0.*)", b"Name: demo\n", b"Version: 1.0\n", b"\n\n"),
)
PROJECT_WORDS = (
    *(
        b"[project]\n",
        b"[options]\n",
        b"install_requires = ",
        b"[metadata]\n",
        b"[options.extras_require]\n",
        b"x:y = ",
    ),
    *(b"[extra:marker]\n", b"dependencies = [", b"optional-dependencies", b"name = ", b"version = ", b"%(x)s"),
    *METADATA_WORDS,
)


def hold_page(page: Page | LinkPage) -> None:
    """What is listed is in order, can be stored as it is, and be chosen from."""
    if isinstance(page, LinkPage):
        page = to_page(page.links, url=page.url, name=NAME, index=PAGE)
    assert decode_page(encode_page(page)) == page
    versions = [Version(file.version) for file in page.files]
    assert versions == sorted(versions)
    assert all(name.isprintable() for name in page.invalid)
    for file in page.files:
        hold_file(file)
    for policy in POLICIES:
        found = select_releases(Listing(NAME, page.files), TARGET, policy)
        assert all(len(release.files) for release in found.releases)


def hold_file(file: File) -> None:
    """A listed file can be asked for, named and compared."""
    assert is_address(file.url), file.url
    assert file.url.isprintable()
    assert "#" not in file.url
    assert "@" not in file.url.partition("://")[2].partition("/")[0].partition("?")[0]
    origin_of(file.url)
    assert root_of(file.url).isprintable()
    assert shown_address(file.url).isprintable()
    for shown in (file.requires_python, file.yanked):
        assert shown is None or shown.isprintable()
    if file.upload_time is not None:
        assert datetime.fromisoformat(file.upload_time).tzinfo is not None
        assert file.upload_time.isascii()
        assert file.upload_time[4] == "-"
    assert all(len(one) == len("sha256:") + 64 for one in file.hashes)
    if not file.url.startswith("file:"):
        with suppress(LocationParseError):  # the client turns this into a reason
            parse_url(file.url)


def hold_metadata(found: Metadata | Unknown) -> None:
    """What a release says of itself can be read on, or the reason be shown."""
    if isinstance(found, Unknown):
        assert found.reason.isprintable()
        return
    Version(found.version)
    TARGET.admits_python(found.requires_python or "")
    for line in found.requires_dist[:20]:
        dependency = parse_dependency(line)
        if dependency is not None:
            EVALUATOR.holds(dependency.marker, dependency.marker_text, "x")
            for version in (Version("1.0"), Version("2!1.0a1.post1.dev3+local")):
                dependency.specifier.contains(version, prereleases=True)


def simple_json(data: bytes) -> None:
    hold_page(parse_page(data, "application/vnd.pypi.simple.v1+json", url=PAGE, name=NAME, index=PAGE))


def simple_html(data: bytes) -> None:
    hold_page(parse_page(data, "text/html", url=PAGE, name=NAME, index=PAGE))


def find_links(data: bytes) -> None:
    hold_page(links_of_page(data, "https://links.example/"))


def core_metadata(data: bytes) -> None:
    document = parse_document(data)
    assert document.is_static in {True, False}
    hold_metadata(document.to_metadata(NAME, "", "wheel", "demo-1.0-py3-none-any.whl"))


def requires_dist(data: bytes) -> None:
    hold_metadata(Metadata("demo", "1.0", tuple(text(data).split("\n")[1:]), parts(data, 1)[0].partition("\n")[0]))


def project(data: bytes) -> None:
    """The first byte says which of the files it is."""
    names = ("pyproject.toml", "setup.cfg", "demo.egg-info/requires.txt", "PKG-INFO")
    name = names[int.from_bytes(data[:1]) % len(names)]
    assert is_project_file(name)
    hold_metadata(metadata_of_project({name: data[1:], "setup.py": b""}, "demo-1.0.tar.gz", NAME, ""))


def wheel(data: bytes) -> None:
    document = metadata_in_file(io.BytesIO(data), NAME)
    assert len(document) <= MAX_DOCUMENT


def wheel_in_parts(data: bytes) -> None:
    """The end of a wheel is at hand, the rest is fetched; no more than there is, and never outside of it."""

    def read(start: int, stop: int) -> bytes:
        assert 0 <= start <= stop <= len(data)
        return data[start:stop]

    for size in (len(data), 60):
        document = metadata_in_tail(data[-size:], len(data), NAME, read)
        assert len(document) <= MAX_DOCUMENT


def sdist(data: bytes) -> None:
    hold_metadata(metadata_of_sdist(io.BytesIO(data), "demo-1.0.tar.gz", NAME, ""))


def sdist_members(data: bytes) -> None:
    """A tar archive whose checksums are right, so that its headers are looked at."""
    sdist(gzip.compress(with_checksums(data), compresslevel=1, mtime=0))


def with_checksums(data: bytes) -> bytes:
    """The blocks of a tar archive, each header with its checksum."""
    found = bytearray(data)
    at = 0
    while at + tarfile.BLOCKSIZE <= len(found):
        found[at + 148 : at + 156] = b" " * 8
        found[at + 148 : at + 156] = b"%06o\0 " % sum(found[at : at + tarfile.BLOCKSIZE])
        size = found[at + 124 : at + 135].strip(b"\0 ")
        at += tarfile.BLOCKSIZE * (1 + (int(size, 8) + 511) // 512 if size and not size.strip(b"01234567") else 1)
    return bytes(found)


def compiled(data: bytes) -> None:
    page = decode_page(data)
    assert decode_page(encode_page(page)) == page
    if isinstance(page, Page):
        for policy in POLICIES:
            select_releases(Listing(NAME, page.files), TARGET, policy)
    elif isinstance(page, LinkPage):
        to_page(page.links, url=page.url, name=NAME, index=PAGE)


def snapshot(data: bytes) -> None:
    path = place() / "facts.snapshot"
    path.write_bytes(data)
    hold_snapshot(SnapshotIndex.read(path))


def snapshot_facts(data: bytes) -> None:
    """The document inside a snapshot."""
    snapshot(gzip.compress(data, compresslevel=1, mtime=0))


def hold_snapshot(index: SnapshotIndex) -> None:
    for answer in index.listings([NAME]):
        if isinstance(answer, Listing):
            for policy in POLICIES:
                select_releases(answer, TARGET, policy)
    assert index.place is not None


def filename(data: bytes) -> None:
    """Whatever packaging takes for a file of the package says the same here."""
    written, name = parts(data, 2)
    name = canonicalize_name(name)
    parsed = parse_filename(written, name)
    try:
        if written.endswith(".whl"):
            project_name, version, build, tags = parse_wheel_filename(written)
        else:
            project_name, version = parse_sdist_filename(written)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return
    except ValueError:
        return  # a number of thousands of digits
    if project_name == name and len(written) <= MAX_LENGTH and written.isascii() and parsed is not None:
        assert parsed.version == str(version)
        if written.endswith(".whl"):
            assert bool(parsed.build) == bool(build)
            assert TARGET.rank(parsed.tags) == min(
                (TARGET.ranks[str(tag)] for tag in tags if str(tag) in TARGET.ranks), default=None
            )


def retry_after(data: bytes) -> None:
    assert _retry_after(text(data), 1.0) >= 0


TARGETS = (
    Target("simple-json", simple_json, (PageError,), PAGE_WORDS),
    Target("simple-html", simple_html, (PageError,), HTML_WORDS),
    Target("find-links", find_links, (PageError,), HTML_WORDS),
    Target("core-metadata", core_metadata, (), METADATA_WORDS),
    Target("requires-dist", requires_dist, (), METADATA_WORDS),
    Target("project-files", project, (), PROJECT_WORDS),
    Target("wheel", wheel, (WheelError,), (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"\xff" * 4)),
    Target("wheel-in-parts", wheel_in_parts, (WheelError,), (b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04", b"\xff" * 4)),
    Target("sdist", sdist, (SdistError,), (b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"PK\x01\x02", b"\0" * 512)),
    Target(
        "sdist-members", sdist_members, (SdistError,), (b"demo-1.0/PKG-INFO\0", b"ustar\0", b"00000001000", b"\xff")
    ),
    Target("compiled-page", compiled, (CompiledError,), (b"\x9f", b"\xc0", b"\xdc\xff\xff", b"\x01", b"\x02", b"\x03")),
    Target("snapshot", snapshot, (SnapshotError,), (b"\x1f\x8b\x08",)),
    Target("snapshot-facts", snapshot_facts, (SnapshotError,), PAGE_WORDS),
    Target("retry-after", retry_after, (), (b"GMT", b"Wed, 21 Oct 2015 07:28:00 GMT", b"9999", b"-")),
    Target(
        "filename", filename, (), (b".whl", b".tar.gz", b"-", b"_", b"py3-none-any", b"cp311", b"1!", b"+local", b"\n")
    ),
)
