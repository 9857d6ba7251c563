"""What may differ between two runs of the same story: ids, addresses, times, random names."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.local_cloud.plugins.digitalocean.plugin_process import UNKNOWN

_CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*( \+0000 UTC)?"), "<time>"),
    (re.compile(r"-[0-9a-f]{7}(?![0-9a-f])"), "-<random>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<endpoint>"),
    (re.compile(r"v1:[\w+/=]+:[\w+/=]+"), "<ciphertext>"),
)
_UNSEEN = frozenset({"stables", "created", "modified", "sourcePosition", "stackTrace"})
"""Notes that no person sees and no decision of the engine on these resources rests on."""


def comparable(value: Any) -> Any:
    """The value without what has to differ, and without entries that say nothing (None)."""
    if isinstance(value, dict):
        return {
            key: _entry(key, comparable(entry))
            for key, entry in value.items()
            if entry is not None and key not in _UNSEEN
        }
    if isinstance(value, list):
        return [comparable(entry) for entry in value]
    if isinstance(value, str) and value != UNKNOWN:
        for pattern, replacement in _CHANGING:
            value = pattern.sub(replacement, value)
    return value


def _entry(key: str, value: Any) -> Any:
    """Some lists are in the order in which things happened to be done; some values are unique."""
    if key == "__meta":
        return _meta(value)
    if key == "sha1Fingerprint":
        # Each cloud signs a certificate of its own; all other fingerprints are of what was given.
        return bool(value)
    if key == "dependencies":
        return sorted(value)
    if key == "propertyDependencies":
        return {name: sorted(urns) for name, urns in value.items()}
    if key in ("open", "closed"):
        return sorted(value, key=lambda resource: str(resource["urn"]))
    return value


def _meta(text: Any) -> Any:
    """Timeouts. What else upstream writes here in a preview is for itself alone."""
    return json.loads(text).get("e2bfb730-ecaa-11e6-8f88-34363bc7c4c0") if text else None


def differences(official: Any, ours: Any, path: str = "") -> list[str]:
    """Each difference in a line of its own."""
    if isinstance(official, dict) and isinstance(ours, dict):
        found = []
        for key in sorted(official.keys() | ours.keys()):
            found += differences(official.get(key), ours.get(key), f"{path}.{key}")
        return found
    if isinstance(official, list) and isinstance(ours, list) and len(official) == len(ours):
        found = []
        for index, (one, other) in enumerate(zip(official, ours, strict=True)):
            found += differences(one, other, f"{path}[{index}]")
        return found
    return [] if official == ours else [f"{path}: official {official!r}, ours {ours!r}"]
