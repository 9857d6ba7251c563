"""What the engine takes for a language: asked to run the program, it runs it in this process."""

from __future__ import annotations

import importlib
import pkgutil
import runpy
import socket as sockets
import threading
import time
from concurrent import futures
from contextlib import suppress
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

import components
from cli.paths import ROOT
from components.core.lazy_import import import_lazily
from components.core.pulumi_sdk import leave_out_what_nobody_reads

# What the engine has for the program: the release's record and the state's outputs.
LARGEST_MESSAGE = 400 * 1024 * 1024
SECONDS_BETWEEN_LOOKS = 0.2
#: What the program needs of the provider's package, whose modules are imported one by one.
PROVIDER = "pulumi_digitalocean"
RESOURCES = ("Droplet", "Firewall", "SshKey", "Tag", "Vpc")


class Language(LanguageServer):
    """Serves at a UNIX socket, from the moment on at which it is made."""

    def __init__(self, socket: str) -> None:
        super().__init__(_program)
        self._imported = threading.Event()
        self._engine = ""
        server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=4),
            options=[("grpc.max_receive_message_length", LARGEST_MESSAGE)],
        )
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(self, server)
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        self._server = server

    # Named as in the protocol.
    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What is wrong has been said by then; the engine would say it once more."""
        self._engine = request.args[0] if request.args else ""
        self._imported.wait()
        result = super().Run(request, context)  # type: ignore[no-untyped-call]
        return language_pb2.RunResponse(bail=True) if result.error else result

    def import_everything(self) -> None:
        """What is wrong with a module is said when the program runs."""
        import_lazily(PROVIDER)
        leave_out_what_nobody_reads()
        for module in pkgutil.walk_packages(components.__path__, "components."):
            with suppress(Exception):
                importlib.import_module(module.name)
        self._imported.set()
        with suppress(Exception):
            for name in RESOURCES:
                getattr(importlib.import_module(PROVIDER), name)

    def await_end(self) -> None:
        """Return once the engine that has asked is gone; at once where none has."""
        while self._engine and _listens(self._engine):
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with sockets.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
