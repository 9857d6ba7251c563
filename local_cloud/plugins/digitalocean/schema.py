"""The vocabulary of the resource tables.

A property carries what the official plugin's package schema says of it (input or output,
required, default, replaces) and what its upstream says (who computes it, how it is stored).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_cloud.plugins.shared_values import UNKNOWN, Properties, Value

if TYPE_CHECKING:
    from local_cloud.plugins.digitalocean.api import Work


class Kind(enum.Enum):
    """What a property holds."""

    TEXT = enum.auto()
    FLAG = enum.auto()
    WHOLE = enum.auto()
    NUMBER = enum.auto()
    SET = enum.auto()
    """Several different values, in no order; a state keeps them sorted."""
    LIST = enum.auto()
    OBJECT = enum.auto()


Validator = Callable[[str, Value], str | None]
"""Given a name for messages and a known value: what is wrong with it, or None."""


@dataclass(frozen=True, kw_only=True)
class Property:
    name: str
    kind: Kind = Kind.TEXT
    upstream: str = ""
    """The name in messages and in the state's `renamed` notes, if not the name in snake case."""
    given: bool = True
    """Whether a program may set it; else it is an output only."""
    required: bool = False
    computed: bool = False
    """Whether the API decides when the program does not."""
    replaces: bool = False
    autonaming: bool = True
    """Whether a required `name` is made up where the program gives none."""
    default: Value = None
    needs: str = ""
    """Another property that must be set with this one."""
    conflicts: tuple[str, ...] = ()
    """Others that may not be set with this one."""
    secret: bool = False
    """Whether an output of it is a secret, also where the program does not say so."""
    deprecated: str = ""
    validator: Validator | None = None
    stored: Callable[[str], str] | None = None
    """How the given text is kept in the state, if not as it is."""
    identity: Callable[[Value], Value] = field(default=lambda value: value)
    """What makes two elements of a set the same element."""
    equal: Callable[[Value, Value], bool] = field(default=lambda old, new: bool(old == new))
    element: Kind = Kind.TEXT
    fields: tuple[Property, ...] = ()
    """The properties of an object, or of each object in a set or list."""
    filled: bool = False
    """Whether upstream keeps the object as a set of one, and so each of its fields with a value."""

    @property
    def in_messages(self) -> str:
        return self.upstream or snake_case(self.name)

    @property
    def autonamed(self) -> bool:
        return self.name == "name" and self.required and self.autonaming

    @property
    def of_objects(self) -> bool:
        return self.kind in (Kind.SET, Kind.LIST) and bool(self.fields)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A resource as the API has it now."""

    id: str
    state: Properties


class HalfMade(Exception):  # noqa: N818 - it holds a resource, and an error about it
    """The resource exists, but not as it should; the engine must keep what there is of it."""

    def __init__(self, made: Made, reason: str) -> None:
        super().__init__(reason)
        self.made = made


Create = Callable[["Work", Properties, Properties], Coroutine[Any, Any, Made]]
"""(work, inputs as given, planned state) -> what was made."""
Read = Callable[["Work", str, Properties], Coroutine[Any, Any, Made | None]]
"""(work, id, last known state: empty for an import) -> what is there, or None."""
Update = Callable[["Work", str, Properties, Properties], Coroutine[Any, Any, Made]]
"""(work, id, old state, planned state) -> what it became."""
Delete = Callable[["Work", str, Properties], Coroutine[Any, Any, None]]


@dataclass(frozen=True, kw_only=True)
class Table:
    token: str
    noun: str
    """What a person calls it, in messages."""
    properties: tuple[Property, ...]
    create: Create
    read: Read
    delete: Delete
    update: Update | None = None
    timeouts: Mapping[str, int] = field(default_factory=dict)
    """Seconds of patience by operation; noted in the state as the official plugin does."""
    schema_version: str = ""
    validate_plan: Callable[[Properties], str | None] = lambda plan: None
    adjust_plan: Callable[[Properties, Properties], bool] = lambda prior, plan: False
    """(prior state, plan) -> whether the change needs a new resource; may alter the plan."""

    @property
    def inputs(self) -> tuple[Property, ...]:
        return tuple(item for item in self.properties if item.given)

    def property(self, name: str) -> Property | None:
        return next((item for item in self.properties if item.name == name), None)


def snake_case(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def is_zero(value: Value) -> bool:
    """Whether the value is what Go calls zero: upstream cannot tell it from a missing one."""
    return value is not UNKNOWN and not value


def has_unknown(value: Value) -> bool:
    if isinstance(value, list):
        return any(map(has_unknown, value))
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    return value is UNKNOWN


def ordered(item: Property, values: list[Any]) -> list[Any]:
    """The elements of a set, each once, in the order in which a state keeps them."""
    unique = {repr(item.identity(value)): value for value in reversed(values)}
    if item.fields:
        return sorted(unique.values(), key=_sorting_text)
    return sorted(unique.values())


def _sorting_text(value: Value) -> bytes:
    """Objects sort by this text of theirs (the order is that of upstream's library, go-cty)."""
    return _text_of(value).encode()


def _text_of(value: Value) -> str:
    if value is UNKNOWN:
        return "?"
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + "".join(_text_of(each) + ";" for each in value) + "]"
    if isinstance(value, dict):
        return "<" + "".join(_text_of(value[key]) + ";" for key in sorted(value)) + ">"
    return format(value, ".10g")
