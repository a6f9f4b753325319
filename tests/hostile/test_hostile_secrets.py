"""Whatever secret an address holds, and wherever it is written down, it reaches its server and nothing else."""

from __future__ import annotations

import base64
import gzip
import os
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import pytest
from index_server import Fault, IndexServer

from conflictcheck.cli import ExitCode, run
from conflictcheck.disguise import Disguise
from conflictcheck.index.addresses import shown_address, split_credentials
from conflictcheck.reports import EXPLANATIONS, FORMATS, GRAPHS
from conflictcheck.reports.text import TextReport
from conflictcheck.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conflictcheck.model import Report

SECRET = "hunter2-Geheim"
TOOL = "tool-1.0-py3-none-any.whl"


class Way(NamedTuple):
    """How a secret is given; ``HOST`` and ``PREFIX`` stand for the server's."""

    spec: str = "lib\n"
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes
    pip: str = ""
    sent: str = "login"


INDEX = "http://user:SECRET@HOST/simple"
render = TextReport.render
WAYS = {
    "--index-url": Way(arguments=("--index-url", INDEX)),
    "--extra-index-url": Way(arguments=("--extra-index-url", INDEX)),
    "--find-links": Way(arguments=("--find-links", "http://user:SECRET@HOST/links/")),
    "PIP_INDEX_URL": Way(variables={"PIP_INDEX_URL": INDEX}),
    "UV_INDEX": Way(variables={"UV_INDEX": f"name={INDEX}"}),
    "pip.conf": Way(pip=f"[global]\nindex-url = {INDEX}\n"),
    "a line of a file": Way(spec=f"--index-url {INDEX}\nlib\n"),
    "user and password by name": Way("--index-url http://${U}:${P}@HOST/simple\nlib\n", (), {"U": "user", "P": SECRET}),
    "both by one name": Way("--extra-index-url http://${LOGIN}@HOST/simple\nlib\n", (), {"LOGIN": f"user:{SECRET}"}),
    "the whole address by name": Way("--index-url ${URL}\nlib\n", (), {"URL": INDEX}),
    "links by name": Way("-f ${URL}\nlib\n", (), {"URL": "http://user:SECRET@HOST/links/"}),
    "a part of the path by name": Way(
        "--index-url http://HOST/${TOKEN}/simple\nlib\n", (), {"TOKEN": SECRET}, sent="path"
    ),
    "the path in an address by name": Way("-i ${URL}\nlib\n", (), {"URL": "http://HOST/SECRET/simple"}, sent="path"),
    "links in a path by name": Way("-f http://HOST/${TOKEN}/links/\nlib\n", (), {"TOKEN": SECRET}, sent="path"),
    "a query of links": Way("-f http://HOST/links/?sig=SECRET\nlib\n", sent="query"),
    "a query of links on the command line": Way(
        arguments=("--find-links", "http://HOST/links/?sv=1&sig=SECRET"), sent="query"
    ),
    "a query of a file": Way(f"tool @ http://HOST/files/{TOOL}?token=SECRET\nlib\n", sent="query"),
    "a query of a file without a name": Way(f"http://HOST/files/{TOOL}?SECRET\nlib\n", sent="query"),
    "a query by name": Way(f"tool @ http://HOST/files/{TOOL}?t=${{TOKEN}}\nlib\n", (), {"TOKEN": SECRET}, sent="query"),
    "a file's path by name": Way(f"tool @ http://HOST/${{TOKEN}}/files/{TOOL}\n", (), {"TOKEN": SECRET}, sent="path"),
    "a file's whole address by name": Way(
        "tool @ ${URL}\n", (), {"URL": f"http://HOST/SECRET/files/{TOOL}"}, sent="path"
    ),
    "--with": Way(arguments=("--with", f"tool @ http://HOST/files/{TOOL}?token=SECRET"), sent="query"),
}
"""By where it stands."""

COMMANDS = (
    ["check", "-v"],
    ["fix", "--format", "json", "-v"],
    ["split", "-o", "out", "--export", "requirements"],
    ["split", "-o", "locks", "--export", "pylock"],
    ["snapshot", "-o", "facts"],
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith(("PIP_", "UV_", "NO_COLOR", "FORCE_COLOR", "NETRC")) or name.upper().endswith(
            "_PROXY"
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("CONFLICTCHECK_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer({"lib": {"1.0": [], "2.0": ["dep>=1"]}, "dep": {"1.0": []}, "tool": {"1.0": ["lib<2"]}}) as server:
        yield server


def prepare(way: Way, index: IndexServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write it down, and return the arguments."""

    def real(text: str) -> str:
        return text.replace("SECRET", SECRET).replace("HOST", index.root.removeprefix("http://"))

    if way.sent == "path":
        index.prefix = f"/{SECRET}"
    if way.sent == "login":
        index.login = ("user", SECRET)
    named = any("index" in text.lower() or text == "-i" for text in (*way.arguments, *way.variables, way.pip))
    if not named and not way.spec.startswith(("--index-url", "-i")):
        # Only what is tested may send the secret; the rest comes from a server of its own.
        monkeypatch.setenv("PIP_INDEX_URL", (folder / "plain").as_uri())
        (folder / "plain" / "lib").mkdir(parents=True)
        for name in ("lib-1.0-py3-none-any.whl",):
            (folder / "plain" / "lib" / name).write_bytes(index.files[name].data)
    elif (
        way.spec.startswith(("-i", "--index-url"))
        or "--extra-index-url" in (*way.arguments, way.spec.partition(" ")[0])
        or "UV_INDEX" in way.variables
    ):
        monkeypatch.setenv("PIP_INDEX_URL", (folder / "plain").as_uri())
        (folder / "plain").mkdir()
    for name, value in way.variables.items():
        monkeypatch.setenv(name, real(value))
    if way.pip:
        (folder / "pip.conf").write_text(real(way.pip))
        monkeypatch.setenv("PIP_CONFIG_FILE", str(folder / "pip.conf"))
    (folder / "api").mkdir()
    (folder / "api" / "requirements.txt").write_text(real(way.spec))
    (folder / "b.txt").write_text("lib<2\n")
    return ["api/requirements.txt", "b.txt", *map(real, way.arguments)]


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that the program wrote, unpacked where it is packed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in {"requirements.txt", "b.txt", "pip.conf"}:
            data = path.read_bytes()
            yield path.name, gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


FORMS = {
    SECRET.encode(),
    SECRET.lower().encode(),
    quote(SECRET, safe="").encode(),
    base64.b64encode(f"user:{SECRET}".encode()),
    SECRET.encode("utf-16-le"),
}


def holds_secret(data: bytes) -> bool:
    return any(form in data for form in FORMS)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_secret_reaches_its_server_and_nothing_that_is_said_or_written(
    way: Way, index: IndexServer, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = prepare(way, index, folder, monkeypatch)
    reports: list[Report] = []
    monkeypatch.setattr(
        TextReport, "render", lambda self, report, **how: reports.append(report) or render(self, report, **how)
    )
    for command in COMMANDS:
        code = run([command[0], *arguments, *command[1:]])
        out, err = capfd.readouterr()
        assert not holds_secret((out + err).encode()), command
        assert "Traceback" not in err, command
        refused = {ExitCode.USAGE} if "pylock" in command and way.sent != "login" else set()
        assert code in {ExitCode.PASSED, ExitCode.FAILED} | refused, out + err
    for form in (*FORMATS.values(), *EXPLANATIONS.values(), *GRAPHS.values()):
        assert not holds_secret(form.render(reports[0], color=False, width=80, verbose=2).encode()), form.name
    for name, data in written(folder):
        if name != "lib-1.0-py3-none-any.whl":
            assert not holds_secret(data), name
    sent = (
        index.targets
        if way.sent != "login"
        else [headers.get("authorization", "") for headers in index.headers.values()]
    )
    assert any(holds_secret(text.encode()) for text in sent), "the secret was of use"


FAULTS = {
    "refused": Fault(status=403),
    "asks again": Fault(status=401, headers={"WWW-Authenticate": "Basic"}),
    "out of order": Fault(status=501),
    "a loop": Fault(status=302, headers={"Location": "?again=1"}),
    "to nowhere": Fault(status=302, headers={"Location": f"http://user:{SECRET}@[bad"}),
    "no page": Fault(body=b"{", content_type="application/json"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize(
    "way",
    [
        "--index-url",
        "a part of the path by name",
        "a query of links",
        "a query of a file",
        "a file's whole address by name",
    ],
)
def test_a_secret_is_in_no_reason_why_its_server_was_of_no_use(
    way: str,
    fault: Fault,
    *,
    index: IndexServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    arguments = prepare(WAYS[way], index, folder, monkeypatch)
    index.faults["*"] = fault

    code = run(["check", *arguments, "-v"])

    out, err = capfd.readouterr()
    assert not holds_secret((out + err).encode())
    assert code in {ExitCode.UNDECIDED, ExitCode.FAILED, ExitCode.PASSED}
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "address",
    [
        "https://user:SECRET@[bad/simple",
        "https://user:SECRET@host.example:port/simple",
        "https://user:pa/SECRET@host.example/simple",
        "https://user:pa#SECRET@host.example/simple",
        "https://user:pa?SECRET@host.example/simple",
        "https://host.example/simple?token=SECRET",
        "ftp://user:SECRET@host.example/simple",
        "user:SECRET@host.example",
        "https://user:SECRET@host.exa mple/simple",
    ],
)
@pytest.mark.parametrize("option", ["--index-url", "--extra-index-url", "--find-links"])
def test_a_secret_in_a_wrong_address_is_in_no_error(
    address: str, option: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = address.replace("SECRET", SECRET)
    monkeypatch.setenv("PIP_INDEX_URL", (folder / "none").as_uri())
    (folder / "a.txt").write_text(f"{option} {wrong}\nlib\n")
    (folder / "b.txt").write_text(f"lib @ {wrong}\n")
    (folder / "c.txt").write_text(f"-e {wrong}\n-r {wrong}\n{wrong}\n")

    run(["check", option, wrong, "--with", "lib", "--offline"])
    for name in ("a.txt", "b.txt", "c.txt"):
        run(["check", name, "--offline"])
    run(["check", "--with", f"lib @ {wrong}", "--offline", "--format", "json"])

    out, err = capfd.readouterr()
    assert not holds_secret((out + err).encode())
    assert "Traceback" not in err


def test_a_mistake_of_ours_shows_no_secret_either(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"https://user:{SECRET}@host.example/a?b={SECRET}\x1b[31m")

    monkeypatch.setattr("conflictcheck.given.read_specs", fail)

    assert run(["check", str(folder)]) == ExitCode.UNDECIDED

    err = capfd.readouterr().err
    assert "RuntimeError: https://****@host.example/a?b=****" in err
    assert not holds_secret(err.encode())


SHOWN = [
    ("https://user:pw@host.example/a", "https://****@host.example/a"),
    ("https://token@host.example/a", "https://****@host.example/a"),
    ("https://host.example/a@b/c.whl", "https://host.example/a@b/c.whl"),
    ("git+https://host.example/project@v1", "git+https://host.example/project@v1"),
    ("git+ssh://git@host.example/project@v1", "git+ssh://git@host.example/project@v1"),
    ("user:pw@host.example/a", "****@host.example/a"),
    ("https://user:p/w@host.example/a", "https://****@host.example/a"),
    ("https://host.example:8080/a@b", "https://host.example:8080/a@b"),
    ("https://[::1]:8080/a@b", "https://[::1]:8080/a@b"),
    ("https://host.example/a?sv=2&sig=x%2F#sha256=00", "https://host.example/a?sv=****&sig=****#sha256=00"),
    ("https://host.example/a?x ; extra == 'b'", "https://host.example/a?**** ; extra == 'b'"),
    ("https://host.example/a?t=${TOKEN}", "https://host.example/a?t=${TOKEN}"),
    ("https://${U}:${P}@host.example/${T}", "https://${U}:${P}@host.example/${T}"),
    ("a ; python_version > '3' # what?", "a ; python_version > '3' # what?"),
]


@pytest.mark.parametrize(("written_down", "shown"), SHOWN)
def test_what_of_an_address_is_shown(written_down: str, shown: str) -> None:
    assert redact(f"x @ {written_down}") == f"x @ {shown}"


def test_an_at_sign_in_a_path_is_no_login() -> None:
    assert split_credentials("https://host.example/a@b") == ("https://host.example/a@b", None)
    assert split_credentials("https://user:p/w@host.example/b") == ("https://host.example/b", None)
    assert shown_address("https://user:p/w@host.example/b?x") == "https://host.example/b"


def test_a_value_is_sent_only_to_the_servers_that_the_user_wrote_it_for() -> None:
    disguise = Disguise({"TOKEN": SECRET})
    shown = disguise.cover(f"https://host.example/{SECRET}/simple")

    assert shown == "https://host.example/${TOKEN}/simple"
    assert disguise.reveal(f"{shown}/lib/") == f"https://host.example/{SECRET}/simple/lib/"
    assert disguise.reveal("https://evil.example/${TOKEN}/lib.whl") == "https://evil.example/${TOKEN}/lib.whl"
    assert disguise.reveal("http://host.example/${TOKEN}") == "http://host.example/${TOKEN}", "another scheme"


def test_two_addresses_that_differ_are_shown_differently() -> None:
    disguise = Disguise()
    one, other = disguise.cover("https://h.example/get?id=1#x=1"), disguise.cover("https://h.example/get?id=2#x=1")

    assert (one, other) == ("https://h.example/get?****#x=1", "https://h.example/get?*****#x=1")
    assert disguise.cover("https://h.example/get?id=1#x=1") == one
    assert [disguise.reveal(shown) for shown in (one, other)] == [
        "https://h.example/get?id=1#x=1",
        "https://h.example/get?id=2#x=1",
    ]


def test_another_value_is_another_address_for_the_cache() -> None:
    keys = set()
    for value in ("stable-channel", "nightly-channel"):
        disguise = Disguise({"CHANNEL": value})
        keys.add(disguise.key(disguise.cover(f"https://h.example/{value}/simple")))
    assert len(keys) == 2
    assert Disguise().key("https://h.example/simple") == "https://h.example/simple"


def test_short_values_and_ports_are_no_secrets() -> None:
    disguise = Disguise({"V": "1.0", "PORT": "8080"})
    assert disguise.cover("https://h.example:8080/lib-1.0.zip") == "https://h.example:8080/lib-1.0.zip"


def test_a_redirect_to_another_host_takes_no_secret_along(
    index: IndexServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the login, nor the path or query that it was asked for with."""
    with IndexServer({"lib": {"1.0": []}}) as other:
        index.faults["/simple/*"] = Fault(status=302, headers={"Location": f"{other.url}/lib/"})
        arguments = prepare(WAYS["--index-url"], index, folder, monkeypatch)
        run(["check", *arguments])

    assert other.targets
    assert all("authorization" not in headers and "referer" not in headers for headers in other.headers.values())


def test_the_login_of_a_dependency_is_not_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a package's author left in its metadata."""
    needs = f"dep @ https://user:{SECRET}@127.0.0.1:9/dep-1.0-py3-none-any.whl"
    with IndexServer({"lib": {"1.0": [needs]}, "dep": {"1.0": []}}) as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        (folder / "requirements.txt").write_text("lib\ndep==1.0\n")
        for command in (["check", "-v"], ["explain"], ["check", "--format", "json"], ["snapshot", "-o", "facts"]):
            run(command)
    out, err = capfd.readouterr()
    assert not holds_secret((out + err).encode())
    assert "127.0.0.1:9" in out
    for name, data in written(folder):
        assert not holds_secret(data), name
