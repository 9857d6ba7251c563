"""The program of one update, started before it is wanted: Python runs and everything is imported.

It waits for `pulumi up --client=unix://<socket>`, which runs it in place of one of its own: that is
how Pulumi's Automation API runs programs. It is the same program as ever, and it serves one update
only, so nothing of one is left for the next.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import runpy
import shutil
import signal
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

# As components/__init__.py has it for the engine's own run.
gc.disable()

import grpc  # type: ignore[import-untyped]  # noqa: E402
from pulumi.automation._server import LanguageServer  # noqa: E402
from pulumi.runtime.proto import language_pb2, language_pb2_grpc  # noqa: E402

import components  # noqa: E402
from scripts.commands.engine import ROOT  # noqa: E402

# What the engine has for the program: the release's record and the state's outputs.
LARGEST_MESSAGE = 400 * 1024 * 1024


class Language(LanguageServer):
    """Runs the program when the engine says so."""

    # Named as in the protocol.
    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What is wrong has been said by then; the engine would say it once more."""
        result = super().Run(request, context)  # type: ignore[no-untyped-call]
        return language_pb2.RunResponse(bail=True) if result.error else result


def main(socket: str) -> None:
    """Print a line when all is ready; end when standard input does.

    Args:
        socket: the path of a UNIX socket, in a folder that nobody else may enter: for whoever
            reaches it the program runs.
    """
    # Ctrl-C is for whoever started it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in pkgutil.iter_modules(components.__path__, "components."):
        importlib.import_module(module.name)
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4),
        options=[("grpc.max_receive_message_length", LARGEST_MESSAGE)],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Language(_program), server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    print("ready", flush=True)  # noqa: T201 - whoever started it reads it
    sys.stdin.read()
    # Also where whoever started it was killed. An orderly end would take a while.
    shutil.rmtree(Path(socket).parent, ignore_errors=True)
    os._exit(0)


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
