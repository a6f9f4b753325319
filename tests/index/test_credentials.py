from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from index_server import Fault, IndexServer
from packaging.utils import canonicalize_name

from conflictcheck.facts import Listing, Unknown
from conflictcheck.index import open_index
from conflictcheck.index.addresses import shown_address, split_credentials
from conflictcheck.progress import Progress
from conflictcheck.settings import IndexSettings

if TYPE_CHECKING:
    from pathlib import Path

A = canonicalize_name("a")
LOGIN = ("user", "s3cr:t@/")
QUOTED = "user:s3cr%3At%40%2F"


@pytest.fixture(autouse=True)
def no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def ask(url: str, **options: Any) -> Any:
    return open_index(IndexSettings((url,), **options), Progress()).listings([A])[0]


def test_credentials_in_the_address_are_sent_and_shown_nowhere() -> None:
    with IndexServer({"a": {"1": []}}, login=LOGIN) as server:
        found = ask(server.url.replace("//", f"//{QUOTED}@"))
        assert isinstance(found, Listing)
        assert "s3cr" not in repr(found)
        server.login = ("user", "changed")
        assert ask(server.url.replace("//", f"//{QUOTED}@")) == Unknown(
            f"{server.url}/a/: the index asks for other credentials (401)"
        )


def test_credentials_in_netrc_are_used(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    with IndexServer({"a": {"1": []}}, login=("user", "secret")) as server:
        assert isinstance(ask(server.url), Listing)


def test_a_netrc_file_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine")
    with IndexServer({"a": {"1": []}}) as server:
        assert isinstance(ask(server.url), Listing)


def test_the_keyring_is_asked_only_when_it_may_be_and_a_server_wants_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def get_credential(service: str, user: str | None) -> Any:
        asked.append(f"{service} {user}")
        return SimpleNamespace(username="user", password="secret")

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_credential=get_credential))
    with IndexServer({"a": {"1": []}}, login=("user", "secret")) as server:
        assert isinstance(ask(server.url), Unknown)
        assert asked == []
        assert isinstance(ask(server.url, keyring=True), Listing)
        assert asked == [f"{server.url} None"]


def test_credentials_are_not_sent_to_another_host() -> None:
    with IndexServer({"a": {"1": []}}) as other, IndexServer({}, login=LOGIN) as server:
        server.faults["/simple/a/"] = Fault(status=302, headers={"Location": f"{other.url}/a/"})
        assert isinstance(ask(server.url.replace("//", f"//{QUOTED}@")), Listing)
        assert "authorization" in server.headers["/simple/a/"]
        assert "authorization" not in other.headers["/simple/a/"]


@pytest.mark.parametrize(
    ("url", "plain", "login"),
    [
        ("https://user:p%40ss@index.example/simple", "https://index.example/simple", ("user", "p@ss")),
        ("https://token@index.example:8443/", "https://index.example:8443/", ("token", "")),
        ("https://index.example/@scope/", "https://index.example/@scope/", None),
        ("git+ssh://git@git.example/a.git@v1", "git+ssh://git.example/a.git@v1", ("git", "")),
    ],
)
def test_credentials_are_split_off(url: str, plain: str, login: tuple[str, str] | None) -> None:
    assert split_credentials(url) == (plain, login)


def test_an_address_is_shown_without_credentials_and_query() -> None:
    assert shown_address("https://u:p@index.example/a?token=x#y") == "https://index.example/a"
