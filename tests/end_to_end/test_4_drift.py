"""What was changed on a server by hand: scripts/status tells it, scripts/repair puts it right."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.clone import Clone

pytestmark = pytest.mark.hosts

NGINX = "/etc/nginx/sites-available/site"
PUT_FILE = "/usr/local/sbin/slipway-put-file"
INSTANCE = "$(systemctl list-units --plain --no-legend 'site@*' | cut -d' ' -f1)"


def status(site: Clone) -> dict[str, Any]:
    """What it says to programs; its exit status is that of the worst finding."""
    done = subprocess.run(
        ["scripts/status", "local", "--json"],
        cwd=site.folder,
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == found["status"], done.stderr
    return found


def said(found: dict[str, Any]) -> list[str]:
    return [f"{each['server']}: {each['text'].splitlines()[0]}" for each in found["findings"]]


def repaired(site: Clone) -> str:
    """What the repair said, after which all is well and the release is what it was."""
    before = site.output("release")
    told = site.run("scripts/repair local")
    found = status(site)
    assert (found["status"], said(found)) == (0, [])
    assert site.output("release") == before
    assert site.get().status_code == 200
    return told.stdout + told.stderr


def test_files_that_were_changed_by_hand_are_put_back(site: Clone) -> None:
    rendered = site.on("web", f"cat {NGINX}")
    site.on("web", f"sudo sed -i 's/expires 300s/expires 301s/' {NGINX}")
    site.on("web", "sudo chmod 0644 /etc/slipway/site/env && sudo rm /etc/tmpfiles.d/site.conf")
    site.on("db", "sudo chown root /etc/postgresql/15/main/pg_hba.conf")
    found = status(site)
    assert found["status"] == 1
    assert set(said(found)) == {
        f"web: {NGINX} was changed on the server",
        "web: /etc/slipway/site/env has mode 0644 instead of 0600",
        "web: /etc/tmpfiles.d/site.conf is missing",
        "db: /etc/postgresql/15/main/pg_hba.conf belongs to root:postgres"
        " instead of postgres:postgres",
    }
    assert "unchanged\n" in site.run("scripts/up local").stdout
    assert status(site)["status"] == 1, "an update alone compares with its state, not with servers"
    assert "+-4 replaced" in repaired(site)
    assert site.on("web", f"cat {NGINX}") == rendered


def test_a_repair_does_not_release_what_the_folder_holds_by_now(site: Clone) -> None:
    site.edit("app/templates/users.html", "</h1>", ", not released yet</h1>")
    try:
        site.on("web", f"sudo systemctl disable --now {INSTANCE}")
        assert site.get().status_code == 502
        repaired(site)
        assert "not released yet" not in site.get().text
    finally:
        site.edit("app/templates/users.html", ", not released yet</h1>", "</h1>")
    assert "slipway:release" not in (site.folder / "Pulumi.local.yaml").read_text()
    enabled = site.on("web", f"systemctl is-enabled {INSTANCE}")
    assert enabled.split() == ["enabled"]


def test_services_that_were_stopped_or_disabled_run_again(site: Clone) -> None:
    site.on("db", "sudo systemctl stop postgresql")
    site.on("web", "sudo systemctl stop nginx && sudo systemctl disable nginx")
    found = status(site)
    assert found["status"] == 2
    assert {"web: nginx.service is inactive", "db: postgresql.service is inactive"} <= {
        *said(found)
    }
    repaired(site)
    assert site.on("web", "systemctl is-enabled nginx").strip() == "enabled"


def test_what_repairs_can_be_repaired_and_packages_are_installed_again(site: Clone) -> None:
    """Three repairs in one: the package, the file that went with it, the service that reads it."""
    purge = "sudo DEBIAN_FRONTEND=noninteractive apt-get purge -qq"
    site.on("web", f"{purge} nginx-light nginx-common unattended-upgrades >/dev/null 2>&1")
    site.on("web", f"sudo rm /usr/local/bin/releasectl {PUT_FILE}")
    found = status(site)
    assert found["status"] == 2
    assert {
        "web: nginx.service is inactive",
        "web: the package nginx-light is missing",
        "web: the package unattended-upgrades is missing",
        f"web: {NGINX} is missing",
        f"web: {PUT_FILE} is missing",
        "web: what is served cannot be told: there is no releasectl",
    } <= {*said(found)}
    repaired(site)


def test_a_server_out_of_reach_is_said_and_the_others_are_looked_at(site: Clone) -> None:
    web = site.output("web")[0]["address"]
    site.run(
        f"nft add table inet {site.place.table}; nft 'add chain inet {site.place.table} out"
        " { type filter hook output priority -10; }'"
        f"; nft add rule inet {site.place.table} out ip daddr {web} tcp dport 22 drop"
    )
    try:
        found = status(site)
        shown = site.run("scripts/repair local", fails=True).stderr
    finally:
        site.run(f"nft delete table inet {site.place.table}")
    assert found["status"] == 2
    assert [each["reachable"] for each in found["servers"]] == [False, True]
    assert said(found)[0].startswith("web: does not answer: ssh: connect to host")
    assert "not for a repair: web: does not answer" in shown
    assert status(site)["status"] == 0
