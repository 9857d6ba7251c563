"""One command on an open SSH connection."""

from __future__ import annotations

import asyncio
import contextlib
import typing

import asyncssh
from asyncssh.packet import String

from local_cloud.plugins.command import error_messages
from local_cloud.plugins.command.links import Link, NotOpenedError
from local_cloud.plugins.command.output import Output
from local_cloud.plugins.shared_provider import PluginError

Refused = typing.Callable[[str], typing.Awaitable[None]]
"""Told the name of a variable the server does not accept."""


class RemoteSession(asyncssh.SSHClientSession[bytes]):
    """Sets the variables, starts the command, and collects what it says."""

    def __init__(
        self,
        output: Output,
        wanted: dict[str, str],
        hoped_for: dict[str, str],
        refused: Refused,
        starting: typing.Callable[[], None],
    ) -> None:
        self.started = False
        self._output = output
        self._wanted = wanted
        self._hoped_for = hoped_for
        self._refused = refused
        self._starting = starting
        self._status: int | None = None
        self._signal: str | None = None
        self._message = ""
        self._ended = asyncio.Event()
        self._channel: asyncssh.SSHClientChannel[bytes]

    async def run(self, stdin: bytes) -> str:
        """Give the command its input and wait for its end; "" if it went well."""
        with contextlib.suppress(OSError):
            if stdin:
                self._channel.write(stdin)
            self._channel.write_eof()
        await self._ended.wait()
        if self._status == 0:
            return ""
        return error_messages.ended_remotely(self._status, self._signal, self._message)

    def abort(self) -> None:
        """End the command: as a signal where the server allows it, and by hanging up."""
        with contextlib.suppress(OSError):
            self._channel.terminate()
        self._channel.abort()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Arrange that the variables are set before the command is requested.

        asyncssh sends variables without asking whether the server accepts them, so the request
        to start the command is preceded by ours.
        """
        self._channel = chan
        channel: typing.Any = chan
        request = channel._make_request

        async def after_the_variables(kind: bytes, *arguments: bytes) -> bool | None:
            if kind == b"exec":
                await self._set_variables(request)
                self._starting()
                self.started = True
            return typing.cast("bool | None", await request(kind, *arguments))

        channel._make_request = after_the_variables

    async def _set_variables(self, request: typing.Callable[..., typing.Awaitable[bool]]) -> None:
        for name, value in {**self._wanted, **self._hoped_for}.items():
            if await request(b"env", String(name), String(value)):
                continue
            await self._refused(name)
            if name in self._wanted:
                reason = "ssh: setenv failed"
                shown = error_messages.quoted(name)
                raise PluginError(f"could not set environment variable {shown}: {reason}")

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Take a piece of output."""
        self._output.add(2 if datatype == asyncssh.EXTENDED_DATA_STDERR else 1, data)

    def exit_status_received(self, status: int) -> None:
        """The command ended."""
        self._status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """The command was ended by a signal."""
        self._signal, self._message = signal, msg

    def connection_lost(self, exc: Exception | None) -> None:
        """The session is over, one way or the other."""
        self._ended.set()


async def open_remote_session(
    link: Link,
    command: str,
    output: Output,
    *,
    wanted: dict[str, str],
    hoped_for: dict[str, str],
    refused: Refused,
) -> RemoteSession:
    """Start a command on an open connection.

    Args:
        link: The connection.
        command: As the user's shell on the server takes it.
        output: Gets what the command says.
        wanted: Variables without which the command must not run.
        hoped_for: Variables without which it may.
        refused: Told of each variable the server does not accept.

    Raises:
        NotOpenedError: the connection is broken or full; the command was not started.
        PluginError: a wanted variable was refused, or the command could not be started.
    """
    session: RemoteSession | None = None
    try:
        async with asyncio.timeout(link.patience) as deadline:

            def made() -> RemoteSession:
                nonlocal session
                no_deadline = lambda: deadline.reschedule(None)  # noqa: E731
                session = RemoteSession(output, wanted, hoped_for, refused, no_deadline)
                return session

            await link.ssh.create_session(made, command, encoding=None)
    except (OSError, asyncssh.Error, TimeoutError) as error:
        reason = f"ssh: {getattr(error, 'reason', '') or 'the connection is broken'}"
        if session is not None and session.started:
            raise PluginError(error_messages.failed_command(reason, command, b"")) from None
        raise NotOpenedError(reason) from None
    except PluginError:
        if session is not None:
            session.abort()
        raise
    assert session is not None
    return session
