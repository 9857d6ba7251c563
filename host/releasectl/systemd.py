"""Instances as units of systemd."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

from .console import ReleaseError
from .files import write_if_changed
from .log_excerpt import LOG_LINES_READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess


#: Exit status of systemctl for a unit that is not loaded.
NOT_LOADED = 5


#: How long an instance that did not drain in time gets between SIGTERM and SIGKILL.
STOP_GRACE_SECONDS = 1


class Systemd:
    """Each instance is a unit <app>@<instance>.service with a file of its own."""

    def __init__(self, app: str, root: Path) -> None:
        self.app, self.root = app, root
        self.instances = root / "srv" / app / "instances"
        self.system = root / "etc" / "systemd" / "system"

    def start(self, instance: str, seconds: float) -> str | None:
        """Start it and wait until the unit reports that it is ready; None, or what went wrong."""
        import subprocess

        # Also clears units that failed after they had been stopped.
        self._systemctl("reset-failed", "*")
        try:
            done = self._systemctl("start", instance, timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"the unit was not ready after {seconds:.0f} s"
        return None if done.returncode == 0 else f"the unit does not start: {done.stderr.strip()}"

    def stop(self, instance: str) -> None:
        """Stop it without waiting: systemd kills it if it does not stop (TimeoutStopSec=)."""
        done = self._systemctl("stop", "--no-block", instance)
        if done.returncode not in (0, NOT_LOADED):
            raise ReleaseError(f"cannot stop {self.name(instance)}: {done.stderr.strip()}")
        self._systemctl("reset-failed", instance)

    def put(self, instance: str) -> None:
        """Write its unit file. systemd finds a new file without a daemon-reload, which would
        read all units again."""
        unit = (self.instances / instance / "app.service").read_text(encoding="utf-8")
        write_if_changed(self.system / self.name(instance), unit)

    def remove(self, instance: str) -> None:
        """Remove its unit file. An instance that is still stopping keeps its loaded settings."""
        (self.system / self.name(instance)).unlink(missing_ok=True)

    def enable(self, instance: str) -> None:
        """Start it at boot. No daemon-reload is needed before that."""
        done = self._systemctl("enable", "--quiet", "--no-reload", instance)
        if done.returncode != 0:
            raise ReleaseError(f"cannot enable {self.name(instance)}: {done.stderr.strip()}")

    def disable(self, instance: str) -> None:
        self._systemctl("disable", "--quiet", "--no-reload", instance)

    def arm_revert(self, pending_id: str, seconds: float) -> None:
        """Run `releasectl revert` after that many seconds, whatever happens to this process.

        Each pending switch has a timer of its own: an older timer may have elapsed already, with
        its `releasectl revert` waiting for the lock.
        """
        self._run_in_background(
            f"revert --pending {pending_id}",
            self._revert_unit(pending_id),
            f"--on-active={seconds:.0f}",
        )

    def disarm_revert(self, pending_id: str) -> None:
        import subprocess

        timer = f"{self._revert_unit(pending_id)}.timer"
        subprocess.run(["systemctl", "stop", timer], capture_output=True, check=False)

    def _revert_unit(self, pending_id: str) -> str:
        return f"{self.app}-revert-{pending_id}"

    def drain(self, instance: str) -> None:
        """Run `releasectl drain-instance` in the background."""
        self._run_in_background(f"drain-instance {instance}", self._drain_unit(instance))

    def is_draining(self, instance: str) -> bool:
        # systemd-run creates the unit there; it exists until the command ends (systemd.unit(5)).
        unit = f"{self._drain_unit(instance)}.service"
        return (self.root / "run" / "systemd" / "transient" / unit).exists()

    def cancel_drain(self, instance: str) -> bool:
        """Keep an instance that was draining; False if it was already being stopped."""
        import subprocess

        if self.is_draining(instance):
            drain_unit = f"{self._drain_unit(instance)}.service"
            subprocess.run(["systemctl", "stop", drain_unit], capture_output=True, check=False)
            if self.state(instance) in ("deactivating", "stopping"):
                self.kill(instance)
                return False
        return True

    def stop_now(self, instance: str) -> None:
        """Stop it even if it still has requests."""
        self.stop(instance)
        time.sleep(STOP_GRACE_SECONDS)
        self.kill(instance)

    def kill(self, instance: str) -> None:
        self._systemctl("kill", "--signal=KILL", instance)

    def state(self, instance: str) -> str:
        return self._systemctl("is-active", instance).stdout.strip() or "unknown"

    def has_failed(self, instance: str) -> bool:
        """Whether it makes no sense to wait: the unit has failed, or restarted several times."""
        shown = self._systemctl("show", "--property=ActiveState,NRestarts", instance).stdout
        return "ActiveState=failed" in shown or bool(re.search(r"NRestarts=([3-9]|\d\d)", shown))

    def log(self, instance: str) -> str:
        # Only the application's own lines: systemd's about each restart would crowd them out.
        return self._journal(f"_SYSTEMD_UNIT={self.name(instance)}")

    def _journal(self, own: str) -> str:
        import subprocess

        command = ["journalctl", "--no-pager", "--output=cat", f"--lines={LOG_LINES_READ}", own]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def is_enabled(self, instance: str) -> bool:
        wants = self.system / "multi-user.target.wants"
        return (wants / self.name(instance)).exists()  # False for a dangling link as well

    def name(self, instance: str) -> str:
        return f"{self.app}@{instance}.service"

    def _drain_unit(self, instance: str) -> str:
        return f"{self.app}-drain-{instance}"

    def _run_in_background(self, command: str, unit: str, *options: str) -> None:
        """Run a releasectl command as a transient unit, which survives this process."""
        import subprocess

        done = subprocess.run(
            ["systemd-run", "--quiet", "--collect", f"--unit={unit}", *options,
             sys.executable, "-I", os.path.abspath(__file__),  # noqa: PTH100
             "--root", self.root, "--app", self.app, "--by", "timer", *command.split()],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise ReleaseError(f"cannot schedule `{command}`: {done.stderr.strip()}")

    def _systemctl(
        self, *arguments: str, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        import subprocess

        *command, instance = arguments
        return subprocess.run(
            ["systemctl", *command, self.name(instance)],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
