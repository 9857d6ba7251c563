"""From what the state says and what a server is like to what is wrong, how bad, and what helps."""

from __future__ import annotations

from typing import Any

import pytest

from cli.servers import findings
from cli.servers.desired_state import expectations
from cli.servers.finding import DAY, Finding, Level
from components.servers.distributions import registry
from tests.unit.stack_state import (
    NGINX,
    NOW,
    RELEASE,
    command,
    facts,
    file,
    good_file,
    resources,
    server,
    sha256,
    urn,
)

EXPECTED = expectations(resources())
OTHER = "b" * 12


def judged(server: str = "web", **changed: Any) -> list[Finding]:
    seen = {**facts(server), **changed}
    return findings.of_server(EXPECTED[server], seen, stack="local", now=NOW)


def the_one(server: str = "web", **changed: Any) -> Finding:
    (found,) = judged(server, **changed)
    assert found.server == server
    return found


def with_file(path: str, found: dict[str, Any] | None) -> dict[str, Any]:
    files = facts()["files"]
    assert path in files
    return {**files, path: found and {**files[path], **found}}


def with_unit(server: str, unit: str, **state: str) -> dict[str, Any]:
    units = facts(server)["units"]
    return {**units, unit: {**units[unit], **state}}


def with_application(**state: Any) -> dict[str, Any]:
    return {**facts()["application"], **state}


# What is expected


def test_the_state_says_which_files_a_server_has_and_what_puts_them_there() -> None:
    nginx = EXPECTED["web"].files[NGINX]
    assert (nginx.sha256, nginx.put.mode, nginx.put.owner) == (sha256(NGINX), "0644", "root:root")
    assert nginx.urn == urn("web-nginx")
    assert EXPECTED["web-2"].files[NGINX].urn == urn("web-2-nginx")
    assert NGINX not in EXPECTED["db"].files


def test_the_bootstrap_puts_a_file_there_too() -> None:
    put_file = EXPECTED["db"].files["/usr/local/sbin/slipway-put-file"]
    assert (put_file.sha256, put_file.put.mode) == (sha256("#!/bin/sh\n"), "0755")
    assert put_file.urn == urn("db-bootstrap")


def test_a_server_runs_the_units_that_its_files_declare() -> None:
    common = {"ssh.service", "unattended-upgrades.service"}
    assert set(EXPECTED["web"].units) == {*common, "nginx.service"}
    assert set(EXPECTED["db"].units) == {*common, "postgresql.service"}
    assert (EXPECTED["web"].application, EXPECTED["web"].postgresql) == ("site", False)
    assert (EXPECTED["db"].application, EXPECTED["db"].postgresql) == (None, True)


def test_a_family_s_own_names_are_looked_for() -> None:
    units = expectations(server("web", registry.of("rocky", "9.5")))["web"].units
    assert set(units) == {"sshd.service", "dnf-automatic.timer"}


# What is wrong


@pytest.mark.parametrize("server", ["web", "web-2", "db"])
def test_of_a_server_as_it_should_be_nothing_is_said(server: str) -> None:
    assert judged(server) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "is missing"),
        ({"sha256": sha256("by hand")}, "was changed on the server"),
        (
            {"sha256": sha256("newer"), "recorded": sha256("newer")},
            "is from an update that the stack's state does not know of",
        ),
        ({"mode": "0666"}, "has mode 0666 instead of 0644"),
        (
            {"mode": "0600", "owner": "site:site"},
            "has mode 0600 instead of 0644 and belongs to site:site instead of root:root",
        ),
    ],
)
def test_a_file_that_is_not_as_it_was_put_is_drift(found: dict[str, Any] | None, said: str) -> None:
    finding = the_one(files=with_file(NGINX, found))
    assert finding.level is Level.WARNING
    assert finding.text == f"{NGINX} {said}"
    assert finding.repair == (urn("web-nginx"),)


def test_a_file_that_was_put_before_there_were_records_is_compared_all_the_same() -> None:
    assert judged(files=with_file(NGINX, {"recorded": None})) == []
    changed = {"recorded": None, "sha256": sha256("by hand")}
    assert the_one(files=with_file(NGINX, changed)).text.endswith("was changed on the server")


@pytest.mark.parametrize(
    ("server", "unit", "level", "repair"),
    [
        ("web", "nginx.service", Level.CRITICAL, "web-nginx"),
        ("db", "postgresql.service", Level.CRITICAL, "db-postgresql-conf"),
        ("db", "unattended-upgrades.service", Level.WARNING, "db-updates"),
        ("web", "ssh.service", Level.WARNING, "web-sshd"),
    ],
)
def test_a_service_that_is_stopped_is_started_by_what_puts_its_file_there(
    server: str, unit: str, level: Level, repair: str
) -> None:
    finding = the_one(server, units=with_unit(server, unit, active="inactive"))
    assert (finding.level, finding.repair) == (level, (urn(repair),))
    assert finding.text == f"{unit} is inactive"


@pytest.mark.parametrize("state", ["disabled", "masked"])
def test_a_service_that_the_next_boot_would_not_start_is_drift(state: str) -> None:
    finding = the_one(units=with_unit("web", "nginx.service", enabled=state))
    assert finding.level is Level.WARNING
    assert "not started at boot" in finding.text
    assert finding.repair == (urn("web-nginx"),)


def test_a_database_that_takes_nobody_is_down_though_its_service_is_active() -> None:
    finding = the_one("db", postgresql={"version": "15", "accepts": False})
    assert (finding.level, finding.repair) == (Level.CRITICAL, (urn("db-postgresql-conf"),))


def test_a_stopped_database_is_said_once() -> None:
    units = with_unit("db", "postgresql.service", active="inactive")
    assert len(judged("db", units=units, postgresql={"version": "15", "accepts": False})) == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"unit_state": "failed"}, "the application is failed (site@1.service)"),
        ({"instance": None, "current": None}, "no release serves"),
    ],
)
def test_an_application_that_does_not_run_is_started_by_a_switch(
    state: dict[str, Any], said: str
) -> None:
    finding = the_one(application=with_application(**state), failed_units=["site@1.service"])
    assert (finding.level, finding.text) == (Level.CRITICAL, said)
    assert finding.repair == (urn("web-switch"), urn("web-confirm")), "or it would go back again"


def test_an_application_that_runs_and_is_not_well_is_for_a_person() -> None:
    finding = the_one(application=with_application(problem="/healthz answers 500, not 200"))
    assert (finding.level, finding.repair) == (Level.CRITICAL, ())
    assert finding.advice == "scripts/logs local web"


def test_an_application_that_nginx_does_not_lead_to_is_repaired_at_nginx() -> None:
    finding = the_one(application=with_application(entry_problem="/healthz answers 404, not 200"))
    assert (finding.level, finding.repair) == (Level.CRITICAL, (urn("web-nginx"),))


def test_an_application_that_the_next_boot_would_not_start_is_drift() -> None:
    finding = the_one(application=with_application(starts_at_boot=False))
    assert (finding.level, finding.repair[0]) == (Level.WARNING, urn("web-switch"))


def test_where_releasectl_is_gone_it_is_the_file_that_is_repaired() -> None:
    finding = the_one(application={"error": "there is no releasectl"})
    assert (finding.level, finding.repair) == (Level.CRITICAL, ())


def test_a_missing_package_is_installed_by_the_step_that_did() -> None:
    finding = the_one(missing_packages=["unattended-upgrades"])
    assert (finding.level, finding.repair) == (Level.WARNING, (urn("web-packages"),))


def test_a_failed_unit_that_is_not_ours_is_for_a_person() -> None:
    finding = the_one(failed_units=["backup.service"])
    assert (finding.level, finding.repair) == (Level.WARNING, ())


def test_how_an_instance_ended_that_no_longer_serves_is_no_fault() -> None:
    assert judged(failed_units=["site@old.service"]) == []


@pytest.mark.parametrize(
    ("used", "level"),
    [(8.9, None), (9.0, Level.WARNING), (9.7, Level.WARNING), (9.8, Level.CRITICAL)],
)
def test_a_disk_that_fills_up_is_said_in_time(used: float, level: Level | None) -> None:
    found = judged(disk={"total": 10.0, "used": used})
    assert [finding.level for finding in found] == ([level] if level else [])


@pytest.mark.parametrize(
    ("days", "level"),
    [(30, None), (14, None), (13.5, Level.WARNING), (0.1, Level.WARNING), (-1, Level.CRITICAL)],
)
def test_a_certificate_is_said_before_it_runs_out(days: float, level: Level | None) -> None:
    found = judged(certificates={"/etc/site.pem": NOW + days * DAY})
    assert [finding.level for finding in found] == ([level] if level else [])


@pytest.mark.parametrize(("off", "said"), [(3600, "ahead of"), (-3600, "behind"), (5, "")])
def test_a_clock_that_is_wrong_is_said(off: float, said: str) -> None:
    found = judged(time=NOW + off)
    assert [finding.level for finding in found] == ([Level.WARNING] if said else [])
    assert all(f"3600 s {said}" in finding.text for finding in found)


def test_a_reboot_that_is_due_is_worth_a_word_and_nothing_worse() -> None:
    assert the_one(reboot_required=True).level is Level.WELL


def test_the_worst_comes_first() -> None:
    units = with_unit("web", "nginx.service", active="failed")
    found = judged(units=units, missing_packages=["nginx-light"], reboot_required=True)
    assert [finding.level for finding in found] == [2, 1, 0]
    assert findings.worst(found) == 2
    assert findings.worst([]) == 0


def test_a_server_out_of_reach_is_down_and_what_to_do_is_said() -> None:
    finding = findings.unreachable(EXPECTED["web-2"], "No route to host", stack="local")
    assert (finding.level, finding.server, finding.repair) == (Level.CRITICAL, "web-2", ())
    assert finding.text == "does not answer: No route to host"
    assert f"--replace '{EXPECTED['web-2'].machine}'" in finding.advice


def test_servers_that_serve_another_release_than_the_outputs_say_are_named() -> None:
    seen = {"web": facts(), "web-2": {**facts("web-2")}, "db": facts("db")}
    assert findings.of_releases(EXPECTED, seen, RELEASE, {}) == []
    seen["web-2"]["application"] = with_application(current=OTHER)
    (finding,) = findings.of_releases(EXPECTED, seen, RELEASE, {})
    assert (finding.server, finding.level) == ("web-2", Level.WARNING)
    assert finding.text == f"serves release {OTHER}, the stack's outputs say {RELEASE}"
    assert finding.repair == (urn("web-2-switch"), urn("web-2-confirm"))


# Further sites


def with_a_shop() -> tuple[dict[str, Any], dict[str, Any]]:
    """What is expected of a server that serves a shop besides, and what is found there."""
    further = [
        file("web", "shop-releasectl-settings", "/etc/slipway/shop/app.json"),
        command("web", "shop-switch", f"releasectl --app shop switch {OTHER}"),
        command("web", "shop-confirm", f"releasectl --app shop confirm {OTHER}"),
    ]
    state = with_application(current=OTHER, unit="shop@2.service")
    path = "/etc/slipway/shop/app.json"
    files = {**facts()["files"], path: good_file(path)}
    expected = expectations([*resources(), *further])
    return expected, {**facts(), "files": files, "sites": {"shop": state}}


def test_a_further_site_is_known_by_its_settings_and_changes_nothing_of_the_first() -> None:
    expected, seen = with_a_shop()
    assert (expected["web"].application, expected["web"].sites) == ("site", ["shop"])
    assert expected["web"].serving == (urn("web-switch"), urn("web-confirm"))
    assert findings.of_server(expected["web"], seen, stack="local", now=NOW) == []
    assert findings.of_releases(expected, {"web": seen}, RELEASE, {"shop": OTHER}) == []


def test_a_further_site_that_is_down_is_named_and_repaired_by_itself() -> None:
    expected, seen = with_a_shop()
    seen["sites"]["shop"]["unit_state"] = "failed"
    seen["failed_units"] = ["shop@2.service"]
    (finding,) = findings.of_server(expected["web"], seen, stack="local", now=NOW)
    assert finding.text == "shop: the application is failed (shop@2.service)"
    assert finding.level is Level.CRITICAL
    assert finding.repair == (urn("web-shop-switch"), urn("web-shop-confirm"))


def test_a_further_site_that_serves_another_release_than_the_outputs_say_is_named() -> None:
    expected, seen = with_a_shop()
    (finding,) = findings.of_releases(expected, {"web": seen}, RELEASE, {"shop": RELEASE})
    assert finding.text == f"shop: serves release {OTHER}, the stack's outputs say {RELEASE}"
    assert finding.repair == (urn("web-shop-switch"), urn("web-shop-confirm"))
