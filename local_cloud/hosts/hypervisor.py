"""The real hypervisor of the local cloud: every droplet is a Debian host in systemd-nspawn."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from local_cloud.authority import Authority
from local_cloud.hosts import (
    disk,
    firewall,
    kernel,
    mirrors,
    neighbours,
    netns,
    permissions,
    seed,
    unreachable,
)
from local_cloud.hosts.forward import Forwards
from local_cloud.hosts.guest_files import machine_files, trust_files
from local_cloud.hosts.host_settings import LOOPBACK, NameServerPort, pip_settings, resolver
from local_cloud.hosts.image import Images
from local_cloud.hosts.load_balancers import LoadBalancers
from local_cloud.hosts.machine_process import MachineProcess
from local_cloud.hosts.models import MachineRecord, write_atomically
from local_cloud.hosts.names import Names, public_network_candidates
from local_cloud.hosts.netns import MachineNetwork
from local_cloud.hosts.package_cache import PackageCache
from local_cloud.hosts.requirements import check_folder
from local_cloud.machine import MachineError, MachineSpec, Network, Progress, ReservedAddress

GIGABYTE = 1_000_000_000


class NspawnHypervisor:
    """Boots, stops and removes the machines of one state folder.

    Nothing is kept in memory that is not on disk too: after any crash, a new object on the same
    folder finds the machines running and goes on.
    """

    def __init__(self, state_folder: Path, cache_folder: Path) -> None:
        self.state = state_folder.resolve()
        self.cache = cache_folder.resolve()
        self.names = Names.of(self.state)
        self.images = Images(self.cache)
        self.snapshots = disk.Snapshots(self.state / "snapshots")
        self.forwards = Forwards.of(self.state)
        self.load_balancers = LoadBalancers(self.state, self.names)
        self.package_cache = PackageCache(self.cache)
        self._guards_file = self.state / "guards.json"
        self._services_file = self.state / "services.json"
        self._reserved_file = self.state / "reserved.json"
        self._network_lock = threading.RLock()
        self._machine_locks: dict[int, threading.Lock] = {}

    # --- what machines are made from

    def public_network(self) -> IPv4Network:
        """The network that public addresses are given from; chosen once, then kept."""
        with self._network_lock:
            chosen = self.state / "public-network"
            if chosen.exists():
                return IPv4Network(chosen.read_text().strip())
            for network in public_network_candidates(self.state):
                if neighbours.collision(network, self.names, self.cache) is None:
                    self.state.mkdir(parents=True, exist_ok=True)
                    write_atomically(chosen, f"{network}\n")
                    return network
        raise MachineError("this computer already routes all of 10.64.0.0/10: no public addresses")

    def prepare_image(self, image: str, progress: Progress) -> None:
        """Build the base image if there is none yet (a minute); else return at once."""
        if image.startswith(disk.SNAPSHOT_PREFIX):
            disk.image_layers(image, self.images, self.snapshots)
        else:
            self.images.prepare(image, progress)

    def snapshot(self, machine_id: int, snapshot_id: int) -> float:
        """Copy a machine's disk aside; return its size in GB."""
        machine = MachineRecord.read(self._folder(machine_id))
        layers = list(machine.layers)
        written = self.snapshots.take(self._folder(machine_id), layers, snapshot_id)
        return round((written + sum(disk.size(Path(layer)) for layer in layers)) / GIGABYTE, 2)

    def delete_snapshot(self, snapshot_id: int) -> None:
        """Remove a snapshot's disk. Raises `MachineError` while a machine stands on it."""
        machines = {machine.id: list(machine.layers) for machine in self._machines()}
        users = self.snapshots.used_by(machines, snapshot_id)
        if users:
            raise MachineError(
                f"snapshot {snapshot_id} is the disk of droplet {users[0]}: delete that first"
            )
        self.snapshots.delete(snapshot_id)

    # --- a machine's life

    def create(self, spec: MachineSpec) -> None:
        """Make the disk, network and seed of a new machine and boot it; return when SSH answers."""
        with self._only(spec.id):
            folder = self._folder(spec.id)
            if (folder / "machine.json").exists():
                if self._process(spec.id).init is not None:
                    return
            else:
                layers = disk.image_layers(spec.image, self.images, self.snapshots)
                check_folder(self.state)
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
                disk.make(folder)
                MachineRecord.of(spec, layers).write(folder)
            self._boot(spec)

    def start(self, spec: MachineSpec) -> None:
        """Boot an existing machine; one that runs already is left alone."""
        with self._only(spec.id):
            MachineRecord.read(self._folder(spec.id))
            if self._process(spec.id).init is None:
                self._boot(spec)

    def shut_down(self, machine_id: int, grace_seconds: float) -> None:
        """Ask the machine to power off; after the grace time, cut its power."""
        with self._only(machine_id):
            self._process(machine_id).shut_down(grace_seconds)
            self._disconnect(machine_id)

    def power_off(self, machine_id: int) -> None:
        """Cut the power, as a pulled plug would.

        The network goes first, for the processes in there do not end at the same instant: a web
        server would still answer that the application behind it has gone.
        """
        with self._only(machine_id):
            self._disconnect(machine_id)
            self._process(machine_id).cut_power()

    def reboot(self, machine_id: int) -> None:
        """Restart the machine's operating system; return when SSH answers again."""
        with self._only(machine_id):
            self._process(machine_id).reboot()

    def is_running(self, machine_id: int) -> bool:
        """Whether the machine's init runs now."""
        return self._process(machine_id).init is not None

    def destroy(self, machine_id: int) -> None:
        """Remove the machine and everything that was made for it; unknown ids are fine."""
        with self._only(machine_id):
            self._process(machine_id).cut_power()
            self._disconnect(machine_id)
            shutil.rmtree(self._folder(machine_id), ignore_errors=True)
        with self._network_lock:
            guards = permissions.load(self._guards_file)
            kept = tuple(guard for guard in guards if guard.machine_id != machine_id)
            if kept != guards:
                permissions.save(self._guards_file, kept)
            self._apply_or_leave_network()

    def rename(self, machine_id: int, name: str) -> None:
        """Change the label in logs, from the next boot on (the hostname inside stays)."""
        folder = self._folder(machine_id)
        dataclasses.replace(MachineRecord.read(folder), name=name).write(folder)

    # --- the network around them

    def check_network(self, network: IPv4Network) -> None:
        """Raise `MachineError` when the range collides with one this computer already routes."""
        used: object = neighbours.collision(network, self.names, self.cache)
        if used is None and network.overlaps(self.public_network()):
            used = f"{self.public_network()}, this cloud's public addresses"
        if used is not None:
            raise MachineError(f"the network {network} collides with {used}; choose another one")

    def check_forward(self, loopback_port: int) -> None:
        """Raise `MachineError` naming the port when another process listens on it."""
        self.forwards.check(loopback_port)

    def apply_network(self, network: Network) -> None:
        """Make firewalls, load balancers and loopback forwards be exactly these.

        What is new is there before the forwards lead to it, what is gone goes after they have left
        it. Raises `LoadBalancerError` when a balancer fails and all else is in force.
        """
        with self._network_lock:
            permissions.save(self._guards_file, network.guards)
            ours = {*network.ranges, self.public_network()} if network.ranges else set()
            unreachable.apply(self.names, ours)
            self.load_balancers.record(network.load_balancers)
            moved = self._record_reserved(network.reserved)
            self._apply_or_leave_network()
            self._move_reserved(moved)
            try:
                self.load_balancers.apply(network.load_balancers)
            finally:
                self.forwards.apply(network.forwards)
                if self.load_balancers.keep(network.load_balancers):
                    self._apply_or_leave_network()

    def serve_to_machines(self, ports: Iterable[int]) -> None:
        """Let machines reach these ports of this computer's loopback, at their public gateway."""
        with self._network_lock:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._services_file, f"{json.dumps(sorted(ports))}\n")
            if self._machines() or self.load_balancers.networks():
                self._apply_firewall()

    # --- inside

    def _boot(self, spec: MachineSpec) -> None:
        folder = self._folder(spec.id)
        # A resize changes the memory, for the next boot.
        machine = dataclasses.replace(MachineRecord.read(folder), memory_mib=spec.memory_mib)
        machine.write(folder)
        process = self._process(spec.id)
        process.cut_power()
        for layer in machine.layers:
            if not Path(layer).is_dir():
                raise MachineError(
                    f"the image {layer} of {machine.name} is gone: rebuild the droplet"
                )
        for interface in (machine.public, machine.private):
            used = neighbours.collision(IPv4Network(interface.address), self.names, self.cache)
            if used is not None:
                raise MachineError(f"the address {interface.address} collides with {used}")
        self._write_files(folder, spec)
        kernel.allow_machines(self.names)
        self._network(machine).connect()
        with self._network_lock:
            self._apply_firewall()
        try:
            process.start(machine, self._wheel_caches())
        except MachineError:
            process.cut_power()
            self._disconnect(spec.id)
            raise

    def _record_reserved(self, wanted: Iterable[ReservedAddress]) -> set[int]:
        """Record who has which reserved address; return the machines that have or had one."""
        before = self._reserved()
        now = {each.address: each.machine_id for each in wanted}
        if now != before:
            content = {str(address): machine for address, machine in now.items()}
            write_atomically(self._reserved_file, f"{json.dumps(content, indent=2)}\n")
        return {*before.values(), *now.values()}

    def _move_reserved(self, machines: set[int]) -> None:
        """Let go of addresses before another machine takes them."""
        networks = [self._network(each) for each in self._machines() if each.id in machines]
        connected = [network for network in networks if network.is_connected]
        for network in sorted(connected, key=lambda each: len(each.reserved)):
            network.keep_reserved()

    def _reserved(self) -> dict[IPv4Address, int]:
        try:
            content = json.loads(self._reserved_file.read_text())
        except OSError:
            return {}
        return {IPv4Address(address): machine for address, machine in content.items()}

    def _write_files(self, folder: Path, spec: MachineSpec) -> None:
        dns, authority = resolver(), Authority.of(self.state)
        servers = [spec.public.gateway if server.is_loopback else server for server in dns.servers]
        if NameServerPort(self.state).read() is not None:
            # The others stay behind it, should it fail.
            servers.insert(0, spec.public.gateway)
        files = machine_files(
            gateway=spec.public.gateway,
            name_servers=list(dict.fromkeys(servers)),
            search=dns.search,
            cached_mirrors=mirrors.cacheable(mirrors.own_sources()),
            pip_settings=pip_settings(),
        )
        bundle = disk.certificates(MachineRecord.read(folder).layers)
        trusted = trust_files(authority.root(), authority.hashed_name(), bundle)
        disk.write_files(folder, {**files, **trusted}, seed.render(spec))

    def _apply_firewall(self) -> None:
        """Render the whole table from what is on disk, so that no caller can forget a part."""
        # Another process of ours may serve a new port meanwhile: the last one has read all.
        with (self.state / "firewall.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._render_firewall()

    def _render_firewall(self) -> None:
        services = firewall.Services(
            gateway=self.public_network().network_address + 1,
            package_cache_port=self._package_cache_port(),
            name_server=self._name_server(),
            ports=self._served_ports(),
        )
        networks = [self._network(machine) for machine in self._machines()]
        networks += self.load_balancers.networks()
        guards = permissions.load(self._guards_file)
        firewall.apply(firewall.render(self.names, networks, guards, services))

    def _served_ports(self) -> tuple[int, ...]:
        try:
            return tuple(json.loads(self._services_file.read_text()))
        except OSError:
            return ()

    def _name_server(self) -> tuple[IPv4Address, int] | None:
        """The cloud's own; else this computer's, where hosts cannot ask that one themselves."""
        port = NameServerPort(self.state).read()
        if port is not None:
            return IPv4Address(LOOPBACK), port
        on_loopback = (server for server in resolver().servers if server.is_loopback)
        return next(((server, firewall.DOMAIN_PORT) for server in on_loopback), None)

    def _package_cache_port(self) -> int | None:
        """A cache that does not start is a slower apt, not an error."""
        try:
            return self.package_cache.use(self.names.tag)
        except MachineError:
            return None

    def _apply_or_leave_network(self) -> None:
        if self._machines() or self.load_balancers.networks():
            self._apply_firewall()
        else:
            self._leave_network()

    def _leave_network(self) -> None:
        firewall.remove(self.names)
        self.package_cache.leave(self.names.tag)
        kernel.restore(self.names)

    def _disconnect(self, machine_id: int) -> None:
        netns.disconnect(
            self.names.machine(machine_id),
            self.names.public_card(machine_id),
            self.names.private_card(machine_id),
        )

    def _machines(self) -> list[MachineRecord]:
        found = []
        for record in sorted((self.state / "machines").glob("*/machine.json")):
            try:
                found.append(MachineRecord.read(record.parent))
            except MachineError:  # destroyed meanwhile, beside us
                continue
        return found

    def _folder(self, machine_id: int) -> Path:
        return self.state / "machines" / str(machine_id)

    def _process(self, machine_id: int) -> MachineProcess:
        return MachineProcess(
            self._folder(machine_id), self.names.machine(machine_id), self.names.tag
        )

    def _network(self, machine: MachineRecord) -> MachineNetwork:
        reserved = tuple(
            address for address, holder in self._reserved().items() if holder == machine.id
        )
        return MachineNetwork.of(self.names, machine.id, machine.public, machine.private, reserved)

    def _wheel_caches(self) -> dict[str, Path]:
        """The folders of wheels that all machines share, by their name inside."""
        folders = {name: self.cache / name for name in ("pip", "uv")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        return folders

    @contextmanager
    def _only(self, machine_id: int) -> Iterator[None]:
        """One change of a machine at a time; different machines change side by side."""
        with self._network_lock:
            lock = self._machine_locks.setdefault(machine_id, threading.Lock())
        with lock:
            yield
