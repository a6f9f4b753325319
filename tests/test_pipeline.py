"""From files to a report, on an index in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import universe
from msgspec.structs import replace
from msgspec.structs import replace as changed

from conflictcheck import fixes
from conflictcheck.corrections import Limits
from conflictcheck.errors import ConflictCheckError
from conflictcheck.facts import Listing, Metadata, Unknown
from conflictcheck.file_options import merge_file_options
from conflictcheck.index import default_index_url
from conflictcheck.index.memory import INDEX, MemoryIndex, Rel
from conflictcheck.model import IndexOptions, Severity, Spec, SpecId, Verdict
from conflictcheck.pipeline import check
from conflictcheck.progress import Progress
from conflictcheck.reports.json import JsonReport
from conflictcheck.settings import IndexSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from conflictcheck.facts import Missing
    from conflictcheck.model import Diagnostic, Report

Run = "Callable[..., Report]"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Report]:
    """Write requirements files and check them: ``run(index, {"a.txt": ["x"]}, max_environments=2)``."""

    def checked(index: MemoryIndex, files: Mapping[str, Sequence[str]], **more: object) -> Report:
        for name, lines in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n")
        plain = Settings(
            cwd=tmp_path, index=IndexSettings((INDEX,)), python_versions=("3.11",), platforms=("linux",),
            paths=tuple(name for name in files if not name.startswith("+")),
        )  # fmt: skip
        return check(replace(plain, **more), Progress(), index=index)  # type: ignore[arg-type]

    return checked


def three() -> dict[str, list[str]]:
    return {"1.0": [], "2.0": [], "3.0": []}


def codes(report: Report) -> list[str]:
    return [diagnostic.code for diagnostic in report.diagnostics]


def the(report: Report, code: str) -> Diagnostic:
    [found] = [diagnostic for diagnostic in report.diagnostics if diagnostic.code == code]
    return found


def test_specs_that_share_an_environment_are_compatible(run: Callable[..., Report]) -> None:
    report = run(universe({"x": three()}), {"a.txt": ["x<3"], "b.txt": ["x>=2"]})
    assert (report.verdict, report.passed) == (Verdict.COMPATIBLE, True)
    [environment] = report.environments
    assert (environment.name, environment.specs) == ("all", ("a.txt", "b.txt"))
    assert [(pin.name, pin.version, pin.requested_by) for pin in environment.packages] == [
        ("x", "2.0", ("a.txt", "b.txt"))
    ]
    assert (report.minimum.environments, report.minimum.proven, report.minimum.lower_bound) == (1, True, 1)
    assert (report.minimum.why, report.clashes, report.clashes_complete) == ("", (), True)


def test_split_passes_only_if_so_many_environments_are_acceptable(run: Callable[..., Report]) -> None:
    files = {"a.txt": ["x<2"], "b.txt": ["x>=2"]}
    report = run(universe({"x": three()}), files)
    assert (report.verdict, report.passed) == (Verdict.SPLIT, False)
    assert [environment.specs for environment in report.environments] == [("a.txt",), ("b.txt",)]
    assert report.minimum.why == "a.txt and b.txt clash, so each of them needs an environment of its own."
    assert run(universe({"x": three()}), files, max_environments=2).passed


def test_split_without_a_clique_names_the_clash(run: Callable[..., Report]) -> None:
    files = {"a.txt": ["x!=1.0"], "b.txt": ["x!=2.0"], "c.txt": ["x!=3.0"]}
    report = run(universe({"x": three()}), files, max_environments=2)
    assert report.minimum.why == "a.txt, b.txt and c.txt clash together, so one environment cannot hold them all."
    files["d.txt"] = ["x", "y>=2"]
    files["e.txt"] = ["x!=1.0", "y<2"]
    assert len(run(universe({"x": three(), "y": three()}), files).environments) == 2


def test_odd_ring_of_clashes_says_that_every_way_was_ruled_out(run: Callable[..., Report]) -> None:
    files = {f"{i}.txt": [f"x{i}<2", f"x{(i + 1) % 5}>=2"] for i in range(5)}
    report = run(universe({f"x{i}": three() for i in range(5)}), files)
    assert len(report.environments) == 3
    assert report.minimum.why == (
        "No way to put the specs into 2 environments avoids all of the 5 clashes; every such way was ruled out."
    )


def test_spec_that_cannot_be_installed_leaves_the_others_placed(run: Callable[..., Report]) -> None:
    report = run(universe({"x": three()}), {"a.txt": ["x>=9"], "b.txt": ["x"]}, max_environments=9)
    assert (report.verdict, report.passed) == (Verdict.UNSATISFIABLE, False)
    assert [environment.specs for environment in report.environments] == [("b.txt",)]
    assert [clash.specs for clash in report.clashes] == [("a.txt",)]
    assert report.minimum.environments == 1


def test_missing_facts_are_undecided_never_compatible(run: Callable[..., Report]) -> None:
    index = universe({"x": three(), "y": {"1.0": Unknown("the index answered 503")}})
    report = run(index, {"a.txt": ["x"], "b.txt": ["y"]})
    assert (report.verdict, report.passed, report.clashes_complete) == (Verdict.UNDECIDED, False, False)
    assert the(report, "undecided-spec").message == (
        "b.txt could not be decided: what y 1.0 needs is not known: the index answered 503"
    )
    assert [environment.specs for environment in report.environments] == [("a.txt",)]


def test_pair_about_which_facts_are_missing_makes_the_split_undecided(run: Callable[..., Report]) -> None:
    lib = {"1.0": ["x<2"], "2.0": Unknown("the index answered 503")}
    report = run(universe({"x": three(), "lib": lib}), {"a.txt": ["lib"], "b.txt": ["x>=2"]})
    assert (report.verdict, report.passed) == (Verdict.UNDECIDED, False)
    assert "undecided-split" in codes(report)


def test_clash_keeps_its_id_when_lines_move_and_other_specs_come(run: Callable[..., Report]) -> None:
    [one] = run(universe({"x": three()}), {"a.txt": ["x<2"], "b.txt": ["x>=2"]}).clashes
    more = {"a.txt": ["# moved", "", "x<2", "y"], "b.txt": ["x>=2"], "c.txt": ["y"]}
    [same] = run(universe({"x": three(), "y": three()}), more).clashes
    [other] = run(universe({"x": three()}), {"a.txt": ["x<3"], "b.txt": ["x>=3"]}).clashes
    assert one.id == same.id != other.id
    assert [line.line for line in same.requirements] == [3, 1]


def test_same_input_gives_the_same_report_in_whatever_order_it_is_named(run: Callable[..., Report]) -> None:
    packages = {"x": three(), "y": {"1.0": ["x<2"], "2.0": ["x<3"]}, "z": {"1.0": ["y<2"], "2.0": []}}
    files = {"c.txt": ["x>=2", "z"], "a.txt": ["y", "x"], "b.txt": ["x==1.0"], "d.txt": ["z<2"]}

    def rendered(named: Mapping[str, Sequence[str]]) -> str:
        report = replace(run(universe(packages), named), stats={})
        return JsonReport().render(report, color=False, width=80, verbose=0)

    first = rendered(files)
    assert rendered(files) == first
    assert rendered(dict(reversed(files.items()))) == first
    assert rendered(dict(sorted(files.items()))) == first


def test_inferred_metadata_is_named(run: Callable[..., Report]) -> None:
    index = universe({"x": {"1.0": Rel(tags=(), sdist=True, inferred=True)}})
    assert the(run(index, {"a.txt": ["x"]}), "inferred-metadata").message == (
        "the dependencies of x 1.0 are read from what a build left in the source distribution; a new build might give "
        "others"
    )


def test_yanked_release_is_named_with_the_reason(run: Callable[..., Report]) -> None:
    index = universe({"x": {"1.0": Rel(yanked="broken on Tuesdays")}})
    report = run(index, {"a.txt": ["x==1.0"]})
    assert report.passed
    assert the(report, "yanked-release").message == "x 1.0 was yanked by its authors: broken on Tuesdays"


class TwoIndexes(MemoryIndex):
    """Knows that another index offers each package as well, and of some names different files."""

    indexes = (INDEX, "https://other.example/simple")
    differing = frozenset({"x", "y"})

    def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
        found = super().listings(names)
        return [
            changed(each, also_on=("https://other.example/simple",), differs=each.name in self.differing)
            if isinstance(each, Listing)
            else each
            for each in found
        ]


def test_name_on_several_indexes_is_named(run: Callable[..., Report]) -> None:
    considered = "releases of all of them are considered, as in pip"
    report = run(TwoIndexes({name: {"1.0": []} for name in "xyz"}), {"a.txt": ["x", "y", "z"]})
    assert [(each.severity, each.message) for each in report.diagnostics if each.code == "several-indexes"] == [
        (
            Severity.WARNING,
            f"x and y are on {INDEX} and https://other.example/simple, which list different files; {considered}",
        ),
        (
            Severity.NOTE,
            f"z is on {INDEX} and https://other.example/simple, which list the same files; {considered}",
        ),
    ]


class Elsewhere(MemoryIndex):
    """An index that is not the default one."""

    place = f"on {INDEX}"
    indexes = (INDEX,)


def test_index_that_knows_no_package_at_all_is_named(run: Callable[..., Report]) -> None:
    report = run(Elsewhere({}), {"a.txt": ["x"], "b.txt": ["y"]})
    assert the(report, "index-empty").message == (
        f"none of the 2 packages asked for exists on {INDEX}; the address may not be that of a package index"
    )
    assert report.clashes[0].steps[-1] == "No package of the name x exists on https://index.example/simple."
    direct = run(Elsewhere({}), {"a.txt": ["x @ https://files.example/x-1.zip"]})
    assert "index-empty" not in [each.code for each in direct.diagnostics]
    alone = run(Elsewhere({}), {"a.txt": ["x"]})
    assert the(alone, "index-empty").message.startswith("the only package asked for does not exist on https://")


def test_index_that_knows_no_package_is_named_beside_one_that_knows_them(run: Callable[..., Report]) -> None:
    class Further(MemoryIndex):
        indexes = (INDEX, "https://other.example/smple")

    report = run(Further({"x": {"1.0": []}}), {"a.txt": ["x"]})
    assert report.verdict is Verdict.COMPATIBLE
    assert the(report, "index-empty").message == (
        "the only package asked for does not exist on https://other.example/smple; the address may not be that of a "
        "package index"
    )
    both = run(TwoIndexes({"x": {"1.0": []}}), {"a.txt": ["x"]})
    assert "index-empty" not in codes(both), "it is also on the second one"


def test_nothing_is_said_of_an_index_that_knows_some_package_or_is_the_default_one(run: Callable[..., Report]) -> None:
    class Default(MemoryIndex):
        indexes = (default_index_url().rstrip("/"),)

    class NoFiles(Elsewhere):
        def listings(self, names: Sequence[NormalizedName]) -> list[Listing | Missing | Unknown]:
            return [Listing(name, ()) for name in names]

    unknown = Elsewhere({"x": Unknown("the index answered 503")})
    for index in (Elsewhere({"x": {"1.0": []}}), Default({}), NoFiles({}), unknown):
        report = run(index, {"a.txt": ["x"], "b.txt": ["y"]})
        assert "index-empty" not in [each.code for each in report.diagnostics]


def test_what_find_links_places_have_is_not_said_of_an_index(run: Callable[..., Report]) -> None:
    class Places(MemoryIndex):
        place = "in the --find-links places"

    report = run(
        Places({"x": {"1.0": Rel(hashes=("sha256:1",))}}), {"a.txt": ["x>=2"], "b.txt": [f"x --hash=sha256:{'0' * 64}"]}
    )
    assert [clash.steps[-1] for clash in report.clashes] == [
        "No release of x satisfies x>=2: the --find-links places have 1.0.",
        "No file of x in the --find-links places has one of the hashes given.",
    ]


def spec_with(index: IndexOptions, name: str = "a.txt") -> Spec:
    return Spec(SpecId(name), name, (), index=index)


@pytest.mark.parametrize(
    ("options", "urls"),
    [
        ([IndexOptions(index_url="https://own.example")], ("https://own.example", "https://extra.example")),
        (
            [IndexOptions(index_url="https://own.example"), IndexOptions()],
            ("https://own.example", "https://extra.example", "https://default.example"),
        ),
        ([IndexOptions(index_url="https://default.example")], ("https://extra.example", "https://default.example")),
        (
            [IndexOptions(extra_index_urls=("https://own.example",))],
            ("https://own.example", "https://extra.example", "https://default.example"),
        ),
        ([IndexOptions(index_url="https://own.example", no_index=True)], ()),
    ],
)
@pytest.mark.parametrize("offline", [False, True])
def test_an_index_url_in_every_file_replaces_the_default_index(
    options: list[IndexOptions], urls: tuple[str, ...], tmp_path: Path, *, offline: bool
) -> None:
    index = IndexSettings(("https://extra.example", "https://default.example"), offline=offline)
    settings = Settings(tmp_path, index, ("3.12.0",), ("linux",))
    _, merged, _ = merge_file_options(settings, [spec_with(each) for each in options])
    assert merged.index_urls == urls


def test_direct_reference_that_is_not_known_is_named_by_its_address_and_line(run: Callable[..., Report]) -> None:
    lines = {"a.txt": ["x @ git+https://git.example/x"], "b.txt": ["# below", "y @ git+https://git.example/y"]}
    report = run(universe({}), lines)
    assert [each.message for each in report.diagnostics if each.code == "undecided-spec"] == [
        f"{name}.txt could not be decided: what {package} (git+https://git.example/{package}, {name}.txt:{line}) needs "
        f"is not known: nothing is known about {package} at this address"
        for name, package, line in (("a", "x", 1), ("b", "y", 2))
    ]


def test_extra_that_does_not_exist_is_named_with_its_line(run: Callable[..., Report]) -> None:
    index = universe({"x": {"1.0": Rel(extras=("fast",))}})
    found = the(run(index, {"a.txt": ["# first", "x[fast,slow]"]}), "unknown-extra")
    assert (found.file, found.line) == ("a.txt", 2)
    assert found.message == "x 1.0 has no extra 'slow', so [slow] in x[fast,slow] adds nothing"


def test_constraints_and_overrides_hold_for_every_environment(run: Callable[..., Report], tmp_path: Path) -> None:
    (tmp_path / "limits").write_text("x<3\n")
    (tmp_path / "instead").write_text("y<2\n")
    index = universe({"x": {"1.0": ["y>=2"], "2.0": ["y>=2"], "3.0": []}, "y": three()})
    report = run(index, {"a.txt": ["x"]}, constraints=("limits",), overrides=("instead",))
    assert [(pin.name, pin.version) for pin in report.environments[0].packages] == [("x", "2.0"), ("y", "1.0")]
    refused = run(index, {"a.txt": ["x>=3"]}, constraints=("limits",))
    assert [(line.file, line.line) for line in refused.clashes[0].requirements] == [("a.txt", 1), ("limits", 1)]


def test_options_inside_a_file_hold_for_the_run_and_a_note_says_so(run: Callable[..., Report]) -> None:
    index = universe({"x": {"1.0": [], "2.0rc1": []}})
    report = run(index, {"a.txt": ["--pre", "x"]})
    assert report.environments[0].packages[0].version == "2.0rc1"
    assert the(report, "options-in-file").message == "the --pre of a.txt holds for all specs of this run"


def test_several_pythons_and_platforms_are_the_targets_of_the_report(run: Callable[..., Report]) -> None:
    index = universe({"x": {"1.0": Rel(requires_python="<3.12")}})
    report = run(index, {"a.txt": ["x"]}, python_versions=("3.11", "3.12"), platforms=("linux", "windows"))
    assert [(target.python_version, target.platform) for target in report.targets] == [
        ("3.12", "linux"), ("3.12", "windows"), ("3.11", "linux"), ("3.11", "windows")
    ]  # fmt: skip
    assert report.environments[0].python_version == "3.11"


def test_direct_reference_of_a_local_project_is_pinned_by_its_url(run: Callable[..., Report]) -> None:
    url = "https://files.example/x-1.0.tar.gz"
    index = universe({"y": {"1.0": []}}, direct={url: Metadata("x", "1.0", ("y",))})
    pins = run(index, {"a.txt": [f"x @ {url}"]}).environments[0].packages
    assert [(pin.name, pin.url) for pin in pins] == [("x", url), ("y", None)]


def test_file_that_cannot_be_read_stops_the_run_before_the_index_is_asked(run: Callable[..., Report]) -> None:
    index = universe({"x": three()})
    with pytest.raises(ConflictCheckError, match=r"a\.txt:1"):
        run(index, {"a.txt": ["x>>1"], "b.txt": ["x"]})
    assert not index.listings_asked


def test_empty_spec_is_compatible_with_everything(run: Callable[..., Report]) -> None:
    report = run(universe({"x": three()}), {"a.txt": ["# nothing"], "b.txt": ["x"]})
    assert report.verdict is Verdict.COMPATIBLE
    assert report.environments[0].specs == ("a.txt", "b.txt")


def test_urls_of_one_file_with_and_without_a_hash_are_said_to_differ_in_it_alone(run: Callable[..., Report]) -> None:
    url = "https://files.example/x-1.0.tar.gz"
    hashed = f"{url}#sha256={'0' * 64}"
    index = universe({}, direct={one: Metadata("x", "1.0") for one in (url, hashed, f"{url}.gz")})
    [clash] = run(index, {"a.txt": [f"x @ {url}"], "b.txt": [f"x @ {hashed}"]}).clashes
    assert clash.remarks == (
        "The URLs of x differ in what follows the # alone, which counts for pip as well: write the same in each.",
    )
    [clash] = run(index, {"a.txt": [f"x @ {url}.gz"], "b.txt": [f"x @ {hashed}"]}).clashes
    assert clash.remarks == ()


def test_a_clash_without_an_edit_says_why(run: Callable[..., Report], monkeypatch: pytest.MonkeyPatch) -> None:
    index = universe({"x": three(), "z": Unknown("the index answered 503")})
    files = {"a.txt": ["x<2"], "b.txt": ["x>=2"]}
    [clash] = run(index, files | {"c.txt": ["z"]}).clashes
    assert (clash.fixes, clash.no_fix) == ((), "")
    assert clash.remarks == ("Edits were not looked for, as not everything could be decided.",)
    with monkeypatch.context() as patch:
        patch.setattr(fixes, "Limits", lambda *_: Limits(-1, 0, lambda: 0))
        [clash] = run(index, files).clashes
    assert (clash.fixes, clash.no_fix) == ((), "")
    assert clash.remarks == ("No edit was found here before the search for edits reached its budget.",)
    monkeypatch.setattr(fixes.Fixer, "_fix", lambda *_, **__: None)
    [clash] = run(index, files).clashes
    assert clash.remarks == (
        "No edit was found that resolves this and was shown to leave every other spec as well off.",
    )


def test_a_clash_that_was_not_looked_into_names_the_command_that_does(
    run: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixes, "MOST_CLASHES", 1)
    report = run(universe({"x": three()}), {"a.txt": ["x<2"], "b c.txt": ["x>=3"]}, with_requirements=("x==2.0",))
    assert [(clash.specs, bool(clash.fixes), clash.no_fix) for clash in report.clashes] == [
        (("--with", "a.txt"), True, ""), (("--with", "b c.txt"), False, ""), (("a.txt", "b c.txt"), False, "")
    ]  # fmt: skip
    said = "Edits are looked for in 1 clash alone; `conflictcheck fix {}` looks for them in this one."
    assert [clash.remarks for clash in report.clashes] == [
        (), (said.format("'b c.txt' --with x==2.0"),), (said.format("a.txt 'b c.txt'"),)
    ]  # fmt: skip
    assert the(report, "fixes-incomplete").message == (
        "edits were looked for in 1 of 3 clashes alone; conflictcheck fix with the specs of another one looks for them "
        "there"
    )
