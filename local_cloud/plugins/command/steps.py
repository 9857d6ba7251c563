"""When a command runs, and what its outputs are: the same for local and remote commands.

`create` runs at creation and, if there is no `update`, at every change of an input; `delete`
runs at deletion. A preview runs nothing: outputs of a new command are unknown, and those of
an existing one are known only while nothing that was there before has changed.
"""

from __future__ import annotations

import os
import typing

from local_cloud.plugins.command.input_types import Object, checked
from local_cloud.plugins.shared_diff import Diff, diff_of_inputs
from local_cloud.plugins.shared_provider import Call, Checked, Created, Found
from local_cloud.plugins.shared_values import (
    UNKNOWN,
    Archive,
    Asset,
    Properties,
    Secret,
    Unknown,
    Value,
    revealed,
    same,
)

PREVIOUS_STDOUT = "PULUMI_COMMAND_STDOUT"
PREVIOUS_STDERR = "PULUMI_COMMAND_STDERR"


class Run(typing.Protocol):
    """Runs one command with the inputs of its resource, all secrets revealed."""

    async def __call__(
        self, call: Call, command: str, inputs: Properties, previous: Properties
    ) -> Properties:
        """The outputs. `previous` are those of the run before."""


class CommandResource:
    """`local.Command` or `remote.Command`, depending on what runs the command."""

    def __init__(self, schema: Object, run: Run) -> None:
        self._schema = schema
        self._run = run

    def check(self, call: Call, old_inputs: Properties, new_inputs: Properties) -> Checked:
        """Validate the inputs; the connection becomes secret."""
        return Checked(*checked(self._schema, new_inputs))

    def diff(self, state: Properties, old_inputs: Properties, new_inputs: Properties) -> Diff:
        """Compare the inputs."""
        return diff_of_inputs(old_inputs, new_inputs, replaces=replaces)

    async def create(self, call: Call, inputs: Properties) -> Created:
        """Run `create`."""
        resource_id = call.name + os.urandom(4).hex()
        if call.preview:
            outputs = {**inputs, "stdout": "", "stderr": ""}
            return Created(resource_id, previewed(outputs, inputs, unsettled=True))
        outputs = {"stdout": "", "stderr": ""}
        if "create" in inputs:
            outputs = await self._run_step(call, inputs["create"], inputs, outputs)
        return Created(resource_id, {**inputs, **outputs})

    async def read(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Found:
        """Nothing can be seen of a command that has run: the state is as it was."""
        return Found(resource_id, inputs, state)

    async def update(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Properties:
        """Run `update`, or `create` if there is none."""
        before = {
            name: revealed(value)
            for name, value in state.items()
            if name in ("stdout", "stderr", "assets", "archive")
        }
        if call.preview:
            unsettled = changes_outputs(self._schema, state, inputs)
            return previewed({**inputs, **before}, inputs, unsettled=unsettled)
        step = inputs.get("update", inputs.get("create"))
        if step is None:
            return {**inputs, **before}
        return {**inputs, **before, **await self._run_step(call, step, inputs, before)}

    async def delete(self, call: Call, resource_id: str, state: Properties) -> None:
        """Run `delete`, if there is one."""
        if "delete" in state:
            await self._run_step(call, state["delete"], state, revealed(state))

    async def _run_step(
        self, call: Call, step: Value, inputs: Properties, previous: Properties
    ) -> Properties:
        return await self._run(call, revealed(step), revealed(inputs), previous)


def replaces(path: str) -> bool:
    """Whether a change at this path needs a new resource.

    Only `triggers` as a whole, coming or going: for a change inside it the Python SDK asks the
    engine for the replacement (`replace_on_changes` of `triggers[*]`).
    """
    return path == "triggers"


def previewed(outputs: Properties, inputs: Properties, *, unsettled: bool) -> Properties:
    """Outputs as a preview tells them: what is no plain copy of an input may be unknown yet.

    Files do not count as plain copies; the official plugin takes them for unknown, too.
    """
    return {
        name: _unknown(value)
        if unsettled and (name not in inputs or _holds_files(value))
        else value
        for name, value in outputs.items()
    }


def _unknown(value: Value) -> Value:
    return Secret(UNKNOWN) if isinstance(value, Secret) else UNKNOWN


def _holds_files(value: Value) -> bool:
    if isinstance(value, Secret):
        return _holds_files(value.value)
    if isinstance(value, list):
        return any(map(_holds_files, value))
    if isinstance(value, dict):
        return any(map(_holds_files, value.values()))
    return isinstance(value, Asset | Archive)


def changes_outputs(schema: Object, state: Properties, inputs: Properties) -> bool:
    """Whether a preview of an update has to take the outputs for unknown."""
    for name in schema.fields:
        new = inputs.get(name)
        if isinstance(new.value if isinstance(new, Secret) else new, Unknown):
            return True
        if name in state and not same(new, state[name]):
            return True
    return False


def environment(inputs: Properties, previous: Properties) -> dict[str, str]:
    """The variables a command gets besides those of the machine it runs on."""
    return {**inputs.get("environment", {}), **previous_output(inputs, previous)}


def previous_output(inputs: Properties, previous: Properties) -> dict[str, str]:
    """What the last run said, for the next one, unless that is switched off."""
    if not inputs.get("addPreviousOutputInEnv", True):
        return {}
    said = {PREVIOUS_STDOUT: previous.get("stdout"), PREVIOUS_STDERR: previous.get("stderr")}
    return {name: text for name, text in said.items() if text}
