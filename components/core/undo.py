"""What undoes something on a server: for the machine on which it was done, and no other.

A server that was made anew often has the address of the one before, and must keep what was put on
it meanwhile. Pure, and without the SDK: scripts/status reads such commands too.
"""

from __future__ import annotations

import re
import shlex

from components.core.shell import as_root

#: Where a server keeps the id of its machine (templates/bootstrap.sh).
MACHINE = "/var/lib/slipway/machine"
_GUARD = re.compile(rf'\[ "\$\(cat {re.escape(MACHINE)} 2>/dev/null\)" = (.+?) \] \|\| exit 0; ')


def command(script: str, machine: str) -> str:
    """The command line that runs a script as root, on this machine only.

    Args:
        script: POSIX shell.
        machine: its id.
    """
    guard = f'[ "$(cat {MACHINE} 2>/dev/null)" = {shlex.quote(machine)} ] || exit 0; '
    return as_root(guard + script)


def machine_of(line: str) -> str | None:
    """The machine for which a command line of `command` is; None where it is none."""
    if MACHINE not in line:  # such as a script of several lines
        return None
    found = _GUARD.match(shlex.split(line)[-1])
    return shlex.split(found[1])[0] if found else None
