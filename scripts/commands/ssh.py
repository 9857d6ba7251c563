"""SSH to a server of an environment, with the keys from its state."""

from __future__ import annotations

import signal
import subprocess
import sys

from scripts.commands.fleet import Fleet


def main(stack: str, name: str = "web", *command: str) -> int:
    fleet = Fleet.of(stack)
    server = fleet.find(name)
    terminal: tuple[str, ...] = ()
    # ssh itself gives one to a shell only.
    if command and sys.stdin.isatty() and sys.stdout.isatty():
        terminal = ("RequestTTY=force",)
    with fleet.opened() as opened:
        # Ctrl-C is for ssh: we wait until it has ended.
        signal.signal(signal.SIGINT, lambda _signal, _frame: None)
        return subprocess.call(opened.ssh(server, *command, options=terminal))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
