"""Processes that outlive the cloud: started detached, found again after any crash."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_cloud.machine import MachineError

OWNER_VARIABLE = "SLIPWAY_LOCAL_CLOUD"
"""Each detached process carries its cloud in this variable, so that none can be lost."""

STEP_SECONDS = 0.02


@dataclass(frozen=True)
class Process:
    """A process that a number alone does not name: numbers are used again."""

    pid: int
    birth: str
    """The computer's boot and the clock ticks from then to the process's start."""

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid, _birth(pid) or "")

    @classmethod
    def recorded(cls, record: Path) -> Process | None:
        """The process written to a record, running or not; None without a (whole) record."""
        try:
            content = json.loads(record.read_text())
            return cls(int(content["pid"]), str(content["birth"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def is_alive(self) -> bool:
        return bool(self.birth) and _birth(self.pid) == self.birth

    @property
    def started(self) -> float:
        """When it started, in seconds since 1970."""
        ticks = int(self.birth.split()[1])
        since_boot = float(Path("/proc/uptime").read_text().split()[0])
        return time.time() - since_boot + ticks / os.sysconf("SC_CLK_TCK")

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal; a process that has ended is fine."""
        if not self.is_alive:
            return
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for the end; whether it came in time."""
        deadline = time.monotonic() + seconds
        while self.is_alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(STEP_SECONDS)
        return True

    def kill(self) -> None:
        """End the process and its group, at once."""
        self.signal(signal.SIGKILL, group=True)
        if not self.wait(10):
            raise MachineError(f"process {self.pid} does not end, not even when killed")


def start_detached(
    command: Sequence[str | Path],
    *,
    owner: str,
    output: Path,
    record: Path,
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start a process in a session of its own and record it; its output is added to a file."""
    words = [str(word) for word in command]
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        pid = os.posix_spawnp(
            words[0],
            words,
            {**os.environ, **(environment or {}), OWNER_VARIABLE: owner},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(output), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except FileNotFoundError as error:
        raise MachineError(f"{words[0]} is not installed on this machine") from error
    process = Process.of(pid)
    aside = record.with_suffix(".new")
    aside.write_text(json.dumps({"pid": process.pid, "birth": process.birth}))
    aside.replace(record)
    return process


def owned_by(owner: str) -> list[Process]:
    """Every process that was started for this owner, recorded or not, with its children."""
    mark = f"{OWNER_VARIABLE}={owner}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in environment:
            found.append(Process.of(int(folder.name)))
    return found


def children(pid: int) -> list[int]:
    """The processes that this one started itself."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _birth(pid: int) -> str | None:
    """What tells this process from every other that has or had its number; None if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything; state is the first field after it, start the 20th.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZX":
        _reap(pid)
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {fields[19]}"


def _reap(pid: int) -> None:
    """Take leave of an ended process, in case that it was our own child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
