from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conflictcheck.model import IndexOptions, RequirementKind

if TYPE_CHECKING:
    from conftest import Folder

    from conflictcheck.model import Requirement

REQ = "requirements.txt"
DIGEST = "a" * 64


def only(folder: Folder, content: str, variables: dict[str, str] | None = None) -> Requirement:
    folder.write(REQ, content)
    [spec] = folder.read(REQ, variables=variables).specs
    [requirement] = spec.requirements
    return requirement


def errors(folder: Folder, content: str | bytes) -> list[str]:
    folder.write(REQ, content)
    return folder.errors(REQ)


def test_a_requirement_keeps_its_text_its_file_and_its_line(folder: Folder) -> None:
    requirement = only(folder, '# first\n\nNumPy [B_x,a]  >= 1.2 ; python_version > "3"  # why\n')
    assert (requirement.text, requirement.file, requirement.line) == (
        'NumPy [B_x,a] >= 1.2 ; python_version > "3"',
        REQ,
        3,
    )
    assert (requirement.name, requirement.extras) == ("numpy", ("a", "b-x"))
    assert (str(requirement.specifier), str(requirement.marker)) == (">=1.2", 'python_version > "3"')
    assert (requirement.spec, requirement.kind, requirement.url) == (REQ, RequirementKind.REQUIREMENT, None)


def test_hashes_on_continuation_lines_are_kept_beside_the_text(folder: Folder) -> None:
    requirement = only(
        folder, f"\nfoo==1 \\\n    --hash=sha256:{DIGEST} \\\n    --hash sha256:{'B' * 64}\n    # via bar\n"
    )
    assert (requirement.text, requirement.line) == ("foo==1", 2)
    assert requirement.hashes == (f"sha256:{DIGEST}", f"sha256:{'b' * 64}")


def test_a_continuation_joins_lines_under_the_number_of_the_first(folder: Folder) -> None:
    folder.write(REQ, "foo \\\n  >=1, \\\n  <2\nbar\n")
    assert folder.lines(REQ) == ["requirements.txt:1: foo >=1, <2", "requirements.txt:4: bar"]


def test_a_comment_line_ends_a_continuation(folder: Folder) -> None:
    folder.write(REQ, "foo \\\n# comment \\\nbar\n")
    assert folder.lines(REQ) == ["requirements.txt:1: foo", "requirements.txt:3: bar"]


def test_a_continuation_at_the_end_of_the_file_is_harmless(folder: Folder) -> None:
    folder.write(REQ, "foo\\")
    assert folder.lines(REQ) == ["requirements.txt:1: foo"]


def test_a_hash_sign_inside_a_url_begins_no_comment(folder: Folder) -> None:
    requirement = only(folder, f"https://h.example/f.zip#egg=foo&sha256={DIGEST} # a comment")
    assert requirement.text == f"https://h.example/f.zip#egg=foo&sha256={DIGEST}"
    assert (requirement.name, requirement.url) == ("foo", f"https://h.example/f.zip#sha256={DIGEST}")
    assert requirement.hashes == (f"sha256:{DIGEST}",)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_counts_one_line(folder: Folder, newline: str) -> None:
    folder.write(REQ, newline.join(["a", "", "b"]))
    assert folder.lines(REQ) == ["requirements.txt:1: a", "requirements.txt:3: b"]


def test_what_pip_takes_for_a_line_end_is_one_but_does_not_shift_the_numbers(folder: Folder) -> None:
    folder.write(REQ, "# comment\x0ca\nb\n")
    assert folder.lines(REQ) == ["requirements.txt:1: a", "requirements.txt:2: b"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-be"])
def test_a_byte_order_mark_tells_the_encoding(folder: Folder, encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    folder.write(REQ, mark + "foo # é\n".encode(encoding))
    assert folder.lines(REQ) == ["requirements.txt:1: foo"]


def test_a_coding_line_tells_the_encoding(folder: Folder) -> None:
    folder.write(REQ, "# -*- coding: latin-1 -*-\nfoo # é\n".encode("latin-1"))
    assert folder.lines(REQ) == ["requirements.txt:2: foo"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "# ok\nfoo # é\n".encode("latin-1"),
            (
                "requirements.txt:2: not UTF-8 text (byte 11); save it as UTF-8, or name its encoding in "
                "a first line such as"
                ' "# coding: latin-1"'
            ),
        ),
        (b"# coding: nonsense\nfoo\n", 'requirements.txt:1: unknown encoding "nonsense"'),
        (b"# coding: base64\nfoo\n", 'requirements.txt:1: unknown encoding "base64"'),
        (b"PK\x03\x04\0\0", "requirements.txt: a binary file, not text"),
    ],
)
def test_what_cannot_be_decoded_is_one_clear_error(folder: Folder, content: bytes, message: str) -> None:
    assert errors(folder, content) == [message]


# Includes


def test_included_lines_stand_in_their_place_and_keep_their_own_file(folder: Folder) -> None:
    folder.write("api/requirements.txt", "a\n-r ../base/all.txt\nc\n")
    folder.write("base/all.txt", "--requirement=more/b.txt\n")
    folder.write("base/more/b.txt", "\nb\n")
    assert folder.lines("api/requirements.txt") == [
        "api/requirements.txt:1: a",
        "base/more/b.txt:2: b",
        "api/requirements.txt:3: c",
    ]
    [spec] = folder.read("api/requirements.txt").specs
    assert {requirement.spec for requirement in spec.requirements} == {"api/requirements.txt"}


def test_constraints_of_a_file_are_lines_of_their_own_kind(folder: Folder) -> None:
    folder.write(REQ, "a\n-c limits.txt\n")
    folder.write("limits.txt", "b[x]<2\n")
    [spec] = folder.read(REQ).specs
    assert [(r.text, r.kind, r.extras) for r in spec.requirements] == [
        ("a", RequirementKind.REQUIREMENT, ()),
        ("b[x]<2", RequirementKind.CONSTRAINT, ()),
    ]
    assert folder.notes(REQ) == [
        'note constraint-extras limits.txt:1: a constraint asks for nothing, so the extras of "b[x]<2" have no effect'
    ]


def test_a_file_included_twice_counts_once(folder: Folder) -> None:
    folder.write(REQ, "-r a.txt\n-r b.txt\n")
    folder.write("a.txt", "-r c.txt\n")
    folder.write("b.txt", "-r c.txt\nd\n")
    folder.write("c.txt", "e\n")
    assert folder.lines(REQ) == ["c.txt:1: e", "b.txt:2: d"]


def test_a_loop_of_includes_names_each_line_of_it(folder: Folder) -> None:
    folder.write(REQ, "a\n-r b.txt\n")
    folder.write("b.txt", "\n\n-r requirements.txt\n")
    assert folder.errors(REQ) == [
        (
            'b.txt:3: "requirements.txt" includes itself: requirements.txt:2 -> b.txt:3 -> requirements.txt; '
            "take out one of these lines"
        )
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-r nope.txt", 'the included file "nope.txt": no such file'),
        ("-c nope.txt", 'the included constraint file "nope.txt": no such file'),
        ("-r sub", 'the included file "sub": a folder, not a file'),
        (
            "-r https://h.example/r.txt",
            '"https://h.example/r.txt" is not a local file; download it, and include the copy',
        ),
        ("-r", "-r option needs a value"),
        ("foo -r b.txt", '"foo -r b.txt": --requirement has to stand on a line of its own; pip would ignore it'),
        (
            "-r a.txt -r b.txt",
            '"-r a.txt -r b.txt": --requirement has to stand on a line of its own; pip would ignore it',
        ),
    ],
)
def test_a_bad_include_is_an_error_at_the_including_line(folder: Folder, line: str, message: str) -> None:
    folder.write("sub/x")
    assert errors(folder, f"ok\n{line}\n") == [f"requirements.txt:2: {message}"]


def test_a_broken_included_file_is_an_error_at_its_own_line(folder: Folder) -> None:
    folder.write("b.txt", b"ok\n\xff\n")
    assert errors(folder, "-r b.txt")[0].startswith("b.txt:2: not UTF-8 text (byte 3)")


def test_a_very_long_chain_of_includes_is_cut_off(folder: Folder) -> None:
    for number in range(60):
        folder.write(f"{number}.txt", f"-r {number + 1}.txt\n")
    assert folder.errors("0.txt") == ["50.txt:1: files include one another more than 50 deep"]


# Variables


def test_variables_are_expanded_but_never_shown(folder: Folder) -> None:
    requirement = only(folder, "foo @ https://${U}:${P}@h.example/foo-${V}.zip", {"U": "me", "P": "secret", "V": "1"})
    assert requirement.text == "foo @ https://${U}:${P}@h.example/foo-${V}.zip"
    assert requirement.url == "https://h.example/foo-1.zip"


@pytest.mark.parametrize(
    "line", ["foo==${V}", "${V}", "foo[${V}]", "foo ; python_version > '${V}'", "${V} @ https://x/a.zip"]
)
def test_a_variable_outside_of_a_url_is_not_expanded(folder: Folder, line: str) -> None:
    folder.write(REQ, line)
    [error] = folder.errors(REQ, variables={"V": "1.5"})
    assert error == (
        f'requirements.txt:1: "{line}" is not a requirement: variables are expanded only in URLs; '
        "write what it stands for"
    )


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("foo @ ${V}", "https://h.example/foo-1.zip"),
        ("foo@${V}#sha256=00", "https://h.example/foo-1.zip"),
        ("${V}", None),
        ("foo@https://h.example/${N}-1.zip ; python_version > '3'", "https://h.example/foo-1.zip"),
        ("-e git+https://${N}@h.example/${N}#egg=foo", "git+https://h.example/foo"),
    ],
)
def test_what_follows_an_at_sign_is_a_url(folder: Folder, line: str, url: str | None) -> None:
    variables = {"V": "https://h.example/foo-1.zip", "N": "foo"}
    if url is None:
        folder.write(REQ, line)
        assert "only in URLs" in folder.errors(REQ, variables=variables)[0]
    else:
        assert str(only(folder, line, variables).url).partition("#")[0] == url


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("git+https://h.example/r.git#egg=${V}", "no variable is expanded after the # of a URL"),
        ("foo @ https://h.example/foo-1.zip#subdirectory=${V}", "no variable is expanded after the # of a URL"),
        ("https://h.example/${V}-1.zip", "a variable holds the name of the package"),
        ("foo @ https://h.example/${V}-1.zip", "a variable holds the name of the package"),
        ("foo @ ${V}://h.example/foo-1.zip", "the scheme of the URL is not known"),
        ("https://h.example/foo-1.zip[${V}]", "is not the name of an extra"),
    ],
)
def test_a_variable_names_no_package_and_shows_in_no_message(folder: Folder, line: str, why: str) -> None:
    folder.write(REQ, line)
    [error] = folder.errors(REQ, variables={"V": "hunter2"})
    assert why in error
    assert "hunter2" not in error


@pytest.mark.parametrize("written", ["$V", "${v}", "%V%"])
def test_other_ways_to_write_a_variable_are_no_variables(folder: Folder, written: str) -> None:
    folder.write(REQ, f"foo=={written}")
    [error] = folder.errors(REQ, variables={"V": "1", "v": "1"})
    assert error.startswith(f'requirements.txt:1: "foo=={written}" is not a requirement')


def test_a_variable_that_is_not_set_is_named(folder: Folder) -> None:
    assert errors(folder, "foo==${V}\nhttps://${HOST}/foo-1.tar.gz\n--index-url ${INDEX}") == [
        (
            'requirements.txt:1: "foo==${V}" is not a requirement: variables are expanded only in URLs; '
            "write what it stands for"
        ),
        'requirements.txt:2: "https://${HOST}/foo-1.tar.gz": the environment variable HOST is not set',
        'requirements.txt:3: --index-url "${INDEX}": the environment variable INDEX is not set',
    ]


def test_the_value_of_a_variable_is_in_no_error(folder: Folder) -> None:
    folder.write(REQ, "foo ${X}\nfoo @ https://${X}@/x\n-i ${X}\n-f ${X}\n")
    text = "\n".join(folder.errors(REQ, variables={"X": "hunter2"}))
    assert "hunter2" not in text
    assert text.count("${X}") == 4


def test_the_value_of_a_variable_is_in_no_error_about_an_include(folder: Folder) -> None:
    folder.write(REQ, "-r ${X}.txt\n-c ${X}\n-r https://${X}/r.txt\n-r file:${X}\n")
    text = "\n".join(folder.errors(REQ, variables={"X": "hunter2"}))
    assert "hunter2" not in text
    assert text.count("${X}") == 4


def test_the_value_of_a_variable_is_in_no_error_about_a_hash(folder: Folder) -> None:
    folder.write(REQ, "foo --hash=${X}\n")
    assert folder.errors(REQ, variables={"X": "hunter2"}) == [
        ('requirements.txt:1: "${X}" is not a hash; write sha256:, sha384: or sha512: and the digest in hexadecimal')
    ]


# Options


def test_index_options_inside_the_file_belong_to_the_spec(folder: Folder) -> None:
    folder.write("wheels/x")
    folder.write(
        "r/requirements.txt",
        "-i https://me:pw@index.example/simple\n--extra-index-url=https://b.example/simple\n"
        "--find-links https://c.example/links.html\n-f ../wheels\n--no-index --pre\n"
        "--only-binary A_b,c\n--no-binary c\nfoo\n",
    )
    [spec] = folder.read("r/requirements.txt").specs
    assert spec.index == IndexOptions(
        index_url="https://me:pw@index.example/simple",
        extra_index_urls=("https://b.example/simple",),
        find_links=("https://c.example/links.html", str(folder.path / "wheels")),
        no_index=True,
        only_binary=frozenset({"a-b"}),
        no_binary=frozenset({"c"}),
        prerelease=True,
    )


def test_all_and_none_undo_what_came_before_in_only_binary(folder: Folder) -> None:
    folder.write(REQ, "--no-binary a\n--only-binary :all:\n--no-binary b,:none:\n")
    [spec] = folder.read(REQ).specs
    assert (spec.index.only_binary, spec.index.no_binary) == (frozenset({":all:"}), frozenset())


def test_options_of_an_included_file_count(folder: Folder) -> None:
    folder.write(REQ, "-r b.txt\n")
    folder.write("b.txt", "--extra-index-u https://b.example/simple\n")
    [spec] = folder.read(REQ).specs
    assert spec.index.extra_index_urls == ("https://b.example/simple",)


def test_options_that_change_nothing_are_noted(folder: Folder) -> None:
    folder.write(
        REQ,
        "--trusted-host h.example\n--prefer-binary\n--use-feature x\nfoo --config-settings a=b\n"
        'bar --global-option="-x"\n',
    )
    assert folder.notes(REQ) == [
        (
            "note option-without-effect requirements.txt:1: --trusted-host has no effect here: how the "
            "index is reached does"
            " not change what it offers"
        ),
        (
            "note option-without-effect requirements.txt:2: --prefer-binary has no effect here: the newest release is"
            " preferred, whatever its files"
        ),
        (
            "note option-without-effect requirements.txt:3: --use-feature has no effect here: it "
            "concerns how pip works, not"
            " what fits together"
        ),
        (
            "note option-without-effect requirements.txt:4: --config-settings has no effect here: it "
            "concerns building, not"
            " what fits together"
        ),
        (
            "note option-without-effect requirements.txt:5: --global-option has no effect here: it "
            "concerns building, not"
            " what fits together"
        ),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nonsense", '"--nonsense" is not an option of requirements files'),
        (
            "--extra-index-ulr x",
            '"--extra-index-ulr" is not an option of requirements files; did you mean --extra-index-url?',
        ),
        ("--pre=yes", "--pre option does not take a value"),
        ("--index-url index", '--index-url "index" is not a URL; it begins with https://'),
        ("--index-url http://[x", '--index-url "http://[x": the URL names no host'),
        ("-f http://[x", '--find-links "http://[x": the URL names no host'),
        ("-f https:///x", '--find-links "https:///x": the URL names no host'),
        (
            "--extra-index-url https://h:99999/x",
            '--extra-index-url "https://h:99999/x": the port of the URL is no number from 1 to 65535',
        ),
        (
            f"-i https://{'h' * 64}.example",
            f'--index-url "https://{"h" * 64}.example": the host of the URL is no usable name',
        ),
        (
            "-i https://h.example/\x1b[31m",
            '--index-url "https://h.example/\\x1b[31m": the URL has a control character; take it out',
        ),
        (
            "-i https://h.example/simple?tok=1",
            '--index-url "https://h.example/simple": the address of an index has no query; leave out what follows ?',
        ),
        *(
            (
                f"--{option} {scheme}://h.example/x",
                f'--{option} "{scheme}://h.example/x": the scheme is not supported; https, http and file are',
            )
            for option, scheme in (("extra-index-url", "ftp"), ("index-url", "git+https"), ("find-links", "ftp"))
        ),
        ("--find-links nope", '--find-links "nope": no such file or folder'),
        (
            "foo --index-url https://h.example",
            "--index-url has to stand on a line of its own; pip would ignore it here",
        ),
        ("--pre foo", '"foo" follows the options of "--pre foo"; write it on a line of its own'),
        (
            "--hash=sha256:zz",
            '"sha256:zz" is not a hash; write sha256:, sha384: or sha512: and the digest in hexadecimal',
        ),
        (
            f"--hash=md5:{'a' * 32}",
            f'"md5:{"a" * 32}" is not a hash; write sha256:, sha384: or sha512: and the digest in hexadecimal',
        ),
        (
            f"--hash=sha256:{DIGEST}",
            f'"--hash=sha256:{DIGEST}" belongs to no requirement; end the line before it with a backslash',
        ),
        ('-f "x', "'-f \"x' has a quote that is not closed"),
        (
            "--all-releases foo",
            '--all-releases "foo" is not supported; write --pre, or a pre-release in the requirement of that package',
        ),
    ],
)
def test_a_bad_option_says_what_is_wrong(folder: Folder, line: str, message: str) -> None:
    assert errors(folder, line) == [f"requirements.txt:1: {message}"]


# Lines that are no requirements


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("numpy>>1", 'did you mean "numpy>1"?'),
        ("numpy<<=1", 'did you mean "numpy<=1"?'),
        ("numpy=1.0", 'did you mean "numpy==1.0"?'),
        ("numpy=1.0=py39_0", 'did you mean "numpy==1.0"?'),
        ("numpy 1.0", 'did you mean "numpy==1.0"?'),
        ("numpy=>1", 'did you mean "numpy>=1"?'),
        ("numpy> =1", 'did you mean "numpy>=1"?'),
        ("numpy>1 <2", 'did you mean "numpy>1,<2"?'),
        ("numpy^1.2", 'did you mean "numpy>=1.2,<2"?'),
        ("numpy~1.2", 'did you mean "numpy~=1.2"?'),
        ("numpy>=1.*", 'did you mean "numpy>=1"?'),
        ("numpy>>1;os_name=='nt'", "did you mean \"numpy>1 ; os_name=='nt'\"?"),
        ('"numpy>1",', 'did you mean "numpy>1"?'),
        ("- numpy", 'did you mean "numpy"?'),
        ("pip install numpy", 'write what it installs alone: "numpy"'),
        ("$ python -m pip install numpy", 'write what it installs alone: "numpy"'),
        ("pip install -U -r x.txt", 'write what it installs alone: "-U -r x.txt"'),
        ("numpy pandas", "write one requirement a line"),
        ("<<<<<<< HEAD", "a merge was left unfinished here"),
        ("<!DOCTYPE html>", "this is a web page; was it saved in place of the file?"),
    ],
)
def test_a_slip_of_the_pen_gets_a_hint(folder: Folder, line: str, hint: str) -> None:
    quoted = f"'{line}'" if '"' in line else f'"{line}"'
    assert errors(folder, line) == [f"requirements.txt:1: {quoted} is not a requirement; {hint}"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("foo ; nonsense", '"foo ; nonsense" is not a requirement: expected a marker variable or quoted string'),
        (
            "foo[-]",
            '"foo[-]" is not a requirement: expected matching closing bracket for opening bracket, after extras',
        ),
        ("foo \\ ", '"foo \\" is not a requirement: expected semicolon (after name with no version specifier) or end'),
        ("./foo-1.tar.gz ; nonsense", None),
        (
            "\x1b[31mfoo",
            '"\\x1b[31mfoo" is not a requirement: expected package name at the start of dependency specifier',
        ),
        ("foo==" + "1" * 5000, '"foo==' + "1" * 195 + '…" has a version of more than 200 characters'),
        ("a" * 9000, '"' + "a" * 200 + '…" is longer than 8000 characters'),
        ("(" * 7000, None),
        ("foo; " + "(" * 7000, None),
    ],
)
def test_any_other_line_gets_the_reason(folder: Folder, line: str, message: str | None) -> None:
    folder.write("foo-1.tar.gz")
    [error] = errors(folder, line)
    assert error.startswith("requirements.txt:1: ")
    if message is not None:
        assert error == f"requirements.txt:1: {message}"


def test_all_problems_are_reported_at_once_in_order_of_file_and_line(folder: Folder) -> None:
    folder.write("b.txt", "x y z\n")
    folder.write(REQ, "ok\n-r nope.txt\n-r b.txt\nfoo>>1\n")
    assert [e.split(" ")[0] for e in folder.errors(REQ, "missing.txt")] == [
        "b.txt:1:",
        "missing.txt:",
        "requirements.txt:2:",
        "requirements.txt:4:",
    ]


def test_of_more_than_a_thousand_problems_the_rest_is_counted(folder: Folder) -> None:
    found = errors(folder, "a b\n" * 1300)
    assert len(found) == 1001
    assert found[-1] == "and 300 more"


def test_a_file_of_nothing_but_errors_is_given_up(folder: Folder) -> None:
    found = errors(folder, "a b\n" * 20_000)
    assert found[0] == "given up after 10,000 problems; are these specs?"
    assert found[-1] == "and 9,001 more"


def test_a_file_that_is_far_too_large_is_refused(folder: Folder) -> None:
    assert errors(folder, b"#" * (10 * 1024 * 1024 + 1)) == [
        "requirements.txt: larger than 10 MiB; is it really a spec?"
    ]


def test_a_long_run_of_spaces_takes_no_long_time(folder: Folder) -> None:
    folder.write(REQ, f"foo{' ' * 1_000_000}# comment\n")
    assert folder.lines(REQ) == ["requirements.txt:1: foo"]


def test_a_requirements_file_has_no_sections(folder: Folder) -> None:
    folder.write(REQ, "foo")
    assert folder.errors(f"{REQ}#extra:x") == [
        "requirements.txt: a requirements file has no sections; name the file alone: requirements.txt"
    ]


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "-c limits.txt\n"])
def test_a_named_file_that_asks_for_nothing_is_a_warning(folder: Folder, content: str) -> None:
    folder.write("limits.txt", "a<2\n")
    folder.write(REQ, content)
    assert folder.notes(REQ) == ["warning empty-input requirements.txt: this file asks for nothing"]


def test_a_named_file_that_includes_what_it_asks_for_is_not_empty(folder: Folder) -> None:
    folder.write("base.txt", "a\n")
    folder.write(REQ, "-r base.txt\n")
    assert folder.notes(REQ) == []


@pytest.mark.parametrize(
    ("content", "required"),
    [("a\n", None), ("--require-hashes\na\n", True), ("--no-require-hashes\na\n", False), ("-r b.txt\na\n", True)],
)
def test_whether_pip_asks_for_hashes_is_kept(folder: Folder, content: str, required: bool | None) -> None:
    folder.write("b.txt", "--require-hashes\n")
    folder.write(REQ, content)
    [spec] = folder.read(REQ).specs
    assert spec.index.require_hashes is required
