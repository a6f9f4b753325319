"""Settings files: each file of ``valid`` is read, each of ``invalid`` is refused with what its comments say."""

from __future__ import annotations

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
