"""Starting, watching and stopping the process that holds a machine (`runner.py`)."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local_cloud.hosts import control_groups
from local_cloud.hosts.commands import last_lines
from local_cloud.hosts.guest_files import CACHE
from local_cloud.hosts.models import MachineRecord, write_atomically
from local_cloud.hosts.process import Process, children, start_detached
from local_cloud.machine import MachineError

BOOT_SECONDS = 90.0
"""How long a boot may take on a busy computer; two seconds are usual."""

SSH_PORT = 22
RUNNER = Path(__file__).with_name("runner.py")

CAPABILITIES = ("CAP_NET_ADMIN",)
"""Beyond systemd-nspawn's own set: a machine may set up its own firewall (nft)."""


class MachineProcess:
    """The running side of one machine."""

    def __init__(self, folder: Path, name: str, owner: str) -> None:
        self.folder = folder
        self.name = name
        self.owner = owner
        self.console = folder / "console.log"
        self._record = folder / "process.json"

    def start(self, machine: MachineRecord, caches: dict[str, Path]) -> None:
        """Boot; return when SSH answers. Disk and network must be there."""
        groups = control_groups.make(self.name, machine.memory_mib)
        launch = {
            "command": self._container(machine.hostname, caches),
            "layers": [str(self.folder / "files"), *machine.layers],
            "control_groups": [str(group) for group in groups],
            # cgroup version 2 is all that a current systemd accepts, and all that it needs: it gets
            # it also where this computer has both versions.
            "environment": {
                "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                # /tmp on the disk, as in a droplet, not in its memory.
                "SYSTEMD_NSPAWN_TMPFS_TMP": "0",
                # Its own network's settings (/proc/sys/net) are the machine's to change.
                "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
            },
        }
        write_atomically(self.folder / "launch.json", json.dumps(launch, indent=2) + "\n")
        with self.console.open("a") as log:
            log.write(f"-- starting {machine.name}\n")
        start_detached(
            # Namespaces of its own, so that processes and mounts end with the runner.
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
             sys.executable, "-I", RUNNER, self.folder],
            owner=self.owner,
            output=self.console,
            record=self._record,
        )  # fmt: skip
        self._wait_for_ssh(None)

    @property
    def process(self) -> Process | None:
        """The outermost process; None when the machine is off."""
        process = Process.recorded(self._record)
        return process if process is not None and process.is_alive else None

    @property
    def init(self) -> Process | None:
        """Process 1 of the machine as this computer sees it; None when it does not run."""
        holder = self.process
        if holder is None:
            return None
        pids = [holder.pid]
        for _ in ("the runner", "systemd-nspawn", "init"):
            pids = [child for pid in pids for child in children(pid)]
        found = [Process.of(pid) for pid in pids]
        return next((process for process in found if process.is_alive), None)

    def shut_down(self, grace_seconds: float) -> None:
        """Ask the machine to power off; cut the power after the grace time."""
        holder = self.process
        if holder is not None:
            self._tell_runner(holder, signal.SIGTERM)
            holder.wait(grace_seconds)
        self.cut_power()

    def cut_power(self) -> None:
        """End the machine now, and what a killed runner may have left."""
        process = Process.recorded(self._record)
        if process is not None:
            process.kill()
        self._record.unlink(missing_ok=True)
        control_groups.remove(self.name)

    def reboot(self) -> None:
        """Restart the operating system inside; return when SSH answers again."""
        holder, before = self.process, self.init
        if holder is None or before is None:
            raise MachineError(f"machine {self.folder.name} is off, so it cannot reboot")
        self._tell_runner(holder, signal.SIGHUP)
        self._wait_for_ssh(before)

    def _tell_runner(self, holder: Process, number: int) -> None:
        for runner in children(holder.pid):
            Process.of(runner).signal(number)

    def _wait_for_ssh(self, before: Process | None) -> None:
        """Wait until something listens on SSH's port inside, in a boot later than `before`.

        It is seen from the machine's own table of sockets, as its firewall may not let us in.
        """
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            init = self.init
            if init is not None and init != before and _listens(init.pid, SSH_PORT):
                return
            if self.process is None:
                raise MachineError(f"the machine did not start: {self._end_of_console()}")
            if time.monotonic() > deadline:
                raise MachineError(
                    f"SSH does not answer {BOOT_SECONDS:.0f} s after the start: "
                    f"{self._end_of_console()}"
                )
            time.sleep(0.03)

    def _end_of_console(self) -> str:
        return f"{last_lines(self.console.read_text(errors='replace'))} (all in {self.console})"

    def _container(self, hostname: str, caches: dict[str, Path]) -> Sequence[str]:
        return [
            "systemd-nspawn",
            "--quiet",
            "--directory=root",
            "--boot",
            f"--machine={self.name}",
            f"--hostname={hostname}",
            f"--network-namespace-path=/run/netns/{self.name}",
            f"--capability={','.join(CAPABILITIES)}",
            # This computer's systemd, if it has one, is not asked to know of the machine; without
            # it, a reboot is ours to do (exit status 133).
            "--register=no",
            "--keep-unit",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            "--console=read-only",
            "--setenv=TERM=dumb",
            *(f"--bind={folder}:{CACHE}/{name}" for name, folder in caches.items()),
        ]


def _listens(pid: int, port: int) -> bool:
    """Whether a TCP port is open in the network namespace of a process (proc(5), net/tcp)."""
    listening, wanted = "0A", f":{port:04X}"
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(wanted) and fields[3] == listening:
                return True
    return False
