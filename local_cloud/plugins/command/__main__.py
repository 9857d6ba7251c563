"""The plugin as a program; `local_cloud/plugins/start.py` runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from threading import Thread

from local_cloud.plugins.command import VERSION
from local_cloud.plugins.command.copy_to_remote import CopyToRemote
from local_cloud.plugins.command.links import Links
from local_cloud.plugins.command.local_command import run_locally
from local_cloud.plugins.command.remote_command import RemoteRun
from local_cloud.plugins.command.schema import LOCAL_COMMAND, REMOTE_COMMAND
from local_cloud.plugins.command.steps import CommandResource
from local_cloud.plugins.shared_provider import Call, Checked, Provider
from local_cloud.plugins.shared_server import serve
from local_cloud.plugins.shared_values import Properties

# The official plugin notes the version of its framework in the state. With the same note,
# a stack can go from one plugin to the other without a change being seen.
FRAMEWORK_NOTE = {"__pulumi-go-provider-version": "1.2.0"}

# What dials takes 0.2 s to import.
DIAL = "local_cloud.plugins.command.dial"


@dataclass
class CommandProvider(Provider):
    """The three resources, and the connections they share."""

    links: Links = field(default_factory=Links)
    _ready_to_dial: bool = False

    def __post_init__(self) -> None:
        self.resources = {
            "command:local:Command": CommandResource(LOCAL_COMMAND, self._run_locally),
            "command:remote:Command": CommandResource(REMOTE_COMMAND, RemoteRun(self.links)),
            "command:remote:CopyToRemote": CopyToRemote(self.links),
        }

    def check_config(self, inputs: Properties) -> Checked:
        """There are no settings."""
        return Checked({**inputs, **FRAMEWORK_NOTE})

    async def _run_locally(
        self, call: Call, command: str, inputs: Properties, previous: Properties
    ) -> Properties:
        """Something is to be done, so most likely a server will be dialled soon."""
        if not self._ready_to_dial:
            self._ready_to_dial = True
            Thread(target=import_module, args=[DIAL], daemon=True).start()
        return await run_locally(call, command, inputs, previous)

    async def close(self) -> None:
        """Close the connections."""
        await self.links.close()


def main(arguments: list[str]) -> None:
    """Serve the engine whose address is among the arguments."""
    serve(CommandProvider("command", VERSION), arguments)
