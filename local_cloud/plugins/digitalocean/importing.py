"""From a state read at the API back to inputs: after a refresh, or for an import."""

from __future__ import annotations

from typing import Any

from local_cloud.plugins.digitalocean.check import DEFAULTS
from local_cloud.plugins.digitalocean.schema import Kind, Property, Table, is_zero
from local_cloud.plugins.shared_values import Properties, Value


def refreshed_inputs(table: Table, inputs: Properties, state: Properties) -> Properties:
    """The old inputs with what is now true of them; a changed default is one no more."""
    known = {item.name: item for item in table.inputs}
    return _without_empty_note(_refreshed_object(known, inputs, state))


def _without_empty_note(result: Properties) -> Properties:
    """After a refresh the official plugin notes defaults, but not that there are none."""
    if not result.get(DEFAULTS, True):
        del result[DEFAULTS]
    return result


def _refreshed_object(
    known: dict[str, Property], inputs: Properties, state: Properties
) -> Properties:
    result: Properties = {}
    changed = set()
    for name, old in inputs.items():
        if name not in state:
            continue
        result[name] = _refreshed(known[name], old, state[name])
        if result[name] != old:
            changed.add(name)
    if DEFAULTS in inputs:
        result[DEFAULTS] = [name for name in inputs[DEFAULTS] if name not in changed]
    return result


def _refreshed(item: Property, old: Value, new: Value) -> Value:
    if isinstance(old, list) and isinstance(new, list):
        if item.fields:
            return _refreshed_objects(item, old, new)
        return new[: len(old)]
    if isinstance(old, dict) and isinstance(new, dict):
        return _refreshed_field(item, old, new)
    if item.stored and isinstance(old, str) and isinstance(new, str):
        # What is stored may say less than the input did (a hash): then the input stays.
        return old
    return new


def _refreshed_field(item: Property, old: Properties, new: Properties) -> Properties:
    return _without_empty_note(
        _refreshed_object({each.name: each for each in item.fields}, old, new)
    )


def _refreshed_objects(item: Property, old: list[Any], new: list[Any]) -> list[Any]:
    """Each old object with the new one most like it: a set has no order to go by."""
    pairs = [
        (_likeness(before, after), -old_place, -new_place)
        for old_place, before in enumerate(old)
        for new_place, after in enumerate(new)
    ]
    partner: dict[int, int] = {}
    for _, old_place, new_place in sorted(pairs, reverse=True):
        if -old_place not in partner and -new_place not in partner.values():
            partner[-old_place] = -new_place
    return [
        _refreshed_field(item, before, new[partner[place]])
        for place, before in enumerate(old)
        if place in partner
    ]


def _likeness(old: Properties, new: Properties) -> int:
    return sum(3 if new[name] == old[name] else 1 for name in old if name in new)


def imported_inputs(table: Table, state: Properties) -> Properties:
    """The inputs a program would have to give for this state."""
    return {**_given(table.inputs, state), DEFAULTS: []}


def _given(properties: tuple[Property, ...], state: Properties) -> Properties:
    result: Properties = {}
    for item in properties:
        value = state.get(item.name)
        if isinstance(value, dict):
            given = _given(item.fields, value)
            value = {**given, DEFAULTS: []} if given else None
        elif item.kind in (Kind.SET, Kind.LIST) and item.fields and value:
            value = [{**_given(item.fields, each), DEFAULTS: []} for each in value]
        if item.required or not _says_nothing(item, value):
            result[item.name] = value
    return result


def _says_nothing(item: Property, value: Value) -> bool:
    return bool(value == item.default) if item.default is not None else is_zero(value)
