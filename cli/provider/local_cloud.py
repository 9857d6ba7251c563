"""The local cloud of this clone, which some environments stand in instead of DigitalOcean."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cli.console import fail
from cli.engine.process import run
from cli.paths import home
from components.settings.stack_file import StackFile

_LOOPBACK = "127.0.0.1"


def folder() -> Path:
    """Where it keeps its state."""
    return home() / "local-cloud"


def roots() -> list[Path]:
    """The certificates of those who sign there; none where there is no local cloud."""
    files = (folder() / "authority" / "root.pem", folder() / "acme" / "roots.pem")
    return [each for each in files if each.is_file()]


def use_its_token() -> None:
    """Have the provider take its token, whatever the environment holds for DigitalOcean."""
    os.environ["DIGITALOCEAN_TOKEN"] = (folder() / "token").read_text().strip()


def start(file: StackFile) -> None:
    """Have it run, with the forwarded ports of this environment. Ends the command if it cannot.

    Where the process that runs was asked for the same before, none starts to find that out.
    """
    assert file.local_port
    words = ["--port", str(file.local_port)]
    for port in file.forwarded_ports:
        words += ["--forward", str(port)]
    acme = file.local_acme_port
    if acme:
        words += ["--acme", str(acme)]
    if file.settings.get("dns") == "digitalocean":
        words += [word for name in file.local_domains for word in ("--domain", name)]
    asked = home() / "local-cloud.asked"
    process, place = _serving()
    if place == folder() and asked.is_file() and asked.read_text() == f"{process} {words}":
        return
    from local_cloud.hosts.forward import is_taken

    # Nothing of this clone serves, as would what it left where it was moved from.
    if place is None and is_taken(file.local_port):
        fail(
            f"port {file.local_port} on {_LOOPBACK} is taken by another program. To have the API"
            f" on another one: pulumi config set digitalocean:apiEndpoint"
            f" http://{_LOOPBACK}:{file.local_port + 1} --stack {file.stack}"
        )
    if _run("start", *words) != 0:
        fail("")
    asked.write_text(f"{_serving()[0]} {words}")


def reset() -> None:
    """Take it away, with every host and all that it made on this machine."""
    if _run("reset") != 0:
        fail("")


def _run(command: str, *words: str) -> int:
    line = [sys.executable, "-m", "local_cloud", command, "--state", str(folder()), *words]
    return run(line, stdout=sys.stderr)


def _serving() -> tuple[int, Path | None]:
    """The process that holds this clone's local cloud and the folder it serves; 0 and None."""
    try:
        process = int((folder() / "lock").read_text())
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")
    except (OSError, ValueError):
        return 0, None
    is_ours = words[2:5] == ["local_cloud", "serve", "--state"]
    return (process, Path(words[5])) if is_ours else (0, None)
