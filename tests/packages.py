"""Install the Debian packages that tests need and this computer lacks: `python3 -m tests.packages`.

Only as root on a Debian; elsewhere the tests that need them skip, saying so. No service is started.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from local_cloud.hosts import requirements
from local_cloud.machine import MachineError

#: A program of each package; PostgreSQL's server is kept off PATH.
PACKAGES = {
    "openssh-server": Path("/usr/sbin/sshd"),
    "postgresql": Path("/usr/lib/postgresql"),
    "nginx-light": Path("/usr/sbin/nginx"),
}


def say(text: str) -> None:
    print(f"slipway: {text}", file=sys.stderr)  # noqa: T201


def main() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say("tests: not root on a Debian, so nothing is installed; some tests will skip")
        return
    try:
        requirements.ensure(say)
        missing = [package for package, program in PACKAGES.items() if not program.exists()]
        if missing:
            requirements.install(missing, say)
    except MachineError as error:
        say(f"tests: {error}")


if __name__ == "__main__":
    main()
