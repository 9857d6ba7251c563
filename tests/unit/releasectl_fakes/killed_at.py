"""Run releasectl and kill it with SIGKILL just before its n-th effect on the machine.

    python killed_at.py N PATH_OF_RELEASECTL ARGUMENTS...

An effect is whatever leaves a trace: a file, folder or link made, moved or removed, or a process
started. With fewer than N effects the command simply ends.
"""

import os
import runpy
import signal
import sys
from typing import Any

EFFECTS = {
    "os.rename",
    "os.symlink",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "subprocess.Popen",
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

left = int(sys.argv[1])


def count(event: str, arguments: tuple[Any, ...]) -> None:
    global left
    if event in EFFECTS or (event == "open" and (arguments[2] or 0) & WRITING):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


sys.argv = sys.argv[2:]
sys.addaudithook(count)
runpy.run_path(sys.argv[0], run_name="__main__")
