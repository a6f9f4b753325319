"""A run on the same input, with the same options and the same pages of the index has the same report: it is kept.

Nothing is resolved again, whichever command or form asks for it, and hardly anything is imported. Whether something
has changed is told by contents: the specs as read, every option, the program's own files, and the snapshot or the state
of each page, file and folder that the answer rests on. A page that is no longer fresh has to be asked for first, so the
run is made as usual.
"""

from __future__ import annotations

import time
import zlib
from contextlib import closing
from hashlib import file_digest, sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from conflictcheck.checked import Checked
from conflictcheck.facts import Basis  # noqa: TC001 - msgspec reads the annotation
from conflictcheck.fingerprints import fingerprint
from conflictcheck.index.cache import Cache
from conflictcheck.instant import program_files
from conflictcheck.model import Report, Verdict
from conflictcheck.numbering import in_report_order

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.cli.exit_codes import ExitCode
    from conflictcheck.given import Given
    from conflictcheck.instant import Lookout
    from conflictcheck.model import Requirement, Spec
    from conflictcheck.progress import Progress
    from conflictcheck.settings import Settings


class _Kept(Struct, frozen=True, array_like=True):
    """A report without what is read anew each time.

    Attributes:
        report: without its specs, and its clashes without their lines.
        lines: of each clash, counted over the lines of all specs and then the shared ones.
        basis: what it rests on.
    """

    report: Report
    lines: list[list[int]]
    basis: Basis


class Memory(Struct, frozen=True):
    """What earlier runs found out about one question.

    Attributes:
        settings: of the run.
        given: its input.
        target_environments: see `pipeline.check_files`.
    """

    settings: Settings
    given: Given
    target_environments: int | None = None

    @property
    def _folder(self) -> Path | None:
        """The cache; None where nothing may be remembered.

        That is without a cache, with one that is to be refreshed, where facts come from a pipe, and where there is more
        to read or write than the input and the report.
        """
        settings, index = self.settings, self.settings.index
        is_more = settings.write_baseline is not None or settings.since is not None
        is_fleeting = not (index.snapshot is None or index.snapshot.is_file())
        return None if is_more or is_fleeting or index.refresh else index.cache_dir

    def files(self) -> tuple[object, ...] | None:
        """The snapshot and the program, which may change during a run; None where nothing may be remembered."""
        if self._folder is None:
            return None
        snapshot = self.settings.index.snapshot
        return (None if snapshot is None else _digest(snapshot), program_files())

    def key(self, files: tuple[object, ...]) -> str:
        """Of all that the report depends on, but for what an index has.

        Args:
            files: see `files`.
        """
        settings, given = replace(self.settings, jobs=None), self.given
        asked = (settings, given.read.specs, given.read.diagnostics, given.shared, given.known)
        return sha256(repr(_plain((asked, self.target_environments, files))).encode()).hexdigest()

    def recall(self, key: str) -> Checked | None:
        """What was found the last time, if nothing has changed since.

        Args:
            key: see `key`.
        """
        if (folder := self._folder) is None or not folder.is_dir():
            return None
        with closing(Cache.open(folder)) as cache:
            data = cache.answer(key)
            if data is None:
                return None
            try:
                kept = msgspec.msgpack.decode(zlib.decompress(data), type=_Kept)
                report = self._filled(kept)
            except (zlib.error, msgspec.DecodeError, LookupError, ValueError):
                return None
            states = cache.states(list(kept.basis.pages))
        now = time.time()
        same = all(states.get(key, ("", 0))[0] == state for key, state in kept.basis.pages.items())
        same &= all(fingerprint(place) == state for place, state in kept.basis.places.items())
        fresh = self.settings.index.offline or all(now < until for _, until in states.values())
        return Checked(report, self.given.sources, kept.basis) if same and fresh else None

    def keep(self, key: str, checked: Checked) -> None:
        """Remember a report, unless it is undecided, or rests on more than can be compared.

        Args:
            key: see `key`.
            checked: the report.
        """
        folder = self._folder
        if folder is None or checked.basis is None or checked.report.verdict is Verdict.UNDECIDED:
            return
        with closing(Cache.open(folder)) as cache:
            kept = msgspec.msgpack.encode(self._emptied(checked.report, checked.basis))
            cache.put_answer(key, zlib.compress(kept, 1))  # twenty specs take 1 MB, and a third of that so

    def keep_instantly(self, text: str, code: ExitCode, checked: Checked, lookout: Lookout) -> None:
        """Remember what a command printed, for the very same one.

        Args:
            text: its one report.
            code: its exit code.
            checked: what it is the report of.
            lookout: knows what the run looked at.
        """
        # Where a line leads to a place on this machine, what kind of place that is counts as well.
        is_found_by_files = all(line.url is None and not line.editable for line in self._numbered[1])
        folder, offline = self._folder, self.settings.index.offline
        if folder is None or checked.basis is None or not is_found_by_files:
            return
        if (row := lookout.keep(text, code, checked.basis, offline=offline)) is not None:
            with closing(Cache.open(folder)) as cache:
                cache.put_answer(*row)

    @property
    def _numbered(self) -> tuple[tuple[Spec, ...], tuple[Requirement, ...]]:
        return in_report_order(self.given.read.specs, self.given.shared)

    def _emptied(self, report: Report, basis: Basis) -> _Kept:
        numbers = {line: i for i, line in enumerate(self._numbered[1])}
        lines = [[numbers[line] for line in clash.requirements] for clash in report.clashes]
        clashes = tuple(replace(clash, requirements=()) for clash in report.clashes)
        return _Kept(replace(report, specs=(), clashes=clashes), lines, basis)

    def _filled(self, kept: _Kept) -> Report:
        """The report as it was.

        Raises:
            LookupError: a number is of no line.
            ValueError: there are more clashes than lists of numbers, or fewer.
        """
        specs, lines = self._numbered
        clashes = tuple(
            replace(clash, requirements=tuple(lines[i] for i in numbers))
            for clash, numbers in zip(kept.report.clashes, kept.lines, strict=True)
        )
        return replace(kept.report, specs=specs, clashes=clashes)


def check_or_recall(memory: Memory, progress: Progress) -> Checked:
    """As `pipeline.check_files`; not worked out again where it is remembered.

    Args:
        memory: of the question.
        progress: is told what happens.

    Raises:
        ConflictCheckError: as `pipeline.check_files`.
    """
    files = memory.files()
    key = None if files is None else memory.key(files)
    if key is not None and (known := memory.recall(key)) is not None:
        return known
    from conflictcheck.pipeline import check_files  # noqa: PLC0415 - takes longer than all of a recalled report

    checked = check_files(memory.settings, progress, target_environments=memory.target_environments, given=memory.given)
    if key is not None and memory.files() == files:
        memory.keep(key, checked)
    return checked


def _digest(file: Path) -> str:
    """Of a file's content; empty where it cannot be read, which the run will say."""
    try:
        with file.open("rb") as opened:
            return file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def _plain(value: Any) -> object:
    """A value as lists and texts, alike whenever the value is; sets have no order of their own."""
    if isinstance(value, Struct):
        return [_plain(getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, dict):
        return sorted((str(key), _plain(one)) for key, one in value.items())
    if isinstance(value, frozenset | set):
        return sorted(str(one) for one in value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
