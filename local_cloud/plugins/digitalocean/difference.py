"""Which properties a change touches and how, named as the official plugin names them.

The engine shows these paths against the inputs of the program, so a changed element of a set
is named by its place in the inputs, not by its place in the (sorted) state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_cloud.plugins.digitalocean.schema import Kind, Property, Table
from local_cloud.plugins.shared_diff import Change, Diff, Path, text_of
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Value

META = "__meta"
"""Carries the replacement when no single property explains it."""


def difference(
    table: Table,
    prior: Properties,
    plan: Properties,
    inputs: Properties,
    *,
    replace: bool = False,
    automatic_name: bool = False,
) -> Diff:
    """Compare the prior with the planned state; `replace` asks for a new resource anyway.

    A name that the program chose cannot be taken twice: then the old resource has to go first.
    """
    changes: dict[str, Change] = {}
    for item in table.properties:
        old, new = prior.get(item.name), plan.get(item.name)
        given = inputs.get(item.name)
        for path, change in _changes(item, (item.name,), old, new, given):
            changes[text_of(path)] = change.as_replacement() if item.replaces else change
    if replace and not any(change.replaces for change in changes.values()):
        changes[META] = Change.UPDATE_REPLACE
    replaces = any(change.replaces for change in changes.values())
    return Diff(changes, delete_before_replace=replaces and not automatic_name)


Found = Iterator[tuple[Path, Change]]


def _changes(item: Property, path: Path, old: Value, new: Value, given: Value) -> Found:
    old, new = _present(old), _present(new)
    if old is None or new is None or new is UNKNOWN:
        if old is not None or new is not None:
            yield path, _plain_change(old, new)
    elif item.kind is Kind.SET:
        yield from _changes_of_set(item, path, old, new, given)
    elif item.kind is Kind.OBJECT:
        yield from _changes_of_object(item, path, old, new, given)
    elif old != new:
        yield path, Change.UPDATE


def _present(value: Value) -> Value:
    return None if value == [] else value


def _plain_change(old: Value, new: Value) -> Change:
    if old is None:
        return Change.ADD
    return Change.DELETE if new is None else Change.UPDATE


def _changes_of_object(
    item: Property, path: Path, old: Properties, new: Properties, given: Value
) -> Found:
    for each in item.fields:
        inner = given.get(each.name) if isinstance(given, dict) else None
        here = (*path, each.name)
        yield from _changes(each, here, old.get(each.name), new.get(each.name), inner)


def _changes_of_set(
    item: Property, path: Path, old: list[Value], new: list[Value], given: Value
) -> Found:
    before = {_identity(item, value): index for index, value in enumerate(old)}
    after = {_identity(item, value): index for index, value in enumerate(new)}
    removed = sorted(index for key, index in before.items() if key not in after)
    added = sorted(index for key, index in after.items() if key not in before)
    if not removed and not added:
        return
    places = _places_in_inputs(item, added, new, given)
    if places is None:
        yield path, Change.UPDATE
        return
    for place in sorted({*removed, *places}):
        old_value = old[place] if place in removed else None
        new_value = new[places[place]] if place in places else None
        here = (*path, place)
        if item.fields and old_value is not None and new_value is not None:
            inner = given[place] if place < len(given) else None
            yield from _changes_of_object(item, here, old_value, new_value, inner)
        elif old_value != new_value:
            yield here, _plain_change(old_value, new_value)


def _identity(item: Property, value: Value) -> str:
    return repr(item.identity(_known(value)))


def _known(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _known(each) for key, each in sorted(value.items())}
    return None if value is UNKNOWN else value


def _places_in_inputs(
    item: Property, added: list[int], new: list[Value], given: Value
) -> dict[int, int] | None:
    """Place in the inputs -> place in the plan, or None where they cannot be matched."""
    if not isinstance(given, list) or len(given) < len(new):
        return None
    places: dict[int, int] = {}
    for index in added:
        for place, value in enumerate(given):
            if place not in places and _may_come_from(item, value, new[index]):
                places[place] = index
                break
    return places if len(places) == len(added) else None


def _may_come_from(item: Property, given: Value, plan: Value) -> bool:
    if not item.fields:
        return bool(given == plan)
    if not isinstance(given, dict) or not isinstance(plan, dict):
        return False
    return all(
        _field_may_come_from(each, given.get(each.name), plan.get(each.name))
        for each in item.fields
    )


def _field_may_come_from(item: Property, given: Any, plan: Any) -> bool:
    if item.kind is Kind.SET and given is None:
        return not plan and plan is not UNKNOWN
    return bool(given == plan)
