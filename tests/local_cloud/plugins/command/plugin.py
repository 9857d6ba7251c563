"""The plugin as the engine sees it: a process that is spoken to by gRPC."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import typing
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
)

from local_cloud.plugins.install import START
from local_cloud.plugins.shared_values import Properties, from_wire, to_wire

LOCAL = "command:local:Command"
REMOTE = "command:remote:Command"
COPY = "command:remote:CopyToRemote"


class PluginRefusedError(Exception):
    """The plugin answered with an error; the text is its message."""


class Engine(engine_pb2_grpc.EngineServicer):
    """Takes the plugin's lines, as the engine would."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrived = threading.Condition()

    def Log(self, request: typing.Any, context: typing.Any) -> typing.Any:  # noqa: N802
        """Take one."""
        with self.arrived:
            self.lines.append(request.message)
            self.arrived.notify_all()
        return empty_pb2.Empty()

    def wait_for(self, line: str, seconds: float = 10) -> None:
        """Wait until the plugin has said a line."""
        with self.arrived:
            said = self.arrived.wait_for(lambda: line in self.lines, seconds)
        assert said, f"{line!r} is not among {self.lines}"


@dataclass
class Plugin:
    """A running plugin."""

    process: subprocess.Popen[bytes]
    stub: typing.Any
    engine: Engine = field(default_factory=Engine)

    def check(self, kind: str, inputs: Properties) -> tuple[Properties, list[tuple[str, str]]]:
        """The checked inputs, and the failures by property."""
        answer = self._ask(self.stub.Check, provider_pb2.CheckRequest, kind, news=inputs)
        return from_wire(answer.inputs), [(f.property, f.reason) for f in answer.failures]

    def diff(self, kind: str, old: Properties, new: Properties) -> dict[str, str]:
        """The kind of change by property path."""
        answer = self._ask(
            self.stub.Diff, provider_pb2.DiffRequest, kind, olds=old, old_inputs=old, news=new
        )
        names = provider_pb2.PropertyDiff.Kind.Name
        return {path: names(entry.kind) for path, entry in answer.detailedDiff.items()}

    def create(
        self, kind: str, inputs: Properties, *, preview: bool = False, timeout: float = 0
    ) -> Properties:
        """The outputs of a new resource."""
        answer = self._ask(
            self.stub.Create,
            provider_pb2.CreateRequest,
            kind,
            properties=inputs,
            preview=preview,
            timeout=timeout,
        )
        return from_wire(answer.properties)

    def update(
        self, kind: str, state: Properties, inputs: Properties, *, preview: bool = False
    ) -> Properties:
        """The outputs after an update."""
        answer = self._ask(
            self.stub.Update,
            provider_pb2.UpdateRequest,
            kind,
            id="id",
            olds=state,
            news=inputs,
            preview=preview,
        )
        return from_wire(answer.properties)

    def delete(self, kind: str, state: Properties) -> None:
        """Delete a resource."""
        self._ask(self.stub.Delete, provider_pb2.DeleteRequest, kind, id="id", properties=state)

    def cancel(self) -> None:
        """Interrupt everything."""
        self.stub.Cancel(empty_pb2.Empty())

    def _ask(
        self, method: typing.Any, request: typing.Any, kind: str, **fields: typing.Any
    ) -> typing.Any:
        told = {k: to_wire(v) if isinstance(v, dict) else v for k, v in fields.items()}
        try:
            return method(request(urn=f"urn:pulumi:test::story::{kind}::it", **told), timeout=60)
        except grpc.RpcError as error:
            raise PluginRefusedError(typing.cast(typing.Any, error).details()) from None


@contextlib.contextmanager
def running_plugin(executable: Path | None = None) -> typing.Iterator[Plugin]:
    """Run the stand-in, or another plugin's executable, until the end of the block."""
    program = [executable] if executable else [sys.executable, "-P", START, "command"]
    engine = Engine()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    process = subprocess.Popen([*program, f"127.0.0.1:{port}"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        address = f"127.0.0.1:{int(process.stdout.readline())}"
        no_limit = [("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(address, no_limit) as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(
                provider_pb2.ConfigureRequest(
                    sends_old_inputs=True, sends_old_inputs_to_delete=True
                )
            )
            yield Plugin(process, stub, engine)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        server.stop(None)
