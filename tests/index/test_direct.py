from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from artifacts import sdist, wheel, zipped
from index_server import IndexServer
from packaging.utils import canonicalize_name

from conflictcheck.facts import File, Metadata, Unknown
from conflictcheck.index import open_index
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    from pathlib import Path

A = canonicalize_name("a")
SETUP_CFG = """
[metadata]
name = A
version = attr: a.__version__
[options]
python_requires = >=3.9
install_requires =
    b>=1  # why
    # c
    d; os_name == "nt"
[options.extras_require]
x = e; f
"""


def read(url: str, **options: Any) -> Any:
    return open_index(IndexSettings((), **options), Progress()).direct(url, A)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_wheel_behind_a_url_is_read_by_ranges() -> None:
    with IndexServer({}) as server:
        server.store("a-1.0-py3-none-any.whl", wheel("a", "1.0", requires=["b"]), name="a")
        url = f"{server.root}/files/a-1.0-py3-none-any.whl"
        assert read(url) == (
            Metadata("a", "1.0", ("b",), None, (), "wheel", "a-1.0-py3-none-any.whl"),
            File("a-1.0-py3-none-any.whl", url, "1.0", "py3-none-any"),
        )


def test_an_archive_must_have_the_hash_in_its_url() -> None:
    data, other = wheel("a", "1.0"), sdist("a", "1.0")
    with IndexServer({}) as server:
        server.store("a-1.0-py3-none-any.whl", data, name="a")
        server.store("a-1.0.tar.gz", other, name="a")
        for filename, content in (("a-1.0-py3-none-any.whl", data), ("a-1.0.tar.gz", other)):
            url = f"{server.root}/files/{filename}"
            assert read(f"{url}#sha256={digest(content)}")[1].hashes == (f"sha256:{digest(content)}",)
            assert read(f"{url}#sha256={'0' * 64}") == Unknown(
                f"{filename} does not have the hash that is stated for it"
            )


def test_a_source_archive_of_any_name_is_read_and_hashed() -> None:
    data = zipped(
        {"project-main/sub/pyproject.toml": b'[project]\nname = "A"\ndynamic = ["version"]\ndependencies = ["b"]'}
    )
    with IndexServer({}) as server:
        server.store("main.zip", data, name="a")
        url = f"{server.root}/files/main.zip"
        assert read(f"{url}#subdirectory=sub") == (
            Metadata("a", "0", ("b",), None, (), "pyproject", "main.zip"),
            File("main.zip", url, "0", hashes=(f"sha256:{digest(data)}",)),
        )
        assert read(url) == Unknown("it holds no Python project")
        assert read(f"{server.root}/files/none.zip") == Unknown(
            f"{server.root}/files/none.zip: the server answered 404"
        )


def test_an_archive_on_disk_is_read(tmp_path: Path) -> None:
    (tmp_path / "a-1.0.tar.gz").write_bytes(sdist("a", "1.0", requires=["b"]))
    url = (tmp_path / "a-1.0.tar.gz").as_uri()
    assert read(url, offline=True)[0] == Metadata("a", "1.0", ("b",), None, (), "sdist", "a-1.0.tar.gz")


def test_a_project_folder_is_read_from_its_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "A"\nversion = "1.0"\ndependencies = ["b"]\n')
    assert read(tmp_path.as_uri()) == (
        Metadata("a", "1.0", ("b",), None, (), "local", tmp_path.name),
        File(tmp_path.name, tmp_path.as_uri(), "1.0"),
    )


def test_a_project_folder_may_say_it_in_setup_cfg(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text(SETUP_CFG)
    (tmp_path / "setup.py").write_text("from setuptools import setup; setup()")
    found, _ = read(tmp_path.as_uri())
    assert found == Metadata(
        "a",
        "0",
        ("b>=1", 'd; os_name == "nt"', 'e; extra == "x"', 'f; extra == "x"'),
        ">=3.9",
        ("x",),
        "local",
        tmp_path.name,
    )


FILES_OF_SETUPTOOLS = """\
[project]
name = "a"
version = "1"
dynamic = ["dependencies", "optional-dependencies"]
[tool.setuptools.dynamic]
dependencies = {file = ["deps.txt", "more/deps.txt"]}
optional-dependencies.x = {file = "x.txt"}
"""


def test_a_project_folder_may_say_it_in_files_that_setuptools_reads(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(FILES_OF_SETUPTOOLS)
    (tmp_path / "deps.txt").write_text("# ours\nb<2  # old\n\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "deps.txt").write_text("c\n")
    (tmp_path / "x.txt").write_text("d\n")
    found, _ = read(tmp_path.as_uri())
    assert found == Metadata("a", "1", ("b<2", "c", 'd; extra == "x"'), None, ("x",), "local", tmp_path.name)


@pytest.mark.parametrize(
    "files",
    [
        {"deps.txt": "b\n"},
        {"deps.txt": "b\n", "x.txt": "-r deps.txt\n"},
        {"deps.txt": "b\n", "x.txt": "c \\\n==1\n"},
    ],
)
def test_files_of_setuptools_that_cannot_be_read_leave_it_unknown(tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "pyproject.toml").write_text(FILES_OF_SETUPTOOLS.replace(', "more/deps.txt"', ""))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert read(tmp_path.as_uri()) == Unknown("its dependencies are only known to its build backend, which is not run")


@pytest.mark.parametrize("name", ["../deps.txt", "link.txt", "a\\u0000b"])
def test_files_of_setuptools_outside_of_the_project_are_not_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "deps.txt").write_text("b\n")
    (folder / "link.txt").symlink_to(tmp_path / "deps.txt")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "a"\nversion = "1"\ndynamic = ["dependencies"]\n'
        f'[tool.setuptools.dynamic]\ndependencies = {{file = "{name}"}}\n'
    )
    assert isinstance(read(folder.as_uri()), Unknown)


def workspace(tmp_path: Path, *, needs: str, more: str = "") -> Path:
    """A workspace of uv; the folder of its member `a`, whose needs these are."""
    files = {
        ".": '[project]\nname = "root"\n[tool.uv.workspace]\nmembers = ["libs/*"]\n[tool.uv.sources]\n'
        "a = { workspace = true }\nb = { workspace = true }\nno-member = { workspace = true }\n",
        "libs/a": f'[project]\nname = "a"\nversion = "1"\n{needs}\n{more}',
        "libs/b": '[project]\nname = "B"\n',
    }
    for folder, text in files.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "pyproject.toml").write_text(text)
    return tmp_path / "libs" / "a"


def test_what_a_project_folder_needs_may_be_a_member_of_its_workspace(tmp_path: Path) -> None:
    needs = (
        'dependencies = ["b>=9", "b[x]; os_name == \'nt\'", "b @ https://h.example/b.zip", "a[x]", "c", "d", "-"]\n'
        'optional-dependencies = { x = ["b"] }\n'
    )
    folder = workspace(tmp_path, needs=needs, more='[tool.uv.sources]\nd = { path = "../../d" }\n')
    at = f"b @ {(tmp_path / 'libs' / 'b').as_uri()}"
    assert read(folder.as_uri())[0].requires_dist == (
        at,
        f'b[x] @ {(tmp_path / "libs" / "b").as_uri()} ; os_name == "nt"',
        "b @ https://h.example/b.zip",
        "a[x]",
        "c",
        f"d @ {(tmp_path / 'd').as_uri()}",
        "-",
        f'{at} ; extra == "x"',
    )


def test_a_member_that_is_not_there_leaves_what_a_folder_needs_unknown(tmp_path: Path) -> None:
    assert read(workspace(tmp_path, needs='dependencies = ["no-member"]').as_uri()) == Unknown(
        'the source of "no-member" in [tool.uv.sources]: the workspace has no member of that name'
    )


def test_a_broken_file_above_a_project_is_no_workspace(tmp_path: Path) -> None:
    folder = workspace(
        tmp_path, needs='dependencies = ["b", "e"]', more="[tool.uv.sources]\ne = { workspace = true }\n"
    )
    (tmp_path / "pyproject.toml").write_text("[")
    assert read(folder.as_uri()) == Unknown(
        'the source of "e" in [tool.uv.sources]: the pyproject.toml above its project: '
        f"the pyproject.toml in {tmp_path.name} cannot be read"
    )


def test_what_a_build_left_in_a_folder_is_inferred(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("install_requires = []")
    (tmp_path / "src" / "a.egg-info").mkdir(parents=True)
    (tmp_path / "src" / "a.egg-info" / "PKG-INFO").write_text("Name: a\nVersion: 3\n")
    (tmp_path / "src" / "a.egg-info" / "requires.txt").write_text("b\n")
    assert read(tmp_path.as_uri())[0] == Metadata("a", "3", ("b",), None, (), "inferred", tmp_path.name)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"setup.py": "install_requires"}, "its dependencies are only known to its setup.py, which is not run"),
        (
            {"setup.cfg": SETUP_CFG, "setup.py": "setup(install_requires=x)"},
            "its dependencies are only known to its setup.py, which is not run",
        ),
        (
            {
                "setup.cfg": SETUP_CFG.replace("install_requires =", "install_requires = file: r.txt"),
                "setup.py": "setup()",
            },
            "the install_requires of its setup.cfg are in another file, which is not read",
        ),
        (
            {"setup.cfg": f"{SETUP_CFG}y = file: r.txt\n", "setup.py": "setup()"},
            "the extras_require of its setup.cfg are in another file, which is not read",
        ),
        (
            {"pyproject.toml": "[build-system]"},
            "its dependencies are only known to its build backend, which is not run",
        ),
        ({"pyproject.toml": "not toml"}, "its dependencies are only known to its build backend, which is not run"),
        ({"pyproject.toml": "[project]\nname = 'b'\nversion='1'"}, "its metadata is about b"),
        ({}, "it holds no Python project"),
    ],
)
def test_what_only_a_build_would_tell_is_unknown(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert read(tmp_path.as_uri()) == Unknown(reason)


def test_a_subdirectory_stays_inside(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1"')
    url = (tmp_path / "in").as_uri()
    assert read(f"{url}#subdirectory=sub")[0].version == "1"
    assert read(f"{url}#subdirectory=../../x") == Unknown("its subdirectory lies outside of it")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            "git+https://git.example/a.git@main",
            "a version-control reference; it would have to be cloned and built to be known",
        ),
        ("https://", "https:// is no address that can be read"),
        ("ftp://x/a.zip", "ftp://x/a.zip is no address that can be read"),
        ("file:///no/such/a-1.0.tar.gz", "file:///no/such/a-1.0.tar.gz cannot be read: No such file or directory"),
        (
            "https://index.example/b-1.0-py3-none-any.whl",
            "https://index.example/b-1.0-py3-none-any.whl is no wheel of a by its name",
        ),
    ],
)
def test_references_that_cannot_be_read_say_why(url: str, reason: str) -> None:
    assert read(url) == Unknown(reason)


def test_offline_fetches_nothing() -> None:
    assert read("https://index.example/a.zip", offline=True) == Unknown(
        "a direct reference that was not fetched, as --offline was given"
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://[x", "http://[x is no address that can be read"),
        ("http://me:secret@[x/a.zip", "http://[x/a.zip is no address that can be read"),
        ("http://me:secret/with/slash@a.example/a.zip", "http://a.example/a.zip is no address that can be read"),
        ("file:///a\ud800.zip", "file:///a\N{REPLACEMENT CHARACTER}.zip cannot be read: Invalid argument"),
        ("http://a.example:port/a.zip", "http://a.example:port/a.zip is no address that can be read"),
        (f"http://{'x' * 64}/a.zip", f"http://{'x' * 64}/a.zip is no address that can be read"),
        ("file:///a%00b.zip", "file:///a%00b.zip cannot be read: Invalid argument"),
    ],
)
def test_what_is_no_address_is_unknown(url: str, reason: str) -> None:
    assert read(url) == Unknown(reason)
