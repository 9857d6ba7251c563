"""The state of a stack with a web and a db server, as the engine exports it; and healthy facts."""

from __future__ import annotations

import hashlib
from typing import Any

from components.core.put_file import PutFile, Unit
from components.core.shell import as_root
from components.servers.distributions import registry
from components.servers.distributions.distribution import Distribution

NOW = 1_800_000_000.0
RELEASE = "a" * 12
NGINX = "/etc/nginx/sites-available/site"
POSTGRESQL = "/etc/postgresql/15/main/conf.d/slipway.conf"
SSHD = "/etc/ssh/sshd_config.d/slipway.conf"
UPDATES = "/etc/apt/apt.conf.d/60slipway"
NGINX_UNIT = Unit(name="nginx.service", verb="reload-or-restart", serves=True)
DATABASE_UNIT = Unit(name="postgresql.service", verb="restart", serves=True)
DEBIAN = registry.of("debian", "12")
TOOLS = ("/usr/local/sbin/slipway-put-file", "/usr/local/sbin/slipway-note")
TOOL = "#!/bin/sh\n"
DROPLETS = {"web": "1001", "web-2": "1002", "db": "1003"}


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def urn(name: str) -> str:
    return f"urn:pulumi:local::slipway::command:remote:Command::{name}"


def command(server: str, what: str, script: str, **more: str) -> dict[str, Any]:
    return {
        "type": "command:remote:Command",
        "urn": urn(f"{server}-{what}"),
        "inputs": {"create": as_root(script), "triggers": [DROPLETS[server]], **more},
        "outputs": {"stdout": ""},
    }


def file(
    server: str, what: str, path: str, mode: str = "0644", unit: Unit | None = None
) -> dict[str, Any]:
    """A RemoteFile whose content is its path."""
    put = PutFile(path=path, mode=mode, check="nginx -t", then="it's", unit=unit)
    made = command(server, what, put.script)
    return {**made, "outputs": {"stdout": sha256(path)}}


def droplet(name: str) -> dict[str, Any]:
    return {
        "type": "digitalocean:index/droplet:Droplet",
        "urn": f"urn:pulumi:local::slipway::digitalocean:index/droplet:Droplet::{name}",
        "id": DROPLETS[name],
        "inputs": {},
        "outputs": {"name": f"dev-{name}", "ipv4Address": f"203.0.113.{DROPLETS[name][-1]}"},
    }


def generated(name: str) -> dict[str, Any]:
    return {
        "type": "command:local:Command",
        "urn": urn(name),
        "inputs": {},
        "outputs": {"stdout": "ssh-ed25519 PUBLIC\nPRIVATE"},
    }


def server(name: str, system: Distribution = DEBIAN) -> list[dict[str, Any]]:
    return [
        {
            "type": "slipway:index:Server",
            "urn": f"urn:pulumi:local::slipway::slipway:index:Server::{name}",
            "inputs": {},
            "outputs": {"system": system.facts, "tools": dict.fromkeys(TOOLS, sha256(TOOL))},
        },
        droplet(name),
        generated(f"{name}-host-key"),
        command(name, "bootstrap", 'sh -c "$(cat)"', stdin="…"),
        command(name, "packages", "apt-get install …"),
        file(name, "sshd", SSHD, unit=Unit(name=system.ssh_unit, verb="reload")),
        file(name, "updates", UPDATES, unit=Unit(name=system.updates_unit, verb="start")),
    ]


def web_server(name: str) -> list[dict[str, Any]]:
    return [
        *server(name),
        file(name, "nginx", NGINX, unit=NGINX_UNIT),
        file(name, "environment", "/etc/slipway/site/env", mode="0600"),
        file(name, "settings", "/etc/slipway/site/app.json"),
        command(name, "switch", f"releasectl --app site switch {RELEASE}"),
        command(name, "confirm", f"releasectl --app site confirm {RELEASE}"),
    ]


def resources() -> list[dict[str, Any]]:
    stack = {
        "type": "pulumi:pulumi:Stack",
        "urn": "urn:pulumi:local::slipway::pulumi:pulumi:Stack::slipway-local",
        "inputs": {},
        "outputs": {"release": {"id": RELEASE}},
    }
    database = [*server("db"), file("db", "postgresql-conf", POSTGRESQL, unit=DATABASE_UNIT)]
    key = generated("deploy-key")
    return [stack, key, *web_server("web"), *web_server("web-2"), *database]


def facts(server: str = "web") -> dict[str, Any]:
    """Of a server on which all is well."""
    running = {"active": "active", "enabled": "enabled"}
    paths = [each for each in resources() if each["outputs"].get("stdout", "").isalnum()]
    mine = [each for each in paths if each["inputs"].get("triggers") == [DROPLETS[server]]]
    files = {}
    for each in mine:
        put = PutFile.in_command(each["inputs"]["create"])
        assert put
        files[put.path] = good_file(put.path, put.mode)
    for tool in TOOLS:
        files[tool] = good_file(TOOL, "0755")
    role: dict[str, Any] = {"postgresql": {"version": "15", "accepts": True}}
    units = ["ssh", "unattended-upgrades", "postgresql" if server == "db" else "nginx"]
    if server != "db":
        application = {"current": RELEASE, "instance": f"{RELEASE}-1", "unit": "site@1.service"}
        state = {"unit_state": "active", "starts_at_boot": True, "problem": None}
        change = {"at": "2027-01-15T07:00:00Z", "by": "ada", "what": "switch", "outcome": "ok"}
        role = {
            "application": {**application, **state, "entry_problem": None},
            "maintenance": False,
            "last_change": change,
        }
    return {
        "time": NOW,
        "load": 0.5,
        "processors": 2,
        "memory": {"total": 2**30, "used": 2**29},
        "disk": {"total": 10 * 2**30, "used": 2**30},
        "uptime": 3 * 86400.0,
        "reboot_required": False,
        "units": {f"{unit}.service": dict(running) for unit in units},
        "failed_units": [],
        "missing_packages": [],
        "files": files,
        "certificates": {},
        **role,
    }


def good_file(content: str, mode: str = "0644") -> dict[str, Any]:
    digest = sha256(content)
    return {
        "sha256": digest,
        "mode": mode,
        "owner": "root:root",
        "changed": NOW - 60,
        "recorded": digest,
    }
