"""The load balancers of one cloud: each a haproxy in a network namespace wired like a machine's.

What is on disk says which there are, so that a new process on the same folder goes on with them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path

from local_cloud.hosts import kernel, netns
from local_cloud.hosts.haproxy import Haproxy
from local_cloud.hosts.load_balancer_process import LoadBalancerProcess
from local_cloud.hosts.models import interface_from_json, interface_to_json, write_atomically
from local_cloud.hosts.names import Names
from local_cloud.hosts.netns import MachineNetwork
from local_cloud.machine import LoadBalancerError, LoadBalancerSpec, MachineError

FOLDER = "load_balancers"
GRACE_SECONDS = 3.0
"""How long requests under way may take when a load balancer is removed."""


class LoadBalancers:
    """The load balancers recorded in a state folder."""

    def __init__(self, state_folder: Path, names: Names) -> None:
        self.folder = state_folder / FOLDER
        self.names = names

    def networks(self) -> list[MachineNetwork]:
        """The networks of all recorded load balancers."""
        return [self._network(number) for number in self._numbers()]

    def record(self, wanted: Iterable[LoadBalancerSpec]) -> None:
        """Record the wanted load balancers, in addition to existing ones."""
        for balancer in wanted:
            folder = self._folder(balancer.number)
            folder.mkdir(parents=True, exist_ok=True)
            content = {
                "public": interface_to_json(balancer.public),
                "private": interface_to_json(balancer.private),
            }
            write_atomically(folder / "balancer.json", json.dumps(content, indent=2) + "\n")

    def apply(self, wanted: Iterable[LoadBalancerSpec]) -> None:
        """Make the recorded ones run as wanted. Raises `LoadBalancerError` after all were tried."""
        problems = []
        for balancer in wanted:
            try:
                self._apply(balancer)
            except MachineError as error:
                problems.append(str(error))
        if problems:
            raise LoadBalancerError("; ".join(problems))

    def keep(self, wanted: Iterable[LoadBalancerSpec]) -> bool:
        """Remove all others; return whether there were any."""
        kept = {balancer.number for balancer in wanted}
        gone = [number for number in self._numbers() if number not in kept]
        for number in gone:
            self._remove(number)
        return bool(gone)

    def process(self, number: int) -> LoadBalancerProcess:
        """The running side of one of them."""
        name = self.names.machine(_label(number))
        return LoadBalancerProcess(Haproxy(self._folder(number), name, self.names.tag, name))

    def at(self, address: str) -> LoadBalancerProcess | None:
        """The one with this public address; None if there is none."""
        for number in self._numbers():
            if str(self._network(number).public.interface.address) == address:
                return self.process(number)
        return None

    def _apply(self, balancer: LoadBalancerSpec) -> None:
        network = self._network(balancer.number)
        process = self.process(balancer.number)
        if not network.is_connected:
            process.stop()
            for card in (network.public, network.private):
                used = netns.collision(IPv4Network(card.interface.address), self.names)
                if used is not None:
                    raise MachineError(f"the address {card.interface.address} collides with {used}")
            kernel.allow_machines(self.names)
            network.connect()
        process.apply(balancer)

    def _remove(self, number: int) -> None:
        self.process(number).stop(GRACE_SECONDS)
        network = self._network(number)
        netns.disconnect(network.namespace, network.public.outside, network.private.outside)
        shutil.rmtree(self._folder(number), ignore_errors=True)

    def _network(self, number: int) -> MachineNetwork:
        content = json.loads((self._folder(number) / "balancer.json").read_text())
        public, private = (interface_from_json(content[name]) for name in ("public", "private"))
        return MachineNetwork.of(self.names, _label(number), public, private)

    def _folder(self, number: int) -> Path:
        return self.folder / str(number)

    def _numbers(self) -> list[int]:
        return sorted(int(path.parent.name) for path in self.folder.glob("*/balancer.json"))


def _label(number: int) -> str:
    """What stands for a machine's id in names."""
    return f"b{number}"
