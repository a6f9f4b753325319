"""Which releases may be chosen, and why the others may not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from builders import name, universe

from conflictcheck.facts import File, Listing
from conflictcheck.index.memory import Rel
from conflictcheck.policy import Candidates, Release, Why, select_releases
from conflictcheck.settings import Policy
from conflictcheck.targets import make_target

TARGET = make_target("3.11", "linux")
LINUX, WINDOWS = "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"


def select(releases: dict[str, Rel], policy: Policy | None = None) -> Candidates:
    [listing] = universe({"x": releases}).listings([name("x")])
    assert isinstance(listing, Listing)
    return select_releases(listing, TARGET, policy or Policy())


def only(release: Rel, policy: Policy | None = None) -> Release | tuple[Why, str]:
    """The release if it may be chosen, else why not."""
    candidates = select({"1.0": release}, policy)
    if candidates.releases:
        assert not candidates.excluded
        return candidates.releases[0]
    [excluded] = candidates.excluded
    return excluded.why, excluded.detail


def test_files_of_equal_versions_are_of_one_release_however_they_write_it() -> None:
    candidates = select(
        {"0.9": Rel(tags=(), sdist=True), "0.9.0": Rel(tags=(LINUX,)), "0.9.0.post0": Rel(), "0.9.1": Rel()}
    )
    assert [len(release.files) for release in candidates.releases] == [2, 1, 1]
    assert candidates.releases[0].files[0].tags == LINUX
    assert len(set(candidates.versions)) == 3


NEWER = Policy(exclude_newer=datetime(2024, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("release", "policy", "why", "detail"),
    [
        (Rel(upload_time="2024-01-01T00:00:00Z"), NEWER, Why.TOO_NEW, ""),
        (Rel(), NEWER, Why.NO_DATE, ""),
        (Rel(requires_python=">=3.12"), Policy(), Why.PYTHON, ">=3.12"),
        (Rel(tags=("cp310-cp310-linux_x86_64", "cp38.cp39-none-any")), Policy(), Why.WHEELS, "cp310 cp38 cp39"),
        (Rel(tags=("cp38-cp38-linux_x86_64", "cp39-cp39-win_amd64")), Policy(), Why.WHEELS, "cp38"),
        (Rel(tags=("cp38-cp38-win_amd64",)), Policy(), Why.PLATFORM, ""),
        (Rel(tags=("cp38-cp38-linux_x86_64", WINDOWS)), Policy(), Why.PLATFORM, "cp38"),
        (Rel(tags=(WINDOWS,)), Policy(), Why.PLATFORM, ""),
        (Rel(tags=(WINDOWS,), upload_time="2024-01-01T00:00:00Z"), NEWER, Why.PLATFORM, ""),
        (Rel(requires_python=">=3.12"), NEWER, Why.PYTHON, ">=3.12"),
        (Rel(tags=("cp38-abi3-win_amd64",)), Policy(), Why.PLATFORM, ""),
        (Rel(tags=(), sdist=True), Policy(only_binary=frozenset({":all:"})), Why.ONLY_BINARY, ""),
        (Rel(tags=(WINDOWS,), sdist=True), Policy(only_binary=frozenset({"x"})), Why.ONLY_BINARY, ""),
        (Rel(), Policy(no_binary=frozenset({"x"})), Why.NO_BINARY, ""),
    ],
)
def test_release_is_left_out_for_a_reason(release: Rel, policy: Policy, why: Why, detail: str) -> None:
    assert only(release, policy) == (why, detail)


def test_prerelease_is_left_out_where_none_is_allowed_and_only_there() -> None:
    releases = {"1.0": Rel(), "2.0rc1": Rel()}
    disallowed = select(releases, Policy(prerelease="disallow"))
    assert [str(release.version) for release in disallowed.releases] == ["1.0"]
    assert [(str(each.version), each.why) for each in disallowed.excluded] == [("2.0rc1", Why.PRERELEASE)]
    assert [release.is_prerelease for release in select(releases).releases] == [False, True]


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (Policy(), "x-1.0-py3-none-any.whl"),
        (Policy(no_binary=frozenset({":all:"})), "x-1.0.tar.gz"),
        (Policy(no_binary=frozenset({":all:"}), only_binary=frozenset({"x"})), "x-1.0-py3-none-any.whl"),
        (Policy(only_binary=frozenset({":all:"}), no_binary=frozenset({"x"})), "x-1.0.tar.gz"),
        (Policy(only_binary=frozenset({"other"})), "x-1.0-py3-none-any.whl"),
    ],
)
def test_name_wins_over_all_of_the_other_option(policy: Policy, chosen: str) -> None:
    release = only(Rel(sdist=True), policy)
    assert isinstance(release, Release)
    assert release.files[0].filename == chosen


def test_files_uploaded_later_are_left_out_one_by_one() -> None:
    old = File("x-1.0.tar.gz", "https://f.example/1", "1.0", upload_time="2023-05-01T00:00:00Z")
    late = File(
        "x-1.0-py3-none-any.whl", "https://f.example/2", "1.0", "py3-none-any", upload_time="2024-05-01T00:00:00Z"
    )
    [release] = select_releases(Listing("x", (late, old)), TARGET, NEWER).releases
    assert release.files == (old,)


def test_date_is_the_reason_where_the_file_that_would_do_was_uploaded_later() -> None:
    old = File("x-1.0-win.whl", "https://f.example/1", "1.0", WINDOWS, upload_time="2023-05-01T00:00:00Z")
    late = File(
        "x-1.0-py3-none-any.whl", "https://f.example/2", "1.0", "py3-none-any", upload_time="2024-05-01T00:00:00Z"
    )
    [excluded] = select_releases(Listing("x", (late, old)), TARGET, NEWER).excluded
    assert excluded.why is Why.TOO_NEW


@pytest.mark.parametrize(
    ("stamp", "kept"),
    [("2023-12-31T23:59:59.999999Z", True), ("2024-01-01T00:00:00.000001Z", False), ("nonsense", False)],
)
def test_upload_time_is_compared_to_the_instant(stamp: str, kept: bool) -> None:
    assert bool(select({"1.0": Rel(upload_time=stamp)}, NEWER).releases) is kept


def test_best_wheel_comes_first_and_the_source_distribution_last() -> None:
    release = only(Rel(tags=("py3-none-any", LINUX, WINDOWS), sdist=True))
    assert isinstance(release, Release)
    assert [file.filename for file in release.files] == [
        f"x-1.0-{LINUX}.whl", "x-1.0-py3-none-any.whl", "x-1.0.tar.gz"
    ]  # fmt: skip


def test_of_wheels_that_do_not_fit_the_one_for_the_nearest_python_is_read() -> None:
    python_2, older, near = "cp27-cp27mu-manylinux1_x86_64", "cp36-cp36m-manylinux1_x86_64", "cp37-cp37m-win_amd64"
    release = only(Rel(tags=(python_2, older, near), sdist=True))
    assert isinstance(release, Release)
    assert [file.tags for file in release.sources] == [near, ""]


def test_metadata_is_read_from_a_wheel_of_another_platform_before_a_source_distribution() -> None:
    release = only(Rel(tags=(WINDOWS,), sdist=True))
    assert isinstance(release, Release)
    assert [file.filename for file in release.files] == ["x-1.0.tar.gz"]
    assert release.sources[0].filename == f"x-1.0-{WINDOWS}.whl"


def test_release_is_yanked_when_every_file_that_could_be_installed_is() -> None:
    gone = File("x-1.0-py3-none-any.whl", "https://f.example/2", "1.0", "py3-none-any", yanked="broken wheel")
    source = File("x-1.0.tar.gz", "https://f.example/1", "1.0")
    [release] = select_releases(Listing("x", (gone, source)), TARGET, Policy()).releases
    assert (release.yanked, release.files) == (None, (source,))
    [release] = select_releases(Listing("x", (gone,)), TARGET, Policy()).releases
    assert release.yanked == "broken wheel"


def test_source_distributions_older_than_the_first_wheel_for_the_python_are_marked() -> None:
    old, other = Rel(tags=(), sdist=True), Rel(tags=("cp38-cp38-win_amd64",), sdist=True)
    marked = select({"1.0": old, "2.0": other, "3.0": Rel(tags=(WINDOWS,), sdist=True), "4.0": Rel(tags=(LINUX,))})
    assert [release.predates_python for release in marked.releases] == [True, True, False, False]


def test_pure_package_has_no_release_that_predates_a_python() -> None:
    releases = select({"1.0": Rel(tags=(), sdist=True), "2.0": Rel(), "3.0": Rel(tags=(LINUX,))}).releases
    assert [release.predates_python for release in releases] == [False, False, False]


def test_file_without_a_version_is_passed_over() -> None:
    odd = File("x-final.tar.gz", "https://f.example/1", "final")
    assert select_releases(Listing("x", (odd,)), TARGET, Policy()) == Candidates(name("x"), (), ())


@pytest.mark.parametrize("order", [1, -1])
def test_which_wheel_of_another_platform_is_listed_first_does_not_matter(order: int) -> None:
    """2.0 has a wheel for this Python and one for an older one, both for Linux: on macOS, 1.0 is older than support."""
    tags = ("cp310-cp310-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_x86_64")[::order]
    [listing] = universe({"x": {"1.0": Rel(tags=(), sdist=True), "2.0": Rel(tags=tags, sdist=True)}}).listings(
        [name("x")]
    )
    assert isinstance(listing, Listing)
    releases = select_releases(listing, make_target("3.11", "aarch64-apple-darwin"), Policy()).releases
    assert [release.predates_python for release in releases] == [True, False]
