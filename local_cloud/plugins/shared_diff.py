"""What changed between two sets of inputs, said as the engine wants to hear it.

The rules are those of Pulumi's own object diff, so that a stand-in names the same properties
with the same kinds as an official plugin that leaves the diff to Pulumi's libraries.
"""

from __future__ import annotations

import enum
import re
import typing
from dataclasses import dataclass

from local_cloud.plugins.shared_values import (
    UNKNOWN,
    Properties,
    Secret,
    Value,
    same,
)


class Change(enum.Enum):
    """The values are those of `PropertyDiff.Kind` in Pulumi's protocol."""

    ADD = 0
    ADD_REPLACE = 1
    DELETE = 2
    DELETE_REPLACE = 3
    UPDATE = 4
    UPDATE_REPLACE = 5

    @property
    def replaces(self) -> bool:
        """Whether the change needs a new resource."""
        return self in (Change.ADD_REPLACE, Change.DELETE_REPLACE, Change.UPDATE_REPLACE)

    def as_replacement(self) -> Change:
        """The same change, needing a new resource."""
        return self if self.replaces else Change(self.value + 1)


Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Diff:
    """Changes by property path (`connection.host`, `triggers[0]`)."""

    changes: typing.Mapping[str, Change]
    delete_before_replace: bool = False

    @property
    def changed_keys(self) -> list[str]:
        """The top-level properties that changed."""
        return sorted({top_level(path) for path in self.changes})

    @property
    def replacing_keys(self) -> list[str]:
        """The top-level properties whose change needs a new resource."""
        return sorted({top_level(path) for path, change in self.changes.items() if change.replaces})


def diff_of_inputs(
    old: Properties,
    new: Properties,
    *,
    replaces: typing.Callable[[str], bool] = lambda path: False,
) -> Diff:
    """Compare old and new inputs.

    `replaces` is asked with each changed path whether that change needs a new resource.
    """
    found: dict[str, Change] = {}
    _compare_objects(old, new, (), found)
    return Diff(
        {
            path: change.as_replacement() if replaces(path) else change
            for path, change in found.items()
        }
    )


def _compare_objects(old: Properties, new: Properties, at: Path, found: dict[str, Change]) -> None:
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        # A secret that is not yet known is taken for unchanged, as Pulumi's own diff does.
        if after == Secret(UNKNOWN) and before is not None:
            continue
        _compare(before, after, (*at, key), found)


def _compare(old: Value, new: Value, at: Path, found: dict[str, Change]) -> None:
    if isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            here = (*at, index)
            if index >= len(old):
                found[text_of(here)] = Change.ADD
            elif index >= len(new):
                found[text_of(here)] = Change.DELETE
            else:
                _compare(old[index], new[index], here, found)
    elif isinstance(old, dict) and isinstance(new, dict):
        _compare_objects(old, new, at, found)
    elif not same(old, new):
        if old is None:
            found[text_of(at)] = Change.ADD
        elif new is None:
            found[text_of(at)] = Change.DELETE
        else:
            found[text_of(at)] = Change.UPDATE


_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9_]")


def text_of(path: Path) -> str:
    """A property path as Pulumi writes it: `a.b[0]["with.dot"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _NEEDS_QUOTES.search(step):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


def top_level(path: str) -> str:
    """The first step of a property path."""
    quoted = re.match(r'\["((?:[^"\\]|\\.)*)"\]', path)
    if quoted:
        return quoted.group(1).replace('\\"', '"')
    return re.split(r"[.\[]", path, maxsplit=1)[0]
