"""Whether another update of an environment is under way; locks that dead processes left go.

The locks are the engine's own, files of its file backend (pulumi/pkg/backend/diy/lock.go). Other
backends are not looked into: there the engine itself says who is at work.
"""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.console import fail, say
from cli.engine import backend

SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True, kw_only=True)
class UpdateLock:
    """Who updates an environment; `since` is when it began."""

    path: Path
    process: int
    user: str
    machine: str
    since: datetime

    @classmethod
    def read(cls, path: Path) -> UpdateLock | None:
        """The lock in that file; None when it is gone, or not wholly written yet."""
        try:
            found = json.loads(path.read_text())
            return cls(
                path=path,
                process=int(found["pid"]),
                user=str(found["username"]),
                machine=str(found["hostname"]),
                since=datetime.fromisoformat(found["timestamp"]).astimezone(UTC),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def is_dead(self) -> bool:
        """Whether it was left behind: its process was on this machine and is no more.

        Of another machine's process nothing is known, so it counts as alive.
        """
        return self.machine == socket.gethostname() and not _is_engine(self.process)

    def describe(self, now: datetime) -> str:
        seconds = max(0, round((now - self.since).total_seconds()))
        lasts = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
        who = f"{self.user} on {self.machine} (process {self.process})"
        return f"{who} since {self.since:%Y-%m-%d %H:%M:%S} UTC ({lasts})"


def _is_engine(process: int) -> bool:
    """Whether this process of our machine runs, and is not another one that got its number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True  # a machine without /proc: believe the number
    name, rest = stat.split("(", 1)[1].rsplit(")", 1)
    return "pulumi" in name and rest.split()[0] not in "ZX"


def folder_of(stack: str) -> Path | None:
    """Where the file backend keeps the locks of a stack; None for another backend."""
    states = backend.folder()
    # The one project that this backend's folder is for.
    return next((states / ".pulumi" / "locks").glob(f"*/*/{stack}"), None) if states else None


def held(stack: str) -> list[UpdateLock]:
    """The locks of others, oldest first, those left by dead processes included."""
    folder = folder_of(stack)
    read = map(UpdateLock.read, folder.glob("*.json") if folder else ())
    return sorted(filter(None, read), key=lambda lock: lock.since)


def take_over(stack: str) -> list[UpdateLock]:
    """Remove the locks of dead processes, saying so; the living ones that remain."""
    living = []
    for lock in held(stack):
        if lock.is_dead:
            for path in (lock.path, lock.path.with_name(f"{lock.path.name}.attrs")):
                path.unlink(missing_ok=True)
            _forget_unfinished_writes(stack, lock.path.parents[4])
            say(
                f"{stack}: the update of {lock.describe(datetime.now(UTC))} was cut short; going on"
            )
        else:
            living.append(lock)
    return living


def _forget_unfinished_writes(stack: str, states: Path) -> None:
    """The state that it was writing aside, to be renamed into place; and empty side files.

    These are not written in one step. An empty one makes the stack unreadable ("failed to load
    checkpoint: EOF"), none at all is fine (gocloud's fileblob, attrs.go).
    """
    unfinished = [*states.glob(f"stacks/*/{stack}.json.*.tmp")]
    side_files = states.glob(f"stacks/*/{stack}.json*.attrs")
    unfinished += [path for path in side_files if path.stat().st_size == 0]
    for path in unfinished:
        path.unlink(missing_ok=True)


def await_turn(
    stack: str, *, wait: bool, pause: Callable[[float], None] = time.sleep
) -> UpdateLock | None:
    """Return once nobody updates the stack: None; or at once, with the lock, unless `wait`."""
    told: set[Path] = set()
    while living := take_over(stack):
        lock = living[0]
        if not wait:
            return lock
        if lock.path not in told:
            say(f"{stack}: waiting for the update of {lock.describe(datetime.now(UTC))}")
            told.add(lock.path)
        # Not all who wait look at the same moment, lest all of them begin at once.
        pause(SECONDS_BETWEEN_LOOKS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
    return None


def require_turn(stack: str, *, wait: bool) -> None:
    """Return once nobody else updates the stack; end the command where somebody does, or `wait`."""
    lock = await_turn(stack, wait=wait)
    if lock is None:
        return
    elsewhere = (
        ""
        if lock.machine == socket.gethostname()
        else f"; if that one is dead: pulumi cancel --stack {stack}"
    )
    fail(
        f"{stack} is being updated by {lock.describe(datetime.now(UTC))}:"
        f" try again later, or say --wait{elsewhere}"
    )
