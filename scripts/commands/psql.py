"""psql on the database server of an environment, with a terminal where there is one."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys

from scripts.commands.environments import settings_of
from scripts.commands.fleet import Fleet


def main(stack: str, *options: str) -> int:
    fleet = Fleet.of(stack)
    # In its own home: psql would complain of the folder that ssh begins in.
    psql = f"sudo -iu postgres psql --dbname {settings_of(stack)['appName']} {shlex.join(options)}"
    terminal = ["RequestTTY=force"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    with fleet.opened() as opened:
        # Ctrl-C is for psql: we wait until it has ended.
        signal.signal(signal.SIGINT, lambda _signal, _frame: None)
        return subprocess.call(opened.ssh(fleet.find("db"), psql, options=terminal))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
