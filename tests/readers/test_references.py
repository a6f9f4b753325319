from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Folder

    from conflictcheck.model import Requirement

REQ = "requirements.txt"
PROJECT = '[project]\nname = "My_Pkg"\n'


def only(folder: Folder, line: str) -> Requirement:
    folder.write(REQ, line)
    [spec] = folder.read(REQ).specs
    [requirement] = spec.requirements
    return requirement


def error(folder: Folder, line: str) -> str:
    folder.write(REQ, line)
    [message] = folder.errors(REQ)
    return message.removeprefix("requirements.txt:1: ")


@pytest.mark.parametrize(
    ("line", "name", "url"),
    [
        ("foo @ https://h.example/x.zip", "foo", "https://h.example/x.zip"),
        ("foo@https://h.example/x.zip ; os_name=='nt'", "foo", "https://h.example/x.zip"),
        (
            "https://h.example/a/Foo_Bar-1.0-py3-none-any.whl",
            "foo-bar",
            "https://h.example/a/Foo_Bar-1.0-py3-none-any.whl",
        ),
        ("https://h.example/foo-1.0.tar.gz?x=1", "foo", "https://h.example/foo-1.0.tar.gz?x=1"),
        ("https://h.example/x.zip#egg=foo", "foo", "https://h.example/x.zip"),
        (
            "git+https://h.example/r.git@v1#egg=foo&subdirectory=a/b",
            "foo",
            "git+https://h.example/r.git@v1#subdirectory=a/b",
        ),
        ("foo @ git+https://h.example/r.git@v1", "foo", "git+https://h.example/r.git@v1"),
        ("-e git+ssh://git@h.example/r.git#egg=foo", "foo", "git+ssh://git@h.example/r.git"),
        ("git+https://me:pw@h.example/r.git#egg=foo", "foo", "git+https://h.example/r.git"),
    ],
)
def test_a_url_tells_the_package_and_loses_its_credentials(folder: Folder, line: str, name: str, url: str) -> None:
    requirement = only(folder, line)
    assert (requirement.name, requirement.url) == (name, url)


def test_credentials_are_covered_in_the_text(folder: Folder) -> None:
    assert only(folder, "foo @ https://me:pw@h.example/x.zip").text == "foo @ https://****@h.example/x.zip"


def test_the_egg_may_have_extras(folder: Folder) -> None:
    assert only(folder, "git+https://h.example/r#egg=foo[B,a]").extras == ("a", "b")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pyproject.toml", PROJECT),
        ("pyproject.toml", '[tool.poetry]\nname = "my-pkg"\n'),
        ("setup.cfg", "[metadata]\nname = my.pkg\n"),
        ("PKG-INFO", "Metadata-Version: 2.1\nName: my-pkg\n"),
        ("setup.py", "import setuptools\nsetuptools.setup(version='\\d', name='my_pkg')\n"),
        (
            "setup.py",
            "NAME = 'My.pkg'\nif __name__ == '__main__':\n    setup(name=NAME)\n",
        ),
        ("setup.py", "PART = 'pkg'\nname = f'my-{PART}'\nsetup(name=name, packages=[f'{PART}_{x}' for x in y])\n"),
    ],
)
def test_a_local_project_is_known_by_what_it_states(folder: Folder, file: str, content: str) -> None:
    folder.write("pkg/setup.py")
    folder.write(f"pkg/{file}", content)
    requirement = only(folder, "-e ./pkg[x] ; python_version > '3'")
    assert (requirement.name, requirement.extras, requirement.editable) == ("my-pkg", ("x",), True)
    assert requirement.url == (folder.path / "pkg").as_uri()
    assert requirement.text == "-e ./pkg[x] ; python_version > '3'"
    assert str(requirement.marker) == 'python_version > "3"'


@pytest.mark.parametrize(
    "line", ["-e pkg", "-epkg", "--editable=pkg", "-e 'pkg'", "pkg/", "./pkg", "file:./pkg", "my-pkg @ ./pkg"]
)
def test_a_local_project_may_be_written_in_many_ways(folder: Folder, line: str) -> None:
    folder.write("pkg/pyproject.toml", PROJECT)
    assert only(folder, line).url == (folder.path / "pkg").as_uri()


def test_a_path_may_have_any_space(folder: Folder) -> None:
    folder.write("p\u3000k/pyproject.toml", PROJECT)
    assert only(folder, "./p\u3000k").name == "my-pkg"


def test_an_absolute_file_url_is_a_local_project(folder: Folder) -> None:
    folder.write("p k/pyproject.toml", PROJECT)
    assert only(folder, (folder.path / "p k").as_uri()).name == "my-pkg"


@pytest.mark.parametrize("line", ["dist/foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any.whl[x] ; os_name != 'x'"])
def test_a_local_archive_is_known_by_its_filename(folder: Folder, line: str) -> None:
    folder.write("dist/foo-1.0-py3-none-any.whl")
    folder.write("foo-1.0-py3-none-any.whl")
    assert only(folder, line).name == "foo"


def test_a_relative_path_starts_at_the_files_folder_or_else_where_the_user_is(folder: Folder) -> None:
    folder.write("pkg/pyproject.toml", PROJECT)
    folder.write("api/pyproject.toml", '[project]\nname = "api"\n')
    folder.write("api/requirements.txt", "-e .\n-e ./pkg\n")
    [spec] = folder.read("api/requirements.txt").specs
    assert [requirement.name for requirement in spec.requirements] == ["api", "my-pkg"]


ANOTHER_PLACE = (
    'warning relative-path api/requirements.txt:2: "api/pkg" is read, which the path means from the folder of the '
    'file; pip and uv start at the working directory and read "pkg": write the path in full, or run them '
    "where the file is"
)


@pytest.mark.parametrize(
    "line", ["-e ./pkg", "pkg/", "-e ./pkg[x] ; os_name == 'nt'", "my-pkg @ file:pkg", "file:pkg#egg=my-pkg"]
)
def test_a_relative_path_that_pip_reads_from_elsewhere_is_a_warning(folder: Folder, line: str) -> None:
    folder.write("pkg/pyproject.toml", PROJECT)
    folder.write("api/pkg/pyproject.toml", PROJECT)
    folder.write("api/requirements.txt", f"# pinned\n{line}\n")
    [spec] = folder.read("api/requirements.txt").specs
    assert [requirement.url for requirement in spec.requirements] == [(folder.path / "api/pkg").as_uri()]
    assert folder.notes("api/requirements.txt") == [ANOTHER_PLACE]


def test_a_relative_path_that_leads_to_one_project_alone_is_no_warning(folder: Folder) -> None:
    folder.write("pkg/notes.txt")
    folder.write("api/pkg/pyproject.toml", PROJECT)
    folder.write("api/requirements.txt", "-e ./pkg\n")
    folder.write("here/requirements.txt", "-e ./api/pkg\n")
    folder.write("same/requirements.txt", "-e ./link\n")
    for link in ("link", "same/link"):
        (folder.path / link).symlink_to(folder.path / "api/pkg")
    for file in ("api", "here", "same"):
        assert folder.notes(f"{file}/requirements.txt") == []


def test_a_folder_that_is_no_project_gives_way_to_one_that_is(folder: Folder) -> None:
    folder.write("pyproject.toml", PROJECT)
    folder.write("requirements/dev.txt", "-e .\n")
    [spec] = folder.read("requirements/dev.txt").specs
    assert spec.requirements[0].url == folder.path.as_uri()


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("git+https://h.example/r.git@v1", "git+https://h.example/r.git@v1"),
        ("git+https://me:pw@h.example/r ; os_name == 'nt'", "git+https://h.example/r"),
        ("hg+ssh://h.example/r#subdirectory=py", "hg+ssh://h.example/r#subdirectory=py"),
    ],
)
def test_a_url_of_version_control_that_does_not_tell_its_package_has_its_url_for_a_name(
    folder: Folder, line: str, url: str
) -> None:
    folder.write(REQ, line)
    [spec] = folder.read(REQ).specs
    assert [(requirement.name, requirement.url) for requirement in spec.requirements] == [(url, url)]


def test_a_url_that_does_not_tell_its_package_is_an_error_where_no_requirements_file_has_it(folder: Folder) -> None:
    message = 'the URL "git+https://h.example/r" does not tell which package it is; write "name @ URL"'
    folder.write("pyproject.toml", '[project]\nname = "p"\ndependencies = ["git+https://h.example/r"]\n')
    assert folder.errors("pyproject.toml") == [f"pyproject.toml:3: {message}"]
    folder.write("c.txt", "git+https://h.example/r\n")
    assert error(folder, "-c c.txt") == f"c.txt:1: {message}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "-e git+https://h.example/r.git",
            'the URL "git+https://h.example/r.git" does not tell which package it is; write "name @ URL"',
        ),
        (
            "https://me:pw@h.example/main.zip",
            'the URL "https://****@h.example/main.zip" does not tell which package it is; write "name @ URL"',
        ),
        ("./nameless", 'the path "./nameless" does not tell which package it is; write "name @ file:PATH"'),
        (
            "./nope",
            '"./nope": no such file or folder; a relative path starts at the file\'s folder, or where you are',
        ),
        ("./empty", '"./empty": the folder is no Python project; pip and uv look for a pyproject.toml or a setup.py'),
        ("./requirements.txt", '"./requirements.txt": neither a project folder nor an archive'),
        ("foo @ gopher://h.example/x", ('"foo @ gopher://h.example/x": the scheme of the URL is not known;'
         " http, https, file, or git+https and the like")),
        ("foo @ https:///x.zip", '"foo @ https:///x.zip": the URL names no host'),
        ("foo @ https://[x/y.zip", '"foo @ https://[x/y.zip": the URL names no host'),
        ("foo @ https://h.example:99999/x.zip", ('"foo @ https://h.example:99999/x.zip": the port of the URL is no'
         " number from 1 to 65535")),
        ("foo @ https://h..example/x.zip", '"foo @ https://h..example/x.zip": the host of the URL is no usable name'),
        ("foo @ https://h.example/\x1b[31mx.zip", ('"foo @ https://h.example/\\x1b[31mx.zip": a control character in'
         " the place; take it out")),
        ("foo @ https://h.example/a\u00a0b.zip", ('"foo @ https://h.example/a b.zip": a character in the URL that'
         " does not show; take it out")),
        (
            "file://server/share/foo-1.0.tar.gz",
            '"file://server/share/foo-1.0.tar.gz": a file: URL with a host cannot be read; write file:///path',
        ),
        ("https://h.example/x#egg=-", ('"https://h.example/x#egg=-": what follows #egg= is not a name; '
        'write it as "name @ URL"')),
        ("bar @ https://h.example/foo-1.0.tar.gz", '"bar @ https://h.example/foo-1.0.tar.gz" calls bar what is foo'),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_says_so(folder: Folder, line: str, message: str) -> None:
    folder.write("nameless/setup.py", "from setuptools import setup\nsetup(name=compute())\n")
    folder.write("empty/x")
    assert error(folder, line) == message


@pytest.mark.parametrize(
    "text",
    [
        "N = 'a'\nN = 'b'\nsetup(name=N)",
        "N = 'a'\nfor N in x: pass\nsetup(name=N)",
        "N = 'a'\ndef f(N):\n    setup(name=N)",
        "N = 'a'\nfrom other import *\nsetup(name=N)",
        "N = 'a'\nimport N.x\nsetup(name=N)",
        "if x:\n    N = 'a'\nsetup(name=N)",
        "N = N\nsetup(name=N)",
        "setup(name=f'a-{x}')",
        "N = 'a'\nsetup(name=f'{N!r}')",
        "N = 'a'\nsetup(name=f'{N:>9}')",
        "N = 'a'\nsetup(name=f'" + 9 * "{N}" + "')",
    ],
)
def test_a_name_that_a_setup_py_may_give_otherwise_is_not_read_from_it(folder: Folder, text: str) -> None:
    folder.write("pkg/setup.py", text)
    assert error(folder, "./pkg") == 'the path "./pkg" does not tell which package it is; write "name @ file:PATH"'


def test_a_broken_project_file_is_no_crash(folder: Folder) -> None:
    folder.write("pkg/pyproject.toml", b"\xff[")
    folder.write("pkg/setup.cfg", "name")
    folder.write("pkg/setup.py", "(" * 5000)
    assert error(folder, "./pkg") == 'the path "./pkg" does not tell which package it is; write "name @ file:PATH"'


def test_an_editable_constraint_is_an_error(folder: Folder) -> None:
    folder.write("pkg/pyproject.toml", PROJECT)
    folder.write("c.txt", "-e ./pkg\n")
    folder.write(REQ, "-c c.txt\n")
    assert folder.errors(REQ) == ['c.txt:1: "./pkg" is editable, which a constraint cannot be; leave out -e']
