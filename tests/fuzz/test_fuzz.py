"""Every reader and every parser of index data takes any bytes: it reads them or refuses them, in time and in bounds.

``pytest tests/fuzz --fuzz-inputs 100000`` tries more; ``tests/fuzz/run.py`` looks for new paths, for hours if need be.
"""

from __future__ import annotations

from itertools import islice

import pytest
from fuzz_target import CORPUS, HangError, Target, cpu_limit, feed, mutations, seeds
from targets import TARGETS

every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@every_target
def test_the_kept_inputs_are_read_or_refused(target: Target) -> None:
    accepted = [feed(target, path.read_bytes()) for path in seeds(target)]
    assert any(accepted), "none of its inputs gets past the door"


@every_target
def test_inputs_made_from_the_kept_ones_are_read_or_refused(target: Target, request: pytest.FixtureRequest) -> None:
    for number, data in enumerate(mutations(target, request.config.getoption("--fuzz-inputs"))):
        try:
            feed(target, data)
        except BaseException as error:
            error.add_note(f"input {number} of {target.name}: {data[:2000]!r}")
            raise


def test_every_folder_of_inputs_belongs_to_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == {target.name for target in TARGETS}


def test_the_same_number_makes_the_same_inputs() -> None:
    target = TARGETS[0]
    first = list(mutations(target, 50))
    assert first == list(islice(mutations(target, 80), 50))
    assert len(set(first)) > 40


def test_an_input_that_takes_for_ever_is_noticed() -> None:
    def loop(_data: bytes) -> None:
        while True:
            pass

    with pytest.raises(HangError), cpu_limit(0.05):
        loop(b"")


def test_only_the_documented_refusals_are_taken_for_such() -> None:
    def refuse(data: bytes) -> None:
        raise (KeyError if data else LookupError)("no")

    target = Target("made-up", refuse, (KeyError,))
    assert feed(target, b"x") is False
    with pytest.raises(LookupError):
        feed(target, b"")
