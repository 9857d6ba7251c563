"""The running side of one load balancer: a haproxy, and what it thinks of the droplets."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path

from local_cloud.hosts.haproxy import Haproxy
from local_cloud.hosts.load_balancer_configuration import (
    CERTIFICATES,
    CHECKED,
    STATES,
    certificate_files,
    render,
    render_states,
)
from local_cloud.hosts.models import write_atomically
from local_cloud.hosts.process import Process
from local_cloud.machine import LoadBalancerSpec

FIRST_CHECK_SECONDS = 3.0
"""How long a start waits until each droplet was asked once, so that an ill one gets nothing."""
STEP_SECONDS = 0.05
NOT_CHECKED = ("INI", "* INI", "")


@dataclass(frozen=True)
class LoadBalancerProcess:
    """One balancer's haproxy."""

    haproxy: Haproxy

    @property
    def process(self) -> Process | None:
        """None when it does not run."""
        return self.haproxy.process

    def apply(self, balancer: LoadBalancerSpec) -> None:
        """Make it run with exactly this configuration; return when it does.

        Raises `MachineError` when haproxy refuses; one that runs goes on as it was.
        """
        wanted = render(balancer, self.haproxy.common(), self.haproxy.folder)
        runs = self.process is not None
        if runs and self.haproxy.configuration == wanted:
            return
        self._write_certificates(balancer)
        healthy = self.healthy() if runs else None
        write_atomically(self._states, render_states(balancer, healthy))
        if not runs:
            self.haproxy.start(wanted)
            self._wait_for_first_checks()
            self._forget_certificates(balancer)
            return
        kept = {backend.machine_id for backend in balancer.backends}
        for machine_id in self.health().keys() - kept:
            # The worker that is to end has connections that wait for their next request.
            self.haproxy.ask(f"set server {CHECKED}/{machine_id} state drain")
        self.haproxy.reload(wanted)
        self._forget_certificates(balancer)

    def stop(self, grace_seconds: float = 0) -> None:
        """End it, after what is under way if that ends in time."""
        self.haproxy.stop(grace_seconds)

    def health(self) -> dict[int, str]:
        """What haproxy thinks of each droplet, such as `UP` or `DOWN 1/3`; empty when it is off."""
        return {number: row["status"] for number, row in self._checks().items()}

    def healthy(self) -> set[int]:
        """The droplets that get requests now."""
        return {number for number, status in self.health().items() if status.startswith("UP")}

    def _wait_for_first_checks(self) -> None:
        deadline = time.monotonic() + FIRST_CHECK_SECONDS
        while any(row["check_status"] in NOT_CHECKED for row in self._checks().values()):
            if time.monotonic() > deadline:
                return
            time.sleep(STEP_SECONDS)

    def _checks(self) -> dict[int, dict[str, str]]:
        """The statistics of each droplet's checks (HAProxy management guide, 9.1)."""
        rows = csv.DictReader(self.haproxy.ask("show stat").removeprefix("# ").splitlines())
        return {
            int(row["svname"]): row
            for row in rows
            if row["pxname"] == CHECKED and row["svname"].isdigit()
        }

    def _write_certificates(self, balancer: LoadBalancerSpec) -> None:
        """The master reads them as root, before its workers give that up."""
        for name, pem in certificate_files(balancer).items():
            file = self._certificates / name
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(pem)

    def _forget_certificates(self, balancer: LoadBalancerSpec) -> None:
        for file in self._certificates.glob("*.pem"):
            if file.name not in certificate_files(balancer):
                file.unlink()

    @property
    def _states(self) -> Path:
        return self.haproxy.folder / STATES

    @property
    def _certificates(self) -> Path:
        return self.haproxy.folder / CERTIFICATES
