"""The load balancers of one cloud: each a haproxy in a network namespace wired like a machine's.

What is on disk says which there are, so that a new process on the same folder goes on with them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path

from local_cloud.hosts import kernel, wiring
from local_cloud.hosts.balancer_process import BalancerProcess
from local_cloud.hosts.haproxy import Haproxy
from local_cloud.hosts.names import Names
from local_cloud.hosts.record import interface_from_json, interface_to_json, write_whole
from local_cloud.hosts.wiring import Wiring
from local_cloud.machine import Balancer, BalancerError, MachineError

FOLDER = "balancers"
GRACE_SECONDS = 3.0
"""What requests under way get when a balancer is taken away."""


class Balancers:
    """The load balancers recorded in a state folder."""

    def __init__(self, state_folder: Path, names: Names) -> None:
        self.folder = state_folder / FOLDER
        self.names = names

    def wirings(self) -> list[Wiring]:
        """The networks of all that are recorded."""
        return [self._wiring(number) for number in self._numbers()]

    def record(self, wanted: Iterable[Balancer]) -> None:
        """Write down those that there are to be, too."""
        for balancer in wanted:
            folder = self._folder(balancer.number)
            folder.mkdir(parents=True, exist_ok=True)
            content = {
                "public": interface_to_json(balancer.public),
                "private": interface_to_json(balancer.private),
            }
            write_whole(folder / "balancer.json", json.dumps(content, indent=2) + "\n")

    def apply(self, wanted: Iterable[Balancer]) -> None:
        """Make the recorded ones run as wanted. Raises `BalancerError` after all were tried."""
        problems = []
        for balancer in wanted:
            try:
                self._apply(balancer)
            except MachineError as error:
                problems.append(str(error))
        if problems:
            raise BalancerError("; ".join(problems))

    def keep(self, wanted: Iterable[Balancer]) -> bool:
        """Take away all others; whether there were any."""
        kept = {balancer.number for balancer in wanted}
        gone = [number for number in self._numbers() if number not in kept]
        for number in gone:
            self._remove(number)
        return bool(gone)

    def process(self, number: int) -> BalancerProcess:
        """The running side of one of them."""
        name = self.names.machine(_label(number))
        return BalancerProcess(Haproxy(self._folder(number), name, self.names.tag, name))

    def at(self, address: str) -> BalancerProcess | None:
        """The one with this public address, as a person knows it."""
        for number in self._numbers():
            if str(self._wiring(number).public.interface.address) == address:
                return self.process(number)
        return None

    def _apply(self, balancer: Balancer) -> None:
        network = self._wiring(balancer.number)
        process = self.process(balancer.number)
        if not network.is_connected:
            process.stop()
            for card in (network.public, network.private):
                used = wiring.collision(IPv4Network(card.interface.address), self.names)
                if used is not None:
                    raise MachineError(f"the address {card.interface.address} collides with {used}")
            kernel.allow_machines(self.names)
            network.connect()
        process.apply(balancer)

    def _remove(self, number: int) -> None:
        self.process(number).stop(GRACE_SECONDS)
        network = self._wiring(number)
        wiring.disconnect(network.namespace, network.public.outside, network.private.outside)
        shutil.rmtree(self._folder(number), ignore_errors=True)

    def _wiring(self, number: int) -> Wiring:
        content = json.loads((self._folder(number) / "balancer.json").read_text())
        public, private = (interface_from_json(content[name]) for name in ("public", "private"))
        return Wiring.of(self.names, _label(number), public, private)

    def _folder(self, number: int) -> Path:
        return self.folder / str(number)

    def _numbers(self) -> list[int]:
        return sorted(int(path.parent.name) for path in self.folder.glob("*/balancer.json"))


def _label(number: int) -> str:
    """What stands for a machine's id in names."""
    return f"b{number}"
