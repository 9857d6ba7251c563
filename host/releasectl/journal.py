"""history.jsonl: what was done on this server, and what can be derived from that."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from .clock import now, seconds_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: Fields of a release that the journal keeps, also after the release was removed.
RELEASE_FIELDS = ("commit", "author", "message", "dirty")


#: Journal entries after which releases are no longer on this server.
REMOVAL_EVENTS = ("prune", "drop")


#: `FirstSwitch.fields` of a release that has never served.
NEVER_SERVED: dict[str, Any] = {"activated_at": None, "activated_by": None, "took": None}


def ssh_client() -> str:
    """The address of the SSH client that runs this command; empty outside SSH.

    sudo removes SSH_CLIENT, so the environment of the parent processes is searched too.
    """
    process, environment = os.getppid(), os.environ.get("SSH_CLIENT", "")
    while not environment and process > 1:
        try:
            for variable in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
                if variable.startswith(b"SSH_CLIENT="):
                    environment = variable.partition(b"=")[2].decode("utf-8", "replace")
            stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            break  # it has exited, or we may not read its environment
        process = int(stat.rsplit(")", 1)[1].split()[1])
    return environment.split(" ")[0]


class Journal:
    """history.jsonl: every change, one JSON object a line, oldest first."""

    def __init__(self, path: Path, by: str) -> None:
        self.path, self.by = path, by
        self.began = time.monotonic()
        self._read: tuple[int, list[dict[str, Any]]] = (0, [])

    def entries(self) -> list[dict[str, Any]]:
        """All entries. The file only grows, so it is read again only if its size has changed."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return []
        if size != self._read[0]:
            self._read = (size, self._entries())
        return self._read[1]

    def _entries(self) -> list[dict[str, Any]]:
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # a power cut tore this line
            if isinstance(entry, dict):
                found.append(entry)
        return found

    def add(self, what: str, release: str, outcome: str = "ok", **more: Any) -> None:
        """Record what was done; `seconds` is how long the command has been running."""
        entry = {
            "at": now(),
            "by": self.by,
            "from": ssh_client(),
            "what": what,
            "release": release,
            "outcome": outcome,
            "seconds": round(time.monotonic() - self.began, 1),
        }
        with self.path.open("a+", encoding="utf-8") as file:
            file.seek(0)
            torn = not (file.read() or "\n").endswith("\n")
            file.write(("\n" if torn else "") + json.dumps({**entry, **more}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def activations(self) -> list[dict[str, Any]]:
        """The successful switches, oldest first."""
        return [e for e in self.entries() if (e.get("what"), e.get("outcome")) == ("switch", "ok")]


class FirstSwitch:
    """The journal entry of the first time that a release served here."""

    def __init__(self, entry: dict[str, Any], staged: dict[str, Any] | None) -> None:
        self._entry, self._staged = entry, staged

    @property
    def fields(self) -> dict[str, Any]:
        """For the list: when, by whom, and how many seconds after its last staging began."""
        at = self._entry["at"]
        took = None
        if self._staged is not None:
            begin = seconds_of(self._staged["at"]) - self._staged["seconds"]
            took = round(seconds_of(at) - begin, 1)
        return {"activated_at": at, "activated_by": self._entry.get("by"), "took": took}


def first_switches(entries: list[dict[str, Any]]) -> dict[str, FirstSwitch]:
    """When each release first served. One that was removed and staged again counts as new."""
    first: dict[str, FirstSwitch] = {}
    staged: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    for entry in entries:
        what, release = entry.get("what"), str(entry.get("release"))
        if what in REMOVAL_EVENTS:
            gone |= set(release.split())
        elif what == "stage" and "seconds" in entry:
            staged[release] = entry
        elif (what, entry.get("outcome")) == ("switch", "ok"):
            if release in gone or release not in first:
                first[release] = FirstSwitch(entry, staged.get(release))
            gone.discard(release)
    return first


def newest_first(entries: list[dict[str, Any]]) -> list[str]:
    """The releases that were staged and not removed, in the journal's order, not by the clock.

    Same rules as the stack's history (`components/release/history.py`): a release that serves for
    the first time comes first, followed by the one that served until then.
    """
    order: list[str] = []
    served: set[str] = set()
    serving = before = None
    for entry in entries:
        what, release = entry.get("what"), str(entry.get("release"))
        if what in REMOVAL_EVENTS:
            order = [other for other in order if other not in release.split()]
            served -= set(release.split())
        elif entry.get("outcome") != "ok":
            continue
        elif what == "stage":
            order = order if release in order else [release, *order]
        elif what == "switch":
            order = order if release in order else [release, *order]
            if release not in served:
                for front in (serving, release):
                    if front in order:
                        order.remove(front)
                        order.insert(0, front)
                served.add(release)
            before, serving = serving, release
        elif what == "revert":
            served.discard(release)  # it never served on all servers
            serving = before
    return order
