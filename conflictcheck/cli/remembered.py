"""A run on the same input, with the same options and the same pages of the index has the same to say: it is kept.

Nothing is resolved again, and hardly anything is imported. Whether something has changed is told by contents: the
specs as read, every option, the program's own files, and the state of each page that the answer rests on. A page that
is no longer fresh has to be asked for first, so the run is made as usual.
"""

from __future__ import annotations

import time
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from conflictcheck.index.cache import Cache
from conflictcheck.instant import program_files

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.given import Given
    from conflictcheck.instant import Lookout
    from conflictcheck.settings import Settings


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What a run had to say.

    Attributes:
        texts: of the reports, in the order they were asked for.
        code: the exit code.
        pages: the state of each page that it rests on, by its key in the cache.
    """

    texts: list[str]
    code: int
    pages: dict[str, str]


class Memory(Struct, frozen=True):
    """What was said in earlier runs, about one question.

    Attributes:
        folder: of the cache.
        key: of the question.
        offline: whether a page is good however old it is.
        is_found_by_files: whether what was read tells all; not where a line leads to a place on this machine, whose
            kind counts as well.
    """

    folder: Path
    key: str
    offline: bool
    is_found_by_files: bool

    @classmethod
    def of(cls, settings: Settings, given: Given, *form: object) -> Memory | None:
        """What is remembered of a question.

        Args:
            settings: of the run.
            given: its input.
            form: whatever else its output depends on.

        Returns:
            None where nothing may be remembered: without a cache, with one that is to be refreshed, where facts come
            from elsewhere, or where there is more to read or write than the input and the report.
        """
        index = settings.index
        if settings.write_baseline is not None or settings.since is not None:
            return None
        if index.cache_dir is None or index.refresh or index.snapshot is not None or index.find_links:
            return None
        said = _plain(
            (settings, given.read.specs, given.read.diagnostics, given.shared, given.known, form, program_files())
        )
        lines = (*given.shared, *(line for spec in given.read.specs for line in spec.requirements))
        is_found_by_files = all(line.url is None and not line.editable for line in lines)
        return cls(index.cache_dir, sha256(repr(said).encode()).hexdigest(), index.offline, is_found_by_files)

    def recall(self) -> Said | None:
        """What was said the last time, if nothing has changed since."""
        if not self.folder.is_dir():
            return None
        with closing(Cache.open(self.folder)) as cache:
            data = cache.answer(self.key)
            if data is None:
                return None
            try:
                said = msgspec.msgpack.decode(data, type=Said)
            except msgspec.DecodeError:
                return None
            states = cache.states(list(said.pages))
        now = time.time()
        same = all(states.get(key, ("", 0))[0] == state for key, state in said.pages.items())
        fresh = self.offline or all(now < until for _, until in states.values())
        return said if same and fresh else None

    def keep(self, texts: list[str], code: int, basis: tuple[str, ...] | None, lookout: Lookout | None = None) -> None:
        """Remember what was said.

        Args:
            texts: of the reports.
            code: the exit code.
            basis: the pages that it rests on; None where that is not all, and nothing is kept.
            lookout: knows what the run looked at, where its one text was printed; None otherwise.
        """
        if basis is None:
            return
        with closing(Cache.open(self.folder)) as cache:
            states = cache.states(basis)
            if len(states) == len(basis):
                said = Said(texts, code, {key: state for key, (state, _) in states.items()})
                cache.put_answer(self.key, msgspec.msgpack.encode(said))
                self._keep_instantly(said, lookout, cache)

    def keep_instantly(self, said: Said, lookout: Lookout | None) -> None:
        """Remember what was said by the command that asked for it; see `keep`."""
        with closing(Cache.open(self.folder)) as cache:
            self._keep_instantly(said, lookout, cache)

    def _keep_instantly(self, said: Said, lookout: Lookout | None, cache: Cache) -> None:
        if lookout is None or not self.is_found_by_files:
            return
        text, *more = said.texts
        if not more and (row := lookout.keep(text, said.code, said.pages, offline=self.offline)) is not None:
            cache.put_answer(*row)


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
