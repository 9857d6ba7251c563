"""Property values as the engine sends them, and their form in Python.

On the wire a value is JSON with marks for secrets, unknowns, assets and archives. Here it is
plain Python (None, bool, float, str, list, dict) with the four classes below for the marks.
The signatures are Pulumi's own, from its wire protocol ("sig" in the SDK).
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field

from google.protobuf import struct_pb2  # type: ignore[import-untyped]

SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark of the protocol
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN_TEXTS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Value = typing.Any
"""None, bool, float, str, list[Value], dict[str, Value] or one of the classes below."""

Properties = dict[str, Value]


class Unknown:
    """A value that will be known only after an update. There is one: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that must never be shown; `repr` does not show it either."""

    value: Value = field(repr=False)


@dataclass(frozen=True)
class Asset:
    """A file, a text or an address. `hash` is computed by the engine."""

    hash: str = ""
    path: str = ""
    text: str = field(default="", repr=False)
    uri: str = ""


@dataclass(frozen=True)
class Archive:
    """A folder, an archive file, an address or a tree of assets. `hash` is the engine's."""

    hash: str = ""
    path: str = ""
    uri: str = ""
    assets: typing.Mapping[str, Value] = field(default_factory=dict)


def revealed(value: Value) -> Value:
    """The value without its secret marks, at any depth."""
    if isinstance(value, Secret):
        return revealed(value.value)
    if isinstance(value, list):
        return [revealed(item) for item in value]
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    return value


def same(one: Value, other: Value) -> bool:
    """Whether two values are equal as Pulumi compares them.

    Assets and archives are equal by content (their hash), a missing entry equals a null one,
    and a secret never equals a plain value.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, Secret):
        return same(one.value, other.value)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return all(same(one.get(key), other.get(key)) for key in one.keys() | other.keys())
    if isinstance(one, Asset | Archive) and one.hash and other.hash:
        return bool(one.hash == other.hash)
    return bool(one == other)


def from_wire(message: struct_pb2.Struct) -> Properties:
    """Read a property map; entries without a value are left out."""
    properties = {key: _value_from_wire(value) for key, value in message.fields.items()}
    return {key: value for key, value in properties.items() if value is not None}


def _value_from_wire(message: struct_pb2.Value) -> Value:
    kind = message.WhichOneof("kind")
    if kind == "string_value":
        text = message.string_value
        return UNKNOWN if text in UNKNOWN_TEXTS else text
    if kind == "number_value":
        return message.number_value
    if kind == "bool_value":
        return message.bool_value
    if kind == "list_value":
        return [_value_from_wire(item) for item in message.list_value.values]
    if kind == "struct_value":
        return _marked(from_wire(message.struct_value))
    return None


def _marked(properties: Properties) -> Value:
    signature = properties.get(SIGNATURE_KEY)
    if signature == SECRET:
        return _secret(properties.get("value"))
    if signature == OUTPUT:
        value = properties.get("value", UNKNOWN)
        return _secret(value) if properties.get("secret") else value
    if signature == ASSET:
        return Asset(**_texts(properties, "hash", "path", "text", "uri"))
    if signature == ARCHIVE:
        return Archive(
            **_texts(properties, "hash", "path", "uri"), assets=properties.get("assets", {})
        )
    return properties


def _secret(value: Value) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _texts(properties: Properties, *names: str) -> dict[str, typing.Any]:
    return {name: properties.get(name, "") for name in names}


def to_wire(properties: Properties) -> struct_pb2.Struct:
    """Write a property map; entries that are None are left out."""
    message = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            _write(value, message.fields[key])
    return message


def _write(value: Value, message: struct_pb2.Value) -> None:
    if isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, Unknown):
        message.string_value = UNKNOWN_TEXT
    elif isinstance(value, list):
        message.list_value.SetInParent()
        for item in value:
            _write(item, message.list_value.values.add())
    elif value is None:
        message.null_value = struct_pb2.NULL_VALUE
    else:
        message.struct_value.CopyFrom(to_wire(_as_properties(value)))


def _as_properties(value: Value) -> Properties:
    if isinstance(value, dict):
        return value
    if isinstance(value, Secret):
        if isinstance(value.value, Unknown):
            return {SIGNATURE_KEY: OUTPUT, "secret": True}
        return {SIGNATURE_KEY: SECRET, "value": value.value}
    if isinstance(value, Asset):
        return {SIGNATURE_KEY: ASSET, **vars(value)}
    if isinstance(value, Archive):
        return {SIGNATURE_KEY: ARCHIVE, **vars(value)}
    raise TypeError(f"not a property value: {type(value).__name__}")
