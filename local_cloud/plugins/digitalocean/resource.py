"""Answers the engine for one table: the same steps for every resource."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_cloud.plugins.digitalocean import check, difference, importing, plan
from local_cloud.plugins.digitalocean.api import Api, ApiError, GaveUp, Unreachable, Work
from local_cloud.plugins.digitalocean.schema import (
    HalfMade,
    Kind,
    Made,
    Property,
    Table,
    has_unknown,
)
from local_cloud.plugins.shared_diff import Diff
from local_cloud.plugins.shared_provider import (
    Call,
    Checked,
    CheckFailure,
    Created,
    Found,
    PartlyDoneError,
    PluginError,
    Severity,
)
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Secret, Value, revealed

TIMEOUTS = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"
"""Upstream's own name for the timeouts it notes in a state."""
RAW_STATE = "__pulumi_raw_state_delta"
"""How the official plugin gets from this state to its own; it keeps the note up to date."""


@dataclass(frozen=True)
class StandInResource:
    """One kind of resource, for `shared_server`."""

    table: Table
    api: Callable[[], Api]

    def check(self, call: Call, old_inputs: Properties, new_inputs: Properties) -> Checked:
        naming = check.Naming(resource_name=call.name, seed=call.random_seed)
        given, old = revealed(new_inputs), revealed(old_inputs)
        inputs, failures = check.checked(self.table, given, old, naming)
        return Checked(
            as_secret_as(new_inputs, inputs), [CheckFailure("", reason) for reason in failures]
        )

    def diff(self, state: Properties, old_inputs: Properties, new_inputs: Properties) -> Diff:
        prior, inputs = self._plain(state), self._plain(new_inputs)
        old = revealed(old_inputs)
        planned = self._planned(inputs, prior)
        replace = self.table.adjust_plan(prior, planned)
        automatic = (
            not any(item.autonamed for item in self.table.inputs)
            or check.DEFAULTS not in old
            or ("name" in old[check.DEFAULTS] and old.get("name") == inputs.get("name"))
        )
        return difference.difference(
            self.table, prior, planned, inputs, replace=replace, automatic_name=automatic
        )

    async def create(self, call: Call, inputs: Properties) -> Created:
        given = self._plain(inputs)
        planned = self._planned(given, None)
        await self._warn(call, given)
        if call.preview:
            outputs = {**planned, "id": UNKNOWN, **self._meta()}
            return Created("", self._marked(inputs, outputs))
        work = Work(self.api())
        try:
            made = await work.done(self.table.create(work, given, planned))
        except HalfMade as half:
            raise PartlyDoneError(
                f"Error creating {self.table.noun}: {half}",
                half.made.id,
                self._marked(inputs, self._outputs(half.made, {})),
            ) from None
        except (ApiError, GaveUp, Unreachable) as error:
            raise PluginError(f"Error creating {self.table.noun}: {error}") from None
        return Created(made.id, self._marked(inputs, self._outputs(made, {})))

    async def read(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Found:
        known = self._plain(state)
        work = Work(self.api())
        try:
            made = await work.done(self.table.read(work, resource_id, known))
        except (ApiError, GaveUp, Unreachable) as error:
            raise PluginError(f"Error reading {self.table.noun}: {error}") from None
        if made is None:
            return Found("", {}, {})
        outputs = self._outputs(made)
        if known:
            back = importing.refreshed_inputs(self.table, self._plain(inputs), outputs)
        else:
            back = importing.imported_inputs(self.table, outputs)
        return Found(made.id, as_secret_as(inputs, back), self._marked(inputs, outputs))

    async def update(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Properties:
        prior, given = self._plain(state), self._plain(inputs)
        planned = self._planned(given, prior)
        self.table.adjust_plan(prior, planned)
        await self._warn(call, given)
        if call.preview:
            notes = self._meta() if has_unknown(planned) else self._notes(planned)
            return self._marked(inputs, {**planned, "id": resource_id, **notes})
        if self.table.update is None:
            raise PluginError(f"a {self.table.noun} cannot be changed, only replaced")
        work = Work(self.api())
        try:
            made = await work.done(self.table.update(work, resource_id, prior, planned))
        except HalfMade as half:
            raise PartlyDoneError(
                f"Error updating {self.table.noun}: {half}",
                resource_id,
                self._marked(inputs, self._outputs(half.made, prior)),
            ) from None
        except (ApiError, GaveUp, Unreachable) as error:
            raise PluginError(f"Error updating {self.table.noun}: {error}") from None
        return self._marked(inputs, self._outputs(made, prior))

    async def delete(self, call: Call, resource_id: str, state: Properties) -> None:
        work = Work(self.api())
        try:
            await work.done(self.table.delete(work, resource_id, self._plain(state)))
        except (ApiError, GaveUp, Unreachable) as error:
            raise PluginError(f"Error deleting {self.table.noun}: {error}") from None

    def _plain(self, properties: Properties) -> Properties:
        plain: Properties = revealed(properties)
        return check.typed(self.table, plain)

    def _planned(self, inputs: Properties, prior: Properties | None) -> Properties:
        planned = plan.planned(self.table, inputs, prior)
        if reason := self.table.validate_plan(planned):
            raise PluginError(f"{self.table.token}: {reason}")
        return planned

    async def _warn(self, call: Call, inputs: Properties) -> None:
        for item in self.table.inputs:
            if item.deprecated and inputs.get(item.name) is not None:
                await call.log.message(
                    Severity.WARNING,
                    f"{call.urn} verification warning: "
                    f'property "{item.name}" is deprecated: {item.deprecated}',
                )

    def _outputs(self, made: Made, before: Properties | None = None) -> Properties:
        """The state with the notes that the official plugin keeps in it.

        `before` is the state before a change; an empty set from the API is no news then where
        nobody had set one. None when the state was only read.
        """
        state = {item.name: made.state.get(item.name) for item in self.table.properties}
        for item in self.table.inputs:
            unset = before is not None and before.get(item.name) is None
            if unset and state[item.name] == [] and not item.computed and not item.fields:
                state[item.name] = None
        return {**state, "id": made.id, **self._notes(state)}

    def _marked(self, inputs: Properties, outputs: Properties) -> Properties:
        """Outputs with a secret mark where the inputs have one, and where there is always one."""
        marked = as_secret_as(inputs, outputs)
        for item in self.table.properties:
            value = marked.get(item.name)
            if item.secret and value is not None and not isinstance(value, Secret):
                marked[item.name] = Secret(value)
        return marked

    def _notes(self, state: Properties) -> Properties:
        return {RAW_STATE: {"obj": _raw_state(self.table.properties, state)}, **self._meta()}

    def _meta(self) -> Properties:
        if not self.table.timeouts:
            return {}
        nanoseconds = {name: value * 10**9 for name, value in self.table.timeouts.items()}
        meta: dict[str, Any] = {TIMEOUTS: nanoseconds}
        if self.table.schema_version:
            meta["schema_version"] = self.table.schema_version
        return {difference.META: json.dumps(meta, sort_keys=True, separators=(",", ":"))}


def _raw_state(properties: tuple[Property, ...], state: Properties) -> Properties:
    inner = {
        item.name: note
        for item in properties
        if (note := _raw_value(item, state.get(item.name))) is not None
    }
    renamed = {item.name: item.upstream for item in properties if item.upstream}
    notes = {"ps": inner, "renamed": renamed}
    return {name: value for name, value in notes.items() if value}


def _raw_value(item: Property, value: Value) -> Properties | None:
    if item.kind is Kind.OBJECT:
        return {"plu": {"i": {"obj": _raw_state(item.fields, value)} if value else {}}}
    if item.kind not in (Kind.SET, Kind.LIST) or value is None:
        return None
    if not item.fields or not value:
        return {"arr": {}}
    notes = (_raw_state(item.fields, each) for each in value)
    return {"arr": {"el": {str(index): {"obj": note} for index, note in enumerate(notes)}}}


def as_secret_as(source: Properties, target: Properties) -> Properties:
    """The target with a secret mark on each value that the source has one on, at any depth."""
    return {key: _marked(source.get(key), value) for key, value in target.items()}


def _marked(source: Value, target: Value) -> Value:
    if isinstance(source, Secret):
        return Secret(target)
    if isinstance(source, dict) and isinstance(target, dict):
        return as_secret_as(source, target)
    if isinstance(source, list) and isinstance(target, list):
        marked = [_marked(one, other) for one, other in zip(source, target, strict=False)]
        return marked + target[len(marked) :]
    return target
