"""The settings of one site in Pulumi.<stack>.yaml, kept with each release to show later changes.

Unlike the settings of `settings.py` it still knows which values are secret: of these there is a
digest of the encrypted text, which says that one was set anew and nothing about its value. Pure but
for `of_stack`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from components.settings.site import NOT_TAKEN_OVER, OF_A_SITE

SECRET = "secret "  # noqa: S105 - the word
"""Stands for a secret, followed by its digest."""
_DIGITS = 12
#: What a release may serve with; which one serves, and whether it is shown, is another matter.
_KEPT = OF_A_SITE - {"appName", "maintenance", "release"}


def of_stack(stack: str, project: str, site: str = "") -> dict[str, str]:
    """What this stack's file in the current folder says; empty where there is none to be read.

    Args:
        site: the `appName` of a further site; empty for the first.
    """
    try:
        config = yaml.safe_load(Path(f"Pulumi.{stack}.yaml").read_text())["config"]
        values = {str(key).removeprefix(f"{project}:"): value for key, value in config.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return {}
    return of_site(values, site)


def of_site(values: Mapping[str, Any], site: str = "") -> dict[str, str]:
    """The settings of a site as text, each value of a map separately (`appEnv.COLOUR`)."""
    first = {name: value for name, value in values.items() if name in _KEPT}
    if not site:
        return _flat(first)
    its = next(each for each in _parsed(values["sites"]) if each.get("appName") == site)
    taken = {name: value for name, value in first.items() if name not in NOT_TAKEN_OVER}
    return _flat({**taken, **{name: value for name, value in its.items() if name in _KEPT}})


def changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """The settings that differed then, with their text of then; None for one that was not set."""
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
    """Without --path, `pulumi config set` writes maps and lists as text."""
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
