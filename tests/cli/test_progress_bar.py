from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from conflictcheck.cli import progress_bar
from conflictcheck.cli.progress_bar import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Callable


class Screen(io.StringIO):
    """A terminal's standard error."""

    def isatty(self) -> bool:
        return True


def look_at(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Put a screen in the place of standard error (not in a fixture: pytest changes it after those)."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return screen


def run_through(bar: ProgressBar) -> str:
    bar.phase("resolving")
    bar.fetching("numpy")
    bar.fetching("torch")
    bar.fetched("numpy", size=1_500_000)
    bar.asked(3)
    return bar._sentence()  # noqa: SLF001 - the sentence, without the terminal's way of drawing it


def test_a_short_run_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = look_at(monkeypatch)
    monkeypatch.setattr(progress_bar, "_PATIENCE", float("inf"))

    with ProgressBar(color=True) as bar:
        run_through(bar)

    assert screen.getvalue() == ""


def test_a_longer_run_says_what_goes_on_and_wipes_it_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = look_at(monkeypatch)
    monkeypatch.setattr(progress_bar, "_PATIENCE", 0.0)

    with ProgressBar(color=False) as bar:
        sentence = run_through(bar)
    shown = screen.getvalue()
    bar.fetched("late", size=1)

    assert sentence == "Resolving (1 answer from the index, 1.5 MB, 1 under way, 1 set of specs tried)"
    assert "Resolving" in shown
    assert shown.endswith("\x1b[2K")
    assert screen.getvalue() == shown


def test_phases_unknown_to_the_bar_are_shown_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = look_at(monkeypatch)
    bar = ProgressBar(color=False)
    bar.phase("polishing")

    assert bar._sentence() == "Polishing"  # noqa: SLF001 - see above
    assert screen.getvalue() == ""


def test_many_threads_lose_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = look_at(monkeypatch)
    monkeypatch.setattr(progress_bar, "_PATIENCE", 0.0)

    def fetch(number: int) -> None:
        bar.fetching(f"{number}")
        bar.fetched(f"{number}", size=10)

    with ProgressBar(color=False) as bar, ThreadPoolExecutor(8) as threads:
        list(threads.map(fetch, range(400)))

    assert screen.getvalue() != ""
    assert bar._sentence() == "Working (400 answers from the index, 4.0 kB)"  # noqa: SLF001 - see above


@pytest.mark.parametrize(
    ("options", "watched", "shown"),
    [([], True, True), ([], False, False), (["-q"], True, False), (["--no-progress"], True, False)],
)
def test_the_bar_is_for_terminals_alone_and_can_be_turned_off(
    options: list[str], watched: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = look_at(monkeypatch)
    from click import Command  # noqa: PLC0415

    from conflictcheck.cli.options import Terminal, terminal_options  # noqa: PLC0415

    found: list[bool] = []
    body: Callable[..., None] = terminal_options(lambda terminal: found.append(terminal.shows_progress))
    command = Command("x", callback=body, params=body.__click_params__[::-1])
    monkeypatch.setattr(screen, "isatty", lambda: watched)
    assert Terminal is not None

    command.main(options, standalone_mode=False)

    assert found == [shown]
