"""Bare servers become a site, and everything of daily life is as on droplets."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import httpx
import pytest

from tests.own_hosts.machines import OwnServers

pytestmark = pytest.mark.hosts


def test_a_first_run_that_is_killed_is_continued_by_the_next(own: OwnServers) -> None:
    for machine in own.machines:
        own.before[machine] = own.files(machine) | own.accounts(machine)
    own.use("first")
    running = subprocess.Popen(
        ["scripts/up", "mine"],
        cwd=own.clone.folder,
        env=own.clone.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert running.stdout
    # In the middle of it: the packages of both are being installed.
    for line in running.stdout:
        if "packages: installing" in line:
            break
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert "is up: http://" in own.up()
    page = own.page("first")
    assert page.status_code == 200
    assert "Ada Lovelace" in page.text
    assert "Grace Hopper" in page.text


def test_a_second_up_changes_nothing_and_logs_in_nowhere(own: OwnServers) -> None:
    before = own.on("first", "journalctl -u ssh | grep -c Accepted")
    assert re.search(r"Resources:\n +\d+ unchanged\n", own.up())
    # This question was one more.
    after = own.on("first", "journalctl -u ssh | grep -c Accepted")
    assert int(after) == int(before) + 1


def test_nothing_was_asked_of_digitalocean(own: OwnServers) -> None:
    state = own.clone.pulumi("stack export --stack mine")
    assert "digitalocean" not in state
    assert "DIGITALOCEAN_TOKEN" not in own.clone.environment


def test_no_private_key_of_the_owner_is_in_the_state(own: OwnServers) -> None:
    state = own.clone.pulumi("stack export --stack mine --show-secrets")
    line = own.key.read_text().splitlines()[3]
    assert "BEGIN OPENSSH PRIVATE KEY" in state
    assert line not in state


def test_each_server_keeps_its_own_name_system_and_way_in(own: OwnServers) -> None:
    assert own.on("first", "hostname").strip() == "first"
    for server, version in {"web": "12", "db": "13"}.items():
        said = own.clone.run(f"scripts/ssh mine {server} cat /etc/os-release").stdout
        assert f"Debian GNU/Linux {version}" in said
    assert own.on("first", "systemctl is-system-running --wait || true").strip() == "running"


def test_postgresql_answers_the_web_server_and_nobody_else(own: OwnServers) -> None:
    data = own.machines["data"]
    ask = "timeout 3 bash -c ': </dev/tcp/{address}/5432' 2>/dev/null && echo open || echo closed"
    private, public = (ask.format(address=each) for each in (data.private_address, data.address))
    assert own.on("first", private) == "open\n"
    assert own.on("second", private) == "closed\n"
    assert own.on("data", public) == "closed\n"
    rules = own.on("data", "cat /etc/postgresql/17/main/pg_hba.conf")
    assert f" {own.machines['first'].private_address}/32 " in rules


def test_the_firewall_outlives_another_one_that_empties_all_tables(own: OwnServers) -> None:
    own.on("data", "systemctl restart nftables")
    assert "dport 5432" in own.on("data", "nft list table inet slipway")
    # As it was before.
    own.on("data", "systemctl stop nftables; systemctl start slipway-firewall")


def test_a_release_goes_live_and_back(own: OwnServers) -> None:
    own.clone.edit("app/templates/users.html", "</h1>", ", second edition</h1>")
    own.up()
    assert ", second edition</h1>" in own.page("first").text
    second = own.output("release")["id"]
    own.clone.run("scripts/rollback mine")
    assert ", second edition</h1>" not in own.page("first").text
    own.clone.run(f"scripts/rollback mine {second}")
    assert ", second edition</h1>" in own.page("first").text
    assert "gunicorn" in own.clone.run("scripts/logs mine web --lines 500").stdout


def test_status_knows_these_servers_and_notices_a_firewall_that_is_gone(own: OwnServers) -> None:
    well = own.clone.run("scripts/status mine || true").stdout
    assert re.search(r"^web +[0-9a-f]{12} ", well, re.MULTILINE)
    assert re.search(r"^db +PostgreSQL 17 ", well, re.MULTILINE)
    assert not re.search(r"^(web|db): ", well, re.MULTILINE)
    own.on("data", "systemctl stop slipway-firewall")
    said = own.clone.run("scripts/status mine", fails=True).stdout
    assert "db: slipway-firewall.service is inactive" in said
    own.on("data", "systemctl start slipway-firewall")


def test_a_second_web_server_serves_the_release(own: OwnServers) -> None:
    own.use("first", "second")
    own.trust()
    own.up()
    assert [each["server"] for each in own.output("web")] == ["web", "web-2"]
    for machine in ("first", "second"):
        assert ", second edition</h1>" in own.page(machine).text


def test_a_server_that_leaves_is_left_clean_and_the_others_serve_on(own: OwnServers) -> None:
    own.use("second")
    own.up()
    assert ", second edition</h1>" in own.page("second").text
    with pytest.raises(httpx.TransportError):
        own.page("first")
    own.on("first", "while getent passwd deploy; do sleep 0.5; done")
    assert own.left_behind("first") == set()
    assert own.on("first", "nft list tables") == ""
    assert re.search(r"Resources:\n +\d+ unchanged\n", own.up())


def test_another_host_key_stops_everything_until_somebody_says_that_it_is_meant(
    own: OwnServers,
) -> None:
    before = own.fingerprint("second")
    own.on(
        "second",
        "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f"
        " /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh",
    )
    own.clone.edit("app/templates/users.html", "second edition", "third edition")
    said = own.up(fails=True)
    address = own.machines["second"].address
    assert f"webHosts: {address} shows the host key {own.fingerprint('second')}" in said
    assert f"but {before} is pinned" in said
    assert "second edition" in own.page("second").text
    own.trust()
    own.up()
    assert "third edition" in own.page("second").text


def test_after_down_the_servers_and_their_data_stay(own: OwnServers) -> None:
    said = own.clone.run("scripts/down mine", fails=True).stderr
    assert "takes the site away from its servers: say --yes" in said
    own.clone.run("scripts/down mine --yes")
    for machine in ("second", "data"):
        own.on(machine, "while getent passwd deploy; do sleep 0.5; done")
        assert own.on(machine, "nft list tables; ls /etc/slipway 2>/dev/null || true") == ""
    count = "runuser -u postgres -- psql -qtAX site -c 'SELECT count(*) FROM users'"
    assert own.on("data", count) == "2\n"


def test_and_another_up_finds_the_data_again(own: OwnServers) -> None:
    own.on(
        "data",
        "runuser -u postgres -- psql -qX site -c"
        " \"UPDATE users SET name = 'Ada of before' WHERE name LIKE 'Ada%'\"",
    )
    own.up()
    assert "Ada of before" in own.page("second").text
    own.clone.run("scripts/down mine --yes")
