"""Validators of property values: one function per rule, with the official plugin's messages."""

from __future__ import annotations

import ipaddress
import re

from local_cloud.plugins.digitalocean.schema import Validator
from local_cloud.plugins.shared_values import Value

_TAG = re.compile(r"[a-zA-Z0-9:\-_]{1,255}")


def not_empty(name: str, value: Value) -> str | None:
    return None if value else f"{name} must not be empty, got {value}"


def a_tag(name: str, value: Value) -> str | None:
    if _TAG.fullmatch(value):
        return None
    return (
        "tags may contain lowercase letters, numbers, colons, dashes, and underscores; "
        "there is a limit of 255 characters per tag"
    )


def an_address_range(name: str, value: Value) -> str | None:
    try:
        ipaddress.ip_network(value, strict=False)
        if "/" in value:
            return None
    except ValueError:
        pass
    return f'expected "{name}" to be a valid CIDR Value, got {value}: invalid CIDR address: {value}'


def at_most(limit: int) -> Validator:
    def validate(name: str, value: Value) -> str | None:
        if len(value) <= limit:
            return None
        return f"expected length of {name} to be in the range (0 - {limit}), got {value}"

    return validate


def between(lowest: int, highest: int) -> Validator:
    def validate(name: str, value: Value) -> str | None:
        if lowest <= value <= highest:
            return None
        return f"expected {name} to be in the range ({lowest} - {highest}), got {value}"

    return validate


def one_of(*allowed: str) -> Validator:
    def validate(name: str, value: Value) -> str | None:
        if value in allowed:
            return None
        choices = " ".join(f'"{each}"' for each in allowed)
        return f"expected {name} to be one of [{choices}], got {value}"

    return validate


def one_of_any_case(*allowed: str) -> Validator:
    strict = one_of(*allowed)

    def validate(name: str, value: Value) -> str | None:
        return None if value.upper() in allowed else strict(name, value)

    return validate


def length_between(shortest: int, longest: int) -> Validator:
    def validate(name: str, value: Value) -> str | None:
        if shortest <= len(value) <= longest:
            return None
        limits = f"({shortest} - {longest})"
        return f"expected length of {name} to be in the range {limits}, got {value}"

    return validate


def at_least(lowest: int) -> Validator:
    def validate(name: str, value: Value) -> str | None:
        return (
            None if value >= lowest else f"expected {name} to be at least ({lowest}), got {value}"
        )

    return validate
