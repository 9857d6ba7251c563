"""Types of inputs, and their check against what a program gave.

Texts of failures are those of the official plugin, whose types are named as in its source
(`remote.CommandInputs`).
"""

from __future__ import annotations

import typing
from dataclasses import dataclass

from local_cloud.plugins.shared_provider import CheckFailure
from local_cloud.plugins.shared_values import (
    UNKNOWN,
    Archive,
    Asset,
    Properties,
    Secret,
    Unknown,
    Value,
)


class WrongTypeError(Exception):
    """A value that does not fit: where, and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class Plain:
    """A string, boolean or number."""

    go_name: str
    python: type
    zero: Value
    whole: bool = False
    """Whether the fraction of a number is dropped."""

    def fit(self, value: Value, path: str, owner: str) -> Value:
        """The value itself, if it is of this type."""
        if type(value) is not self.python:
            raise _wrong(path, owner, self.go_name, value)
        return float(int(value)) if isinstance(value, float) and self.whole else value


@dataclass(frozen=True)
class Anything:
    """No check at all."""

    zero: Value = UNKNOWN

    def fit(self, value: Value, path: str, owner: str) -> Value:
        """The value itself."""
        return value


@dataclass(frozen=True)
class ListOf:
    """A list."""

    go_name: str
    item: Type

    @property
    def zero(self) -> Value:
        """An empty list."""
        return []

    def fit(self, value: Value, path: str, owner: str) -> Value:
        """The list with each item fitted."""
        if not isinstance(value, list):
            raise _wrong(path, owner, self.go_name, value)
        return [_fit(self.item, v, f"{path}[{i}]", owner) for i, v in enumerate(value)]


@dataclass(frozen=True)
class MapOf:
    """Text keys with values of one type."""

    go_name: str
    item: Type

    @property
    def zero(self) -> Value:
        """An empty map."""
        return {}

    def fit(self, value: Value, path: str, owner: str) -> Value:
        """The map with each value fitted."""
        if not isinstance(value, dict):
            raise _wrong(path, owner, self.go_name, value)
        return {k: _fit(self.item, v, f"{path}[{k}] value", owner) for k, v in value.items()}


@dataclass(frozen=True)
class AssetOrArchive:
    """A file, text, or folder."""

    @property
    def zero(self) -> Value:
        """Neither."""
        return {}

    def fit(self, value: Value, path: str, owner: str) -> Value:
        """The value itself; anything else counts as neither, which its resource reports."""
        return value if isinstance(value, Asset | Archive) else self.zero


@dataclass(frozen=True)
class Field:
    """One input."""

    type: Type
    required: bool = False
    secret: bool = False
    default: Value = None


@dataclass(frozen=True)
class Object:
    """Named inputs, in the order in which the official plugin reports them."""

    go_name: str
    fields: typing.Mapping[str, Field]

    @property
    def zero(self) -> Value:
        """What the official plugin makes of an object that is secret and not yet known."""
        required = {name: f.type.zero for name, f in self.fields.items() if f.required}
        return self.with_defaults(required)

    def with_defaults(self, value: Properties) -> Properties:
        """Add the default of each missing entry, in nested objects that are given too."""
        filled = dict(value)
        for name, entry in self.fields.items():
            if entry.default is not None:
                filled.setdefault(name, entry.default)
            if name in filled and isinstance(entry.type, Object):
                filled[name] = _inside_marks(entry.type.with_defaults, filled[name])
        return filled

    def with_secrets(self, value: Properties) -> Properties:
        """Mark the entries that are always secret, in nested objects too."""
        marked = dict(value)
        for name, entry in self.fields.items():
            if name not in marked:
                continue
            if isinstance(entry.type, Object):
                marked[name] = _inside_marks(entry.type.with_secrets, marked[name])
            if entry.secret and not isinstance(marked[name], Secret):
                marked[name] = Secret(marked[name])
        return marked

    def check(self, value: Properties) -> tuple[Properties, list[CheckFailure]]:
        """Fit every entry; the failures are in the order of the fields."""
        fitted: Properties = {}
        failures: list[CheckFailure] = []
        for name, entry in self.fields.items():
            if name not in value:
                if entry.required:
                    reason = f"Missing required field '{name}' on '{self.go_name}'"
                    failures.append(CheckFailure(name, reason))
                continue
            try:
                fitted[name] = _fit(entry.type, value[name], name, self.go_name)
            except WrongTypeError as error:
                failures.append(CheckFailure(error.path, error.reason))
        for name in sorted(value.keys() - self.fields.keys()):
            reason = f"Unrecognized field '{name}' on '{self.go_name}'"
            failures.append(CheckFailure(name, reason))
        return fitted, failures

    def fit(self, value: Value, path: str, owner: str) -> Value:
        """The object with each entry fitted."""
        if not isinstance(value, dict):
            raise _wrong(path, owner, self.go_name, value)
        fitted, failures = self.check(value)
        if failures:
            lines = "".join(f"\n\t{failure.property}: {failure.reason}" for failure in failures)
            where = f"{owner.rsplit('.', 1)[-1]}.{path}"
            count = f"{len(failures)} failures decoding:"
            raise WrongTypeError(path, f"An error occurred decoding '{where}': {count}{lines}")
        return fitted


Type = Plain | Anything | ListOf | MapOf | AssetOrArchive | Object


def checked(schema: Object, value: Properties) -> tuple[Properties, list[CheckFailure]]:
    """A program's inputs, fitted, with defaults and secrets; or as they are, with failures."""
    fitted, failures = schema.check(value)
    if failures:
        return schema.with_secrets(value), failures
    return schema.with_secrets(schema.with_defaults(fitted)), []


def _fit(kind: Type, value: Value, path: str, owner: str) -> Value:
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Secret):
        # A secret that is not yet known becomes the type's empty value, still secret.
        if isinstance(value.value, Unknown):
            return Secret(kind.zero)
        return Secret(_fit(kind, value.value, path, owner))
    return kind.fit(value, path, owner)


def _inside_marks(change: typing.Callable[[Properties], Properties], value: Value) -> Value:
    if isinstance(value, Secret):
        return Secret(_inside_marks(change, value.value))
    return change(value) if isinstance(value, dict) else value


_GO_NAMES = {
    type(None): "<nil>",
    str: "string",
    bool: "bool",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
    Asset: "asset.Asset",
    Archive: "archive.Archive",
}


def _wrong(path: str, owner: str, wanted: str, got: Value) -> WrongTypeError:
    found = _GO_NAMES.get(type(got), type(got).__name__)
    reason = f"Field '{path}' on '{owner}' must be a '{wanted}'; got '{found}' instead"
    return WrongTypeError(path, reason)
