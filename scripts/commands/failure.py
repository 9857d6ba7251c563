"""Say last, in a few lines, why an update failed, from what the engine wrote down of it.

The engine shows a failed command whole, with all that it said, and a summary behind that. Whoever
looks at the end of the screen wants to know which step failed and why, once.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.commands.engine import say

_COLOURS = re.compile(r"<\{%.*?%\}>")
#: How both command plugins tell a failed command: how it ended, what ran, all that it said.
_COMMAND = re.compile(r'^(?P<how>.+?): running "(?:[^"\\]|\\.)*":\n?(?P<said>.*)$', re.DOTALL)
_REASON = "releasectl: "
#: Of what says many things, such as a package manager, the end.
_MOST_LINES = 5


@dataclass(frozen=True)
class Failure:
    """A step of an update that failed: the resource's name and the reason."""

    step: str
    reason: str


def failures_in(events: Iterable[str]) -> Iterator[Failure]:
    """The commands that failed, from the lines of the engine's event log; each reason once."""
    told = set()
    for line in events:
        try:
            event = json.loads(line).get("diagnosticEvent", {})
        except ValueError:  # cut short
            continue
        message = _COLOURS.sub("", event.get("message", ""))
        match = _COMMAND.match(message.strip())
        if event.get("severity") != "error" or not match or message in told:
            continue
        told.add(message)
        yield Failure(event["urn"].split("::")[-1], reason_in(match["said"]) or match["how"])


def reason_in(said: str) -> str:
    """The reason at the end of what a command said."""
    lines = [line for line in said.splitlines() if line.strip()]
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith(_REASON):
            return "\n".join([lines[number].removeprefix(_REASON), *lines[number + 1 :]])
    return "\n".join(lines[-_MOST_LINES:])


def main(stack: str, event_log: str) -> None:
    try:
        lines = Path(event_log).read_text().splitlines()
    except OSError:  # the engine did not get so far
        return
    for failure in failures_in(lines):
        say(f"{stack}: {failure.step} failed: {failure.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
