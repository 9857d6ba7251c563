"""A plugin run as the engine runs it: its own process, its port on standard output, gRPC.

Used for our stand-in and for the official plugin alike, so that one test can ask both the same.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent import futures
from types import TracebackType
from typing import Any, Self

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a value that is only known after an update."""


def secret(value: object) -> dict[str, Any]:
    """The value as the engine sends secrets to plugins that take them."""
    return {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": value}


def urn(type_token: str, name: str) -> str:
    return f"urn:pulumi:dev::story::{type_token}::{name}"


class EngineLog(engine_pb2_grpc.EngineServicer):
    """The engine's side: keeps what the plugin says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def Log(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        severity = engine_pb2.LogSeverity.Name(request.severity)
        if severity != "DEBUG":
            self.lines.append(f"{severity}: {request.message}")
        return empty_pb2.Empty()


class PluginError(Exception):
    """What the engine would show; `details` holds the state of a half-made resource, if any."""

    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error.details())
        self.code = error.code().name
        details = {item.key: item.value for item in error.trailing_metadata() or ()}
        self.kept_id = _kept_id(details.get("grpc-status-details-bin", b""))
        """The id of a resource that exists all the same, or ""."""


def _kept_id(status: bytes) -> str:
    for detail in status_pb2.Status.FromString(status).details:
        kept = provider_pb2.ErrorResourceInitFailed()
        if detail.Unpack(kept):
            return str(kept.id)
    return ""


class PluginProcess:
    def __init__(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self.log = EngineLog()
        self._engine = grpc.server(futures.ThreadPoolExecutor(2))
        engine_pb2_grpc.add_EngineServicer_to_server(self.log, self._engine)
        engine_port = self._engine.add_insecure_port("127.0.0.1:0")
        self._engine.start()
        self.process = subprocess.Popen(
            [*command, f"127.0.0.1:{engine_port}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()
        self.process.kill()
        self.process.communicate()
        self._engine.stop(None)

    def cancel(self) -> None:
        """What the engine says when a person presses Ctrl-C."""
        self.call("Cancel", empty_pb2.Empty())

    def call(self, method: str, request: object) -> dict[str, Any]:
        try:
            answer = getattr(self._stub, method)(request, timeout=120)
        except grpc.RpcError as error:
            raise PluginError(error) from None
        result: dict[str, Any] = json_format.MessageToDict(answer)
        return result

    def configure(self, properties: dict[str, Any]) -> dict[str, Any]:
        inputs = self.check_config(properties)["inputs"]
        return self.call(
            "Configure",
            provider_pb2.ConfigureRequest(
                args=struct(inputs), acceptSecrets=True, acceptResources=True, sends_old_inputs=True
            ),
        )

    def check_config(self, new: dict[str, Any]) -> dict[str, Any]:
        address = urn("pulumi:providers:digitalocean", "default")
        return self.call("CheckConfig", provider_pb2.CheckRequest(urn=address, news=struct(new)))

    def diff_config(self, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        request = provider_pb2.DiffRequest(
            urn=urn("pulumi:providers:digitalocean", "default"),
            old_inputs=struct(old),
            olds=struct(old),
            news=struct(new),
        )
        return self.call("DiffConfig", request)

    def check(
        self,
        address: str,
        new: dict[str, Any],
        old: dict[str, Any] | None = None,
        seed: bytes = b"1" * 32,
        **more: Any,
    ) -> dict[str, Any]:
        request = provider_pb2.CheckRequest(
            urn=address, news=struct(new), olds=struct(old or {}), randomSeed=seed, **more
        )
        return self.call("Check", request)

    def diff(
        self,
        address: str,
        identity: str,
        old_inputs: dict[str, Any],
        old: dict[str, Any],
        new: dict[str, Any],
        ignore: Sequence[str] = (),
    ) -> dict[str, Any]:
        request = provider_pb2.DiffRequest(
            urn=address,
            id=identity,
            old_inputs=struct(old_inputs),
            olds=struct(old),
            news=struct(new),
            ignoreChanges=ignore,
        )
        answer = self.call("Diff", request)
        for name in ("replaces", "stables", "diffs"):
            if name in answer:
                answer[name] = sorted(answer[name])
        return answer

    def create(
        self, address: str, inputs: dict[str, Any], *, preview: bool = False, timeout: float = 0
    ) -> dict[str, Any]:
        request = provider_pb2.CreateRequest(
            urn=address, properties=struct(inputs), preview=preview, timeout=timeout
        )
        return self.call("Create", request)

    def read(
        self,
        address: str,
        identity: str,
        state: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = provider_pb2.ReadRequest(
            urn=address, id=identity, properties=struct(state or {}), inputs=struct(inputs or {})
        )
        return self.call("Read", request)

    def update(
        self,
        address: str,
        identity: str,
        old_inputs: dict[str, Any],
        old: dict[str, Any],
        new: dict[str, Any],
        *,
        preview: bool = False,
        timeout: float = 0,
    ) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(
            urn=address,
            id=identity,
            old_inputs=struct(old_inputs),
            olds=struct(old),
            news=struct(new),
            preview=preview,
            timeout=timeout,
        )
        return self.call("Update", request)

    def delete(self, address: str, identity: str, state: dict[str, Any]) -> None:
        self.call(
            "Delete",
            provider_pb2.DeleteRequest(urn=address, id=identity, properties=struct(state)),
        )

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return self.call("Invoke", provider_pb2.InvokeRequest(tok=token, args=struct(arguments)))

    def version(self) -> str:
        return str(self.call("GetPluginInfo", empty_pb2.Empty())["version"])


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())
