"""SSH to a server of an environment, with the keys from its state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.commands.engine import fail, outputs


def main(stack: str, name: str = "web", *command: str) -> int:
    known = outputs(stack, secrets=True)
    server = _find([*known.get("web", []), *filter(None, [known.get("db")])], name, stack)
    with TemporaryDirectory(dir=os.environ["SLIPWAY_HOME"]) as folder:
        # ssh reads keys from files only: ours is for this user alone, and goes with the call.
        key, hosts = Path(folder, "key"), Path(folder, "known_hosts")
        key.touch(mode=0o600)
        key.write_text(known["deploy_key"])
        hosts.write_text(f"{server['address']} {server['host_key']}\n")
        return subprocess.call(
            [
                "ssh",
                *("-i", str(key)),
                *("-o", "IdentitiesOnly=yes"),
                *("-o", f"UserKnownHostsFile={hosts}"),
                *("-o", "StrictHostKeyChecking=yes"),
                *("-o", "LogLevel=ERROR"),
                f"deploy@{server['address']}",
                *command,
            ]
        )


def _find(servers: list[dict[str, Any]], name: str, stack: str) -> dict[str, Any]:
    for server in servers:
        if name in (server["server"], server["name"]):
            return server
    names = ", ".join(server["server"] for server in servers) or "none yet"
    return fail(f"{stack} has no server {name!r}: must be one of {names}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
