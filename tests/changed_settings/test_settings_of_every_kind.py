"""Settings of every kind change to another good and to a bad value on a living environment.

Visitors come all the while. After each change one server is rebooted, and the master of the
application is killed on the other: what comes back is what served, never what was refused.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.changed_settings.conftest import OTHER_HOST
from tests.clone import BOOT_ID
from tests.fleet.fleet import WebServers
from tests.visitors import Visitors

pytestmark = pytest.mark.hosts

SECONDS_UNTIL_IT_IS_BACK = 60
#: Of the requests of an update that says before that it interrupts something.
MOST_INTERRUPTED = 100


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is set instead of what is there."""

    good: Mapping[str, Any]
    bad: Mapping[str, Any]
    told: str
    """What is said of the bad value."""
    interruption: str = ""
    """What is said of the good one, before requests fail."""
    stays: bool = False
    """Whether there is no way back: a disk does not shrink."""


CHANGES = {
    "environment": Change(
        good={"appEnv": {"COLOUR": "blue"}},
        bad={"appEnv": {"REFUSE_TO_START": "1"}},
        told="RuntimeError: REFUSE_TO_START is set",
    ),
    "application server": Change(
        good={"appServer": "uwsgi"},
        bad={"appServer": "waitress"},
        told="appServer is waitress: must be gunicorn, uwsgi or mod_wsgi",
    ),
    "supervisor": Change(
        good={"supervisor": "supervisor"},
        bad={"supervisor": "runit"},
        told="supervisor is runit: must be systemd or supervisor",
    ),
    "workers": Change(
        good={"workers": 3}, bad={"workers": 1000}, told="workers is 1000: must be 1 to 128"
    ),
    "health path": Change(
        good={"healthPath": "/well"},
        bad={"healthPath": "/nothing"},
        told="/nothing answers 404, not 200",
    ),
    "health status": Change(
        good={"healthPath": "/empty", "healthStatus": 204},
        bad={"healthStatus": 202},
        told="/empty answers 204, not 202",
    ),
    "health host": Change(
        good={"healthHost": OTHER_HOST},
        bad={"healthHost": "intranet.example.org"},
        told="the Host header was 'intranet.example.org', from healthHost",
    ),
    "port": Change(
        good={"webPort": 8081}, bad={"webPort": 22}, told="webPort is 22, which SSH or PostgreSQL"
    ),
    "size": Change(
        good={"webSize": "s-1vcpu-1gb"},
        bad={"webSize": "s-99vcpu-1gb"},
        told="webSize is s-99vcpu-1gb",
        interruption="web, web-2 will be switched off for a moment, one after the other",
        stays=True,
    ),
    "database": Change(
        good={"dbConnections": 400},
        bad={"dbSize": "s-99vcpu-1gb"},
        told="dbSize is s-99vcpu-1gb",
        interruption="PostgreSQL will be restarted, and the sites have no database meanwhile",
    ),
    "name": Change(good={"namePrefix": "shop-"}, bad={"appName": "shop"}, told="so it stays site"),
    "network": Change(
        good={"httpFrom": ["0.0.0.0/1", "128.0.0.0/1"]},
        bad={"vpcRange": "10.99.0.0/24"},
        told="scripts/up local --destroy db",
    ),
    "release command": Change(
        good={"releaseCommand": "python release.py # again"},
        bad={"releaseCommand": "false"},
        told="release command failed with status 1",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_good_value_takes_effect_and_a_bad_one_changes_nothing(
    servers: WebServers, kind: str
) -> None:
    change = CHANGES[kind]
    with servers.setting(**change.good):
        with servers.visited(most_failed=MOST_INTERRUPTED if change.interruption else 0):
            assert change.interruption in servers.up()
        good = served_by(servers)
        survives(servers, good)
    with servers.setting(**{**change.good, **change.bad}):
        with servers.visited():
            said = servers.site.run("scripts/up local", fails=True)
        assert change.told in said.stdout + said.stderr
        survives(servers, good)
    with servers.setting(**change.good), servers.visited():
        servers.up()
        assert served_by(servers) == good
    if change.stays:
        for key, value in change.good.items():
            servers.site.pulumi(f"config set {key} {value} --stack local")


def served_by(servers: WebServers) -> dict[str, str]:
    """The instance on each server; all are well."""
    statuses = servers.statuses()
    for name, status in statuses.items():
        assert (status["problem"], status["entry_problem"]) == (None, None), f"{name}: {status}"
    return {name: status["instance"] for name, status in statuses.items()}


def survives(servers: WebServers, good: Mapping[str, str]) -> None:
    """What served comes back on a server whose master is killed, and on one that is rebooted."""
    # They print how many were in the hands of those that went, both at once.
    with Visitors(servers.address, host=servers.host):
        before = servers.everywhere(BOOT_ID, "web-2")
        servers.site.fleet.run_on_all("sudo systemctl reboot", servers=["web-2"])
        kill_master(servers, "web")
        rebooted(servers, "web-2", before)
        comes_back(servers, good)
    # Both were away at once: the load balancer takes a moment to let visitors in again.
    deadline = time.monotonic() + SECONDS_UNTIL_IT_IS_BACK
    while (status := status_for_a_visitor(servers)) != httpx.codes.OK:
        assert time.monotonic() < deadline, f"visitors get {status}"
        time.sleep(0.5)


def status_for_a_visitor(servers: WebServers) -> int:
    return httpx.get(servers.address, headers={"Host": servers.host}, timeout=10).status_code


def comes_back(servers: WebServers, good: Mapping[str, str]) -> None:
    deadline = time.monotonic() + SECONDS_UNTIL_IT_IS_BACK
    while (back := attempt(servers)) != good:
        assert time.monotonic() < deadline, f"{back}, not {good}"
        time.sleep(0.5)


def attempt(servers: WebServers) -> object:
    try:
        return served_by(servers)
    except AssertionError as error:  # it does not answer yet, or is not well yet
        return error


def kill_master(servers: WebServers, name: str) -> None:
    """kill -9 of the process that all workers of the serving instance come from."""
    servers.everywhere(
        "sudo sh -ec 'unit=$(releasectl --app site status |"
        ' python3 -c "import json, sys; print(json.load(sys.stdin)[\\"unit\\"])");'
        " case $unit in *.service) pid=$(systemctl show --property=MainPID --value $unit) ;;"
        " *) pid=$(supervisorctl pid $unit) ;; esac; kill -9 $pid'",
        name,
    )


def rebooted(servers: WebServers, name: str, before: dict[str, str]) -> None:
    deadline = time.monotonic() + SECONDS_UNTIL_IT_IS_BACK
    while boot_of(servers, name) in (None, before):
        assert time.monotonic() < deadline, f"{name} is not back"
        time.sleep(0.5)


def boot_of(servers: WebServers, name: str) -> dict[str, str] | None:
    try:
        return servers.everywhere(BOOT_ID, name)
    except AssertionError:
        return None
