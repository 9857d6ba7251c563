"""Speaks Pulumi's plugin protocol (gRPC) for a `Provider`.

The engine starts the plugin with its own address as argument and reads the plugin's port from
the first line of its output. It says `Cancel` when a person interrupts the run, and ends the
process with a signal; should the engine itself be killed, the plugin notices and ends too.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import sys
import typing

import grpc  # type: ignore[import-untyped]
import grpc.aio  # type: ignore[import-untyped]
from google.protobuf import any_pb2, empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

from local_cloud.plugins.shared_diff import Diff
from local_cloud.plugins.shared_engine import EngineLog, Operations
from local_cloud.plugins.shared_provider import (
    Call,
    Checked,
    Log,
    PartlyDoneError,
    PluginError,
    Provider,
    Resource,
)
from local_cloud.plugins.shared_values import Properties, from_wire, to_wire

ENGINE_WATCH_SECONDS = 1.0
NO_SIZE_LIMIT = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]

Request = typing.Any
Context = typing.Any
Result = typing.TypeVar("Result")


Method = typing.Callable[[typing.Any, Request], typing.Coroutine[typing.Any, typing.Any, Result]]
Handler = typing.Callable[
    [typing.Any, Request, Context], typing.Coroutine[typing.Any, typing.Any, Result]
]


def _failures_told(method: Method[Result]) -> Handler[Result]:
    """Make a handler of gRPC of a method: its errors become messages to the person."""

    @functools.wraps(method)
    async def handler(self: typing.Any, request: Request, context: Context) -> Result:
        try:
            return await method(self, request)
        except PluginError as failure:
            trailer = _details(failure) if isinstance(failure, PartlyDoneError) else ()
            await context.abort(grpc.StatusCode.UNKNOWN, str(failure), trailer)
        except NotImplementedError as failure:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, str(failure))
        raise AssertionError("abort always raises")

    return handler


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine's requests with what the provider says."""

    # Handlers are named as in the protocol.
    # ruff: noqa: N802

    def __init__(self, provider: Provider, engine_address: str | None) -> None:
        self._provider = provider
        self._engine: engine_pb2_grpc.EngineStub | None = None
        self._sends_old_inputs = False
        self.operations = Operations()
        if engine_address:
            self._connect(engine_address)

    def _connect(self, engine_address: str) -> None:
        channel = grpc.aio.insecure_channel(engine_address, options=NO_SIZE_LIMIT)
        self._engine = engine_pb2_grpc.EngineStub(channel)

    def _call(self, request: Request, *, preview: bool = False) -> Call:
        log: Log = EngineLog(self._engine, request.urn)
        seed = getattr(request, "randomSeed", b"")
        return Call(urn=request.urn, log=log, preview=preview, random_seed=seed)

    def _resource(self, request: Request) -> Resource:
        # urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>
        return self._provider.resource(request.urn.split("::")[2].rsplit("$", 1)[-1])

    @_failures_told
    async def GetPluginInfo(self, request: Request) -> plugin_pb2.PluginInfo:
        """Which version this is."""
        return plugin_pb2.PluginInfo(version=self._provider.version)

    @_failures_told
    async def Attach(self, request: Request) -> empty_pb2.Empty:
        """Take another engine's address."""
        self._connect(request.address)
        return empty_pb2.Empty()

    @_failures_told
    async def Cancel(self, request: Request) -> empty_pb2.Empty:
        """A person interrupted the run."""
        await self.operations.cancel_all()
        return empty_pb2.Empty()

    @_failures_told
    async def CheckConfig(self, request: Request) -> provider_pb2.CheckResponse:
        """Validate the provider's settings."""
        return _check_response(self._provider.check_config(from_wire(request.news)))

    @_failures_told
    async def DiffConfig(self, request: Request) -> provider_pb2.DiffResponse:
        """Compare the provider's settings."""
        old, new = from_wire(request.old_inputs), from_wire(request.news)
        return _diff_response(self._provider.diff_config(old, new))

    @_failures_told
    async def Configure(self, request: Request) -> provider_pb2.ConfigureResponse:
        """Take the provider's settings into use."""
        self._sends_old_inputs = request.sends_old_inputs
        await self._provider.configure(from_wire(request.args))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=True
        )

    @_failures_told
    async def Invoke(self, request: Request) -> provider_pb2.InvokeResponse:
        """Call a function."""
        work = self._provider.invoke(request.tok, from_wire(request.args))
        answer = await self.operations.run(work, 0)
        return provider_pb2.InvokeResponse(**{"return": to_wire(answer)})

    @_failures_told
    async def Check(self, request: Request) -> provider_pb2.CheckResponse:
        """Validate a resource's inputs."""
        olds, news = from_wire(request.olds), from_wire(request.news)
        return _check_response(self._resource(request).check(self._call(request), olds, news))

    @_failures_told
    async def Diff(self, request: Request) -> provider_pb2.DiffResponse:
        """Compare a resource's old and new inputs."""
        state, news = from_wire(request.olds), from_wire(request.news)
        olds = from_wire(request.old_inputs) if self._sends_old_inputs else state
        news = _with_ignored(news, request.ignoreChanges, state)
        # The version and what begins with "__" are the engine's own notes.
        news = {k: v for k, v in news.items() if k != "version" and not k.startswith("__")}
        return _diff_response(self._resource(request).diff(state, olds, news))

    @_failures_told
    async def Create(self, request: Request) -> provider_pb2.CreateResponse:
        """Make a resource."""
        work = self._resource(request).create(
            self._call(request, preview=request.preview), from_wire(request.properties)
        )
        created = await self.operations.run(work, request.timeout)
        return provider_pb2.CreateResponse(id=created.id, properties=to_wire(created.outputs))

    @_failures_told
    async def Read(self, request: Request) -> provider_pb2.ReadResponse:
        """Look at a resource as it is now."""
        state, inputs = from_wire(request.properties), from_wire(request.inputs)
        work = self._resource(request).read(self._call(request), request.id, state, inputs)
        found = await self.operations.run(work, 0)
        return provider_pb2.ReadResponse(
            id=found.id, properties=to_wire(found.outputs), inputs=to_wire(found.inputs)
        )

    @_failures_told
    async def Update(self, request: Request) -> provider_pb2.UpdateResponse:
        """Change a resource in place."""
        state = from_wire(request.olds)
        inputs = _with_ignored(from_wire(request.news), request.ignoreChanges, state)
        call = self._call(request, preview=request.preview)
        work = self._resource(request).update(call, request.id, state, inputs)
        outputs = await self.operations.run(work, request.timeout)
        return provider_pb2.UpdateResponse(properties=to_wire(outputs))

    @_failures_told
    async def Delete(self, request: Request) -> empty_pb2.Empty:
        """Take a resource away."""
        state = from_wire(request.properties)
        work = self._resource(request).delete(self._call(request), request.id, state)
        await self.operations.run(work, request.timeout)
        return empty_pb2.Empty()


def _with_ignored(
    inputs: Properties, ignored: typing.Iterable[str], state: Properties
) -> Properties:
    return {**inputs, **{name: state[name] for name in ignored if name in state}}


def _details(failure: PartlyDoneError) -> tuple[tuple[str, bytes], ...]:
    # gRPC's "richer error model": a google.rpc.Status in this trailer, here written by hand
    # (code = 1, message = 2, details = 3, an Any of type_url = 1 and value = 2).

    partial = any_pb2.Any()
    partial.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=failure.resource_id,
            properties=to_wire(failure.outputs),
            reasons=[str(failure)],
        )
    )
    fields = ((2, str(failure).encode()), (3, partial.SerializeToString()))
    status = bytes([1 << 3, grpc.StatusCode.UNKNOWN.value[0]])
    for number, content in fields:
        status += bytes([number << 3 | 2]) + _varint(len(content)) + content
    return (("grpc-status-details-bin", status),)


def _varint(number: int) -> bytes:
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def _check_response(checked: Checked) -> provider_pb2.CheckResponse:
    return provider_pb2.CheckResponse(
        inputs=to_wire(checked.inputs),
        failures=[
            provider_pb2.CheckFailure(property=failure.property, reason=failure.reason)
            for failure in checked.failures
        ],
    )


def _diff_response(diff: Diff) -> provider_pb2.DiffResponse:
    some = provider_pb2.DiffResponse.DIFF_SOME
    none = provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some if diff.changes else none,
        replaces=diff.replacing_keys,
        diffs=diff.changed_keys,
        deleteBeforeReplace=diff.delete_before_replace,
        detailedDiff={
            path: provider_pb2.PropertyDiff(kind=typing.cast(typing.Any, change.value))
            for path, change in diff.changes.items()
        },
        hasDetailedDiff=True,
    )


def serve(provider: Provider, arguments: list[str]) -> None:
    """Serve the engine named by the first argument that is no option, until it is done."""
    addresses = [argument for argument in arguments if not argument.startswith("-")]
    asyncio.run(_serve(provider, addresses[0] if addresses else None))


async def _serve(provider: Provider, engine_address: str | None) -> None:
    # Before the engine hears from here: were it killed then, there would be another parent.
    engine = os.getppid()
    server = grpc.aio.server(options=NO_SIZE_LIMIT)
    servicer = Servicer(provider, engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await _until_no_longer_wanted(engine)
    await servicer.operations.cancel_all()
    await provider.close()
    await server.stop(grace=0)


async def _until_no_longer_wanted(engine: int) -> None:
    wanted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, wanted.set)
    while not wanted.is_set() and os.getppid() == engine:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wanted.wait(), ENGINE_WATCH_SECONDS)
