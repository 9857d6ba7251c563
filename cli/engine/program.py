"""The program of one update, started before it is wanted: Python imports while others get ready.

It waits for `pulumi up --client=unix://<socket>`, which runs it in place of one of its own: that is
how Pulumi's Automation API runs programs. It is the same program as ever, and it serves one update
only, so nothing of one is left for the next.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from cli.engine.plugins import ReadyPlugins

# As components/__init__.py has it for the engine's own run.
gc.disable()

#: On standard input: the update is over.
END = "end"


def main(socket: str, *plugins: str) -> None:
    """Print a line when the engine may ask: "ready", and where plugins are. End when told to.

    Where whoever started it is gone without a word, the update that runs goes on to its end first.

    Args:
        socket: the path of a UNIX socket, in a folder that nobody else may enter: for whoever
            reaches it the program runs.
        plugins: paths of provider plugins to start as well. Anybody on this machine may reach
            them, as always while they run, so they are for an update that follows at once.
    """
    # Ctrl-C is for whoever started it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    beside = ReadyPlugins(plugins)
    try:
        _serve(socket, beside)
    finally:
        beside.end()
        shutil.rmtree(Path(socket).parent, ignore_errors=True)
    # An orderly end would take a while.
    os._exit(0)


def _serve(socket: str, beside: ReadyPlugins) -> None:
    # Only now, for the SDK takes its time.
    from cli.engine.language_host import Language

    language = Language(socket)
    # Whoever started it may have found a reason not to go on.
    with suppress(BrokenPipeError):
        print("ready", beside.ports(), flush=True)  # noqa: T201 - whoever started it reads it
    # What the program itself prints is for a person.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    language.import_everything()
    if sys.stdin.read().strip() != END:
        language.await_end()


if __name__ == "__main__":
    main(*sys.argv[1:])
