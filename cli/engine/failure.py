"""Say last, in a few lines, why an update failed, from what the engine wrote down of it.

The engine shows a failed command whole, with all that it said, and a summary behind that. Whoever
looks at the end of the screen wants to know which step failed and why, once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from cli.console import say

_COLOURS = re.compile(r"<\{%.*?%\}>")
#: How both command plugins tell a failed command: how it ended, what ran, all that it said.
_COMMAND = re.compile(r'^(?P<how>.+?): running "(?:[^"\\]|\\.)*":\n?(?P<said>.*)$', re.DOTALL)
_REASON = "releasectl: "
#: Of what says many things, such as a package manager, the end.
_MOST_LINES = 5


def failures_in(events: Iterable[str]) -> dict[str, list[str]]:
    """Why commands failed, from the lines of the engine's event log: each reason with its steps.

    A step is known by the name of its resource, such as web-2-start.
    """
    found: dict[str, list[str]] = {}
    for line in events:
        try:
            event = json.loads(line).get("diagnosticEvent", {})
        except ValueError:  # cut short
            continue
        match = _COMMAND.match(_COLOURS.sub("", event.get("message", "")).strip())
        if event.get("severity") != "error" or not match:
            continue
        step = event["urn"].split("::")[-1]
        steps = found.setdefault(reason_in(match["said"]) or match["how"], [])
        if step not in steps:
            steps.append(step)
    return found


def reason_in(said: str) -> str:
    """The reason at the end of what a command said."""
    lines = [line for line in said.splitlines() if line.strip()]
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith(_REASON):
            return "\n".join([lines[number].removeprefix(_REASON), *lines[number + 1 :]])
    return "\n".join(lines[-_MOST_LINES:])


def tell(stack: str, event_log: Path) -> None:
    """Say which steps failed and why, from the engine's event log."""
    try:
        lines = event_log.read_text().splitlines()
    except OSError:  # the engine did not get so far
        return
    for reason, steps in failures_in(lines).items():
        say(f"{stack}: {', '.join(sorted(steps))} failed: {reason}")
