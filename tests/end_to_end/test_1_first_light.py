"""A fresh clone becomes a running site: what was made, and that it stays as it is."""

from __future__ import annotations

import re
import socket

import pytest

from tests.clone import Clone

pytestmark = pytest.mark.hosts


def test_the_page_lists_the_two_users_from_the_database(site: Clone) -> None:
    page = site.get()
    assert page.status_code == 200
    assert "Ada Lovelace" in page.text
    assert "Grace Hopper" in page.text


def test_a_second_up_changes_nothing(site: Clone) -> None:
    said = site.run("scripts/up local").stdout
    assert re.search(r"Resources:\n +\d+ unchanged\n", said), said


def test_both_servers_are_debian_hosts_at_their_wished_addresses(site: Clone) -> None:
    addresses = {each["server"]: each for each in [*site.output("web"), site.output("db")]}
    assert addresses["web"]["private_address"] == f"{site.place.network}.10"
    assert addresses["db"]["private_address"] == f"{site.place.network}.20"
    for server in addresses:
        assert "Debian GNU/Linux 12" in site.on(server, "cat /etc/os-release")
        assert site.on(server, "hostname").strip() == server
        assert site.on(server, "systemctl is-system-running --wait || true").strip() == "running"


def test_the_requests_go_through_nginx_to_gunicorn_under_systemd(site: Clone) -> None:
    assert site.get().headers["server"].startswith("nginx")
    units = site.on("web", "systemctl list-units --plain --no-legend 'site@*.service'")
    assert units.count("loaded active running") == 1
    assert "gunicorn" in site.on("web", "systemctl status 'site@*.service'")


def test_nginx_serves_the_static_files_itself(site: Clone) -> None:
    css = site.get("/static/style.css")
    assert css.headers["content-type"] == "text/css"
    assert "max-age=300" in css.headers["cache-control"]


def test_the_application_may_neither_log_in_nor_change_its_code(site: Clone) -> None:
    assert site.on("web", "getent passwd site").strip().endswith("/usr/sbin/nologin")
    site.run(
        "scripts/ssh local web sudo runuser -u site -- test -w /srv/site/current/wsgi.py",
        fails=True,
    )
    site.run("scripts/ssh local web sudo runuser -u site -- cat /etc/slipway/site/env", fails=True)


def test_postgresql_listens_on_its_private_address_only(site: Clone) -> None:
    listening = site.on("db", "sudo ss --no-header --listening --tcp --numeric 'sport = 5432'")
    assert {line.split()[3] for line in listening.splitlines()} == {f"{site.place.network}.20:5432"}


def test_postgresql_is_refused_from_outside_and_open_from_web(site: Clone) -> None:
    db = site.output("db")
    with socket.socket() as outside:
        outside.settimeout(2)
        with pytest.raises(OSError, match=r"timed out|refused|unreachable"):
            outside.connect((db["address"], 5432))
    site.on("web", f"timeout 3 bash -c '</dev/tcp/{site.place.network}.20/5432'")


def test_the_forwarded_port_leads_to_postgresql(site: Clone) -> None:
    with socket.create_connection(("127.0.0.1", site.place.db), 5) as db:
        # The protocol's SSLRequest; S says that TLS is spoken (postgresql.org, protocol-flow).
        db.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        assert db.recv(1) == b"S"


def test_passwords_are_stored_as_scram_and_only_the_application_may_connect(site: Clone) -> None:
    query = "SELECT rolpassword LIKE 'SCRAM-SHA-256%' FROM pg_authid WHERE rolname = 'site'"
    assert site.on("db", f'sudo -u postgres psql -qtAXc "{query}"').strip() == "t"
    rules = site.on("db", "sudo grep -vE '^(#|$)' /etc/postgresql/15/main/pg_hba.conf")
    assert [line.split()[0] for line in rules.splitlines()] == ["local", "hostssl"]


def test_postgresql_takes_as_many_connections_as_are_wanted(site: Clone) -> None:
    query = "sudo -u postgres psql -qtAXc 'SHOW max_connections'"
    assert site.on("db", query).strip() == "500"


def test_no_secret_is_plain_anywhere(site: Clone) -> None:
    url = site.on("web", "sudo grep DATABASE_URL /etc/slipway/site/env")
    password = url.split(":")[2].split("@")[0]
    assert len(password) == 48
    exported = site.pulumi("stack export --stack local --show-secrets")
    key = re.search(r"BEGIN OPENSSH PRIVATE KEY-----[\\n]+([A-Za-z0-9+/=]{60,})", exported)
    assert key
    key_line = key[1]

    state = "\n".join(
        path.read_text() for path in (site.folder / ".slipway" / ".pulumi").rglob("*.json*")
    )
    assert f"{site.place.network}.10" in state, "this looked at the wrong files"
    shown = site.run("ps axww; cat .slipway/local-cloud/cloud.log").stdout
    shown += site.on("web", "ps axww") + site.on("web", "sudo journalctl --no-pager")
    shown += site.on("db", "ps axww") + site.on("db", "sudo journalctl --no-pager")
    shown += site.pulumi("preview --stack local --diff")
    for secret in (password, key_line):
        assert secret not in state
        assert secret not in shown
    assert site.on("web", "sudo stat -c %a%U /etc/slipway/site/env").strip() == "600root"
    assert site.run(
        "find .slipway -name passphrase -o -name token | xargs stat -c %a"
    ).stdout.split() == ["600", "600"]


def test_the_working_tree_is_still_clean(site: Clone) -> None:
    assert site.run("git status --porcelain && git diff").stdout == ""
