"""What processors were busy with while something ran: in all, and on the servers of a site."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bench.site import Site
from local_cloud.hosts.names import Names

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_IDLE = slice(3, 5)
"""Of the columns of /proc/stat: idle, and waiting for a disk (proc(5))."""
_COUNTED = 8
"""The columns behind these are counted in the ones before."""


@dataclass(frozen=True)
class Processors:
    """Seconds of all processors of this computer; two that are busy for one second give 2."""

    all: float
    servers: float
    """Of the processes on the servers: each lives in a control group of its name."""

    @classmethod
    def used(cls, site: Site) -> Processors:
        """Since this computer, or else the server, began."""
        columns = [int(each) for each in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
        ticks = sum(columns[:_COUNTED]) - sum(columns[_IDLE])
        servers = Names.of(site.local_cloud).machine_prefix
        return cls(ticks / os.sysconf("SC_CLK_TCK"), processor_seconds(servers))

    def since(self, before: Processors) -> Processors:
        return Processors(self.all - before.all, self.servers - before.servers)


def processor_seconds(prefix: str, root: Path = _CONTROL_GROUPS) -> float:
    """What the control groups with such names have used since they were made.

    Version 2 of control groups counts it; beside version 1 it has a folder of its own.
    """
    statistics = [*root.glob(f"{prefix}*/cpu.stat"), *root.glob(f"*/{prefix}*/cpu.stat")]
    return sum(map(_microseconds, statistics)) / 1_000_000


def _microseconds(statistics: Path) -> int:
    for line in statistics.read_text().splitlines():
        name, value = line.split()
        if name == "usage_usec":
            return int(value)
    return 0
