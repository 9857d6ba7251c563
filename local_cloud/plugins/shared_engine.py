"""What a plugin needs of the engine while it works: its log, and an end when it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import typing

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from local_cloud.plugins.shared_provider import PluginError, Severity

Result = typing.TypeVar("Result")


class EngineLog:
    """The engine's log, for the lines of one resource."""

    def __init__(self, engine: engine_pb2_grpc.EngineStub | None, urn: str) -> None:
        self._engine = engine
        self._urn = urn

    async def message(self, severity: Severity, text: str) -> None:
        """Say something that stays in the output."""
        await self._send(severity, text, ephemeral=False)

    async def status(self, text: str) -> None:
        """Say something that is shown only while it is the latest."""
        await self._send(Severity.INFO, text, ephemeral=True)

    async def _send(self, severity: Severity, text: str, *, ephemeral: bool) -> None:
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(
            severity=typing.cast(typing.Any, int(severity)),
            message=text,
            urn=self._urn,
            ephemeral=ephemeral,
        )
        # An engine that has stopped listening is no reason to fail what runs on a server.
        with contextlib.suppress(grpc.RpcError):
            await typing.cast(typing.Any, self._engine.Log(request))


class Operations:
    """The running requests, so that an interrupt can end them all."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[typing.Any]] = set()
        self._cancelled = False

    async def run(
        self, work: typing.Coroutine[typing.Any, typing.Any, Result], timeout: float
    ) -> Result:
        """Run until done, interrupted, or `timeout` seconds (0: no limit) have passed.

        Raises:
            PluginError: it was interrupted or took too long.
        """
        task = asyncio.ensure_future(work)
        self._running.add(task)
        if self._cancelled:
            task.cancel()
        try:
            async with asyncio.timeout(timeout or None):
                return await task
        except TimeoutError:
            raise PluginError("context deadline exceeded") from None
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            raise PluginError("context canceled") from None
        finally:
            self._running.discard(task)

    async def cancel_all(self) -> None:
        """End every running request, and each later one at once."""
        self._cancelled = True
        for task in tuple(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=5)
