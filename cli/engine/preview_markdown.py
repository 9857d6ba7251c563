"""A preview as a comment for a pull request: what happens to what, dangers first."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.console import say
from cli.paths import ROOT

#: GitHub takes comments of up to 65,536 characters; the rest is for the summary.
LONGEST_DIFF = 50_000
#: What an update does to a resource, in the order in which a person should hear of it. The engine
#: tells a replacement in three steps, of which one is enough.
WORDS = {"delete": "destroyed", "replace": "replaced", "create": "created", "update": "changed"}
#: Resources that a person knows by another name than the engine's.
NOUNS = {
    "digitalocean:index/droplet:Droplet": "server",
    "digitalocean:index/loadBalancer:LoadBalancer": "load balancer",
    "digitalocean:index/firewall:Firewall": "firewall",
    "digitalocean:index/vpc:Vpc": "private network",
    "digitalocean:index/sshKey:SshKey": "SSH key",
    "digitalocean:index/tag:Tag": "tag",
    "command:remote:Command": "step on a server",
    "command:remote:CopyToRemote": "upload",
    "command:local:Command": "step on this machine",
}
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_URN = re.compile(r"\[urn=[^\]]*::([^\]:]*)\]")
_NOT_FOR_PEOPLE = re.compile(r"^ *\[(id|provider)=")
_MARKED = re.compile(r"^( *)([-+~]{1,2})( ?)(.*)$")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an update would do to one resource."""

    what: str
    """destroyed, replaced, created or changed"""
    noun: str
    name: str
    because: tuple[str, ...] = ()
    """The properties that differ."""

    @property
    def takes_data(self) -> bool:
        """Whether what is stored on the resource is lost: the database lives on its server."""
        return self.what in ("destroyed", "replaced") and self.noun == "server"

    @property
    def takes_the_database(self) -> bool:
        return self.takes_data and self.name == "db"


def changes_in(events: Iterable[dict[str, Any]]) -> list[Change]:
    """What the engine's events tell of changes; pure. Components are no things of their own."""
    found = []
    for event in events:
        step = event.get("resourcePreEvent", {}).get("metadata")
        if not step or step["op"] not in WORDS or not (step.get("old") or step.get("new")):
            continue
        if not (step.get("new") or step["old"]).get("custom") or "providers:" in step["type"]:
            continue
        found.append(
            Change(
                what=WORDS[step["op"]],
                noun=NOUNS.get(step["type"], step["type"]),
                name=step["urn"].rsplit("::", 1)[-1],
                because=tuple(step.get("diffs") or ()),
            )
        )
    order = list(WORDS.values())
    return sorted(found, key=lambda c: (not c.takes_the_database, order.index(c.what)))


def markdown(stack: str, changes: list[Change], diff: str, error: str = "") -> str:
    """The comment; pure."""
    parts = [f"### Preview of `{stack}`"]
    parts += [_warning(change) for change in changes if change.takes_data]
    if error:
        parts.append(f"**The preview failed.**\n\n```text\n{error.strip()}\n```")
    elif not changes:
        parts.append("Nothing changes.")
    if changes:
        parts += [_summary(changes), _table(changes), _details(diff)]
    return "\n\n".join(parts) + "\n"


def _warning(change: Change) -> str:
    if change.takes_the_database:
        return (
            f"> [!CAUTION]\n> **The database server `{change.name}` is {change.what}:"
            " all its data is lost.**"
        )
    return f"> [!WARNING]\n> The server `{change.name}` is {change.what}."


def _summary(changes: list[Change]) -> str:
    counted = {word: sum(c.what == word for c in changes) for word in WORDS.values()}
    return ", ".join(f"**{count} {word}**" for word, count in counted.items() if count)


def _table(changes: list[Change]) -> str:
    rows = [
        f"| {change.what} | {change.noun} | `{change.name}` |"
        f" {', '.join(f'`{each}`' for each in change.because)} |"
        for change in changes
    ]
    return "\n".join(["| | what | name | because of |", "|---|---|---|---|", *rows])


def _details(diff: str) -> str:
    lines = (_URN.sub(r"[\1]", line) for line in _ESCAPES.sub("", diff).splitlines())
    text = "\n".join(_for_a_diff_block(line) for line in lines if not _NOT_FOR_PEOPLE.match(line))
    text = text.replace("```", "` ` `")
    if len(text) > LONGEST_DIFF:
        text = text[:LONGEST_DIFF] + "\n… and more: scripts/preview shows all of it"
    return (
        f"<details><summary>The lines that change</summary>\n\n```diff\n{text}\n```\n\n</details>"
    )


def _for_a_diff_block(line: str) -> str:
    """The engine's mark to the start of the line, where a diff is coloured by it."""
    found = _MARKED.match(line)
    if not found:
        return " " + line
    indent, mark, space, text = found.groups()
    return f"{'!' if mark[0] == '~' else mark[0]} {indent}{' ' * (len(mark) - 1)}{space}{text}"


def show(stack: str, options: Sequence[str]) -> int:
    """Print it; the exit status of the preview."""
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder, "events")
        # The event log is one of the engine's debug options; one run gives both texts.
        command = ["pulumi", "preview", "--stack", stack, "--diff", "--color=never"]
        done = subprocess.run(
            [*command, "--suppress-outputs", "--event-log", str(events), *options],
            env={**os.environ, "PULUMI_DEBUG_COMMANDS": "1"},
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        lines = events.read_text().splitlines() if events.exists() else []
    error = "" if done.returncode == 0 else done.stderr or done.stdout
    changes = changes_in(map(json.loads, lines))
    print(markdown(stack, changes, done.stdout, error), end="")  # noqa: T201
    if error:
        say(f"the preview of {stack} failed")
    return done.returncode
