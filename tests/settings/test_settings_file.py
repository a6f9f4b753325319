"""Settings files: each file of ``valid`` is read, each of ``invalid`` is refused with what its comments say."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conflictcheck.errors import ConflictCheckError
from conflictcheck.settings_file import KEYS, FileSettings, read_schema, read_settings_file

HERE = Path(__file__).parent
VALID = sorted((HERE / "valid").glob("*.toml"))
INVALID = sorted((HERE / "invalid").glob("*.toml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working directory, a clone with what the files name."""
    clone = tmp_path / "clone"
    (clone / ".git").mkdir(parents=True)
    (clone / "wheels").mkdir()
    (clone / "constraints.txt").write_text("numpy<2\n")
    return clone


def in_json(value: Any) -> Any:
    """What a program that reads TOML hands to a schema: dates as texts."""
    if isinstance(value, dict):
        return {key: in_json(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, date) else value


def schema_accepts(text: str) -> bool:
    return bool(Draft202012Validator(read_schema()).is_valid(in_json(tomllib.loads(text))))


def read(folder: Path, text: str, name: str = "conflictcheck.toml") -> FileSettings:
    (folder / name).write_text(text)
    return read_settings_file(folder)


def problems(folder: Path, text: str, name: str = "conflictcheck.toml") -> list[str]:
    with pytest.raises(ConflictCheckError) as caught:
        read(folder, text, name)
    return str(caught.value).splitlines()


def test_the_schema_is_one_and_has_every_key_with_a_description() -> None:
    schema = read_schema()

    Draft202012Validator.check_schema(schema)
    assert list(schema["properties"]) == list(KEYS)
    assert all(one["description"].endswith(".") for one in schema["properties"].values())


def test_every_key_is_in_an_example() -> None:
    assert set(tomllib.loads((HERE / "valid" / "every-key.toml").read_text())) == set(KEYS)


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_valid_settings_are_read_and_accepted_by_the_schema(file: Path, folder: Path) -> None:
    text = file.read_text()

    found = read(folder, text)

    assert found.project is not None
    assert found.project.keys == tuple(tomllib.loads(text))
    assert schema_accepts(text)


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_invalid_settings_are_refused_by_line_and_by_the_schema(
    file: Path, folder: Path, request: pytest.FixtureRequest
) -> None:
    text = file.read_text()
    expected = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]

    said = problems(folder, text)

    if request.config.getoption("--update-golden"):
        body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("# "))
        while said != expected:  # the comments move the lines
            expected = said
            said = problems(folder, "".join(f"# {line}\n" for line in said) + body)
        file.write_text("".join(f"# {line}\n" for line in said) + body)
    assert said == expected
    assert not schema_accepts(text)


def test_a_file_with_several_mistakes_names_them_all(folder: Path) -> None:
    text = (
        'inlcude = ["a"]\nplatforms = ["linux", "windos"]\npython-versions = ["3"]\n[environments]\n"a b" = ["a/**"]\n'
    )

    said = problems(folder, text)

    assert [line.partition(": ")[0] for line in said] == [f"conflictcheck.toml:{n}" for n in (1, 2, 3, 5)]
    assert said[0].endswith('no setting is called "inlcude"; did you mean include?')
    assert "did you mean 'windows'?" in said[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[environments]\nVision = ["a"]\nvision = ["b"]\n',
            "conflictcheck.toml:3: Vision and vision are the same name",
        ),
        (
            'include = ["a/**"]\nexclude = ["b",\n  "a/**"]\n',
            'conflictcheck.toml:3: "a/**" is both included and exclud',
        ),
        (
            'only-binary = ["Num.Py"]\nno-binary = ["num-py"]\n',
            "conflictcheck.toml:2: only-binary and no-binary both na",
        ),
        (
            'max-environments = 1\n[environments]\na = ["a"]\nb = ["b"]\n',
            "conflictcheck.toml:1: max-environments is 1, an",
        ),
        ('platforms = ["beos"]', "conflictcheck.toml:1: platforms: no platform is called 'beos'; use linux, macos,"),
        (
            'overrides = ["missing.txt"]',
            'conflictcheck.toml:1: overrides: there is no file "missing.txt"; a path starts',
        ),
        (
            'find-links = ["missing"]',
            'conflictcheck.toml:1: find-links: "missing" is neither an address nor a folder th',
        ),
        (
            'index-url = "ftp://u:secret@h.example/x"',
            "conflictcheck.toml:1: index-url: 'ftp://h.example/x' is not the a",
        ),
        ("include = [\n", "conflictcheck.toml:1: not valid TOML: "),
        ("a = 1\na = 2\n", "conflictcheck.toml:2: not valid TOML: "),
        (f"include = {['x'] * 5_001}", "conflictcheck.toml:1: more than 5,000 texts in all lists"),
        (f'include = ["{"x" * 1_001}"]', "conflictcheck.toml:1: include: "),
    ],
)
def test_what_no_schema_can_say_is_refused_by_line(folder: Path, text: str, said: str) -> None:
    [found] = problems(folder, text)
    assert found.startswith(said)
    assert "secret" not in found


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "conflictcheck.toml").write_bytes(b"include = ['\xff']")
    with pytest.raises(ConflictCheckError, match=r"^conflictcheck\.toml: not UTF-8 text"):
        read_settings_file(folder)


class TestWhichFileHolds:
    def test_the_nearest_one_upwards(self, folder: Path) -> None:
        below = folder / "services" / "api"
        below.mkdir(parents=True)
        read(folder, 'exclude = ["old/**"]')

        found = read_settings_file(below)
        assert found.name == "../../conflictcheck.toml"
        assert found.project is not None
        assert found.project.folder == folder

        (folder / "services" / "conflictcheck.toml").write_text("")
        assert read_settings_file(below).name == "../conflictcheck.toml"

    def test_our_own_name_comes_before_a_table_in_the_same_folder(self, folder: Path) -> None:
        (folder / "pyproject.toml").write_text('[tool.conflictcheck]\nplatforms = ["windows"]\n')
        assert read_settings_file(folder).platforms == ("windows",)
        assert read(folder, 'platforms = ["linux"]').platforms == ("linux",)

    def test_a_pyproject_without_the_table_is_passed_over(self, folder: Path) -> None:
        below = folder / "api"
        below.mkdir()
        read(folder, 'platforms = ["windows"]')
        for text in ("[project]\nname = 'x'\n", "# conflictcheck\n[tool.other]\n", "[broken"):
            (below / "pyproject.toml").write_text(text)
            assert read_settings_file(below).platforms == ("windows",)

    def test_a_broken_one_that_speaks_of_the_table_is_refused(self, folder: Path) -> None:
        assert problems(folder, "[tool.conflictcheck]\nx = \n", "pyproject.toml") == [
            "pyproject.toml:2: not valid TOML: invalid value"
        ]
        assert problems(folder, "[tool]\nconflictcheck = 1\n", "pyproject.toml") == [
            "pyproject.toml:2: [tool.conflictcheck] is no table"
        ]

    def test_lines_are_those_of_the_pyproject(self, folder: Path) -> None:
        text = (
            '[project]\nname = "x"\n[tool.conflictcheck]\n# 4\nno-index = 1\n[tool.conflictcheck.environments]\na = 1'
        )
        assert problems(folder, text, "pyproject.toml") == [
            "pyproject.toml:5: no-index has a number; write true or false",
            "pyproject.toml:7: environments.a has a number; write a list of texts",
        ]

    @pytest.mark.parametrize("mark", [".git", ".hg", ".svn"])
    def test_none_above_the_working_tree_does(self, folder: Path, mark: str) -> None:
        inner = folder / "vendored" / "src"
        inner.mkdir(parents=True)
        read(folder, 'platforms = ["windows"]')
        assert read_settings_file(inner).platforms == ("windows",)

        (inner.parent / mark).mkdir()
        assert read_settings_file(inner) == FileSettings()

    def test_without_version_control_none_in_a_folder_of_somebody_else_does(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inner = tmp_path / "shared" / "mine" / "src"
        inner.mkdir(parents=True)
        read(tmp_path / "shared", 'platforms = ["windows"]')
        assert read_settings_file(inner).platforms == ("windows",)

        real = Path.stat

        def stat(path: Path, **how: bool) -> os.stat_result:
            found = real(path, **how)
            return os.stat_result([*found[:4], found.st_uid + (path == tmp_path / "shared"), *found[5:10]])

        monkeypatch.setattr(Path, "stat", stat)
        assert read_settings_file(inner) == FileSettings()

    def test_the_one_that_is_named(self, folder: Path) -> None:
        read(folder, 'platforms = ["windows"]')
        (folder.parent / "strict.toml").write_text('platforms = ["linux"]')
        (folder.parent / "pyproject.toml").write_text('[tool.conflictcheck]\nplatforms = ["macos"]')
        (folder / "pyproject.toml").write_text("")

        assert read_settings_file(folder, named="../strict.toml").platforms == ("linux",)
        assert read_settings_file(folder, named="../pyproject.toml").platforms == ("macos",)
        with pytest.raises(ConflictCheckError, match=r"^pyproject\.toml: it has no \[tool\.conflictcheck\]"):
            read_settings_file(folder, named="pyproject.toml")
        with pytest.raises(ConflictCheckError, match=r"^none\.toml: no such file"):
            read_settings_file(folder, named="none.toml")


def test_paths_start_at_the_file_and_are_told_from_the_working_directory(folder: Path) -> None:
    below = folder / "api"
    below.mkdir()
    read(
        folder, 'constraints = ["constraints.txt"]\nfind-links = ["wheels"]\nindex-url = "wheels"\nbaseline = "b.json"'
    )

    found = read_settings_file(below)

    assert found.constraints == ("../constraints.txt",)
    assert found.find_links == (str(folder / "wheels"),)
    assert found.index_url == (folder / "wheels").as_uri()
    assert found.baseline == Path("../b.json")


# A file of somebody else leads nowhere outside of its working tree, unless whoever runs the check says so.


@pytest.mark.parametrize(
    "text",
    [
        'constraints = ["../outside/secret.txt"]',
        'overrides = ["../outside/secret.txt"]',
        'constraints = ["OUTSIDE/secret.txt"]',
        'constraints = ["link.txt"]',
        'constraints = ["folder/secret.txt"]',
        'baseline = "../outside/secret.txt"',
        'find-links = ["../outside"]',
        'find-links = ["folder"]',
        'index-url = "../outside"',
        'extra-index-urls = ["OUTSIDE"]',
    ],
)
def test_no_key_reads_outside(folder: Path, text: str) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("hunter2\n")
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "folder").symlink_to(outside)
    text = text.replace("OUTSIDE", str(outside))

    [said] = problems(folder, text)

    assert said.endswith(" is outside of the working tree; give it on the command line, or --allow-outside")
    assert read_settings_file(folder, allow_outside=True) != FileSettings()


@pytest.mark.parametrize("text", ['constraints = ["../outside/there"]', 'find-links = ["../outside/there"]'])
def test_nor_tells_what_is_there(folder: Path, text: str) -> None:
    (folder.parent / "outside").mkdir()
    missing = problems(folder, text)
    (folder.parent / "outside" / "there").write_text("")
    assert problems(folder, text) == missing


def test_a_link_outside_is_no_settings_file(folder: Path) -> None:
    (folder.parent / "their.toml").write_text('platforms = ["windows"]')
    (folder / "conflictcheck.toml").symlink_to(folder.parent / "their.toml")

    with pytest.raises(ConflictCheckError) as caught:
        read_settings_file(folder)

    assert str(caught.value) == (
        "conflictcheck.toml: outside of the working tree; give --allow-outside to read it all the same"
    )
    assert read_settings_file(folder, allow_outside=True).platforms == ("windows",)


def test_a_linked_pyproject_has_no_say(folder: Path) -> None:
    (folder.parent / "their.toml").write_text('[tool.conflictcheck]\nplatforms = ["windows"]')
    (folder / "pyproject.toml").symlink_to(folder.parent / "their.toml")
    assert read_settings_file(folder) == FileSettings()


@pytest.mark.parametrize(
    "address",
    ["https://${HOME}.evil.example/simple", "https://index.example/${TOKEN}/simple", "u=https://${A}@h.example"],
)
def test_no_variable_is_expanded(folder: Path, address: str) -> None:
    for key in ("extra-index-urls", "find-links"):
        [said] = problems(folder, f'{key} = ["{address}"]')
        assert "no variable is expanded in settings" in said
    assert "no variable" in problems(folder, f'index-url = "{address}"')[0]


@pytest.mark.parametrize("name", ["file:///etc", "FILE:/etc", "file://localhost/etc"])
def test_no_file_address_is_taken(folder: Path, name: str) -> None:
    assert "a folder is named by its path" in problems(folder, f'index-url = "{name}"')[0]


def test_what_it_says_does_nothing_to_a_terminal(folder: Path) -> None:
    text = '"\\u001b[2J" = 1\nfind-links = ["\\u001b[31m"]\n[environments]\n"\\u202e" = ["a"]\na = ["\\n::error::x"]\n'
    said = "\n".join(problems(folder, text))
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said.splitlines()) == 4
