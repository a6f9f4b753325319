"""Input that grows when it is looked at. ``python bombs.py`` looks at each, and says how much memory that took."""

# ruff: noqa: E501 - a bomb a line

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import resource
import struct
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from conflictcheck.errors import InputErrors, SnapshotError
from conflictcheck.facts import Unknown
from conflictcheck.index.core_metadata import MAX_DOCUMENT, parse_document
from conflictcheck.index.links import PageError
from conflictcheck.index.memory import MemoryIndex, Rel
from conflictcheck.index.sdists import SdistError, metadata_of_sdist
from conflictcheck.index.simple_api import parse_page
from conflictcheck.index.snapshot import SnapshotIndex
from conflictcheck.index.wheels import WheelError, metadata_in_file, metadata_in_tail
from conflictcheck.pipeline import check_files
from conflictcheck.progress import Progress
from conflictcheck.readers import read_specs
from conflictcheck.reports import EXPLANATIONS, FORMATS, GRAPHS
from conflictcheck.settings import IndexSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
NAME = canonicalize_name("x")
JSON = "application/vnd.pypi.simple.v1+json"


def zeros(size: int) -> bytes:
    """A deflated run of zeros, made without having it."""
    packer, piece = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(MIB)
    return b"".join([*(packer.compress(piece) for _ in range(size // MIB)), packer.flush()])


def zip_of(name: str, size: int, claimed: int) -> bytes:
    """A zip archive whose one member unpacks to `size` bytes, and says that it has `claimed`."""
    data, path = zeros(size), name.encode()
    common = struct.pack("<5H3L2H", 20, 0, 8, 0, 0x21, 0, len(data), claimed, len(path), 0)
    local = b"PK\x03\x04" + common + path + data
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<3H2L", 0, 0, 0, 0, 0) + path
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


def sdist(archive: bytes) -> str:
    """What is said of a source distribution."""
    try:
        found = metadata_of_sdist(io.BytesIO(archive), "x-1.tar.gz", NAME, "1")
    except SdistError as error:
        return str(error)
    return found.reason if isinstance(found, Unknown) else "read"


def tar_of(name: str, size: int, *, kind: bytes = tarfile.REGTYPE, data: bytes = b"") -> bytes:
    """A tar archive with one header that promises `size` bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT) + data


def packed_zeros(pack: Callable[[], tuple[Callable[[bytes], bytes], Callable[[], bytes]]], before: bytes) -> bytes:
    """A long run of zeros behind a header."""
    feed, flush = pack()
    return b"".join([feed(before), *(feed(bytes(MIB)) for _ in range(64)), flush()])


def tar_bomb(kind: str) -> str:
    """A member of 64 MiB, packed small."""
    before = tar_of("x-1/PKG-INFO", 64 * MIB)
    if kind == "gz":
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    elif kind == "bz2":
        packer = bz2.BZ2Compressor(9)  # type: ignore[assignment]
    else:
        packer = lzma.LZMACompressor(preset=0)  # type: ignore[assignment]
    return sdist(packed_zeros(lambda: (packer.compress, packer.flush), before))


def wheel(archive: bytes) -> str:
    """What is said of a wheel, read from its end and as a whole."""
    said = []
    for read in (
        lambda: metadata_in_tail(archive, len(archive), "x", lambda start, stop: archive[start:stop]),
        lambda: metadata_in_file(io.BytesIO(archive), "x"),
    ):
        try:
            read()
            said.append("read")
        except WheelError as error:
            said.append(str(error))
    return "; ".join(said)


def page(body: bytes, kind: str = JSON) -> str:
    """What is said of a page of an index."""
    try:
        found = parse_page(body, kind, url="https://h.example/x/", name="x", index="https://h.example")
    except PageError as error:
        return str(error).partition(" (")[0].partition(": ")[0]
    return f"{len(found.files):,} files, {len(found.invalid):,} invalid"


def many_versions(count: int) -> str:
    """A page with so many releases."""
    link = '{"filename":"x-1.%d.tar.gz","url":"x-1.%d.tar.gz","hashes":{}}'
    files = ",".join(link % (number, number) for number in range(count))
    return page(f'{{"meta":{{"api-version":"1.0"}},"name":"x","files":[{files}]}}'.encode())


def spec(text: str, file: str = "requirements.txt", **more: str) -> str:
    """What is said of a file."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {file: text, **more}.items():
            (Path(folder) / name).write_text(content)
        try:
            read = read_specs([file], cwd=Path(folder), variables={})
        except InputErrors as error:
            return str(error.errors[0].message)[-60:]
        return f"{len(read.specs)} specs, {sum(len(one.requirements) for one in read.specs)} lines"


def document(text: str) -> str:
    """What is said of a metadata document."""
    found = parse_document(text.encode()).to_metadata(NAME, "1", "wheel", "x-1-py3-none-any.whl")
    return found.reason if isinstance(found, Unknown) else f"{len(found.requires_dist)} requirements"


def snapshot(inside: bytes) -> str:
    """What is said of a snapshot."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts"
        path.write_bytes(inside)
        try:
            SnapshotIndex.read(path)
        except SnapshotError as error:
            return error.message
        return "read"


def run(index: MemoryIndex, *lines: str) -> str:
    """A whole run, and every form of its report."""
    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(lines):
            (Path(folder) / f"requirements-{number}.txt").write_text(line)
        settings = Settings(Path(folder), IndexSettings(()), ("3.11",), ("linux",))
        report = check_files(settings, Progress(), index=index).report
        for form in (*FORMATS.values(), *EXPLANATIONS.values(), *GRAPHS.values()):
            form.render(report, color=False, width=80, verbose=2)
        return f"{report.verdict.value}, {sum(len(one.packages) for one in report.environments)} packages"


def chain(length: int, last: str) -> MemoryIndex:
    """Packages that need each other, one after the other."""
    packages = {f"p{number}": {"1": [f"p{number + 1}"]} for number in range(length)}
    return MemoryIndex({**packages, f"p{length}": {"1": [last]}, "z": {"1": [], "2": []}})


DEEP = 10_000
EXTRAS = MemoryIndex(
    {"x": {"1": Rel(requires=['x[b] ; extra == "a"', 'x[a] ; extra == "b"', "y[c]"], extras=("a", "b"))}, "y": {"1": Rel(requires=["x[a]"], extras=("c",))}}
)  # fmt: skip

BOMBS: dict[str, tuple[Callable[[], str], str, int]] = {
    "zip-sdist": (lambda: sdist(zip_of("x-1/PKG-INFO", 128 * MIB, 128 * MIB)), "its PKG-INFO is too large", 40),
    "zip-sdist-that-lies": (lambda: sdist(zip_of("x-1/PKG-INFO", 128 * MIB, 100)), "it is not a readable archive", 64),
    "tar-gz": (lambda: tar_bomb("gz"), "its PKG-INFO is too large", 40),
    "tar-bz2": (lambda: tar_bomb("bz2"), "its PKG-INFO is too large", 60),
    "tar-xz": (lambda: tar_bomb("xz"), "its PKG-INFO is too large", 60),
    "tar-that-promises-a-terabyte": (lambda: sdist(tar_of("x-1/a", 1 << 40)), "it unpacks to more than a source distribution should", 20),
    "tar-with-a-long-name": (lambda: sdist(tar_of("././@LongLink", 1 << 30, kind=tarfile.GNUTYPE_LONGNAME)), "it has a header that is too large", 20),
    "tar-with-a-negative-size": (lambda: sdist(tar_of("x-1/a", -512)), "it unpacks to more than a source distribution should", 20),
    "wheel": (lambda: wheel(zip_of("x-1.dist-info/METADATA", 128 * MIB, 128 * MIB)), "the wheel's metadata is too large; the wheel's metadata is too large", 40),
    "wheel-that-lies": (lambda: wheel(zip_of("x-1.dist-info/METADATA", 128 * MIB, 100)), "the wheel's metadata is too large; the wheel is not a zip archive", 80),
    "snapshot-that-is-none": (lambda: snapshot(gzip.compress(bytes(64 * MIB))), "this is not a snapshot", 160),
    "snapshot-nested": (lambda: snapshot(gzip.compress(b'{"a":' * DEEP * 10)), "this is not a snapshot", 40),
    "json-nested": (lambda: page(b'{"files":' + b"[" * 1_000_000), "the index answered with unusable JSON", 40),
    "json-nested-where-anything-may-stand": (lambda: page(b'{"meta":{"api-version":"1.0"},"files":[{"filename":"x","url":"x","hashes":{"a":' + b"[" * 100_000), "the index answered with unusable JSON", 40),
    "json-of-one-text": (lambda: page(json.dumps({"meta": {"api-version": "1" * 16 * MIB}, "files": []}).encode()), "the index speaks version 1111111111111111111… of the Simple API, not 1", 120),
    "html-of-one-tag": (lambda: page(b"<a href='" + b"x" * 16 * MIB, "text/html"), "the page is cut off", 160),
    "html-nested": (lambda: page(b"<div>" * 200_000, "text/html"), "the index answered with a page that lists no files", 60),
    "versions": (lambda: many_versions(20_000), "20,000 files, 0 invalid", 60),
    "document-of-one-line": (lambda: document("Metadata-Version: 2.1\nName: x\nVersion: 1\nRequires-Dist: " + "a" * (MAX_DOCUMENT - 100)), "1 requirements", 160),
    "document-of-many-requirements": (lambda: document("Metadata-Version: 2.1\nName: x\nVersion: 1\n" + "Requires-Dist: a\n" * 200_000), "200000 requirements", 120),
    "parentheses": (lambda: spec(f"x ; {'(' * DEEP}python_version > '3'{')' * DEEP}"), "is longer than 8000 characters", 40),
    "parentheses-within-the-bound": (lambda: spec(f"x ; {'(' * 3_900}python_version > '3'{')' * 3_900}"), "it is nested too deeply", 60),
    "and-and-and": (lambda: spec("x ; " + " and ".join(["python_version > '3'"] * 300)), "1 specs, 1 lines", 40),
    "extras-of-a-line": (lambda: spec(f"x[{','.join(f'e{n}' for n in range(1_400))}]"), "1 specs, 1 lines", 40),
    "a-version-of-digits": (lambda: spec("x==" + "9" * 7_000), "has a version of more than 200 characters", 40),
    "clauses": (lambda: spec("x" + ",".join(f"!={n}" for n in range(1_300))), "1 specs, 1 lines", 40),
    "one-line": (lambda: spec("x \\\n" * 400_000), "is longer than 200000 characters", 100),
    "a-spec-of-eleven-megabytes": (lambda: spec("x\n" * 5_500_000), "larger than 10 MiB", 60),
    "toml-nested": (lambda: spec("a = " + "[" * 100_000, "pyproject.toml"), "not usable TOML: it is nested too deeply", 40),
    "toml-of-dots": (lambda: spec("a" + ".a" * 20_000 + " = 1", "pyproject.toml"), "not usable TOML: a key of more than 32 parts", 20),
    "toml-of-a-megabyte": (lambda: spec("a1 = 1\n" * 200_000, "pyproject.toml"), "not usable TOML: it is longer than 1,048,576 characters", 20),
    "toml-of-keys": (lambda: spec("".join(f"{'a.' * 30}a{n} = 1\n" for n in range(14_000)), "pyproject.toml"), "no spec in this file", 400),
    "toml-of-digits": (lambda: spec("a = " + "9" * 100_000, "pyproject.toml"), "not usable TOML: a number in it is too long", 40),
    "chain-of-packages": (lambda: run(chain(1_000, "z"), "p0"), "compatible, 1002 packages", 120),
    "chain-of-packages-to-a-clash": (lambda: run(chain(200, "z<2"), "p0\nz==2"), "unsatisfiable, 0 packages", 120),
    "extras-in-a-circle": (lambda: run(EXTRAS, "x[a]"), "compatible, 2 packages", 60),
    "many-specs-that-say-the-same": (lambda: run(MemoryIndex({"z": {"1": [], "2": []}}), *["z"] * 300), "compatible, 1 packages", 80),
}  # fmt: skip
"""What is done, what is said of it (its end), and MiB of memory that this may take."""


def look(name: str) -> tuple[str, int]:
    """What is said of it, and MiB that this took beside what was there before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = BOMBS[name][0]()
    return said, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10


def main() -> None:
    """Look at each in a process of its own, within two gigabytes and two minutes of a processor."""
    for name in sys.argv[1:] or BOMBS:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
            print(json.dumps([name, *look(name)]), flush=True)  # noqa: T201 - whoever started this reads it
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
