"""The settings of one site as written in Pulumi.<stack>.yaml.

They are stored with each release, to show later what has changed since. Secrets are replaced by a
digest of their encrypted text, which changes when the secret is set again and reveals nothing about
its value. Pure except for `of_stack`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.settings import stack_file
from components.settings.site import NOT_TAKEN_OVER, OF_A_SITE

SECRET = "secret "  # noqa: S105 - the word
"""Prefix of the digest of a secret."""
_DIGITS = 12
#: Settings that affect how a release serves, not which one serves or whether it is shown.
_KEPT = OF_A_SITE - {"appName", "maintenance", "release"}


def of_stack(stack: str, project: str, site: str = "") -> dict[str, str]:
    """Read this stack's file in the current folder; empty if there is none or it is invalid.

    Args:
        site: the `appName` of a further site; empty for the first.
    """
    try:
        found = stack_file.read(Path(f"Pulumi.{stack}.yaml"), project)
    except (OSError, stack_file.StackFileError):
        return {}
    return of_site(found.settings, site)


def of_site(values: Mapping[str, Any], site: str = "") -> dict[str, str]:
    """The settings of a site as text; maps are flattened (`appEnv.COLOUR`)."""
    first = {name: value for name, value in values.items() if name in _KEPT}
    if not site:
        return _flat(first)
    its = next(each for each in _parsed(values["sites"]) if each.get("appName") == site)
    taken = {name: value for name, value in first.items() if name not in NOT_TAKEN_OVER}
    return _flat({**taken, **{name: value for name, value in its.items() if name in _KEPT}})


def changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """The settings that differ, each with its text at that time; None if it was not set."""
    names = sorted({*then, *now})
    return [(name, then.get(name)) for name in names if then.get(name) != now.get(name)]


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        inner = _parsed(value)
        if isinstance(inner, dict) and "secure" not in inner:
            flat |= {f"{name}.{key}": _text(each) for key, each in inner.items()}
        else:
            flat[name] = _text(value)
    return flat


def _parsed(value: Any) -> Any:
    """Parse a map or list that `pulumi config set` without --path has written as text."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _text(value: Any) -> str:
    if isinstance(value, dict) and "secure" in value:
        return SECRET + hashlib.sha256(str(value["secure"]).encode()).hexdigest()[:_DIGITS]
    value = _parsed(value)
    return value if isinstance(value, str) else json.dumps(value)
