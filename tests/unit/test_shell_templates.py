"""Every shell script that runs on a server or makes a key passes shellcheck, as it is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.app_servers.registry import APP_SERVERS
from components.application import web
from components.core.render import FOLDER, render
from components.servers import keys
from components.servers.distributions import registry
from components.servers.remote import TOOLS, TOOLS_FOLDER, UPDATED_BY

APPLICATION = {
    "app": "site",
    "root": "/srv/site",
    "configuration": "/etc/slipway/site",
    "web_user": "www-data",
    "is_first": True,
}
RHEL = registry.of("rocky", "9.5")
AFTERWARDS = {
    "web": [*web.post_install(RHEL), *RHEL.post_install["web"]],
    "db": RHEL.post_install["db"],
}
SCRIPTS: dict[str, dict[str, Any]] = {
    "bootstrap.sh": {
        "machine": "1001",
        "machine_file": "/var/lib/slipway/machine",
        "folder": TOOLS_FOLDER,
        "tools": {tool.name: tool.read_text() for tool in TOOLS},
        "updated_by": "ada@laptop",
        "updated_by_file": UPDATED_BY,
    },
    "install_packages.sh": {"packages": ["nginx-light"], "afterwards": AFTERWARDS["web"]},
    "install_packages_dnf.sh": {"packages": ["nginx", "nftables"], "afterwards": AFTERWARDS["db"]},
    "deploy_user.sh": {"user": "deploy", "key": "ssh-ed25519 AAAA slipway"},
    "open_port.sh": {"port": 80},
    "remove_app.sh": APPLICATION,
    "create_database.sh": {"role": "site", "database": "site", "epoch": "2026-11-29T02:00:00Z"},
    "mark_database.sh": {"database": "site", "mark": "2026-11-29T02:00:00Z"},
    "prepare_app.sh": APPLICATION,
    "prepare_app.sh, a further site": APPLICATION | {"is_first": False},
    "keep_old_port.sh": APPLICATION
    | {"behind": "10.20.0.0/24", "web_port": 80, "site": "/etc/nginx/site"},
    "keep_old_port.sh, no load balancer": APPLICATION | {"behind": "", "web_port": 80, "site": ""},
    "close_old_port.sh": APPLICATION,
    "drain_server.sh": APPLICATION | {"server": "web-2", "user": "deploy", "drain_seconds": 30},
    "on_server.sh": {"server": "web-2", "user": "deploy", "command": "sudo sh -c 'true'"},
    "step_aside.sh": APPLICATION | {"drain_seconds": 30, "seconds_to_judge": 7},
    "supervise.sh": APPLICATION | {"runs": APP_SERVERS["gunicorn"]},
    "serve_gunicorn.sh": APPLICATION | {"module": "wsgi:app()"},
    "serve_uwsgi.sh": APPLICATION | {"workers": 0},
    "serve_mod_wsgi.sh": APPLICATION | {"workers": 0, "runs": APP_SERVERS["mod_wsgi"]},
}


def shellcheck(script: str) -> str:
    """What shellcheck says of a shell script, POSIX unless it says otherwise; nothing if well."""
    shell = "bash" if script.startswith("#!/bin/bash\n") else "sh"
    program = Path(sys.executable).with_name("shellcheck")
    return subprocess.run(
        [program if program.exists() else "shellcheck", f"--shell={shell}", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_no_shell_template_is_forgotten_here() -> None:
    checked = {name.split(",")[0] for name in SCRIPTS}
    # Checked as a part of those that include it.
    assert checked | {"pause.sh", "over_ssh.sh"} == {path.name for path in FOLDER.glob("*.sh")}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_for_a_server_passes_shellcheck(name: str) -> None:
    values = {"check": "", "then": ""} | SCRIPTS[name]
    assert shellcheck(render(name.split(",")[0], **values)) == ""


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_of_a_server_passes_shellcheck(tool: Path) -> None:
    assert shellcheck(tool.read_text()) == ""


@pytest.mark.parametrize("script", [keys._NEW_KEY_PAIR, keys._NEW_RANDOM_DIGITS])
def test_a_script_that_makes_a_secret_passes_shellcheck(script: str) -> None:
    assert shellcheck(script) == ""


def test_shellcheck_would_find_something() -> None:
    assert "SC2086" in shellcheck("rm $1\n")
