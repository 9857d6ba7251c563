"""A control group for each machine, in every hierarchy this computer has (version 1, 2 or both).

systemd inside a machine needs a group of its own, and the memory limit is set here. The limit is
best effort: without a memory controller that we may use, the machine runs without one.
"""

from __future__ import annotations

import time
from pathlib import Path

REMOVAL_SECONDS = 5.0


def make(name: str, memory_mib: int) -> list[Path]:
    """Make the machine's groups; a process joins them to be limited."""
    groups = []
    for root in _roots():
        group = root / name
        group.mkdir(exist_ok=True)
        groups.append(group)
        _copy_cpuset(root, group)
        _limit_memory(root, group, memory_mib * 1024 * 1024)
    return groups


def remove(name: str) -> None:
    """Remove the machine's groups; its processes must have ended."""
    deadline = time.monotonic() + REMOVAL_SECONDS
    for root in _roots():
        while (root / name).exists():
            # The kernel lets go of a group a moment after its last process has ended.
            if _remove_tree(root / name) or time.monotonic() > deadline:
                break
            time.sleep(0.02)


def memory_bytes(name: str) -> int | None:
    """What the machine uses now, without the cache of files; None when that is not counted."""
    for root in _roots():
        for usage, cache in (
            ("memory.current", "inactive_file"),
            ("memory.usage_in_bytes", "total_inactive_file"),
        ):
            try:
                used = int((root / name / usage).read_text())
                statistics = (root / name / "memory.stat").read_text().split()
            except OSError:
                continue
            return used - int(statistics[statistics.index(cache) + 1])
    return None


def all_named(prefix: str) -> list[str]:
    """The machines that have groups."""
    return sorted({group.name for root in _roots() for group in root.glob(f"{prefix}*")})


def _roots() -> list[Path]:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(words[1]) for words in mounts if words[2] in ("cgroup", "cgroup2")]


def _copy_cpuset(root: Path, group: Path) -> None:
    """A new group of version 1's cpuset takes no process before it has processors and memory."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / name).exists() and (root / name).exists():
            (group / name).write_text((root / name).read_text())


def _limit_memory(root: Path, group: Path, limit: int) -> None:
    try:
        controllers = root / "cgroup.controllers"
        if controllers.exists() and "memory" in controllers.read_text().split():
            (root / "cgroup.subtree_control").write_text("+memory")
        for name in ("memory.max", "memory.limit_in_bytes"):
            if (group / name).exists():
                (group / name).write_text(str(limit))
    except OSError:
        return


def _remove_tree(group: Path) -> bool:
    try:
        for inner in group.iterdir():
            if inner.is_dir() and not _remove_tree(inner):
                return False
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
