"""Writes down how long the parts of a change take, where somebody wants to know.

The environment variable SLIPWAY_TIMELINE names the file (`scripts/up --profile` sets it); each part
becomes a line of JSON: the resource's name, what it was, when it began and ended in seconds since
the epoch. Nothing of the change itself is in it. Stand-in plugins write theirs, and so does the
delivery of a release.
"""

from __future__ import annotations

import json
import os
import time

_VARIABLE = "SLIPWAY_TIMELINE"


class Stopwatch:
    """Of one change of a resource: each `lap` is a part, since the one before."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._began = time.time()

    def lap(self, what: str) -> None:
        """A part has ended: connect, transfer, command."""
        file = os.environ.get(_VARIABLE)
        if not file:
            return
        ended = time.time()
        part = {
            "resource": self._resource,
            "what": what,
            "began": self._began,
            "ended": ended,
        }
        with open(file, "a") as parts:  # noqa: PTH123 - pathlib takes longer to import
            parts.write(json.dumps(part) + "\n")
        self._began = ended
