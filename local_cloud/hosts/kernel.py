"""What this computer's kernel has to allow while a local cloud is up: put back by the last one."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cloud.hosts.names import Names

SHARED = Path("/run/slipway")
"""What the clouds of this computer share; a restart of the computer forgets it, as it should."""

SETTINGS = Path("/proc/sys")
#: Smallest values. Every service manager in a machine takes some inotify instances, and all
#: machines share this computer's: 128, the kernel's default, are used up by a dozen machines, in
#: which then nothing starts any more ("Failed to create inotify object: Too many open files").
NEEDED = {"net/ipv4/ip_forward": 1, "fs/inotify/max_user_instances": 8192}


def allow_machines(names: Names) -> None:
    """Let this computer pass packets on and run many machines; remember for whom and as it was."""
    with _shared_lock():
        before = SHARED / "kernel-settings.json"
        if not before.exists():
            before.write_text(json.dumps({name: _read(name) for name in NEEDED}))
        (SHARED / f"cloud-{names.tag}").touch()
        for name, value in NEEDED.items():
            if _read(name) < value:
                _write(name, value)


def restore(names: Names) -> None:
    """Forget this cloud's wish; the last cloud puts the settings back as they were."""
    with _shared_lock():
        (SHARED / f"cloud-{names.tag}").unlink(missing_ok=True)
        before = SHARED / "kernel-settings.json"
        if not any(SHARED.glob("cloud-*")) and before.exists():
            for name, value in json.loads(before.read_text()).items():
                _write(name, value)
            before.unlink()


def _read(name: str) -> int:
    return int((SETTINGS / name).read_text())


def _write(name: str, value: int) -> None:
    (SETTINGS / name).write_text(str(value))


@contextmanager
def _shared_lock() -> Iterator[None]:
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (SHARED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
