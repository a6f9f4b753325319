"""Text that attacks whoever shows it, put into every field of a report, does nothing in any output."""

from __future__ import annotations

import io
import json
import re
import shlex
import tomllib
import unicodedata
from enum import Enum
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from msgspec import Struct
from msgspec.structs import replace
from report_builders import clash, environment, line, note, pin, report, sdist, spec, wheel

from conflictcheck.cli import run
from conflictcheck.escaping import visible
from conflictcheck.exports.pylock import PylockExport
from conflictcheck.exports.requirements import RequirementsExport
from conflictcheck.exports.uv_conflicts import UvConflictsExport
from conflictcheck.model import Change, Edit, Fix, GoneClash, Minimum, TargetName, Verdict
from conflictcheck.reports import EXPLANATIONS, FORMATS, GRAPHS
from conflictcheck.reports.text import summarize
from conflictcheck.settings_template import make_template

if TYPE_CHECKING:
    from pathlib import Path

    from conflictcheck.model import Report
    from conflictcheck.reports.base import ReportFormat

ATTACKS = {
    "colour and a cleared screen": "\x1b[31m\x1b[2J\x1b[H",
    "a link (OSC 8)": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x07",
    "the window's title and the clipboard (OSC 0, 52)": "\x1b]0;pwned\x07\x1b]52;c;cHduZWQ=\x07",
    "escapes of eight bits (C1)": "\x9b31m\x90pwned\x9c",
    "back over what was said": "\r\x08\x08\x7f",
    "lines of its own": "\n\x0b\x0c\x85\u2028\u2029pwned",
    "the reading direction": "\u202epwned\u202c \u2066pwned\u2069\u200f\u061c",
    "letters that nobody sees": "\u200b\u200d\u2060\ufeff\u00ad\u034f\u3164\ufe0f\U000e0041\U000e0100\ufff9",
    "a null and a lone surrogate": "\x00\udce9\ud800",
    "an order to a service": "::pwned::x ::pwned file=a::x\n::pwned::x\n  ::pwned::x",
    "an order of the older kind": "##[pwned]x ##pwned[x '1'] ##vso[pwned]x ###[pwned]x",
    "an order in percent signs": "%0A::pwned::x%0D%0A::pwned::x",
    "a page": "<script>pwned()</script><img src=x onerror=pwned()>&lt;<!--",
    "a diagram": '"] --> pwned\n"}; pwned [label="x"] \\" ; click s0 pwned %%{init: {}}%%',
    "a table, a fence and a heading": "| pwned |\n```\n# pwned\n[x](javascript:pwned())",
    "a document of another form": '"\n]]> """ \'\'\' \\u001b \\ {{pwned}} ${PWNED} %s {0}',
}
"""By what it tries to do."""

PLAIN = frozenset(
    {
        *("text", "json", "dot", "sarif", "github", "gitlab", "bitbucket"),
        *("requirements", "pylock", "uv-conflicts", "settings", "summary"),
    }
)
"""Outputs in which a tag is nothing but text. A form that is not here is held to more: it may be shown as a page."""

PAGES = frozenset({"html", "junit", "markdown"})
"""Forms with elements of their own, which are looked at one by one."""

KEPT = frozenset({"python_version", "kind", "severity", "verdict", "stats"})
"""Fields whose text is ours, or was checked where it came in."""


def poisoned(value: Any, attack: str) -> Any:
    """The value with the attack at the end of every text in it that is not empty."""
    if isinstance(value, Enum | TargetName):
        return value
    if isinstance(value, str):
        return f"{value} {attack}" if value else value
    if isinstance(value, tuple):
        return tuple(poisoned(one, attack) for one in value)
    if isinstance(value, Struct):
        changes = {name: poisoned(getattr(value, name), attack) for name in value.__struct_fields__ if name not in KEPT}
        return replace(value, **changes)
    return value


def full_report(verdict: str) -> Report:
    """A report with something in every field."""
    specs = (spec("a.txt", "numpy<2"), spec("b/pyproject.toml#extra:gpu", "numpy>=2"))
    edit = Edit(specs[0].id, "a.txt", 1, "numpy<2", "numpy<3", also=(specs[1].id,))
    fix = Fix((edit,), 1, (Change("numpy", "env-1", "1.26.4", "2.1.0"),))
    asked = line("a.txt:1", "numpy<2"), line("b/pyproject.toml:3", "numpy>=2", spec=specs[1].id)
    found = clash("0badcafe", "a.txt and b clash over numpy.", *asked, steps=("one step", "two"), packages=("numpy",))
    found = replace(
        found, sides=(("a.txt", "numpy<2"), ("b", "numpy>=2")), fixes=(fix,), no_fix="why", remarks=("but",)
    )
    pins = (
        pin("numpy", "1.26.4", "a.txt", requires=("lib",), extras=("fast",)),
        pin("lib", "1.0", "numpy", platforms=()),
    )
    return report(
        verdict,
        specs=specs,
        environments=(environment("env-1", "a.txt", pins=pins), environment("env-2", specs[1].id)),
        minimum=Minimum(2, proven=True, lower_bound=2, why="they clash"),
        clashes=(found, replace(found, id="cafe", specs=found.specs[:1], known="in the baseline")),
        gone=(GoneClash("0dd", "They clashed.", "in the baseline"),),
        fixes=(fix,),
        diagnostics=tuple(
            note(f"code-{level}", "a message", "a.txt", 1, level) for level in ("error", "warning", "note")
        ),
    )


def acts(text: str, form: str) -> list[str]:
    """What in an output would act on a terminal, on a service that prints it, or on a page."""
    found = [
        f"U+{ord(letter):04X}"
        for letter in text
        if letter != "\n"
        and (unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or letter in "\u3164\ufe0f\u034f")
    ]
    found += re.findall(r"^\s*::pwned.*", text, re.MULTILINE)
    found += re.findall(r"##\w*\[.*", text)
    if form in PAGES:
        return found
    if form not in PLAIN:
        found += re.findall(r"<\w.*|<!--|^```|^#+ pwned", text, re.MULTILINE)
    if form not in PLAIN | {"mermaid"}:
        found += re.findall(r"\]\(javascript:", text)
    return found


def elements(text: str, form: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page, with the names of their attributes; an empty span keeps names of users apart."""
    if form == "junit":
        return [(one.tag, tuple(one.attrib)) for one in ET.fromstring(text).iter()]
    found: list[tuple[str, tuple[str, ...]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, tuple(name for name, _ in attrs)))

        def handle_comment(self, data: str) -> None:
            found.append(("comment", (data,)))

    Reader().feed(MarkdownIt("commonmark", {"html": True}).render(text) if form == "markdown" else text)
    return [one for one in found if one != ("span", ())]


RENDERED = [
    *(pytest.param(one, id=f"report-{one.name}") for one in FORMATS.values()),
    *(pytest.param(one, id=f"explanation-{one.name}") for one in EXPLANATIONS.values()),
    *(pytest.param(one, id=f"graph-{one.name}") for one in GRAPHS.values()),
]


@pytest.mark.parametrize("chosen", RENDERED)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_form_of_a_report_lets_its_texts_act(chosen: ReportFormat, attack: str) -> None:
    for verdict in Verdict:
        attacked = poisoned(full_report(verdict), attack)
        for width, verbose in ((80, 0), (40, 2)):
            text = chosen.render(attacked, color=False, width=width, verbose=verbose)
            assert acts(text, chosen.name) == []
        colored = chosen.render(attacked, color=True, width=80, verbose=1)
        assert acts(re.sub(r"\x1b\[[0-9;]*m", "", colored), chosen.name) == []


@pytest.mark.parametrize("form", sorted(PAGES))
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_page_has_the_elements_that_it_has_without_the_attack(form: str, attack: str) -> None:
    chosen = FORMATS[form]
    for verdict in Verdict:
        plain, attacked = (
            chosen.render(one, color=False, width=80, verbose=2)
            for one in (full_report(verdict), poisoned(full_report(verdict), attack))
        )
        assert len(elements(plain, form)) > 3
        assert elements(attacked, form) == elements(plain, form)


def test_the_check_itself_sees_what_acts() -> None:
    for name, attack in ATTACKS.items():
        harmless = name in {"a diagram", "a document of another form", "an order in percent signs"}
        assert bool(acts(f"x\n{attack}", "page")) is not harmless, name


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_json_report_keeps_every_text_as_it_is(attack: str) -> None:
    attacked = poisoned(full_report("split"), attack)
    json_report = FORMATS["json"]

    document = json.loads(json_report.render(attacked, color=False, width=80, verbose=0))

    surrogates = re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", attacked.clashes[0].summary)
    assert document["clashes"][0]["summary"] == surrogates


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_diagram_has_the_lines_that_it_has_without_the_attack(attack: str) -> None:
    for chosen in (*FORMATS.values(), *GRAPHS.values()):
        if chosen.name in {"mermaid", "dot"}:
            plain = chosen.render(full_report("split"), color=False, width=80, verbose=0)
            attacked = chosen.render(poisoned(full_report("split"), attack), color=False, width=80, verbose=0)
            assert attacked.count("\n") == plain.count("\n")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_summary_stays_one_line(attack: str) -> None:
    for verdict in Verdict:
        said = summarize(poisoned(full_report(verdict), attack))
        assert "\n" not in said
        assert acts(said, "summary") == []


@pytest.mark.parametrize("export", [RequirementsExport(), PylockExport()], ids=lambda one: one.name)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_export_lets_what_an_index_or_a_spec_says_act(export: Any, attack: str) -> None:
    text_only = attack.encode(errors="ignore").decode()
    in_path = re.sub("[?#$@]", "", text_only)
    hostile = {
        "url": f"https://files.example/{in_path}",
        "index": f"https://index.example/{text_only}",
        "upload_time": f"2024-01-01T00:00:00Z{text_only}",
    }
    pins = (
        pin("numpy", "1.0", attack, requires_python=attack, files=(wheel("numpy", "1.0", **hostile),)),
        pin(
            "lib",
            "1.0",
            "a.txt",
            attack,
            files=(sdist("lib", "1.0"),),
            url=f"https://files.example/lib.tar.gz{in_path}",
        ),
    )
    made = environment(f"env {attack}", attack, "a.txt", pins=pins)
    given = report("compatible", specs=(spec("a.txt"),), environments=(made,))

    [(filename, text)] = export.files(made, given).items()

    assert re.fullmatch(r"[A-Za-z0-9._-]+", filename)
    assert acts(text, export.name) == []
    if filename.endswith(".toml"):
        assert [package["name"] for package in tomllib.loads(text)["packages"]] == ["numpy", "lib"]
    else:
        asked = [row for row in text.splitlines() if row.strip() and not row.lstrip().startswith(("#", "--hash"))]
        assert [re.split("[=@ ]", row)[0] for row in asked] == ["numpy", "lib"]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_list_for_uv_and_a_first_settings_file_let_no_name_act(attack: str) -> None:
    text_only = attack.encode(errors="ignore").decode()
    file = f"{text_only.replace('#', '')}/pyproject.toml"
    names = [f"{file}#{section}{text_only}" for section in ("extra:a", "group:b", "extra:c")]
    lines = [line(f"{name}:1", "numpy", spec=name) for name in names]
    clashes = (clash("1", "two", *lines[:2]), clash("2", "three", *lines), clash("3", "one", lines[0]))
    found = report("split", specs=tuple(spec(name, "numpy") for name in names), clashes=clashes)

    [(filename, text)] = UvConflictsExport().render(found).items()
    template = make_template(found.specs)

    assert re.fullmatch(r"[A-Za-z0-9._-]+", filename)
    assert acts(text, "uv-conflicts") == []
    assert [list(item) for item in tomllib.loads(text)["tool"]["uv"]["conflicts"][0]] == [["extra"], ["group"]]
    assert acts(template, "settings") == []
    assert tomllib.loads(template) == {}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_error_message_lets_a_file_act(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through the command line: in a line, a marker, an option, an include, a name of a file, an extra, a table."""
    monkeypatch.chdir(tmp_path)
    text_only = attack.encode(errors="ignore").decode()
    one_line = " ".join(text_only.split())
    texts = {
        "line.txt": one_line,
        "marker.txt": f"numpy ; platform_version == {one_line!r} and",
        "option.txt": f"--index-url {shlex.quote(one_line)}",
        "include.txt": f"-r {shlex.quote(one_line)}\n--{one_line.split()[0] if one_line else ''}",
        "extra.txt": f"numpy[{one_line}]",
        "url.txt": f"numpy @ https://{one_line}",
        "pyproject.toml": f"[project]\nname = 'x'\ndependencies = [{json.dumps(text_only)}]",
        "script.py": f"# /// script\n# dependencies = [{one_line}]\n# ///\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    missing = f"no-{one_line.replace('/', '')[:60]}.txt".replace("\x00", "")

    assert run(["check", *texts, missing]) == 2

    out, err = capfd.readouterr()
    assert out == ""
    assert acts(err, "text") == []
    assert all(row.startswith("error: ") for row in err.splitlines())


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_setting_lets_its_value_act(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text("numpy\n")
    value = json.dumps(attack.encode(errors="ignore").decode()).replace("\x7f", "\\u007f")
    for text in (
        f"{value} = 1",
        f"environments = {{ {value} = [''] }}",
        f"include = [{value}, '']",
        f"index-url = {value}",
        f"exclude-newer = {value}",
        f"constraints = [{value}]",
        f"only-binary = [{value}, '..']",
        f"ignore = [{value}]",
    ):
        (tmp_path / "conflictcheck.toml").write_text(text, encoding="utf-8")
        assert run(["check"]) == 2, text
    out, err = capfd.readouterr()
    assert out == ""
    assert acts(err, "text") == []
    assert all(row.startswith("error: conflictcheck.toml:1: ") for row in err.splitlines())


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_option_lets_its_value_act(
    attack: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nowhere")
    value = attack.replace("\x00", "").replace("\ud800", "")  # no command line can hold them
    for options in (
        ["--python-version", value],
        ["--python-platform", value],
        ["--index-url", value],
        ["--exclude-newer", value],
        ["--only-binary", value],
        ["--format", value],
        [f"--{value}"],
        ["-c", value],
        ["--index-snapshot", value],
        ["--find-links", value, "--no-index"],
    ):
        assert run(["check", "--with", "numpy", *options]) != 0, options
    assert run(["split", "--with", "numpy", "-o", "out", "--export", value]) == 2
    assert run([value]) == 2
    out, err = capfd.readouterr()
    assert acts(out + err, "text") == []
    assert "Traceback" not in err


def test_what_is_harmless_is_shown_as_it_is() -> None:
    for text in (
        "numpy>=1.26,<2 ; python_version >= '3.9'",
        "größe/müll.txt",
        "要件.txt",
        "https://[::1]:80/a",
        "a::b",
        "#3",
    ):
        assert visible(text) == text
    assert visible("::error::x") == "\\x3a:error::x"
    assert visible("##[group]") == "\\x23#[group]"
    assert visible("a\u202eb\U000e0041") == "a\\u202eb\\U000e0041"


def test_standard_error_in_an_encoding_that_lacks_letters_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stderr", stream)

    assert run(["check", "größe.txt"]) == 2

    stream.flush()
    assert b"gr\\xf6\\xdfe.txt" in stream.buffer.getvalue()
