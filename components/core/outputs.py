"""The stack's outputs, for people, scripts and the next update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


def export(values: Mapping[str, Any], earlier: Mapping[str, Any]) -> None:
    """Export the stack's outputs.

    Args:
        values: by name; may be outputs of resources.
        earlier: the outputs of the last successful update. They stay where this update has no
            value, because it left out servers (`scripts/up --only db`).
    """
    for name, value in values.items():
        pulumi.export(name, _or_else(value, earlier.get(name)))


def _or_else(value: Any, earlier: Any) -> Any:
    # A preview shows what is not known yet as such.
    if pulumi.runtime.is_dry_run() or not isinstance(value, pulumi.Output):
        return value
    return value.apply(
        lambda known: earlier if pulumi.contains_unknowns(known) else known,
        run_with_unknowns=True,
    )
