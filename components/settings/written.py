"""What Pulumi.<stack>.yaml says of one site: kept with each release, to tell what changed since.

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

from components.settings import stack_file
from components.settings.site import NOT_TAKEN_OVER, OF_A_SITE

SECRET = "secret "  # noqa: S105 - the word
"""What a secret is written as, before its digest."""
_DIGITS = 12
#: What a release may serve with; which one serves, and whether it is shown, is another matter.
_KEPT = OF_A_SITE - {"appName", "maintenance", "release"}


def of_stack(stack: str, project: str, site: str = "") -> dict[str, str]:
    """What this stack's file in the current folder says; empty where there is none to be read.

    Args:
        site: the `appName` of a further site; empty for the first.
    """
    try:
        found = stack_file.read(Path(f"Pulumi.{stack}.yaml"), project)
    except (OSError, stack_file.StackFileError):
        return {}
    return of_site(found.settings, site)


def of_site(values: Mapping[str, Any], site: str = "") -> dict[str, str]:
    """The settings of a site as text, each value of a map by itself (`appEnv.COLOUR`)."""
    first = {name: value for name, value in values.items() if name in _KEPT}
    if not site:
        return _flat(first)
    its = next(each for each in _parsed(values["sites"]) if each.get("appName") == site)
    taken = {name: value for name, value in first.items() if name not in NOT_TAKEN_OVER}
    return _flat({**taken, **{name: value for name, value in its.items() if name in _KEPT}})


def changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """What was otherwise then: each setting with its text of then, None where it had none."""
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
    """`pulumi config set` without --path writes maps and lists as text."""
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
