"""Certificates ordered from a real ACME server: the one of the local cloud, on loopback."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from host.certctl import reach
from host.certctl.console import CertificateError
from host.certctl.order import renewal_time, thumbprint
from tests.ports import free_port
from tests.unit.certctl_ca import NAMES
from tests.unit.certctl_pebble import Answer, Pebble, instead, new_pebble
from tests.unit.certctl_server import WebServer, http_server, new_web_server, running_nginx

ORDERS, ACCOUNTS = "/order-plz", "/sign-me-up"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with new_pebble(tmp_path_factory.mktemp("acme") / "pebble") as pebble:
        yield pebble


@pytest.fixture
def server(tmp_path: Path, ca: Pebble, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """One to which the names lead, with the answer that nginx gives to the CA's question."""
    original = socket.getaddrinfo

    def getaddrinfo(host: str, *rest: Any, **more: Any) -> Any:
        return original("127.0.0.1" if host in NAMES else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(reach, "CHALLENGE_PORT", ca.challenge_port)
    with (
        new_web_server(tmp_path, acme_server=ca.directory) as server,
        http_server(thumbprint=thumbprint(server.settings), port=ca.challenge_port),
        running_nginx(server),
    ):
        yield server


def serves_a_good_one(server: WebServer) -> bool:
    """Whether nginx serves a good chain of the CA's."""
    names, chain = set(server.site.names), server.served
    return chain.problem(server.key, names, server.now) == ""


def test_a_good_order_is_served_at_once(server: WebServer, ca: Pebble) -> None:
    memory = server.keep()
    assert (memory.outcome, memory.reason, memory.next_try) == ("ordered", "", 0)
    chain = server.served
    assert serves_a_good_one(server)
    assert chain.acme_server == ca.directory
    assert len(chain.certificates) == 2, "with the one that signed it"
    assert timedelta(days=89) < chain.ends - chain.begins < timedelta(days=91)
    assert "note certificate shop ok" in server.called
    assert (server.site.folder / "served").is_symlink()
    assert server.keep().at == memory.at, "nothing is to be done"
    assert server.served == chain


def test_a_second_order_finds_the_account_again(server: WebServer) -> None:
    server.keep()
    first = server.served
    assert server.keep(force=True).outcome == "ordered"
    assert server.served.serial != first.serial


def test_half_of_all_nonces_may_be_bad(server: WebServer, ca: Pebble) -> None:
    ca.start(PEBBLE_WFE_NONCEREJECT="50")
    try:
        assert server.keep().outcome == "ordered", server.memory.reason
    finally:
        ca.start()
    assert serves_a_good_one(server)


def test_an_account_that_the_ca_lost_is_made_again(server: WebServer, ca: Pebble) -> None:
    server.keep()
    ca.start()
    memory = server.keep(force=True)
    assert (memory.outcome, memory.reason) == ("ordered", "")


def test_while_the_ca_is_away_what_is_there_is_served(server: WebServer, ca: Pebble) -> None:
    server.keep()
    chain = server.served
    ca.stop()
    try:
        memory = server.keep(force=True)
        assert memory.outcome == "failed"
        assert memory.reason.startswith("the CA cannot be asked: ")
        assert memory.next_try - memory.at == 60
        assert server.keep() == memory, "it is left alone until then"
        assert server.keep(force=True).failures == 2
    finally:
        ca.start()
    assert server.served == chain
    assert "note certificate shop failed" in server.called


@pytest.mark.parametrize(
    ("path", "status"), [(ORDERS, 429), (ACCOUNTS, 429), (ORDERS, 503), ("/dir", 503)]
)
def test_a_busy_ca_is_asked_again_when_it_wants(
    server: WebServer, ca: Pebble, path: str, status: int
) -> None:
    detail = "too many certificates (5) already issued"
    with instead(ca, Answer(path, status, detail, "7200")) as directory:
        server.changes(acme_server=directory)
        memory = server.keep()
    assert (memory.outcome, memory.failures) == ("failed", 1)
    assert memory.next_try - memory.at == 7200
    assert detail in memory.reason or path == "/dir", memory.reason
    assert not server.site.chain.exists()


def test_a_busy_ca_may_name_the_time(server: WebServer, ca: Pebble) -> None:
    date = datetime.now(UTC) + timedelta(hours=3)
    retry_after = f"{date:%a, %d %b %Y %H:%M:%S} GMT"
    with instead(ca, Answer(ORDERS, 429, "slow down", retry_after)) as directory:
        server.changes(acme_server=directory)
        memory = server.keep()
    assert memory.reason == "the CA says: slow down"
    assert memory.next_try == pytest.approx(date.timestamp(), abs=10)


@pytest.mark.parametrize("path", ["/dir", ORDERS, ACCOUNTS])
@pytest.mark.parametrize("body", ["garbage", "[]", "{}", "null", "5", '{"newOrder": 5}'])
def test_what_answers_something_else_is_no_ca(
    server: WebServer, ca: Pebble, path: str, body: str
) -> None:
    with instead(ca, Answer(path, 200, body=body)) as directory:
        server.changes(acme_server=directory)
        memory = server.keep()
    assert memory.outcome == "failed"
    assert memory.reason.startswith("the CA"), memory.reason


def test_what_the_ca_refuses_is_said_in_its_words(server: WebServer, ca: Pebble) -> None:
    """The answer of another environment, which our own look has not seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("host.certctl.keeper.wrong_names", lambda *_: [])
        server.settings.account_key.write_text(server.site.key.read_text())
        memory = server.keep()
    assert memory.outcome == "failed"
    assert memory.reason.startswith("the CA says of ")
    assert "authorization" in memory.reason


def test_a_certificate_that_the_ca_wants_renewed_now_is(server: WebServer, ca: Pebble) -> None:
    server.keep()
    first = server.served
    assert server.memory.renew_at > server.now.timestamp(), "it has said when"
    window = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    ca.set_renewal_info(first.pem, json.dumps({"suggestedWindow": window}))
    assert server.keep().at == server.memory.at
    assert server.served == first, "it is not asked again before it wants to be"
    path = server.settings.state / "shop.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "ask_again_at": 0}))
    assert server.keep().outcome == "ordered"
    assert server.served.serial != first.serial


@pytest.mark.parametrize(
    "answer",
    [
        "garbage",
        "[]",
        "{}",
        "null",
        '{"suggestedWindow": null}',
        '{"suggestedWindow": {}}',
        '{"suggestedWindow": {"start": "soon", "end": "later"}}',
        '{"suggestedWindow": {"start": 5, "end": 6}}',
    ],
)
def test_what_is_no_time_to_renew_is_as_if_it_had_said_nothing(
    server: WebServer, ca: Pebble, answer: str
) -> None:
    server.keep()
    ca.set_renewal_info(server.served.pem, answer)
    wanted, again = renewal_time(server.settings, server.served)
    assert wanted is None
    assert again.timestamp() == pytest.approx(server.now.timestamp() + 6 * 3600, abs=60)


def test_two_at_once_order_once(server: WebServer) -> None:
    with ThreadPoolExecutor(2) as threads:
        memories = [each.result() for each in [threads.submit(server.keep) for _ in range(2)]]
    assert memories[0] == memories[1]
    assert sum("note certificate" in each for each in server.called) == 1
    assert serves_a_good_one(server)


def test_an_order_that_is_killed_is_not_begun_again_at_once(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a server that has no room for what it is to remember would order every few minutes."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("host.certctl.keeper.order_chain", killed)
    with pytest.raises(KeyboardInterrupt):
        server.keep()
    memory = server.memory
    assert (memory.outcome, memory.reason) == ("failed", "the last order was cut short")
    assert memory.next_try - memory.at == 60
    assert server.keep() == memory


def test_what_could_not_be_remembered_is_not_ordered(server: WebServer) -> None:
    (server.settings.state / ".shop.json.new").mkdir(parents=True)
    with pytest.raises(CertificateError, match=r"shop\.json: Is a directory; the old file stays"):
        server.keep()
    assert not server.site.chain.exists()


def test_the_ca_is_not_asked_while_a_name_does_not_lead_here(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "CHALLENGE_PORT", free_port())
    memory = server.keep()
    assert memory.outcome == "waiting"
    assert "which gives no answer" in memory.reason
    assert memory.next_try - memory.at == 300
