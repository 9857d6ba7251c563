"""What the API asks of the machines: the contract between `api/` and `hosts/`.

The API owns records (ids, names, addresses, tags); a hypervisor owns what really runs. Both sides
import only this file: the API is tested with an in-memory hypervisor, the hosts without HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

Progress = Callable[[str], None]
"""Receives one line for a person each time a long step gets further."""


class MachineError(Exception):
    """A machine could not do what was asked; the message is for the person who asked."""


@dataclass(frozen=True, kw_only=True)
class Interface:
    """One network card: its address, and the network whose first address is the gateway."""

    address: IPv4Address
    network: IPv4Network

    @property
    def gateway(self) -> IPv4Address:
        return self.network.network_address + 1


@dataclass(frozen=True, kw_only=True)
class MachineSpec:
    """Everything needed to boot one droplet, fixed at creation."""

    id: int
    name: str
    image: str
    """A distribution slug such as `debian-12-x64`, or `snapshot-<id>` for a snapshot's disk."""
    public: Interface
    private: Interface
    user_data: str
    ssh_keys: tuple[str, ...] = ()
    """Public keys in authorized_keys form, for root."""
    region: str = "local"
    memory_mib: int = 1024
    vcpus: int = 1


@dataclass(frozen=True, kw_only=True)
class Forward:
    """127.0.0.1:`loopback_port` leads to `address`:`port`."""

    loopback_port: int
    address: IPv4Address
    port: int


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One direction-less permission: the peers (other side) and ports that may talk.

    `protocol` is tcp, udp or icmp; `ports` is (first, last), or None for every port (and for icmp).
    Tags, droplet ids and load balancers are already resolved to networks by the API.
    """

    protocol: str
    ports: tuple[int, int] | None
    peers: tuple[IPv4Network, ...]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The firewall of one droplet: all that its firewalls together permit; the rest is dropped."""

    machine_id: int
    addresses: tuple[IPv4Address, ...]
    inbound: tuple[Rule, ...]
    outbound: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Network:
    """All that is true of the network at one moment; applied whole, atomically."""

    guards: tuple[Guard, ...] = ()
    forwards: tuple[Forward, ...] = field(default=())


class Hypervisor(Protocol):
    """Boots, stops and removes machines. Calls block; the API runs them in worker threads.

    Every call is safe to repeat. All raise `MachineError` with a message for a person.
    """

    def public_network(self) -> IPv4Network:
        """The network that public addresses are given from; its first address is the gateway."""

    def prepare_image(self, image: str, progress: Progress) -> None:
        """Build the base image if this machine has none yet (a minute); else return at once."""

    def create(self, spec: MachineSpec) -> None:
        """Make the disk, network and seed of a new machine and boot it; return when SSH answers."""

    def start(self, spec: MachineSpec) -> None:
        """Boot an existing machine (also after the whole computer was restarted)."""

    def shut_down(self, machine_id: int, grace_seconds: float) -> None:
        """Ask the machine to power off; after the grace time, cut its power."""

    def power_off(self, machine_id: int) -> None:
        """Cut the power, as a pulled plug would."""

    def reboot(self, machine_id: int) -> None:
        """Restart the machine's operating system; return when SSH answers again."""

    def is_running(self, machine_id: int) -> bool:
        """Whether the machine's init runs now."""

    def destroy(self, machine_id: int) -> None:
        """Remove the machine and everything that was made for it; unknown ids are fine."""

    def rename(self, machine_id: int, name: str) -> None:
        """Change the label that processes and logs carry (the hostname inside stays)."""

    def snapshot(self, machine_id: int, snapshot_id: int) -> float:
        """Copy a powered-off or running machine's disk aside; return its size in GB."""

    def delete_snapshot(self, snapshot_id: int) -> None:
        """Remove a snapshot's disk."""

    def check_network(self, network: IPv4Network) -> None:
        """Raise `MachineError` when the range collides with one this computer already routes."""

    def apply_network(self, network: Network) -> None:
        """Make firewalls and loopback forwards be exactly these."""

    def check_forward(self, loopback_port: int) -> None:
        """Raise `MachineError` naming the port when another process listens on it."""
