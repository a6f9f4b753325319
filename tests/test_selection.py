"""What policy left of a listing, kept in bytes: it comes back as it was, and is read where somebody looks at it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from builders import name, universe

from conflictcheck.facts import Listing, overview_of
from conflictcheck.index.memory import Rel
from conflictcheck.policy import Candidates, Release, select_releases
from conflictcheck.selection import decode_selection, encode_selection, selection_key
from conflictcheck.settings import Policy
from conflictcheck.targets import make_target

TARGET = make_target("3.11", "linux")
RELEASES = {
    "1.0": Rel(requires_python=">=3.99"),
    "1.1": Rel(yanked="broken"),
    "2.0rc1": Rel(),
    "2.0": Rel(tags=("py3-none-any",), sdist=True),
    "10.0": Rel(),
}


@pytest.fixture
def listing() -> Listing:
    [found] = universe({"x": RELEASES}).listings([name("x")])
    assert isinstance(found, Listing)
    return found


@pytest.fixture
def selected(listing: Listing) -> Candidates:
    return select_releases(listing, TARGET, Policy())


def kept(listing: Listing, selected: Candidates, *, stamp: str = "today") -> Candidates | None:
    found = decode_selection(encode_selection(selected, overview_of(listing), "today"), name("x"), stamp)
    return None if found is None else found[0]


def test_what_was_kept_is_what_was_selected(listing: Listing, selected: Candidates) -> None:
    found = kept(listing, selected)
    assert found is not None
    assert (list(found.releases), list(found.excluded)) == (list(selected.releases), list(selected.excluded))
    assert list(found.releases[1:3]) == list(selected.releases[1:3])
    assert list(found.versions) == list(selected.versions) == [release.version for release in selected.releases]
    assert list(found.versions[1:3]) == list(selected.versions[1:3])
    bits = [(one.prereleases, one.yanked, one.early, one.direct, one.unversioned) for one in (found, selected)]
    assert bits[0] == bits[1] == (0b0010, 0b0001, 0, 0, 0)


def test_looking_at_versions_makes_no_release(
    listing: Listing, selected: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = kept(listing, selected)
    assert found is not None
    monkeypatch.setattr("conflictcheck.selection.Release", lambda *_, **__: pytest.fail("a release was made"))
    assert str(found.versions[3]) == "10.0"
    monkeypatch.setattr("conflictcheck.selection.Release", Release)
    assert found.releases[3].version is found.versions[3]


def test_a_selection_from_another_listing_is_none(listing: Listing, selected: Candidates) -> None:
    assert kept(listing, selected, stamp="yesterday") is None
    assert decode_selection(b"\x93\x01", name("x"), "today") is None


def test_the_key_tells_targets_and_policies_apart() -> None:
    dated = Policy(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC))
    targets = [TARGET, make_target("3.12", "linux"), make_target("3.11", "windows")]
    keys = [selection_key(target, policy) for target in targets for policy in (Policy(), dated)]
    assert len(set(keys)) == len(keys)
    assert selection_key(make_target("3.11", "linux"), Policy()) == keys[0]
