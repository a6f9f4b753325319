from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from artifacts import SdistForm, core_metadata, sdist, tarred, zipped
from packaging.utils import canonicalize_name

from conflictcheck.facts import Metadata, Unknown
from conflictcheck.index.core_metadata import with_marker
from conflictcheck.index.projects import parse_requires_txt
from conflictcheck.index.sdists import SdistError, metadata_of_sdist

A = canonicalize_name("a")
REQUIRES_TXT = """
b>=1

[:python_version < "3.8"]
c

[X_y]
d
e; os_name == "nt" or os_name == "posix"

[z:sys_platform == "win32"]
f @ https://files.example/f.zip
"""


def read(data: bytes, version: str = "1.0", filename: str = "a-1.0.tar.gz") -> Metadata | Unknown:
    return metadata_of_sdist(io.BytesIO(data), filename, A, version)


@pytest.mark.parametrize(
    ("form", "source"),
    [("static", "sdist"), ("dynamic", "inferred"), ("pyproject", "pyproject"), ("pkg-info", "inferred")],
)
@pytest.mark.parametrize("suffix", [".tar.gz", ".zip", ".tar.bz2", ".tar.xz"])
def test_requirements_are_read_from_what_the_archive_has(form: SdistForm, source: str, suffix: str) -> None:
    data = sdist("a", "1.0", form=form, requires=["b>=1"], requires_python=">=3.9", suffix=suffix)
    found = read(data)
    assert found == Metadata("a", "1.0", ("b>=1",), ">=3.9", (), source, "a-1.0.tar.gz")  # type: ignore[arg-type]


def test_requires_txt_is_turned_into_requirements_with_markers() -> None:
    found = read(sdist("a", "1.0", form="requires.txt", requires_txt=REQUIRES_TXT))
    assert found == Metadata(
        "a",
        "1.0",
        (
            "b>=1",
            'c; python_version < "3.8"',
            'd; extra == "x-y"',
            'e; (os_name == "nt" or os_name == "posix") and extra == "x-y"',
            'f @ https://files.example/f.zip ; sys_platform == "win32" and extra == "z"',
        ),
        None,
        ("x-y", "z"),
        "inferred",
        "a-1.0.tar.gz",
    )


def test_a_project_table_that_leaves_dependencies_to_a_build_does_not_count() -> None:
    pyproject = '[project]\nname = "a"\ndynamic = ["version", "dependencies"]\n'
    found = read(sdist("a", "1.0", form="pkg-info", requires=["b"], pyproject=pyproject))
    assert found == Metadata("a", "1.0", ("b",), None, (), "inferred", "a-1.0.tar.gz")


def test_extras_of_a_project_table_become_markers() -> None:
    pyproject = (
        '[project]\nname = "a"\nversion = "1.0"\n[project.optional-dependencies]\nx = ["b; os_name == \'nt\'"]\n'
    )
    found = read(sdist("a", "1.0", form="setup.py", pyproject=pyproject))
    assert isinstance(found, Metadata)
    assert (found.requires_dist, found.provides_extra) == (('b; os_name == "nt" and extra == "x"',), ("x",))


def test_an_archive_that_only_has_code_is_unknown_and_the_code_is_not_run() -> None:
    assert read(sdist("a", "1.0", form="setup.py")) == Unknown(
        "its dependencies are only known to its setup.py, which is not run"
    )


@pytest.mark.parametrize("said_in", ["setup.py", "setup.cfg"])
def test_an_old_pkg_info_that_a_build_would_add_to_is_no_word_that_nothing_is_needed(said_in: str) -> None:
    contents = {
        "a-1.0/PKG-INFO": core_metadata("a", "1.0", metadata_version="1.1"),
        "a-1.0/setup.py": b"from distutils.core import setup\nsetup(name='a')\n",
    }
    needs_nothing = read(tarred(contents))
    assert needs_nothing == Metadata("a", "1.0", source="inferred", filename="a-1.0.tar.gz")
    asks = tarred(contents | {f"a-1.0/{said_in}": b"install_requires=['b>=1']"})
    assert read(asks) == Unknown("its dependencies are only known to its setup.py, which is not run")
    built_by_setuptools = contents | {
        "a-1.0/setup.py": b"setup(name='a', install_requires=[])",
        "a-1.0/a.egg-info/PKG-INFO": contents["a-1.0/PKG-INFO"],
    }
    assert read(tarred(built_by_setuptools)) == needs_nothing


def test_an_archive_of_another_release_is_not_taken() -> None:
    assert read(sdist("b", "1.0")) == Unknown("its metadata is about b")
    assert read(sdist("a", "2.0")) == Unknown("its metadata is about version 2.0")
    assert read(sdist("a", "2.0"), version="") == Metadata("a", "2.0", source="sdist", filename="a-1.0.tar.gz")


def test_long_paths_of_either_kind_are_understood() -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as archive:
            for path in ("a-1.0/" + "long/" * 60 + "x.py", "a-1.0/" + "é" * 80 + ".py", "a-1.0/PKG-INFO"):
                document = core_metadata("a", "1.0", metadata_version="2.2", requires=["b"])
                info = tarfile.TarInfo(path)
                info.size = len(document)
                archive.addfile(info, io.BytesIO(document))
        found = read(buffer.getvalue())
        assert isinstance(found, Metadata)
        assert found.requires_dist == ("b",)


def test_of_files_that_nobody_asks_for_only_the_size_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {f"a-1.0/a/module_{number}.py": bytes(number) for number in range(1200)}
    contents |= {"a-1.0/PKG-INFO": core_metadata("a", "1.0", metadata_version="2.2", requires=["b"])}
    archive = tarred(contents)
    looked_at = []
    whole_header = tarfile.TarInfo.frombuf
    monkeypatch.setattr(
        tarfile.TarInfo, "frombuf", lambda *args: looked_at.append(whole_header(*args)) or looked_at[-1]
    )
    found = read(archive)
    assert isinstance(found, Metadata)
    assert found.requires_dist == ("b",)
    assert [header.name for header in looked_at] == ["a-1.0/PKG-INFO"]


def test_links_in_an_archive_are_not_followed() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("a-1.0/PKG-INFO")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    assert read(buffer.getvalue()) == Unknown("it holds no Python project")


@pytest.mark.parametrize(
    "data", [b"", b"<html>" * 1000, b"PK\x03\x04" + b"x" * 100, b"\x1f\x8b" + b"x" * 100, b"BZh9" + b"x" * 99]
)
def test_what_is_no_archive_says_so(data: bytes) -> None:
    with pytest.raises(SdistError, match=r"^it is not a readable archive$"):
        read(data)


def test_a_cut_archive_says_so() -> None:
    data = sdist("a", "1.0", form="requires.txt")
    with pytest.raises(SdistError, match=r"^it is not a readable archive$"):
        read(data[: len(data) // 2])


def test_an_archive_that_claims_to_unpack_to_more_than_any_is_refused() -> None:
    info = tarfile.TarInfo("a-1.0/big")
    info.size = 8 << 30
    data = gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(SdistError, match=r"^it unpacks to more than a source distribution should$"):
        read(data)


def test_a_huge_extra_header_is_refused() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    with pytest.raises(SdistError, match=r"^it has a header that is too large$"):
        read(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))


def test_a_huge_file_is_refused() -> None:
    for archive in (zipped({"a-1.0/setup.py": bytes(17 << 20)}), tarred({"a-1.0/setup.py": bytes(17 << 20)})):
        with pytest.raises(SdistError, match=r"^its setup.py is too large$"):
            read(archive)


def test_requires_txt_without_sections_is_a_plain_list() -> None:
    assert parse_requires_txt("a\n# no\n\nb>=1\n") == (["a", "b>=1"], [])


def test_a_marker_is_added_to_one_that_is_there() -> None:
    assert with_marker("a; os_name == 'nt'", "python_version < '3'", "X") == (
        'a; os_name == "nt" and python_version < \'3\' and extra == "x"'
    )
    assert with_marker(" a ") == "a"
