from __future__ import annotations

import tomllib
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock, is_valid_pylock_path
from packaging.requirements import Requirement
from report_builders import environment, pin, report, sdist, spec, wheel

from conflictcheck.errors import OutputError
from conflictcheck.exports import EXPORTS, HEAD
from conflictcheck.exports.pylock import PylockExport
from conflictcheck.exports.requirements import RequirementsExport
from conflictcheck.model import Report, TargetName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conflictcheck.exports.base import EnvironmentExport, Export
    from conflictcheck.model import Pin


OF_ENVIRONMENTS = (RequirementsExport(), PylockExport())


def alone(*pins: Pin, name: str = "env-1", platforms: tuple[str, ...] = ("linux",)) -> Report:
    return report(
        "compatible",
        specs=(spec("a.txt"), spec("b.txt")),
        environments=(environment(name, "a.txt", "b.txt", pins=pins),),
        targets=tuple(TargetName("3.11.7", platform) for platform in platforms),
    )


def rendered(export: EnvironmentExport, found: Report) -> str:
    (text,) = export.files(found.environments[0], found).values()
    return text


def locked(found: Report) -> Pylock:
    return Pylock.from_dict(tomllib.loads(rendered(PylockExport(), found)))


NUMPY = pin(
    "numpy",
    "1.26.4",
    "a.txt",
    "b.txt",
    "torch",
    requires_python=">=3.9",
    files=(
        wheel("numpy", "1.26.4", digest="b", tags="cp311-cp311-win_amd64", size=12, upload_time="2024-02-05T23:00:00Z"),
        wheel("numpy", "1.26.4", digest="a", tags="cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        sdist("numpy", "1.26.4", digest="c"),
    ),
)
TORCH = pin(
    "torch", "2.1.0", "a.txt", extras=("opt-einsum",), requires=("numpy",), files=(wheel("torch", "2.1.0", digest="d"),)
)
WINDOWS_ONLY = pin("pywin32", "308", "torch", platforms=("windows",), files=(wheel("pywin32", "308", digest="e"),))
FOLDER = pin("mine", "0", "a.txt", url="file:///srv/mine", editable=True)
ARCHIVE = pin(
    "tool", "2.0", "b.txt", url="https://files.example/tool-2.0.tar.gz", files=(sdist("tool", "2.0", digest="9"),)
)


def test_export_names_are_unique_and_requirements_is_the_default() -> None:
    assert [export.name for export in EXPORTS] == ["requirements", "pylock", "uv-conflicts"]


@pytest.mark.parametrize("export", OF_ENVIRONMENTS, ids=lambda export: export.name)
def test_an_environment_of_releases(export: EnvironmentExport, golden: Callable[[str, str], None]) -> None:
    found = alone(NUMPY, WINDOWS_ONLY, TORCH, platforms=("linux", "windows"))

    ((filename, text),) = export.files(found.environments[0], found).items()

    golden(filename, text)
    assert export.files(found.environments[0], found) == {filename: text}


@pytest.mark.parametrize("export", OF_ENVIRONMENTS, ids=lambda export: export.name)
@pytest.mark.parametrize("name", ["../../etc/passwd", "v1.0", "", "a b\x1b[0m", ".hidden"])
def test_the_name_of_an_environment_is_no_path(export: EnvironmentExport, name: str) -> None:
    found = alone(NUMPY, name=name)

    (filename,) = export.files(found.environments[0], found)

    assert "/" not in filename
    assert " " not in filename
    assert filename.count(".") == 2


def test_a_lock_files_name_is_one_that_tools_look_for(tmp_path: Path) -> None:
    found = alone(NUMPY, name="team.v1")
    (filename,) = PylockExport().files(found.environments[0], found)

    assert filename == "pylock.team-v1.toml"
    assert is_valid_pylock_path(tmp_path / filename)


def test_one_line_without_a_hash_leaves_all_hashes_out_because_pip_would_refuse_the_file() -> None:
    text = rendered(RequirementsExport(), alone(FOLDER, NUMPY))

    assert "--hash" not in text
    assert "# Without hashes, because there is none for mine.\n" in text
    assert "\n-e /srv/mine\n    # via a.txt\n" in text


def test_direct_references_keep_their_address() -> None:
    text = rendered(RequirementsExport(), alone(ARCHIVE))

    assert f"\ntool @ https://files.example/tool-2.0.tar.gz \\\n    --hash=sha256:{'9' * 64}\n    # via b.txt\n" in text


def test_every_pinned_line_is_a_requirement() -> None:
    text = rendered(RequirementsExport(), alone(NUMPY, TORCH, WINDOWS_ONLY, ARCHIVE, platforms=("linux", "windows")))
    lines = [line.removesuffix("\\") for line in text.splitlines() if line and not line.startswith((" ", "#"))]

    assert [Requirement(line).name for line in lines] == ["numpy", "torch", "pywin32", "tool"]
    marker = Requirement(lines[2]).marker
    assert marker is not None
    assert marker.evaluate({"sys_platform": "win32", "platform_machine": "AMD64"})
    assert not marker.evaluate({"sys_platform": "linux", "platform_machine": "x86_64"})


def test_a_spec_cannot_smuggle_a_line_into_a_file() -> None:
    evil = pin("a", "1", "x.txt\nevil==1", files=(wheel("a", "1"),))

    lines = rendered(RequirementsExport(), alone(evil)).splitlines()

    assert [line for line in lines if line.startswith("evil")] == []
    assert lines[-1] == r"    # via x.txt\nevil==1"


def test_a_lock_file_says_where_and_for_what() -> None:
    lock = locked(alone(NUMPY, TORCH, platforms=("linux", "windows", "x86_64-manylinux_2_28")))
    numpy, torch = lock.packages

    assert str(lock.requires_python) == "==3.11.*"
    assert [str(marker) for marker in lock.environments or ()] == [
        'sys_platform == "linux" and platform_machine == "x86_64"',
        'sys_platform == "win32" and platform_machine == "AMD64"',
    ]
    assert numpy.index == "https://index.example/simple"
    assert numpy.sdist is not None
    assert [one.name for one in numpy.wheels or ()] == [
        "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "numpy-1.26.4-cp311-cp311-win_amd64.whl",
    ]
    assert torch.dependencies == [{"name": "numpy"}]


def test_a_lock_file_takes_folders_archives_and_commits() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    checkout = pin("lib", "0", "a.txt", url=f"git+https://git.example/lib.git@{commit}#subdirectory=py")
    lib, mine, tool = locked(alone(checkout, FOLDER, ARCHIVE)).packages

    assert lib.vcs is not None
    assert (lib.vcs.url, lib.vcs.commit_id, lib.vcs.subdirectory) == ("https://git.example/lib.git", commit, "py")
    assert mine.directory is not None
    assert (mine.directory.path, mine.directory.editable) == ("/srv/mine", True)
    assert tool.archive is not None
    assert dict(tool.archive.hashes) == {"sha256": "9" * 64}


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (
            pin("old", "1.0", files=(wheel("old", "1.0", hashes=()),)),
            "pylock.env-1.toml: old 1.0 has no file with a hash, which a lock file needs; use --export requirements",
        ),
        (
            pin("lib", "0", url="git+https://git.example/lib.git@main"),
            (
                "pylock.env-1.toml: lib cannot be put into a lock file: its commit is not given in full; "
                "use --export requirements"
            ),
        ),
        (
            pin("tool", "2", url="https://files.example/tool-2.tar.gz"),
            (
                "pylock.env-1.toml: tool cannot be put into a lock file: its hash is not known; add #sha256=… to its "
                "address, or use --export requirements"
            ),
        ),
    ],
    ids=["no-hash", "branch", "archive-without-hash"],
)
def test_what_cannot_be_locked_is_refused_with_a_way_out(refused: Pin, message: str) -> None:
    with pytest.raises(OutputError) as caught:
        rendered(PylockExport(), alone(refused))

    assert str(caught.value) == message


def test_odd_letters_of_an_index_stay_inside_their_quotes() -> None:
    odd = wheel("a", "1", url='https://files.example/"]\n[[packages]]\x7f\x85', upload_time="not a time")

    (package,) = locked(alone(pin("a", "1", files=(odd,)))).packages

    assert package.wheels is not None
    assert package.wheels[0].url == 'https://files.example/"]\n[[packages]]\x7f\x85'
    assert package.wheels[0].upload_time is None


def test_an_environment_without_packages_is_still_a_file() -> None:
    assert locked(alone()).packages == []
    assert rendered(RequirementsExport(), alone()).count("\n") == 4


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_knows_its_own_files_by_what_they_are_called_and_how_they_begin(export: Export) -> None:
    sections = report("compatible", specs=(spec("a/pyproject.toml#extra:x"), spec("a/pyproject.toml#extra:y")))
    made = export.render(alone(NUMPY)) | export.render(sections)
    assert made
    for name, text in made.items():
        assert PurePath(name).match(export.pattern)
        for content in (text.encode(), text.replace("\n", "\r\n").encode()):
            assert export.has_made(content[:HEAD])


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\0", b"numpy\n", b"# Not made by conflictcheck\n", b'created-by = "uv"\n',
     b'lock-version = "1.0"\n[[packages]]\ncreated-by = "conflictcheck"\n'],
)  # fmt: skip
def test_no_export_takes_what_others_wrote_for_its_own(export: Export, content: bytes) -> None:
    assert not export.has_made(content)
