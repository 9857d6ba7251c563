"""Take the engine's protection from what somebody has named to be destroyed, and give it back.

`names STACK` prints the servers that the engine refuses to destroy, one a line; `lift STACK` takes
the protection away in the state and prints whose it was; `give STACK URN ...` gives it back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from scripts.commands.engine import made, pulumi


def protected(resources: Iterable[dict[str, Any]]) -> list[str]:
    """The URNs of what the engine refuses to destroy; pure."""
    return [each["urn"] for each in resources if each.get("protect")]


def main(what: str, stack: str, *urns: str) -> None:
    if what == "give":
        _each(urns, "protect", stack)
        return
    found = protected(made(stack))
    if what == "lift":
        _each(found, "unprotect", stack)
    print(*(urn if what == "lift" else urn.split("::")[-1] for urn in found), sep="\n")  # noqa: T201


def _each(urns: Iterable[str], what: str, stack: str) -> None:
    for urn in urns:
        pulumi("state", what, urn, "--yes", "--stack", stack)


if __name__ == "__main__":
    main(*sys.argv[1:])
