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


#: The status with which systemctl says that a unit is not known to it (any more).
NOT_LOADED = 5


#: What a stopped instance gets to end by itself when the time for its requests is over.
SECONDS_TO_END = 1


class Units:
    """The application's units: <app>@<instance>.service, a file of its own for each instance."""

    def __init__(self, app: str, root: Path) -> None:
        self.app, self.root = app, root
        self.instances = root / "srv" / app / "instances"
        self.system = root / "etc" / "systemd" / "system"

    def start(self, instance: str, seconds: float) -> str | None:
        """Start and wait until the unit says it is ready; None, or else what went wrong."""
        import subprocess

        # What failed before, and ended after it was stopped, is forgotten by then.
        self._systemctl("reset-failed", "*")
        try:
            done = self._systemctl("start", instance, timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"the unit was not ready after {seconds:.0f} s"
        return None if done.returncode == 0 else f"the unit does not start: {done.stderr.strip()}"

    def stop(self, instance: str) -> None:
        """Have it stopped; systemd sees to the end of it (TimeoutStopSec=) while we go on."""
        done = self._systemctl("stop", "--no-block", instance)
        if done.returncode not in (0, NOT_LOADED):
            raise ReleaseError(f"cannot stop {self.name(instance)}: {done.stderr.strip()}")
        self._systemctl("reset-failed", instance)

    def put(self, instance: str) -> None:
        """Write its unit, unless it is there. A new file is found without a reload of systemd,
        which would read all units again."""
        unit = (self.instances / instance / "app.service").read_text(encoding="utf-8")
        write_if_changed(self.system / self.name(instance), unit)

    def remove(self, instance: str) -> None:
        """What was written for it goes; what is ending still ends as it says."""
        (self.system / self.name(instance)).unlink(missing_ok=True)

    def enable(self, instance: str) -> None:
        """Have it started at boot. Without a reload of systemd: that is for the next boot."""
        done = self._systemctl("enable", "--quiet", "--no-reload", instance)
        if done.returncode != 0:
            raise ReleaseError(f"cannot enable {self.name(instance)}: {done.stderr.strip()}")

    def disable(self, instance: str) -> None:
        self._systemctl("disable", "--quiet", "--no-reload", instance)

    def arm(self, promise: str, seconds: float) -> None:
        """Have `releasectl revert` run after so many seconds, whatever happens to us.

        Each promise has a timer of its own: that of an older one may have rung already, and its
        `releasectl revert` be waiting for us to end.
        """
        self._run_later(
            f"revert --promise {promise}", self._reverter(promise), f"--on-active={seconds:.0f}"
        )

    def disarm(self, promise: str) -> None:
        import subprocess

        timer = f"{self._reverter(promise)}.timer"
        subprocess.run(["systemctl", "stop", timer], capture_output=True, check=False)

    def _reverter(self, promise: str) -> str:
        return f"{self.app}-revert-{promise}"

    def drain(self, instance: str) -> None:
        """Have `releasectl drain` see to the end of it, while we go on."""
        self._run_later(f"drain {instance}", self._drainer(instance))

    def is_draining(self, instance: str) -> bool:
        # Where systemd has what systemd-run asked for, until it ends (systemd.unit(5)).
        unit = f"{self._drainer(instance)}.service"
        return (self.root / "run" / "systemd" / "transient" / unit).exists()

    def keep(self, instance: str) -> bool:
        """It is wanted again: nobody is to stop it any more. False where that came too late."""
        import subprocess

        if self.is_draining(instance):
            drainer = f"{self._drainer(instance)}.service"
            subprocess.run(["systemctl", "stop", drainer], capture_output=True, check=False)
            if self.state(instance) in ("deactivating", "stopping"):
                self.kill(instance)
                return False
        return True

    def end(self, instance: str) -> None:
        """Stop it with whatever it is still at."""
        self.stop(instance)
        time.sleep(SECONDS_TO_END)
        self.kill(instance)

    def kill(self, instance: str) -> None:
        self._systemctl("kill", "--signal=KILL", instance)

    def state(self, instance: str) -> str:
        return self._systemctl("is-active", instance).stdout.strip() or "unknown"

    def given_up(self, instance: str) -> bool:
        """Whether waiting is in vain: it failed, or it has fallen over several times."""
        shown = self._systemctl("show", "--property=ActiveState,NRestarts", instance).stdout
        return "ActiveState=failed" in shown or bool(re.search(r"NRestarts=([3-9]|\d\d)", shown))

    def log(self, instance: str) -> str:
        # The application's own lines: what systemd says of each restart would crowd them out.
        return self._journal(f"_SYSTEMD_UNIT={self.name(instance)}")

    def _journal(self, own: str) -> str:
        import subprocess

        command = ["journalctl", "--no-pager", "--output=cat", f"--lines={LOG_LINES_READ}", own]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def is_enabled(self, instance: str) -> bool:
        wanted = self.system / "multi-user.target.wants"
        return (wanted / self.name(instance)).exists()  # the unit that it leads to, too

    def name(self, instance: str) -> str:
        return f"{self.app}@{instance}.service"

    def _drainer(self, instance: str) -> str:
        return f"{self.app}-drain-{instance}"

    def _run_later(self, command: str, unit: str, *options: str) -> None:
        """Have a command of releasectl run as a unit of its own, whatever becomes of us."""
        import subprocess

        done = subprocess.run(
            ["systemd-run", "--quiet", "--collect", f"--unit={unit}", *options,
             sys.executable, "-I", os.path.abspath(__file__),  # noqa: PTH100
             "--root", self.root, "--app", self.app, "--by", "timer", *command.split()],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise ReleaseError(f"cannot arrange for `{command}`: {done.stderr.strip()}")

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
