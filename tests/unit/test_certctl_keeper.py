"""What certctl does of a chain that is there, and how a server and a person call it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from host.certctl import keeper, renewal
from host.certctl.keeper import alone, prepare
from host.certctl.memory import Memory, remember
from host.certctl.placeholder import placeholder
from host.certctl.web_server import served_fingerprint
from tests.unit.certctl_ca import new_key
from tests.unit.certctl_server import WebServer, http_server, new_web_server, running_nginx

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """Its CA is at a port where nobody listens; test_certctl_order.py has a real one."""
    with new_web_server(tmp_path, acme_server="https://127.0.0.1:1/directory") as server:
        (tmp_path / "certificates.json").write_text(json.dumps(configuration(server)))
        yield server


def configuration(server: WebServer) -> dict[str, Any]:
    settings, site = server.settings, server.site
    return {
        **{"acme_server": settings.acme_server, "email": "", "turn": 0, "peers": []},
        **{"account_key": str(settings.account_key), "state": str(settings.state)},
        **{"port": 1, "tls_port": settings.tls_port},
        "sites": {site.app: {"names": list(site.names), "folder": str(site.folder)}},
    }


def good(server: WebServer, days: float = 90, **more: Any) -> str:
    return server.chain(days, ordered_from=server.settings.acme_server, **more).pem


def test_before_nginx_starts_there_is_a_placeholder(server: WebServer) -> None:
    prepare(server.settings, server.site)
    first = server.served
    assert first.is_placeholder
    assert first.names == set(server.site.names)
    assert not (server.site.folder / "served").exists()
    prepare(server.settings, server.site)
    assert server.served == first, "one is enough"
    assert server.called == []


def test_a_new_server_begins_with_the_chain_that_was_kept(server: WebServer) -> None:
    server.site.kept.write_text(good(server))
    prepare(server.settings, server.site)
    assert server.served.pem == server.site.kept.read_text()
    assert (server.site.folder / "served").is_symlink()


def test_a_chain_for_fewer_names_is_served_until_there_is_another(server: WebServer) -> None:
    server.site.chain.write_text(good(server, names=server.site.names[:1]))
    before = server.served
    prepare(server.settings, server.site)
    assert server.served == before


def test_a_chain_of_another_key_gives_way_for_nginx_would_not_start(server: WebServer) -> None:
    server.site.chain.write_text(server.ca.chain(new_key()).pem)
    prepare(server.settings, server.site)
    assert server.served.is_placeholder


def test_a_placeholder_for_other_names_is_made_anew(server: WebServer) -> None:
    server.site.chain.write_text(placeholder(server.key, ("old.example",), server.now).pem)
    prepare(server.settings, server.site)
    assert server.served.names == set(server.site.names)


def test_a_chain_of_another_server_is_adopted_and_none_ordered(server: WebServer) -> None:
    prepare(server.settings, server.site)
    theirs = good(server)
    with (
        http_server({"/.well-known/slipway/shop.pem": (200, theirs)}) as port,
        running_nginx(server),
    ):
        server.changes(port=port, peers=("127.0.0.1",))
        assert server.keep().outcome == "adopted"
        assert served_fingerprint(server.settings, server.site) == server.served.fingerprint
    assert server.served.pem == theirs
    assert "note certificate shop ok" in server.called


def test_what_nginx_has_not_read_yet_is_given_to_it_again(server: WebServer) -> None:
    server.site.chain.write_text(good(server, 20))
    with running_nginx(server):
        server.site.chain.write_text(good(server, 80))
        assert server.keep().outcome == "adopted"
        assert served_fingerprint(server.settings, server.site) == server.served.fingerprint


def test_after_a_failure_it_is_left_alone_unless_somebody_waits(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = server.now
    failed = Memory().failed("the CA is away", None, now)
    remember(server.settings, server.site, failed)
    asked: list[str] = []

    def wrong_names(*_: object) -> list[str]:
        asked.append("the DNS")
        return ["it leads away"]

    monkeypatch.setattr(keeper, "wrong_names", wrong_names)
    assert server.keep() == failed
    assert asked == []
    assert server.keep(hurry=True).outcome == "waiting"
    remember(server.settings, server.site, failed)
    assert server.keep(force=True).outcome == "waiting"
    assert len(asked) == 2


def test_a_missing_key_is_a_failure_that_is_remembered(server: WebServer) -> None:
    server.site.key.unlink()
    memory = server.keep()
    assert memory.outcome == "failed"
    assert "key.pem: no private key can be read" in memory.reason
    assert server.memory == memory


def test_one_that_is_due_is_renewed_and_one_that_is_not_is_left(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "renewal_time", lambda *_: (None, LATER))
    monkeypatch.setattr(keeper, "wrong_names", lambda *_: [])
    ordered = server.chain(90, ordered_from=server.settings.acme_server)
    monkeypatch.setattr(keeper, "order_chain", lambda *_: ordered)
    server.site.chain.write_text(good(server, 90, age=59))
    assert server.keep().outcome == "adopted"
    server.site.chain.write_text(good(server, 90, age=61))
    assert server.keep().outcome == "ordered"
    assert server.served == ordered


def test_a_wrong_certificate_of_the_ca_is_not_served(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "wrong_names", lambda *_: [])
    monkeypatch.setattr(keeper, "order_chain", lambda *_: server.chain(names=("a.example",)))
    memory = server.keep()
    assert "the CA's certificate cannot be served: it is not for shop.example" in memory.reason
    assert not server.site.chain.exists()


def test_only_one_certctl_works_at_a_time(server: WebServer) -> None:
    with ThreadPoolExecutor(1) as threads:
        with alone(server.settings):
            other = threads.submit(server.says, "prepare")
            time.sleep(1)
            assert not other.done()
            assert not server.site.chain.exists()
        assert other.result(timeout=30).returncode == 0
    assert server.served.is_placeholder


# As it is called


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_says_what_there_is(server: WebServer) -> None:
    assert told(server.says("status"))["shop"]["problem"] == "there is no certificate"
    assert told(server.says("chains")) == {}
    assert server.says("prepare").returncode == 0
    state = told(server.says("status"))["shop"]
    assert (state["placeholder"], state["served"]) == (True, False)
    assert told(server.says("chains")) == {}, "a placeholder is nothing to keep"
    server.site.chain.write_text(good(server, 90, age=30))
    state = told(server.says("status"))["shop"]
    assert (state["placeholder"], state["issuer"]) == (False, "Test CA")
    assert state["life_left"] == pytest.approx(2 / 3, abs=0.001)
    assert state["renewed_from"] == pytest.approx(server.now.timestamp() + 30 * 86400, abs=60)
    assert state["ends"] - state["begins"] == 90 * 86400
    assert (state["serial"], state["names"]) == (server.served.serial, list(server.site.names))
    assert told(server.says("chains")) == {"shop": server.served.pem}


def test_names_that_do_not_lead_here_are_waited_for_without_an_alarm(server: WebServer) -> None:
    done = server.says("keep")
    assert done.returncode == 0
    assert "shop: no certificate is ordered, for www.shop.example leads nowhere" in done.stderr
    assert server.memory.outcome == "waiting"


def test_a_failure_of_one_site_is_no_other_s(server: WebServer) -> None:
    """The first one cannot even write down what happened."""
    wanted = configuration(server)
    folder = server.folder / "blog"
    folder.mkdir()
    (folder / "key.pem").write_text(server.site.key.read_text())
    wanted["sites"]["blog"] = {"names": ["blog.example"], "folder": str(folder)}
    (server.folder / "certificates.json").write_text(json.dumps(wanted))
    (server.settings.state / ".shop.json.new").mkdir(parents=True)
    done = server.says("keep")
    assert done.returncode == 1
    assert "shop: the certificate could not be had: " in done.stderr
    assert "blog: no certificate is ordered, for blog.example leads nowhere" in done.stderr
    assert "Traceback" not in done.stderr
    done = server.says("--site", "blog", "keep")
    assert (done.returncode, done.stderr) == (0, done.stderr)
    assert "shop" not in done.stderr


def test_wrong_words_and_help_have_their_own_exit_statuses(server: WebServer) -> None:
    assert server.says().returncode == 2
    assert server.says("renew").returncode == 2
    done = server.says("--help")
    assert done.returncode == 0
    assert "The certificates of one server's sites." in done.stdout
    done = server.says("--site", "blog", "status")
    assert (done.returncode, done.stderr) == (1, "certctl: blog has no certificate here\n")
    (server.folder / "certificates.json").unlink()
    done = server.says("status")
    assert done.returncode == 1
    assert done.stderr.endswith("there is no such file: no site here has a certificate\n")
    assert "Traceback" not in done.stderr
