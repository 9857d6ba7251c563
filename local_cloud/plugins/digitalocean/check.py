"""From what a program gives to complete inputs, or to what is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from local_cloud.plugins.digitalocean.schema import Kind, Property, Table
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Value

DEFAULTS = "__defaults"
"""The names of the properties that nobody gave; the engine keeps the list with the inputs."""

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class NoName(Exception):  # noqa: N818
    """Automatic names are switched off and the program gives none."""


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Where an automatic name comes from."""

    resource_name: str
    seed: bytes
    proposed: str | None = None
    """The name from the engine's own `pulumi:autonaming` setting, if there is one."""
    disabled: bool = False

    def name(self) -> str:
        if self.disabled:
            raise NoName("automatic naming is disabled but no explicit name was provided")
        if self.proposed is not None:
            return self.proposed
        return f"{self.resource_name}-{hashlib.sha256(self.seed).hexdigest()[:7]}"


def checked(
    table: Table, given: Properties, old: Properties, naming: Naming
) -> tuple[Properties, list[str]]:
    """Complete inputs and the failures, each of which names its property.

    Raises `NoName`.
    """
    inputs = {
        name: _noted(table.property(name), value) for name, value in typed(table, given).items()
    }
    inputs |= _defaults(table, inputs, old, naming)
    failures = [
        f"{reason}. Examine values at '{naming.resource_name}.{name}'."
        for name, reason in _failures(table, inputs)
    ]
    return inputs, sorted(failures)


def _noted(item: Property | None, value: Value) -> Value:
    """The value with, in each object, its defaults and the note of which these are."""
    if isinstance(value, list):
        return [_noted(item, each) for each in value]
    if not isinstance(value, dict):
        return value
    fields = item.fields if item else ()
    filled = {each.name: each.default for each in fields if each.default}
    filled = {name: default for name, default in filled.items() if name not in value}
    return {DEFAULTS: sorted(filled), **value, **filled}


def typed(table: Table, properties: Properties) -> Properties:
    """The properties in their own types; the engine for one sends every number as a float."""
    return {
        name: converted(item, value) if (item := table.property(name)) else value
        for name, value in properties.items()
    }


def converted(item: Property, value: Value) -> Value:
    """The value in the property's own type, where there is a sensible way to it."""
    if value is UNKNOWN or value is None:
        return value
    if item.kind in (Kind.SET, Kind.LIST):
        elements = value if isinstance(value, list) else [value]
        one = Property(name=item.name, kind=Kind.OBJECT if item.fields else item.element)
        return [
            _object(item, each) if item.fields else converted(one, each)
            for each in elements
            if each is not None
        ]
    if item.kind is Kind.OBJECT:
        return _object(item, value)
    return _plain(item.kind, value)


def _object(item: Property, value: Value) -> Value:
    if not isinstance(value, dict):
        return value
    known = {each.name: each for each in item.fields}
    return {
        name: converted(known[name], entry) if name in known else entry
        for name, entry in value.items()
        if entry is not None
    }


def _plain(kind: Kind, value: Value) -> Value:
    if kind is Kind.TEXT and isinstance(value, bool):
        return "true" if value else "false"
    if kind is Kind.TEXT and isinstance(value, int | float):
        return format(value, ".16g")
    if kind is Kind.FLAG and isinstance(value, str) and value in _TRUE | _FALSE:
        return value in _TRUE
    if kind is Kind.WHOLE and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is Kind.WHOLE and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value


def _defaults(table: Table, inputs: Properties, old: Properties, naming: Naming) -> Properties:
    filled: Properties = {}
    for item in table.inputs:
        if item.name in inputs:
            continue
        before = old.get(item.name)
        if item.autonamed:
            filled[item.name] = before if isinstance(before, str) else naming.name()
        elif item.default is not None and not item.deprecated:
            was_a_default = item.name in old.get(DEFAULTS, [item.name])
            if before is not None and was_a_default:
                filled[item.name] = before
            elif item.default:
                filled[item.name] = item.default
    return {**filled, DEFAULTS: sorted(filled)}


def _failures(table: Table, inputs: Properties) -> Iterator[tuple[str, str]]:
    """(property, what is wrong)."""
    for name in inputs:
        item = table.property(name)
        if name != DEFAULTS and (item is None or not item.given):
            yield name, "Invalid or unknown key"
    for item in table.inputs:
        yield from _failures_at(item, inputs.get(item.name))
        if item.needs and item.name in inputs and item.needs not in inputs:
            yield (
                item.name,
                f'Missing required argument. "{item.in_messages}": all of '
                f"`{item.in_messages},{item.needs}` must be specified",
            )
        for name in item.conflicts:
            if item.name in inputs and name in inputs:
                other = table.property(name)
                assert other is not None
                yield (
                    item.name,
                    f'Conflicting configuration arguments. "{item.in_messages}": '
                    f"conflicts with {other.in_messages}",
                )
                break


def _failures_at(item: Property, value: Value) -> Iterator[tuple[str, str]]:
    """Those of one property; of an object, each at the field that it is about."""
    if item.kind is not Kind.OBJECT or not isinstance(value, dict):
        for reason in _failures_of(item, value, item.in_messages):
            yield item.name, reason
        return
    for name in value.keys() - {each.name for each in item.fields} - {DEFAULTS}:
        yield f"{item.name}.{name}", "Invalid or unknown key"
    for each in item.fields:
        called = f"{item.in_messages}.0.{each.in_messages}"
        for reason in _failures_of(each, value.get(each.name), called):
            yield f"{item.name}.{each.name}", reason


def _failures_of(item: Property, value: Value, called: str) -> Iterator[str]:
    if value is None:
        if item.required:
            yield (
                f'Missing required argument. The argument "{called}" is required, '
                "but no definition was found."
            )
    elif value is UNKNOWN:
        return
    elif item.kind in (Kind.SET, Kind.LIST) and not item.fields:
        one = Property(name=item.name, kind=item.element, validator=item.validator)
        for index, element in enumerate(value):
            yield from _failures_of(one, element, f"{called}.{index}")
    elif item.fields:
        for index, entry in enumerate(value if isinstance(value, list) else [value]):
            yield from _failures_in(item, entry, f"{called}.{index}")
    elif reason := _wrong_type(item.kind, value) or (
        item.validator and item.validator(called, value)
    ):
        yield reason


def _failures_in(item: Property, entry: Value, called: str) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"expected {called} to be an object, got {entry}"
        return
    known = {each.name for each in item.fields}
    if entry.keys() - known - {DEFAULTS}:
        yield "Invalid or unknown key"
    for each in item.fields:
        yield from _failures_of(each, entry.get(each.name), f"{called}.{each.in_messages}")


def _wrong_type(kind: Kind, value: Value) -> str | None:
    if kind is Kind.FLAG and not isinstance(value, bool):
        return f"cannot parse '' as bool: strconv.ParseBool: parsing \"{value}\": invalid syntax"
    if kind is Kind.WHOLE and (isinstance(value, bool) or not isinstance(value, int)):
        return f"cannot parse '' as int: strconv.ParseInt: parsing \"{value}\": invalid syntax"
    if kind is Kind.TEXT and not isinstance(value, str):
        return f"expected a text, got {type(value).__name__}"
    return None
