"""The process that holds one machine: mounts its disk and boots it, again after each reboot.

It runs as process 1 of a process namespace with mounts of its own, so that when it ends, even by
`kill -9`, the kernel ends the machine with it and no mount stays. It imports nothing of the project
and is told all it must know by `launch.json`; the cloud that started it may come and go.

Signals: TERM asks the machine to power off, HUP to reboot.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

REBOOT_WANTED = 133
"""systemd-nspawn's exit status when the machine asked to be started again (systemd-nspawn(1))."""

POWER_OFF = signal.SIGRTMIN + 4
REBOOT = signal.SIGRTMIN + 5
"""What asks a systemd of process 1 to stop or start again, in an orderly way (systemd(1))."""


class Runner:
    """One machine, from the mounting of its disk to its last power off."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        launch = json.loads((folder / "launch.json").read_text())
        self.command: list[str] = launch["command"]
        self.layers: list[str] = launch["layers"]
        self.control_groups: list[str] = launch["control_groups"]
        self.environment: dict[str, str] = launch["environment"]
        self.container: subprocess.Popen[bytes] | None = None
        self.power_off_wanted = False

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self.power_off)
        signal.signal(signal.SIGHUP, self.reboot)
        for group in self.control_groups:
            (Path(group) / "cgroup.procs").write_text("0")
        self.mount_disk()
        while True:
            self.container = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
            )
            status = self.container.wait()
            if status != REBOOT_WANTED or self.power_off_wanted:
                print(f"-- the machine is off (status {status})", flush=True)  # noqa: T201
                return status
            print("-- the machine starts again", flush=True)  # noqa: T201

    def mount_disk(self) -> None:
        options = f"lowerdir={':'.join(self.layers)},upperdir=upper,workdir=work"
        self._mount("-t", "overlay", "overlay", "-o", options, "root")
        # systemd-nspawn leaves locks here when it is killed: let them go with this namespace.
        Path("/run/systemd/nspawn").mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run/systemd/nspawn")

    def _mount(self, *words: str) -> None:
        subprocess.run(["mount", *words], cwd=self.folder, check=True)

    def power_off(self, _number: int, _frame: FrameType | None) -> None:
        self.power_off_wanted = True
        self._tell_init(POWER_OFF)

    def reboot(self, _number: int, _frame: FrameType | None) -> None:
        self._tell_init(REBOOT)

    def _tell_init(self, number: int) -> None:
        if self.container is None:
            return
        supervisor = self.container.pid
        # One that ends at this moment needs to be told nothing.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text()
            for child in children.split():
                os.kill(int(child), number)


if __name__ == "__main__":
    sys.exit(Runner(Path(sys.argv[1])).run())
