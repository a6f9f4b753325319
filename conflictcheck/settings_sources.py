"""Where the values of `Settings` come from.

Order: command line, environment, the settings file, pip's configuration files, default. Only this module reads the
environment.
What pip's files and ``PIP_…`` variables mean is read as pip's documentation says (Configuration), what
``UV_…`` variables mean as uv's (Environment variables). A list given on the command line comes before one
that was configured, as in pip; a single value replaces it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from conflictcheck.cache_file import CACHE_DIR_VARIABLE
from conflictcheck.errors import UsageError
from conflictcheck.setting_values import (
    check_clash_id,
    check_indexes,
    check_links,
    check_platforms,
    check_prerelease,
    check_python_versions,
    empty_value,
    expand_user,
    package_names,
    read_timestamp,
)
from conflictcheck.settings import RETRIES, TIMEOUT, IndexSettings, Policy, PrereleasePolicy, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from conflictcheck.pip_configuration import PipConfiguration
    from conflictcheck.settings_file import FileSettings

ColorChoice = Literal["auto", "always", "never"]

_UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
_NOT_EMPTY = (
    *("index_url", "extra_index_url", "find_links", "index_snapshot", "config_file"),
    *("baseline", "write_baseline", "since"),
)
"""Options that need a value."""
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off", ""})


class CommandLine(Struct, frozen=True, kw_only=True):
    """The options of a resolving command as given; None, False or empty where one was not given."""

    paths: tuple[str, ...] = ()
    with_requirements: tuple[str, ...] = ()
    python_version: tuple[str, ...] = ()
    python_platform: tuple[str, ...] = ()
    index_url: str | None = None
    extra_index_url: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    offline: bool = False
    index_snapshot: str | None = None
    exclude_newer: str | None = None
    prerelease: str | None = None
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    constraint: tuple[str, ...] = ()
    override: tuple[str, ...] = ()
    max_environments: int | None = None
    jobs: int | None = None
    allow_outside: bool = False
    baseline: str | None = None
    write_baseline: str | None = None
    ignore: tuple[str, ...] = ()
    since: str | None = None
    cache_dir: str | None = None
    no_cache: bool = False
    refresh: bool = False
    config_file: str | None = None
    no_config: bool = False


def resolve_settings(given: CommandLine, *, cwd: Path, environ: Mapping[str, str]) -> Settings:
    """Put together everything a run depends on.

    Args:
        given: the command line.
        cwd: the working directory, absolute.
        environ: the environment variables.

    Raises:
        UsageError: a value makes no sense, alone or with another; it names the option, variable or file.
    """
    from conflictcheck.pip_configuration import read_pip_configuration  # noqa: PLC0415 - keeps start-up short
    from conflictcheck.settings_file import FileSettings, read_settings_file  # noqa: PLC0415 - keeps start-up short

    _check_given(given)
    pip = read_pip_configuration(environ)
    file = (
        FileSettings()
        if given.no_config
        else read_settings_file(cwd, named=given.config_file, allow_outside=given.allow_outside)
    )
    return Settings(
        cwd=cwd,
        paths=given.paths,
        with_requirements=given.with_requirements,
        python_versions=_python_versions(given, file),
        platforms=_platforms(given, file),
        index=_index(given, environ, file, pip),
        policy=Policy(
            exclude_newer=_exclude_newer(given, environ, file),
            prerelease=_prerelease(given, file, pip),
            **_binaries(given, file, pip),
        ),
        constraints=_restrictions(
            cwd,
            given.constraint,
            (pip.words("constraint"), pip.source("constraint")),
            (_split(environ.get("UV_CONSTRAINT")), "UV_CONSTRAINT"),
            (file.constraints, f"{file.name}: constraints"),
        ),
        overrides=_restrictions(
            cwd,
            given.override,
            (_split(environ.get("UV_OVERRIDE")), "UV_OVERRIDE"),
            (file.overrides, f"{file.name}: overrides"),
        ),
        max_environments=given.max_environments or file.max_environments,
        jobs=given.jobs,
        project=file.project,
        allow_outside=given.allow_outside,
        baseline=file.baseline if given.baseline is None else expand_user(given.baseline),
        write_baseline=None if given.write_baseline is None else expand_user(given.write_baseline),
        ignore=tuple(dict.fromkeys([*(check_clash_id(text, "--ignore") for text in given.ignore), *file.ignore])),
        since=given.since,
    )


def cache_dir(given: str | None, environ: Mapping[str, str]) -> Path:
    """The cache folder: the option, else the variable, else where this system keeps caches.

    Raises:
        UsageError: it has no name.
    """
    if given == "":
        raise empty_value("--cache-dir")
    chosen = given or environ.get(CACHE_DIR_VARIABLE)
    if chosen:
        return expand_user(chosen).absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - not needed where the folder is given

    return user_cache_path("conflictcheck", appauthor=False)


def use_color(choice: ColorChoice, *, terminal: bool, environ: Mapping[str, str]) -> bool:
    """Whether to colour what is written: the option, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return terminal and environ.get("TERM") != "dumb"


def default_form(environ: Mapping[str, str], *, terminal: bool) -> str:
    """The form of a report on standard output that nobody chose.

    A terminal gets text. The log of a GitHub Actions job gets text with annotations; that of a GitLab job is for people
    as well, and GitLab takes its report from a file that an option has to name.
    """
    return "github" if environ.get("GITHUB_ACTIONS") == "true" and not terminal else "text"


def _check_given(given: CommandLine) -> None:
    """What the command line alone shows to make no sense."""
    for name in _NOT_EMPTY:
        value = getattr(given, name)
        if "" in ((value,) if isinstance(value, str) else value or ()):
            raise empty_value("--" + name.replace("_", "-"))
    for option, number in (("--max-environments", given.max_environments), ("--jobs", given.jobs)):
        if number is not None and number < 1:
            raise UsageError(f"{option} is {number}; one is the least that there can be")
    clashing = (
        (given.no_index, given.index_url is not None, "--no-index", "--index-url"),
        (given.no_index, bool(given.extra_index_url), "--no-index", "--extra-index-url"),
        (given.offline, given.refresh, "--offline", "--refresh"),
        (given.offline, given.no_cache, "--offline", "--no-cache"),
        (given.index_snapshot is not None, given.refresh, "--index-snapshot", "--refresh"),
        (given.no_cache, given.cache_dir is not None, "--no-cache", "--cache-dir"),
        (given.write_baseline is not None, given.since is not None, "--write-baseline", "--since"),
        (given.no_config, given.config_file is not None, "--no-config", "--config-file"),
    )
    for one, other, first, second in clashing:
        if one and other:
            raise UsageError(f"{first} and {second} exclude each other", hint="leave one of them out")


def _python_versions(given: CommandLine, file: FileSettings) -> tuple[str, ...]:
    if chosen := check_python_versions(given.python_version, "--python-version") or file.python_versions:
        return chosen
    from conflictcheck.targets import running_python  # noqa: PLC0415 - imports packaging's tags

    return (running_python(),)


def _platforms(given: CommandLine, file: FileSettings) -> tuple[str, ...]:
    if chosen := check_platforms(given.python_platform, "--python-platform") or file.platforms:
        return chosen
    from conflictcheck.targets import running_platform  # noqa: PLC0415 - imports packaging's tags

    return (running_platform(),)


def _restrictions(cwd: Path, given: Sequence[str], *configured: tuple[Sequence[str], str]) -> tuple[str, ...]:
    """The files of constraints or overrides, each once: those of the command line, then configured ones."""
    found = list(given)
    for names, source in configured:
        for name in names:
            if "://" in name:
                raise UsageError(f"{source}: an address is no local file", hint="download it, and name the copy")
            if name != os.devnull and not os.path.exists(cwd / name):  # noqa: PTH110 - pathlib's fails on some names
                raise UsageError(f"{source}: there is no file {name!r}", hint="name one, or leave the setting out")
        found += [name for name in names if name != os.devnull]
    return tuple(dict.fromkeys(found))


def _index(given: CommandLine, environ: Mapping[str, str], file: FileSettings, pip: PipConfiguration) -> IndexSettings:
    offline = given.offline or _flag(environ, "UV_OFFLINE")
    links = [
        *check_links(given.find_links, "--find-links"),
        *check_links(pip.words("find-links"), pip.source("find-links")),
        *check_links(_split(environ.get("UV_FIND_LINKS"), ","), "UV_FIND_LINKS"),
        *file.find_links,
    ]
    return IndexSettings(
        index_urls=_index_urls(given, environ, file, pip),
        find_links=tuple(dict.fromkeys(links)),
        offline=offline,
        snapshot=None if given.index_snapshot is None else Path(given.index_snapshot),
        cache_dir=None if given.no_cache else cache_dir(given.cache_dir, environ),
        refresh=given.refresh,
        keyring=_keyring(environ, pip),
        ca_bundle=None if offline or given.index_snapshot is not None else _ca_bundle(environ, pip),
        timeout=pip.number("timeout", "default-timeout") or TIMEOUT,
        retries=_retries(pip),
    )


def _retries(pip: PipConfiguration) -> int:
    value = pip.text("retries")
    if value is None:
        return RETRIES
    if not re.fullmatch(r"[0-9]{1,3}", value):
        raise UsageError(f"{pip.source('retries')}: {value!r} is no number of retries", hint="use a number such as 5")
    return int(value)


def _ca_bundle(environ: Mapping[str, str], pip: PipConfiguration) -> Path | None:
    """The certificates to trust besides the system's, which the variable of OpenSSL may name."""
    chosen = pip.text("cert")
    for value, source in ((chosen, pip.source("cert")), (environ.get("SSL_CERT_FILE"), "SSL_CERT_FILE")):
        if value and not os.path.isfile(expand_user(value)):  # noqa: PTH113 - pathlib's fails on some names
            raise UsageError(
                f"{source}: there is no file {value!r}", hint="name a file of certificates, or leave the setting out"
            )
    return expand_user(chosen) if chosen else None


def _index_urls(
    given: CommandLine, environ: Mapping[str, str], file: FileSettings, pip: PipConfiguration
) -> tuple[str, ...]:
    """The indexes, added ones first, the default one last: where two list equal files, those of the first are taken."""
    if given.no_index or _no_index(given, environ, file, pip):
        return ()
    added = [
        *check_indexes(given.extra_index_url, "--extra-index-url"),
        *check_indexes(_split(environ.get("UV_INDEX")), "UV_INDEX"),
        *check_indexes(_split(environ.get("UV_EXTRA_INDEX_URL")), "UV_EXTRA_INDEX_URL"),
        *check_indexes(pip.words("extra-index-url"), pip.source("extra-index-url")),
        *file.extra_index_urls,
    ]
    return tuple(dict.fromkeys([*added, _default_index(given, environ, file, pip)]))


def _no_index(given: CommandLine, environ: Mapping[str, str], file: FileSettings, pip: PipConfiguration) -> bool:
    """Whether what is configured says to ask no index, and nothing that counts for more names one."""
    if given.index_url is not None or given.extra_index_url:
        return False
    if pip.from_environment("no-index"):
        return pip.flag("no-index")
    if pip.from_environment("index-url") or any(environ.get(name) for name in _UV_INDEXES):
        return False if file.no_index else pip.flag("no-index")
    if file.no_index is not None or file.index_url is not None:
        return bool(file.no_index)
    return pip.flag("no-index")


def _default_index(given: CommandLine, environ: Mapping[str, str], file: FileSettings, pip: PipConfiguration) -> str:
    candidates = [(given.index_url, "--index-url")]
    if pip.from_environment("index-url"):
        candidates.append((pip.text("index-url"), pip.source("index-url")))
    candidates += [(environ.get(name), name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")]
    candidates.append((file.index_url, f"{file.name}: index-url"))
    candidates.append((pip.text("index-url"), pip.source("index-url")))
    for value, source in candidates:
        if value:
            return check_indexes([value], source)[0]
    from conflictcheck.index import default_index_url  # noqa: PLC0415 - imports much, and only the default needs it

    return default_index_url()


def _keyring(environ: Mapping[str, str], pip: PipConfiguration) -> bool:
    """Whether the keyring may be asked, should an index refuse without credentials: unless pip or uv was told not to.

    Nobody has the keyring who did not install the extra of that name.
    """
    return (pip.text("keyring-provider") or environ.get("UV_KEYRING_PROVIDER")) != "disabled"


def _exclude_newer(given: CommandLine, environ: Mapping[str, str], file: FileSettings) -> datetime | None:
    if given.exclude_newer is not None:
        return read_timestamp(given.exclude_newer, source="--exclude-newer")
    if configured := environ.get("UV_EXCLUDE_NEWER"):
        return read_timestamp(configured, source="UV_EXCLUDE_NEWER")
    return file.exclude_newer


def _prerelease(given: CommandLine, file: FileSettings, pip: PipConfiguration) -> PrereleasePolicy:
    if given.prerelease is not None:
        return check_prerelease(given.prerelease, "--prerelease")
    if file.prerelease is not None and not pip.from_environment("pre"):
        return file.prerelease
    return "allow" if pip.flag("pre") else "if-necessary-or-explicit"


def _binaries(given: CommandLine, file: FileSettings, pip: PipConfiguration) -> dict[str, frozenset[str]]:
    """Which packages to take as wheels, and which as source distributions: pip's `--only-binary` and `--no-binary`.

    What counts for more takes what it names out of the other lists. Within one source the order of the options does not
    matter, other than in pip: ``:all:`` is the rule and names are the exceptions.
    """
    only: set[str] = set()
    never: set[str] = set()
    configured = (
        [pip.text("only-binary") or ""],
        [pip.text("no-binary") or ""],
        pip.source("only-binary"),
        pip.source("no-binary"),
    )
    stated = (file.only_binary, file.no_binary, f"{file.name}: only-binary", "no-binary")
    variables = pip.from_environment("only-binary") or pip.from_environment("no-binary")
    for only_lists, never_lists, only_source, never_source in (
        *((stated, configured) if variables else (configured, stated)),
        (given.only_binary, given.no_binary, "--only-binary", "--no-binary"),
    ):
        only_names, only_starts_over = package_names(only_lists, only_source)
        never_names, never_starts_over = package_names(never_lists, never_source)
        if both := only_names & never_names:
            raise UsageError(
                f"{only_source} and {never_source} both name {', '.join(sorted(both))}", hint="no file would be left"
            )
        everything = ":all:" in only_names | never_names
        only = ((set() if everything or only_starts_over else only) - never_names) | only_names
        never = ((set() if everything or never_starts_over else never) - only_names) | never_names
    return {"only_binary": frozenset(only), "no_binary": frozenset(never)}


def _split(text: str | None, separator: str | None = None) -> list[str]:
    return [part.strip() for part in (text or "").split(separator) if part.strip()]


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in _TRUE | _FALSE:
        raise UsageError(f"{name}: {value!r} is neither true nor false", hint="use 1 or 0")
    return value in _TRUE
