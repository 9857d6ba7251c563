"""What the program asks of the engine for an environment on servers of one's own."""

from __future__ import annotations

from typing import Any

import pytest

from components.core import undo
from components.core.put_file import PutFile
from components.platform import preflight
from components.platform.preflight import HostFacts
from components.servers.distributions import registry
from components.settings.settings import Settings
from tests.components.conftest import Engine, Run, plain

OWN = {
    "webHosts": ["203.0.113.10 private=10.0.0.10", "203.0.113.11:2222 private=10.0.0.11"],
    "dbHost": "ada@203.0.113.20",
}
KEY = "ssh-ed25519 " + "A" * 44


@pytest.fixture
def own(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run` for hosts that have been looked at; what they run is a setting of the test."""

    def run_program(system: str = "debian 12", **settings: Any) -> Engine:
        def look(wanted: Settings, earlier: Any, stack: str) -> dict[str, HostFacts]:
            return {
                name: HostFacts(
                    host=host,
                    host_key=KEY,
                    distribution=registry.of(*system.split()),
                    os_release=system,
                )
                for name, host in wanted.own_hosts.items()
            }

        monkeypatch.setattr(preflight, "check", look)
        return run(**{**OWN, **settings})

    return run_program


def test_nothing_is_asked_of_digitalocean(own: Run) -> None:
    assert not [each for each in own().resources if each.type.startswith("digitalocean:")]


def test_a_web_server_is_configured_as_on_a_droplet(own: Run, run: Run) -> None:
    for name in ("web-nginx", "web-unit", "web-environment", "web-stage", "web-start"):
        # nginx behind a load balancer goes on with its old port for a while.
        servers = 1 if name == "web-nginx" else 2
        here, there = own().one(name).inputs, run(webCount=servers).one(name).inputs
        assert here["create"] == there["create"], name


def test_every_connection_pins_the_host_key_at_the_address_and_port(own: Run) -> None:
    engine = own()
    for each in [*engine.all("remote:Command"), *engine.all("remote:CopyToRemote")]:
        assert plain(plain(each.inputs["connection"])["hostKey"]) == KEY, each.name
    connection = plain(engine.one("web-2-nginx").inputs["connection"])
    assert (connection["host"], connection["port"]) == ("203.0.113.11", 2222)


def test_the_deploy_user_is_made_by_the_owner(own: Run) -> None:
    made = own().one("db-deploy-user").inputs
    assert "ada@203.0.113.20" in made["create"]
    assert "sudo -n sh -c" in made["create"]
    assert "ssh-ed25519 PUBLIC" in plain(made["stdin"])


def test_all_is_done_again_on_a_machine_with_another_host_key(own: Run) -> None:
    for each in own().all("Command"):
        if each.name.startswith("web-") and not each.name.endswith("-uninstall"):
            triggers = each.inputs.get("triggers")
            machine = triggers[0] if triggers else undo.machine_of(each.inputs["delete"])
            assert preflight.fingerprint(KEY) in str(machine), each.name


def test_postgresql_is_open_to_the_web_servers_only(own: Run) -> None:
    engine = own()
    rules = engine.one("database-pg-hba").inputs["stdin"]
    assert [line.split()[3] for line in rules.splitlines() if line.startswith("hostssl")] == [
        "10.0.0.10/32",
        "10.0.0.11/32",
    ]
    firewall = engine.one("db-firewall").inputs["stdin"]
    assert "tcp dport { 5432 } ip saddr != { 10.0.0.10/32, 10.0.0.11/32 } drop" in firewall
    assert (
        "listen_addresses = '203.0.113.20'"
        in engine.one("database-postgresql-conf").inputs["stdin"]
    )


def test_visitors_come_from_where_the_settings_say(own: Run) -> None:
    assert "drop" not in own().one("web-firewall").inputs["stdin"]
    some = own(httpFrom=["198.51.100.0/24"], webPort=8081).one("web-firewall").inputs["stdin"]
    assert "tcp dport { 8081 } ip saddr != { 198.51.100.0/24 } drop" in some


def test_with_names_the_port_of_https_is_open_as_well_and_servers_may_ask_each_other(
    own: Run,
) -> None:
    engine = own(httpFrom=["198.51.100.0/24"], serverNames=["www.example.org"])
    firewall = engine.one("web-firewall").inputs["stdin"]
    allowed = "198.51.100.0/24, 10.0.0.10/32, 10.0.0.11/32"
    assert f"tcp dport {{ 80, 443 }} ip saddr != {{ {allowed} }} drop" in firewall


def test_who_may_log_in_stays_as_the_owner_has_it(own: Run) -> None:
    said = own().one("web-sshd").inputs["stdin"]
    assert "PermitRootLogin" not in said
    assert "AllowUsers" not in said


def test_a_machine_that_leaves_is_cleaned_under_its_own_name(own: Run) -> None:
    """Not under its place in the list: the second may become the first, and stay."""
    leave = own().one("[203.0.113.11]:2222-uninstall").inputs
    assert leave["delete"].endswith("'slipway-remove --all'")
    assert "triggers" not in leave


def test_each_site_notes_on_the_machine_how_it_is_removed(own: Run) -> None:
    shop = {"appName": "shop", "serverNames": ["shop.example.org"], "releaseCommand": ""}
    engine = own(sites=[shop])
    assert "slipway-on-remove site-site" in engine.one("web-prepare").inputs["create"]
    assert "slipway-on-remove site-shop" in engine.one("web-shop-prepare").inputs["create"]
    assert "slipway-remove --site shop" in engine.one("web-shop-site").inputs["delete"]


def test_each_server_declares_its_units_and_what_stays_on_it(own: Run) -> None:
    engine = own()
    puts = {each.name: PutFile.in_command(each.inputs["create"]) for each in engine.all("Command")}
    units = {name: put.unit.name for name, put in puts.items() if put and put.unit}
    every = {
        "sshd": "ssh.service",
        "security-updates": "unattended-upgrades.service",
        "journal": "systemd-journald.service",
        "firewall-unit": "slipway-firewall.service",
    }
    assert units == {
        **{
            f"{server}-{what}": unit
            for server in ("web", "web-2", "db")
            for what, unit in every.items()
        },
        "web-nginx": "nginx.service",
        "web-2-nginx": "nginx.service",
        "database-postgresql-conf": "postgresql.service",
    }
    stay = {name for name, put in puts.items() if put and put.stays}
    assert stay == {"database-postgresql-conf", "database-pg-hba"}


def test_the_next_update_knows_what_was_seen(own: Run) -> None:
    known = own().exports["own_hosts"]
    assert known["203.0.113.20"] == {"key": preflight.fingerprint(KEY), "system": "debian 12"}
    assert own().exports["url"] == "http://203.0.113.10/"


@pytest.mark.parametrize(
    ("system", "known"), [("debian 12", True), ("rocky 9.5", False), ("rocky 10.0", True)]
)
def test_postgresql_13_is_not_told_to_look_after_clients(
    own: Run, system: str, known: bool
) -> None:
    file = own(system=system).one("database-postgresql-conf").inputs["stdin"]
    assert ("client_connection_check_interval" in file) is known


def test_the_rhel_family_gets_its_own_names(own: Run) -> None:
    """Rendered only: no such host is in these tests (docs/hosts-of-your-own.md)."""
    engine = own(system="rocky 9.5")
    create = {each.name: str(each.inputs["create"]) for each in engine.all("Command")}
    assert "dnf install" in create["web-packages"]
    assert "setsebool" in create["web-packages"]
    assert "python3.12" in create["web-packages"]
    assert "postgresql-setup --initdb" in create["db-packages"]
    assert "/etc/nginx/conf.d/site.conf" in create["web-nginx"]
    assert "sites-enabled" not in create["web-nginx"]
    assert "/var/lib/pgsql/data/pg_hba.conf" in create["database-pg-hba"]
    assert "--unit sshd.service --verb reload" in create["web-sshd"]
    assert "--unit dnf-automatic.timer --verb start" in create["web-security-updates"]
    assert "host/releasectl python3.12 " in create["web-releasectl"]
    assert "usermod --append --groups site nginx" in create["web-prepare"]
    everything = " ".join(create.values())
    assert "apt-get" not in everything
    assert "www-data" not in everything
