"""What the state will be once the inputs are applied, as far as can be said before."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.check import DEFAULTS
from local_cloud.plugins.digitalocean.schema import (
    Kind,
    Property,
    Table,
    is_zero,
    ordered,
)
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Value


def planned(table: Table, inputs: Properties, prior: Properties | None) -> Properties:
    """The planned state; `prior` is None where nothing exists yet.

    Values that only the API can say are `UNKNOWN`, values that nobody sets are None.
    """
    plan: Properties = {}
    for item in table.properties:
        before = None if prior is None else prior.get(item.name)
        given = inputs.get(item.name)
        if item.stored and given is not None and given == before:
            # An ignored change comes as what the state already stores.
            plan[item.name] = before
            continue
        after = _planned(item, given)
        if item.of_objects and isinstance(before, list) and isinstance(after, list):
            after = ordered(item, [_as_before(item, each, before) for each in after])
        if item.kind is Kind.OBJECT and isinstance(before, dict) and isinstance(after, dict):
            after = _fields_as_before(item, after, before)
        if after is None and item.computed:
            after = UNKNOWN if prior is None else before
        elif prior is not None and _unchanged(item, before, after):
            after = before
        elif item.kind is Kind.SET and after is None and before is not None:
            after = []
        plan[item.name] = after
    return plan


def _fields_as_before(item: Property, after: Properties, before: Properties) -> Properties:
    return {
        each.name: before.get(each.name)
        if _unchanged(each, before.get(each.name), after[each.name])
        else after[each.name]
        for each in item.fields
    }


def _as_before(item: Property, element: Value, before: list[Value]) -> Value:
    """The element with what the API said of it, if it was there already."""
    computed = {each.name for each in item.fields if each.computed}
    if not computed or not isinstance(element, dict):
        return element
    for known in before:
        open_fields = {name for name in computed if element[name] is UNKNOWN}
        if all(known[name] == element[name] for name in element.keys() - open_fields):
            return known
    return element


def _unchanged(item: Property, before: Value, after: Value) -> bool:
    if is_zero(before) and is_zero(after):
        return True
    return before is not None and after not in (None, UNKNOWN) and item.equal(before, after)


def _planned(item: Property, value: Value) -> Value:
    if value is None:
        return [] if item.of_objects and item.given and not item.computed else item.default
    if value is UNKNOWN:
        return UNKNOWN
    if item.kind is Kind.SET:
        if UNKNOWN in value:
            return UNKNOWN
        elements = [_object(item, each) for each in value] if item.fields else value
        return ordered(item, elements) or ([] if item.fields or item.computed else None)
    if item.kind is Kind.OBJECT and item.filled:
        return _object(item, value)
    if item.kind is Kind.OBJECT:
        return {each.name: _planned(each, value.get(each.name)) for each in item.fields}
    return item.stored(value) if item.stored else value


def _object(item: Property, value: Value) -> Value:
    """One object of a set: upstream fills every field of it with something."""
    filled = {}
    for each in item.fields:
        plan = _planned(each, value.get(each.name))
        if plan is None:
            plan = UNKNOWN if each.computed else zero(each)
        filled[each.name] = plan
    return filled


def zero(item: Property) -> Value:
    """What stands for "not set" inside an object of a set."""
    return {
        Kind.TEXT: "",
        Kind.FLAG: False,
        Kind.WHOLE: 0,
        Kind.NUMBER: 0.0,
        Kind.SET: [],
        Kind.LIST: [],
        Kind.OBJECT: None,
    }[item.kind]


def without_defaults(inputs: Properties) -> Properties:
    return {name: value for name, value in inputs.items() if name != DEFAULTS}
