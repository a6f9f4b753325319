from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conflictcheck.errors import UsageError
from conflictcheck.pip_configuration import configuration_files, read_pip_configuration
from conflictcheck.settings_sources import CommandLine, cache_dir, read_timestamp, resolve_settings, use_color
from conflictcheck.targets import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflictcheck.settings import Settings

NO_FILES = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://index.example/simple"}


def resolved(environ: dict[str, str] | None = None, **given: Any) -> Settings:
    """Settings from this environment alone, with pip's files off and an example index."""
    return resolve_settings(CommandLine(**given), cwd=Path("/work"), environ=NO_FILES | (environ or {}))


def refused(environ: dict[str, str] | None = None, **given: Any) -> str:
    with pytest.raises(UsageError) as caught:
        resolved(environ, **given)
    return str(caught.value)


@pytest.fixture
def tokyo() -> Iterator[None]:
    """Nine hours east of Greenwich."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


def pip_file(folder: Path, text: str) -> dict[str, str]:
    """The environment of somebody whose only configuration file is this one."""
    path = folder / "pip.conf"
    path.write_text(text)
    return {"PIP_CONFIG_FILE": str(path), "HOME": str(folder)}


class TestWhichIndexIsAsked:
    def test_the_command_line_beats_pips_variable_which_beats_uvs(self) -> None:
        uv = {"UV_DEFAULT_INDEX": "https://uv.example/simple", "UV_INDEX_URL": "https://old.example/simple"}

        assert resolved(uv, index_url="https://mine.example/simple/").index.index_urls == (
            "https://mine.example/simple",
        )
        assert resolved(uv).index.index_urls == ("https://index.example/simple",)
        assert resolved(uv | {"PIP_INDEX_URL": ""}).index.index_urls == ("https://uv.example/simple",)
        assert resolved(uv | {"PIP_INDEX_URL": "", "UV_DEFAULT_INDEX": ""}).index.index_urls == (
            "https://old.example/simple",
        )

    def test_uvs_variables_beat_pips_files(self, tmp_path: Path) -> None:
        environ = pip_file(tmp_path, "[global]\nindex-url = https://file.example/simple\n") | {"PIP_INDEX_URL": ""}

        assert resolved(environ).index.index_urls == ("https://file.example/simple",)
        assert resolved(environ | {"UV_INDEX_URL": "https://uv.example/simple"}).index.index_urls == (
            "https://uv.example/simple",
        )

    def test_further_indexes_come_before_the_default_one_and_the_command_lines_first(self) -> None:
        environ = {
            "UV_INDEX": "torch=https://torch.example/whl https://two.example/simple",
            "UV_EXTRA_INDEX_URL": "https://three.example/simple",
            "PIP_EXTRA_INDEX_URL": "https://four.example/simple\nhttps://two.example/simple",
        }

        assert resolved(environ, extra_index_url=("https://one.example/simple",)).index.index_urls == (
            "https://one.example/simple",
            "https://torch.example/whl",
            "https://two.example/simple",
            "https://three.example/simple",
            "https://four.example/simple",
            "https://index.example/simple",
        )

    def test_a_named_default_index_loses_its_name_and_keeps_its_query(self) -> None:
        environ = {"PIP_INDEX_URL": "", "UV_DEFAULT_INDEX": "corp=https://u:p@corp.example/simple?a=b"}

        assert resolved(environ).index.index_urls == ("https://u:p@corp.example/simple?a=b",)

    def test_no_index_leaves_none(self) -> None:
        assert resolved(no_index=True, find_links=("wheels",)).index.index_urls == ()
        assert resolved({"PIP_NO_INDEX": "1", "UV_INDEX": "https://uv.example/simple"}).index.index_urls == ()

    def test_an_index_on_the_command_line_beats_a_configured_no_index(self) -> None:
        found = resolved({"PIP_NO_INDEX": "true"}, index_url="https://mine.example/simple")

        assert found.index.index_urls == ("https://mine.example/simple",)

    def test_a_folder_can_be_an_index(self, tmp_path: Path) -> None:
        assert resolved(index_url=str(tmp_path)).index.index_urls == (tmp_path.as_uri(),)

    def test_what_is_no_address_is_refused_without_its_password(self) -> None:
        message = refused({"UV_INDEX": "ftp://user:secret@host.example/simple"})

        assert message == (
            "UV_INDEX: 'ftp://host.example/simple' is not the address of an index; use one that starts with https://, "
            "or a folder that exists"
        )

    @pytest.mark.parametrize(
        "url",
        [
            "http://[x",
            "https://host.example:port/simple",
            "https://host.example:99999/simple",
            "https:///simple",
            "https://user:secret@/simple",
            "https://a..b/simple",
            f"https://{'a' * 64}.example/simple",
            "https://host.example/si\x1b[31mmple",
        ],
    )
    def test_an_address_that_cannot_be_read_is_refused_wherever_it_stands(self, url: str) -> None:
        shown = repr(url.replace("user:secret@", ""))
        expected = (
            f"{shown} is not an address that can be read; check its scheme, host and port; "
            "a whole one is https://host.example/simple"
        )

        assert refused(index_url=url) == f"--index-url: {expected}"
        assert refused(extra_index_url=(url,)) == f"--extra-index-url: {expected}"
        assert refused(find_links=("wheels", url)) == f"--find-links: {expected}"
        for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_FIND_LINKS"):
            assert refused({name: url}) == f"{name}: {expected}"
        assert refused({"PIP_INDEX_URL": "", "UV_DEFAULT_INDEX": url}) == f"UV_DEFAULT_INDEX: {expected}"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("index_url", ""),
            ("extra_index_url", ("",)),
            ("find_links", ("",)),
            ("index_snapshot", ""),
            ("cache_dir", ""),
        ],
    )
    def test_an_empty_value_on_the_command_line_is_refused(self, name: str, value: Any) -> None:
        assert refused(**{name: value}) == (
            f"--{name.replace('_', '-')}: its value is empty; give one, or leave the option out"
        )


class TestTheOtherIndexSettings:
    def test_find_links_of_all_places_count_the_command_lines_first(self) -> None:
        environ = {"PIP_FIND_LINKS": "one https://two.example/", "UV_FIND_LINKS": "three, four"}

        assert resolved(environ, find_links=("zero", "one")).index.find_links == (
            "zero",
            "one",
            "https://two.example/",
            "three",
            "four",
        )

    def test_certificates_timeouts_and_keyring_are_pips(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").touch()
        environ = {"PIP_CERT": str(tmp_path / "ca.pem"), "PIP_DEFAULT_TIMEOUT": "7", "PIP_KEYRING_PROVIDER": "disabled"}
        index = resolved(environ).index

        assert (index.ca_bundle, index.timeout, index.keyring) == (tmp_path / "ca.pem", 7.0, False)
        assert resolved(environ | {"PIP_TIMEOUT": "3.5"}).index.timeout == 3.5
        assert (resolved().index.timeout, resolved().index.keyring) == (30.0, True)
        assert not resolved({"UV_KEYRING_PROVIDER": "disabled"}).index.keyring
        assert resolved({"PIP_KEYRING_PROVIDER": "import", "UV_KEYRING_PROVIDER": "disabled"}).index.keyring

    @pytest.mark.parametrize("name", ["PIP_CERT", "SSL_CERT_FILE"])
    def test_certificates_that_are_not_there_are_missed_where_they_are_needed(self, name: str, tmp_path: Path) -> None:
        environ = {name: str(tmp_path / "none.pem")}

        assert refused(environ) == (
            f"{name}: there is no file {environ[name]!r}; name a file of certificates, or leave the setting out"
        )
        assert resolved(environ, offline=True).index.ca_bundle is None
        assert resolved(environ, index_snapshot="facts").index.ca_bundle is None

    @pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf"])
    def test_a_timeout_that_is_no_time_is_refused(self, value: str) -> None:
        assert refused({"PIP_TIMEOUT": value}) == (
            f"PIP_TIMEOUT: {value!r} is not a number of seconds; use a number above 0"
        )

    def test_retries_are_pips(self) -> None:
        assert [resolved(environ).index.retries for environ in ({}, {"PIP_RETRIES": "0"}, {"PIP_RETRIES": "9"})] == [
            2,
            0,
            9,
        ]
        for value in ("often", "-1", "1.5", "1000"):
            assert refused({"PIP_RETRIES": value}) == (
                f"PIP_RETRIES: {value!r} is no number of retries; use a number such as 5"
            )

    def test_offline_may_be_uvs(self) -> None:
        assert resolved(offline=True).index.offline
        assert resolved({"UV_OFFLINE": "true"}).index.offline
        assert not resolved({"UV_OFFLINE": "0"}).index.offline
        assert refused({"UV_OFFLINE": "maybe"}) == "UV_OFFLINE: 'maybe' is neither true nor false; use 1 or 0"

    def test_the_cache_folder(self, tmp_path: Path) -> None:
        environ = {"CONFLICTCHECK_CACHE_DIR": str(tmp_path)}

        assert resolved(environ).index.cache_dir == tmp_path
        assert resolved(environ, cache_dir="/elsewhere").index.cache_dir == Path("/elsewhere")
        assert resolved(environ, no_cache=True).index.cache_dir is None
        assert cache_dir(None, {}).name == "conflictcheck"

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"no_index": True, "index_url": "https://a.example"}, "--no-index and --index-url"),
            ({"no_index": True, "extra_index_url": ("https://a.example",)}, "--no-index and --extra-index-url"),
            ({"offline": True, "refresh": True}, "--offline and --refresh"),
            ({"offline": True, "no_cache": True}, "--offline and --no-cache"),
            ({"index_snapshot": "a", "refresh": True}, "--index-snapshot and --refresh"),
            ({"no_cache": True, "cache_dir": "a"}, "--no-cache and --cache-dir"),
        ],
    )
    def test_options_that_contradict_each_other_are_refused(self, given: dict[str, Any], message: str) -> None:
        assert refused(**given) == f"{message} exclude each other; leave one of them out"


class TestTargets:
    def test_the_running_python_and_platform_are_the_default(self) -> None:
        from conflictcheck.targets import running_platform, running_python  # noqa: PLC0415

        assert resolved().python_versions == (running_python(),)
        assert resolved().platforms == (running_platform(),)

    def test_repeats_are_dropped_and_the_order_is_kept(self) -> None:
        found = resolved(python_version=("3.12", "3.11.4", "3.12"), python_platform=("windows", "linux", "windows"))

        assert found.python_versions == ("3.12", "3.11.4")
        assert found.platforms == ("windows", "linux")

    @pytest.mark.parametrize("version", ["3", "3.x", "python3.11", "3.11.", "3.11.4.1", "", "3.01", "³.11", "3.11\n"])
    def test_what_is_no_python_version_is_refused(self, version: str) -> None:
        assert refused(python_version=(version,)) == (
            f"--python-version: {version!r} is not a Python version; write it like 3.12 or 3.12.4"
        )

    @pytest.mark.parametrize("version", ["2.7", "2", "4.0", "27", "2.7.18"])
    def test_a_python_other_than_3_is_not_supported(self, version: str) -> None:
        assert refused(python_version=(version,)) == (
            f"--python-version: Python {version} is not supported; use Python 3, such as 3.12"
        )

    def test_an_unknown_platform_is_refused_with_the_nearest_name(self) -> None:
        assert refused(python_platform=("linus",)).startswith(
            "--python-platform: no platform is called 'linus'; did you mean 'linux'? All names are linux, macos, "
        )

    def test_the_names_of_all_platforms_are_told(self) -> None:
        message = refused(python_platform=("zzz",))

        assert message.startswith("--python-platform: no platform is called 'zzz'; use linux, macos, windows, ")
        assert all(name in message for name in PLATFORMS if "manylinux_2_" not in name)
        assert "x86_64-manylinux_2_N and aarch64-manylinux_2_N (N is 17, 28 or 31 to " in message


class TestRestrictions:
    def test_configured_constraints_and_overrides_are_added_to_given_ones(self, tmp_path: Path) -> None:
        names = ["a", "b", "c", "d", "e"]
        paths = [tmp_path / name for name in names]
        for path in paths:
            path.touch()
        a, b, c, d, e = map(str, paths)
        environ = pip_file(tmp_path, f"[install]\nconstraint = {a}\n  {b}\n") | {"UV_CONSTRAINT": f"{d}  {b}"}

        found = resolved(environ | {"UV_OVERRIDE": e}, constraint=("given",), override=("other",))

        assert found.constraints == ("given", a, b, d)
        assert found.overrides == ("other", e)
        assert resolved(environ | {"PIP_CONSTRAINT": c}).constraints == (c, d, b)
        assert resolved({"PIP_CONSTRAINT": os.devnull}).constraints == ()

    @pytest.mark.parametrize("name", ["PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE"])
    def test_a_configured_file_that_is_not_there_is_refused(self, name: str) -> None:
        assert refused({name: "none.txt"}) == (
            f"{name}: there is no file 'none.txt'; name one, or leave the setting out"
        )
        secret = refused({name: "https://user:secret@h.example/c.txt"})
        assert secret == f"{name}: an address is no local file; download it, and name the copy"


class TestDates:
    def test_a_date_means_all_of_that_day_in_the_local_time_zone_as_in_uv(self, tokyo: None) -> None:
        assert tokyo is None
        assert read_timestamp("2024-11-02", source="x") == datetime(2024, 11, 2, 15, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text", ["2024-11-02T10:00:00Z", "2024-11-02T12:00:00+02:00", "2024-11-02 10:00:00Z", "2024-11-02T10:00Z"]
    )
    def test_a_timestamp_is_an_instant(self, text: str) -> None:
        assert read_timestamp(text, source="x") == datetime(2024, 11, 2, 10, tzinfo=UTC)

    def test_the_command_line_beats_uvs_variable(self) -> None:
        environ = {"UV_EXCLUDE_NEWER": "2024-01-01T00:00:00Z"}

        assert resolved(environ).policy.exclude_newer == datetime(2024, 1, 1, tzinfo=UTC)
        assert resolved(environ, exclude_newer="2025-01-01T00:00:00Z").policy.exclude_newer == datetime(
            2025, 1, 1, tzinfo=UTC
        )
        assert resolved().policy.exclude_newer is None

    @pytest.mark.parametrize("text", ["", "yesterday", "3 days", "2024-13-01", "2024-11", "20241102", "9999-12-31"])
    def test_what_is_no_date_is_refused(self, text: str) -> None:
        assert refused(exclude_newer=text) == (
            f"--exclude-newer: {text!r} is neither a date nor a timestamp; "
            "write a date like 2024-11-02 or a timestamp like 2024-11-02T15:30:00Z"
        )

    def test_a_time_without_a_zone_is_refused_rather_than_guessed(self) -> None:
        assert refused({"UV_EXCLUDE_NEWER": "2024-11-02T10:00:00"}) == (
            "UV_EXCLUDE_NEWER: the timestamp '2024-11-02T10:00:00' has no time zone; "
            "write 2024-11-02T10:00:00Z for UTC, or add an offset"
        )


class TestPolicy:
    def test_prereleases(self) -> None:
        assert resolved().policy.prerelease == "if-necessary-or-explicit"
        assert resolved({"PIP_PRE": "1"}).policy.prerelease == "allow"
        assert resolved({"PIP_PRE": "1"}, prerelease="disallow").policy.prerelease == "disallow"

    @pytest.mark.parametrize(
        ("environ", "only", "never", "expected"),
        [
            ({}, (":all:",), ("Foo_Bar, b",), ({":all:"}, {"foo-bar", "b"})),
            ({}, ("a,b", "c"), (), ({"a", "b", "c"}, set())),
            ({"PIP_ONLY_BINARY": "a,b"}, (), ("a",), ({"b"}, {"a"})),
            ({"PIP_ONLY_BINARY": "a", "PIP_NO_BINARY": "z"}, (), (":all:",), (set(), {":all:"})),
            ({"PIP_ONLY_BINARY": ":all:", "PIP_NO_BINARY": "z"}, (":none:",), (), (set(), {"z"})),
            ({"PIP_ONLY_BINARY": ":all:"}, ("a,:none:,b",), (), ({"b"}, set())),
        ],
    )
    def test_wheels_and_source_distributions(
        self,
        environ: dict[str, str],
        only: tuple[str, ...],
        never: tuple[str, ...],
        expected: tuple[set[str], set[str]],
    ) -> None:
        policy = resolved(environ, only_binary=only, no_binary=never).policy

        assert (policy.only_binary, policy.no_binary) == expected

    def test_naming_a_package_in_both_lists_is_refused(self) -> None:
        assert refused(only_binary=("a,b",), no_binary=("B",)) == (
            "--only-binary and --no-binary both name b; no file would be left"
        )

    def test_a_name_that_is_none_is_refused(self) -> None:
        assert refused({"PIP_NO_BINARY": "a b"}) == (
            "PIP_NO_BINARY: 'a b' is not the name of a package; use names, :all: or :none:"
        )


class TestPipsFiles:
    def test_the_null_device_turns_them_off(self) -> None:
        assert configuration_files({"PIP_CONFIG_FILE": os.devnull}) == []

    def test_install_beats_global_and_a_value_may_have_several_lines(self, tmp_path: Path) -> None:
        environ = pip_file(
            tmp_path,
            "[install]\nPRE = yes\nfind_links =\n    one\n    two\n"
            "[global]\npre = no\nfind-links = three\n[download]\nfind-links = four\n",
        )

        assert resolved(environ).policy.prerelease == "allow"
        assert resolved(environ).index.find_links == ("one", "two")

    def test_a_value_that_makes_no_sense_is_named_with_its_file(self, tmp_path: Path) -> None:
        environ = pip_file(tmp_path, "[global]\nno-index = perhaps\n")

        assert refused(environ) == (
            f"{tmp_path / 'pip.conf'} (no-index): 'perhaps' is neither true nor false; use 1 or 0"
        )

    def test_a_broken_file_is_named_with_its_line_and_no_password_is_shown(self, tmp_path: Path) -> None:
        environ = pip_file(tmp_path, "[global]\nhttps-user-secret@index.example\n")

        assert refused(environ) == (
            f"{tmp_path / 'pip.conf'}:2: pip's configuration cannot be read (not a pip.conf file); "
            f"mend it, or set PIP_CONFIG_FILE={os.devnull} to leave pip's files out"
        )

    @pytest.mark.parametrize("own_file", [None, "exists", "missing"])
    def test_files_are_weighed_as_pip_itself_does(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_file: str | None
    ) -> None:
        """Pip's own reader is the judge: the same files and variables, the same values."""
        pip_files = pytest.importorskip("pip._internal.configuration")
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        system, user = tmp_path / "system", tmp_path / "user"
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(system))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(user))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("PIP_TIMEOUT", "5")
        texts = {
            system
            / "pip/pip.conf": "[global]\nindex-url = s\ncert = s\ntimeout = 1\n[install]\npre = 1\nfind-links = s\n",
            tmp_path / ".pip/pip.conf": "[global]\nindex-url = legacy\ntimeout = 2\nproxy = legacy\n",
            user / "pip/pip.conf": "[global]\nindex-url = user\n[install]\nfind-links =\n",
        }
        if own_file is not None:
            monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "own.conf"))
        if own_file == "exists":
            texts[tmp_path / "own.conf"] = "[global]\nindex-url = own\nfind-links = own\n"
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

        judge = pip_files.Configuration(isolated=False)
        judge.load()
        expected: dict[str, str] = {}
        for section in ("global", "install", ":env:"):
            values: dict[str, str] = {}
            for _, found in list(judge.items()):  # a plain mapping it is not
                values |= {key.split(".", 1)[1]: value for key, value in found.items() if key.startswith(f"{section}.")}
            expected |= {key: value for key, value in values.items() if value}
        ours = read_pip_configuration(os.environ)

        keys = ("index-url", "cert", "timeout", "pre", "find-links", "proxy")
        assert {key: ours.text(key) for key in keys} == {key: expected.get(key) for key in keys}


@pytest.mark.parametrize(
    ("choice", "terminal", "environ", "expected"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_the_options_then_the_environments_then_the_terminals_matter(
    choice: Any, terminal: bool, environ: dict[str, str], expected: bool
) -> None:
    assert use_color(choice, terminal=terminal, environ=environ) is expected
