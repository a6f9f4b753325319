"""Every option of a run, read once and handed down.

Order: command line, environment, settings file, pip's configuration, default; see `conflictcheck.settings_sources`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

TIMEOUT = 30.0
RETRIES = 2

PrereleasePolicy = Literal["allow", "disallow", "if-necessary-or-explicit"]


class IndexSettings(Struct, frozen=True):
    """Where facts come from.

    Attributes:
        index_urls: Simple API roots, whose files are merged, the first winning where filenames are equal; may carry
            credentials; empty with ``--no-index``.
        find_links: folders, or pages with links, asked beside the indexes.
        offline: answer from the cache alone.
        snapshot: answer from this file alone, or None.
        cache_dir: the cache folder; None for ``--no-cache``.
        refresh: ask the index again whatever the cache's age.
        timeout: seconds for one connect or read.
        retries: how often a request is made again after trouble that may pass.
        backoff: seconds before the first time, twice as many before each further one.
        keyring: whether the keyring may be asked for credentials.
        ca_bundle: a file of certificates to trust besides the system's, or None.
    """

    index_urls: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    offline: bool = False
    snapshot: Path | None = None
    cache_dir: Path | None = None
    refresh: bool = False
    timeout: float = TIMEOUT
    retries: int = RETRIES
    backoff: float = 0.2
    keyring: bool = False
    ca_bundle: Path | None = None


class Policy(Struct, frozen=True):
    """Which of the existing releases may be chosen.

    Attributes:
        exclude_newer: leave out files uploaded at or after this instant (aware, UTC), or None.
        prerelease: as ``--prerelease``.
        only_binary: normalized names, or ``:all:``.
        no_binary: normalized names, or ``:all:``.
    """

    exclude_newer: datetime | None = None
    prerelease: PrereleasePolicy = "if-necessary-or-explicit"
    only_binary: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()


class SpecPattern(Struct, frozen=True):
    """A pattern for specs, as a settings file has it.

    Attributes:
        text: a glob of a file, relative to the settings file's folder, and perhaps a section after a ``#``.
        line: where it stands.
    """

    text: str
    line: int | None = None


class DeclaredEnvironment(Struct, frozen=True):
    """An environment that a settings file declares.

    Attributes:
        name: fit for file names.
        patterns: the specs that are in it.
        line: where it stands.
    """

    name: str
    patterns: tuple[SpecPattern, ...]
    line: int | None = None


class ProjectSettings(Struct, frozen=True):
    """What a settings file says about specs and environments.

    Attributes:
        file: its name, for messages.
        folder: absolute; that its patterns are relative to.
        include: what a search takes; all that it finds where there is none.
        exclude: what a search leaves out.
        environments: the declared ones, in order of the file.
        keys: every key that it sets.
    """

    file: str
    folder: Path
    include: tuple[SpecPattern, ...] = ()
    exclude: tuple[SpecPattern, ...] = ()
    environments: tuple[DeclaredEnvironment, ...] = ()
    keys: tuple[str, ...] = ()


class Settings(Struct, frozen=True):
    """Everything a run depends on, besides the files it reads.

    Attributes:
        cwd: absolute; spec ids are relative to it.
        paths: the SPEC arguments as given; empty means `cwd`.
        with_requirements: the values of ``--with``.
        python_versions: ``X.Y`` or ``X.Y.Z``, any of which an environment may use; never empty.
        platforms: uv's names, all of which an environment must work on; never empty.
        index: see `IndexSettings`.
        policy: see `Policy`.
        constraints: constraint files.
        overrides: override files.
        max_environments: how many environments are acceptable; None for one, or as many as are declared.
        jobs: how many processes there may be, None for as many as there are processors; the report does not depend on
            it.
        project: what a settings file says about specs and environments, or None.
        standard_input: what was piped in, where a SPEC is ``-``.
        allow_outside: whether a file may include files outside of the working trees that something was named in.
        baseline: a file with clashes that are known, or None.
        write_baseline: a file to write the present clashes to, or None.
        ignore: ids of clashes that are known, or their beginnings.
        since: a git revision; only what changed since counts.
    """

    cwd: Path
    index: IndexSettings
    python_versions: tuple[str, ...]
    platforms: tuple[str, ...]
    paths: tuple[str, ...] = ()
    with_requirements: tuple[str, ...] = ()
    policy: Policy = Policy()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    max_environments: int | None = None
    jobs: int | None = None
    project: ProjectSettings | None = None
    standard_input: bytes | None = None
    allow_outside: bool = False
    baseline: Path | None = None
    write_baseline: Path | None = None
    ignore: tuple[str, ...] = ()
    since: str | None = None
