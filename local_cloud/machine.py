"""What the API asks of the machines: the contract between `api/` and `hosts/`.

The API owns records (ids, names, addresses, tags); a hypervisor owns what really runs. Both sides
import only this file: the API is tested with an in-memory hypervisor, the hosts without HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

Progress = Callable[[str], None]
"""Receives one line for a person each time a long step gets further."""


class MachineError(Exception):
    """A machine could not do what was asked; the message is for the person who asked."""


class LoadBalancerError(MachineError):
    """A load balancer does not run as it should; the rest of the network has been applied."""


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
class Certificate:
    """What a load balancer shows to visitors."""

    id: str
    """Another one for each content: a renewed certificate is another certificate."""
    pem: str = field(repr=False)
    """The chain, beginning with the certificate itself, and its private key."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A port that visitors of a load balancer come to, and the port on the droplets behind it."""

    protocol: str
    """http, or tcp for connections that are passed on unread."""
    port: int
    target_port: int
    certificate: Certificate | None = None
    """Of a port where visitors speak http over TLS."""
    offers_http2: bool = False
    """Whether visitors may speak HTTP/2 there."""
    target_protocol: str = "http"
    """How droplets are spoken to where http is: http, https or http2, the latter two over TLS whose
    certificate is not verified."""
    redirects_to_https: bool = False
    """Whether visitors are sent to the same address at https, and nothing reaches a droplet."""


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """How a load balancer finds out whether a droplet may have requests."""

    protocol: str
    """http, https (the certificate is not verified) or tcp."""
    port: int
    path: str = "/"
    interval_seconds: int = 10
    timeout_seconds: int = 5
    failures_until_down: int = 5
    successes_until_up: int = 3


@dataclass(frozen=True, kw_only=True)
class StickyCookie:
    """A cookie that brings a visitor back to the same droplet."""

    name: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A droplet behind a load balancer, at its private address."""

    machine_id: int
    address: IPv4Address


@dataclass(frozen=True, kw_only=True)
class LoadBalancerSpec:
    """A load balancer: visitors use its public address, its health checks the private one."""

    number: int
    """Its number among the load balancers of this cloud, from 1; never used twice."""
    public: Interface
    private: Interface
    listeners: tuple[Listener, ...]
    backends: tuple[Backend, ...]
    check: HealthCheck
    sticky: StickyCookie | None = None
    speaks_proxy_protocol: bool = False
    """Whether it tells the droplets the visitor's address before anything else (PROXY, v1)."""
    keeps_backend_connections: bool = False
    idle_seconds: int = 60
    only_strong_ciphers: bool = False
    """Whether TLS takes authenticated ciphers with forward secrecy alone."""
    allowed: tuple[IPv4Network, ...] = ()
    """Networks that may connect; all if empty."""
    denied: tuple[IPv4Network, ...] = ()
    """Networks that may not connect, even if allowed above."""


@dataclass(frozen=True, kw_only=True)
class ReservedAddress:
    """An address that a droplet has beside its own, and that may move to another one."""

    address: IPv4Address
    machine_id: int


@dataclass(frozen=True, kw_only=True)
class Network:
    """All that is true of the network at one moment; applied whole, atomically."""

    guards: tuple[Guard, ...] = ()
    forwards: tuple[Forward, ...] = field(default=())
    load_balancers: tuple[LoadBalancerSpec, ...] = ()
    reserved: tuple[ReservedAddress, ...] = ()
    ranges: tuple[IPv4Network, ...] = ()
    """Of all VPCs, also those without a machine: an address that no machine has is unreachable."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A domain with all its records, as a name server is to answer for it."""

    name: str
    """Without a dot at its end."""
    serial: int
    """Another one after each change (RFC 1912, 2.2)."""
    text: str
    """A whole zone file (RFC 1035, 5)."""


class NameServer(Protocol):
    """Answers for domains, and leads all other names to this computer's own resolvers."""

    def check(self) -> None:
        """Raise `MachineError` saying why this computer has no name server."""

    def serve(self, zones: Sequence[Zone]) -> None:
        """Answer for exactly these domains, and the cloud's own; return when it does.

        It goes on when this process has ended. Raises `MachineError` when it does not answer so.
        """


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
        """Make firewalls, load balancers and loopback forwards be exactly these.

        A load balancer that changes loses no request: what is under way ends as it began. Raises
        `LoadBalancerError` when only a load balancer is not as wanted.
        """

    def check_forward(self, loopback_port: int) -> None:
        """Raise `MachineError` naming the port when another process listens on it."""
