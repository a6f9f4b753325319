"""What a kernel that lies says is never reported: the second opinion differs, and a file repeats the mistake."""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from builders import World, constraints, name, overrides, specs, universe
from msgspec.structs import replace

from conflictcheck.clashes import Core
from conflictcheck.cli import ExitCode, exit_code
from conflictcheck.errors import Disagreement, SnapshotError
from conflictcheck.facts import Files, Metadata, Unknown
from conflictcheck.index.base import MetadataRequest
from conflictcheck.index.memory import INDEX, MemoryIndex, Rel
from conflictcheck.model import Diagnostic, SpecId, Verdict
from conflictcheck.pipeline import check, repeat_run
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings, Settings
from conflictcheck.solver import completion, kernel
from conflictcheck.solver.answers import Solution
from conflictcheck.solver.encoding import Lock, Package
from conflictcheck.solver.oracle import Yes
from conflictcheck.solver.reading import Reading
from conflictcheck.solver.refutation import find_environment
from conflictcheck.solver.store import FactStore
from conflictcheck.solver.walk import NoEnvironmentError, walk
from conflictcheck.targets import Target
from conflictcheck.verification import SecondOpinion

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.specifiers import Specifier

    from conflictcheck.policy import Release

PLAIN = universe({"x": {"1.0": ["y"], "2.0": ["y"], "3.0rc1": []}, "y": {"1.0": []}})
WINDOWS = "cp311-cp311-win_amd64"


@dataclass(frozen=True)
class Lie:
    """A mistake in one place, a situation where it matters, and what is right there."""

    owner: Any
    attribute: str
    instead: Callable[..., object]
    files: dict[str, list[str]]
    right: Verdict
    complaint: str
    index: MemoryIndex = field(default_factory=lambda: PLAIN)


_part_mask = Package._part_mask  # noqa: SLF001 - what the lie replaces


def no_upper_bound(package: Package, part: Specifier) -> int:
    return package.everything if part.operator == "<" else _part_mask(package, part)


def excludes_too_much(package: Package, part: Specifier) -> int:
    return 0 if part.operator == ">=" else _part_mask(package, part)


LIES = {
    "upper bounds do not count": Lie(
        Package, "_part_mask", no_upper_bound, {"a.txt": ["x<2"]}, Verdict.COMPATIBLE, "resolvelib rejects"
    ),
    "lower bounds exclude all": Lie(
        Package, "_part_mask", excludes_too_much, {"a.txt": ["x>=2"], "b.txt": ["x<3"]}, Verdict.COMPATIBLE,
        "on Python 3.11 on linux a.txt: x>=2 is said to clash, and x 2.0, y 1.0 satisfies it",
    ),
    "releases need nothing": Lie(
        kernel.Kernel, "_dependencies", lambda _self, _loaded, extras: {extra: [] for extra in extras},
        {"a.txt": ["x"]}, Verdict.COMPATIBLE, "resolvelib rejects",
    ),
    "nothing opens a lock": Lie(
        Lock, "asked_by", lambda *_, **__: False, {"a.txt": ["x>=3.0rc1"]}, Verdict.COMPATIBLE,
        "a.txt: x>=3.0rc1 is said to clash, and x 3.0rc1 satisfies it",
    ),
    "everything opens a lock": Lie(
        Lock, "asked_by", lambda *_, **__: True, {"a.txt": ["x"]}, Verdict.COMPATIBLE,
        "a.txt: x on Python 3.11 on linux: nothing asks for x 3.0rc1, which is a pre-release",
    ),
    "Requires-Python does not count": Lie(
        Target, "admits_python", lambda *_: True, {"a.txt": ["x"]}, Verdict.UNSATISFIABLE, "x 1.0 may not be chosen",
        universe({"x": {"1.0": Rel(requires_python=">=3.12")}}),
    ),
    "wheels suit everywhere": Lie(
        Target, "rank", lambda *_: 0, {"a.txt": ["x"]}, Verdict.UNSATISFIABLE, "x 1.0 may not be chosen",
        universe({"x": {"1.0": Rel(tags=(WINDOWS,))}}),
    ),
}  # fmt: skip


def settings_in(folder: Path, files: dict[str, list[str]]) -> Settings:
    for file, lines in files.items():
        (folder / file).write_text("\n".join(lines) + "\n")
    return Settings(
        cwd=folder, index=IndexSettings((INDEX,)), python_versions=("3.11",), platforms=("linux",), paths=tuple(files)
    )


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_ends_the_run_and_leaves_what_repeats_it(
    lie: Lie, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path, lie.files)

    with monkeypatch.context() as lying:
        lying.setattr(lie.owner, lie.attribute, lie.instead)
        with pytest.raises(Disagreement) as caught:
            check(settings, Progress(), index=lie.index)
        evidence = caught.value.evidence
        assert evidence is not None
        with pytest.raises(Disagreement) as again:
            repeat_run(Path(evidence), Progress())

    assert lie.complaint in caught.value.about
    assert again.value.about == caught.value.about
    assert Path(evidence).parent.stat().st_mode & 0o077 == 0
    # Where the lie kept a fact from being asked for, what is right cannot be told from the file.
    assert repeat_run(Path(evidence), Progress()).verdict in (lie.right, Verdict.UNDECIDED)
    assert check(settings, Progress(), index=lie.index).verdict is lie.right
    assert exit_code(caught.value) == ExitCode.UNDECIDED


def test_message_says_what_to_do_with_the_file() -> None:
    assert str(Disagreement("a is not b")) == "a is not b"
    assert str(Disagreement("a is not b", "/tmp/e.json.gz")) == (
        "a is not b; /tmp/e.json.gz repeats this mistake: please send it along (it holds the requirement lines, the "
        "options and what the index said, and no passwords)"
    )


def test_no_room_for_the_file_does_not_hide_the_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    lie = LIES["upper bounds do not count"]
    monkeypatch.setattr(lie.owner, lie.attribute, lie.instead)

    with pytest.raises(Disagreement, match="resolvelib rejects") as caught:
        check(settings_in(tmp_path, lie.files), Progress(), index=PLAIN)

    assert caught.value.evidence is None


@pytest.mark.parametrize(
    "content", [None, b"", b"{}", gzip.compress(b"{}", mtime=0), gzip.compress(b"nothing", mtime=0)], ids=range(5)
)
def test_what_is_no_such_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(SnapshotError, match="this repeats no run"):
        repeat_run(tmp_path / "file", Progress())


def test_the_file_keeps_lines_of_every_kind_and_all_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://files.example/z-1.0-py3-none-any.whl"
    index = universe(
        {"x": {"1.0": ["y[fast]"]}, "y": {"1.0": ['w ; extra == "fast"'], "2.0": []}, "w": {"1.0": [], "2.0": []}},
        direct={url: Metadata("z", "1.0", ("missing-package",))},
    )
    files = {"a.txt": ["x ; python_version > '3'", "-c c.txt"], "b.txt": [f"z @ {url}"], "c.txt": ["y<2"]}
    (tmp_path / "o.txt").write_text("w==1.0\n")
    settings = replace(settings_in(tmp_path, files), paths=("a.txt", "b.txt"), overrides=("o.txt",))
    right = check(settings, Progress(), index=index)
    monkeypatch.setattr(SecondOpinion, "is_confirmed", _disagree)

    with pytest.raises(Disagreement) as caught:
        check(settings, Progress(), index=index)
    monkeypatch.undo()
    repeated = repeat_run(Path(caught.value.evidence or ""), Progress())

    assert right.verdict is Verdict.UNSATISFIABLE
    assert replace(repeated, stats={}, specs=()) == replace(right, stats={}, specs=())
    assert [spec.requirements for spec in repeated.specs] == [spec.requirements for spec in right.specs]


def test_the_file_is_written_where_the_files_of_a_page_are_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = universe({"x": {"1.0": [], "2.0": []}})
    plain = index.listings
    monkeypatch.setattr(
        index, "listings", lambda names: [replace(one, files=Files.of(one.files)) for one in plain(names)]
    )
    monkeypatch.setattr(SecondOpinion, "is_confirmed", _disagree)

    with pytest.raises(Disagreement) as caught:
        check(settings_in(tmp_path, {"a.txt": ["x<2"], "b.txt": ["x>=2"]}), Progress(), index=index)
    monkeypatch.undo()

    assert repeat_run(Path(caught.value.evidence or ""), Progress()).verdict is Verdict.SPLIT


def _disagree(*_: object) -> None:
    raise Disagreement("they disagree")


# -- clashes -------------------------------------------------------------------------------------------------------


def confirm(world: World, core: Core, budget: int = 10_000) -> list[Diagnostic]:
    """What a second opinion on a clash warns of."""
    opinion = SecondOpinion(world.oracle, world.lines, budget)
    [question] = opinion.questions([core])
    return [] if opinion.is_confirmed(question) else opinion.say_not_confirmed(question)


def test_a_clash_that_is_none_is_refused() -> None:
    world = World(PLAIN, specs(a=["x>=2"], b=["x"]))
    with pytest.raises(Disagreement, match="the oracle does not see"):
        confirm(world, Core((SpecId("a"), SpecId("b")), (0, 1)))


def test_a_line_too_many_is_refused_where_the_clash_is_said_to_be_minimal() -> None:
    world = World(PLAIN, specs(a=["x>=2", "y"], b=["x<2"]))
    core = Core((SpecId("a"), SpecId("b")), (0, 1, 2))
    with pytest.raises(Disagreement, match=r"^y is said to be needed for a clash, and is not$"):
        confirm(world, core)
    assert confirm(world, replace(core, minimal=False)) == []


def test_a_clash_that_takes_too_long_is_told() -> None:
    index = universe({"x": {"1.0": ["z<2"], "2.0": ["z<2"]}, "y": {"1.0": ["z>=2"]}, "z": {"1.0": [], "2.0": []}})
    world = World(index, specs(a=["x"], b=["y"]))
    [core] = world.findings.cores
    assert confirm(world, core) == []
    [told] = confirm(world, core, budget=3)
    assert (told.code, told.file, told.line) == ("clash-not-confirmed", "a", 1)
    assert told.message == "the clash of a and b is not confirmed, as the second engine gave up on it after 3 steps"


def test_a_clash_that_rests_on_what_is_taken_for_granted_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older release asks for a yanked one, and is read only later, for something else."""
    packages = {
        "x": {"1.0": [], "2.0": Rel(yanked="broken")},
        "y": {"1.0": ["x>1.0", "z"]},
        "z": {"1.0": ["x==2.0"], "2.0": []},
    }
    monkeypatch.setattr(completion, "MOST_RELEASES", 0)
    world = World(universe(packages), specs(a=["y"]))
    [core] = world.findings.cores
    assert confirm(world, core) == []
    assert world.oracle.load(world.targets["3.11"][0], name("z"), [0])
    [told] = confirm(world, core)
    assert (told.code, told.file, told.line) == ("clash-not-confirmed", "a", 1)
    assert told.message == (
        "the clash of a is not confirmed, as it rests on what is taken for granted of x, and the second engine "
        "found releases that do otherwise, or gave up on it after 10,000 steps"
    )


def test_a_clash_is_impossible_on_every_python_if_on_one_platform_of_each() -> None:
    index = universe({"x": {"1.0": Rel(tags=("cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-win_amd64"))}})
    world = World(index, specs(a=["x"]), pythons=("3.12", "3.11"), platforms=("linux", "windows"))
    [core] = world.findings.cores
    assert confirm(world, core) == []


def test_what_is_not_known_makes_no_clash() -> None:
    index = universe({"x": {"1.0": Unknown("the index answered 503"), "2.0": ["y"]}, "y": Unknown("no answer")})
    world = World(index, specs(a=["x"]))
    store = FactStore(index)
    store.listings([name("x")])
    target = world.targets["3.11"][0]
    chosen = find_environment(Reading(target, world.lines, store, world.policy), world.lines)
    assert chosen is not None
    assert set(chosen) == {"x"}


# -- environments --------------------------------------------------------------------------------------------------


def read_all(world: World) -> Reading:
    store = FactStore(world.index)
    target = world.targets["3.11"][0]
    found = Reading(target, world.lines, store, world.policy)
    store.listings([name(package) for package in "wxyz"])
    for package in "xyz":
        for release in found.offer(name(package)).releases:
            if release.sources:
                store.metadata([MetadataRequest(release.name, str(release.version), release.sources)])
    return found


@pytest.mark.parametrize(
    ("lines", "shared", "pins", "complaint"),
    [
        (["x"], [], {}, "a needs x, which is not there"),
        (["x"], [], {"x": "1.0"}, "x needs y, which is not there"),
        (["x<2"], [], {"x": "2.0", "y": "1.0"}, "a needs x<2, and it is 2.0"),
        (["x"], constraints("x<2"), {"x": "2.0", "y": "1.0"}, "constraints.txt needs x<2, and it is 2.0"),
        (["x"], overrides("y>1"), {"x": "2.0", "y": "1.0"}, "overrides.txt needs y>1, and it is 1.0"),
        (["python>=3.12"], [], {}, "a needs Python >=3.12"),
        (["z"], [], {"z": "1.0"}, "z 1.0 is for another Python, or what it needs cannot be read"),
        (["z"], [], {"z": "2.0"}, "what z 2.0 needs is not known"),
        (["z"], [], {"z": "3.0"}, "z 3.0 is for another Python, or what it needs cannot be read"),
    ],
)
def test_walk_says_where_an_environment_breaks(
    lines: list[str], shared: list[Any], pins: dict[str, str], complaint: str
) -> None:
    index = Late(
        {"x": {"1.0": ["y"], "2.0": ["y"]}, "y": {"1.0": []}, "z": {"1.0": [], "2.0": Unknown("?"), "3.0": []}}
    )
    world = World(index, specs(a=lines), shared)
    found = read_all(world)
    with pytest.raises(NoEnvironmentError, match=f"^{complaint}$".replace(">", "[>]")):
        walk(found, world.lines, chosen(found, pins))


def chosen(found: Reading, pins: dict[str, str]) -> dict[Any, Release]:
    releases = {(package, str(r.version)): r for package in pins for r in found.offer(name(package)).releases}
    return {name(package): releases[package, version] for package, version in pins.items()}


class Late(MemoryIndex):
    """Says of z 1.0 only in its metadata which Python it is for, and of z 3.0 what is no requirement."""

    def metadata(self, requests: Any) -> Any:
        said = {"1.0": {"requires_python": ">=3.12"}, "3.0": {"requires_dist": ("not a requirement",)}}
        return [
            Metadata("z", request.version, **said[request.version])  # type: ignore[arg-type]
            if request.name == "z" and request.version in said
            else answer
            for request, answer in zip(requests, super().metadata(requests), strict=True)
        ]


def test_a_package_that_nobody_needs_is_refused() -> None:
    world = World(universe({"x": {"1.0": []}, "y": {"1.0": []}}), specs(a=["x"], b=["y"]))
    reply = world.ask()
    assert isinstance(reply, Yes)
    solution = Solution({name("x"): 0, name("y"): 0}, {})
    with pytest.raises(Disagreement, match=r"^a: x on Python 3.11 on linux: nobody needs y$"):
        SecondOpinion(world.oracle, world.lines).check_environment(
            world.lines_of("a"), Yes("3.11", {"linux": solution})
        )
    SecondOpinion(world.oracle, world.lines).check_environment(world.lines_of("a", "b"), reply)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("x>=3.0rc1", "3.0rc1"),
        ("x==2.0", "2.0"),
        ("x===2.0", "2.0"),
        ("x>2.0", "3.0rc1"),
        ("x", "1.0"),
        ("x==2.*", None),
    ],
)
def test_a_locked_release_is_for_who_asks_for_it(line: str, version: str | None) -> None:
    index = universe({"x": {"1.0": [], "2.0": Rel(yanked="broken"), "3.0rc1": []}})
    world = World(index, specs(a=[line]))
    environment = find_environment(read_all(world), world.lines)
    assert (None if environment is None else str(environment[name("x")].version)) == version


def test_no_release_asks_for_itself() -> None:
    yanked = Rel(['x[fast]==2.0 ; extra == "all"'], yanked="broken", extras=("fast", "all"))
    index = universe({"x": {"1.0": ["y<2"], "2.0": yanked}, "y": {"2.0": []}})
    world = World(index, specs(a=["x[all]", "y"], b=["x[all]==2.0", "y"]))
    found = read_all(world)
    assert find_environment(found, [world.lines[i] for i in sorted(world.lines_of("a"))]) is None
    assert find_environment(found, [world.lines[i] for i in sorted(world.lines_of("b"))]) is not None


def test_a_release_asks_for_a_locked_one_only_where_something_needs_it() -> None:
    index = universe(
        {"x": {"1.0": ["w", "y"], "2.0rc1": []}, "y": {"1.0": ["x==2.0rc1"]}, "z": {"1.0": ["y", "x>1.0"]}}
    )
    world = World(index, specs(a=["x"], b=["z"], c=["y"]))
    found = read_all(world)

    def versions(*group: str) -> dict[str, str] | None:
        environment = find_environment(found, [world.lines[i] for i in sorted(world.lines_of(*group))])
        return None if environment is None else {one: str(release.version) for one, release in environment.items()}

    assert versions("a") is None
    assert versions("c") == {"x": "2.0rc1", "y": "1.0"}
    assert versions("a", "b") == {"x": "2.0rc1", "y": "1.0", "z": "1.0"}
