"""Where the values of `Settings` come from.

Order: command line, environment, pip's configuration files, default. Only this module reads the environment.
What pip's files and ``PIP_…`` variables mean is read as pip's documentation says (Configuration), what
``UV_…`` variables mean as uv's (Environment variables). A list given on the command line comes before one
that was configured, as in pip; a single value replaces it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from conflictcheck.errors import UsageError
from conflictcheck.settings import RETRIES, TIMEOUT, IndexSettings, Policy, PrereleasePolicy, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conflictcheck.pip_configuration import PipConfiguration

ColorChoice = Literal["auto", "always", "never"]

CACHE_DIR_VARIABLE = "CONFLICTCHECK_CACHE_DIR"
_PYTHON_VERSION = re.compile(r"3\.(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2}))?", re.ASCII)
_OTHER_PYTHON = re.compile(r"(?!3(\.|$))(0|[1-9][0-9]{0,2})(\.[0-9]{1,3}){0,2}", re.ASCII)
_INDEX_NAME = re.compile(r"[A-Za-z0-9._-]+=(?=[A-Za-z])")
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
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
    max_environments: int = 1
    allow_outside: bool = False
    cache_dir: str | None = None
    no_cache: bool = False
    refresh: bool = False


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

    _check_given(given)
    pip = read_pip_configuration(environ)
    return Settings(
        cwd=cwd,
        paths=given.paths,
        with_requirements=given.with_requirements,
        python_versions=_python_versions(given.python_version),
        platforms=_platforms(given.python_platform),
        index=_index(given, environ, pip),
        policy=Policy(
            exclude_newer=_exclude_newer(given.exclude_newer, environ),
            prerelease=_prerelease(given.prerelease, pip),
            **_binaries(given, pip),
        ),
        constraints=_restrictions(
            cwd,
            given.constraint,
            (pip.words("constraint"), pip.source("constraint")),
            (_split(environ.get("UV_CONSTRAINT")), "UV_CONSTRAINT"),
        ),
        overrides=_restrictions(cwd, given.override, (_split(environ.get("UV_OVERRIDE")), "UV_OVERRIDE")),
        max_environments=given.max_environments,
        allow_outside=given.allow_outside,
    )


def cache_dir(given: str | None, environ: Mapping[str, str]) -> Path:
    """The cache folder: the option, else the variable, else where this system keeps caches.

    Raises:
        UsageError: it has no name.
    """
    if given == "":
        raise _empty("--cache-dir")
    chosen = given or environ.get(CACHE_DIR_VARIABLE)
    if chosen:
        return _expanded(chosen).absolute()
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


def read_timestamp(text: str, *, source: str) -> datetime:
    """Read a date or timestamp as uv does (``--exclude-newer``).

    Args:
        text: RFC 3339 with an offset, or a date, which means the whole day in the local time zone.
        source: the option or variable it was given with.

    Returns:
        The first instant that is left out, in UTC.

    Raises:
        UsageError: it is neither.
    """
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time()).astimezone().astimezone(UTC)
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            instant = instant.astimezone(UTC)  # the first and last day there are may have none in UTC
    except (ValueError, OverflowError):
        instant = None
    if instant is None or not re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt ][0-9:.,+Zz-]+", text, re.ASCII):
        raise UsageError(
            f"{source}: {text!r} is neither a date nor a timestamp",
            hint="write a date like 2024-11-02 or a timestamp like 2024-11-02T15:30:00Z",
        )
    if instant.tzinfo is None:
        raise UsageError(
            f"{source}: the timestamp {text!r} has no time zone", hint=f"write {text}Z for UTC, or add an offset"
        )
    return instant


def _check_given(given: CommandLine) -> None:
    """What the command line alone shows to make no sense."""
    for name in ("index_url", "extra_index_url", "find_links", "index_snapshot"):
        value = getattr(given, name)
        if "" in ((value,) if isinstance(value, str) else value or ()):
            raise _empty("--" + name.replace("_", "-"))
    clashing = (
        (given.no_index, given.index_url is not None, "--no-index", "--index-url"),
        (given.no_index, bool(given.extra_index_url), "--no-index", "--extra-index-url"),
        (given.offline, given.refresh, "--offline", "--refresh"),
        (given.offline, given.no_cache, "--offline", "--no-cache"),
        (given.index_snapshot is not None, given.refresh, "--index-snapshot", "--refresh"),
        (given.no_cache, given.cache_dir is not None, "--no-cache", "--cache-dir"),
    )
    for one, other, first, second in clashing:
        if one and other:
            raise UsageError(f"{first} and {second} exclude each other", hint="leave one of them out")


def _empty(option: str) -> UsageError:
    return UsageError(f"{option}: its value is empty", hint="give one, or leave the option out")


def _python_versions(given: Sequence[str]) -> tuple[str, ...]:
    for version in given:
        if _OTHER_PYTHON.fullmatch(version):
            raise UsageError(f"--python-version: Python {version} is not supported", hint="use Python 3, such as 3.12")
        if not _PYTHON_VERSION.fullmatch(version):
            raise UsageError(
                f"--python-version: {version!r} is not a Python version", hint="write it like 3.12 or 3.12.4"
            )
    if given:
        return tuple(dict.fromkeys(given))
    from conflictcheck.targets import running_python  # noqa: PLC0415 - imports packaging's tags

    return (running_python(),)


def _platforms(given: Sequence[str]) -> tuple[str, ...]:
    from conflictcheck.targets import PLATFORMS, all_platforms, running_platform  # noqa: PLC0415 - imports packaging's tags

    running = running_platform()
    for name in given:
        if name not in PLATFORMS and name != running:
            from difflib import get_close_matches  # noqa: PLC0415 - only for this message

            near = get_close_matches(name, PLATFORMS, n=1)
            hint = f"did you mean {near[0]!r}? All names are {all_platforms()}" if near else f"use {all_platforms()}"
            raise UsageError(f"--python-platform: no platform is called {name!r}", hint=hint)
    return tuple(dict.fromkeys(given)) or (running,)


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


def _index(given: CommandLine, environ: Mapping[str, str], pip: PipConfiguration) -> IndexSettings:
    offline = given.offline or _flag(environ, "UV_OFFLINE")
    links = [
        *_checked_links(given.find_links, "--find-links"),
        *_checked_links(pip.words("find-links"), pip.source("find-links")),
        *_checked_links(_split(environ.get("UV_FIND_LINKS"), ","), "UV_FIND_LINKS"),
    ]
    return IndexSettings(
        index_urls=_index_urls(given, environ, pip),
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
        if value and not os.path.isfile(_expanded(value)):  # noqa: PTH113 - pathlib's fails on some names
            raise UsageError(
                f"{source}: there is no file {value!r}", hint="name a file of certificates, or leave the setting out"
            )
    return _expanded(chosen) if chosen else None


def _index_urls(given: CommandLine, environ: Mapping[str, str], pip: PipConfiguration) -> tuple[str, ...]:
    """The indexes, added ones first, the default one last: where two list equal files, those of the first are taken."""
    asked_for = given.index_url is not None or given.extra_index_url
    if given.no_index or (pip.flag("no-index") and not asked_for):
        return ()
    added = [
        *_checked(given.extra_index_url, "--extra-index-url"),
        *_checked(_split(environ.get("UV_INDEX")), "UV_INDEX"),
        *_checked(_split(environ.get("UV_EXTRA_INDEX_URL")), "UV_EXTRA_INDEX_URL"),
        *_checked(pip.words("extra-index-url"), pip.source("extra-index-url")),
    ]
    return tuple(dict.fromkeys([*added, _default_index(given, environ, pip)]))


def _default_index(given: CommandLine, environ: Mapping[str, str], pip: PipConfiguration) -> str:
    candidates = [(given.index_url, "--index-url")]
    if pip.from_environment("index-url"):
        candidates.append((pip.text("index-url"), pip.source("index-url")))
    candidates += [(environ.get(name), name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")]
    candidates.append((pip.text("index-url"), pip.source("index-url")))
    for value, source in candidates:
        if value:
            return _checked([value], source)[0]
    from conflictcheck.index import default_index_url  # noqa: PLC0415 - imports much, and only the default needs it

    return default_index_url()


def _checked(urls: Sequence[str], source: str) -> list[str]:
    """Index addresses without the names that uv allows before them (``name=https://…``), and not obviously wrong."""
    from conflictcheck.index.addresses import plain_place  # noqa: PLC0415 - keeps start-up short

    found = []
    for given in urls:
        url = _INDEX_NAME.sub("", given, count=1) if "=" in given.split("://", 1)[0] else given
        if not url.lower().startswith(("https://", "http://", "file:")):
            folder = _folder(url)
            if folder is None:
                raise UsageError(
                    f"{source}: {plain_place(url)!r} is not the address of an index",
                    hint="use one that starts with https://, or a folder that exists",
                )
            url = folder.as_uri()
        found.append(_readable(url, source).rstrip("/"))
    return found


def _folder(name: str) -> Path | None:
    """The absolute path of a folder that exists; None for any other text."""
    folder = _expanded(name)
    return folder.absolute() if os.path.isdir(folder) else None  # noqa: PTH112 - pathlib's fails on some names


def _expanded(name: str) -> Path:
    """A path with the home folder in place of ``~``; what names no user's stays as it is."""
    return Path(name if "\0" in name else os.path.expanduser(name))  # noqa: PTH111 - pathlib's fails there


def _checked_links(places: Sequence[str], source: str) -> list[str]:
    """Folders, and addresses of pages that can be read as such."""
    return [_readable(one, source) if "://" in one or one.lower().startswith("file:") else one for one in places]


def _readable(url: str, source: str) -> str:
    from conflictcheck.index.addresses import is_address, plain_place  # noqa: PLC0415 - keeps start-up short

    if not is_address(url) or not url.isprintable():
        raise UsageError(
            f"{source}: {plain_place(url)!r} is not an address that can be read",
            hint="check its scheme, host and port; a whole one is https://host.example/simple",
        )
    return url


def _keyring(environ: Mapping[str, str], pip: PipConfiguration) -> bool:
    """Whether the keyring may be asked, should an index refuse without credentials: unless pip or uv was told not to.

    Nobody has the keyring who did not install the extra of that name.
    """
    return (pip.text("keyring-provider") or environ.get("UV_KEYRING_PROVIDER")) != "disabled"


def _exclude_newer(given: str | None, environ: Mapping[str, str]) -> datetime | None:
    if given is not None:
        return read_timestamp(given, source="--exclude-newer")
    if configured := environ.get("UV_EXCLUDE_NEWER"):
        return read_timestamp(configured, source="UV_EXCLUDE_NEWER")
    return None


def _prerelease(given: str | None, pip: PipConfiguration) -> PrereleasePolicy:
    if given is None:
        return "allow" if pip.flag("pre") else "if-necessary-or-explicit"
    if given not in get_args(PrereleasePolicy):
        raise UsageError(
            f"--prerelease: {given!r} is no policy", hint=f"use one of {', '.join(get_args(PrereleasePolicy))}"
        )
    return cast("PrereleasePolicy", given)


def _binaries(given: CommandLine, pip: PipConfiguration) -> dict[str, frozenset[str]]:
    """Which packages to take as wheels, and which as source distributions: pip's `--only-binary` and `--no-binary`.

    What the command line names leaves the configured lists. Within one source the order of the options does not
    matter, other than in pip: ``:all:`` is the rule and names are the exceptions.
    """
    only: set[str] = set()
    never: set[str] = set()
    for only_lists, never_lists, only_source, never_source in (
        (
            [pip.text("only-binary") or ""],
            [pip.text("no-binary") or ""],
            pip.source("only-binary"),
            pip.source("no-binary"),
        ),
        (given.only_binary, given.no_binary, "--only-binary", "--no-binary"),
    ):
        only_names, only_starts_over = _names(only_lists, only_source)
        never_names, never_starts_over = _names(never_lists, never_source)
        if both := only_names & never_names:
            raise UsageError(
                f"{only_source} and {never_source} both name {', '.join(sorted(both))}", hint="no file would be left"
            )
        everything = ":all:" in only_names | never_names
        only = ((set() if everything or only_starts_over else only) - never_names) | only_names
        never = ((set() if everything or never_starts_over else never) - only_names) | never_names
    return {"only_binary": frozenset(only), "no_binary": frozenset(never)}


def _names(lists: Sequence[str], source: str) -> tuple[set[str], bool]:
    """The names in comma-separated lists, and whether they replace configured ones (by ``:all:`` or ``:none:``)."""
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415 - keeps start-up short

    names: set[str] = set()
    reset = False
    for name in (item.strip() for text in lists for item in text.split(",")):
        if name in (":all:", ":none:"):
            reset = True
            names.clear()
        if name == ":all:":
            names.add(name)
        elif name and name != ":none:":
            try:
                names.add(canonicalize_name(name, validate=True))
            except InvalidName:
                raise UsageError(
                    f"{source}: {name!r} is not the name of a package", hint="use names, :all: or :none:"
                ) from None
    return names, reset


def _split(text: str | None, separator: str | None = None) -> list[str]:
    return [part.strip() for part in (text or "").split(separator) if part.strip()]


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in _TRUE | _FALSE:
        raise UsageError(f"{name}: {value!r} is neither true nor false", hint="use 1 or 0")
    return value in _TRUE
