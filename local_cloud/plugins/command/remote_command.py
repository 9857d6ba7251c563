"""Runs a command on a server: `remote.Command`."""

from __future__ import annotations

import asyncio
import typing

from local_cloud.plugins.command import error_messages
from local_cloud.plugins.command.connection import Connection
from local_cloud.plugins.command.links import Link, Links
from local_cloud.plugins.command.output import Output
from local_cloud.plugins.command.steps import previous_output
from local_cloud.plugins.shared_provider import Call, PluginError, Severity
from local_cloud.plugins.shared_stopwatch import Stopwatch
from local_cloud.plugins.shared_values import Properties

if typing.TYPE_CHECKING:
    from local_cloud.plugins.command.remote_session import RemoteSession

NOT_ACCEPTED = """Unable to set '{name}'. This only works if your SSH server is configured to accept
	these variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the \
remote host, you could
	prefix the command itself with the variables in the form 'VAR=value command'"""


class RemoteRun:
    """Runs commands over connections that it keeps open."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def __call__(
        self, call: Call, command: str, inputs: Properties, previous: Properties
    ) -> Properties:
        """Run a command and return its outputs.

        Raises:
            PluginError: the server was not reached or refused a variable, or the command ended
                with anything but 0.
        """
        wanted = inputs.get("environment", {})
        hoped_for = previous_output(inputs, previous)

        async def refused(name: str) -> None:
            severity = Severity.ERROR if name in wanted else Severity.WARNING
            await call.log.message(severity, NOT_ACCEPTED.format(name=name))

        async with Output(call.log, inputs.get("logging")) as output:

            async def open_session(link: Link) -> RemoteSession:
                from local_cloud.plugins.command.remote_session import open_remote_session

                return await open_remote_session(
                    link, command, output, wanted=wanted, hoped_for=hoped_for, refused=refused
                )

            connection = Connection.of(inputs["connection"])
            watch = Stopwatch(call.name)
            async with self._links.session(connection, call.log.status, open_session) as session:
                watch.lap("connect")
                try:
                    how = await session.run(inputs.get("stdin", "").encode())
                except asyncio.CancelledError:
                    session.abort()
                    how = "context canceled"
                watch.lap("command")
        if how:
            raise PluginError(error_messages.failed_command(how, command, output.everything))
        return output.outputs()
