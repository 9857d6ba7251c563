"""The state of a stack with a web and a db server, as the engine exports it; and healthy facts."""

from __future__ import annotations

import hashlib
import shlex
from typing import Any

from components.core.render import render
from components.core.shell import as_root
from components.servers.distributions import registry

NOW = 1_800_000_000.0
RELEASE = "a" * 12
NGINX = "/etc/nginx/sites-available/site"
POSTGRESQL = "/etc/postgresql/15/main/conf.d/slipway.conf"
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


def file(server: str, what: str, path: str, mode: str = "0644") -> dict[str, Any]:
    """A RemoteFile whose content is its path."""
    made = command(
        server, what, f"slipway-put-file {path} {mode} root:root 'nginx -t' 'it'\"'\"'s'"
    )
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


def server(name: str) -> list[dict[str, Any]]:
    contact = render(
        "first_contact.sh",
        tools={"slipway-put-file": "#!/bin/sh\n", "slipway-note": "#!/bin/sh\n"},
        updated_by="ada",
        updated_by_file="/etc/slipway/updated-by",
    )
    return [
        {
            "type": "slipway:index:Server",
            "urn": f"urn:pulumi:local::slipway::slipway:index:Server::{name}",
            "inputs": {},
            "outputs": {"system": registry.of("debian", "12").facts},
        },
        droplet(name),
        generated(f"{name}-host-key"),
        command(name, "first-contact", 'sh -c "$(cat)"', stdin=contact),
        command(name, "packages", "apt-get install …"),
        file(name, "sshd", "/etc/ssh/sshd_config.d/slipway.conf"),
    ]


def web_server(name: str) -> list[dict[str, Any]]:
    return [
        *server(name),
        file(name, "nginx", NGINX),
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
    database = [*server("db"), file("db", "postgresql-conf", POSTGRESQL)]
    key = generated("deploy-key")
    return [stack, key, *web_server("web"), *web_server("web-2"), *database]


def facts(server: str = "web") -> dict[str, Any]:
    """Of a server on which all is well."""
    running = {"active": "active", "enabled": "enabled"}
    paths = [each for each in resources() if each["outputs"].get("stdout", "").isalnum()]
    mine = [each for each in paths if each["inputs"].get("triggers") == [DROPLETS[server]]]
    files = {}
    for each in mine:
        path, mode = shlex.split(shlex.split(each["inputs"]["create"])[-1])[1:3]
        files[path] = good_file(path, mode)
    for tool in ("slipway-put-file", "slipway-note"):
        files[f"/usr/local/sbin/{tool}"] = good_file("#!/bin/sh\n", "0755")
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
