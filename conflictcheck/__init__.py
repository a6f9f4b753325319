"""conflictcheck: which specs can share an environment, which cannot and why, and the fewest environments for all.

``conflictcheck.check(["api", "jobs/requirements.txt"])`` gives the `Report` that ``conflictcheck check`` prints.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes longer to import than the rest of the way to main()
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    from conflictcheck.model import Report
    from conflictcheck.progress import Progress

    _Place = str | PathLike[str]

__version__ = "0.1.0"

__all__ = ["__version__", "check"]


def check(
    paths: _Place | Iterable[_Place] = (),
    *,
    cwd: str | PathLike[str] | None = None,
    with_requirements: str | Iterable[str] = (),
    python_versions: str | Iterable[str] = (),
    python_platforms: str | Iterable[str] = (),
    index_url: str | None = None,
    extra_index_urls: str | Iterable[str] = (),
    find_links: _Place | Iterable[_Place] = (),
    no_index: bool = False,
    offline: bool = False,
    index_snapshot: str | PathLike[str] | None = None,
    exclude_newer: str | None = None,
    prerelease: str | None = None,
    only_binary: str | Iterable[str] = (),
    no_binary: str | Iterable[str] = (),
    constraints: _Place | Iterable[_Place] = (),
    overrides: _Place | Iterable[_Place] = (),
    max_environments: int | None = None,
    jobs: int | None = None,
    allow_outside: bool = False,
    baseline: str | PathLike[str] | None = None,
    write_baseline: str | PathLike[str] | None = None,
    ignore: str | Iterable[str] = (),
    since: str | None = None,
    cache_dir: str | PathLike[str] | None = None,
    no_cache: bool = False,
    refresh: bool = False,
    config_file: str | PathLike[str] | None = None,
    no_config: bool = False,
    environ: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Find the specs, resolve them, and report every clash and the smallest split.

    Where there may be several values, one may be given by itself.

    Args:
        paths: files, sections of files (``pyproject.toml#extra:gpu``) or folders; none means `cwd`.
        cwd: the folder that spec ids are relative to; None for the working directory.
        with_requirements: one more spec, made of these requirements.
        python_versions: ``X.Y`` or ``X.Y.Z``, any of which an environment may use; none means the running one.
        python_platforms: uv's names, all of which it must work on; none means the running one.
        index_url: as ``--index-url``, and so on for the options of the command line.
        extra_index_urls: further indexes.
        find_links: folders, or pages with links.
        no_index: ask no index.
        offline: answer from the cache alone.
        index_snapshot: answer from this snapshot alone.
        exclude_newer: a date or timestamp.
        prerelease: ``allow``, ``disallow`` or ``if-necessary-or-explicit``.
        only_binary: package names, or ``:all:``.
        no_binary: package names, or ``:all:``.
        constraints: constraint files.
        overrides: override files.
        max_environments: how many environments are acceptable, for `Report.passed`; None means 1, or as many as the
            settings declare.
        jobs: how many processes there may be, None for as many as there are processors; the report does not depend on
            it.
        allow_outside: read included files outside of the working tree.
        baseline: a file with clashes that are known; only others count.
        write_baseline: a file to write the present clashes to.
        ignore: ids of clashes that are known.
        since: a git revision; only clashes that were not there then count.
        cache_dir: the cache folder.
        no_cache: use no cache.
        refresh: ask the index again, whatever the cache holds.
        config_file: the settings file; None for the nearest one, in `cwd` or above.
        no_config: read no settings file.
        environ: environment variables to read settings from; None for the process's own.
        progress: is told what happens.

    Returns:
        The report. Clashes and missing facts are answers in it, not exceptions.

    Raises:
        conflictcheck.errors.ConflictCheckError: if the input cannot be read or the options make no sense.
    """
    import os  # noqa: PLC0415 - what costs time is imported when it is needed
    from pathlib import Path  # noqa: PLC0415

    from conflictcheck import pipeline  # noqa: PLC0415
    from conflictcheck.progress import Progress as Silent  # noqa: PLC0415
    from conflictcheck.settings_sources import CommandLine, resolve_settings  # noqa: PLC0415

    def each(values: _Place | Iterable[_Place]) -> tuple[str, ...]:
        several = [values] if isinstance(values, str | os.PathLike) else values
        return tuple(os.fspath(value) for value in several)

    given = CommandLine(
        paths=each(paths),
        with_requirements=each(with_requirements),
        python_version=each(python_versions),
        python_platform=each(python_platforms),
        index_url=index_url,
        extra_index_url=each(extra_index_urls),
        find_links=each(find_links),
        no_index=no_index,
        offline=offline,
        index_snapshot=None if index_snapshot is None else os.fspath(index_snapshot),
        exclude_newer=exclude_newer,
        prerelease=prerelease,
        only_binary=each(only_binary),
        no_binary=each(no_binary),
        constraint=each(constraints),
        override=each(overrides),
        max_environments=max_environments,
        jobs=jobs,
        allow_outside=allow_outside,
        baseline=None if baseline is None else os.fspath(baseline),
        write_baseline=None if write_baseline is None else os.fspath(write_baseline),
        ignore=each(ignore),
        since=since,
        cache_dir=None if cache_dir is None else os.fspath(cache_dir),
        no_cache=no_cache,
        refresh=refresh,
        config_file=None if config_file is None else os.fspath(config_file),
        no_config=no_config,
    )
    folder = Path.cwd() if cwd is None else Path(cwd).absolute()
    settings = resolve_settings(given, cwd=folder, environ=os.environ if environ is None else environ)
    return pipeline.check(settings, progress or Silent())
