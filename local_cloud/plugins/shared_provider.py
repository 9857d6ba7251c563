"""What a stand-in plugin has to say; `shared_server.py` speaks for it with the engine."""

from __future__ import annotations

import enum
import typing
from dataclasses import dataclass, field

from local_cloud.plugins.shared_diff import Diff
from local_cloud.plugins.shared_values import Properties, Value


class Severity(enum.IntEnum):
    """The values are those of `LogSeverity` in Pulumi's protocol."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


class Log(typing.Protocol):
    """Where a plugin's lines go: the engine shows them beside the resource."""

    async def message(self, severity: Severity, text: str) -> None:
        """Say something that stays in the output."""

    async def status(self, text: str) -> None:
        """Say something that is shown only while it is the latest."""


@dataclass(frozen=True)
class Call:
    """The circumstances of one request of the engine about one resource."""

    urn: str
    log: Log
    preview: bool = False
    random_seed: bytes = b""

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True)
class CheckFailure:
    """An input that is wrong, and why."""

    property: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """Inputs with their defaults, secrets marked; or what is wrong with them."""

    inputs: Properties
    failures: typing.Sequence[CheckFailure] = ()


@dataclass(frozen=True)
class Created:
    """A new resource: its id ("" only in a preview) and its outputs."""

    id: str
    outputs: Properties


@dataclass(frozen=True)
class Found:
    """A resource as it is now. An empty id says that it is gone."""

    id: str
    inputs: Properties
    outputs: Properties


class PluginError(Exception):
    """A failure to show to the person: the text is the whole message."""


class PartlyDoneError(PluginError):
    """A create or update that failed after the resource had come to exist.

    The engine keeps `outputs` in the state and tries again with an update.
    """

    def __init__(self, reason: str, resource_id: str, outputs: Properties) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.outputs = outputs


class Resource(typing.Protocol):
    """One kind of resource. Each method may raise PluginError."""

    def check(self, call: Call, old_inputs: Properties, new_inputs: Properties) -> Checked:
        """Validate the program's inputs and add defaults."""

    def diff(self, state: Properties, old_inputs: Properties, new_inputs: Properties) -> Diff:
        """Say what changed, and what of it needs a new resource."""

    async def create(self, call: Call, inputs: Properties) -> Created:
        """Make it; in a preview only say what the outputs would be."""

    async def read(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Found:
        """Look at it as it is now."""

    async def update(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Properties:
        """Change it in place and return its outputs; in a preview only say them."""

    async def delete(self, call: Call, resource_id: str, state: Properties) -> None:
        """Take it away."""


@dataclass
class Provider:
    """A plugin: its name, the version it stands in for, and the resources it covers."""

    name: str
    version: str
    resources: typing.Mapping[str, Resource] = field(default_factory=dict)

    def resource(self, token: str) -> Resource:
        """The resource of a type token (`command:remote:Command`).

        Raises:
            PluginError: it is not one of those covered.
        """
        if token not in self.resources:
            raise PluginError(self.refusal(token))
        return self.resources[token]

    def refusal(self, token: str) -> str:
        """What to say about a resource or function that is not covered."""
        return (
            f"{token} is not covered by this machine's stand-in for the plugin "
            f"{self.name} {self.version}, which has only {', '.join(sorted(self.resources))}. "
            f"Install the official plugin to use it: "
            f"pulumi plugin install resource {self.name} {self.version} --reinstall"
        )

    def check_config(self, inputs: Properties) -> Checked:
        """Validate the provider's own settings."""
        return Checked(inputs)

    def diff_config(self, old_inputs: Properties, new_inputs: Properties) -> Diff:
        """What changed in the provider's settings.

        Raises:
            NotImplementedError: the engine shall compare them itself.
        """
        raise NotImplementedError("DiffConfig is not implemented")

    async def configure(self, inputs: Properties) -> None:
        """Take the provider's settings into use."""

    async def invoke(self, token: str, arguments: Properties) -> dict[str, Value]:
        """Call a function."""
        raise PluginError(self.refusal(token))

    async def close(self) -> None:
        """Let go of everything that is held; the process ends next."""
