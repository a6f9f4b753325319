"""Requirements and markers: PEP 508, today the specification "Dependency specifiers"."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from artifacts import sdist, wheel
from asking import reasons
from index_server import IndexServer

from conflictcheck.errors import InputErrors
from conflictcheck.index.memory import Rel

if TYPE_CHECKING:
    from asking import Asker

RELEASES = {"1": Rel(extras=("fred", "bar", "quux", "strange")), "2": [], "3": []}
NAMES = {"A": {"1": []}, "A.B-C_D": {"1": []}, "aa": {"1": []}, "name": RELEASES}


@pytest.mark.parametrize(
    ("requirement", "installed"),
    [
        ("A", {"a": "1"}),
        ("A.B-C_D", {"a-b-c-d": "1"}),
        ("aa", {"aa": "1"}),
        ("name", {"name": "3"}),
        ("name<=1", {"name": "1"}),
        ("name>=3", {"name": "3"}),
        ("name>=3,", {"name": "3"}),
        ("name>=1,<2", {"name": "1"}),
        ("name (>=1,<2)", {"name": "1"}),
        ("name[quux, strange]==1;python_version<'2.7' and platform_version=='2'", {}),
        ("name[ quux , strange ] == 1 ; python_version>'2.7'", {"name": "1"}),
        ("name[]", {"name": "3"}),
        ("name; os_name=='a' or os_name=='b'", {}),
        ("name; os_name=='a' and os_name=='b' or os_name=='posix'", {"name": "3"}),
        ("name; os_name=='a' and (os_name=='b' or os_name=='posix')", {}),
        ("name; os_name=='posix' or os_name=='b' and os_name=='c'", {"name": "3"}),
        ("name; (os_name=='posix' or os_name=='b') and os_name=='c'", {}),
        ("\tname\t>=\t1 ,\t<2\t", {"name": "1"}),
    ],
)
def test_the_grammars_own_test_list_is_read(requirement: str, installed: dict[str, str], ask: Asker) -> None:
    assert ask.pins(NAMES, requirement) == installed


@pytest.mark.parametrize(
    "requirement",
    [
        "name>=3,<",
        "name[bar",
        "name[bar,]",
        "name[-bar]",
        "-name",
        "name-",
        "name ==1 ==2",
        "name; os_name",
        "name; frobnicate == 'a'",
        "name; os_name == 'a",
        "name; '3.4' < python_version < '3.9'",
        "name; (os_name == 'a'",
        "name @ ",
    ],
)
def test_what_the_grammar_does_not_have_is_an_error_with_its_place(requirement: str, ask: Asker) -> None:
    with pytest.raises(InputErrors, match=r"^requirements\.txt:2: "):
        ask.check(NAMES, "aa", requirement)


MARKERS = [
    ("os_name == 'posix'", True, False),
    ("sys_platform == 'linux'", True, False),
    ("sys_platform == 'win32'", False, True),
    ("platform_machine == 'x86_64'", True, False),
    ("platform_machine == 'AMD64'", False, True),
    ("platform_python_implementation == 'CPython'", True, True),
    ("platform_system == 'Windows'", False, True),
    ("implementation_name == 'cpython'", True, True),
    ("implementation_version >= '3.11'", True, True),
    ("implementation_version === '3.11.4'", True, True),
    ("python_version == '3.11'", True, True),
    ("python_version > '3.9'", True, True),  # versions, not texts
    ("python_version ~= '3.10'", True, True),
    ("'3.10' < python_version", True, True),
    ("python_full_version == '3.11.4'", True, True),
    ("python_full_version < '3.11.4'", False, False),
    ("python_full_version >= '3.11.4rc1'", True, True),
    ("'linux' in sys_platform", True, False),
    ("'win' not in sys_platform", True, False),
    ("sys_platform in 'linux darwin'", True, False),
    ("sys_platform == 'ios' or sys_platform == 'linux'", True, False),
    ("sys_platform == 'linux' and 'SMP' in platform_version", False, False),  # a platform that is named has none
    ("sys_platform == 'darwin' and platform_release >= '12'", False, False),
    ("os.name == 'posix'", True, False),  # PEP 345's names
    ("python_implementation == 'CPython'", True, True),
    ("platform_system >= 'Linux'", True, False),  # texts are not ordered: >= is ==, > is false
    ("platform_system > 'A'", False, False),
    ("platform_system <= 'Linux'", True, False),
    ("platform_system < 'Z'", False, False),
    ("extra == 'gui'", False, False),  # of a line: nobody asks for one
    ("extra != 'gui'", True, True),
]


@pytest.mark.parametrize(("platform", "column"), [("linux", 1), ("windows", 2)])
@pytest.mark.parametrize("where", ["in a line", "in a release"])
def test_markers_are_evaluated_for_the_target_and_not_for_this_machine(
    platform: str, column: int, where: str, ask: Asker
) -> None:
    lines = [f"m{number}; {row[0]}" for number, row in enumerate(MARKERS)]
    packages = {f"m{number}": {"1": []} for number in range(len(MARKERS))}
    packages["app"] = {"1": lines}
    asked = ["app", *lines] if where == "in a line" else ["app"]
    if where == "in a line":
        packages["app"] = {"1": []}

    pins = ask.pins(packages, *asked, python_versions=["3.11.4"], python_platforms=[platform])

    assert [row[0] for number, row in enumerate(MARKERS) if f"m{number}" in pins] == [
        row[0] for row in MARKERS if row[column]
    ]


def test_extras_add_up_and_come_with_the_package_itself(ask: Asker) -> None:
    requires = ["base", "tls; extra == 'security'", "check; extra == 'tests'", "more; extra == 'other'"]
    packages = {
        "requests": {"2.8.1": Rel(requires=requires, extras=("security", "tests", "other")), "2.9": []},
        **{name: {"1": []} for name in ("base", "tls", "check", "more")},
    }

    pins = ask.pins(packages, 'requests [security,tests] >= 2.8.1, == 2.8.* ; python_version > "3.7"')

    assert pins == {"base": "1", "check": "1", "requests": "2.8.1", "tls": "1"}


@pytest.mark.parametrize(
    "marker", ['"gui" in extras', '"dev" not in dependency_groups', '"a" == "a"', 'sys_platform ~= "linux"']
)
def test_a_marker_that_has_no_meaning_in_a_line_is_an_error(marker: str, ask: Asker) -> None:
    with pytest.raises(InputErrors, match=r"^requirements\.txt:1: the marker of "):
        ask.check(NAMES, f"name; {marker}")


@pytest.mark.parametrize(
    "marker",
    [
        'frobnicate == "1"',
        '"gui" in extras',
        'sys_platform ~= "linux"',
        '"a" == "a"',
    ],
)
def test_a_release_with_a_marker_that_has_no_meaning_may_not_be_chosen(marker: str, ask: Asker) -> None:
    assert ask.pins({"x": {"1.0": [], "2.0": [f"name; {marker}"]}, **NAMES}, "x") == {"x": "1.0"}


@pytest.mark.parametrize("needed", ["name (>dev)", "name>=2<4", "name>=2,!=2.5*", "name >=2.0a1.0", "name>='2',"])
def test_a_release_whose_requirement_has_a_known_slip_may_be_chosen(needed: str, ask: Asker) -> None:
    assert ask.pins({"x": {"1.0": [], "2.0": [needed]}, **NAMES}, "x") == {"x": "2.0", "name": "3"}


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5", "sha512"])
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_direct_reference_is_checked_against_the_hash_in_its_fragment(algorithm: str, kind: str, ask: Asker) -> None:
    filename, data = ("pip-1.3.1-py3-none-any.whl", wheel("pip", "1.3.1")) if kind == "wheel" else (
        "pip-1.3.1.tar.gz", sdist("pip", "1.3.1")
    )  # fmt: skip
    with IndexServer({}) as index:
        index.store(filename, data, name="pip")
        place = f"pip @ {index.root}/files/{filename}"

        right = ask.check(
            index, f"{place}#{algorithm}={hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()}"
        )
        wrong = ask.check(
            index, f"{place}#{algorithm}={hashlib.new(algorithm, b'', usedforsecurity=False).hexdigest()}"
        )

    assert (right.verdict, [pin.version for pin in right.environments[0].packages]) == ("compatible", ["1.3.1"])
    assert wrong.verdict == "undecided"
    assert f"{filename} does not have the hash that is stated for it" in "".join(reasons(wrong))


def test_a_direct_reference_may_have_extras_and_a_marker(ask: Asker) -> None:
    with IndexServer({"b": {"1": []}}) as index:
        index.store("a-1-py3-none-any.whl", wheel("a", "1", requires=["b; extra == 'x'"], extras=["x"]), name="a")
        place = f"a[x] @ {index.root}/files/a-1-py3-none-any.whl"

        assert ask.pins(index, f"{place} ; os_name == 'posix'") == {"a": "1", "b": "1"}
        assert ask.pins(index, f"{place} ; os_name == 'nt'") == {}


@pytest.mark.parametrize(
    "reference",
    [
        "pip @ git+https://git.example/pip.git@7921be1537eac1e97bc40179a57f0349c2aee67d",
        "pip @ git+https://git.example/pip.git@1.3.1#7921be1537eac1e97bc40179a57f0349c2aee67d",
    ],
)
def test_a_reference_to_version_control_is_read_and_left_undecided(reference: str, ask: Asker) -> None:
    report = ask.check({}, reference)
    assert report.verdict == "undecided"
    assert "it would have to be cloned and built to be known" in "".join(reasons(report))


@pytest.mark.parametrize("scheme", ["file://", "file://localhost"])
def test_a_file_url_may_leave_its_host_out(scheme: str, ask: Asker) -> None:
    place = ask.folder / "pip-1.3.1-py3-none-any.whl"
    place.write_bytes(wheel("pip", "1.3.1"))
    assert ask.pins({}, f"pip @ {scheme}{place.as_uri().removeprefix('file://')}") == {"pip": "1.3.1"}
